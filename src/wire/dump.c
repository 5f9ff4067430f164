/* Frames as text, for people.
 *
 * dump_look() takes a frame apart as far as it can be trusted and says how far that
 * was; dump_frame() prints the innermost layer that is sound, and for the first layer
 * that is not, what is wrong with it in the words of base/drop.h. Nothing here is on
 * the path of a packet: it serves traces, tests and error messages. */
#include "wire/dump.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/arp_wire.h"
#include "wire/eth.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/udp_wire.h"

/* What an IPv4 packet carries. */
struct payload {
    struct ip4 ip;
    const uint8_t *at; /* first byte behind the IP header */
    size_t len;        /* up to the packet's total length */
};

/* 0, or -(reason)-1; b begins with an IPv4 header. */
static int look_ip4(const uint8_t *b, size_t len, struct payload *out)
{
    int err = ip4_parse(b, len, &out->ip);
    if (err < 0)
        return err;
    out->at = b + out->ip.header_len;
    out->len = (size_t)(out->ip.total_len - out->ip.header_len);
    return 0;
}

void dump_look(const uint8_t *frame, size_t len, struct dump_info *out)
{
    struct eth eth;
    struct payload in;

    memset(out, 0, sizeof *out);
    if (!eth_parse(frame, len, &eth) || eth.type != ETH_IP4)
        return;
    if (look_ip4(frame + ETH_LEN, len - ETH_LEN, &in) < 0)
        return;
    out->is_ip = true;
    out->src = in.ip.src;
    out->dst = in.ip.dst;
    out->proto = in.ip.proto;
    out->ip_header_len = in.ip.header_len;
    if (in.ip.proto != IP_PROTO_TCP || in.ip.frag_offset > 0)
        return;
    if (tcp_parse(in.at, in.len, &out->seg) < 0)
        return;
    out->is_tcp = true;
    out->tcp_header_len = (uint16_t)(out->seg.text - in.at);
}

static void print_bytes(struct text *t, size_t n)
{
    text_put(t, ", ");
    text_u64(t, n);
    text_put(t, n == 1 ? " byte" : " bytes");
}

/* Says why a parser refused; err is -(reason)-1. */
static void print_malformed(struct text *t, const char *what, int err)
{
    text_put(t, what);
    text_put(t, " malformed: ");
    text_put(t, drop_text((enum drop)(-err - 1)));
}

static void print_arp(struct text *t, const uint8_t *b, size_t len)
{
    struct arp a;

    if (!arp_parse(b, len, &a)) {
        text_put(t, "arp malformed");
        return;
    }
    if (a.op == ARP_REQUEST && ip_eq(a.sender_ip, a.target_ip)) {
        text_put(t, "arp announce "); /* RFC 5227 s2.3 */
        ip_print(t, a.sender_ip);
        text_put(t, " is-at ");
        mac_print(t, a.sender_mac);
    } else if (a.op == ARP_REQUEST) {
        text_put(t, "arp who-has ");
        ip_print(t, a.target_ip);
        text_put(t, " tell ");
        ip_print(t, a.sender_ip);
    } else if (a.op == ARP_REPLY) {
        text_put(t, "arp reply ");
        ip_print(t, a.sender_ip);
        text_put(t, " is-at ");
        mac_print(t, a.sender_mac);
    } else {
        text_put(t, "arp op ");
        text_u64(t, a.op);
    }
}

/* An end of a packet: the address, with its port where the transport has ports. */
static void print_end(struct text *t, struct ip_addr a, int port)
{
    ip_print(t, a);
    if (port >= 0) {
        text_char(t, ':');
        text_u64(t, (uint64_t)port);
    }
}

static void print_ends(struct text *t, const struct ip4 *ip, int src_port, int dst_port)
{
    print_end(t, ip->src, src_port);
    text_put(t, " > ");
    print_end(t, ip->dst, dst_port);
    text_put(t, ": ");
}

static void print_unreachable(struct text *t, const struct icmp *h)
{
    static const char *const what[] = {
        [ICMP_NET] = "net",
        [ICMP_HOST] = "host",
        [ICMP_PROTOCOL] = "protocol",
        [ICMP_PORT] = "port",
    };

    if (h->code == ICMP_FRAG_NEEDED) {
        text_put(t, "icmp fragmentation needed, mtu ");
        text_u64(t, h->mtu);
    } else if (h->code < ARRAY_LEN(what)) {
        text_put(t, "icmp ");
        text_put(t, what[h->code]);
        text_put(t, " unreachable");
    } else {
        text_put(t, "icmp unreachable code ");
        text_u64(t, h->code);
    }
}

