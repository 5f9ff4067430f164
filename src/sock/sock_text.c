/* Text through sockets: one function sends and one receives, and all the calls of the
 * API are these two with more or less asked for.
 *
 *     stream      text in pieces, as much as there is room for; out of the queue into
 *                 rooms, as much as there is
 *     datagrams   a datagram a call, whole or cut, with what its packet's header said
 *
 * As Linux, where POSIX leaves it open: sending on a fresh TCP socket is EPIPE,
 * receiving ENOTCONN. */
#include "sock/sock.h"

#include <errno.h>

#include "base/bytes.h"
#include "sock/ping.h"

static int take_error(struct sock *s)
{
    int err = s->error;
    s->error = 0;
    return err;
}

/* As Linux: 0.0.0.0 as a destination is this host. */
struct sock_name sock_destination(const struct sock_name *to)
{
    enum { LOOPBACK = 0x7f000001 };
    struct sock_name real = *to;
    if (ip_is_any(real.addr))
        real.addr = ip4_addr(LOOPBACK);
    return real;
}

/* --- sending ------------------------------------------------------------------- */

static ssize_t send_tcp(struct sock *s, const struct piece *text, size_t n, int flags)
{
    if (!s->tcb)
        return s->error ? take_error(s) : -EPIPE;
    ssize_t done = tcp_send(s->tcb, text, n, flags & SOCK_MORE);
    if (done > 0 && (flags & SOCK_EOR))
        tcp_end_record(s->tcb);
    if (done > 0 && (flags & SOCK_OOB))
        tcp_mark_urgent(s->tcb);
    return done;
}

ssize_t sock_send_asking(struct sock *s, const struct piece *text, size_t n,
                         const struct sock_asked *a)
{
    if (s->kind == SOCK_KIND_TCP)
        return send_tcp(s, text, n, a->flags);
    if (a->flags & SOCK_OOB)
        return -EOPNOTSUPP;
    if (s->shut_write)
        return -EPIPE;
    if (s->kind == SOCK_KIND_PING) {
        struct sock_name real = a->to ? sock_destination(a->to) : s->peer;
        return ping_send(s, text, n, &real, a->ip);
    }
    struct udp_peer peer = { ip_any4, 0 };
    if (a->to)
        peer = (struct udp_peer){ a->to->addr, a->to->port };
    return udp_send(s->udp, text, n, a->to ? &peer : NULL, a->ip);
}

ssize_t sock_send(struct sock *s, const struct piece *text, size_t n, int flags,
                  const struct sock_name *to)
{
    const struct sock_asked a = { .flags = flags, .to = to };
    return sock_send_asking(s, text, n, &a);
}

ssize_t sock_send_from(struct sock *s, struct tcp_source *from, size_t n)
{
    if (s->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (!s->tcb)
        return s->error ? take_error(s) : -EPIPE;
    return tcp_send_from(s->tcb, from, n);
}

void sock_sent_copy(struct sock *s)
{
    if (!s->zerocopy || s->kind != SOCK_KIND_TCP)
        return;
    s->sends++;
    watch_wake(&s->socks->net->woken, &s->watch);
}

bool sock_take_report(struct sock *s, uint32_t *first, uint32_t *last)
{
    if (s->sends_told == s->sends)
        return false;
    *first = s->sends_told;
    *last = s->sends - 1;
    s->sends_told = s->sends;
    return true;
}

/* --- receiving ----------------------------------------------------------------- */

/* SOCK_TRUNC throws away what would have been copied, as Linux (tcp(7)). */
static ssize_t receive_tcp(struct sock *s, const struct room *to, size_t n, int flags,
                           struct sock_message *got)
{
    struct room nowhere = { NULL, 0 };
    if (flags & SOCK_OOB)
        return -EINVAL; /* urgent data stays in line, as with SO_OOBINLINE */
    if (!s->tcb)
        return s->error ? take_error(s) : -ENOTCONN;
    for (size_t i = 0; i < n; i++)
        nowhere.len += to[i].len;
    bool peek = flags & SOCK_PEEK;
    ssize_t r = flags & SOCK_TRUNC ? tcp_receive(s->tcb, &nowhere, 1, peek)
                                   : tcp_receive(s->tcb, to, n, peek);
    got->len = r > 0 ? (size_t)r : 0;
    return r;
}

static ssize_t receive_udp(struct sock *s, const struct room *to, size_t n, int flags,
                           struct sock_message *got)
{
    struct udp_datagram d = { 0 };
    ssize_t r = udp_receive(s->udp, to, n, &d, flags & SOCK_PEEK);
    if (r == -EAGAIN && s->shut_read)
        return 0;
    if (r < 0)
        return r;
    *got = (struct sock_message){
        .from = { d.from.addr, d.from.port }, .len = d.len, .ip = d.ip, .datagram = true
    };
    return r;
}

ssize_t sock_receive_message(struct sock *s, const struct room *to, size_t n, int flags,
                             struct sock_message *got)
{
    *got = (struct sock_message){ .from = { ip_any4, 0 } };
    if (s->kind == SOCK_KIND_TCP)
        return receive_tcp(s, to, n, flags, got);
    ssize_t r = s->kind == SOCK_KIND_PING ? ping_receive(s, to, n, flags, got)
                                          : receive_udp(s, to, n, flags, got);
    got->cut = r >= 0 && (size_t)r < got->len;
    return r >= 0 && (flags & SOCK_TRUNC) ? (ssize_t)got->len : r;
}

ssize_t sock_receive(struct sock *s, void *buf, size_t room, int flags,
                     struct sock_name *from)
{
    const struct room to = { buf, room };
    struct sock_message got;
    ssize_t r = sock_receive_message(s, &to, 1, flags, &got);
    if (from && r >= 0)
        *from = got.from;
    return r;
}

size_t sock_receive_target(const struct sock *s, size_t room, bool all)
{
    if (s->kind != SOCK_KIND_TCP)
        return 1;
    return all ? room : min_size(room, s->rcv_low ? s->rcv_low : 1);
}

bool sock_receive_over(const struct sock *s)
{
    return !s->tcb || tcp_peek_error(s->tcb) || tcp_read_ended(s->tcb) ||
           tcp_urgent_left(s->tcb) == 1;
}

int sock_at_mark(const struct sock *s)
{
    if (s->kind != SOCK_KIND_TCP)
        return -ENOTTY;
    return s->tcb && tcp_urgent_left(s->tcb) == 1;
}

/* --- how much waits ------------------------------------------------------------ */

/* As Linux: a listener is not asked, and before the handshake is over there is
 * nothing. */
static int queued_tcp(const struct sock *s, enum sock_queue which, size_t *n)
{
    if (s->listener)
        return -EINVAL;
    if (!s->tcb)
        return 0;
    if (which == SOCK_QUEUE_IN)
        *n = tcp_readable(s->tcb);
    else
        *n = which == SOCK_QUEUE_OUT ? tcp_outstanding(s->tcb) : tcp_not_sent(s->tcb);
    return 0;
}

int sock_queued(const struct sock *s, enum sock_queue which, size_t *n)
{
    *n = 0;
    if (s->kind == SOCK_KIND_TCP)
        return queued_tcp(s, which, n);
    if (s->kind == SOCK_KIND_PING || which == SOCK_QUEUE_NOT_SENT)
        return -ENOTTY;
    /* Datagrams are never queued on the way down. */
    if (which == SOCK_QUEUE_IN)
        *n = udp_next_len(s->udp);
    return 0;
}
