/* Explicit congestion notification, in its classic form (RFC 3168): a router that would
 * drop a segment marks it instead, and nobody has to send it again.
 *
 *     sender                     router                  receiver
 *       text, ECT(0)  ------------>  CE  ------------------>  sees it
 *       halves its window  <---------------- ACK, ECE ------  on every ACK, until ...
 *       text, CWR  ---------------------------------------->  ... it sees this
 *
 * It is agreed on by the SYNs: ECE and CWR ask for it, ECE alone in the SYN-ACK agrees
 * (net.ipv4.tcp_ecn: 1 asks and agrees, 2 agrees). What a retransmission, a bare ACK or
 * a probe meets on its way nobody would be told of, so they are not ECT.
 *
 * An echo reduces the window once a window, as a loss does and not in addition to one:
 * after any reduction echoes are ignored until something that was sent later, by then
 * with CWR, is acknowledged. The reduction itself is tcp_recovery.c's. CWR leaves in a
 * segment of its own size, because a device that cuts super-segments may repeat it. */
#include "base/bytes.h"
#include "tcp/tcb.h"
#include "wire/ip4_wire.h"

enum {
    ECN_ON = 1, /* net.ipv4.tcp_ecn; 2 agrees only */
    ECT_0 = 2,  /* RFC 3168 s5: the IP header's two bits */
    CE = 3,
};

/* --- agreeing --- */

/* RFC 3168 s6.1.1 (MAY-ecn-agree, MUST-ecn-answer). */
bool tcp_ecn_agrees(const struct tcp *tcp, const struct tcp_seg *syn)
{
    return tcp->config.ecn && !(~syn->flags & (TCP_ECE | TCP_CWR));
}

/* RFC 3168 s6.1.1.1 (MAY-ecn-fallback): a SYN with these flags that nobody answers may
 * have been dropped for them. */
static bool asks(const struct tcb *tcb)
{
    const struct tcp_config *c = &tcb->tcp->config;

    return c->ecn == ECN_ON && !(tcb->syn_resent && c->ecn_fallback);
}

/* RFC 3168 s6.1.1 (MUST-ecn-forms): a SYN-ACK with both flags comes from somebody who
 * only mirrors what he does not know. Whatever SYN asked, the promise to heed marks
 * holds (MUST-ecn-promise). */
void tcp_ecn_take_syn(struct tcb *tcb, const struct tcp_seg *seg)
{
    uint8_t wanted = TCP_ECE | (seg->flags & TCP_ACK ? 0 : TCP_CWR);

    tcb->ecn.ok = tcb->ecn.asked && (seg->flags & (TCP_ECE | TCP_CWR)) == wanted;
}

/* --- what leaves --- */

/* RFC 9293 s3.8.2 (SHLD-8). */
void tcp_ecn_mark(const struct tcb *tcb, struct tcp_tx *tx)
{
    bool fresh = tx->text > 0 && !tx->again && !tx->probe && !tcb->ecn.plain;

    if (tcb->state == TCPS_SYN_SENT) {
        /* RFC 3168 s6.1.1 (SHLD-ecn-unwilling) */
        tx->flags |= asks(tcb) ? TCP_ECE | TCP_CWR : 0;
        return;
    }
    if (!tcb->ecn.ok)
        return;
    if (tx->flags & TCP_SYN || tcb->ecn.echo) /* RFC 3168 s6.1.3 (MUST-ecn-echo) */
        tx->flags |= TCP_ECE;
    /* RFC 3168 s5.2 (MUST-ecn-detectable), s6.1.1 (MUST-ecn-setup,
     * SHLD-ecn-setup-theirs, MUST-ecn-syn-plain), s6.1.4 (MUST-ecn-ack-plain), s6.1.5
     * (MUST-ecn-not-again), s6.1.6 (MUST-ecn-probe-plain) */
    tx->ect = fresh;
    /* RFC 3168 s6.1.1 (MUST-ecn-cwr), s6.1.2 (SHLD-ecn-cwr-new) */
    if (fresh && tcb->ecn.cwr)
        tx->flags |= TCP_CWR;
}

void tcp_ecn_sent(struct tcb *tcb, const struct tcp_tx *tx)
{
    bool asks = tx->flags & TCP_ECE;

    if (tcb->state == TCPS_SYN_SENT) {
        tcb->ecn.asked |= asks;
        tcb->ecn.plain |= !asks;
    }
    if (tx->flags & TCP_CWR) /* RFC 3168 s6.1.2 (SHLD-ecn-cwr-once) */
        tcb->ecn.cwr = false;
}

/* RFC 3168 s5 (SHLD-ecn-ect0). */
uint8_t tcp_ecn_tos(uint8_t tos, bool ect)
{
    return (uint8_t)((tos & ~IP_ECN_MASK) | (ect ? ECT_0 : 0));
}

/* --- what comes --- */

/* RFC 3168 s6.1.5 (SHLD-ecn-window): of text in the window, in order or not. Both marks
 * are acknowledged at once: the peer's window may be so small by now that it waits for
 * this ACK. */
void tcp_ecn_take_text(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (!tcb->ecn.ok)
        return;
    if (seg->flags & TCP_CWR) {
        tcb->ecn.echo = false;
        tcb->ack_now = true;
    }
    if (seg->ecn == CE && !tcb->ecn.echo) {
        tcb->ecn.echo = true;
        tcb->ack_now = true;
    }
    tcb->ecn.seen |= seg->ecn != 0;
}

/* The window was reduced, whatever for: RFC 3168 s6.1.2 (SHLD-ecn-once). */
void tcp_ecn_reduced(struct tcb *tcb)
{
    tcb->ecn.cwr = tcb->ecn.ok;
    tcb->ecn.reduced = true;
    tcb->ecn.until = tcb->snd.nxt;
}

/* RFC 3168 s6.1.2 (MUST-ecn-one): half a segment is none, so time takes the place of
 * the window: the timer begins anew, and nothing new leaves until then. */
void tcp_ecn_pause(struct tcb *tcb)
{
    tcb->cc.cwnd = tcb->cc.ssthresh = tcb->cc.mss;
    tcb->ecn.pause = tcb->tcp->net->now + tcp_rto(tcb);
    tcp_arm(tcb, TT_REXMT, tcb->ecn.pause);
}

bool tcp_ecn_echoed(const struct tcb *tcb, const struct tcp_seg *seg)
{
    return tcb->ecn.ok && (seg->flags & TCP_ECE);
}

void tcp_ecn_take_echo(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (!tcb->ecn.ok || seq_lt(seg->ack, tcb->snd.una))
        return;
    if (seq_lt(tcb->ecn.until, seg->ack))
        tcb->ecn.reduced = false;
    bool out = seq_lt(tcb->snd.una, tcb->snd.nxt);
    if (tcp_ecn_echoed(tcb, seg) && out && !tcb->ecn.reduced)
        tcp_recovery_congested(tcb);
}
