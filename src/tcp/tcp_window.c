/* Windows, and how both sides keep from being silly (RFC 9293 s3.8.6.2).
 *
 * Receiver: the right edge moves only by a useful step (a segment, or half the buffer)
 * and never back (s3.8.6, SHLD-14). Sender: a segment that is not full leaves only if
 * nothing is gained by waiting. */
#include "base/bytes.h"
#include "tcp/tcb.h"

enum {
    /* Without offload a TAP's queue holds 500 to 1,000 frames: what is offered must fit
     * into half of it, or the kernel drops what it has no room for. */
    WINDOW_SHORT_QUEUE = 256 * 1448,
    SUPER_SEGMENT = 65536, /* bytes: about what one device frame carries */
};

/* What the link towards the peer allows: super-segments, and how much of SO_RCVBUF. A
 * size that the user chose is kept to. */
void tcp_fit_link(struct tcb *tcb)
{
    struct route_hop hop;
    uint32_t rcvbuf = tcb->opt.rcvbuf;
    bool default_size = rcvbuf == tcb->tcp->config.rmem_default;
    bool known = route_lookup(tcb->tcp->net, tcb->slot.remote, &hop) == 0;
    uint32_t caps = known && hop.nif->link ? hop.nif->link->caps : 0;

    tcb->tso = known && (!hop.nif->link || (caps & LINK_TSO));
    tcb->tx_max = tcb->tso && (caps & LINK_BIG) ? TCP_TX_BIG : TCP_TX_PACKET;
    tcb->rcv.limit = rcvbuf;
    if ((caps & LINK_SHORT_QUEUE) && default_size)
        tcb->rcv.limit = min_u32(rcvbuf, WINDOW_SHORT_QUEUE);
}

void tcp_refit_link(struct tcb *tcb)
{
    struct route_hop hop;
    bool known = route_lookup(tcb->tcp->net, tcb->slot.remote, &hop) == 0;

    if (known && hop.nif->link && !(hop.nif->link->caps & LINK_BIG))
        tcb->tx_max = TCP_TX_PACKET;
}

/* Room for text: what is queued is gone from it, and so is what buffers waste. None for
 * as long as nobody reads (RFC 9293 s3.8.6.1, MAY-8). */
static uint32_t room(const struct tcb *tcb)
{
    const struct rcvq *q = &tcb->rcv.q;
    uint32_t limit = tcp_mem_rcvbuf(tcb);

    if (q->len >= limit || q->held > 4u * (size_t)tcb->rcv.limit)
        return 0;
    return limit - q->len;
}

/* What the field can say, and TCP_WINDOW_CLAMP lets it. */
static uint32_t largest(const struct tcb *tcb)
{
    uint32_t most = (uint32_t)UINT16_MAX << tcb->rcv.wscale;
    uint32_t clamp = tcb->opt.window_clamp;

    return clamp ? min_u32(most, clamp) : most;
}

uint16_t tcp_first_window(uint32_t rcvbuf, uint32_t clamp)
{
    uint32_t most = min_u32(rcvbuf, UINT16_MAX);

    return (uint16_t)(clamp ? min_u32(most, clamp) : most);
}

bool tcp_window_used_up(const struct tcb *tcb)
{
    return rcv_wnd(tcb) <= tcb->rcv.mss;
}

/* The window to offer with the next segment, in bytes, as its scaled field will say. */
uint32_t tcp_window_offer(const struct tcb *tcb)
{
    uint32_t now = rcv_wnd(tcb), free = room(tcb);
    uint32_t most = largest(tcb);
    uint32_t step = min_u32(tcp_mem_rcvbuf(tcb) / 2, tcb->rcv.mss);

    /* RFC 9293 s3.8.6.2.2 (MUST-39) */
    uint32_t offer = free > now && free - now >= step ? free : now;
    offer = min_u32(offer, max_u32(most, now));
    uint32_t whole = offer >> tcb->rcv.wscale << tcb->rcv.wscale;
    /* RFC 7323 s2.4 (MUST-wscale-retract): rounding must not take back what was
     * offered. */
    if (whole < now && offer >= now)
        whole = now;
    return whole;
}

