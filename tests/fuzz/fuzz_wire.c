/* Parsers of headers. The first byte chooses the parser and whether the bytes that
 * follow get the checksum they should have, which no fuzzer guesses; a parser sees
 * bytes that end at a page that nobody may touch.
 *
 * Emitting normalises (options in our order, no IP options), so what must hold is that
 * a second round changes nothing: parse(b) -> v, emit(v) -> b', parse(b') -> v', and
 * emit(v') is b' again, with the fields that a header carries equal in v and v'. */
#include "base/bytes.h"
#include "base/cksum.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"
#include "wire/arp_wire.h"
#include "wire/dump.h"
#include "wire/eth.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"
#include "wire/udp_wire.h"

enum { ROOM = 2048, LINE = 1024, REPAIR = 0x80, ICMP_CKSUM_FIELD = 2, IP4_CKSUM = 10 };

static void one_eth(const uint8_t *b, size_t len)
{
    uint8_t out[ETH_LEN];
    struct eth h;

    if (!eth_parse(b, len, &h))
        return;
    eth_emit(out, &h);
    assert(memcmp(out, b, ETH_LEN) == 0);
}

static void one_arp(const uint8_t *b, size_t len)
{
    uint8_t out[ARP_LEN];
    struct arp a;

    if (!arp_parse(b, len, &a))
        return;
    arp_emit(out, &a);
    assert(memcmp(out, b, ARP_LEN) == 0);
}

static void one_ip4(const uint8_t *b, size_t len)
{
    uint8_t first[ROOM] = { 0 }, second[IP4_LEN];
    struct ip4 h, again;

    if (ip4_parse(b, len, &h) < 0)
        return;
    assert(h.header_len >= IP4_LEN && h.header_len <= h.total_len);
    assert(h.total_len <= len);
    ip4_emit(first, &h);
    if (h.total_len > sizeof first)
        return;
    assert(ip4_parse(first, h.total_len, &again) == 0);
    ip4_emit(second, &again);
    assert(memcmp(first, second, IP4_LEN) == 0);
    assert(again.header_len == IP4_LEN && !again.source_route);
    assert(ip_eq(h.src, again.src) && ip_eq(h.dst, again.dst));
    assert(h.frag_offset == again.frag_offset && h.ttl == again.ttl);
}

static void one_icmp(const uint8_t *b, size_t len)
{
    uint8_t out[ROOM];
    struct icmp h, again;

    if (icmp_parse(b, len, &h) < 0)
        return;
    memcpy(out, b, len);
    icmp_emit(out, len, &h);
    assert(icmp_parse(out, len, &again) == 0);
    assert(h.type == again.type && h.code == again.code && h.mtu == again.mtu);
    assert(h.id == again.id && h.seq == again.seq);
}

static void one_udp(const uint8_t *b, size_t len)
{
    uint8_t out[UDP_LEN];
    struct udp_header h;

    if (udp_parse(b, len, &h) < 0)
        return;
    assert(h.len >= UDP_LEN && h.len <= len);
    udp_emit(out, &h);
    assert(memcmp(out, b, UDP_LEN) == 0);
}

static void same_opts(const struct tcp_opts *a, const struct tcp_opts *b)
{
    assert(a->has_mss == b->has_mss && a->mss == b->mss);
    assert(a->has_wscale == b->has_wscale && a->wscale == b->wscale);
    assert(a->sack_ok == b->sack_ok && a->has_ts == b->has_ts);
    assert(a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr);
    assert(a->n_sack == b->n_sack);
    for (unsigned i = 0; i < a->n_sack; i++)
        assert(seq_eq(a->sack[i].from, b->sack[i].from) &&
               seq_eq(a->sack[i].to, b->sack[i].to));
}

static void print_segment(const struct tcp_seg *seg)
{
    char line[LINE];
    struct text t;

    text_init(&t, line, sizeof line);
    tcp_print(&t, seg, seg->seq, seg->ack);
    assert(!t.cut && t.len > 0);
}

