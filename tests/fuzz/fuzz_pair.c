/* Two stacks send each other a stream over a wire that does what the input says with
 * each frame: pass, drop, twice, hold (it is overtaken), change a byte. Behind the
 * input's end all frames pass.
 *
 * What was asked for was done: frames are compared before and after, and what was
 * changed without a new checksum is counted by the receiver's own drop counters, one
 * for one. So both streams must arrive, byte for byte, and both stacks forget all.
 *
 * In the other mode a changed frame gets the checksums it should have, and the stacks
 * believe it. Then streams may break; what must hold are TCP's invariants, after each
 * event, and that nothing is left at the end. */
#include <errno.h>

#include "base/bytes.h"
#include "fuzz/frames.h"
#include "fuzz/fuzz.h"
#include "stack/stack.h"
#include "wire/eth.h"

enum {
    FLYING_MAX = 256,
    STEPS_MAX = 20000,
    BURST = 3, /* frames that are kept from arriving in a row, of one direction */
    DELAY = 10000,
    PAUSE = 50000, /* of a slow reader between two reads */
    CHUNK = 3000,
    PORT = 80,
    TTL_AT = ETH_LEN + 8,
};

struct flying {
    usec at;        /* when it arrives */
    uint64_t order; /* among those that arrive then */
    size_t len;
    uint8_t to;      /* whose end */
    bool broken;     /* changed, and its checksum tells so */
    uint8_t b[1514]; /* the frame */
};

struct end {
    struct stack *st;
    struct wire *wire;
    uint8_t id;
    struct sock *s;          /* the connection, once there is one */
    uint32_t size;           /* bytes that it writes */
    uint32_t written, read;  /* of its two streams */
    bool open;               /* its handshake is over */
    bool shut, ended, slow;  /* FIN sent, FIN read; reads little at a time */
    usec next_read;          /* for a slow reader */
    unsigned in_a_row;       /* frames of this end that did not arrive, just now */
    uint64_t broken_arrived; /* frames that came here with a wrong checksum */
};

struct wire {
    struct fuzz_in in;
    struct end end[2]; /* the client, the server */
    struct sock *listener;
    struct flying *flying; /* FLYING_MAX of them, n in use */
    unsigned n;
    unsigned mtu;
    uint64_t order;
    usec now;
    bool repair;             /* what is changed gets new checksums */
    unsigned asked, touched; /* frames to be changed, frames changed */
};

/* --- the wire -------------------------------------------------------------------- */

static void fly(struct wire *w, const struct end *from, usec after, const uint8_t *b,
                size_t len)
{
    if (w->n == FLYING_MAX)
        return;
    struct flying *f = &w->flying[w->n++];
    f->at = w->now + DELAY + after;
    f->order = w->order++;
    f->len = len;
    f->to = !from->id;
    f->broken = false;
    memcpy(f->b, b, len);
}

/* A byte of the headers, mostly, or of the text. */
static size_t choose_byte(size_t len, unsigned choice)
{
    size_t at = ETH_LEN + (choice < 192 ? choice % 64 : choice * 7u);

    return at < len ? at : ETH_LEN + at % (len - ETH_LEN);
}

static void change(struct wire *w, const struct end *from, const uint8_t *b, size_t len)
{
    uint8_t changed[1514];
    size_t at = choose_byte(len, fuzz_u8(&w->in));
    uint8_t with = fuzz_u8(&w->in);

    memcpy(changed, b, len);
    changed[at] ^= with ? with : 1;
    if (w->repair)
        frames_repair(changed, len);
    if (memcmp(changed, b, len) == 0) { /* a checksum, made anew: the TTL instead */
        changed[TTL_AT]--;
        frames_repair(changed, len);
    }
    w->asked++;
    w->touched += memcmp(changed, b, len) != 0;
    fly(w, from, 0, changed, len);
    if (w->n > 0)
        w->flying[w->n - 1].broken = !w->repair;
}

/* A handshake or a connection gives up where too many are lost in a row, and rightly.
 */
static bool spare(struct end *from, unsigned fate)
{
    bool lost = fate >= 128 && (fate < 160 || fate >= 208);

    from->in_a_row = lost ? from->in_a_row + 1 : 0;
    return from->in_a_row > BURST;
}

static int leave(void *ctx, const struct stack_frame *frame)
{
    struct end *from = ctx;
    struct wire *w = from->wire;
    uint8_t b[1514];
    size_t n = frame->head_len;

    assert(n + frame->text_len[0] + frame->text_len[1] <= sizeof b);
    memcpy(b, frame->head, n);
    for (int i = 0; i < 2; n += frame->text_len[i++])
        if (frame->text_len[i])
            memcpy(b + n, frame->text[i], frame->text_len[i]);
    frames_check(b, n, w->mtu);
    fuzz_mark(b, n);
    unsigned fate = fuzz_u8(&w->in);
    bool room = w->n + 2 < FLYING_MAX;
    if (fate < 128 || !room || spare(from, fate))
        fly(w, from, 0, b, n);
    else if (fate < 160)
        return 0;
    else if (fate >= 208)
        change(w, from, b, n);
    else if (fate < 176)
        fly(w, from, 0, b, n), fly(w, from, (fate - 160) * 100000, b, n);
    else
        fly(w, from, fuzz_u8(&w->in) * 1000, b, n);
    return 0;
}

