/* One stack, fed with (delay, frame, call)*. The first three bytes choose the stack
 * (seed, memory, MTU); from then on a byte chooses the next event:
 *
 *     a frame from the grammar     TCP, UDP, ICMP, ARP, with numbers that mean
 * something raw bytes, or the stack's last frame sent back, changed time to the next
 * deadline, or by some amount a call of the socket layer   on one of SOCKS_MAX sockets
 *     a tunable, the link's fullness
 *
 * After each, tcp_check() holds of every connection (stack_config.check), every frame
 * that leaves is well-formed and carries the text that was written, what is read is the
 * text that was sent, and who is woken is a socket that is open. At the end all sockets
 * are closed; then either the stack is freed as it stands, or time goes on until it has
 * nothing more to do and must have forgotten all. No packet may be left. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "fuzz/grammar.h"
#include "stack/stack.h"
#include "stack/sysctl.h"
#include "tcp/tcb.h"
#include "wire/eth.h"

enum { SOCKS_MAX = 6, EVENTS_MAX = 400, DRAIN_MAX = 30000, BUF = 20000 };

struct slot {
    struct sock *s;         /* NULL: free */
    uint32_t written, read; /* bytes of the connection's two streams */
};

struct rig {
    struct stack *st;
    struct fuzz_in in;
    struct grammar grammar;
    struct slot slot[SOCKS_MAX];
    int nif;
    unsigned mtu;
    usec now;
    bool full;  /* the link takes nothing */
    bool dirty; /* frames were given whose text is not grammar_in() */
};

/* --- the link -------------------------------------------------------------------- */

static int leave(void *ctx, const struct stack_frame *f)
{
    struct rig *r = ctx;
    uint8_t b[FRAME_MAX];
    size_t n = f->head_len;

    if (r->full)
        return -EAGAIN;
    assert(n + f->text_len[0] + f->text_len[1] <= sizeof b);
    memcpy(b, f->head, n);
    for (int i = 0; i < 2; n += f->text_len[i++])
        if (f->text_len[i])
            memcpy(b + n, f->text[i], f->text_len[i]);
    fuzz_mark(b, n);
    grammar_learn(&r->grammar, b, n, r->mtu);
    return 0;
}

static void enter(void *ctx, const uint8_t *frame, size_t len)
{
    struct rig *r = ctx;
    int err = stack_input_frame(r->st, r->nif, frame, len, r->now);

    assert(err == 0 || err == -ENOBUFS);
}

static void raw_frame(struct rig *r)
{
    static const uint8_t header[ETH_LEN] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 };
    uint8_t b[ETH_LEN + 255];
    unsigned choice = fuzz_u8(&r->in);
    size_t n = 0;

    if (choice & 1) {
        memcpy(b, header, ETH_LEN);
        n = ETH_LEN;
    }
    n += fuzz_bytes(&r->in, b + n, fuzz_u8(&r->in));
    if (choice & 2)
        frames_repair(b, n);
    r->dirty = true;
    enter(r, b, n);
}

static void returned_frame(struct rig *r)
{
    uint8_t b[FRAME_MAX];
    unsigned choice = fuzz_u8(&r->in);
    size_t n = r->grammar.last_len;

    if (n == 0)
        return;
    memcpy(b, r->grammar.last, n);
    if (choice & 1)
        frames_turn(b, n);
    for (unsigned i = 0; i < choice / 16; i++) {
        size_t at = fuzz_u8(&r->in) % (n < 80 ? n : 80);
        b[at] = fuzz_u8(&r->in);
    }
    if (choice & 2)
        frames_repair(b, n);
    if (choice & 4)
        n -= fuzz_u8(&r->in) % n;
    r->dirty = true;
    enter(r, b, n);
}

/* --- time ------------------------------------------------------------------------ */

static void advance(struct rig *r, usec now)
{
    if (now > r->now)
        r->now = now;
    stack_advance(r->st, r->now);
}

static void pass_time(struct rig *r)
{
    static const usec delta[] = { 0,
                                  1,
                                  1000,
                                  10000,
                                  40000,
                                  200000,
                                  500000,
                                  1000000,
                                  3000000,
                                  10000000,
                                  60000000,
                                  130000000,
                                  3600 * USEC_PER_SEC };
    unsigned choice = fuzz_u8(&r->in);
    usec next = stack_deadline(r->st);

    if (choice >= 128 && next != NEVER)
        advance(r, next);
    else
        advance(r, r->now + delta[choice % ARRAY_LEN(delta)]);
}

