/* IPv4 headers (RFC 791 s3.1), and the pseudo-header of the transports.
 *
 *      0         1         2                   4
 *      | ver ihl | tos     | total length      |
 *      | identification    |  D M | offset / 8 |  8    D: don't fragment
 *      | ttl     | proto   | checksum          |  12   M: more fragments
 *      | source                                |  16
 *      | destination                           |  20
 *      | options, 0 to 40 bytes ...            |
 *
 * Parsing checks in the order in which each check makes the next one safe: enough bytes
 * to look at, the version, the header's length, its checksum (only now is any field
 * worth believing), the packet's length, the options. */
#include "wire/ip4_wire.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"

enum {
    OPT_END = 0,
    OPT_NOP = 1,
    OPT_RECORD_ROUTE = 7,
    OPT_TIMESTAMP = 68,
    OPT_LOOSE_ROUTE = 131,
    OPT_STRICT_ROUTE = 137,
    OPT_COPIED = 0x80, /* flag of all of them */

    FRAG_DONT = 0x4000,
    FRAG_MORE = 0x2000,
    FRAG_OFFSET = 0x1fff,
};

/* One option of n bytes (2 at least, all within the header). RFC 791 s3.1 gives each
 * its smallest pointer: the first byte behind the option's own fixed part. */
static bool option_ok(const uint8_t *b, size_t n)
{
    switch (b[0]) {
    case OPT_RECORD_ROUTE:
    case OPT_LOOSE_ROUTE:
    case OPT_STRICT_ROUTE:
        return n >= 3 && (n - 3) % 4 == 0 && b[2] >= 4 && b[2] % 4 == 0;
    case OPT_TIMESTAMP:
        return n >= 4 && (n - 4) % 4 == 0 && b[2] >= 5 && b[2] % 4 == 1;
    default:
        return true; /* RFC 9293 s3.9.2 (MUST-50); RFC 1122 s3.2.1.8
                      * (MUST-ip-options-unknown, MUST-ip-stream-id): an unknown option
                      * is passed over */
    }
}

/* Walks the n bytes of options at b; false when one is malformed. */
static bool walk_options(const uint8_t *b, size_t n, bool *source_route)
{
    for (size_t i = 0; i < n && b[i] != OPT_END;) {
        if (b[i] == OPT_NOP) {
            i++;
            continue;
        }
        if (n - i < 2 || b[i + 1] < 2 || b[i + 1] > n - i)
            return false;
        if (!option_ok(b + i, b[i + 1]))
            return false;
        if (b[i] == OPT_LOOSE_ROUTE || b[i] == OPT_STRICT_ROUTE)
            *source_route = true;
        i += b[i + 1];
    }
    return true;
}

/* Fills n bytes up with OPT_END. */
static size_t fill_up(uint8_t *list, size_t n)
{
    while (n % 4 != 0)
        list[n++] = OPT_END;
    return n;
}

/* How long the option at b is. */
static size_t option_len(const uint8_t *b)
{
    return b[0] == OPT_NOP ? 1 : b[1];
}

/* RFC 1122 s3.2.1.8: source routes are not sent, as none is taken (RFC 7126 s4.3,
 * s4.4); Timestamp, which is optional, would have to be filled in by every host. */
int ip4_options_read(const uint8_t *list, size_t n, uint8_t *out)
{
    bool source_route = false;

    if (n > IP4_OPTIONS_MAX || !walk_options(list, n, &source_route))
        return -EINVAL;
    for (size_t i = 0; i < n && list[i] != OPT_END; i += option_len(list + i))
        if (list[i] == OPT_TIMESTAMP)
            return -EPERM;
    if (source_route)
        return -EPERM;
    if (n > 0)
        memcpy(out, list, n);
    return (int)fill_up(out, n);
}

size_t ip4_options_copied(const uint8_t *list, size_t n, uint8_t *out)
{
    size_t copied = 0, len;

    for (size_t i = 0; i < n && list[i] != OPT_END; i += len) {
        len = option_len(list + i);
        if (!(list[i] & OPT_COPIED))
            continue;
        memcpy(out + copied, list + i, len);
        copied += len;
    }
    return fill_up(out, copied);
}

int ip4_parse(const uint8_t *b, size_t len, struct ip4 *out)
{
    if (len < IP4_LEN)
        return -DROP_IP_SHORT - 1;
    if (b[0] >> 4 != 4) /* RFC 1122 s3.2.1.1 (MUST-ip-version) */
        return -DROP_IP_VERSION - 1;
    size_t header_len = (b[0] & 15u) * 4;
    if (header_len < IP4_LEN || header_len > len)
        return -DROP_IP_HEADER - 1;
    /* RFC 1122 s3.2.1.2 (MUST-ip-checksum) */
    if (cksum_finish(cksum_add(0, b, header_len, 0)) != 0)
        return -DROP_IP_CKSUM - 1;

    uint16_t frag = get16(b + 6);
    *out = (struct ip4){
        .src = ip4_addr(get32(b + 12)),
        .dst = ip4_addr(get32(b + 16)),
        .total_len = get16(b + 2),
        .id = get16(b + 4),
        .frag_offset = (uint16_t)((frag & FRAG_OFFSET) * 8),
        .header_len = (uint8_t)header_len,
        .tos = b[1],
        .ttl = b[8],
        .proto = b[9],
        .dont_fragment = frag & FRAG_DONT,
        .more_fragments = frag & FRAG_MORE,
    };
    if (out->total_len < header_len)
        return -DROP_IP_HEADER - 1;
    if (out->total_len > len)
        return -DROP_IP_SHORT - 1;
    if (!walk_options(b + IP4_LEN, header_len - IP4_LEN, &out->source_route))
        return -DROP_IP_OPTIONS - 1;
    return 0;
}

void ip4_emit(uint8_t *b, const struct ip4 *h)
{
    unsigned frag = h->frag_offset / 8u;
    if (h->dont_fragment)
        frag |= FRAG_DONT;
    if (h->more_fragments)
        frag |= FRAG_MORE;

    size_t len = IP4_LEN + h->n_options;

    b[0] = (uint8_t)(4 << 4 | len / 4);
    b[1] = h->tos;
    put16(b + 2, h->total_len);
    put16(b + 4, h->id);
    put16(b + 6, (uint16_t)frag);
    b[8] = h->ttl;
    b[9] = h->proto;
    put16(b + 10, 0);
    put32(b + 12, ip4_num(h->src));
    put32(b + 16, ip4_num(h->dst));
    if (h->n_options)
        memcpy(b + IP4_LEN, h->options, h->n_options);
    put16(b + 10, cksum_finish(cksum_add(0, b, len, 0)));
}

/* The sum does not depend on where a word stands, so IPv6's layout of the last fields
 * (RFC 8200 s8.1: length and protocol in 32 bits each) serves IPv4 as well. */
uint64_t ip_pseudo_sum(struct ip_addr src, struct ip_addr dst, uint8_t proto,
                       size_t len)
{
    uint8_t b[40];
    size_t n = ip_is4(src) ? 4 : 16;

    memcpy(b, src.b + 16 - n, n);
    memcpy(b + n, dst.b + 16 - n, n);
    put32(b + 2 * n, (uint32_t)len);
    put32(b + 2 * n + 4, proto);
    return cksum_add(0, b, 2 * n + 8, 0);
}
