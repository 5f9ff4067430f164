/* The timers of a connection.
 *
 *   PROBE       armed while something is out that no loss is known of
 *               fires: a segment more (tcp_tlp.c), and REXMT begins anew
 *   REXMT       armed while anything is out (RFC 6298 s5)
 *               fires: all of it is lost, the first segment goes again, RTO doubles.
 *               Gives up after tcp_retries2, for a SYN after tcp_syn_retries, and when
 *               nobody owns the connection after tcp_orphan_retries
 *   PERSIST     armed while something could be sent but for the peer's window
 *               fires: a probe if the window is shut, else what is small leaves after
 *               all (the override of s3.8.6.2.1); doubles. Gives up only if nobody
 *               answers
 *   DELACK      armed by text that is not acknowledged yet
 *               fires: ACK
 *   KEEP        armed while SO_KEEPALIVE is set
 *               fires after tcp_keepalive_time of silence with a probe, then every
 *               _intvl. Gives up after _probes without an answer
 *   TRIM        armed when the send buffer is empty
 *               fires: its memory is given back
 *   FIN_WAIT_2  armed when nobody owns it and only the peer's FIN is missing
 *               fires: the connection is forgotten
 *
 * One deadline in the stack's heap stands for the earliest of them. They fire in this
 * order, so that runs repeat. Half-open entries and TIME-WAIT have deadlines of their
 * own (tcp_listen.c, tcp_timewait.c). */
#include <errno.h>

#include "tcp/tcb.h"

enum { BACKOFF_MAX = 31 };

usec tcp_rto(const struct tcb *tcb)
{
    return rtt_rto(&tcb->rtt, (unsigned)tcb->karn + tcb->backoff);
}

static bool due(struct tcb *tcb, enum tcp_timer which)
{
    if (tcb->at[which] > tcb->tcp->net->now)
        return false;
    tcb->at[which] = NEVER;
    return true;
}

static void give_up(struct tcb *tcb)
{
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPAbortOnTimeout);
    tcp_fastopen_unanswered(tcb);
    tcp_abort(tcb, tcb->soft ? tcb->soft : -ETIMEDOUT);
}

static bool opening(const struct tcb *tcb)
{
    return tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED;
}

/* RFC 9293 s3.8.3 (MUST-21): TCP_USER_TIMEOUT is an R2 in time. As on Linux it is
 * counted from the first repetition on, or the first SYN, and then nothing else ends
 * the connection but a SYN's tries. */
static bool user_timed_out(struct tcb *tcb)
{
    usec now = tcb->tcp->net->now;

    if (tcb->opt.user_timeout == 0 || tcb->stalled == NEVER)
        return false;
    return now - tcb->stalled >= tcb->opt.user_timeout;
}

/* A repetition leaves: the next one is due after `wait`, or when the user's patience
 * ends. */
static void repeat_after(struct tcb *tcb, enum tcp_timer which, usec wait)
{
    usec now = tcb->tcp->net->now;

    if (tcb->stalled == NEVER)
        tcb->stalled = now;
    if (tcb->opt.user_timeout)
        wait = usec_min(wait, tcb->stalled + tcb->opt.user_timeout - now);
    tcp_arm(tcb, which, now + wait);
}

/* RFC 9293 s3.8.3: R2 (MUST-20, SHLD-11), or for a SYN its own (MUST-22), three minutes
 * at least (MUST-23). */
static uint8_t most_retries(const struct tcb *tcb)
{
    const struct tcp_config *c = &tcb->tcp->config;

    if (opening(tcb) && tcb->opt.syncnt)
        return tcb->opt.syncnt;
    if (opening(tcb))
        return tcb->passive ? c->synack_retries : c->syn_retries;
    return tcb->owned ? c->retries2 : c->orphan_retries;
}

/* RFC 9293 s3.8.6 (MUST-35, SHLD-17): where the peer shut its window on what is out,
 * each retransmission is a probe, and the connection lasts for as long as it answers.
 */
static bool out_of_tries(struct tcb *tcb)
{
    bool shut = tcb->snd.wnd == 0 && tcb->owned && !opening(tcb);

    if (user_timed_out(tcb))
        return true;
    if (tcb->opt.user_timeout && !opening(tcb))
        return false;
    if (shut)
        return ++tcb->probes > most_retries(tcb);
    return tcb->backoff >= most_retries(tcb);
}

static void rexmt_fires(struct tcb *tcb)
{
    if (tcp_mem_orphan_must_go(tcb)) {
        tcp_abort_on_memory(tcb);
        return;
    }
    if (out_of_tries(tcb)) {
        give_up(tcb);
        return;
    }
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPTimeouts);
    tcb->rtos++;
    if (tcb->backoff == 0)
        tcb->series++;
    if (opening(tcb)) {
        tcb->syn_resent = true;
        sent_mark_head_lost(&tcb->sent, 1);
        if (tcb->fast.child) /* RFC 5681 s3.1 (MUST-cc-initial-lost) */
            tcb->cc.cwnd = tcb->cc.mss;
    } else {
        tcp_recovery_timeout(tcb);
        tcp_detect_black_hole(tcb);
    }
    if (tcb->backoff < BACKOFF_MAX)
        tcb->backoff++;
    if (tcb->backoff ==
        tcb->tcp->config.retries1) /* RFC 9293 s3.8.3 (b) (MUST-20): R1 */
        ip_doubt(tcb->tcp->net, tcb->slot.remote);
    repeat_after(tcb, TT_REXMT, tcp_rto(tcb));
}

