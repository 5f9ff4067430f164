/* Reading and writing. All eight calls are two: receive into one buffer, and send from
 * a list of pieces.
 *
 * A blocking write to a stream returns when all of it is in the send buffer: it copies
 * what fits, sends, takes a few frames from the device (acknowledgments, which make
 * room) and goes on. A blocking read returns what there is. */
#include "edge/bsd.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
    RECV_FLAGS = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_NOSIGNAL,
    SEND_FLAGS = MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL,
    PIECES = 64, /* pieces handed to a socket at once */
};

/* The error of a call that is not for sockets alone: of a set it is EINVAL. */
static ssize_t no_file(ssize_t err)
{
    return bsd_result(err == -ENOTSOCK ? -EINVAL : err);
}

/* ---- receiving ---- */

struct receive {
    void *buf;
    size_t room;
    int flags;
    struct sock_name from;
};

static ssize_t receive_wait(struct call *c, struct receive *r)
{
    ssize_t n;
    int w;

    if (r->flags & ~RECV_FLAGS)
        return -EOPNOTSUPP;
    if (r->flags & MSG_DONTWAIT)
        c->nonblock = true;
    for (;;) {
        n = sock_receive(c->sock, r->buf, r->room, r->flags & (SOCK_PEEK | SOCK_TRUNC),
                         &r->from);
        if (n != -EAGAIN)
            return n;
        w = call_wait(c);
        if (w < 0)
            return w;
    }
}

ssize_t tapir_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                       socklen_t *len)
{
    struct call c;
    struct receive want = { buf, min_size(n, SSIZE_MAX), flags, { ip_any4, 0 } };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? recvfrom(fd, buf, n, flags, addr, len) : bsd_result(r);
    r = receive_wait(&c, &want);
    call_say(&c, "recv(%d, %zu)", fd, n);
    if (r >= 0 && c.sock->kind != SOCK_KIND_TCP)
        addr_out(&want.from, addr, len);
    else if (r >= 0 && len)
        *len = 0;
    return call_leave(&c, r);
}

ssize_t tapir_recv(int fd, void *buf, size_t n, int flags)
{
    struct call c;
    struct receive want = { buf, min_size(n, SSIZE_MAX), flags, { ip_any4, 0 } };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? recv(fd, buf, n, flags) : bsd_result(r);
    r = receive_wait(&c, &want);
    call_say(&c, "recv(%d, %zu)", fd, n);
    return call_leave(&c, r);
}

ssize_t tapir_read(int fd, void *buf, size_t n)
{
    struct call c;
    struct receive want = { buf, min_size(n, SSIZE_MAX), 0, { ip_any4, 0 } };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? read(fd, buf, n) : no_file(r);
    r = receive_wait(&c, &want);
    call_say(&c, "read(%d, %zu)", fd, n);
    return call_leave(&c, r);
}

/* 0, or -EINVAL; the sum of the lengths in *total. */
static int check_iov(const struct iovec *iov, int n, size_t *total)
{
    *total = 0;
    if (n < 0 || n > IOV_MAX)
        return -EINVAL;
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > (size_t)SSIZE_MAX - *total)
            return -EINVAL;
        *total += iov[i].iov_len;
    }
    return 0;
}

/* Only the first piece waits; after it, what is there. A datagram fills the first piece
 * and ends the call, its rest is cut: sock_receive() takes one buffer. */
static ssize_t receive_pieces(struct call *c, const struct iovec *iov, int n)
{
    ssize_t done = 0, r = 0;

    for (int i = 0; i < n; i++) {
        struct receive want = { iov[i].iov_base, iov[i].iov_len, 0, { ip_any4, 0 } };

        if (!want.room)
            continue;
        r = receive_wait(c, &want);
        if (r <= 0)
            break;
        done += r;
        if ((size_t)r < want.room || c->sock->kind != SOCK_KIND_TCP)
            break;
        c->nonblock = c->looked = true;
    }
    return done ? done : r;
}

ssize_t tapir_readv(int fd, const struct iovec *iov, int n)
{
    struct call c;
    size_t total;
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? readv(fd, iov, n) : no_file(r);
    r = check_iov(iov, n, &total);
    call_say(&c, "readv(%d, %zu)", fd, total);
    if (r == 0)
        r = receive_pieces(&c, iov, n);
    return call_leave(&c, r);
}

/* ---- sending ---- */

struct send {
    const struct iovec *iov;
    int n;
    size_t total, done; /* bytes of all pieces; of them taken so far */
    int flags;
    const struct sock_name *to; /* NULL: the connected peer */
};

/* The pieces behind what is done; how many, PIECES at most. */
static size_t pieces_left(const struct send *s, struct piece *out)
{
    size_t skip = s->done, n = 0;

    for (int i = 0; i < s->n && n < PIECES; i++) {
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
    struct piece piece[PIECES];
    size_t n = pieces_left(s, piece), len = 0;
    int flags = s->flags & SOCK_MORE;

    for (size_t i = 0; i < n; i++)
        len += piece[i].len;
    if (c->sock->kind != SOCK_KIND_TCP && len < s->total)
        return -EMSGSIZE;
    if (len < s->total - s->done)
        flags |= SOCK_MORE;
    return sock_send(c->sock, piece, n, flags, s->to);
}

static ssize_t send_wait(struct call *c, struct send *s)
{
    ssize_t r;

    if (s->flags & ~SEND_FLAGS)
        return -EOPNOTSUPP;
    if (s->flags & MSG_DONTWAIT)
        c->nonblock = true;
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

static ssize_t send_checked(struct call *c, struct send *s)
{
    int err = check_iov(s->iov, s->n, &s->total);

    return err < 0 ? err : send_wait(c, s);
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
    if (c.sock->kind == SOCK_KIND_TCP) {
        send.to = NULL;
        r = 0;
    }
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
    struct send s = { .iov = iov, .n = n };
    ssize_t r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? writev(fd, iov, n) : no_file(r);
    r = send_checked(&c, &s);
    call_say(&c, "writev(%d, %zu)", fd, s.total);
    return call_leave(&c, r);
}