static void print_icmp(struct text *t, const struct payload *in)
{
    struct icmp h;

    print_ends(t, &in->ip, -1, -1);
    int err = icmp_parse(in->at, in->len, &h);
    if (err < 0) {
        print_malformed(t, "icmp", err);
        return;
    }
    if (h.type == ICMP_ECHO || h.type == ICMP_ECHO_REPLY) {
        text_put(t,
                 h.type == ICMP_ECHO ? "icmp echo request id " : "icmp echo reply id ");
        text_u64(t, h.id);
        text_put(t, " seq ");
        text_u64(t, h.seq);
    } else if (h.type == ICMP_UNREACHABLE) {
        print_unreachable(t, &h);
    } else if (h.type == ICMP_TIME_EXCEEDED) {
        text_put(t, "icmp time exceeded");
    } else {
        text_put(t, "icmp type ");
        text_u64(t, h.type);
        text_put(t, " code ");
        text_u64(t, h.code);
    }
    print_bytes(t, in->len);
}

static void print_udp(struct text *t, const struct payload *in)
{
    struct udp_header h;

    int err = udp_parse(in->at, in->len, &h);
    if (err < 0) {
        print_ends(t, &in->ip, -1, -1);
        print_malformed(t, "udp", err);
        return;
    }
    print_ends(t, &in->ip, h.src_port, h.dst_port);
    text_put(t, "udp");
    print_bytes(t, (size_t)(h.len - UDP_LEN));
}

static void print_tcp(struct text *t, const struct payload *in)
{
    struct tcp_seg seg;

    int err = tcp_parse(in->at, in->len, &seg);
    if (err < 0) {
        print_ends(t, &in->ip, -1, -1);
        print_malformed(t, "tcp", err);
        return;
    }
    print_ends(t, &in->ip, seg.src_port, seg.dst_port);
    tcp_print(t, &seg, seq_at(0), seq_at(0));
}

static void print_fragment(struct text *t, const struct payload *in)
{
    print_ends(t, &in->ip, -1, -1);
    text_put(t, "fragment id ");
    text_u64(t, in->ip.id);
    text_put(t, " at ");
    text_u64(t, in->ip.frag_offset);
    text_put(t, in->ip.more_fragments ? ", more follow" : ", the last");
    print_bytes(t, in->len);
}

static void print_ip4(struct text *t, const uint8_t *b, size_t len)
{
    struct payload in;

    int err = look_ip4(b, len, &in);
    if (err < 0) {
        print_malformed(t, "ip", err);
    } else if (in.ip.frag_offset > 0 || in.ip.more_fragments) {
        print_fragment(t, &in);
    } else if (in.ip.proto == IP_PROTO_TCP) {
        print_tcp(t, &in);
    } else if (in.ip.proto == IP_PROTO_UDP) {
        print_udp(t, &in);
    } else if (in.ip.proto == IP_PROTO_ICMP) {
        print_icmp(t, &in);
    } else {
        print_ends(t, &in.ip, -1, -1);
        text_put(t, "ip proto ");
        text_u64(t, in.ip.proto);
        print_bytes(t, in.len);
    }
}

void dump_frame(struct text *t, const uint8_t *frame, size_t len)
{
    struct eth eth;

    if (!eth_parse(frame, len, &eth)) {
        text_put(t, "ethernet malformed: ");
        text_put(t, drop_text(DROP_ETH_SHORT));
        return;
    }
    if (eth.type == ETH_IP4) {
        print_ip4(t, frame + ETH_LEN, len - ETH_LEN);
    } else if (eth.type == ETH_ARP) {
        print_arp(t, frame + ETH_LEN, len - ETH_LEN);
    } else if (eth.type == ETH_IP6) {
        text_put(t, "ip6");
        print_bytes(t, len - ETH_LEN);
    } else {
        text_put(t, "ethertype 0x");
        text_hex(t, eth.type, 4);
        print_bytes(t, len - ETH_LEN);
    }
}
