/* A segment is made of nine choices: connection, flags, where its sequence number
 * begins, what it acknowledges, length, window, options. Each number is one that means
 * something to the connection (its edges, its first one, the other end's), and a little
 * more or less; so most segments fall where the rules of RFC 9293 part ways.
 *
 * IP packets may be cut into fragments, in order, backwards, overlapping, or with the
 * last one missing. */
#include "fuzz/grammar.h"

#include "base/bytes.h"
#include "wire/arp_wire.h"
#include "wire/eth.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"
#include "wire/udp_wire.h"

enum { PORT_FIRST = 40000, PORTS = 4, TEXT_MAX = 1460, QUOTE = IP4_LEN + 8 };

static const struct mac_addr stack_mac = { { 2, 0, 0, 0, 0, 2 } };
static const struct mac_addr peer_mac = { { 2, 0, 0, 0, 0, 1 } };

uint8_t grammar_out(uint32_t n)
{
    return (uint8_t)((n * 2654435761u) >> 24);
}

uint8_t grammar_in(struct seq n)
{
    return (uint8_t) ~((n.n * 2246822519u) >> 24);
}

/* --- what the stack's frames tell ------------------------------------------------ */

static struct live *live_find(struct grammar *g, uint16_t stack_port, uint16_t port)
{
    for (int i = 0; i < LIVE_MAX; i++) {
        struct live *c = &g->live[i];
        if (c->used && c->stack_port == stack_port && c->peer_port == port)
            return c;
    }
    return NULL;
}

static struct live *live_new(struct grammar *g, uint16_t stack_port, uint16_t port)
{
    struct live *c = live_find(g, stack_port, port);

    if (!c)
        c = &g->live[g->next++ % LIVE_MAX];
    *c = (struct live){ .used = true, .stack_port = stack_port, .peer_port = port };
    return c;
}

static void check_text(const struct live *c, const struct tcp_seg *seg)
{
    /* That of a SYN (RFC 7413) begins behind it. */
    uint32_t at = seg->flags & TCP_SYN ? 0 : seq_len(c->iss, seg->seq) - 1;

    for (uint32_t i = 0; i < seg->text_len; i++)
        assert(seg->text[i] == grammar_out(at + i));
}

static void learn_tcp(struct grammar *g, const uint8_t *b, size_t len)
{
    struct tcp_seg seg;

    if (tcp_parse(b, len, &seg) < 0)
        return;
    struct live *c = live_find(g, seg.src_port, seg.dst_port);
    if (!c && (seg.flags & TCP_SYN))
        c = live_new(g, seg.src_port, seg.dst_port);
    if (!c)
        return;
    if (seg.flags & TCP_SYN) {
        c->iss = seg.seq;
        c->nxt = seg.seq;
        c->knows_iss = true;
    }
    if (c->knows_iss && seg.text_len > 0)
        check_text(c, &seg);
    struct seq end = seq_add(seg.seq, tcp_seg_len(&seg));
    if (!(seg.flags & TCP_RST) && seq_lt(c->nxt, end))
        c->nxt = end;
    if (seg.flags & TCP_ACK)
        c->ack = seg.ack;
    c->wnd = seg.wnd;
    if (seg.opts.has_ts)
        c->ts = seg.opts.ts_val;
}

void grammar_learn(struct grammar *g, const uint8_t *frame, size_t len, unsigned mtu)
{
    const uint8_t *ip = frame + ETH_LEN;
    struct ip4 h;

    frames_check(frame, len, mtu);
    memcpy(g->last, frame, len);
    g->last_len = len;
    g->n_sent++;
    if (get16(ip - 2) != ETH_IP4 || ip4_parse(ip, len - ETH_LEN, &h) < 0)
        return;
    if (h.more_fragments || h.frag_offset > 0)
        return;
    ip += h.header_len;
    if (h.proto == IP_PROTO_TCP && ip4_num(h.dst) == FRAME_PEER)
        learn_tcp(g, ip, len - ETH_LEN - h.header_len);
    if (h.proto == IP_PROTO_ICMP && ip[0] == ICMP_ECHO)
        g->ping_id = get16(ip + 4);
}

/* --- IP -------------------------------------------------------------------------- */

