/* Steps seven and eight of SEGMENT ARRIVES: the text and the FIN, and what ACK is owed.
 *
 * Text at RCV.NXT goes to the user's queue, text beyond a hole is kept beside it
 * (tcp_rcvq.c) and joins when the hole is filled. An ACK is owed at once for everything
 * out of order (RFC 5681 s4.2), for every second full segment (RFC 9293 s3.8.6.3,
 * SHLD-19) and for the segments that follow the handshake; else it waits up to the
 * delayed-ACK time for text to ride on.
 *
 * How much may be kept of either is tcp_mem.c's business; what is refused comes
 * again. */
#include <errno.h>

#include "base/bytes.h"
#include "tcp/tcb.h"

enum { QUICK = 16 }; /* segments: as Linux's TCP_MAX_QUICKACKS */

/* Deviates from RFC 9293 s3.8.6.3 (SHLD-18): no delay for the first segments of a
 * connection, but in a conversation (we sent text in answer, and no delay was in vain
 * since then): a delayed ACK would slow the peer's slow start. As Linux. */
static bool quick(struct tcb *tcb)
{
    if (tcb->rcv.quick == 0 || tcb->rcv.answered)
        return false;
    tcb->rcv.quick--;
    return true;
}

bool tcp_quickack(const struct tcb *tcb)
{
    return !tcb->rcv.answered;
}

void tcp_set_quickack(struct tcb *tcb, bool on)
{
    tcb->rcv.answered = !on;
    if (on)
        tcb->rcv.quick = QUICK;
    if (on && tcb->at[TT_DELACK] != NEVER) {
        tcb->ack_now = true;
        tcp_dirty(tcb);
    }
}

static void owe_ack(struct tcb *tcb, const struct tcp_seg *seg, uint32_t text_len)
{
    const struct tcp_config *c = &tcb->tcp->config;
    uint32_t size = seg->segs > 1 ? (text_len + seg->segs - 1) / seg->segs : text_len;

    tcb->rcv.last_text = tcb->tcp->net->now;
    tcb->rcv.mss = (uint16_t)max_u32(tcb->rcv.mss, min_u32(size, UINT16_MAX));
    if (size >= tcb->rcv.mss || c->delack_small)
        tcb->rcv.segs += seg->segs;
    if (tcb->rcv.segs >= 2 || c->delack == 0 || quick(tcb))
        tcb->ack_now = true;
    else if (tcb->at[TT_DELACK] == NEVER)
        /* RFC 5681 s4.2 (SHLD-ack-delay, SHLD-ack-second, MUST-ack-excess,
         * MUST-ack-500ms) */
        tcp_arm(tcb, TT_DELACK, tcb->tcp->net->now + c->delack);
}

/* RFC 9293 s3.10.7.4, seventh: only these states take text. */
static bool takes_text(const struct tcb *tcb)
{
    return tcb->state == TCPS_ESTABLISHED || tcb->state == TCPS_FIN_WAIT_1 ||
           tcb->state == TCPS_FIN_WAIT_2 || tcp_fastopen_child(tcb);
}

/* RFC 9293 s3.6.1 (SHLD-3), RFC 2525 s2.17: text for a user who has
 * closed is lost, and the peer is told so. */
static void refuse_text(struct tcb *tcb, struct tcp_seg *seg)
{
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPAbortOnData);
    tcp_reject(seg, DROP_TCP_RCV_CLOSED);
    tcp_abort_answer(tcb, seg, -ECONNRESET);
}

/* Nobody will read it, or so shutdown(SHUT_RD) is taken; Linux lets him who calls all
 * the same. */
static void discard_unread(struct tcb *tcb)
{
    if (tcb->rcv.shut && !tcb->tcp->config.shut_rd_keeps)
        rcvq_discard(&tcb->rcv.q, tcb->rcv.q.len);
}

static void fin_taken(struct tcb *tcb);

/* Text came twice. What trim_front() found of the same segment lies before it. */
static void tell_duplicate(struct tcb *tcb, struct range dup)
{
    bool told = !seq_eq(tcb->rcv.dsack.from, tcb->rcv.dsack.to);

    if (tcb->sack_ok && tcb->tcp->config.dsack && !told)
        tcb->rcv.dsack = dup;
}

/* The hole before what came out of order may be filled now. */
static void join(struct tcb *tcb)
{
    struct range dup;
    bool fin;

    if (!tcb->rcv.q.ofo)
        return;
    /* RFC 9293 s3.10.7.4 (MUST-59). RFC 7323 s5.3 (MUST-paws-once): no timestamp is
     * looked at any more. */
    struct seq nxt = rcvq_join(&tcb->rcv.q, tcb->rcv.nxt, &fin, &dup);
    tell_duplicate(tcb, dup);
    tcb->bytes_received += seq_len(tcb->rcv.nxt, nxt);
    tcb->rcv.nxt = nxt;
    discard_unread(tcb);
    tcb->ack_now = true; /* RFC 5681 s4.2 (SHLD-ack-hole): a hole was filled */
    if (fin && !tcb->rcv.fin)
        fin_taken(tcb);
}

