/* What is lost, and how it is repaired: RFC 6675 with SACK, RFC 6582 (NewReno) without,
 * RFC 3042's limited transmit, and what a time-out leaves behind (RFC 5681 s3.1).
 *
 *   NONE --3 duplicates, or SACK says so--> FAST --all acknowledged--> NONE
 *     \---------- RTO ----------> RTO <------ RTO ---/
 *
 * Recovery decides what is lost (it marks records) and when congestion control is told;
 * tcp_output() sends lost records first, as far as cwnd lets it. In flight ("pipe") is
 * what is neither acknowledged nor sacked nor lost. Without SACK each duplicate ACK
 * says that one segment has left the network, without saying which (dup_bytes).
 *
 * Where the network says itself that it is congested (tcp_ecn.c) the window is reduced
 * as for a loss: CWR, until something that was sent since then is acknowledged; a loss
 * meanwhile leads to FAST, but takes nothing more. */
#include "base/bytes.h"
#include "tcp/tcb.h"

uint32_t tcp_pipe(const struct tcb *tcb)
{
    uint32_t flying = tcb->sent.bytes[SENT_FLYING];

    /* RFC 5681 s3.2 (SHLD-cc-limited, MUST-cc-limited), RFC 3042: the first duplicates
     * let new segments out (RFC 6675 s5 (3), MAY-rec-limited). Switched off, what they
     * tell does not count before recovery begins. */
    if (tcb->recovery == RECOVERY_NONE && !tcb->tcp->config.limited_transmit)
        return flying + tcb->sent.bytes[SENT_SACKED];
    return flying - min_u32(flying, tcb->dup_bytes); /* RFC 6675 s4 (MUST-rec-pipe) */
}

uint32_t tcp_cwnd_room(const struct tcb *tcb)
{
    uint32_t pipe = tcp_pipe(tcb);

    if (tcb->tcp->net->now < tcb->ecn.pause)
        return 0;
    return pipe < tcb->cc.cwnd ? tcb->cc.cwnd - pipe : 0;
}

/* RFC 2883 s4: a first block below the cumulative ACK, or inside the second, tells of a
 * duplicate. */
bool tcp_is_dsack(const struct tcp_seg *seg)
{
    const struct range *b = seg->opts.sack;
    if (seg->opts.n_sack == 0)
        return false;
    if (seq_leq(b[0].to, seg->ack))
        return true;
    return seg->opts.n_sack > 1 && seq_leq(b[1].from, b[0].from) &&
           seq_leq(b[0].to, b[1].to);
}

void tcp_recovery_sack(struct tcb *tcb, const struct tcp_seg *seg,
                       struct sent_news *news)
{
    if (tcp_is_dsack(seg)) {
        count(&tcb->tcp->net->count, COUNT_TcpExtTCPDSACKRecv);
        tcb->dsack_dups++;
    }
    for (unsigned i = 0; i < seg->opts.n_sack; i++) {
        const struct range *b = &seg->opts.sack[i];
        if (seq_lt(b->from, b->to) && seq_leq(b->to, tcb->snd.nxt) &&
            seq_lt(seq_max(tcb->snd.una, seg->ack), b->to))
            /* RFC 2018 s5 (SHLD-sack-record), RFC 6675 s5 (MUST-rec-update,
             * MUST-rec-each), s5.1 (SHLD-rec-rto-use) */
            sent_sack(&tcb->sent, b->from, b->to, news);
    }
}

static uint32_t flight(const struct tcb *tcb)
{
    return seq_len(tcb->snd.una, tcb->snd.nxt);
}

/* A loss takes its share of FlightSize, or of cwnd as on Linux (tcp_loss_of_cwnd), also
 * where less was out. */
static void lose(struct tcb *tcb, enum cc_loss why, uint32_t before)
{
    if (tcb->tcp->config.loss_of_cwnd)
        before = tcb->cc.cwnd;
    tcp_prr_begin(tcb, before);
    tcb->cc.ops->loss(&tcb->cc, why, before, tcb->tcp->net->now);
}

static void reduce(struct tcb *tcb, enum cc_loss why)
{
    /* RFC 5681 s3.2 (2) (MUST-cc-limited-flight), s4.3 (MUST-cc-loss): what limited
     * transmit sent beyond cwnd does not count. */
    lose(tcb, why, min_u32(flight(tcb), tcb->cc.cwnd));
    tcb->cc.cwnd = tcb->cc.ssthresh; /* RFC 5681 s4.3 (MUST-cc-half) */
    tcb->tlp.out = false;
    tcp_ecn_reduced(tcb);
}

