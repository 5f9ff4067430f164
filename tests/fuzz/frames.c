/* How far a frame is looked into: Ethernet; ARP or IPv4; and of an IPv4 packet that is
 * no fragment, ICMP, UDP or TCP. */
#include "fuzz/frames.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "wire/arp_wire.h"
#include "wire/eth.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"
#include "wire/udp_wire.h"

enum { IP_CKSUM_FIELD = 10, ICMP_CKSUM_FIELD = 2, UDP_CKSUM_FIELD = 6 };

/* The transport's part of a packet. */
struct inside {
    uint8_t *at;
    size_t len;
    struct ip_addr src, dst;
    uint8_t proto;
};

static uint64_t pseudo(const struct inside *in)
{
    return ip_pseudo_sum(in->src, in->dst, in->proto, in->len);
}

/* --- what a stack sends ---------------------------------------------------------- */

static void check_tcp(const struct inside *in)
{
    struct tcp_seg seg;

    assert(cksum_finish(cksum_add(pseudo(in), in->at, in->len, 0)) == 0);
    assert(tcp_parse(in->at, in->len, &seg) == 0);
    assert(!(seg.flags & TCP_SYN) || !(seg.flags & (TCP_FIN | TCP_RST)));
    assert((seg.flags & (TCP_ACK | TCP_SYN | TCP_RST)) != 0);
    if (seg.flags & TCP_SYN)
        assert(seg.opts.n_sack == 0);
    else
        assert(!seg.opts.has_mss && !seg.opts.has_wscale && !seg.opts.sack_ok);
}

static void check_udp(const struct inside *in)
{
    struct udp_header h;

    assert(udp_parse(in->at, in->len, &h) == 0);
    assert(h.len == in->len && h.cksum != 0);
    assert(cksum_finish(cksum_add(pseudo(in), in->at, in->len, 0)) == 0);
}

static void check_icmp(const struct inside *in)
{
    struct icmp h;

    assert(in->proto == IP_PROTO_ICMP);
    assert(icmp_parse(in->at, in->len, &h) == 0);
}

static void check_ip4(const uint8_t *b, size_t len, unsigned mtu)
{
    struct ip4 ip;

    assert(ip4_parse(b, len, &ip) == 0);
    assert(ip.total_len == len && len <= mtu);
    assert(ip.ttl > 0 && !ip_is_loopback(ip.src) && !ip_is_loopback(ip.dst));
    assert(!ip.source_route && !ip_is_multicast(ip.src));
    if (ip.more_fragments || ip.frag_offset > 0)
        return;
    struct inside in = { (uint8_t *)b + ip.header_len, len - ip.header_len, ip.src,
                         ip.dst, ip.proto };
    if (ip.proto == IP_PROTO_TCP)
        check_tcp(&in);
    else if (ip.proto == IP_PROTO_UDP)
        check_udp(&in);
    else
        check_icmp(&in);
}

void frames_check(const uint8_t *b, size_t len, unsigned mtu)
{
    struct eth eth;
    struct arp arp;

    assert(eth_parse(b, len, &eth));
    assert(!mac_is_multicast(eth.src));
    assert(eth.type == ETH_ARP || eth.type == ETH_IP4);
    if (eth.type == ETH_ARP)
        assert(arp_parse(b + ETH_LEN, len - ETH_LEN, &arp));
    else
        check_ip4(b + ETH_LEN, len - ETH_LEN, mtu);
}

/* --- what is sent to a stack ----------------------------------------------------- */

/* Where the transport's part lies; false where the lengths make no sense. */
static bool look_inside(uint8_t *b, size_t len, struct inside *out)
{
    if (len < ETH_LEN + IP4_LEN || get16(b + ETH_LEN - 2) != ETH_IP4)
        return false;
    uint8_t *ip = b + ETH_LEN;
    size_t header = (ip[0] & 15u) * 4, total = get16(ip + 2);
    if (header < IP4_LEN || total < header || total > len - ETH_LEN)
        return false;
    *out = (struct inside){ ip + header, total - header, ip4_addr(get32(ip + 12)),
                            ip4_addr(get32(ip + 16)), ip[9] };
    return true;
}

static void put_cksum(uint8_t *at, size_t len, size_t field, uint64_t sum)
{
    if (field + 2 > len)
        return;
    put16(at + field, 0);
    put16(at + field, cksum_finish(cksum_add(sum, at, len, 0)));
}

void frames_repair(uint8_t *b, size_t len)
{
    struct inside in;

    if (!look_inside(b, len, &in))
        return;
    if (in.proto == IP_PROTO_TCP)
        put_cksum(in.at, in.len, TCP_CKSUM_FIELD, pseudo(&in));
    else if (in.proto == IP_PROTO_UDP)
        put_cksum(in.at, in.len, UDP_CKSUM_FIELD, pseudo(&in));
    else if (in.proto == IP_PROTO_ICMP)
        put_cksum(in.at, in.len, ICMP_CKSUM_FIELD, 0);
    put_cksum(b + ETH_LEN, (size_t)(in.at - b) - ETH_LEN, IP_CKSUM_FIELD, 0);
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t was = a[i];
        a[i] = b[i];
        b[i] = was;
    }
}

void frames_turn(uint8_t *b, size_t len)
{
    struct inside in;

    if (len < ETH_LEN)
        return;
    swap(b, b + 6, 6);
    if (!look_inside(b, len, &in))
        return;
    swap(b + ETH_LEN + 12, b + ETH_LEN + 16, 4);
    if (in.len >= 4 && (in.proto == IP_PROTO_TCP || in.proto == IP_PROTO_UDP))
        swap(in.at, in.at + 2, 2);
}
