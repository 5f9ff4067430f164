/* ICMP headers (RFC 792): type, code, checksum over the whole message, and four bytes
 * whose meaning hangs on the type:
 *
 *      0      1      2           4           6            8
 *      | type | code | checksum  | id        | sequence   |  echo, echo reply
 *      | 3    | 4    | checksum  | 0         | MTU        |  RFC 1191 s4
 *      | 5    | code | checksum  | gateway                |  redirect
 *      | any other   | checksum  | 0                      |
 *
 * Errors quote the packet they are about behind this header; who reads the quotation is
 * net/icmp.c. */
#include "wire/icmp_wire.h"

#include "base/bytes.h"
#include "base/cksum.h"

static bool is_echo(uint8_t type)
{
    return type == ICMP_ECHO || type == ICMP_ECHO_REPLY;
}

static bool is_frag_needed(uint8_t type, uint8_t code)
{
    return type == ICMP_UNREACHABLE && code == ICMP_FRAG_NEEDED;
}

int icmp_parse(const uint8_t *b, size_t len, struct icmp *out)
{
    if (len < ICMP_LEN)
        return -DROP_ICMP_SHORT - 1;
    if (cksum_finish(cksum_add(0, b, len, 0)) != 0)
        return -DROP_ICMP_CKSUM - 1;
    *out = (struct icmp){ .type = b[0], .code = b[1] };
    if (is_echo(out->type)) {
        out->id = get16(b + 4);
        out->seq = get16(b + 6);
    } else if (is_frag_needed(out->type, out->code)) {
        out->mtu = get16(b + 6);
    } else if (out->type == ICMP_REDIRECT) {
        out->gateway = ip4_addr(get32(b + 4));
    }
    return 0;
}

void icmp_emit(uint8_t *b, size_t len, const struct icmp *h)
{
    b[0] = h->type;
    b[1] = h->code;
    put32(b + 2, 0); /* the checksum, and half of what follows */
    put16(b + 6, 0);
    if (is_echo(h->type)) {
        put16(b + 4, h->id);
        put16(b + 6, h->seq);
    } else if (is_frag_needed(h->type, h->code)) {
        put16(b + 6, h->mtu);
    } else if (h->type == ICMP_REDIRECT) {
        put32(b + 4, ip4_num(h->gateway));
    }
    put16(b + 2, cksum_finish(cksum_add(0, b, len, 0)));
}
