/* Cutting super-segments.
 *
 *     | Eth | IP | TCP | text ......................................... |
 *     | Eth | IP | TCP | gso_size |
 *                      | Eth | IP | TCP | gso_size |    ... | the rest |
 *
 * Each piece gets a copy of the headers with what differs from piece to piece: IP's
 * total length, identification (counted up) and checksum; TCP's sequence number, flags
 * (FIN and PSH belong to the last byte, CWR is said once) and checksum. The text may
 * lie in the frame's own bytes, in borrowed pieces, or in both.
 *
 * The offsets of IP and TCP fields are known here besides wire/: a header that is
 * parsed and emitted anew would lose its options. */
#include "net/gso.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

enum {
    IP = ETH_LEN, /* offset of the IP header in a frame */
    UDP_CKSUM_FIELD = 6,
};

/* Bytes of the IP header of an IPv4 frame, or 0 when it is none or cut short. */
static size_t ip_header_len(const struct pkt *p)
{
    const uint8_t *b = p->data;

    if (p->len < ETH_LEN + IP4_LEN || get16(b + 12) != ETH_IP4)
        return 0;
    size_t len = (b[IP] & 15u) * 4;
    if (len < IP4_LEN || ETH_LEN + len > p->len)
        return 0;
    return len;
}

/* Bytes of the headers of a TCP frame, or 0 when it is none. */
static size_t tcp_headers_len(const struct pkt *p)
{
    size_t tcp = ETH_LEN + ip_header_len(p);

    if (tcp == ETH_LEN || p->data[IP + 9] != IP_PROTO_TCP || p->len < tcp + TCP_LEN)
        return 0;
    size_t len = tcp + (p->data[tcp + 12] >> 4) * 4u;
    return len <= p->len ? len : 0;
}

void gso_begin(struct gso *g, const struct pkt *p)
{
    size_t headers = tcp_headers_len(p);

    *g = (struct gso){ .p = p, .header_len = headers };
    g->total = pkt_total(p) - headers;
    g->whole = p->gso_size == 0 || headers == 0 || g->total <= p->gso_size;
}

static void put_sum(uint8_t *at, uint16_t field, uint64_t sum)
{
    uint16_t value = cksum_finish(sum);

    /* RFC 768: an all-zero UDP checksum means none, its other form is sent. */
    if (value == 0 && field == UDP_CKSUM_FIELD)
        value = 0xffff;
    put16(at + field, value);
}

void csum_complete(struct pkt *p)
{
    size_t done = (size_t)(p->data + p->len - p->csum_at);
    uint64_t sum = cksum_add(0, p->csum_at, done, 0);

    for (unsigned i = 0; i < p->n_text; i++) {
        sum = cksum_add(sum, p->text[i].at, p->text[i].len, done);
        done += p->text[i].len;
    }
    put_sum(p->csum_at, p->csum_field, sum);
    p->csum = PKT_CSUM_FULL;
}

/* Makes the transport checksum of a contiguous IPv4 frame from nothing. */
static void fill_csum(struct pkt *p, uint16_t field)
{
    size_t header = ip_header_len(p);
    const uint8_t *ip = p->data + IP;
    uint8_t *at = p->data + IP + header;
    size_t len = p->len - IP - header;

    put16(at + field, 0);
    uint64_t sum = ip_pseudo_sum(ip4_addr(get32(ip + 12)), ip4_addr(get32(ip + 16)),
                                 ip[9], len);
    put_sum(at, field, cksum_add(sum, at, len, 0));
}

/* A frame that the device vouches for may hold the pseudo-header's sum alone. */
static void mend_verified(struct pkt *p)
{
    size_t at = IP + ip_header_len(p);

    if (at == IP)
        return;
    pkt_trim(p, IP + get16(p->data + IP + 2)); /* a wire's padding is not summed */
    if (tcp_headers_len(p))
        fill_csum(p, TCP_CKSUM_FIELD);
    else if (p->data[IP + 9] == IP_PROTO_UDP && p->len >= at + 8 &&
             get16(p->data + at + UDP_CKSUM_FIELD) != 0)
        fill_csum(p, UDP_CKSUM_FIELD);
}

static void reset(struct pkt *out)
{
    out->data = out->buf + PKT_HEADROOM;
    out->len = 0;
    out->n_text = 0;
    out->csum = PKT_CSUM_FULL;
    out->csum_at = NULL;
    out->gso_size = 0;
}

static bool copy_whole(struct gso *g, struct pkt *out)
{
    const struct pkt *p = g->p;

    if (g->n > 0)
        return false;
    g->n = 1;
    reset(out);
    assert(pkt_tailroom(out) >= pkt_total(p));
    out->len = (uint32_t)pkt_flatten(p, out->data, pkt_tailroom(out));
    if (p->csum == PKT_CSUM_PARTIAL) {
        out->csum_at = out->data + (p->csum_at - p->data);
        out->csum_field = p->csum_field;
        csum_complete(out);
    } else if (p->csum == PKT_CSUM_VERIFIED) {
        mend_verified(out);
    }
    return true;
}

/* Appends the n bytes from `offset` of all of p to out. */
static void append_bytes(struct pkt *out, const struct pkt *p, size_t offset, size_t n)
{
    struct piece all[3] = { { p->data, p->len }, p->text[0], p->text[1] };

    for (unsigned i = 0; n > 0 && i <= p->n_text; i++) {
        if (offset >= all[i].len) {
            offset -= all[i].len;
            continue;
        }
        size_t part = min_size(n, all[i].len - offset);
        memcpy(pkt_put(out, part), all[i].at + offset, part);
        offset = 0;
        n -= part;
    }
}

/* Sets what differs from piece to piece in the copied headers. */
static void fix_headers(const struct gso *g, struct pkt *out, bool last)
{
    uint8_t *ip = out->data + IP;
    size_t ip_len = ip_header_len(out);
    uint8_t *tcp = ip + ip_len;

    put16(ip + 2, (uint16_t)(out->len - IP));
    put16(ip + 4, (uint16_t)(get16(ip + 4) + g->n));
    put16(ip + 10, 0);
    put16(ip + 10, cksum_finish(cksum_add(0, ip, ip_len, 0)));

    put32(tcp + 4, get32(tcp + 4) + (uint32_t)g->done);
    if (!last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (g->n > 0) /* RFC 3168 s6.1.2: CWR on the first new segment */
        tcp[13] &= (uint8_t)~TCP_CWR;
    fill_csum(out, TCP_CKSUM_FIELD);
}

bool gso_next(struct gso *g, struct pkt *out)
{
    if (g->whole)
        return copy_whole(g, out);
    if (g->done == g->total)
        return false;
    size_t n = min_size(g->p->gso_size, g->total - g->done);
    reset(out);
    assert(pkt_tailroom(out) >= g->header_len + n);
    append_bytes(out, g->p, 0, g->header_len);
    append_bytes(out, g->p, g->header_len + g->done, n);
    fix_headers(g, out, g->done + n == g->total);
    g->done += n;
    g->n++;
    return true;
}
