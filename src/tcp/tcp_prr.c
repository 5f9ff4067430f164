/* Proportional rate reduction: RFC 6937. While the window is being reduced, text leaves
 * in proportion to what arrives, instead of nothing for half a round trip and a burst
 * then; and if more was lost than the reduction asks for, what is in flight comes back
 * to ssthresh without a burst.
 *
 *     pipe > ssthresh    ssthresh / RecoverFS of what was delivered since it began
 *     else               as much as was delivered (conservative bound); a segment more
 *                        an ACK once a retransmission is known to have arrived (slow
 *                        start bound)
 *
 * Where cwnd stands in between is found anew at each ACK that tells of something, which
 * only SACK lets one count. tapir.tcp_prr switches it. */
#include "base/bytes.h"
#include "tcp/tcb.h"

bool tcp_prr_on(const struct tcb *tcb)
{
    return tcb->tcp->config.prr && tcb->sack_ok;
}

/* s3: the reduction begins with `before` in flight. */
void tcp_prr_begin(struct tcb *tcb, uint32_t before)
{
    tcb->prr = (struct tcb_prr){ .fs = max_u32(before, 1) };
}

static uint32_t above(uint64_t a, uint64_t b)
{
    return a > b ? (uint32_t)(a - b) : 0;
}

void tcp_prr_ack(struct tcb *tcb, const struct sent_news *news)
{
    struct tcb_prr *prr = &tcb->prr;
    struct cc *cc = &tcb->cc;
    bool reducing = tcb->recovery == RECOVERY_FAST || tcb->recovery == RECOVERY_CWR;
    uint32_t pipe = tcp_pipe(tcb), send;

    if (!reducing || !tcp_prr_on(tcb) || news->delivered == 0)
        return;
    if (seq_eq(tcb->snd.una,
               tcb->snd.nxt)) { /* nothing to go by, and nothing to hurt */
        cc->cwnd = cc->ssthresh;
        return;
    }
    prr->delivered += news->delivered;
    if (pipe > cc->ssthresh) {
        uint64_t share = (uint64_t)prr->delivered * cc->ssthresh + prr->fs - 1;
        send = above(share / prr->fs, prr->out);
    } else {
        uint32_t limit = above(prr->delivered, prr->out);
        if (news->resent)
            limit = max_u32(limit, news->delivered) + cc->mss;
        send = min_u32(cc->ssthresh - pipe, limit);
    }
    cc->cwnd = max_u32(pipe + send, 1);
}

void tcp_prr_sent(struct tcb *tcb, uint32_t text)
{
    tcb->prr.out += text;
}
