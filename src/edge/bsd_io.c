/* Reading and writing. All the calls are two: receive into a list of pieces, and send
 * from one; those with a struct msghdr are in bsd_msg.c.
 *
 * A blocking write to a stream returns when all of it is in the send buffer: it copies
 * what fits, sends, takes a few frames from the device (acknowledgments, which make
 * room) and goes on. A blocking read returns what there is, if it is SO_RCVLOWAT bytes;
 * with MSG_WAITALL it takes what comes until it has all, and ends with less at the end
 * of the stream, an error (which the next call tells) or a signal.
 *
 * Flags, as Linux has them: to receive, one that is not known is ignored; MSG_ERRQUEUE
 * finds reports of MSG_ZEROCOPY, and no errors, since IP_RECVERR is not built; MSG_OOB
 * finds nothing, as with SO_OOBINLINE. To send, what would change what leaves and is
 * not built is refused (EOPNOTSUPP). */
#include "edge/bsd.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
    SEND_FLAGS = MSG_MORE | MSG_EOR | MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL |
                 MSG_CONFIRM | MSG_FASTOPEN | MSG_ZEROCOPY,
    STREAM_FLAGS = SOCK_MORE | SOCK_EOR | SOCK_OOB,
};

/* The error of a call that is not for sockets alone: of a set it is EINVAL. */
static ssize_t no_file(ssize_t err)
{
    return bsd_result(err == -ENOTSOCK ? -EINVAL : err);
}

int iov_check(const struct iovec *iov, size_t n, size_t *total)
{
    *total = 0;
    if (n > IOV_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (iov[i].iov_len > (size_t)SSIZE_MAX - *total)
            return -EINVAL;
        *total += iov[i].iov_len;
    }
    return 0;
}

/* The one bad address that can be told from a good one here. */
static bool is_nowhere(const struct iovec *iov, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!iov[i].iov_base && iov[i].iov_len)
            return true;
    return false;
}

/* ---- receiving ---- */

/* Into what is left of the pieces. */
static ssize_t receive_some(struct call *c, struct receive *r)
{
    int flags = r->flags & (SOCK_PEEK | SOCK_TRUNC | SOCK_OOB);
    struct room to[IOV_MAX];
    size_t skip = flags & SOCK_PEEK ? 0 : r->done, n = 0;

    for (size_t i = 0; i < r->n; i++) {
        size_t len = r->iov[i].iov_len, off = min_size(skip, len);

        skip -= off;
        if (len > off)
            to[n++] = (struct room){ (uint8_t *)r->iov[i].iov_base + off, len - off };
    }
    return sock_receive_message(c->sock, to, n, flags, &r->got);
}

/* Has a stream nothing new for a call that has something? Its error, if there is one,
 * is the next call's. */
static bool dry(const struct call *c, const struct receive *r)
{
    size_t waiting;

    return r->done > 0 && sock_queued(c->sock, SOCK_QUEUE_IN, &waiting) == 0 &&
           waiting == 0;
}

/* What the call has, or else why it has nothing. */
static ssize_t so_far(const struct receive *r, ssize_t otherwise)
{
    return r->done > 0 ? (ssize_t)r->done : otherwise;
}

ssize_t receive_wait(struct call *c, struct receive *r)
{
    size_t target = sock_receive_target(c->sock, r->total, r->flags & MSG_WAITALL);
    ssize_t n;
    int w;

    if (r->flags & MSG_ERRQUEUE) { /* it never waits */
        r->report = sock_take_report(c->sock, &r->first, &r->last);
        return r->report ? 0 : -EAGAIN;
    }
    if (!(r->flags & MSG_TRUNC) && is_nowhere(r->iov, r->n))
        return -EFAULT;
    if (r->flags & MSG_DONTWAIT)
        c->nonblock = true;
    for (;;) {
        n = dry(c, r) ? -EAGAIN : receive_some(c, r);
        if (n > 0)
            r->done = r->flags & MSG_PEEK ? (size_t)n : r->done + (size_t)n;
        else if (n != -EAGAIN)
            return so_far(r, n);
        if (r->done > 0 && (r->done >= target || sock_receive_over(c->sock)))
            return (ssize_t)r->done;
        w = call_wait(c);
        if (w < 0)
            return so_far(r, w);
    }
}

