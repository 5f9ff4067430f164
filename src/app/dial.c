/* The descriptor never blocks; waiting is tapir_poll's, whose milliseconds are rounded
 * up, so that a wait that ends early is not repeated in a busy loop. Every call tries
 * first and waits after: on a fast link what is awaited is there already. */
#include "app/dial.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>

#include "tapir/socket.h"

/* 0 when the descriptor may be ready; -ETIME; negative errno. */
static int wait_for(int fd, short events, usec deadline)
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

static int connect_fd(int fd, const struct sockaddr_in *to, usec deadline)
{
    int err = 0;
    socklen_t len = sizeof err;

    if (tapir_connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    err = wait_for(fd, POLLOUT, deadline);
    if (err < 0)
        return err;
    if (tapir_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        return -errno;
    return -err;
}

int dial_connect(const struct sockaddr_in *to, usec deadline)
{
    int fd = tapir_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int dial_send(int fd, const char *at, size_t len, usec deadline)
{
    while (len > 0) {
        ssize_t n = tapir_send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && !would_block())
            return -errno;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
            continue;
        }
        int err = wait_for(fd, POLLOUT, deadline);
        if (err < 0)
            return err;
    }
    return 0;
}

ssize_t dial_receive(int fd, char *at, size_t room, usec deadline)
{
    for (;;) {
        ssize_t n = tapir_recv(fd, at, room, 0);
        if (n >= 0)
            return n;
        if (!would_block())
            return -errno;
        int err = wait_for(fd, POLLIN, deadline);
        if (err < 0)
            return err;
    }
}

bool dial_is_quiet(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return tapir_poll(&p, 1, 0) == 0;
}
