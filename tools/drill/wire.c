/* The headers are written by hand where the stack's own writers would put things in
 * order: a script may send options in any order, reserved flags and lengths that are
 * wrong. What the stack sent is read without its parsers, which are under test. */
#include "wire.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"
#include "wire/udp_wire.h"

enum { TTL = 64, QUOTED_TCP = 8 /* ports and sequence number, RFC 792 */ };

/* ---- out ---- */

static void emit_ip(uint8_t *b, const struct packet *p, const struct ends *ends,
                    uint8_t proto, size_t payload)
{
    struct ip4 ip = {
        .src = ends->src,
        .dst = ends->dst,
        .total_len = (uint16_t)(IP4_LEN + payload),
        .tos = p->tos,
        .ttl = p->ttl ? p->ttl : TTL,
        .proto = proto,
        .dont_fragment = true,
    };

    ip4_emit(b, &ip);
}

static uint16_t checksum(const uint8_t *b, size_t len, const struct ends *ends,
                         uint8_t proto)
{
    uint64_t sum = ip_pseudo_sum(ends->src, ends->dst, proto, len);

    return cksum_finish(cksum_add(sum, b, len, 0));
}

static size_t emit_tcp(uint8_t *out, const struct packet *p, const struct ends *ends)
{
    uint8_t *b = out + IP4_LEN;
    size_t header = TCP_LEN + p->options_len, len = header + p->len;

    memset(b, 0, len);
    put16(b, p->src_port);
    put16(b + 2, p->dst_port);
    put32(b + 4, p->seq);
    put32(b + 8, p->ack);
    put16(b + 12, (uint16_t)(header / 4 << 12 | p->flags));
    put16(b + 14, p->window);
    put16(b + 18, p->urgent);
    memcpy(b + TCP_LEN, p->options, p->options_len);
    put16(b + TCP_CKSUM_FIELD, checksum(b, len, ends, IP_PROTO_TCP));
    emit_ip(out, p, ends, IP_PROTO_TCP, len);
    return IP4_LEN + len;
}

static size_t emit_udp(uint8_t *out, const struct packet *p, const struct ends *ends)
{
    uint8_t *b = out + IP4_LEN;
    size_t len = UDP_LEN + p->len;
    struct udp_header h = { p->src_port, p->dst_port, (uint16_t)len, 0 };

    memset(b, 0, len);
    udp_emit(b, &h);
    h.cksum = checksum(b, len, ends, IP_PROTO_UDP);
    udp_emit(b, &h);
    emit_ip(out, p, ends, IP_PROTO_UDP, len);
    return IP4_LEN + len;
}

/* The header that a router would quote, and the first eight bytes behind it. */
static size_t emit_quote(uint8_t *b, const struct packet *p, const struct ends *ends)
{
    struct packet quoted = { .kind = PACKET_TCP };
    struct ends back = { .src = ends->dst, .dst = ends->src };
    uint8_t proto = p->quote == QUOTE_UDP ? IP_PROTO_UDP : IP_PROTO_TCP;
    size_t header = proto == IP_PROTO_UDP ? UDP_LEN : TCP_LEN;

    memset(b, 0, IP4_LEN + QUOTED_TCP);
    put16(b + IP4_LEN, p->dst_port);
    put16(b + IP4_LEN + 2, p->src_port);
    if (proto == IP_PROTO_UDP)
        put16(b + IP4_LEN + 4, (uint16_t)(header + p->quote_len));
    else
        put32(b + IP4_LEN + 4, p->quote_seq);
    emit_ip(b, &quoted, &back, proto, header + p->quote_len);
    return IP4_LEN + QUOTED_TCP;
}

static size_t emit_icmp(uint8_t *out, const struct packet *p, const struct ends *ends)
{
    uint8_t *b = out + IP4_LEN;
    struct icmp h = { .type = p->type, .code = p->code, .id = p->id, .mtu = p->mtu };
    size_t len = ICMP_LEN;

    if (p->quote != QUOTE_NONE)
        len += emit_quote(b + ICMP_LEN, p, ends);
    icmp_emit(b, len, &h);
    emit_ip(out, p, ends, IP_PROTO_ICMP, len);
    return IP4_LEN + len;
}