/* Of the calls with one buffer. */
static ssize_t receive_into(struct call *c, struct receive *r, struct iovec *iov)
{
    iov->iov_len = min_size(iov->iov_len, SSIZE_MAX);
    r->iov = iov;
    r->n = 1;
    r->total = iov->iov_len;
    return receive_wait(c, r);
}

ssize_t tapir_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                       socklen_t *len)
{
    struct call c;
    struct iovec iov = { buf, n };
    struct receive want = { .flags = flags };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? recvfrom(fd, buf, n, flags, addr, len) : bsd_result(r);
    r = receive_into(&c, &want, &iov);
    call_say(&c, "recv(%d, %zu)", fd, n);
    if (r >= 0 && want.got.datagram)
        addr_out(&want.got.from, addr, len);
    else if (r >= 0 && len)
        *len = 0;
    return call_leave(&c, r);
}

ssize_t tapir_recv(int fd, void *buf, size_t n, int flags)
{
    struct call c;
    struct iovec iov = { buf, n };
    struct receive want = { .flags = flags };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? recv(fd, buf, n, flags) : bsd_result(r);
    r = receive_into(&c, &want, &iov);
    call_say(&c, "recv(%d, %zu)", fd, n);
    return call_leave(&c, r);
}

ssize_t tapir_read(int fd, void *buf, size_t n)
{
    struct call c;
    struct iovec iov = { buf, n };
    struct receive want = { .flags = 0 };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? read(fd, buf, n) : no_file(r);
    r = receive_into(&c, &want, &iov);
    call_say(&c, "read(%d, %zu)", fd, n);
    return call_leave(&c, r);
}

ssize_t tapir_readv(int fd, const struct iovec *iov, int n)
{
    struct call c;
    struct receive want = { .iov = iov, .n = (size_t)n };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? readv(fd, iov, n) : no_file(r);
    r = iov_check(iov, want.n, &want.total);
    call_say(&c, "readv(%d, %zu)", fd, want.total);
    if (r == 0)
        r = receive_wait(&c, &want);
    return call_leave(&c, r);
}

/* ---- sending ---- */

/* What is left of the pieces; how many. */
static size_t pieces_left(const struct send *s, struct piece *out)
{
    size_t skip = s->done, n = 0;

    for (size_t i = 0; i < s->n; i++) {
        size_t len = s->iov[i].iov_len, off = min_size(skip, len);

        skip -= off;
        if (len > off)
            out[n++] = (struct piece){ (const uint8_t *)s->iov[i].iov_base + off,
                                       len - off };
    }
    return n;
}

static ssize_t send_some(struct call *c, struct send *s)
{
    struct piece piece[IOV_MAX];
    size_t n = pieces_left(s, piece);
    const struct sock_asked a = { s->flags & STREAM_FLAGS, s->to, s->ip };

    return sock_send_asking(c->sock, piece, n, &a);
}

/* The first text may go with the SYN (RFC 7413). Whatever does, the call is over when
 * the connection stands, or at once if it may not wait. */
static ssize_t open_wait(struct call *c, struct send *s)
{
    struct piece piece[IOV_MAX];
    size_t n = pieces_left(s, piece);
    ssize_t r = sock_open_with(c->sock, piece, n, s->to, !c->nonblock), w;

    if (r < 0)
        return r;
    s->done = (size_t)r;
    while ((r = sock_opened(c->sock)) == -EINPROGRESS) {
        w = call_wait(c);
        if (w < 0 && s->done == 0)
            return w == -EAGAIN ? -EINPROGRESS : w;
        if (w < 0)
            return (ssize_t)s->done;
    }
    return r;
}

