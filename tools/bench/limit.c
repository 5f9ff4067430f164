/* limit DEVICE [--no-offload]: makes the TAP device and answers on it as limit_tcp.h
 * says, until a signal ends it. It is the yardstick of `make bench`, no law of nature:
 * a stack that acknowledges less often than once a frame can pass it.
 *
 * The kernel's side needs an address, the device up, and a static neighbour for ours,
 * 02:00:00:00:00:02: no ARP is spoken here. Any address is answered. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "limit_tcp.h"

enum { STALL_MS = 200 };

struct wire {
    int fd;
    uint8_t in[LIMIT_FRAME];
    uint8_t headers[LIMIT_HEADERS + LIMIT_SYN_OPTIONS];
    uint8_t zeros[65536]; /* the text of a flow */
};

static int open_device(const char *name, bool offload)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int header = LIMIT_VNET;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) == 0 &&
        ioctl(fd, TUNSETVNETHDRSZ, &header) == 0 &&
        ioctl(fd, TUNSETOFFLOAD, offload ? TUN_F_CSUM | TUN_F_TSO4 : 0) == 0)
        return fd;
    bench_fail("cannot make the TAP device", strerror(errno),
               "run it as root, in a network namespace; tapir doctor says more");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* False: the device did not take it. */
static bool transmit(struct wire *w, const struct limit *l, const struct limit_seg *out)
{
    struct iovec v[2] = { { w->headers, limit_emit(l, out, w->headers) },
                          { w->zeros, out->len } };
    if (out->text)
        v[1].iov_base = (void *)(uintptr_t)out->text;
    return writev(w->fd, v, out->len ? 2 : 1) >= 0;
}

/* Reads a frame and answers it. False: there is none. */
static bool receive(struct wire *w, struct limit *l)
{
    struct limit_seg in, out;
    ssize_t n = read(w->fd, w->in, sizeof w->in);

    if (n < 0)
        return errno == EINTR;
    if (limit_parse(w->in, (size_t)n, &in) && limit_input(l, &in, &out))
        transmit(w, l, &out);
    return true;
}

/* One frame in, one frame out, and so on: an ACK that waits in the device frees window
 * for the next segment. */
static int carry(struct wire *w, struct limit *l)
{
    struct pollfd p = { .fd = w->fd, .events = POLLIN };
    struct limit_seg out;

    for (;;) {
        bool came = receive(w, l);
        bool room = limit_next(l, &out);
        if (room && !transmit(w, l, &out))
            limit_stalled(l);
        if (came || room)
            continue;
        int n = poll(&p, 1, STALL_MS);
        if (n < 0 && errno != EINTR)
            return bench_fail("cannot wait for the device", strerror(errno), NULL);
        if (n == 0)
            limit_stalled(l);
    }
}

int main(int argc, char **argv)
{
    static struct wire wire;
    struct limit l = { .offload = argc < 3 };

    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--no-offload") != 0)) {
        fprintf(stderr, "usage: limit DEVICE [--no-offload]\n");
        return 2;
    }
    wire.fd = open_device(argv[1], l.offload);
    if (wire.fd < 0)
        return 1;
    fprintf(stderr, "listening on %s\n", argv[1]);
    return carry(&wire, &l);
}
