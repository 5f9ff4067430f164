/* How long the sender had something to do, and what kept it: TCP_INFO's tcpi_busy_time,
 * tcpi_rwnd_limited and tcpi_sndbuf_limited. It is judged at the end of each output,
 * when all has left that could; until the next one it stays so.
 *
 *     nothing queued ............................ idle
 *     text queued, and the peer's window full ... the peer
 *     all sent, and the user was refused room ... the send buffer
 *     else ...................................... the path */
#include "tcp/tcb.h"

static enum tcp_busy_why judge(const struct tcb *tcb)
{
    bool unsent = seq_lt(tcb->snd.nxt, snd_end(tcb));

    if (tcb->state == TCPS_CLOSED || tcb->snd.buf.len == 0)
        return BUSY_IDLE;
    if (unsent && tcp_window_usable(tcb) < tcp_segment_size(tcb) &&
        tcp_cwnd_room(tcb) >= tcb->cc.mss)
        return BUSY_RWND;
    return !unsent && tcb->snd.refused ? BUSY_SNDBUF : BUSY_PATH;
}

void tcp_busy_update(struct tcb *tcb)
{
    struct tcp_busy *b = &tcb->busy;
    enum tcp_busy_why why = judge(tcb);
    usec now = tcb->tcp->net->now;

    if (why == b->why)
        return;
    b->total[b->why] += now - b->since;
    b->why = why;
    b->since = now;
}

usec tcp_busy_time(const struct tcb *tcb, enum tcp_busy_why why)
{
    const struct tcp_busy *b = &tcb->busy;
    bool runs = b->why == why && tcb->state != TCPS_CLOSED;

    return b->total[why] + (runs ? tcb->tcp->net->now - b->since : 0);
}
