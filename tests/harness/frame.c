#include "harness/frame.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/segtext.h"
#include "wire/arp_wire.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"

static const struct mac_addr our_mac = { { 0x02, 0, 0, 0, 0, 2 } };
static const struct mac_addr peer_mac = { { 0x02, 0, 0, 0, 0, 1 } };

static void push_eth(struct pkt *p, bool us, uint16_t type)
{
    struct eth h = {
        .dst = us ? peer_mac : our_mac,
        .src = us ? our_mac : peer_mac,
        .type = type,
    };
    eth_emit(pkt_push(p, ETH_LEN), &h);
}

static void push_ip4(struct pkt *p, bool us)
{
    struct ip4 h = {
        .src = ip4_addr(us ? 0xc0000202 : 0xc0000201),
        .dst = ip4_addr(us ? 0xc0000201 : 0xc0000202),
        .total_len = (uint16_t)(p->len + IP4_LEN),
        .ttl = 64,
        .proto = IP_PROTO_TCP,
        .dont_fragment = true,
    };
    ip4_emit(pkt_push(p, IP4_LEN), &h);
}

static struct pkt *make(struct pkt_pool *pool, struct frame_from from, const char *line,
                        uint16_t gso_size)
{
    struct segtext want;
    uint8_t header[TCP_LEN + TCP_OPTIONS_MAX];

    const char *wrong = segtext_parse(line, &want);
    assert(!wrong);
    (void)wrong;
    want.seg.src_port = from.us ? from.our_port : from.peer_port;
    want.seg.dst_port = from.us ? from.peer_port : from.our_port;
    size_t n = tcp_emit_header(header, &want.seg);
    struct pkt *p = pkt_new(pool, n + want.seg.text_len);
    assert(p);
    for (size_t i = 0; i < n; i++)
        *pkt_put(p, 1) = header[i];
    for (size_t i = 0; i < want.seg.text_len; i++)
        *pkt_put(p, 1) = (uint8_t)('a' + i % 26);

    uint8_t *tcp = p->data;
    uint64_t sum = ip_pseudo_sum(ip4_addr(0xc0000201), ip4_addr(0xc0000202),
                                 IP_PROTO_TCP, p->len);
    if (gso_size) {
        put16(tcp + TCP_CKSUM_FIELD, cksum_fold(sum));
        p->csum = PKT_CSUM_PARTIAL;
        p->csum_at = tcp;
        p->csum_field = TCP_CKSUM_FIELD;
        p->gso_size = gso_size;
    } else {
        put16(tcp + TCP_CKSUM_FIELD, cksum_finish(cksum_add(sum, tcp, p->len, 0)));
    }
    push_ip4(p, from.us);
    push_eth(p, from.us, ETH_IP4);
    return p;
}

struct pkt *frame_tcp(struct pkt_pool *pool, struct frame_from from, const char *line)
{
    return make(pool, from, line, 0);
}

struct pkt *frame_tcp_gso(struct pkt_pool *pool, struct frame_from from,
                          const char *line, uint16_t size)
{
    return make(pool, from, line, size);
}

struct pkt *frame_arp(struct pkt_pool *pool, bool us)
{
    struct arp a = {
        .op = ARP_REQUEST,
        .sender_mac = us ? our_mac : peer_mac,
        .sender_ip = ip4_addr(us ? 0xc0000202 : 0xc0000201),
        .target_ip = ip4_addr(us ? 0xc0000201 : 0xc0000202),
    };
    struct pkt *p = pkt_new(pool, ARP_LEN);
    assert(p);
    arp_emit(pkt_put(p, ARP_LEN), &a);
    push_eth(p, us, ETH_ARP);
    return p;
}
