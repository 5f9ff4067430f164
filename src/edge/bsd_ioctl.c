/* ioctl(2) of sockets: how much waits, and O_NONBLOCK. Whatever else is asked is
 * ENOTTY, as for a request that no socket knows. */
#include "edge/bsd.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "base/bytes.h"

static int give_queued(const struct call *c, enum sock_queue which, int *value)
{
    size_t n;
    int r = sock_queued(c->sock, which, &n);

    if (r == 0 && !value)
        r = -EFAULT;
    if (r == 0)
        *value = (int)min_size(n, INT_MAX);
    return r;
}

static int give_mark(const struct call *c, int *value)
{
    int at = sock_at_mark(c->sock);
    if (at < 0)
        return at;
    if (!value)
        return -EFAULT;
    *value = at;
    return 0;
}

static int set_nonblock(struct file *f, const int *value)
{
    if (!value)
        return -EFAULT;
    f->nonblock = *value != 0;
    return 0;
}

static int request_of(struct call *c, unsigned long request, int *value)
{
    if (request == FIONBIO)
        return set_nonblock(c->file, value);
    if (!c->sock) /* a set */
        return request == FIONREAD ? -EINVAL : -ENOTTY;
    switch (request) {
    case SIOCINQ: /* FIONREAD */
        return give_queued(c, SOCK_QUEUE_IN, value);
    case SIOCOUTQ: /* TIOCOUTQ */
        return give_queued(c, SOCK_QUEUE_OUT, value);
    case SIOCOUTQNSD:
        return give_queued(c, SOCK_QUEUE_NOT_SENT, value);
    case SIOCATMARK:
        return give_mark(c, value);
    default:
        return -ENOTTY;
    }
}

int tapir_ioctl(int fd, unsigned long request, ...)
{
    struct call c;
    va_list args;
    void *arg;
    int r;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    r = call_enter_any(&c, fd, CALL_RECEIVE);
    if (r)
        return r > 0 ? ioctl(fd, request, arg) : (int)bsd_result(r);
    call_say(&c, "ioctl(%d, %#lx)", fd, request);
    r = request_of(&c, request, arg);
    return (int)call_leave(&c, r);
}

int tapir_sockatmark(int fd)
{
    int at;

    return tapir_ioctl(fd, SIOCATMARK, &at) < 0 ? -1 : at;
}
