/* The socket calls: the stack's, each between coming in and leaving. Main's never wait,
 * unless the script is wrong; those of a guest wait as any program's.
 *
 * packetdrill has no descriptors of ours but sockets and sets, and closes what is left
 * of them by the kernel's close(): they are real numbers (edge/bsd.c). A pipe is the
 * kernel's, and goes nowhere: splice is not built. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "adapter.h"

static void enter(struct visit *v, void *u)
{
    visit_begin(v, u);
    settings_follow(v->a);
}

static ssize_t leave(struct visit *v, ssize_t r)
{
    visit_end(v);
    return r;
}

/* ---- open and close ---- */

static int hook_socket(void *u, int domain, int type, int protocol)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_socket(domain, type, protocol));
}

/* packetdrill binds to its --local_ip: where that is not ours all else fails, too. */
static void blame_address(const struct adapter *a)
{
    if (errno == EADDRNOTAVAIL)
        fprintf(stderr,
                "libtapir-packetdrill: this stack is %s: give --local_ip=IP to "
                "packetdrill and local=IP in --so_flags\n",
                a->settings.local);
    errno = EADDRNOTAVAIL;
}

static int hook_bind(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct visit v;
    int r;

    enter(&v, u);
    r = tapir_bind(fd, addr, len);
    if (r < 0 && errno == EADDRNOTAVAIL)
        blame_address(v.a);
    return (int)leave(&v, r);
}

static int hook_listen(void *u, int fd, int backlog)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_listen(fd, backlog));
}

static int hook_accept(void *u, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_accept(fd, addr, len));
}

static int hook_connect(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_connect(fd, addr, len));
}

static int hook_shutdown(void *u, int fd, int how)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_shutdown(fd, how));
}

static int hook_close(void *u, int fd)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_close(fd));
}

/* ---- receive ---- */

static ssize_t hook_read(void *u, int fd, void *buf, size_t n)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_read(fd, buf, n));
}

static ssize_t hook_readv(void *u, int fd, const struct iovec *iov, int n)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_readv(fd, iov, n));
}

static ssize_t hook_recv(void *u, int fd, void *buf, size_t n, int flags)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_recv(fd, buf, n, flags));
}

static ssize_t hook_recvfrom(void *u, int fd, void *buf, size_t n, int flags,
                             struct sockaddr *addr, socklen_t *len)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_recvfrom(fd, buf, n, flags, addr, len));
}

static ssize_t hook_recvmsg(void *u, int fd, struct msghdr *msg, int flags)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_recvmsg(fd, msg, flags));
}

/* ---- send ---- */

static ssize_t hook_write(void *u, int fd, const void *buf, size_t n)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_write(fd, buf, n));
}

static ssize_t hook_writev(void *u, int fd, const struct iovec *iov, int n)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_writev(fd, iov, n));
}

static ssize_t hook_send(void *u, int fd, const void *buf, size_t n, int flags)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_send(fd, buf, n, flags));
}

static ssize_t hook_sendto(void *u, int fd, const void *buf, size_t n, int flags,
                           const struct sockaddr *addr, socklen_t len)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_sendto(fd, buf, n, flags, addr, len));
}

static ssize_t hook_sendmsg(void *u, int fd, const struct msghdr *msg, int flags)
{
    struct visit v;

    enter(&v, u);
    return leave(&v, tapir_sendmsg(fd, msg, flags));
}

static int hook_splice(void *u, int in, loff_t *in_at, int out, loff_t *out_at,
                       size_t n, unsigned flags)
{
    (void)u, (void)in, (void)in_at, (void)out, (void)out_at, (void)n, (void)flags;
    errno = ENOSYS;
    return -1;
}

/* ---- descriptors and options ---- */

static int hook_fcntl(void *u, int fd, int cmd, ...)
{
    struct visit v;
    va_list args;
    long arg;

    va_start(args, cmd);
    arg = va_arg(args, long); /* one word, or what is there instead of it */
    va_end(args);
    enter(&v, u);
    return (int)leave(&v, tapir_fcntl(fd, cmd, arg));
}

static int hook_ioctl(void *u, int fd, unsigned long request, ...)
{
    struct visit v;
    va_list args;
    void *arg;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    enter(&v, u);
    return (int)leave(&v, tapir_ioctl(fd, request, arg));
}

static int hook_getsockopt(void *u, int fd, int level, int name, void *value,
                           socklen_t *len)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_getsockopt(fd, level, name, value, len));
}

static int hook_setsockopt(void *u, int fd, int level, int name, const void *value,
                           socklen_t len)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_setsockopt(fd, level, name, value, len));
}

/* ---- readiness ---- */

static int hook_poll(void *u, struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_poll(fds, n, timeout_ms));
}

static int hook_epoll_create(void *u, int size)
{
    struct visit v;

    if (size <= 0) {
        errno = EINVAL;
        return -1;
    }
    enter(&v, u);
    return (int)leave(&v, tapir_epoll_create1(0));
}

static int hook_epoll_ctl(void *u, int set, int op, int fd, struct epoll_event *event)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_epoll_ctl(set, op, fd, event));
}

static int hook_epoll_wait(void *u, int set, struct epoll_event *events, int max,
                           int timeout_ms)
{
    struct visit v;

    enter(&v, u);
    return (int)leave(&v, tapir_epoll_wait(set, events, max, timeout_ms));
}

static int hook_pipe(void *u, int fds[2])
{
    (void)u;
    return pipe(fds);
}

void call_hooks(struct packetdrill_interface *ifc)
{
    ifc->socket = hook_socket;
    ifc->bind = hook_bind;
    ifc->listen = hook_listen;
    ifc->accept = hook_accept;
    ifc->connect = hook_connect;
    ifc->shutdown = hook_shutdown;
    ifc->close = hook_close;
    ifc->read = hook_read;
    ifc->readv = hook_readv;
    ifc->recv = hook_recv;
    ifc->recvfrom = hook_recvfrom;
    ifc->recvmsg = hook_recvmsg;
    ifc->write = hook_write;
    ifc->writev = hook_writev;
    ifc->send = hook_send;
    ifc->sendto = hook_sendto;
    ifc->sendmsg = hook_sendmsg;
    ifc->splice = hook_splice;
    ifc->fcntl = hook_fcntl;
    ifc->ioctl = hook_ioctl;
    ifc->getsockopt = hook_getsockopt;
    ifc->setsockopt = hook_setsockopt;
    ifc->poll = hook_poll;
    ifc->epoll_create = hook_epoll_create;
    ifc->epoll_ctl = hook_epoll_ctl;
    ifc->epoll_wait = hook_epoll_wait;
    ifc->pipe = hook_pipe;
}
