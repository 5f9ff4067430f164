/* UDP headers (RFC 768).
 *
 *      0             2                  4        6          8
 *      | source port | destination port | length | checksum | text ...
 *
 * The checksum covers the pseudo-header, which is IP's to know: it is neither made nor
 * checked here. Bytes behind the length field's end are no part of the datagram; the
 * caller cuts them off. */
#include "wire/udp_wire.h"

#include "base/bytes.h"

int udp_parse(const uint8_t *b, size_t len, struct udp_header *out)
{
    if (len < UDP_LEN)
        return -DROP_UDP_SHORT - 1;
    *out = (struct udp_header){
        .src_port = get16(b),
        .dst_port = get16(b + 2),
        .len = get16(b + 4),
        .cksum = get16(b + 6),
    };
    if (out->len < UDP_LEN || out->len > len)
        return -DROP_UDP_SHORT - 1;
    return 0;
}

void udp_emit(uint8_t *b, const struct udp_header *h)
{
    put16(b, h->src_port);
    put16(b + 2, h->dst_port);
    put16(b + 4, h->len);
    put16(b + 6, h->cksum);
}
