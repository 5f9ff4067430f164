/* How it works
 *
 *     | length 4 | frame ... | length 4 | frame ... | length 4 | fra
 *
 * Reading. One call takes the rest of the frame that is coming, straight into its
 * packet, and the length of the next: nothing is copied, and no frame that is here is
 * ever hidden in a buffer of ours, where poll(2) would not see it. A length that no
 * frame can have means that the two ends do not speak the same: after that there is no
 * way to find the next frame, so the link is closed.
 *
 * Writing. A frame that the socket takes a part of is begun: it cannot be given back.
 * What it does not take is copied, and goes before anything else. From then on the link
 * is full; it says so at once, but has room for what is left of a super-segment that is
 * being cut. Whoever goes on all the same is refused in the end (-EAGAIN).
 *
 * Who is at the other end:
 *
 *              somebody listens at the path: connect ──► [connected] ──┐ peer has gone:
 *     find ──┤                                                         ├─► find
 *              nobody: listen there ──► [waiting] ──► [one peer] ──────┘ wait again
 *                                           ▲            │
 *                                           └────────────┘
 *
 * A socket file that nobody listens at was left behind by a process that was killed: it
 * is replaced. Two that look at the same time take turns, by a lock on the directory.
 * Another caller while there is a peer is turned away by closing; who is closed at once
 * without a word takes that as the answer and does not call again for ever. */
#include "edge/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/explain.h"
#include "net/net.h"

enum {
    LENGTH = 4,
    ETHERNET = 14,
    FRAME_MAX = ETHERNET + 4 + 65535, /* with a VLAN tag and the longest packet */
    CALLERS = 8,                      /* waiting to be taken or turned away */
    LOCK_TURNS = 1000,                /* of a millisecond: patience for the lock */
    AT_ONCE_MS = 1000,
    REST_MAX = 256 * 1024, /* a super-segment in small pieces, and their headers */
};

static struct stream *stream_of(void *port)
{
    return port;
}

static int64_t milliseconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- sending ---- */

static void stream_flush(struct port *port)
{
    struct stream *s = stream_of(port);
    ssize_t n = send(s->conn, s->rest + s->rest_at, s->rest_end - s->rest_at,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
        s->rest_at += (size_t)n;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        s->rest_at = s->rest_end; /* the peer has gone; the next read will say so */
        net_drop(port->net, NULL, DROP_LINK_DOWN);
    }
    port->pending = s->rest_at < s->rest_end;
}

/* Keeps what follows the first `taken` bytes of the message, if there is room. */
static int keep_rest(struct stream *s, const struct msghdr *msg, size_t len,
                     size_t taken)
{
    if (s->rest_at == s->rest_end)
        s->rest_at = s->rest_end = 0;
    if (s->rest_end + len - taken > REST_MAX)
        return -EAGAIN;
    for (size_t i = 0; i < msg->msg_iovlen; i++) {
        const struct iovec *iov = &msg->msg_iov[i];
        size_t skip = taken < iov->iov_len ? taken : iov->iov_len;
        size_t n = iov->iov_len - skip;

        if (n > 0)
            memcpy(s->rest + s->rest_end, (const uint8_t *)iov->iov_base + skip, n);
        s->rest_end += n;
        taken -= skip;
    }
    s->port.pending = true;
    return 1;
}

static int send_now(struct stream *s, const struct msghdr *msg, size_t len)
{
    ssize_t n = sendmsg(s->conn, msg, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n == (ssize_t)len)
        return 0;
    if (n >= 0)
        return keep_rest(s, msg, len, (size_t)n);
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
        return keep_rest(s, msg, len, 0);
    net_drop(s->port.net, NULL, DROP_LINK_DOWN);
    return 0;
}

static int stream_send(struct link *link, const struct pkt *p)
{
    struct stream *s = stream_of(link);
    uint8_t length[LENGTH];
    struct iovec iov[4] = { { length, LENGTH }, { p->data, p->len } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    size_t total = pkt_total(p);

    if (s->conn < 0 || total > FRAME_MAX) {
        net_drop(s->port.net, NULL, s->conn < 0 ? DROP_LINK_DOWN : DROP_LINK_TOO_BIG);
        return 0;
    }
    put32(length, (uint32_t)total);
    for (unsigned i = 0; i < p->n_text; i++)
        iov[msg.msg_iovlen++] = (struct iovec){ (void *)(uintptr_t)p->text[i].at,
                                                p->text[i].len };
    if (s->port.pending)
        stream_flush(&s->port);
    if (s->port.pending)
        return keep_rest(s, &msg, LENGTH + total, 0);
    return send_now(s, &msg, LENGTH + total);
}

/* ---- who is at the other end ---- */

static void watch(struct stream *s)
{
    s->port.fd = s->conn >= 0 ? s->conn : s->listener;
    s->port.door = s->conn >= 0 ? s->listener : -1;
}

static void begin(struct stream *s, int conn)
{
    s->conn = conn;
    s->since = milliseconds();
    s->heard = false;
    s->port.arrived = true;
    watch(s);
}

static void hang_up(struct stream *s)
{
    if (s->port.pending)
        net_drop(s->port.net, NULL, DROP_LINK_DOWN);
    s->port.pending = false;
    s->rest_at = s->rest_end = 0;
    pkt_free(s->in);
    s->in = NULL;
    s->head_n = 0;
    if (s->conn >= 0)
        close(s->conn);
    s->conn = -1;
    watch(s);
}

static int new_socket(const char *path, struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(at->sun_path, sizeof at->sun_path, "%s", path);
    return fd < 0 ? -errno : fd;
}

static int call(struct stream *s)
{
    struct sockaddr_un at;
    int fd = new_socket(s->path, &at), err;

    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        begin(s, fd);
        return 0;
    }
    err = -errno;
    close(fd);
    return err;
}

