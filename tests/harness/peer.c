/* What the stack sends is copied, with its time, into p->sent; a test takes it from
 * there. A line of text becomes a struct tcp_seg of relative numbers (segtext.h); to
 * send it, bases are added; to expect it, bases are taken off what came, and the two
 * are compared as numbers.
 *
 *              peer -> stack              stack -> peer
 *     seq      + isn                      - stack_isn
 *     ack      + stack_isn                - isn
 *     sack     + stack_isn                - isn
 *     TS val   as written                 - ts_base
 *     TS ecr   + ts_base                  as it is */
#include "harness/peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/segtext.h"
#include "wire/dump.h"
#include "wire/eth.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"

enum {
    POOL_LIMIT = 64 << 20,
    MTU = 1500,
    PREFIX = 24,
    BACKLOG = 16,
    TTL = 64,
    HEADERS = ETH_LEN + IP4_LEN,
    WRITE_MAX = 4 << 20,
    FRAME_MAX = HEADERS + 65536,
};

#define STACK_IP 0xc0000202u
#define PEER_IP  0xc0000201u

static const struct mac_addr stack_mac = { { 2, 0, 0, 0, 0, 2 } };
static const struct mac_addr peer_mac = { { 2, 0, 0, 0, 0, 1 } };

static void failed(const struct peer *p, const char *what, const char *detail)
{
    print_error("%s:%d: at %lld us: %s%s%s\n", p->file, p->line, (long long)p->now,
                what, detail ? ": " : "", detail ? detail : "");
    _fail(p->file, p->line);
}

uint8_t peer_byte(uint32_t n)
{
    return (uint8_t)(n * 31 + (n >> 8) * 7 + 1);
}

/* --- life ---------------------------------------------------------------------- */

static int capture(struct link *link, const struct pkt *frame)
{
    struct peer *p = list_entry(link, struct peer, link);
    if (!p->up)
        return 0;
    struct pkt *copy = pkt_copy(&p->pool, frame);
    assert_non_null(copy);
    copy->at = p->st->net.now;
    pkt_queue_push(&p->sent, copy);
    return 0;
}

void peer_init_mtu(struct peer *p, unsigned mtu, const struct trace *trace)
{
    struct stack_config config = { .seed = 1, .check = true };
    memset(p, 0, sizeof *p);
    if (trace)
        config.trace = *trace;
    pkt_pool_init(&p->pool, POOL_LIMIT, 0);
    p->st = stack_new(&config);
    assert_non_null(p->st);
    p->link.send = capture;
    p->nif.link = &p->link;
    p->nif.mac = stack_mac;
    p->nif.mtu = (uint16_t)mtu;
    strcpy(p->nif.name, "test0");
    assert_int_equal(
        stack_attach(p->st, &p->nif, ip4_addr(STACK_IP), PREFIX, ip4_addr(PEER_IP)), 0);
    p->st->net.neigh.reachable_time = NEVER / 4;
    neigh_learn(&p->st->net, &p->nif, ip4_addr(PEER_IP), peer_mac, true);
    for (unsigned i = 0; i < PEER_CONNECTIONS; i++)
        p->connection[i] = (struct peer_connection){ .port = (uint16_t)(PEER_PORT + i),
                                                     .isn = seq_at(PEER_ISN) };
    p->at = &p->connection[0];
    p->file = __FILE__;
    p->line = __LINE__;
    p->up = true;
}

void peer_init(struct peer *p)
{
    peer_init_mtu(p, MTU, NULL);
}

void peer_free(struct peer *p)
{
    p->up = false;
    pkt_queue_clear(&p->sent);
    stack_free(p->st);
    assert_int_equal(p->pool.live, 0);
    pkt_pool_free(&p->pool);
}

void peer_sysctl(struct peer *p, const char *name, const char *value)
{
    assert_int_equal(stack_sysctl(p->st, name, value), 0);
}

void peer_use(struct peer *p, unsigned i)
{
    assert_true(i < PEER_CONNECTIONS);
    p->at = &p->connection[i];
}

/* --- the peer sends ------------------------------------------------------------ */

void peer_inject(struct peer *p, const void *frame, size_t len)
{
    struct pkt *pkt = pkt_new(&p->st->net.pool, len);
    assert_non_null(pkt);
    memcpy(pkt_put(pkt, len), frame, len);
    if (!p->batch)
        stack_flush(p->st);
    stack_input(p->st, &p->nif, pkt, p->now);
    if (!p->batch)
        stack_flush(p->st);
}