static void one_tcp(const uint8_t *b, size_t len)
{
    uint8_t first[TCP_LEN + TCP_OPTIONS_MAX], second[sizeof first];
    struct tcp_seg seg, again;

    if (tcp_parse(b, len, &seg) < 0)
        return;
    assert(seg.text >= b + TCP_LEN && seg.text + seg.text_len == b + len);
    assert(seg.opts.n_sack <= TCP_SACK_MAX && seg.segs == 1 && seg.drop == DROP_N);
    print_segment(&seg);
    if (tcp_opts_len(&seg.opts) > TCP_OPTIONS_MAX)
        return; /* without our padding they fitted */
    size_t n = tcp_emit_header(first, &seg);
    assert(tcp_parse(first, n, &again) == 0);
    assert(again.text_len == 0 && tcp_emit_header(second, &again) == n);
    assert(memcmp(first, second, n) == 0);
    assert(seg.src_port == again.src_port && seg.dst_port == again.dst_port);
    assert(seq_eq(seg.seq, again.seq) && seq_eq(seg.ack, again.ack));
    assert(seg.flags == again.flags && seg.wnd == again.wnd && seg.urg == again.urg);
    same_opts(&seg.opts, &again.opts);
}

/* What dump_look() says lies within the frame, and the line is text. */
static void one_frame(const uint8_t *b, size_t len)
{
    char line[LINE];
    struct dump_info info;
    struct text t;

    dump_look(b, len, &info);
    assert(!info.is_tcp || info.is_ip);
    if (info.is_tcp)
        assert(info.seg.text >= b && info.seg.text + info.seg.text_len <= b + len);
    text_init(&t, line, sizeof line);
    dump_frame(&t, b, len);
    assert(t.len > 0 && !t.cut && strlen(line) == t.len);
    for (size_t i = 0; i < t.len; i++)
        assert(line[i] >= ' ' && line[i] <= '~');
}

static void repair_cksum(uint8_t *b, size_t len, size_t covered, size_t field)
{
    if (covered > len || field + 2 > covered)
        return;
    put16(b + field, 0);
    put16(b + field, cksum_finish(cksum_add(0, b, covered, 0)));
}

static void repair_ip4(uint8_t *b, size_t len)
{
    if (len >= IP4_LEN)
        repair_cksum(b, len, (b[0] & 15u) * 4, IP4_CKSUM);
}

/* IPv4's checksum, and ICMP's behind it. */
static void repair_frame(uint8_t *b, size_t len)
{
    if (len < ETH_LEN + IP4_LEN)
        return;
    uint8_t *ip = b + ETH_LEN;
    size_t header = (ip[0] & 15u) * 4, total = get16(ip + 2);

    if (ip[9] == IP_PROTO_ICMP && header <= total && total <= len - ETH_LEN)
        repair_cksum(ip + header, total - header, total - header, ICMP_CKSUM_FIELD);
    repair_ip4(ip, len - ETH_LEN);
}

void fuzz_wire(const uint8_t *data, size_t size)
{
    static void (*const parser[])(const uint8_t *,
                                  size_t) = { one_frame, one_eth, one_arp, one_ip4,
                                              one_icmp,  one_udp, one_tcp };

    if (size == 0 || size > ROOM)
        return;
    unsigned which = data[0] % REPAIR % ARRAY_LEN(parser);
    size_t len = size - 1;
    uint8_t *b = (uint8_t *)guarded(data + 1, len);
    if ((data[0] & REPAIR) && parser[which] == one_frame)
        repair_frame(b, len);
    if ((data[0] & REPAIR) && parser[which] == one_ip4)
        repair_ip4(b, len);
    if ((data[0] & REPAIR) && parser[which] == one_icmp)
        repair_cksum(b, len, len, ICMP_CKSUM_FIELD);
    parser[which](b, len);
}