static int wait_there(struct stream *s)
{
    struct sockaddr_un at;
    int fd = new_socket(s->path, &at), err = 0;

    if (fd < 0)
        return fd;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, CALLERS) < 0 ||
        lstat(s->path, &s->own) < 0) {
        err = -errno;
        close(fd);
        return err;
    }
    s->listener = fd;
    watch(s);
    return 0;
}

/* A lock that ends with the descriptor; -1 where there is none to be had. */
static int lock_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[STREAM_PATH_MAX + 1] = ".";
    int fd;

    if (slash)
        snprintf(dir, sizeof dir, "%.*s", (int)(slash - path) + 1, path);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < LOCK_TURNS; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Nobody listens at the path. -ENOENT: nothing is there any more. */
static int remove_stale(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return -errno;
    if (!S_ISSOCK(st.st_mode))
        return -ENOTSOCK;
    return unlink(path) < 0 ? -errno : -ENOENT;
}

static int find_peer(struct stream *s)
{
    int lock = lock_directory(s->path);
    int err = call(s);

    if (err == -ECONNREFUSED)
        err = remove_stale(s->path);
    if (err == -ENOENT)
        err = wait_there(s);
    if (lock >= 0)
        close(lock);
    return err;
}

/* The connection has ended. As stream_read(), when nothing came. */
static int lose_peer(struct stream *s)
{
    bool turned_away = !s->heard && milliseconds() - s->since < AT_ONCE_MS;
    int err = 0;

    hang_up(s);
    if (s->listener >= 0)
        net_note(s->port.net, "the peer of the link has gone: waiting for the next");
    else if (!*s->path)
        port_die(&s->port, "the peer closed the socket");
    else if (turned_away)
        port_die(&s->port, "who listens at %s closed at once: it has another peer",
                 s->path);
    else if ((err = find_peer(s)) < 0)
        port_die(&s->port, "the peer at %s has gone and cannot be replaced: %s",
                 s->path, strerror(-err));
    return s->port.dead ? -ENETDOWN : 0;
}

/* Has a peer come, or is one there? */
static bool take_peer(struct stream *s)
{
    int fd;

    if (s->conn >= 0)
        return true;
    fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    begin(s, fd);
    net_note(s->port.net, "a peer has come to the link");
    return true;
}

/* What it sent before may still be there to be read. */
static bool peer_has_gone(const struct stream *s)
{
    struct pollfd conn = { .fd = s->conn, .events = POLLRDHUP };

    return poll(&conn, 1, 0) > 0;
}

/* Not while the one who has the place is leaving it: the caller is the next. */
static void turn_away(struct stream *s)
{
    int fd;

    if (s->conn >= 0 && peer_has_gone(s))
        return;
    s->port.knocked = false;
    if (s->conn < 0 || s->listener < 0)
        return;
    while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(fd);
}

/* ---- reading ---- */

static int bad_length(struct stream *s, uint32_t len)
{
    hang_up(s);
    port_die(&s->port,
             "the peer sent %u as the length of a frame, which is from %d to %d: it "
             "speaks another framing",
             len, ETHERNET, FRAME_MAX);
    return -ENETDOWN;
}

static int receive(struct stream *s, struct iovec *iov, size_t n)
{
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };
    ssize_t got = recvmsg(s->conn, &msg, MSG_DONTWAIT);

    if (got > 0) {
        s->heard = true;
        return (int)got;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return lose_peer(s);
}

/* The length of the next frame, and a packet for it. 1, or as stream_read(). */
static int read_length(struct stream *s, struct pkt_pool *pool)
{
    struct iovec iov = { s->head + s->head_n, LENGTH - s->head_n };
    uint32_t len;
    int n;

    if (s->head_n < LENGTH) {
        n = receive(s, &iov, 1);
        if (n <= 0)
            return n;
        s->head_n += (size_t)n;
        if (s->head_n < LENGTH)
            return 0;
    }
    len = get32(s->head);
    if (len < ETHERNET || len > FRAME_MAX)
        return bad_length(s, len);
    s->in = pkt_new(pool, len);
    if (!s->in)
        return -ENOBUFS;
    s->in_len = len;
    s->head_n = 0;
    return 1;
}