static void toggle_link(struct rig *r)
{
    r->full = !r->full;
    if (!r->full)
        stack_writable(r->st, r->nif);
}

static void set_tunable(struct rig *r)
{
    static const char *const value[] = {
        "0",     "1",    "2",     "3",      "10",        "100",
        "536",   "1000", "65535", "200000", "16 64 256", "4096 16384 65536",
        "80 81", "reno", "cubic", "",       " 7 8 9 ",   "0x607"
    };
    unsigned i = fuzz_u8(&r->in), n = 0;
    char was[100];

    while (sysctl_name(n))
        n++;
    const char *name = sysctl_name(i % n);
    if (stack_sysctl(r->st, name, value[fuzz_pick(&r->in, ARRAY_LEN(value))]) < 0)
        return;
    assert(stack_sysctl_get(r->st, name, was, sizeof was) > 0);
    assert(stack_sysctl(r->st, name, was) == 0);
}

/* --- calls ----------------------------------------------------------------------- */

static void open_socket(struct rig *r, struct slot *slot)
{
    static const int kind[][2] = { { 1, 0 }, { 1, 6 }, { 2, 17 }, { 2, 1 } };
    unsigned i = fuzz_pick(&r->in, ARRAY_LEN(kind));

    if (slot->s)
        return;
    *slot = (struct slot){ 0 };
    if (sock_new(&r->st->socks, 2, kind[i][0], kind[i][1], &slot->s) < 0)
        slot->s = NULL;
}

static struct sock_name a_name(struct rig *r)
{
    static const uint32_t addr[] = { FRAME_PEER, FRAME_PEER, 0,         FRAME_STACK,
                                     0x7f000001, 0xc0000203, 0xffffffff };
    static const uint16_t port[] = { 80, 0, 81, 5000, 40000, 40001, 40002, 40003, 7 };
    unsigned choice = fuzz_u8(&r->in);

    return (struct sock_name){ ip4_addr(addr[choice % ARRAY_LEN(addr)]),
                               port[choice / 8 % ARRAY_LEN(port)] };
}

static void connect_socket(struct rig *r, struct slot *slot)
{
    struct sock_name name = a_name(r);

    bool fresh = !slot->s->tcb;
    int err = sock_connect(slot->s, &name);
    if (err == -EINPROGRESS || (fresh && err == 0))
        slot->written = slot->read = 0;
}

static void accept_socket(struct rig *r, struct slot *slot)
{
    struct sock *s;

    for (int i = 0; i < SOCKS_MAX; i++)
        if (!r->slot[i].s) {
            if (sock_accept(slot->s, &s) == 0)
                r->slot[i] = (struct slot){ .s = s };
            return;
        }
}

/* A source of the slot's text, which may have half of it only. */
struct half_source {
    struct tcp_source source;
    uint32_t written;
    bool half;
};

static ssize_t read_text(struct tcp_source *s, const struct room *to, int n)
{
    const struct half_source *h = (struct half_source *)(void *)s;
    size_t done = 0, room = 0;

    for (int i = 0; i < n; room += to[i++].len)
        for (size_t j = 0; j < to[i].len; j++)
            to[i].at[j] = grammar_out(h->written + (uint32_t)done++);
    assert(room > 0 && room == done);
    return h->half ? (ssize_t)(room / 2) : (ssize_t)room;
}

static ssize_t send_from(struct slot *slot, size_t n, bool half)
{
    struct half_source h = { { read_text }, slot->written, half };

    return n > 0 ? sock_send_from(slot->s, &h.source, n) : 0;
}

