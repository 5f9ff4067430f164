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
    WINDOW_WITHOUT_TSO = 256 * 1448,
};

/* SO_RCVBUF as far as the link can take it. */
uint32_t tcp_rcv_limit(const struct tcb *tcb)
{
    struct route_hop hop;
    bool default_size = tcb->opt.rcvbuf == tcb->tcp->config.rmem_default;

    if (!default_size || route_lookup(tcb->tcp->net, tcb->slot.remote, &hop) < 0)
        return tcb->opt.rcvbuf;
    bool tso = !hop.nif->link || (hop.nif->link->caps & LINK_TSO);
    return tso ? tcb->opt.rcvbuf : min_u32(tcb->opt.rcvbuf, WINDOW_WITHOUT_TSO);
}

/* Room for text: what is queued is gone from it, and so is what buffers waste. */
static uint32_t room(const struct tcb *tcb)
{
    const struct rcvq *q = &tcb->rcv.q;

    if (q->len >= tcb->rcv.limit || q->held > 4u * (size_t)tcb->rcv.limit)
        return 0;
    return tcb->rcv.limit - q->len;
}

/* The window to offer with the next segment, in bytes, as its scaled field will say. */
uint32_t tcp_window_offer(const struct tcb *tcb)
{
    uint32_t now = rcv_wnd(tcb), free = room(tcb);
    uint32_t most = (uint32_t)UINT16_MAX << tcb->rcv.wscale;
    uint32_t step = min_u32(tcb->rcv.limit / 2, tcb->rcv.mss);

    /* s3.8.6.2.2 (MUST-39) */
    uint32_t offer = free > now && free - now >= step ? free : now;
    offer = min_u32(offer, most);
    uint32_t whole = offer >> tcb->rcv.wscale << tcb->rcv.wscale;
    if (whole < now && offer >= now) /* rounding must not take back what was offered */
        whole = now;
    return whole;
}

/* Is an ACK worth sending only to tell of room? When it doubles what the peer knows of:
 * a peer that has half a buffer left is not waiting (RFC 9293 s3.8.6.2.2's step would
 * send one for each read). */
bool tcp_window_update_due(const struct tcb *tcb)
{
    uint32_t now = rcv_wnd(tcb), free = room(tcb);
    uint32_t step = min_u32(tcb->rcv.limit / 2, tcb->rcv.mss);

    if (tcb->rcv.fin)
        return false;
    return free >= now + step && free / 2 >= now;
}

/* s3.8.6.2.1's U: what the peer's window still takes. */
uint32_t tcp_window_usable(const struct tcb *tcb)
{
    int32_t left = seq_diff(seq_add(tcb->snd.una, tcb->snd.wnd), tcb->snd.nxt);
    return left > 0 ? (uint32_t)left : 0;
}

/* May a segment that is not full leave? RFC 9293 s3.8.6.2.1 (SHLD-15), s3.7.4 (SHLD-7).
 *
 * Deviates from s3.7.4 as Linux does (Minshall's variant): the algorithm of Nagle holds
 * a small segment back only while another *small* one is unacknowledged, so that the
 * tail of a large write does not wait for the peer's delayed ACK. */
bool tcp_small_ok(const struct tcb *tcb, struct seq seq, uint32_t len)
{
    bool last = seq_eq(seq_add(seq, len), snd_end(tcb));
    bool small_out = seq_lt(tcb->snd.una, tcb->snd.small_end);

    if (tcb->push_now || (last && tcb->snd.fin))
        return true;
    if (last && (tcb->opt.cork || tcb->snd.more))
        return false;
    if (last && (tcb->opt.nodelay || !small_out))
        return true;
    return len >= tcb->snd.max_wnd / 2;
}
