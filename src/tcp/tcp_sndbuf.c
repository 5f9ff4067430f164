/* How much of a send call's text the send buffer takes.
 *
 * SO_SNDBUF bounds what waits to be acknowledged, TCP_NOTSENT_LOWAT (or
 * tcp_notsent_lowat) what waits to be sent: no more is taken once so much does, so that
 * a program decides late what it sends. Below, whole segments are taken.
 *
 * With tapir.tcp_send_pieces it is as on Linux, whose bounds are for packets, not for
 * bytes: a packet is begun while there is room, and then filled, whatever that takes;
 * one that is full leaves at once, as far as cwnd and the window let it, and what is
 * left of it can be filled again.
 *
 *     write(59000), cwnd 10000, packets of 16000, room for 50000:
 *
 *     |--- 10000 sent ---|---- 16000 ----|---- 16000 ----|---- 16000 ----|  58000
 *                         the rest of the                   begun when 42000
 *                         first one, filled                 were queued
 *
 * Text that is read into it (tcp_send_from) comes in large pieces: not before a user
 * would be told that there is room, and then in whole device frames, so that no small
 * one leaves between two pieces. */
#include "base/bytes.h"
#include "tcp/tcb.h"

/* A packet is half of the largest window at most, and what IP can carry. */
static uint32_t piece_size(const struct tcb *tcb)
{
    uint32_t segment = tcp_segment_size(tcb);
    uint32_t most = min_u32(tcb->snd.max_wnd / 2, TCP_TX_PACKET);

    return most > segment ? most - most % segment : segment;
}

static uint32_t lowat(const struct tcb *tcb)
{
    uint32_t own = tcb->opt.notsent_lowat;
    return own ? own : tcb->tcp->config.notsent_lowat;
}

/* What could leave now, in whole segments. */
static size_t sendable(const struct tcb *tcb)
{
    uint32_t room = min_u32(tcp_cwnd_room(tcb), tcp_window_usable(tcb));
    return room - room % tcp_segment_size(tcb);
}

/* What is queued, what of it waits to be sent, and what of that is in the newest
 * packet. */
struct queue {
    size_t len, unsent, tail;
};

static struct queue queue_of(const struct tcb *tcb)
{
    struct seq end = snd_end(tcb);
    struct queue q = { .len = tcb->snd.buf.len };

    if (!seq_lt(tcb->snd.nxt, end))
        return q;
    q.unsent = q.tail = seq_len(tcb->snd.nxt, end);
    if (seq_lt(tcb->snd.nxt, tcb->snd.piece) && seq_leq(tcb->snd.piece, end))
        q.tail = seq_len(tcb->snd.piece, end);
    return q;
}

static size_t take_in_pieces(struct tcb *tcb, size_t wanted)
{
    size_t most = tcp_mem_sndbuf(tcb), low = lowat(tcb), taken = 0;
    size_t piece = piece_size(tcb), leaves = sendable(tcb);
    struct queue q = queue_of(tcb);

    while (taken < wanted) {
        bool open = q.tail > 0 && q.tail < piece;
        if (!open && (q.len >= most || q.unsent >= low))
            break;
        if (!open)
            q.tail = 0;
        size_t n = min_size(piece - q.tail, wanted - taken);
        taken += n;
        q.len += n;
        q.unsent += n;
        q.tail += n;
        if (q.tail < piece)
            continue;
        size_t sent = min_size(leaves, q.unsent);
        leaves -= sent;
        q.unsent -= sent;
        q.tail = min_size(q.tail, q.unsent);
    }
    struct seq end = seq_add(snd_end(tcb), (uint32_t)taken);
    tcb->snd.piece = seq_sub(end, (uint32_t)q.tail);
    return taken;
}

size_t tcp_send_limit(struct tcb *tcb, size_t wanted)
{
    size_t most = tcp_mem_sndbuf(tcb), len = tcb->snd.buf.len;
    size_t unsent = tcp_not_sent(tcb), low = lowat(tcb);

    if (tcb->tcp->config.send_pieces)
        return len + take_in_pieces(tcb, wanted);
    if (unsent >= low)
        return min_size(most, len);
    return min_size(most, len + max_size(low - unsent, tcb->snd.mss));
}

/* As Linux: half of it must be free, or a user would be woken for every segment. */
bool tcp_backlogged(const struct tcb *tcb)
{
    size_t low = lowat(tcb);

    return low < UINT32_MAX && 2 * tcp_not_sent(tcb) >= low;
}

bool tcp_has_room(const struct tcb *tcb)
{
    size_t room = tcp_writable_room(tcb);

    return room > 0 && room >= tcp_unsent(tcb) / 2 && !tcp_backlogged(tcb);
}

size_t tcp_worth_reading(const struct tcb *tcb, size_t n)
{
    uint32_t size = tcp_segment_size(tcb), frame = tcb->tx_max / size * size;
    size_t now = min_size(n, ring_room(&tcb->snd.buf));
    size_t tail = (tcp_not_sent(tcb) + now) % frame;

    if (now == n)
        return n;
    if (!tcp_has_room(tcb))
        return 0;
    return tail < now ? now - tail : now;
}