/* The frame that arrives next, or NULL. */
static struct flying *first(struct wire *w)
{
    struct flying *best = NULL;

    for (unsigned i = 0; i < w->n; i++) {
        struct flying *f = &w->flying[i];
        if (!best || f->at < best->at || (f->at == best->at && f->order < best->order))
            best = f;
    }
    return best;
}

static void arrive(struct wire *w, struct flying *f)
{
    struct flying it = *f;
    struct end *to = &w->end[it.to];

    *f = w->flying[--w->n];
    to->broken_arrived += it.broken;
    assert(stack_input_frame(to->st, 1, it.b, it.len, w->now) == 0);
}

/* --- the programs ---------------------------------------------------------------- */

/* Byte n of what an end writes. */
static uint8_t byte_of(unsigned id, uint32_t n)
{
    return (uint8_t)(((n + id) * 2654435761u) >> 24);
}

static void write_some(struct end *e)
{
    uint8_t b[CHUNK];

    while (e->written < e->size) {
        uint32_t n = min_u32(CHUNK, e->size - e->written);
        for (uint32_t i = 0; i < n; i++)
            b[i] = byte_of(e->id, e->written + i);
        struct piece piece = { b, n };
        ssize_t sent = sock_send(e->s, &piece, 1, 0, NULL);
        if (sent <= 0) {
            e->ended |= sent != -EAGAIN && sent != -ENOTCONN;
            return;
        }
        e->written += (uint32_t)sent;
    }
    if (!e->shut)
        e->shut = sock_shutdown(e->s, 1) == 0;
}

static void read_some(struct end *e, usec now)
{
    uint8_t b[CHUNK];
    ssize_t n = 1;

    if (now < e->next_read)
        return;
    while (!e->ended && n > 0) {
        n = sock_receive(e->s, b, e->slow ? CHUNK / 4 : CHUNK, 0, NULL);
        e->ended = n == 0 || (n < 0 && n != -EAGAIN && n != -ENOTCONN);
        for (ssize_t i = 0; i < n && !e->wire->repair; i++)
            assert(b[i] == byte_of(!e->id, e->read + (uint32_t)i));
        e->read += n > 0 ? (uint32_t)n : 0;
        if (e->slow && n > 0) {
            e->next_read = now + PAUSE;
            return;
        }
    }
}

static void run_programs(struct wire *w)
{
    if (!w->end[1].s && sock_accept(w->listener, &w->end[1].s) < 0)
        w->end[1].s = NULL;
    for (int i = 0; i < 2; i++) {
        struct end *e = &w->end[i];
        if (e->s && !e->open)
            e->open = sock_readiness(e->s) & (SOCK_OUT | SOCK_HUP);
        if (e->open && !e->ended)
            read_some(e, w->now);
        if (e->open && !e->shut)
            write_some(e);
        stack_flush(e->st);
    }
}

/* --- time ------------------------------------------------------------------------ */

static usec next_event(struct wire *w)
{
    const struct flying *f = first(w);
    usec at = f ? f->at : NEVER;

    for (int i = 0; i < 2; i++) {
        const struct end *e = &w->end[i];
        at = usec_min(at, stack_deadline(e->st));
        if (e->open && !e->ended && e->next_read > w->now)
            at = usec_min(at, e->next_read);
    }
    return at;
}

/* To the next event; false when there is none. */
static bool step(struct wire *w)
{
    usec at = next_event(w);
    struct flying *f;

    if (at == NEVER)
        return false;
    w->now = usec_max(w->now, at);
    for (int i = 0; i < 2; i++)
        stack_advance(w->end[i].st, w->now);
    while ((f = first(w)) != NULL && f->at <= w->now)
        arrive(w, f);
    return true;
}

static bool both_done(const struct wire *w)
{
    return w->end[0].shut && w->end[0].ended && w->end[1].shut && w->end[1].ended;
}

static bool all_forgotten(const struct wire *w)
{
    for (int i = 0; i < 2; i++)
        if (w->end[i].st->tcp.n_tcb > 0 || w->end[i].st->tcp.n_time_wait > 0)
            return false;
    return w->n == 0;
}

/* --- life ------------------------------------------------------------------------ */

/* SYN cookies are for where nothing is promised: a segment that overtakes the ACK of
 * the handshake brings no cookie, and is answered with a reset (RFC 4987 s3.6). */