size_t wire_emit(uint8_t *out, const struct packet *p, const struct ends *ends)
{
    if (IP4_LEN + TCP_LEN + p->options_len + p->len > WIRE_MAX)
        return 0;
    if (p->kind == PACKET_TCP)
        return emit_tcp(out, p, ends);
    return p->kind == PACKET_UDP ? emit_udp(out, p, ends) : emit_icmp(out, p, ends);
}

/* ---- in ---- */

static bool all_zeros(const uint8_t *b, size_t n)
{
    return n == 0 || (b[0] == 0 && memcmp(b, b + 1, n - 1) == 0);
}

static const char *read_tcp(const uint8_t *b, size_t len, const struct ends *ends,
                            struct packet *p)
{
    size_t header;

    if (len < TCP_LEN || (header = (b[12] >> 4) * 4u) < TCP_LEN || header > len)
        return "the TCP header does not fit into the packet";
    if (checksum(b, len, ends, IP_PROTO_TCP) != 0)
        return "the TCP checksum is wrong";
    p->kind = PACKET_TCP;
    p->src_port = get16(b);
    p->dst_port = get16(b + 2);
    p->seq = get32(b + 4);
    p->ack = get32(b + 8);
    p->flags = get16(b + 12) & 0xfff;
    p->window = get16(b + 14);
    p->urgent = get16(b + 18);
    p->options_len = (uint8_t)(header - TCP_LEN);
    memcpy(p->options, b + TCP_LEN, p->options_len);
    p->len = (uint32_t)(len - header);
    return all_zeros(b + header, p->len) ? NULL : "the payload is not what was sent";
}

static const char *read_udp(const uint8_t *b, size_t len, const struct ends *ends,
                            struct packet *p)
{
    struct udp_header h;

    if (udp_parse(b, len, &h) < 0 || h.len != len)
        return "the UDP length is not that of the packet";
    if (h.cksum != 0 && checksum(b, len, ends, IP_PROTO_UDP) != 0)
        return "the UDP checksum is wrong";
    p->kind = PACKET_UDP;
    p->src_port = h.src_port;
    p->dst_port = h.dst_port;
    p->len = (uint32_t)(len - UDP_LEN);
    return all_zeros(b + UDP_LEN, p->len) ? NULL : "the payload is not what was sent";
}

static const char *read_icmp(const uint8_t *b, size_t len, struct packet *p)
{
    struct icmp h;

    if (icmp_parse(b, len, &h) < 0)
        return "the ICMP message is malformed";
    p->kind = PACKET_ICMP;
    p->type = h.type;
    p->code = h.code;
    p->mtu = h.mtu;
    p->id = h.id;
    return NULL;
}

const char *wire_read(const uint8_t *b, size_t len, struct packet *out,
                      struct ends *ends)
{
    struct ip4 ip;

    memset(out, 0, sizeof *out);
    out->outbound = true;
    if (ip4_parse(b, len, &ip) < 0)
        return "the IP header is malformed";
    if (ip.total_len != len)
        return "the IP length is not that of the packet";
    if (ip.more_fragments || ip.frag_offset)
        return "it is a fragment";
    ends->src = ip.src;
    ends->dst = ip.dst;
    out->tos = ip.tos;
    out->ttl = ip.ttl;
    b += ip.header_len;
    len -= ip.header_len;
    if (ip.proto == IP_PROTO_TCP)
        return read_tcp(b, len, ends, out);
    if (ip.proto == IP_PROTO_UDP)
        return read_udp(b, len, ends, out);
    return ip.proto == IP_PROTO_ICMP ? read_icmp(b, len, out)
                                     : "it is of an unknown protocol";
}