static void inject_ip(struct peer *p, uint8_t proto, uint8_t tos, const void *text,
                      size_t len)
{
    static uint8_t frame[FRAME_MAX];
    struct eth eth = { .dst = stack_mac, .src = peer_mac, .type = ETH_IP4 };
    struct ip4 ip = { .src = ip4_addr(PEER_IP),
                      .dst = ip4_addr(STACK_IP),
                      .total_len = (uint16_t)(IP4_LEN + len),
                      .tos = tos,
                      .ttl = TTL,
                      .proto = proto,
                      .dont_fragment = true };
    assert_true(HEADERS + len <= sizeof frame);
    eth_emit(frame, &eth);
    ip4_emit(frame + ETH_LEN, &ip);
    memcpy(frame + HEADERS, text, len);
    peer_inject(p, frame, HEADERS + len);
}

void peer_inject_ip(struct peer *p, uint8_t proto, const void *text, size_t len)
{
    inject_ip(p, proto, 0, text, len);
}

void peer_icmp(struct peer *p, const struct peer_error *e)
{
    uint8_t b[ICMP_LEN + IP4_LEN + 8] = { 0 };
    struct icmp m = { .type = e->type, .code = e->code, .mtu = e->mtu };
    struct ip4 ip = { .src = ip4_addr(STACK_IP),
                      .dst = ip4_addr(PEER_IP),
                      .total_len = e->total_len,
                      .ttl = 1,
                      .proto = IP_PROTO_TCP,
                      .dont_fragment = true };
    uint8_t *tcp = b + ICMP_LEN + IP4_LEN;
    ip4_emit(b + ICMP_LEN, &ip);
    put16(tcp, p->at->stack_port);
    put16(tcp + 2, p->at->port);
    put32(tcp + 4, seq_add(p->at->stack_isn, e->seq).n);
    icmp_emit(b, sizeof b, &m);
    peer_inject_ip(p, IP_PROTO_ICMP, b, sizeof b);
}

/* Relative numbers become those on the wire. */
static void make_absolute(const struct peer_connection *c, struct tcp_seg *seg)
{
    seg->src_port = c->port;
    seg->dst_port = c->stack_port;
    seg->seq = seq_add(c->isn, seg->seq.n);
    if (seg->flags & TCP_ACK)
        seg->ack = seq_add(c->stack_isn, seg->ack.n);
    for (size_t i = 0; i < seg->opts.n_sack; i++) {
        seg->opts.sack[i].from = seq_add(c->stack_isn, seg->opts.sack[i].from.n);
        seg->opts.sack[i].to = seq_add(c->stack_isn, seg->opts.sack[i].to.n);
    }
    if (seg->flags & TCP_ACK)
        seg->opts.ts_ecr += c->ts_base;
}

/* The segment's text: the stream's bytes from its relative sequence number on. */
static void fill_text(uint8_t *to, uint32_t first, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        to[i] = peer_byte(first - 1 + i);
}

void peer_send_at(struct peer *p, const char *text, const char *file, int line)
{
    static uint8_t b[FRAME_MAX];
    struct segtext t;
    p->file = file;
    p->line = line;
    const char *error = segtext_parse(text, &t);
    if (error)
        failed(p, error, text);
    uint32_t first = t.seg.seq.n + !!(t.seg.flags & TCP_SYN);
    make_absolute(p->at, &t.seg);
    size_t header = tcp_emit_header(b, &t.seg);
    size_t len = header + t.seg.text_len;
    fill_text(b + header, first, t.seg.text_len);
    uint64_t sum = ip_pseudo_sum(ip4_addr(PEER_IP), ip4_addr(STACK_IP), IP_PROTO_TCP,
                                 len);
    uint16_t cksum = cksum_finish(cksum_add(sum, b, len, 0));
    put16(b + TCP_CKSUM_FIELD, (uint16_t)(cksum ^ (p->bad_checksum ? 1 : 0)));
    p->bad_checksum = false;
    inject_ip(p, IP_PROTO_TCP, t.seg.ecn, b, len);
}

/* --- the stack sent ------------------------------------------------------------ */