/* Where the window ends that the peer may use: the furthest that was offered (RFC 7323
 * s2.4, MUST-wscale-honour, SHLD-wscale-track), or as on BSD all that there is room
 * for.
 */
struct seq tcp_window_end(const struct tcb *tcb)
{
    struct seq end = seq_max(tcb->rcv.adv, tcb->rcv.nxt);

    if (tcb->tcp->config.rcvbuf_round)
        end = seq_max(end, seq_add(tcb->rcv.nxt, room(tcb)));
    return end;
}

/* Is an ACK worth sending only to tell of room? When it doubles what the peer knows of:
 * a peer that has half a buffer left is not waiting (RFC 9293 s3.8.6.2.2's step would
 * send one for each read), nor is one that has half of the most that it ever had. */
bool tcp_window_update_due(const struct tcb *tcb)
{
    uint32_t most = largest(tcb);
    uint32_t now = rcv_wnd(tcb), free = min_u32(room(tcb), most);
    uint32_t step = min_u32(tcp_mem_rcvbuf(tcb) / 2, tcb->rcv.mss);

    if (tcb->rcv.fin || now > tcb->rcv.max_wnd / 2)
        return false;
    return free >= now + step && free / 2 >= now;
}

/* RFC 9293 s3.8.6.2.1's U: what the peer's window still takes; nothing new where that
 * shrank (s3.8.6, MUST-34, SHLD-15; RFC 7323 s2.4, MUST-wscale-retract). */
uint32_t tcp_window_usable(const struct tcb *tcb)
{
    int32_t left = seq_diff(seq_add(tcb->snd.una, tcb->snd.wnd), tcb->snd.nxt);
    return left > 0 ? (uint32_t)left : 0;
}

/* Nagle: is something out that a small segment should wait for?
 *
 * Deviates from RFC 9293 s3.7.4 as Linux does (Minshall's variant): only another
 * *small* segment, so that the tail of a large write does not wait for the peer's
 * delayed ACK. But while a whole super-segment is out, whose ACK comes soon, the tail
 * of one write joins the next: a device frame that is not full costs as much as one
 * that is. */
static bool super_segment_out(const struct tcb *tcb)
{
    return tcb->tso && seq_len(tcb->snd.una, tcb->snd.nxt) >= SUPER_SEGMENT;
}

static bool worth_waiting(const struct tcb *tcb)
{
    return seq_lt(tcb->snd.una, tcb->snd.small_end) || super_segment_out(tcb);
}

/* MSG_MORE: what does not fill a device frame waits for the rest, as long as an ACK is
 * to come soon. */
bool tcp_more_comes(const struct tcb *tcb)
{
    return tcb->snd.more && !tcb->push_now && super_segment_out(tcb);
}

/* May a segment that is not full leave? RFC 9293 s3.8.6.2.1, s3.7.4
 * (SHLD-7), s3.9.1.2 (MAY-16). */
bool tcp_small_ok(const struct tcb *tcb, struct seq seq, uint32_t len)
{
    bool last = seq_eq(seq_add(seq, len), snd_end(tcb));

    if (tcb->push_now || (last && tcb->snd.fin))
        return true;
    if (last && (tcb->opt.cork || tcb->snd.more))
        return false;
    /* RFC 9293 s3.7.4 (MUST-17) */
    if (last && (tcb->opt.nodelay || !worth_waiting(tcb)))
        return true;
    if (!last && push_record(&tcb->snd.push, seq) == len)
        return true;                    /* nothing can be added to it */
    return len >= tcb->snd.max_wnd / 2; /* RFC 9293 s3.8.6.2.1 (MUST-38) */
}