/* More of the frame: 1 when it is whole. */
static int read_frame(struct stream *s)
{
    size_t missing = s->in_len - s->in->len;
    struct iovec iov[2] = { { s->in->data + s->in->len, missing },
                            { s->head, LENGTH } };
    int n = receive(s, iov, 2);
    size_t got = (size_t)n;

    if (n <= 0)
        return n;
    if (got < missing) {
        pkt_put(s->in, got);
        return 0;
    }
    pkt_put(s->in, missing);
    s->head_n = got - missing;
    return 1;
}

static int stream_read(struct port *port, struct pkt_pool *pool, struct pkt **out)
{
    struct stream *s = stream_of(port);
    int r = 1;

    if (port->dead)
        return -ENETDOWN;
    if (port->knocked)
        turn_away(s);
    if (!take_peer(s))
        return 0;
    if (!s->in)
        r = read_length(s, pool);
    if (r == 1)
        r = read_frame(s);
    if (r != 1)
        return r;
    *out = s->in;
    s->in = NULL;
    if ((*out)->len <= (uint32_t)port->mtu + ETHERNET)
        return 1;
    net_drop(port->net, *out, DROP_LINK_TOO_BIG);
    return 0;
}

/* ---- opening and closing ---- */

static void stream_close(struct port *port)
{
    struct stream *s = stream_of(port);
    struct stat now;

    /* Gone from the path first: the peer, once it sees the end, may listen there. */
    if (s->listener >= 0 && lstat(s->path, &now) == 0 && now.st_ino == s->own.st_ino &&
        now.st_dev == s->own.st_dev)
        unlink(s->path);
    if (s->listener >= 0)
        close(s->listener);
    s->listener = -1;
    pkt_free(s->in);
    if (s->conn >= 0)
        close(s->conn);
    s->conn = -1;
    free(s->rest);
}

static int init(struct stream *s, const struct port_setup *setup,
                struct tapir_error *error)
{
    static const struct port_ops ops = { .read = stream_read,
                                         .flush = stream_flush,
                                         .close = stream_close };

    memset(s, 0, sizeof *s);
    s->port.link.send = stream_send;
    s->port.ops = &ops;
    s->port.mtu = (uint16_t)setup->mtu;
    s->conn = s->listener = -1;
    watch(s);
    s->rest = malloc(REST_MAX);
    return s->rest ? 0 : explain(error, -ENOMEM, "cannot open the link");
}

static const char *cause_of(int err)
{
    switch (err) {
    case -ENOTSOCK:
        return "a file that is no socket stands there; it was left alone";
    case -EPROTOTYPE:
        return "who listens there has a socket of datagrams, not a stream";
    case -EAGAIN:
        return "who listens there takes nobody: its queue of callers is full";
    case -EACCES:
    case -EPERM:
        return "no right to that socket, or to its directory";
    case -ENOENT:
    case -ENOTDIR:
        return "its directory is missing";
    default:
        return "it can neither be connected to nor be listened at";
    }
}

int stream_open(struct stream *s, const struct port_setup *setup,
                struct tapir_error *error)
{
    char what[160];
    int err = init(s, setup, error);

    if (err < 0)
        return err;
    snprintf(s->port.name, sizeof s->port.name, "unix");
    snprintf(s->path, sizeof s->path, "%s", setup->name);
    err = find_peer(s);
    s->port.arrived = false;
    if (err == 0)
        return 0;
    stream_close(&s->port);
    snprintf(what, sizeof what, "cannot use the socket %s", setup->name);
    explain(error, err, what);
    explain_cause(error, "%s", cause_of(err));
    explain_fix(error, "another path, in a directory of your own: "
                       "--link unix:/tmp/tapir.sock");
    return err;
}

static int adopt_failed(int fd, const char *cause, struct tapir_error *error)
{
    char what[64];

    snprintf(what, sizeof what, "cannot use descriptor %d as a link", fd);
    explain(error, -EINVAL, what);
    explain_cause(error, "%s", cause);
    explain_fix(error, "a connected stream socket, such as one of socketpair(AF_UNIX, "
                       "SOCK_STREAM), or a TAP device");
    return -EINVAL;
}

int stream_adopt(struct stream *s, const struct port_setup *setup,
                 struct tapir_error *error)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer, type_len = sizeof(int);
    int fd = setup->fd, type = 0, err;

    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
    if (type != SOCK_STREAM)
        return adopt_failed(fd, "it is a socket, but no stream", error);
    if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
        return adopt_failed(fd, "it is a socket that is not connected", error);
    err = init(s, setup, error);
    if (err < 0)
        return err;
    snprintf(s->port.name, sizeof s->port.name, "fd%d", fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    begin(s, fd);
    s->port.arrived = false;
    return 0;
}