static bool checksums_right(const struct pkt *frame, const struct dump_info *info)
{
    const uint8_t *ip = frame->data + ETH_LEN;
    size_t total = get16(ip + 2);
    size_t len = total - info->ip_header_len;
    if (ETH_LEN + total != frame->len)
        return false;
    if (cksum_finish(cksum_add(0, ip, info->ip_header_len, 0)) != 0)
        return false;
    uint64_t sum = ip_pseudo_sum(info->src, info->dst, info->proto, len);
    return cksum_finish(cksum_add(sum, ip + info->ip_header_len, len, 0)) == 0;
}

/* Learns the bases from what the stack sends first. */
static void learn(struct peer_connection *c, const struct tcp_seg *seg)
{
    if (c->stack_port == 0)
        c->stack_port = seg->src_port;
    if (seg->flags & TCP_SYN && !c->knows_isn) {
        c->stack_isn = seg->seq;
        c->knows_isn = true;
    }
    if (seg->opts.has_ts && !c->knows_ts) {
        c->ts_base = seg->opts.ts_val;
        c->knows_ts = true;
    }
}

static void make_relative(const struct peer_connection *c, struct tcp_seg *seg)
{
    seg->seq = seq_at(seq_len(c->stack_isn, seg->seq));
    if (seg->flags & TCP_ACK)
        seg->ack = seq_at(seq_len(c->isn, seg->ack));
    for (size_t i = 0; i < seg->opts.n_sack; i++) {
        seg->opts.sack[i].from = seq_at(seq_len(c->isn, seg->opts.sack[i].from));
        seg->opts.sack[i].to = seq_at(seq_len(c->isn, seg->opts.sack[i].to));
    }
    if (seg->opts.has_ts)
        seg->opts.ts_val -= c->ts_base;
}

static void print_frame(struct peer *p, const struct pkt *frame, struct text *t)
{
    struct dump_info info;
    dump_look(frame->data, frame->len, &info);
    if (!info.is_tcp) {
        dump_frame(t, frame->data, frame->len);
        return;
    }
    make_relative(p->at, &info.seg);
    tcp_print(t, &info.seg, seq_at(0), seq_at(0));
}

static void check_text(struct peer *p, const struct tcp_seg *seg)
{
    uint32_t first = seg->seq.n - 1;
    for (uint32_t i = 0; i < seg->text_len && first + i < p->at->written; i++)
        if (seg->text[i] != peer_byte(first + i))
            failed(p, "the text is not what was written", NULL);
}

/* Compares one frame with a line; the frame stays the caller's. */
static void compare(struct peer *p, const struct pkt *frame, const char *text)
{
    struct segtext want;
    struct dump_info info;
    const char *error = segtext_parse(text, &want);
    if (error)
        failed(p, error, text);
    dump_look(frame->data, frame->len, &info);
    bool ours = info.is_tcp && info.seg.dst_port == p->at->port;
    if (info.is_tcp && !checksums_right(frame, &info))
        failed(p, "the stack sent a wrong checksum", NULL);
    if (ours)
        learn(p->at, &info.seg);
    struct tcp_seg seg = info.seg;
    seg.ecn = frame->data[ETH_LEN + 1] & IP_ECN_MASK;
    if (ours)
        make_relative(p->at, &seg);
    if (ours && segtext_match(&want, &seg)) {
        check_text(p, &seg);
        return;
    }
    char line[PEER_LINE], both[3 * PEER_LINE];
    struct text t;
    text_init(&t, line, sizeof line);
    print_frame(p, frame, &t);
    snprintf(both, sizeof both, "\n  expected  %s\n  actual    %s%s", text, line,
             info.is_tcp && !ours ? "   (another connection)" : "");
    failed(p, "not the segment that was expected", both);
}

static void take_and_compare(struct peer *p, const char *text)
{
    struct pkt *frame = pkt_queue_pop(&p->sent);
    if (!frame) {
        failed(p, "nothing was sent; expected", text);
        return;
    }
    compare(p, frame, text);
    pkt_free(frame);
}

void peer_expect_at(struct peer *p, const char *text, const char *file, int line)
{
    p->file = file;
    p->line = line;
    stack_flush(p->st);
    take_and_compare(p, text);
}

static void expect_nothing(struct peer *p, const char *why)
{
    char line[PEER_LINE];
    struct text t;
    if (!p->sent.head)
        return;
    text_init(&t, line, sizeof line);
    print_frame(p, p->sent.head, &t);
    failed(p, why, line);
}

void peer_expect_nothing_at(struct peer *p, const char *file, int line)
{
    p->file = file;
    p->line = line;
    stack_flush(p->st);
    expect_nothing(p, "nothing was expected, but the stack sent");
}

