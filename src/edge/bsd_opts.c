/* Options, names and descriptor flags. The options themselves are the socket layer's,
 * which speaks Linux's numbers and layouts; here are only descriptors and addresses. */
#include "edge/bsd.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>

int tapir_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    struct call c;
    size_t room;
    int r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? getsockopt(fd, level, name, value, len) : (int)bsd_result(r);
    if (!value || !len)
        return (int)call_leave(&c, -EFAULT);
    if (*len > INT_MAX)
        return (int)call_leave(&c, -EINVAL);
    room = *len;
    r = sock_getopt(c.sock, level, name, value, &room);
    if (r >= 0)
        *len = (socklen_t)room;
    return (int)call_leave(&c, r);
}

int tapir_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct call c;
    int r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? setsockopt(fd, level, name, value, len) : (int)bsd_result(r);
    call_say(&c, "setsockopt(%d, %d, %d)", fd, level, name);
    r = value || !len ? sock_setopt(c.sock, level, name, value, len) : -EFAULT;
    return (int)call_leave(&c, r);
}

int tapir_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct call c;
    struct sock_name name;
    int r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? getsockname(fd, addr, len) : (int)bsd_result(r);
    r = addr && len ? sock_local(c.sock, &name) : -EFAULT;
    if (r == 0)
        addr_out(&name, addr, len);
    return (int)call_leave(&c, r);
}

int tapir_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct call c;
    struct sock_name name;
    int r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? getpeername(fd, addr, len) : (int)bsd_result(r);
    r = addr && len ? sock_peer(c.sock, &name) : -EFAULT;
    if (r == 0)
        addr_out(&name, addr, len);
    return (int)call_leave(&c, r);
}

static int file_control(struct call *c, int fd, int cmd, long arg)
{
    int r;

    switch (cmd) {
    case F_GETFL:
        return O_RDWR | (c->file->nonblock ? O_NONBLOCK : 0);
    case F_SETFL:
        c->file->nonblock = arg & O_NONBLOCK;
        return 0;
    case F_GETFD:
    case F_SETFD: /* close-on-exec belongs to the number; one of ours never lasts */
        if (number_is_own(fd))
            return cmd == F_GETFD ? FD_CLOEXEC : 0;
        r = fcntl(fd, cmd, arg);
        return r < 0 ? -errno : r;
    default:
        return -EINVAL;
    }
}

int tapir_fcntl(int fd, int cmd, ...)
{
    struct call c;
    va_list args;
    long arg;
    int r;

    /* Whatever the command takes is one word; Linux's fcntl(2) reads it so, too. */
    va_start(args, cmd);
    arg = va_arg(args, long);
    va_end(args);
    r = call_enter_any(&c, fd, CALL_RECEIVE);
    if (r)
        return r > 0 ? fcntl(fd, cmd, arg) : (int)bsd_result(r);
    r = file_control(&c, fd, cmd, arg);
    return (int)call_leave(&c, r);
}
