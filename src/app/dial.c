/* The descriptor never blocks; waiting is tapir_poll's, whose milliseconds are rounded
 * up, so that a wait that ends early is not repeated in a busy loop. Sending and
 * receiving only try: a client that does both at once waits for either. */
#include "app/dial.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>

#include "tapir/socket.h"

int dial_wait(int fd, short events, usec deadline)
{
    struct pollfd p = { .fd = fd, .events = events };

    for (;;) {
        int timeout = -1;
        if (deadline != NEVER) {
            usec left = deadline - tapir_now();
            if (left <= 0)
                return -ETIME;
            left = (left + USEC_PER_MS - 1) / USEC_PER_MS;
            timeout = left < INT_MAX ? (int)left : INT_MAX;
        }
        int n = tapir_poll(&p, 1, timeout);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

static int connect_fd(int fd, const union endpoint *to, usec deadline)
{
    int err = 0;
    socklen_t len = sizeof err;

    if (tapir_connect(fd, &to->any, endpoint_len(to)) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    err = dial_wait(fd, POLLOUT, deadline);
    if (err < 0)
        return err;
    if (tapir_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        return -errno;
    return -err;
}

int dial_connect(const union endpoint *to, usec deadline)
{
    int fd = tapir_socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          0);
    int one = 1, err;

    if (fd < 0)
        return -errno;
    err = connect_fd(fd, to, deadline);
    if (err < 0) {
        tapir_close(fd);
        return err;
    }
    tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* What a call that gave less than nothing means. */
static ssize_t failure(void)
{
    return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
}

ssize_t dial_send(int fd, const char *at, size_t len)
{
    ssize_t n = tapir_send(fd, at, len, MSG_NOSIGNAL);

    return n < 0 ? failure() : n;
}

ssize_t dial_receive(int fd, char *at, size_t room)
{
    ssize_t n = tapir_recv(fd, at, room, 0);

    return n < 0 ? failure() : n;
}

bool dial_is_quiet(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return tapir_poll(&p, 1, 0) == 0;
}