/* A loss is known of that was repaired before (RFC 8985 s7.4.2). */
void tcp_recovery_repaired(struct tcb *tcb)
{
    if (tcb->recovery == RECOVERY_NONE)
        reduce(tcb, CC_LOSS_FAST);
}

/* RFC 3168 s5 (MUST-ecn-as-loss). */
void tcp_recovery_congested(struct tcb *tcb)
{
    bool one = tcb->cc.cwnd <= tcb->cc.mss;

    if (tcb->recovery != RECOVERY_NONE && tcb->recovery != RECOVERY_CWR)
        return;
    reduce(tcb, CC_LOSS_ECN);
    if (one)
        tcp_ecn_pause(tcb);
    tcb->recovery = RECOVERY_CWR;
    tcb->recovery_point = tcb->snd.nxt;
}

static void enter_fast(struct tcb *tcb)
{
    struct counters *c = &tcb->tcp->net->count;

    count(c, tcb->sack_ok ? COUNT_TcpExtTCPSackRecovery : COUNT_TcpExtTCPRenoRecovery);
    /* RFC 2018 s5.1 (MUST-sack-congestion): with SACK as without. */
    if (tcb->recovery != RECOVERY_CWR)
        reduce(tcb, CC_LOSS_FAST);
    tcb->recovery = RECOVERY_FAST;
    tcb->recovery_point = tcb->snd.nxt; /* RFC 6675 s5 (4.1) (MUST-rec-point) */
    if (tcb->sent.bytes[SENT_LOST] == 0)
        sent_mark_head_lost(&tcb->sent, tcb->cc.mss);
    /* RFC 6675 s5 (4.3) (MUST-rec-first): the first lost segment goes out at once. */
    tcb->rexmit_now = true;
}

/* Looks for losses in what the scoreboard tells by now, and begins recovery. */
void tcp_recovery_losses(struct tcb *tcb)
{
    uint32_t thresh = tcb->tcp->config.reordering;
    bool lost = tcb->sack_ok &&
                /* RFC 6675 s4 (SHLD-rec-islost) */
                sent_mark_lost(&tcb->sent, (thresh - 1) * tcb->cc.mss, thresh);

    if (tcb->recovery == RECOVERY_FAST || tcb->recovery == RECOVERY_RTO)
        return; /* RFC 6675 s5.1 (MUST-rec-rto-again) */
    /* RFC 6582 s3.2 (2): duplicates of what a time-out sent again mean nothing new. */
    /* RFC 5681 s3.2 (SHLD-cc-fast, MUST-cc-fast-retransmit), RFC 6675 s5
     * (MUST-rec-enter) */
    bool dup = tcb->dupacks >= thresh &&
               (tcb->sack_ok || seq_lt(tcb->recovery_point, tcb->snd.una));
    if (lost || dup)
        enter_fast(tcb);
}

/* RFC 6675 s4 NextSeg() (3) (SHLD-rec-hole): nothing lost and nothing new, but holes
 * that may be. */
static void try_holes(struct tcb *tcb)
{
    bool idle = tcb->sent.bytes[SENT_LOST] == 0 && !seq_lt(tcb->snd.nxt, snd_end(tcb));
    if (tcb->recovery == RECOVERY_FAST && idle && tcp_cwnd_room(tcb) >= tcb->cc.mss)
        sent_mark_hole_lost(&tcb->sent, tcb->cc.mss);
}

void tcp_recovery_dupack(struct tcb *tcb, bool sacked)
{
    tcb->dupacks++;
    /* After a time-out they tell of what was taken as lost, not of what is in
     * flight. */
    if (!sacked && tcb->recovery != RECOVERY_RTO)
        /* RFC 5681 s3.2 (MUST-cc-inflate, MAY-cc-inflate-bound) */
        tcb->dup_bytes = min_u32(tcb->dup_bytes + tcb->cc.mss, flight(tcb));
    tcp_recovery_losses(tcb);
    if (sacked)
        try_holes(tcb);
}

/* RFC 6675 s5 (A) (SHLD-rec-keep): what is known of the text beyond stays known. */
static void leave(struct tcb *tcb)
{
    if (tcb->recovery == RECOVERY_FAST || tcb->recovery == RECOVERY_CWR)
        /* RFC 5681 s3.2 (MUST-cc-deflate), s4.3 (MUST-cc-after), RFC 6937 s3 */
        tcb->cc.cwnd = max_u32(tcb->cc.ssthresh, tcb->cc.mss);
    tcb->recovery = RECOVERY_NONE;
    tcb->dupacks = 0;
    tcb->dup_bytes = 0;
}