/* What is being built: a whole frame with its IP payload at `at`. */
struct draft {
    uint8_t b[ETH_LEN + IP4_LEN + QUOTE + TCP_OPTIONS_MAX + TEXT_MAX + 64];
    uint8_t *at;
    size_t len; /* of the payload */
};

static void draft_init(struct draft *d)
{
    d->at = d->b + ETH_LEN + IP4_LEN;
    d->len = 0;
}

static void give(struct draft *d, struct ip4 *ip, const struct grammar_sink *to)
{
    struct eth eth = { stack_mac, peer_mac, ETH_IP4 };

    ip->total_len = (uint16_t)(IP4_LEN + d->len);
    eth_emit(d->b, &eth);
    ip4_emit(d->b + ETH_LEN, ip);
    to->give(to->ctx, d->b, ETH_LEN + ip->total_len);
}

/* The bytes [from, from+n) of the payload as a fragment. */
static void give_part(const struct draft *whole, struct ip4 ip, size_t from,
                      const struct grammar_sink *to)
{
    struct draft part;

    draft_init(&part);
    part.len = whole->len - from < ip.total_len ? whole->len - from : ip.total_len;
    memcpy(part.at, whole->at + from, part.len);
    ip.frag_offset = (uint16_t)from;
    ip.more_fragments = from + part.len < whole->len;
    give(&part, &ip, to);
}

/* In pieces of `size` bytes; `how`: 1 in order, 2 backwards, 3 overlapping, 4 without
 * the last. */
static void give_parts(const struct draft *d, struct ip4 ip, size_t size, unsigned how,
                       const struct grammar_sink *to)
{
    size_t n = (d->len + size - 1) / size;

    for (size_t i = 0; i < n; i++) {
        size_t at = (how == 2 ? n - 1 - i : i) * size;
        if (how == 4 && i == n - 1)
            return;
        ip.total_len = (uint16_t)(how == 3 ? size + 8 : size);
        give_part(d, ip, at, to);
    }
}

/* One byte in sixteen makes fragments of it. */
static void give_ip(struct draft *d, uint8_t proto, struct fuzz_in *in,
                    const struct grammar_sink *to)
{
    unsigned how = fuzz_u8(in);
    struct ip4 ip = {
        .src = ip4_addr(FRAME_PEER),
        .dst = ip4_addr(FRAME_STACK),
        .id = (uint16_t)(how >> 3),
        .ttl = 64,
        .proto = proto,
        .tos = (uint8_t)(how >> 6),
    };

    /* The transport's checksum is that of the whole. */
    ip.total_len = (uint16_t)(IP4_LEN + d->len);
    struct eth eth = { stack_mac, peer_mac, ETH_IP4 };
    eth_emit(d->b, &eth);
    ip4_emit(d->b + ETH_LEN, &ip);
    frames_repair(d->b, ETH_LEN + ip.total_len);
    if (how % 16 >= 1 && how % 16 <= 4 && d->len > 16)
        give_parts(d, ip, 8 * (1 + d->len / 24), how % 16, to);
    else
        give(d, &ip, to);
}

/* --- TCP ------------------------------------------------------------------------- */

static int32_t little(struct fuzz_in *in)
{
    static const int16_t step[] = { 0, 1, -1, 2, 100, -100, 1460, -1460, 14600 };

    return step[fuzz_pick(in, ARRAY_LEN(step))];
}

/* A connection that there is, or a new one from one of our ports. */
static struct live *choose_live(struct grammar *g, struct fuzz_in *in)
{
    static const uint32_t isn[] = { 0, 0xfffffc00, 0x7fffff00, 1000 };
    static const uint16_t port[] = { 80, 81, 5000, 7 };
    unsigned which = fuzz_pick(in, 2 * LIVE_MAX);

    if (which < LIVE_MAX && g->live[which].used)
        return &g->live[which];
    unsigned choice = fuzz_u8(in);
    uint16_t mine = (uint16_t)(PORT_FIRST + choice % PORTS);
    uint16_t theirs = port[choice / PORTS % ARRAY_LEN(port)];
    struct live *c = live_find(g, theirs, mine);
    if (!c)
        c = live_new(g, theirs, mine);
    c->isn = seq_at(isn[choice / 16 % ARRAY_LEN(isn)]);
    c->ack = seq_add(c->isn, 1);
    return c;
}

