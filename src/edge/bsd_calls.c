/* The calls that open, connect and close, and the frame that every call has:
 *
 *     call_enter      number -> file, lock, time, what became due
 *       sock_...      does it, or cannot now
 *       call_wait     ... then waits (or, non-blocking, takes what the device has)
 *     call_leave      trace, flush, wake others, unlock, -1 and errno
 *
 * A call never keeps a result from before call_wait(): it asks the socket again, so it
 * does not matter why it was woken. Deviates from Linux: EPIPE is told as an error
 * only, SIGPIPE is never raised; and a call that waits on a descriptor which another
 * thread closes ends with EBADF at once. */
#include "edge/bsd.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

/* ---- the frame ---- */

/* Leaves at once. Returns err. */
static int refuse(struct call *c, int err)
{
    tapir_leave(c->t);
    file_put(c->file);
    return err;
}

int call_enter_any(struct call *c, int fd, enum call_kind kind)
{
    c->file = file_get(fd);
    if (!c->file)
        return 1;
    c->t = c->file->t;
    c->kind = kind;
    c->looked = c->waited = false;
    c->text[0] = '\0';
    tapir_enter(c->t);
    c->sock = c->file->sock;
    c->nonblock = c->file->nonblock;
    waiter_init(&c->w, kind == CALL_SEND ? BATCH_WRITE : BATCH_READ);
    return file_is_open(c->file) ? 0 : refuse(c, -EBADF);
}

int call_enter(struct call *c, int fd, enum call_kind kind)
{
    int r = call_enter_any(c, fd, kind);

    return r == 0 && !c->sock ? refuse(c, -ENOTSOCK) : r;
}

static usec give_up_at(const struct call *c)
{
    usec timeout = c->kind == CALL_SEND ? c->sock->snd_timeout : c->sock->rcv_timeout;

    return timeout > 0 ? c->t->now + timeout : NEVER;
}

int call_wait(struct call *c)
{
    int r;

    if (c->nonblock) {
        if (c->looked)
            return -EAGAIN;
        c->looked = true;
        tapir_look(c->t);
        return 0;
    }
    if (!c->waited)
        c->w.deadline = give_up_at(c);
    c->waited = true;
    list_add_tail(&c->file->waiters, &c->w.node);
    r = waiter_wait(c->t, &c->w);
    list_del(&c->w.node);
    c->sock = c->file->sock;
    if (!c->sock)
        return -EBADF;
    return r == -ETIMEDOUT ? -EAGAIN : r;
}

static void tell(const struct call *c, ssize_t result)
{
    struct trace_event event = { .at = c->t->now, .kind = TRACE_CALL };

    if (!c->text[0])
        return;
    event.u.call.text = c->text;
    event.u.call.result = result < 0 ? -1 : result;
    event.u.call.error = result < 0 ? (int)-result : 0;
    sinks_event(c->t, &event);
}

ssize_t call_leave(struct call *c, ssize_t result)
{
    tell(c, result);
    epoll_settle(c->file);
    tapir_leave(c->t);
    waiter_done(&c->w);
    file_put(c->file);
    return bsd_result(result);
}

void call_say(struct call *c, const char *format, ...)
{
    va_list args;

    if (!c->t->ladder_on)
        return;
    va_start(args, format);
    vsnprintf(c->text, sizeof c->text, format, args);
    va_end(args);
}

/* ---- open, bind, listen ---- */

enum { TYPE_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC };

int tapir_socket(int domain, int type, int protocol)
{
    struct tapir *t = bsd_current();
    struct file *f;
    struct sock *s;
    int err;

    if (!t)
        return (int)bsd_result(-ENETDOWN);
    if (!t->stack)
        return socket(domain, type, protocol);
    f = file_new(t, type & TYPE_FLAGS, &err);
    if (!f)
        return (int)bsd_result(err);
    tapir_enter(t);
    err = sock_new(&t->stack->socks, domain, type & ~TYPE_FLAGS, protocol, &s);
    if (err < 0)
        file_discard(f);
    else
        file_open(f, s);
    err = err < 0 ? err : f->fd;
    tapir_leave(t);
    return (int)bsd_result(err);
}

int tapir_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct call c;
    struct sock_name name = { ip_any4, 0 };
    char text[64];
    int r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? bind(fd, addr, len) : (int)bsd_result(r);
    r = addr_in(addr, len, &name);
    call_say(&c, "bind(%d, %s)", fd, addr_text(&name, text, sizeof text));
    if (r == 0)
        r = sock_bind(c.sock, &name);
    return (int)call_leave(&c, r);
}

int tapir_listen(int fd, int backlog)
{
    struct call c;
    int r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? listen(fd, backlog) : (int)bsd_result(r);
    call_say(&c, "listen(%d, %d)", fd, backlog);
    return (int)call_leave(&c, sock_listen(c.sock, backlog));
}

/* ---- connect, accept ---- */

static int connect_wait(struct call *c, const struct sock_name *to)
{
    int r = sock_connect(c->sock, to), first = r, w;

    while (!c->nonblock && (r == -EINPROGRESS || r == -EALREADY)) {
        w = call_wait(c);
        if (w < 0)
            return w == -EAGAIN ? first : w;
        r = sock_connect(c->sock, to);
    }
    return r;
}

