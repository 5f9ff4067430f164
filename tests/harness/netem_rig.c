#include "harness/netem_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

enum { POOL = 512 << 20 };

void rig_init(struct netem_rig *r, const char *spec, enum rig_way way, uint64_t seed)
{
    struct netem_spec parsed;
    char why[160];

    memset(r, 0, sizeof *r);
    pkt_pool_init(&r->pool, POOL, 0);
    if (netem_parse(spec, &parsed, why, sizeof why) < 0)
        fail_msg("%s: %s", spec, why);
    netem_init(&r->netem, way == RIG_IN ? &parsed.in : &parsed.out, seed, &r->count);
}

void rig_free(struct netem_rig *r)
{
    netem_free(&r->netem);
    assert_int_equal(r->pool.live, 0);
    pkt_pool_free(&r->pool);
}

struct pkt *rig_tcp(struct netem_rig *r, struct rig_segment s)
{
    struct pkt *p = pkt_new(&r->pool, 1600);
    struct ip4 ip = { .src = ip4_addr(0xc0000201),
                      .dst = ip4_addr(0xc0000202),
                      .total_len = (uint16_t)(40 + s.text_len),
                      .tos = s.tos,
                      .ttl = 64,
                      .proto = 6 };
    struct tcp_seg seg = { .src_port = s.port,
                           .dst_port = 80,
                           .seq = seq_at(s.seq),
                           .wnd = 1000,
                           .flags = s.flags };
    uint64_t sum;

    assert_non_null(p);
    eth_emit(pkt_put(p, 14), &(struct eth){ .type = 0x0800 });
    ip4_emit(pkt_put(p, 20), &ip);
    assert_int_equal(tcp_emit_header(pkt_put(p, 20), &seg), 20);
    memset(pkt_put(p, s.text_len), 'x', s.text_len);
    put16(p->data + 50, 0);
    sum = ip_pseudo_sum(ip.src, ip.dst, 6, 20u + s.text_len);
    sum = cksum_add(sum, p->data + 34, 20u + s.text_len, 0);
    put16(p->data + 50, cksum_finish(sum));
    return p;
}

struct pkt *rig_numbered(struct netem_rig *r, uint32_t number, uint32_t len)
{
    struct pkt *p = pkt_new(&r->pool, len);

    assert_non_null(p);
    memset(pkt_put(p, len), 0, len);
    put16(p->data + 12, 0x88b5);
    put32(p->data + 14, number);
    return p;
}

uint32_t rig_number(const struct pkt *p)
{
    return get32(p->data + 14);
}

unsigned rig_drain(struct netem_rig *r, usec now)
{
    unsigned n = 0;

    for (struct pkt *p; (p = netem_take(&r->netem, now)) != NULL; n++)
        pkt_free(p);
    return n;
}
