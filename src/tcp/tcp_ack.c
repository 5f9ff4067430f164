/* Step five of SEGMENT ARRIVES: the acknowledgment.
 *
 *   is it ours?  -> what does it acknowledge? -> the window -> is our FIN acknowledged?
 *
 * Acknowledged text leaves the send buffer and the record of what was sent; that gives
 * the round-trip sample, feeds congestion control and tells recovery what is lost
 * (tcp_recovery.c). */
#include "base/bytes.h"
#include "tcp/tcb.h"

enum { RTO_AFTER_SYN_LOSS = 3 }; /* seconds: RFC 6298 s5.7 (MUST-rto-syn) */

/* So long an empty send buffer keeps its memory: a busy one needs it again at once, and
 * fresh pages cost more than the bytes that are copied into them. */
#define TRIM_AFTER USEC_PER_SEC

static void set_window(struct tcb *tcb, const struct tcp_seg *seg, uint32_t wnd)
{
    tcb->snd.wnd = wnd;
    tcb->snd.max_wnd = max_u32(tcb->snd.max_wnd, wnd);
    tcb->snd.wl1 = seg->seq;
    tcb->snd.wl2 = seg->ack;
}

/* RFC 9293 s3.1 (MUST-1): unsigned. RFC 7323 s2.2 (MUST-wscale-syn), s2.3
 * (MUST-wscale-in): the window of a SYN is never scaled, all others are. */
static uint32_t window_of(const struct tcb *tcb, const struct tcp_seg *seg)
{
    if (seg->flags & TCP_SYN)
        return seg->wnd;
    return (uint32_t)seg->wnd << tcb->snd.wscale;
}

void tcp_begin_transfer(struct tcb *tcb, const struct tcp_seg *seg)
{
    const struct tcp_config *c = &tcb->tcp->config;
    struct tcp_opts opts = { .has_ts = tcb->ts.on };
    uint32_t mss = (uint32_t)(tcb->snd.mss - tcp_opts_len(&opts));
    /* RFC 5681 s3.1 (MUST-cc-syn-ack): whatever the handshake acknowledged; and
     * (MUST-cc-initial-lost): after a lost SYN it is one segment. */
    uint32_t segments = tcb->syn_resent ? 1 : c->initcwnd;

    set_window(tcb, seg, window_of(tcb, seg));
    cc_start(&tcb->cc, tcb->opt.cc, mss, cc_initial_window(mss, segments));
    if (tcb->syn_resent && tcb->rtt.srtt == 0)
        tcb->rtt.rto = RTO_AFTER_SYN_LOSS * USEC_PER_SEC;
    tcb->recovery_point = tcb->snd.iss;
    tcb->most_upto = tcb->snd.una;
    tcb->snd.small_end = tcb->snd.una;
    tcb->rcv.quick = c->quickack;
    tcb->rcv.answered = tcb->opt.lazy_ack || tcb->fast.more;
    tcb->rcv.last_text = tcb->tcp->net->now;
}

void tcp_established(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (!tcb->fast.child)
        tcp_begin_transfer(tcb, seg);
    tcb->stalled = NEVER;
    tcb->backoff = 0;
    /* As Linux counts: our SYN, unless it is on the record still. */
    tcb->delivered = !seq_eq(tcb->snd.una, tcb->snd.iss);
    tcp_set_state(tcb, TCPS_ESTABLISHED);
    if (tcb->snd.fin) /* closed meanwhile (RFC 9293 s3.10.4, SYN-RECEIVED) */
        tcp_set_state(tcb, TCPS_FIN_WAIT_1);
}

/* RFC 9293 s3.8.1 (MUST-18), RFC 6298 s3 (MUST-rto-karn, MUST-rto-rate) and RFC 7323
 * s4.1 (MAY-ts-sample): from the record where that is not ambiguous, else from the
 * timestamp that the ACK echoes. False: neither tells.
 *
 * An echo that is older than the last transmission may come from a slow path, or from a
 * receiver that had the first copy, lost its ACK on the way, and answers the second
 * copy with the echo that it had (RFC 7323 s5.3 does not take TS.Recent from
 * duplicates). Such an age holds our own time-out, and an SRTT fed with it grows
 * without end. So it is no sample, and the doubled RTO stays until there is one (Karn).
 */