/* Every packet that dies is counted, also one that died long after it came. */
static void tell_given_up(struct tcb *tcb)
{
    for (; tcb->rcv.q.given_up > 0; tcb->rcv.q.given_up--)
        net_drop(tcb->tcp->net, NULL, DROP_TCP_OFO_FULL);
}

static void take_in_order(struct tcb *tcb, struct tcp_seg *seg)
{
    uint32_t all = seg->text_len, len = tcp_mem_keep(tcb, seg);

    tell_given_up(tcb);
    if (len < all) {
        seg->flags &= (uint8_t)~TCP_FIN;
        tcb->ack_now = true; /* RFC 9293 s3.8.6: where the window ends, and to go on */
    }
    if (len == 0) {
        tcp_reject(seg, DROP_TCP_RCVBUF);
        return;
    }
    tcb->rcv.nxt = seq_add(tcb->rcv.nxt, len);
    tcb->bytes_received += len;
    discard_unread(tcb);
    owe_ack(tcb, seg, len);
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
}

/* RFC 9293 s3.10.7.4 (SHLD-31, MAY-13), RFC 5681 s3.2 (SHLD-ack-dup), s4.2
 * (SHLD-ack-ofo), RFC 2018 s4 (SHLD-sack-ack).
 *
 * Deviates from RFC 2018 s8 (MUST-sack-newest): text that there is no room for is told
 * of by no block. The peer would believe it, and not send it again before its timer
 * fires. */
static void take_out_of_order(struct tcb *tcb, struct tcp_seg *seg)
{
    struct counters *c = &tcb->tcp->net->count;
    struct range dup;
    size_t room = tcp_mem_ofo_room(tcb);
    enum rcvq_result got = rcvq_insert(&tcb->rcv.q, seg, room, &dup);

    tell_given_up(tcb);
    if (got != RCVQ_OLD)
        count(c, got == RCVQ_KEPT ? COUNT_TcpExtTCPOFOQueue : COUNT_TcpExtTCPOFODrop);
    tcb->rcv_ofo_segs += seg->segs;
    tell_duplicate(tcb, dup);
    if (got != RCVQ_KEPT)
        tcp_reject(seg, got == RCVQ_OLD ? DROP_TCP_DUPLICATE : DROP_TCP_OFO_FULL);
    seg->flags &= (uint8_t)~TCP_FIN; /* it is remembered with the text */
    tcb->ack_now = true;
}

void tcp_take_text(struct tcb *tcb, struct tcp_seg *seg)
{
    bool fin = seg->flags & TCP_FIN;

    if (seg->text_len == 0 && !fin)
        return;
    if (!takes_text(tcb)) {
        tcb->ack_now = true;
        tcp_reject(seg, DROP_TCP_AFTER_FIN);
        return;
    }
    if (!tcb->owned && seg->text_len > 0) {
        refuse_text(tcb, seg);
        return;
    }
    if (seg->text_len > 0)
        tcp_ecn_take_text(tcb, seg);
    if (!seq_eq(seg->seq, tcb->rcv.nxt)) {
        take_out_of_order(tcb, seg);
        return;
    }
    if (seg->text_len > 0)
        take_in_order(tcb, seg);
    if (!(seg->flags & TCP_FIN))
        join(tcb);
}

/* It is kept beside the queue, as if there were a hole before it. */
void tcp_keep_early_text(struct tcb *tcb, struct tcp_seg *seg)
{
    if (seg->text_len > 0)
        take_out_of_order(tcb, seg);
}

/* Its ACK may wait, like that of any text in order. */
void tcp_take_early_text(struct tcb *tcb)
{
    const struct pkt *early = tcb->rcv.q.ofo;
    bool ack_now = tcb->ack_now;

    if (!early || seq_lt(tcb->rcv.nxt, early->seq))
        return;
    join(tcb);
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
    tcb->ack_now = ack_now;
    if (!ack_now)
        tcp_arm(tcb, TT_DELACK, tcb->tcp->net->now + tcb->tcp->config.delack);
}

/* RFC 9293 s3.10.7.4, eighth: the FIN stands at RCV.NXT. */
static void fin_taken(struct tcb *tcb)
{
    tcb->rcv.fin = true; /* RFC 9293 s3.6 (MUST-12) */
    rcvq_forget_ofo(&tcb->rcv.q);
    tcb->rcv.nxt = seq_add(tcb->rcv.nxt, 1);
    tcb->ack_now = true;
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
    if (tcb->state == TCPS_ESTABLISHED)
        tcp_set_state(tcb, TCPS_CLOSE_WAIT);
    else if (tcb->state == TCPS_FIN_WAIT_1)
        tcp_set_state(tcb, TCPS_CLOSING);
    else if (tcb->state == TCPS_FIN_WAIT_2)
        tcp_set_state(tcb, TCPS_TIME_WAIT);
    tcb->fin_now = tcb->state == TCPS_CLOSING && fin_sent(tcb) &&
                   tcb->tcp->config.closing_fin;
}

void tcp_take_fin(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_FIN) || tcb->rcv.fin || !takes_text(tcb))
        return;
    fin_taken(tcb);
}