static uint8_t choose_flags(struct fuzz_in *in)
{
    static const uint8_t known[] = {
        TCP_ACK,           TCP_ACK,           TCP_ACK | TCP_PSH, TCP_SYN,
        TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST,           TCP_RST | TCP_ACK,
        TCP_ACK | TCP_URG, TCP_SYN | TCP_FIN, TCP_ACK | TCP_ECE, 0
    };
    unsigned choice = fuzz_u8(in);

    return choice < 192 ? known[choice % ARRAY_LEN(known)] : (uint8_t)choice;
}

static struct seq choose_seq(const struct live *c, uint8_t flags, struct fuzz_in *in)
{
    struct seq base = flags & TCP_SYN ? c->isn : c->ack;
    unsigned choice = fuzz_u8(in);

    if (choice < 128)
        return base;
    if (choice < 144)
        return seq_add(base, c->wnd);
    if (choice < 160)
        return c->isn;
    if (choice < 176)
        return seq_add(seq_at(fuzz_u32(in)), 0);
    return seq_add(base, (uint32_t)little(in));
}

static struct seq choose_ack(const struct live *c, struct fuzz_in *in)
{
    unsigned choice = fuzz_u8(in);

    if (choice < 128)
        return c->nxt;
    if (choice < 144)
        return seq_add(c->iss, 1);
    if (choice < 160)
        return c->iss;
    if (choice < 176)
        return seq_at(fuzz_u32(in));
    if (choice < 208) /* somewhere in what was sent */
        return seq_add(c->iss, seq_len(c->iss, c->nxt) / 8 * (choice % 8));
    return seq_add(c->nxt, (uint32_t)little(in));
}

static void choose_sack(const struct live *c, struct tcp_opts *o, struct fuzz_in *in)
{
    unsigned n = 1 + fuzz_pick(in, o->has_ts ? 3 : 4);
    uint32_t sent = seq_len(c->iss, c->nxt);

    for (unsigned i = 0; i < n; i++) {
        unsigned at = fuzz_u8(in);
        struct seq from = seq_add(c->iss, sent / 16 * (at / 16));
        o->sack[i] = (struct range){ from, seq_add(from, sent / 16 * (at % 16) + 1) };
    }
    o->n_sack = (uint8_t)n;
}

static void choose_options(const struct live *c, struct tcp_seg *seg,
                           struct fuzz_in *in)
{
    static const uint16_t mss[] = { 1460, 536, 0, 1, 48, 88, 65535, 1200 };
    struct tcp_opts *o = &seg->opts;
    unsigned choice = fuzz_u8(in);
    bool syn = (seg->flags & TCP_SYN) || choice >= 0xf0;

    o->has_ts = choice & 1;
    if (o->has_ts) {
        o->ts_val = fuzz_u8(in) * 8u;
        o->ts_ecr = choice & 8 ? c->ts - 1 : c->ts;
    }
    if (syn && (choice & 2)) {
        o->has_mss = true;
        o->mss = mss[fuzz_pick(in, ARRAY_LEN(mss))];
    }
    if (syn && (choice & 4)) {
        o->has_wscale = true;
        o->wscale = (uint8_t)fuzz_pick(in, 16);
        o->sack_ok = true;
    }
    if (!syn && (choice & 2))
        choose_sack(c, o, in);
    if (tcp_opts_len(o) > TCP_OPTIONS_MAX)
        *o = (struct tcp_opts){ 0 };
}

static uint32_t choose_len(struct fuzz_in *in)
{
    static const uint16_t len[] = { 0, 0, 1, 10, 100, 536, 1000, TEXT_MAX };
    unsigned choice = fuzz_u8(in);

    return choice < 224 ? len[choice % ARRAY_LEN(len)] : choice;
}

static uint16_t choose_wnd(struct fuzz_in *in)
{
    static const uint16_t wnd[] = { 65535, 65535, 0, 1, 100, 1460, 10000, 30000 };

    return wnd[fuzz_pick(in, ARRAY_LEN(wnd))];
}