static bool take_rtt(struct tcb *tcb, const struct tcp_seg *seg, struct sent_news *news)
{
    usec now = tcb->tcp->net->now;

    if (news->sent_at != NEVER && !news->resent) {
        news->rtt = now - news->sent_at;
        rtt_sample(&tcb->rtt, news->rtt);
        return true;
    }
    if (!news->resent || !tcb->ts.on || !seg->opts.has_ts || seg->opts.ts_ecr == 0)
        return false;
    int32_t ms = (int32_t)(tcp_ts_now(tcb->tcp, tcb->ts.offset) - seg->opts.ts_ecr);
    if (ms < 0 || ms > (now - news->resent_at) / USEC_PER_MS + 1)
        return false;
    news->rtt = usec_max(ms, 1) * USEC_PER_MS;
    rtt_sample(&tcb->rtt, news->rtt);
    return true;
}

/* RFC 6298 s5 (end), Karn: what only a retransmission was acknowledged for keeps the
 * doubled RTO, until a sample tells that the path is not that slow. */
static void settle_rto(struct tcb *tcb, bool sampled)
{
    if (sampled)
        tcb->karn = 0;
    else if (tcb->karn + tcb->backoff < UINT8_MAX)
        tcb->karn = (uint8_t)(tcb->karn + tcb->backoff);
    tcb->backoff = 0;
}

/* Takes [SND.UNA, ack) out of the send buffer, and no more (RFC 2018 s8,
 * MUST-sack-cumulative; RFC 6675 s4, MUST-rec-kept). */
void tcp_free_text(struct tcb *tcb, struct seq ack)
{
    if (!seq_lt(tcb->snd.buf_seq, ack))
        return;
    size_t n = min_size(seq_len(tcb->snd.buf_seq, ack), tcb->snd.buf.len);
    ring_drop(&tcb->snd.buf, n);
    tcb->snd.buf_seq = seq_add(tcb->snd.buf_seq, (uint32_t)n);
    tcb->bytes_acked += n;
    if (tcb->snd.buf.len == 0 && tcb->tcp->mem.pressure)
        ring_trim(&tcb->snd.buf);
    else if (tcb->snd.buf.len == 0)
        tcp_arm(tcb, TT_TRIM, tcb->tcp->net->now + TRIM_AFTER);
}

/* SND.UNA < SEG.ACK =< SND.NXT. */
static void take_new_ack(struct tcb *tcb, const struct tcp_seg *seg,
                         struct sent_news *news)
{
    uint32_t acked = seq_len(tcb->snd.una, seg->ack);

    sent_ack(&tcb->sent, seg->ack, news);
    count_n(&tcb->tcp->net->count, COUNT_TcpExtTCPDelivered,
            (news->delivered + tcb->snd.mss - 1u) / tcb->snd.mss);
    tcp_free_text(tcb, seg->ack);
    tcb->snd.una = seg->ack;
    tcb->soft = 0;
    if (tcb->backoff > 0 && tcb->stalled != NEVER)
        tcb->rto_time += tcb->tcp->net->now - tcb->stalled;
    tcb->stalled = NEVER;
    settle_rto(tcb, take_rtt(tcb, seg, news));
    tcp_recovery_ack(tcb, acked, news);
    tcb->snd.more = false; /* MSG_MORE waits for one more send or ACK, as on Linux */
    /* RFC 6298 s5 (MUST-rto-early, SHLD-rto-manage), s5.2, s5.3: off when all is
     * acknowledged, else it begins anew. */
    bool all = seq_eq(tcb->snd.una, tcb->snd.nxt);
    if (all)
        tcb->snd.emptied = tcb->tcp->net->now;
    tcp_arm(tcb, TT_REXMT, all ? NEVER : tcb->tcp->net->now + tcp_rto(tcb));
    tcp_tlp_schedule(tcb);
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
}

/* RFC 5681 s2: what counts as a duplicate. With SACK it is new information about what
 * arrived that counts (RFC 6675 s5, MUST-rec-count; RFC 5681 s3.2,
 * MUST-cc-limited-sack), whatever else the segment carries. */
static bool is_duplicate(const struct tcb *tcb, const struct tcp_seg *seg)
{
    return seq_lt(tcb->snd.una, tcb->snd.nxt) && tcp_seg_len(seg) == 0 &&
           window_of(tcb, seg) == tcb->snd.wnd;
}

static void take_acknowledgment(struct tcb *tcb, const struct tcp_seg *seg)
{
    struct sent_news news = { .sent_at = NEVER };

    tcp_ecn_take_echo(tcb, seg);
    tcp_tlp_take_ack(tcb, seg);
    if (tcb->sack_ok && seg->opts.n_sack)
        tcp_recovery_sack(tcb, seg, &news);
    if (seq_lt(tcb->snd.una, seg->ack))
        take_new_ack(tcb, seg, &news);
    else if (news.sacked || (!tcb->sack_ok && is_duplicate(tcb, seg)))
        tcp_recovery_dupack(tcb, news.sacked);
    tcp_prr_ack(tcb, &news);
    uint32_t segs = (news.delivered + tcb->snd.mss - 1u) / tcb->snd.mss;
    tcb->delivered += segs;
    if (tcp_ecn_echoed(tcb, seg)) {
        tcb->delivered_ce += segs;
        count_n(&tcb->tcp->net->count, COUNT_TcpExtTCPDeliveredCE, segs);
    }
    if (seg->text_len == 0)
        count(&tcb->tcp->net->count, COUNT_TcpExtTCPPureAcks);
}

