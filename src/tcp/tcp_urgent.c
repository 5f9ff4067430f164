/* Urgent data (RFC 9293 s3.8.5): a mark in the stream, right behind the urgent text.
 *
 *     | read | to be read                |
 *     +------+------------------+--------+
 *            urgent text ... L  ^
 *                            ^  mark: SEG.SEQ + urgent pointer
 *                            at the mark, as BSD means it: L, the last urgent byte, is
 *                            what the next read begins with
 *
 * The text itself stays in line (RFC 6093 s6). While the mark is ahead of the reader
 * the socket is ready for POLLPRI, and no read crosses L; so a reader that throws away
 * what comes before the mark knows where to stop. A mark only moves forward.
 *
 * Sending, every segment in front of the mark points at it. The pointer has 16 bits: to
 * a mark farther away it points as far as it can, and the next segments point on. */
#include "base/bytes.h"
#include "tcp/tcb.h"

/* The next byte that the user reads. */
static struct seq next_read(const struct tcb *tcb)
{
    return seq_sub(tcb->rcv.nxt, tcb->rcv.q.len + (tcb->rcv.fin ? 1u : 0u));
}

/* RFC 9293 s3.8.5 (MUST-33): how much of it is left. */
uint32_t tcp_urgent_left(const struct tcb *tcb)
{
    struct seq at = next_read(tcb);

    if (!tcb->rcv.urgent || !seq_lt(at, tcb->rcv.up))
        return 0;
    return seq_len(at, tcb->rcv.up);
}

void tcp_urgent_trim(struct tcp_seg *seg, uint32_t n)
{
    if (seg->urg > n)
        seg->urg = (uint16_t)(seg->urg - n);
    else
        seg->flags &= (uint8_t)~TCP_URG;
}

/* RFC 9293 s3.10.7.4, sixth; s3.8.5 (MUST-30), s3.4 (MUST-66). */
void tcp_take_urgent(struct tcb *tcb, const struct tcp_seg *seg)
{
    struct seq up = seq_add(seg->seq, seg->urg);

    if (!(seg->flags & TCP_URG) || tcb->rcv.fin)
        return;
    if (!seq_lt(tcb->rcv.urgent ? tcb->rcv.up : next_read(tcb), up))
        return;
    tcb->rcv.up = up;
    tcb->rcv.urgent = true;
    /* RFC 9293 s3.8.5 (MUST-32): each time the mark moves. */
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
}

/* Up to the last urgent byte, room by room; peeking stops at the end of the first. */
static size_t read_before_mark(struct tcb *tcb, const struct room *to, size_t n,
                               bool peek)
{
    size_t most = tcp_urgent_left(tcb) - 1, done = 0;

    for (size_t i = 0; i < n && done < most; i++) {
        struct room part = { to[i].at, min_size(to[i].len, most - done) };
        size_t r = rcvq_read(&tcb->rcv.q, &part, 1, peek);
        done += r;
        if (peek || r < part.len)
            break;
    }
    return done;
}

size_t tcp_urgent_read(struct tcb *tcb, const struct room *to, size_t n, bool peek)
{
    if (tcp_urgent_left(tcb) > 1)
        return read_before_mark(tcb, to, n, peek);
    size_t done = rcvq_read(&tcb->rcv.q, to, n, peek);
    if (tcb->rcv.urgent && tcp_urgent_left(tcb) == 0)
        tcb->rcv.urgent = false;
    return done;
}

/* It leaves at once, as on Linux: neither Nagle nor a full segment is waited for. */
void tcp_mark_urgent(struct tcb *tcb)
{
    tcb->snd.up = snd_end(tcb);
    tcb->snd.urgent = true;
    tcb->push_now = true;
}

/* One segment at a time: a link that cuts would give all pieces the first one's
 * pointer. */
void tcp_urgent_cut(const struct tcb *tcb, struct tcp_tx *tx)
{
    uint32_t size = tcp_segment_size(tcb);

    if (!tcb->snd.urgent || tx->text <= size)
        return;
    tx->text = size;
    tx->flags &= (uint8_t) ~(TCP_PSH | TCP_FIN);
}

void tcp_urgent_point(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!tcb->snd.urgent || (seg->flags & TCP_SYN))
        return;
    if (seq_leq(tcb->snd.up, tcb->snd.una)) {
        tcb->snd.urgent = false;
        return;
    }
    if (!seq_lt(seg->seq, tcb->snd.up))
        return;
    /* RFC 9293 s3.8.5 (MUST-62, MUST-31): the number behind the urgent text. */
    seg->urg = (uint16_t)min_u32(seq_len(seg->seq, tcb->snd.up), UINT16_MAX);
    seg->flags |= TCP_URG;
}