void grammar_tcp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to)
{
    struct live *c = choose_live(g, in);
    struct tcp_seg seg = { .src_port = c->peer_port, .dst_port = c->stack_port };
    struct draft d;

    draft_init(&d);
    seg.flags = choose_flags(in);
    seg.seq = choose_seq(c, seg.flags, in);
    seg.ack = choose_ack(c, in);
    seg.text_len = choose_len(in);
    seg.wnd = choose_wnd(in);
    seg.urg = seg.flags & TCP_URG ? 1 : 0;
    choose_options(c, &seg, in);
    d.len = tcp_emit_header(d.at, &seg);
    if (d.len + seg.text_len + IP4_LEN > FRAME_MAX - ETH_LEN)
        seg.text_len = (uint32_t)(FRAME_MAX - ETH_LEN - IP4_LEN - d.len);
    struct seq first = seq_add(seg.seq, !!(seg.flags & TCP_SYN));
    for (uint32_t i = 0; i < seg.text_len; i++)
        d.at[d.len++] = grammar_in(seq_add(first, i));
    give_ip(&d, IP_PROTO_TCP, in, to);
}

/* --- the others ------------------------------------------------------------------ */

void grammar_udp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to)
{
    static const uint16_t port[] = { 80, 5000, 7, 9 };
    struct draft d;
    unsigned choice = fuzz_u8(in);
    struct udp_header h = { .src_port = (uint16_t)(PORT_FIRST + choice / 4 % PORTS),
                            .dst_port = port[choice % ARRAY_LEN(port)] };

    (void)g;
    draft_init(&d);
    d.len = UDP_LEN + choose_len(in);
    memset(d.at, (int)choice, d.len);
    h.len = (uint16_t)(choice < 240 ? d.len : choice);
    udp_emit(d.at, &h);
    give_ip(&d, IP_PROTO_UDP, in, to);
}

/* An error about the last packet of the stack, or an echo. */
void grammar_icmp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to)
{
    static const struct {
        uint8_t type, code;
    } kind[] = { { 8, 0 },  { 0, 0 },  { 3, 0 },  { 3, 1 },  { 3, 2 },
                 { 3, 3 },  { 3, 4 },  { 3, 4 },  { 3, 13 }, { 4, 0 },
                 { 11, 0 }, { 11, 1 }, { 12, 0 }, { 5, 0 } };
    static const uint16_t mtu[] = { 0, 68, 296, 552, 576, 1000, 1400, 1500, 65535 };
    unsigned choice = fuzz_pick(in, ARRAY_LEN(kind));
    struct icmp h = { .type = kind[choice].type, .code = kind[choice].code };
    struct draft d;

    draft_init(&d);
    h.id = g->ping_id;
    h.seq = fuzz_u8(in);
    h.mtu = mtu[h.seq % ARRAY_LEN(mtu)];
    d.len = ICMP_LEN;
    if (h.type != ICMP_ECHO && h.type != ICMP_ECHO_REPLY) {
        memset(d.at + ICMP_LEN, 0, QUOTE);
        if (g->last_len >= ETH_LEN + QUOTE)
            memcpy(d.at + ICMP_LEN, g->last + ETH_LEN, QUOTE);
        d.len += QUOTE;
    }
    icmp_emit(d.at, d.len, &h);
    give_ip(&d, IP_PROTO_ICMP, in, to);
}

void grammar_arp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to)
{
    static const uint32_t addr[] = { FRAME_PEER, FRAME_STACK, 0, 0xc0000203,
                                     0xffffffff };
    uint8_t b[ETH_LEN + ARP_LEN];
    unsigned choice = fuzz_u8(in);
    struct eth eth = { stack_mac, peer_mac, ETH_ARP };
    struct arp arp = {
        .op = (uint16_t)(1 + choice % 3),
        .sender_mac = peer_mac,
        .sender_ip = ip4_addr(addr[choice / 4 % ARRAY_LEN(addr)]),
        .target_ip = ip4_addr(addr[choice / 32 % ARRAY_LEN(addr)]),
    };

    (void)g;
    eth_emit(b, &eth);
    arp_emit(b + ETH_LEN, &arp);
    to->give(to->ctx, b, sizeof b);
}
