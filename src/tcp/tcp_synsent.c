/* SYN-SENT (RFC 9293 s3.10.7.3): our SYN is out. A SYN-ACK opens the connection; a SYN
 * alone is a simultaneous open; a RST for our SYN means that nobody listens. */
#include <errno.h>

#include "tcp/tcb.h"

/* How long the ACK of a SYN-ACK waits for text: Linux's TCP_DELACK_MAX. */
#define DELACK_MAX (200 * USEC_PER_MS)

/* It is answered with a RST, but for a RST. */
static bool refuse(struct tcb *tcb, struct tcp_seg *seg, enum drop why)
{
    const struct tcp_reply rst = { .slot = &tcb->slot,
                                   .seq = seg->ack,
                                   .flags = TCP_RST };
    if (!(seg->flags & TCP_RST))
        tcp_reply(tcb->tcp, &rst);
    return tcp_reject(seg, why);
}

/* First: an ACK must be of our SYN. */
static bool check_synsent_ack(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_ACK))
        return true;
    if (seq_lt(tcb->snd.iss, seg->ack) && seq_leq(seg->ack, tcb->snd.nxt))
        return true;
    return refuse(tcb, seg, DROP_TCP_BAD_ACK);
}

/* Second: a RST that acknowledges our SYN; any other is blind (RFC 5961 s3.2,
 * MUST-rst-synsent). */
static bool check_synsent_rst(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_RST))
        return true;
    if (seg->flags & TCP_ACK)
        tcp_finish(tcb, -ECONNREFUSED);
    else
        tcp_reject(seg, DROP_TCP_RST_CHALLENGED);
    return false;
}

/* RFC 7323 s3.2: it echoes what a SYN of ours said, or it answers none of them. */
static bool check_synsent_echo(struct tcb *tcb, struct tcp_seg *seg)
{
    const struct tcp *tcp = tcb->tcp;
    bool echo = tcp->config.timestamps && seg->opts.has_ts && seg->opts.ts_ecr != 0;
    uint32_t now = tcp_ts_now(tcp, tcb->ts.offset);
    /* The first SYN left when the connection stalled first; a tick for rounding. */
    uint32_t age = (uint32_t)((tcp->net->now - tcb->stalled) / USEC_PER_MS) + 1;

    if (!(seg->flags & TCP_ACK) || !echo || now - seg->opts.ts_ecr <= age)
        return true;
    count(&tcp->net->count, COUNT_TcpExtPAWSActive);
    return refuse(tcb, seg, DROP_TCP_PAWS);
}

static void take_syn(struct tcb *tcb, const struct tcp_seg *seg)
{
    tcb->rcv.irs = seg->seq;
    tcb->rcv.nxt = tcb->rcv.acked = seq_add(seg->seq, 1);
    tcb->rcv.adv = seq_add(tcb->rcv.nxt,
                           tcp_first_window(tcb->rcv.limit, tcb->opt.window_clamp));
    tcb->ts.last_ack = tcb->rcv.nxt;
    tcp_agree_options(tcb, &seg->opts);
    tcp_ecn_take_syn(tcb, seg);
}

/* The SYN-ACK: ESTABLISHED, with our ACK at once, or as on Linux with the first text if
 * the user said that there will be some (TCP_QUICKACK 0, TCP_DEFER_ACCEPT), or waits
 * with it. */
static void complete(struct tcb *tcb, const struct tcp_seg *seg)
{
    struct sent_news news = { .sent_at = NEVER };

    sent_ack(&tcb->sent, seg->ack, &news);
    tcb->snd.una = seg->ack;
    tcp_free_text(tcb, seg->ack);
    if (news.sent_at != NEVER && !news.resent)
        rtt_sample(&tcb->rtt, tcb->tcp->net->now - news.sent_at);
    tcp_arm(tcb, TT_REXMT, NEVER);
    tcb->recovery = RECOVERY_NONE;
    tcp_established(tcb, seg);
    tcp_fastopen_take_syn_ack(tcb, seg);
    if (tcb->opt.lazy_ack || tcb->opt.defer_accept || tcb->fast.more)
        tcp_arm(tcb, TT_DELACK, tcb->tcp->net->now + DELACK_MAX);
    else
        tcb->ack_now = true;
}

/* RFC 9293 s3.5, figure 7 (MUST-10): both sides opened. Our SYN goes out once more, now
 * with an ACK. Text waits for ESTABLISHED (s3.10.7.3, fourth); a FIN comes again. */
static void cross(struct tcb *tcb, struct tcp_seg *seg)
{
    tcb->snd.wnd = seg->wnd;
    tcb->snd.max_wnd = seg->wnd;
    tcb->snd.wl1 = seg->seq;
    tcp_set_state(tcb, TCPS_SYN_RECEIVED);
    sent_mark_all_lost(&tcb->sent);
    seg->flags &= (uint8_t) ~(TCP_SYN | TCP_FIN);
    seg->seq = tcb->rcv.nxt;
    tcp_keep_early_text(tcb, seg);
}

/* Figure 7, line 6. By s3.10.7.4, first, it would be an old segment: acknowledged and
 * dropped, with nothing left that the peer must answer until a timer runs. */
bool tcp_crossed_syn_ack(const struct tcb *tcb, const struct tcp_seg *seg)
{
    uint8_t flags = seg->flags & (TCP_SYN | TCP_ACK | TCP_RST);

    return tcb->state == TCPS_SYN_RECEIVED && flags == (TCP_SYN | TCP_ACK) &&
           seq_eq(seg->seq, tcb->rcv.irs) && seq_eq(seg->ack, tcb->snd.nxt);
}

void tcp_synsent_input(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!check_synsent_ack(tcb, seg))
        return;
    if (!check_synsent_rst(tcb, seg))
        return;
    if (!check_synsent_echo(tcb, seg))
        return;
    if (!(seg->flags & TCP_SYN)) { /* fifth */
        tcp_reject(seg, DROP_TCP_FLAGS);
        return;
    }
    take_syn(tcb, seg); /* fourth */
    if (!(seg->flags & TCP_ACK)) {
        cross(tcb, seg);
        return;
    }
    complete(tcb, seg);
    /* "continue processing at the sixth step": text and FIN that came with the SYN */
    seg->flags &= (uint8_t)~TCP_SYN;
    seg->seq = seq_add(seg->seq, 1);
    tcp_take_urgent(tcb, seg);
    tcp_take_text(tcb, seg);
    tcp_take_fin(tcb, seg);
    tcp_take_early_text(tcb);
}