/* An ACK that ends before the recovery point: the next hole is lost as well. */
static void partial_ack(struct tcb *tcb, uint32_t acked)
{
    if (tcb->sack_ok) {
        tcp_recovery_losses(tcb);
        try_holes(tcb);
        return;
    }
    /* RFC 6582 s3.2 (3): retransmit the first that is missing; deflate by what left. */
    uint32_t others = acked > tcb->cc.mss ? acked - tcb->cc.mss : 0;
    tcb->dup_bytes -= min_u32(tcb->dup_bytes, others);
    sent_mark_head_lost(&tcb->sent, tcb->cc.mss);
    tcb->rexmit_now = true;
}

/* RFC 7661 s4.3: a window of which half was used is validated. In slow start that lets
 * it grow to twice what an application sends that does not fill it, as on Linux. */
static bool validated(const struct tcb *tcb)
{
    bool slow_start = tcb->cc.cwnd < tcb->cc.ssthresh;

    return tcb->cwnd_limited || (slow_start && tcb->cc.cwnd / 2 < tcb->most_out);
}

/* `told`: what duplicate ACKs had said of what is acknowledged now. They let new text
 * out in its stead (RFC 3042) and it does not count a second time, but for one
 * segment. */
static void grow(struct tcb *tcb, const struct sent_news *news, uint32_t before,
                 uint32_t told)
{
    uint32_t least = min_u32(news->delivered, tcb->cc.mss);
    uint32_t acked = news->delivered - min_u32(news->delivered, told);
    const struct cc_ack ack = {
        .now = tcb->tcp->net->now,
        .acked = max_u32(acked, least),
        .flight = before,
        .cwnd_limited = validated(tcb),
        .srtt = tcb->rtt.srtt,
        .min_rtt = tcb->rtt.min_rtt,
        .idle = tcb->snd.idle,
        .rtt = news->rtt,
        .una = seq_len(tcb->snd.iss, tcb->snd.una),
        .nxt = seq_len(tcb->snd.iss, tcb->snd.nxt),
        .hystart = tcb->tcp->config.hystart,
    };
    tcb->snd.idle = 0;
    tcb->cc.ops->ack(&tcb->cc, &ack);
}

/* RFC 6675 s5 (A) (MUST-rec-end). Text beyond the recovery point tells that CWR got
 * there. */
static bool recovered(const struct tcb *tcb)
{
    if (tcb->recovery == RECOVERY_CWR)
        return seq_lt(tcb->recovery_point, tcb->snd.una);
    return seq_leq(tcb->recovery_point, tcb->snd.una);
}

void tcp_recovery_ack(struct tcb *tcb, uint32_t acked, const struct sent_news *news)
{
    if (tcb->recovery != RECOVERY_NONE && recovered(tcb)) {
        bool slow_start = tcb->recovery == RECOVERY_RTO;
        leave(tcb);
        tcb->dupacks = news->sacked;
        if (slow_start) /* this ACK is one of it */
            grow(tcb, news, flight(tcb) + acked, 0);
        return;
    }
    if (tcb->recovery == RECOVERY_FAST) {
        partial_ack(tcb, acked);
        return;
    }
    uint32_t told = tcb->dup_bytes;
    /* RFC 6675 s5 (MUST-rec-reset); it may be the first duplicate itself. */
    tcb->dupacks = news->sacked;
    tcb->dup_bytes = 0;
    if (tcb->recovery != RECOVERY_CWR) /* RFC 3168 s6.1.2 (SHLD-ecn-no-growth) */
        grow(tcb, news, flight(tcb) + acked, told);
    tcp_recovery_losses(tcb);
}

/* RFC 9293 s3.8.2 (MUST-19), RFC 6298 s5.4-5.6, RFC 5681 s3.1 (MUST-cc-loss-window,
 * MUST-cc-ssthresh-rto): a second time-out for the same text leaves ssthresh as the
 * first one set it (equation 4); one of what recovery sent again lowers it once more
 * (s4.3, MUST-cc-twice). */
void tcp_recovery_timeout(struct tcb *tcb)
{
    if (tcb->backoff == 0)
        lose(tcb, CC_LOSS_RTO, flight(tcb));
    tcb->cc.cwnd = tcb->cc.mss;
    tcb->tlp.out = false;
    tcp_ecn_reduced(tcb);
    sent_mark_all_lost(&tcb->sent);
    /* RFC 6675 s5.1 (MUST-rec-rto-end, MUST-rec-rto-point) */
    tcb->recovery = RECOVERY_RTO;
    tcb->recovery_point = tcb->snd.nxt;
    tcb->dupacks = 0;
    tcb->dup_bytes = 0;
    tcb->rexmit_now = true;
}