static void send_text(struct rig *r, struct slot *slot)
{
    static const uint16_t size[] = { 1, 0, 10, 100, 536, 1460, 4000, 15000 };
    static uint8_t b[BUF];
    unsigned choice = fuzz_u8(&r->in);
    size_t n = size[choice % ARRAY_LEN(size)];
    struct sock_name to = { ip4_addr(FRAME_PEER), 40000 };
    struct piece piece[2] = { { b, n / 2 }, { b + n / 2, n - n / 2 } };
    struct sock_name server = { ip4_addr(FRAME_PEER), 80 };
    bool datagram = slot->s->kind != SOCK_KIND_TCP;
    bool opens = sock_opens(slot->s, choice & 32 ? SOCK_FASTOPEN : 0);

    if (opens)
        slot->written = slot->read = 0;
    for (uint32_t i = 0; i < n; i++)
        b[i] = grammar_out(slot->written + i);
    if (slot->s->kind == SOCK_KIND_PING)
        memset(b, 0, sizeof b), b[0] = 8;
    ssize_t sent;
    if (opens)
        sent = sock_open_with(slot->s, piece, 2, &server, choice & 16);
    else if (choice & 64 && !datagram)
        sent = send_from(slot, n, choice & 128);
    else
        sent = sock_send(slot->s, piece, 2, choice & 8 ? SOCK_MORE : 0,
                         datagram && (choice & 16) ? &to : NULL);
    assert(sent <= (ssize_t)n);
    if (sent > 0)
        slot->written += (uint32_t)sent;
}

/* A connection to ourselves reads what another socket of ours wrote. */
static void check_read(struct rig *r, const struct slot *slot, const uint8_t *b,
                       size_t n)
{
    const struct tcb *tcb = slot->s->tcb;

    if (!tcb || r->dirty)
        return;
    bool own = ip4_num(tcp_remote(tcb).addr) != FRAME_PEER;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = slot->read + i;
        assert(b[i] ==
               (own ? grammar_out(at) : grammar_in(seq_add(tcb->rcv.irs, 1 + at))));
    }
}

static void receive_text(struct rig *r, struct slot *slot)
{
    static const uint16_t size[] = { BUF, 1, 0, 100, 1000, 1460, BUF, 3000 };
    static uint8_t b[BUF];
    unsigned choice = fuzz_u8(&r->in);
    size_t room = size[choice % ARRAY_LEN(size)];
    int flags = (choice & 8 ? SOCK_PEEK : 0) | (choice & 16 ? SOCK_TRUNC : 0);
    struct sock_name from;

    ssize_t n = sock_receive(slot->s, b, room, flags, choice & 32 ? &from : NULL);
    if (slot->s->kind != SOCK_KIND_TCP || n <= 0)
        return;
    assert(n <= (ssize_t)room);
    if (!(flags & SOCK_TRUNC))
        check_read(r, slot, b, (size_t)n);
    if (!(flags & SOCK_PEEK))
        slot->read += (uint32_t)n;
}

static void set_option(struct rig *r, struct slot *slot)
{
    static const int value[] = {
        0, 1, 2, 5, 88, 536, 1000, 4096, 65536, -1, INT32_MAX
    };
    static const uint8_t level[] = { 0, 1, 6, 41 };
    unsigned name = fuzz_u8(&r->in), choice = fuzz_u8(&r->in);
    int pair[4] = { value[choice / 16 % ARRAY_LEN(value)], value[choice % 4] };
    size_t len = choice & 8 ? 16 : 4;
    int lvl = level[name / 64];

    if (choice == 255)
        sock_setopt(slot->s, 6, 13, "reno", 4);
    else if (choice & 4)
        sock_getopt(slot->s, lvl, name % 64, pair, &len);
    else
        sock_setopt(slot->s, lvl, name % 64, pair, len);
}

static void ask_socket(struct slot *slot)
{
    struct sock_name name;

    sock_readiness(slot->s);
    sock_local(slot->s, &name);
    sock_peer(slot->s, &name);
    sock_drained(slot->s);
}

static void close_socket(struct slot *slot)
{
    if (slot->s)
        sock_close(slot->s);
    slot->s = NULL;
}

static void call(struct rig *r)
{
    struct slot *slot = &r->slot[fuzz_pick(&r->in, SOCKS_MAX)];
    unsigned what = fuzz_pick(&r->in, 16);
    struct sock_name name;

    if (!slot->s || what == 0)
        open_socket(r, slot);
    else if (what == 1 && (name = a_name(r), true))
        sock_bind(slot->s, &name);
    else if (what == 2)
        sock_listen(slot->s, (int)fuzz_pick(&r->in, 4));
    else if (what == 3)
        connect_socket(r, slot);
    else if (what <= 5)
        accept_socket(r, slot);
    else if (what <= 8)
        send_text(r, slot);
    else if (what <= 11)
        receive_text(r, slot);
    else if (what == 12)
        sock_shutdown(slot->s, (int)fuzz_pick(&r->in, 4));
    else if (what == 13)
        set_option(r, slot);
    else if (what == 14)
        ask_socket(slot);
    else
        close_socket(slot);
    stack_flush(r->st);
}