/* Goes to the next deadline or to `end`, whichever is earlier. */
static void advance_once(struct peer *p, usec end)
{
    usec next = usec_min(stack_deadline(p->st), end);
    p->now = usec_max(p->now, next);
    stack_advance(p->st, p->now);
}

void peer_expect_after_at(struct peer *p, usec time, const char *text, const char *file,
                          int line)
{
    usec end = p->now + time;
    p->file = file;
    p->line = line;
    stack_flush(p->st);
    expect_nothing(p, "sent before it was expected");
    while (p->now < end) {
        advance_once(p, end);
        if (p->now < end)
            expect_nothing(p, "sent before it was expected");
    }
    take_and_compare(p, text);
}

void peer_wait(struct peer *p, usec time)
{
    usec end = p->now + time;
    stack_flush(p->st);
    while (p->now < end)
        advance_once(p, end);
}

size_t peer_take(struct peer *p, uint8_t *buf, size_t room)
{
    stack_flush(p->st);
    struct pkt *frame = pkt_queue_pop(&p->sent);
    if (!frame)
        return 0;
    size_t len = pkt_flatten(frame, buf, room);
    pkt_free(frame);
    return len;
}

void peer_skip(struct peer *p)
{
    struct pkt *frame;
    stack_flush(p->st);
    while ((frame = pkt_queue_pop(&p->sent)) != NULL) {
        struct dump_info info;
        dump_look(frame->data, frame->len, &info);
        if (info.is_tcp && info.seg.dst_port == p->at->port)
            learn(p->at, &info.seg);
        pkt_free(frame);
    }
}

/* --- the stack's side ------------------------------------------------------------ */

struct sock *peer_tcp(struct peer *p)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->st->socks, 2, 1, 0, &s), 0);
    return s;
}

struct sock *peer_listen(struct peer *p, uint16_t port)
{
    struct sock *s = peer_tcp(p);
    struct sock_name name = { ip_any4, port };
    s->reuse_addr = true; /* as servers do */
    assert_int_equal(sock_bind(s, &name), 0);
    assert_int_equal(sock_listen(s, BACKLOG), 0);
    p->at->stack_port = port;
    return s;
}

struct sock *peer_accept(struct peer *p, struct sock *listener)
{
    struct sock *s = NULL;
    stack_flush(p->st);
    assert_int_equal(sock_accept(listener, &s), 0);
    return s;
}

struct sock *peer_connect(struct peer *p, uint16_t stack_port)
{
    struct sock *s = peer_tcp(p);
    struct sock_name to = { ip4_addr(PEER_IP), p->at->port };
    struct sock_name from = { ip_any4, stack_port };
    if (stack_port) {
        assert_int_equal(sock_bind(s, &from), 0);
        p->at->stack_port = stack_port;
    }
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    return s;
}

struct sock *peer_establish(struct peer *p, const char *options)
{
    enum { HTTP = 80 };
    char syn[PEER_LINE], ack[PEER_LINE];
    struct sock *listener = peer_listen(p, HTTP);
    snprintf(syn, sizeof syn, "S 0:0(0) win 65535 %s", options);
    peer_send(p, syn);
    peer_expect(p, "S. 0:0(0) ack 1 <...>");
    bool ts = strstr(options, "TS val") != NULL;
    snprintf(ack, sizeof ack, ". 1:1(0) ack 1 win 65535%s",
             ts ? " <TS val 0 ecr 0>" : "");
    peer_send(p, ack);
    peer_expect_nothing(p);
    struct sock *s = peer_accept(p, listener);
    sock_close(listener);
    return s;
}

void peer_write(struct peer *p, struct sock *s, uint32_t n)
{
    static uint8_t buf[WRITE_MAX];
    assert_true(n <= sizeof buf);
    for (uint32_t i = 0; i < n; i++)
        buf[i] = peer_byte(p->at->written + i);
    struct piece piece = { buf, n };
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), n);
    p->at->written += n;
    stack_flush(p->st);
}

void peer_read(struct peer *p, struct sock *s, uint32_t n)
{
    uint8_t buf[1024];
    while (n > 0) {
        ssize_t got = sock_receive(s, buf, min_u32(n, sizeof buf), 0, NULL);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++)
            assert_int_equal(buf[i], peer_byte(p->at->read + (uint32_t)i));
        p->at->read += (uint32_t)got;
        n -= (uint32_t)got;
    }
    stack_flush(p->st);
}
