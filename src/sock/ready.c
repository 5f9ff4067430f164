/* Readiness, from buffers and states, after Linux's tcp_poll and datagram_poll:
 *
 *     listener      IN when a connection waits to be accepted
 *     fresh         OUT and HUP, as there is nothing that could be waited for
 *     SYN-SENT      nothing, until it is connected or dead; OUT if its SYN waits for
 *                   text (TCP_FASTOPEN_CONNECT)
 *     else          IN     SO_RCVLOWAT bytes can be read, or reading has ended
 *                   OUT    at least a third of the send buffer is free (free room is
 *                          half of what is taken: fewer, larger wake-ups) and less
 *                          than half of TCP_NOTSENT_LOWAT is unsent, or writing has
 *                          ended
 *                   PRI    urgent data was announced and not all of it read
 *                   RDHUP  reading has ended
 *                   HUP    both directions have ended
 *                   ERR    an error waits for SO_ERROR, or a report of MSG_ZEROCOPY
 *
 * A call after one of these does not block; it may still fail. */
#include "sock/sock.h"

static unsigned listener_readiness(const struct tcp_listener *l)
{
    return tcp_acceptable(l) > 0 ? SOCK_IN : 0;
}

/* As Linux's tcp_epollin_ready(): so much as SO_RCVLOWAT, or no more can come. */
static bool readable(const struct tcb *tcb, uint32_t low)
{
    size_t n = tcp_readable(tcb);
    return n > 0 && (n >= low || tcp_window_used_up(tcb));
}

static unsigned tcb_readiness(const struct tcb *tcb, uint32_t rcv_low)
{
    enum tcp_state state = tcp_state_of(tcb);
    bool read_ended = tcp_read_ended(tcb), write_ended = tcp_write_ended(tcb);
    unsigned ready = 0;
    if (tcp_peek_error(tcb))
        ready |= SOCK_ERR;
    if (state == TCPS_CLOSED || (read_ended && write_ended))
        ready |= SOCK_HUP;
    if (read_ended)
        ready |= SOCK_IN | SOCK_RDHUP;
    if (tcp_fastopen_waits(tcb)) /* for text, with which it begins */
        return ready | SOCK_OUT;
    bool opening = state == TCPS_SYN_SENT || state == TCPS_SYN_RECEIVED;
    if (opening && !tcp_fastopen_child(tcb))
        return ready;
    if (readable(tcb, rcv_low))
        ready |= SOCK_IN;
    if (tcp_urgent_left(tcb) > 0)
        ready |= SOCK_PRI;
    if (write_ended || tcp_has_room(tcb))
        ready |= SOCK_OUT;
    return ready;
}

static unsigned tcp_readiness(const struct sock *s)
{
    unsigned reports = s->sends_told != s->sends ? SOCK_ERR : 0;
    if (s->listener)
        return listener_readiness(s->listener);
    if (s->tcb)
        return reports | tcb_readiness(s->tcb, s->rcv_low);
    return reports | SOCK_OUT | SOCK_HUP | (s->error ? SOCK_ERR : 0U);
}

/* Datagrams are never queued on the way down, so there is always room for one. */
static unsigned datagram_readiness(const struct sock *s, bool readable, int error)
{
    unsigned ready = SOCK_OUT;
    if (readable)
        ready |= SOCK_IN;
    if (s->shut_read)
        ready |= SOCK_IN | SOCK_RDHUP;
    if (s->shut_read && s->shut_write)
        ready |= SOCK_HUP;
    if (error)
        ready |= SOCK_ERR;
    return ready;
}

unsigned sock_readiness(const struct sock *s)
{
    switch (s->kind) {
    case SOCK_KIND_UDP:
        return datagram_readiness(s, s->udp->rcv.n > 0, s->udp->error);
    case SOCK_KIND_PING:
        return datagram_readiness(s, s->ping_rcv.n > 0, s->error);
    default:
        return tcp_readiness(s);
    }
}

uint32_t sock_arrivals(const struct sock *s)
{
    if (s->udp)
        return s->udp->arrived;
    if (s->listener)
        return tcp_accept_arrivals(s->listener);
    return s->tcb ? tcp_arrivals(s->tcb) : s->ping_arrived;
}