/* Whoever is woken is open; looking does not change anything. */
static void look_at_woken(struct rig *r)
{
    struct sock *s;

    while ((s = stack_ready(r->st)) != NULL) {
        int i = 0;
        while (i < SOCKS_MAX && r->slot[i].s != s)
            i++;
        assert(i < SOCKS_MAX);
        assert(sock_readiness(s) == sock_readiness(s));
    }
}

/* --- life ------------------------------------------------------------------------ */

static void event(struct rig *r)
{
    struct grammar_sink to = { enter, r };
    unsigned what = fuzz_pick(&r->in, 32);

    if (what < 10)
        grammar_tcp(&r->grammar, &r->in, &to);
    else if (what < 20)
        call(r);
    else if (what < 24)
        pass_time(r);
    else if (what == 24)
        raw_frame(r);
    else if (what <= 26)
        returned_frame(r);
    else if (what == 27)
        grammar_icmp(&r->grammar, &r->in, &to);
    else if (what == 28)
        grammar_udp(&r->grammar, &r->in, &to);
    else if (what == 29)
        grammar_arp(&r->grammar, &r->in, &to);
    else if (what == 30)
        set_tunable(r);
    else
        toggle_link(r);
    look_at_woken(r);
}

/* A stack by the first bytes, with a listener and the peer's address known, so that an
 * input need not begin with either. True: it is to come to rest at the end. */
static bool rig_init(struct rig *r)
{
    static const size_t memory[] = { 0, 64 << 10, 256 << 10, 1 << 20 };
    static const unsigned mtu[] = { 1500, 1500, 576, 68 };
    struct stack_config config = { .seed = fuzz_u8(&r->in), .check = true };
    unsigned choice = fuzz_u8(&r->in);

    config.memory = memory[choice % 4];
    r->mtu = mtu[choice / 4 % 4];
    r->st = stack_new(&config);
    assert(r->st);
    struct stack_netif nif = { "fuzz0", "192.0.2.2/24", "192.0.2.1",
                               "02:00:00:00:00:02", r->mtu };
    struct stack_link link = { leave, r };
    r->nif = stack_add_netif(r->st, &nif, &link);
    assert(r->nif > 0);
    if (choice & 16)
        neigh_learn(&r->st->net, r->st->net.netifs->next, ip4_addr(FRAME_PEER),
                    (struct mac_addr){ { 2, 0, 0, 0, 0, 1 } }, true);
    if (choice & 32) {
        struct sock_name name = { ip_any4, 80 };
        assert(sock_new(&r->st->socks, 2, 1, 0, &r->slot[0].s) == 0);
        assert(sock_bind(r->slot[0].s, &name) == 0);
        assert(sock_listen(r->slot[0].s, 2) == 0);
    }
    return choice & 64;
}

/* Nothing is left to do, and nothing is left. */
static void come_to_rest(struct rig *r)
{
    if (r->full)
        toggle_link(r);
    for (int i = 0; i < DRAIN_MAX; i++) {
        usec next = stack_deadline(r->st);
        if (next == NEVER)
            break;
        advance(r, next);
    }
    assert(stack_deadline(r->st) == NEVER);
    assert(r->st->tcp.n_tcb == 0 && r->st->tcp.n_time_wait == 0);
    assert(r->st->tcp.n_hashed == 0 && r->st->tcp.mem.bytes == 0);
    assert(r->st->net.pool.live == 0);
}

void fuzz_stack(const uint8_t *data, size_t size)
{
    static struct rig r;

    r = (struct rig){ .in = { data, size } };
    bool rests = rig_init(&r);
    for (int i = 0; i < EVENTS_MAX && r.in.left > 0; i++)
        event(&r);
    for (int i = 0; i < SOCKS_MAX; i++)
        close_socket(&r.slot[i]);
    stack_flush(r.st);
    look_at_woken(&r);
    if (rests)
        come_to_rest(&r);
    stack_free(r.st);
}