int tapir_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct call c;
    struct sock_name to = { ip_any4, 0 };
    char text[64];
    int r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? connect(fd, addr, len) : (int)bsd_result(r);
    r = addr_in(addr, len, &to);
    bool nobody = r == -EAFNOSUPPORT && addr->sa_family == AF_UNSPEC;
    call_say(&c, "connect(%d, %s)", fd,
             addr_text(nobody ? NULL : &to, text, sizeof text));
    if (nobody)
        r = sock_disconnect(c.sock);
    else if (r == 0)
        r = connect_wait(&c, &to);
    return (int)call_leave(&c, r);
}

/* Waits for a connection, and takes it only when it has a descriptor: without one
 * (EMFILE) it stays in the queue. */
static int accept_wait(struct call *c, int flags, struct sock_name *peer)
{
    struct sock *s;
    struct file *f;
    int r;

    for (;;) {
        while (c->sock->listener && !(sock_readiness(c->sock) & SOCK_IN)) {
            r = call_wait(c);
            if (r < 0)
                return r;
        }
        f = file_new(c->t, flags, &r);
        if (!f)
            return r;
        r = sock_accept(c->sock, &s);
        if (r == 0)
            break;
        file_discard(f);
        if (r != -EAGAIN)
            return r;
    }
    file_open(f, s);
    *peer = sock_accepted_from(s);
    return f->fd;
}

int tapir_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct call c;
    struct sock_name peer;
    char text[64];
    int r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? accept4(fd, addr, len, flags) : (int)bsd_result(r);
    r = flags & ~TYPE_FLAGS ? -EINVAL : accept_wait(&c, flags, &peer);
    call_say(&c, "accept(%d, %s)", fd,
             addr_text(r >= 0 ? &peer : NULL, text, sizeof text));
    if (r >= 0)
        addr_out(&peer, addr, len);
    return (int)call_leave(&c, r);
}

int tapir_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    return tapir_accept4(fd, addr, len, 0);
}

/* ---- shutdown, close ---- */

int tapir_shutdown(int fd, int how)
{
    static const char *const name[] = { "SHUT_RD", "SHUT_WR", "SHUT_RDWR" };
    struct call c;
    int r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? shutdown(fd, how) : (int)bsd_result(r);
    if (how < SHUT_RD || how > SHUT_RDWR)
        return (int)call_leave(&c, -EINVAL);
    call_say(&c, "shutdown(%d, %s)", fd, name[how]);
    return (int)call_leave(&c, sock_shutdown(c.sock, how));
}

/* SO_LINGER with a time: close() returns when all is acknowledged, or when the time is
 * over. Where unread text is thrown away there is nothing to wait for: the connection
 * is reset (RFC 2525 s2.17). */
static bool must_linger(const struct sock *s)
{
    return s->kind == SOCK_KIND_TCP && s->tcb && s->linger_on && s->linger_sec > 0 &&
           tcp_readable(s->tcb) == 0;
}

static void linger(struct tapir *t, struct file *f, struct sock *s)
{
    struct waiter w;

    waiter_init(&w, BATCH_WRITE);
    w.deadline = t->now + s->linger_sec * USEC_PER_SEC;
    list_add_tail(&f->waiters, &w.node);
    if (sock_shutdown(s, SHUT_WR) == 0)
        while (!sock_drained(s) && waiter_wait(t, &w) == 0)
            continue;
    list_del(&w.node);
}

int tapir_close(int fd)
{
    struct file *f = file_take(fd);
    struct call c = { .file = f, .w.event = -1 };
    struct sock *s;

    if (!f)
        return close(fd);
    c.t = f->t;
    tapir_enter(c.t);
    call_say(&c, "close(%d)", fd);
    s = f->sock;
    if (s && must_linger(s)) {
        /* To all others it is closed already. */
        f->sock = NULL;
        list_del(&f->node);
        epoll_forget(f);
        file_wake(f);
        linger(c.t, f, s);
        s->user = NULL;
        sock_close(s);
    }
    file_shut(f);
    return (int)call_leave(&c, 0);
}

/* ---- time ---- */

int64_t tapir_now(void)
{
    struct tapir *t = bsd_current();

    return t ? loop_clock(t) : 0;
}

static void kernel_sleep(int64_t usec_)
{
    struct timespec ts = { .tv_sec = (time_t)(usec_ / USEC_PER_SEC),
                           .tv_nsec = (long)(usec_ % USEC_PER_SEC * 1000) };

    nanosleep(&ts, NULL);
}

void tapir_sleep(int64_t usec_)
{
    struct tapir *t = bsd_current();
    struct waiter w;

    if (usec_ <= 0)
        return;
    if (!t || !t->stack) {
        kernel_sleep(usec_);
        return;
    }
    tapir_enter(t);
    waiter_init(&w, BATCH_READ);
    w.deadline = t->now + usec_;
    waiter_wait(t, &w);
    tapir_leave(t);
}