/* What waited for it goes on: new text, or text that was out when the window shut, was
 * thrown away by the peer and sent again in vain since. */
static void window_opened(struct tcb *tcb)
{
    tcb->stalled = NEVER;
    if (tcb->at[TT_PERSIST] != NEVER) {
        tcp_arm(tcb, TT_PERSIST, NEVER);
        tcb->backoff = 0;
    }
    if (tcb->backoff > 0 && !seq_eq(tcb->snd.una, tcb->snd.nxt)) {
        tcb->backoff = 0;
        sent_mark_head_lost(&tcb->sent, tcb->cc.mss);
        tcb->rexmit_now = true;
        tcp_arm(tcb, TT_REXMT, tcb->tcp->net->now + tcp_rto(tcb));
    }
}

/* RFC 9293 s3.10.7.4: from a segment that is not older than the one it was
 * taken from. */
static void take_window(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (seq_lt(seg->seq, tcb->snd.wl1))
        return;
    if (seq_eq(seg->seq, tcb->snd.wl1) && seq_lt(seg->ack, tcb->snd.wl2))
        return;
    bool opened = tcb->snd.wnd == 0;
    set_window(tcb, seg, window_of(tcb, seg));
    if (opened && tcb->snd.wnd > 0)
        window_opened(tcb);
}

/* False when that was the last thing this connection waited for. */
static bool take_fin_acked(struct tcb *tcb)
{
    if (!fin_sent(tcb) || !seq_lt(snd_end(tcb), tcb->snd.una))
        return true;
    if (tcb->state == TCPS_FIN_WAIT_1)
        tcp_set_state(tcb, TCPS_FIN_WAIT_2);
    if (tcb->state == TCPS_CLOSING)
        tcp_set_state(tcb, TCPS_TIME_WAIT);
    if (tcb->state == TCPS_LAST_ACK)
        tcp_finish(tcb, 0);
    return tcb->state != TCPS_TIME_WAIT && tcb->state != TCPS_CLOSED;
}

/* SYN-RECEIVED of a simultaneous open: the ACK of our SYN. */
static bool complete_handshake(struct tcb *tcb, struct tcp_seg *seg)
{
    if (seq_lt(tcb->snd.una, seg->ack) && seq_leq(seg->ack, tcb->snd.nxt)) {
        tcp_established(tcb, seg);
        return true;
    }
    const struct tcp_reply rst = { .slot = &tcb->slot,
                                   .seq = seg->ack,
                                   .flags = TCP_RST };
    tcp_reply(tcb->tcp, &rst);
    return tcp_reject(seg, DROP_TCP_BAD_ACK);
}

/* RFC 9293 s3.10.7.4 (MAY-12), RFC 5961 s5.2 (MAY-ack-range, MUST-ack-range): neither
 * what was never sent nor what was acknowledged long ago. */
bool tcp_ack_in_range(const struct tcb *tcb, const struct tcp_seg *seg)
{
    struct seq oldest = seq_sub(tcb->snd.una, max_u32(tcb->snd.max_wnd, tcb->snd.mss));

    return seq_leq(oldest, seg->ack) && seq_leq(seg->ack, tcb->snd.nxt);
}

bool tcp_check_ack(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_ACK)) /* RFC 7323 s3.2 (MUST-ts-ecr-ignored) */
        return tcp_reject(seg, DROP_TCP_NO_ACK);
    if (tcb->state == TCPS_SYN_RECEIVED && !complete_handshake(tcb, seg))
        return false;
    if (!tcp_ack_in_range(tcb, seg)) {
        /* Deviates from RFC 9293 s3.10.7.4 (fifth) where tcp_ack_unsent is 0: Linux
         * says nothing to an ACK of what was never sent. */
        if (tcb->tcp->config.ack_unsent || seq_lt(seg->ack, tcb->snd.una))
            tcp_challenge(tcb, seg);
        return tcp_reject(seg, DROP_TCP_BAD_ACK); /* RFC 5961 s5.2 (MUST-ack-drop) */
    }
    take_acknowledgment(tcb, seg);
    if (!seq_lt(seg->ack, tcb->snd.una))
        take_window(tcb, seg);
    return take_fin_acked(tcb);
}