/* RFC 9293 s3.8.6.1 (MUST-37): for as long as the peer answers. */
static void persist_fires(struct tcb *tcb)
{
    const struct tcp_config *c = &tcb->tcp->config;
    uint8_t most = tcb->owned ? c->retries2 : c->orphan_retries;
    bool shut = tcp_window_usable(tcb) == 0;

    /* A closed connection whose peer never reads is not kept for ever. */
    bool unread = !tcb->owned && tcb->backoff >= most;
    if (tcp_mem_orphan_must_go(tcb)) {
        tcp_abort_on_memory(tcb);
        return;
    }
    if (tcb->probes >= most || unread || (shut && user_timed_out(tcb))) {
        give_up(tcb);
        return;
    }
    if (shut) {
        tcb->probe_now = true;
        tcb->probes++;
        count(&tcb->tcp->net->count, COUNT_TcpExtTCPWinProbe);
    } else {
        tcb->push_now = true; /* RFC 9293 s3.9.1.2 (MUST-60) */
    }
    if (shut && tcb->backoff < BACKOFF_MAX)
        tcb->backoff++;
    /* RFC 9293 s3.8.6.1 (SHLD-30) */
    if (shut)
        repeat_after(tcb, TT_PERSIST, rtt_rto(&tcb->rtt, tcb->backoff));
    else
        tcp_arm(tcb, TT_PERSIST, tcb->tcp->net->now + rtt_rto(&tcb->rtt, tcb->backoff));
}

/* RFC 9293 s3.8.4 (MUST-27) */
static usec keepidle(const struct tcb *tcb)
{
    return tcb->opt.keepidle ? tcb->opt.keepidle : tcb->tcp->config.keepalive_time;
}

static bool keeps(const struct tcb *tcb)
{
    /* RFC 9293 s3.8.4 (MUST-24, MUST-25) */
    return tcb->opt.keepalive && tcb->state != TCPS_CLOSED &&
           tcb->state != TCPS_TIME_WAIT && tcb->state != TCPS_SYN_SENT;
}

void tcp_restart_keepalive(struct tcb *tcb)
{
    usec at = tcb->tcp->net->now + keepidle(tcb);
    tcp_arm(tcb, TT_KEEP, keeps(tcb) ? at : NEVER);
}

/* RFC 9293 s3.8.4 (MAY-5). While something is out, retransmission does the asking. */
static void keep_fires(struct tcb *tcb)
{
    const struct tcp_config *c = &tcb->tcp->config;
    usec now = tcb->tcp->net->now;
    usec interval = tcb->opt.keepintvl ? tcb->opt.keepintvl : c->keepalive_intvl;
    uint8_t most = tcb->opt.keepcnt ? tcb->opt.keepcnt : c->keepalive_probes;
    bool out = !seq_eq(tcb->snd.una, tcb->snd.nxt);

    if (!keeps(tcb))
        return;
    if (out || now - tcb->rcv.last < keepidle(tcb)) { /* RFC 9293 s3.8.4 (MUST-26) */
        tcp_arm(tcb, TT_KEEP, (out ? now : tcb->rcv.last) + keepidle(tcb));
        return;
    }
    /* As on Linux, TCP_USER_TIMEOUT takes the place of TCP_KEEPCNT. RFC 9293 s3.8.4
     * (MUST-29) */
    bool silent = tcb->opt.user_timeout
                      ? tcb->probes > 0 && now - tcb->rcv.last >= tcb->opt.user_timeout
                      : tcb->probes >= most;
    if (silent) {
        give_up(tcb);
        return;
    }
    tcb->probes++;
    tcb->probe_now = true;
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPKeepAlive);
    tcp_arm(tcb, TT_KEEP, now + interval);
}

static void delack_fires(struct tcb *tcb)
{
    tcb->ack_now = true;
    tcb->rcv.answered = false; /* nothing came for the ACK to ride on */
    count(&tcb->tcp->net->count, COUNT_TcpExtDelayedACKs);
}

bool tcp_await_fin(struct tcb *tcb)
{
    usec wait = tcb->opt.linger2 ? tcb->opt.linger2 : tcb->tcp->config.fin_timeout;

    if (wait == NEVER)
        return false;
    tcp_arm(tcb, TT_FIN_WAIT_2, tcb->tcp->net->now + wait);
    return true;
}

void tcp_fire(struct tcb *tcb)
{
    if (due(tcb, TT_FIN_WAIT_2))
        tcp_finish(tcb, 0);
    if (tcb->state != TCPS_CLOSED && due(tcb, TT_PROBE))
        tcp_tlp_fires(tcb);
    if (tcb->state != TCPS_CLOSED && due(tcb, TT_REXMT))
        rexmt_fires(tcb);
    if (tcb->state != TCPS_CLOSED && due(tcb, TT_PERSIST))
        persist_fires(tcb);
    if (tcb->state != TCPS_CLOSED && due(tcb, TT_KEEP))
        keep_fires(tcb);
    if (tcb->state != TCPS_CLOSED && due(tcb, TT_DELACK))
        delack_fires(tcb);
    if (due(tcb, TT_TRIM))
        ring_trim(&tcb->snd.buf);
    tcp_mem_update(tcb);
    if (tcb->state == TCPS_CLOSED)
        return;
    tcp_dirty(tcb);
    tcp_rearm(tcb);
}

void tcp_deadline(struct tcp *tcp, struct deadline *d)
{
    if (d->owner == DL_TCB)
        tcp_fire(list_entry(d, struct tcb, deadline));
    else if (d->owner == DL_HALF_OPEN)
        tcp_half_open_fire(list_entry(d, struct tcp_half_open, deadline));
    else
        tcp_timewait_fire(tcp);
}