static void tune(struct stack *st, unsigned choice, bool cookies)
{
    static const char *const name[] = { "net.ipv4.tcp_sack", "net.ipv4.tcp_timestamps",
                                        "net.ipv4.tcp_window_scaling",
                                        "tapir.tcp_delack_ms" };

    for (unsigned i = 0; i < ARRAY_LEN(name); i++)
        if (choice & 1u << i)
            assert(stack_sysctl(st, name[i], "0") == 0);
    if (choice & 16)
        assert(stack_sysctl(st, "net.ipv4.tcp_congestion_control", "reno") == 0);
    if (choice & 32)
        assert(stack_sysctl(st, "net.ipv4.tcp_rmem", "2304 4608 65536") == 0);
    if ((choice & 64) && cookies)
        assert(stack_sysctl(st, "net.ipv4.tcp_syncookies", "2") == 0);
}

static void end_init(struct wire *w, unsigned id, unsigned seed)
{
    struct end *e = &w->end[id];
    struct stack_config config = { .seed = seed * 2 + id, .check = true };
    struct stack_netif nif = { "fuzz0", id ? "192.0.2.2/24" : "192.0.2.1/24", NULL,
                               id ? "02:00:00:00:00:02" : "02:00:00:00:00:01", w->mtu };
    struct stack_link link = { leave, e };
    struct mac_addr other = { { 2, 0, 0, 0, 0, (uint8_t)(2 - id) } };

    *e = (struct end){ .wire = w, .id = (uint8_t)id, .st = stack_new(&config) };
    assert(e->st && stack_add_netif(e->st, &nif, &link) == 1);
    e->st->net.neigh.reachable_time = NEVER / 4;
    neigh_learn(&e->st->net, e->st->net.netifs->next,
                ip4_addr(id ? FRAME_PEER : FRAME_STACK), other, true);
    tune(e->st, fuzz_u8(&w->in), w->repair);
    e->size = fuzz_u8(&w->in) * 32u;
    e->slow = fuzz_u8(&w->in) & 1;
}

static void wire_init(struct wire *w)
{
    static const unsigned mtu[] = { 1500, 576, 296, 1500 };
    struct sock_name name = { ip_any4, PORT };
    unsigned seed = fuzz_u8(&w->in), choice = fuzz_u8(&w->in);
    struct fuzz_in fates;

    w->repair = choice & 1;
    w->mtu = mtu[choice / 2 % ARRAY_LEN(mtu)];
    fates = w->in;
    w->in.left = 0; /* what the interfaces announce is not the input's */
    for (unsigned id = 0; id < 2; id++) {
        w->in = fates;
        end_init(w, id, seed);
        fates = w->in;
        w->n = 0;
    }
    assert(sock_new(&w->end[1].st->socks, 2, 1, 0, &w->listener) == 0);
    assert(sock_bind(w->listener, &name) == 0 && sock_listen(w->listener, 1) == 0);
    name.addr = ip4_addr(FRAME_STACK);
    assert(sock_new(&w->end[0].st->socks, 2, 1, 0, &w->end[0].s) == 0);
    assert(sock_connect(w->end[0].s, &name) == -EINPROGRESS);
    stack_flush(w->end[0].st);
}

static uint64_t refused(const struct stack *st)
{
    static const enum drop why[] = { DROP_IP_SHORT,  DROP_IP_VERSION, DROP_IP_HEADER,
                                     DROP_IP_CKSUM,  DROP_IP_OPTIONS, DROP_TCP_SHORT,
                                     DROP_TCP_CKSUM, DROP_TCP_OFFSET };
    uint64_t n = 0;

    for (unsigned i = 0; i < ARRAY_LEN(why); i++)
        n += st->net.count.drop[why[i]];
    return n;
}

/* What must have become of it where no stack was lied to. */
static void check_streams(const struct wire *w)
{
    assert(both_done(w) && all_forgotten(w));
    for (int i = 0; i < 2; i++) {
        assert(w->end[i].read == w->end[!i].size);
        assert(w->end[i].broken_arrived == refused(w->end[i].st));
        assert(w->end[i].st->net.pool.live == 0);
    }
}

void fuzz_pair(const uint8_t *data, size_t size)
{
    static struct flying flying[FLYING_MAX];
    struct wire w = { .in = { data, size }, .flying = flying };
    int steps = STEPS_MAX;

    wire_init(&w);
    do
        run_programs(&w);
    while (!both_done(&w) && step(&w) && --steps > 0);
    sock_close(w.end[0].s);
    if (w.end[1].s)
        sock_close(w.end[1].s);
    sock_close(w.listener);
    w.end[0].open = w.end[1].open = false;
    while (!all_forgotten(&w) && step(&w) && --steps > 0)
        ;
    assert(w.touched == w.asked);
    if (!w.repair)
        check_streams(&w);
    stack_free(w.end[0].st);
    stack_free(w.end[1].st);
}