static ssize_t send_wait(struct call *c, struct send *s)
{
    ssize_t r;

    if (s->flags & ~SEND_FLAGS)
        return -EOPNOTSUPP;
    if (s->flags & MSG_DONTWAIT)
        c->nonblock = true;
    if (sock_opens(c->sock, s->flags)) {
        r = open_wait(c, s);
        if (r != 0 || s->done == s->total)
            return r != 0 ? r : (ssize_t)s->done;
    }
    for (;;) {
        r = send_some(c, s);
        if (r > 0)
            s->done += (size_t)r;
        if (r >= 0 && (s->done == s->total || c->sock->kind != SOCK_KIND_TCP))
            return r > 0 ? (ssize_t)s->done : r;
        if (r == -EAGAIN)
            r = call_wait(c);
        if (r < 0)
            return s->done ? (ssize_t)s->done : r;
    }
}

ssize_t send_checked(struct call *c, struct send *s)
{
    int err = iov_check(s->iov, s->n, &s->total);

    if (err == 0 && is_nowhere(s->iov, s->n))
        err = -EFAULT;
    ssize_t r = err < 0 ? err : send_wait(c, s);
    if (r > 0 && (s->flags & MSG_ZEROCOPY))
        sock_sent_copy(c->sock);
    return r;
}

ssize_t tapir_sendto(int fd, const void *buf, size_t n, int flags,
                     const struct sockaddr *addr, socklen_t len)
{
    struct call c;
    struct iovec iov = { (void *)(uintptr_t)buf, n };
    struct sock_name to;
    struct send send = { .iov = &iov, .n = 1, .flags = flags, .to = addr ? &to : NULL };
    char text[64];
    ssize_t r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? sendto(fd, buf, n, flags, addr, len) : bsd_result(r);
    r = addr ? addr_in(addr, len, &to) : 0;
    call_say(&c, "sendto(%d, %zu, %s)", fd, n,
             addr_text(addr && r == 0 ? &to : NULL, text, sizeof text));
    /* A connected stream ignores the address (POSIX allows EISCONN or this). */
    if (c.sock->kind == SOCK_KIND_TCP && !(flags & MSG_FASTOPEN)) {
        send.to = NULL;
        r = 0;
    }
    if (r == -EAFNOSUPPORT && (flags & MSG_FASTOPEN))
        r = -EOPNOTSUPP;
    if (r == 0)
        r = send_checked(&c, &send);
    return call_leave(&c, r);
}

ssize_t tapir_send(int fd, const void *buf, size_t n, int flags)
{
    struct call c;
    struct iovec iov = { (void *)(uintptr_t)buf, n };
    struct send s = { .iov = &iov, .n = 1, .flags = flags };
    ssize_t r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? send(fd, buf, n, flags) : bsd_result(r);
    r = send_checked(&c, &s);
    call_say(&c, "send(%d, %zu)", fd, n);
    return call_leave(&c, r);
}

ssize_t tapir_write(int fd, const void *buf, size_t n)
{
    struct call c;
    struct iovec iov = { (void *)(uintptr_t)buf, n };
    struct send s = { .iov = &iov, .n = 1 };
    ssize_t r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? write(fd, buf, n) : no_file(r);
    r = send_checked(&c, &s);
    call_say(&c, "write(%d, %zu)", fd, n);
    return call_leave(&c, r);
}

ssize_t tapir_writev(int fd, const struct iovec *iov, int n)
{
    struct call c;
    struct send s = { .iov = iov, .n = (size_t)n };
    ssize_t r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? writev(fd, iov, n) : no_file(r);
    r = send_checked(&c, &s);
    call_say(&c, "writev(%d, %zu)", fd, s.total);
    return call_leave(&c, r);
}

/* It moves pages between a pipe and a descriptor of the kernel's, and none of ours is
 * one. */
ssize_t tapir_splice(int fd_in, int64_t *off_in, int fd_out, int64_t *off_out, size_t n,
                     unsigned flags)
{
    struct file *in = file_get(fd_in), *out = file_get(fd_out);
    bool ours = in || out;

    if (in)
        file_put(in);
    if (out)
        file_put(out);
    return ours ? bsd_result(-ENOSYS)
                : splice(fd_in, off_in, fd_out, off_out, n, flags);
}
