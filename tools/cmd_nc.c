/* tapir nc: stdin to a connection and the connection to stdout, at once. Each direction
 * has a buffer: it is filled when it is empty and what it comes from is readable, and
 * emptied when what it goes to is writable, so a slow side holds back only its own.
 * The end of stdin is told to the peer (half close). The peer's end is ours, once stdin
 * has ended as well or has had nothing to say for a second.
 *
 * UDP has no end: a second after stdin's the program is done, a listener when stopped.
 *
 * Readiness of stdin means nothing in virtual time: on --link sim it is read when there
 * is room for it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "app/names.h"
#include "commands.h"
#include "options.h"

enum {
    BUFFER = 65536,
    UDP_DATAGRAM = 1472,
    LINGER = 1000000,
    TICK_MS = 100,
    DRAIN_MS = 200
};

struct flow {
    uint8_t data[BUFFER];
    size_t begin, end; /* what is to be written yet */
    bool done;         /* nothing more comes */
};

struct nc {
    const char *host, *port_word;
    long long port; /* ours, with -l or -p; 0: any */
    bool listen, udp;
    union endpoint to;

    int fd;
    bool half_closed;     /* the peer was told that stdin has ended */
    int64_t idle_end;     /* UDP: when to end after stdin's end; 0: not yet */
    struct flow up, down; /* stdin to the peer, the peer to stdout */
};

static const struct option_row rows[] = {
    { 'l', 'l', NULL, false },
    { 'p', 'p', "port", true },
    { 'u', 'u', NULL, false },
    { 0, 0, NULL, false },
};

/* --- moving bytes --- */

static bool again(int err)
{
    return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

/* False: an error that ends the program; it was told. */
static bool fill(struct flow *f, int fd, size_t room)
{
    ssize_t n = tapir_read(fd, f->data, room);
    if (n < 0 && !again(errno)) {
        tell("cannot read", strerror(errno), NULL);
        return false;
    }
    f->begin = 0;
    f->end = n > 0 ? (size_t)n : 0;
    f->done = n == 0;
    return true;
}

static bool empty(struct flow *f, int fd)
{
    ssize_t n = tapir_write(fd, f->data + f->begin, f->end - f->begin);
    if (n < 0 && !again(errno)) {
        tell("cannot write", strerror(errno), NULL);
        return false;
    }
    f->begin += n > 0 ? (size_t)n : 0;
    return true;
}

static bool waiting(const struct flow *f)
{
    return f->begin < f->end;
}

/* What there is to wait for: stdin, stdout, the peer, the end. */
static void ask(const struct nc *c, const struct options *o, struct pollfd fds[4])
{
    short peer = 0;
    bool want_input = !waiting(&c->up) && !c->up.done;
    if (!waiting(&c->down) && !c->down.done)
        peer |= POLLIN;
    if (waiting(&c->up))
        peer |= POLLOUT;
    fds[0] = (struct pollfd){ .fd = want_input && !o->sim ? 0 : -1, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = waiting(&c->down) ? 1 : -1, .events = POLLOUT };
    fds[2] = (struct pollfd){ .fd = c->fd, .events = peer };
    fds[3] = (struct pollfd){ .fd = o->stop_fd, .events = POLLIN };
}

/* Milliseconds to wait at most. */
static int patience(const struct nc *c, const struct options *o)
{
    if (o->sim && !waiting(&c->up) && !c->up.done)
        return 0;
    return o->sim || c->idle_end ? TICK_MS : -1;
}

static bool move(struct nc *c, const struct options *o, const struct pollfd fds[4])
{
    size_t room = c->udp ? UDP_DATAGRAM : BUFFER;
    bool input = fds[0].revents != 0 || (o->sim && !waiting(&c->up) && !c->up.done);
    if (waiting(&c->up) && (fds[2].revents & (POLLOUT | POLLERR | POLLHUP)))
        return empty(&c->up, c->fd);
    if (input && !fill(&c->up, 0, room))
        return false;
    if (input && !c->up.done)
        c->idle_end = 0;
    if (fds[1].revents && !empty(&c->down, 1))
        return false;
    if (fds[2].revents && !waiting(&c->down) && !c->down.done)
        return fill(&c->down, c->fd, BUFFER);
    return true;
}

/* The end of stdin, once all of it is written. */
static void end_of_input(struct nc *c)
{
    if (!c->up.done || waiting(&c->up) || c->half_closed)
        return;
    c->half_closed = true;
    if (c->udp)
        c->idle_end = c->listen ? 0 : tapir_now() + LINGER;
    else
        tapir_shutdown(c->fd, SHUT_WR);
}

/* The COMMAND of a listener has ended, or a signal came: what the peer had sent is
 * still on its way to us; a pause ends it. */
static int drain(struct nc *c)
{
    int64_t until = tapir_now() + 1000000;
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    while (!c->down.done && tapir_now() < until) {
        if (!waiting(&c->down) && tapir_poll(&p, 1, DRAIN_MS) <= 0)
            return 0;
        if (waiting(&c->down) ? !empty(&c->down, 1) : !fill(&c->down, c->fd, BUFFER))
            return 1;
    }
    return 0;
}

/* Has all been said? */
static bool over(struct nc *c)
{
    if (c->down.done && !waiting(&c->down) && !waiting(&c->up)) {
        if (c->up.done)
            return true;
        if (!c->idle_end)
            c->idle_end = tapir_now() + LINGER;
    }
    return c->idle_end && tapir_now() >= c->idle_end;
}

static int talk(struct nc *c, struct options *o)
{
    struct pollfd fds[4];
    while (!options_stopped(o)) {
        end_of_input(c);
        if (over(c))
            return 0;
        ask(c, o, fds);
        if (tapir_poll(fds, 4, patience(c, o)) < 0 && !again(errno)) {
            tell("cannot wait", strerror(errno), NULL);
            return 1;
        }
        if (!move(c, o, fds))
            return 1;
        if (c->udp)
            c->down.done = false; /* an empty datagram is no end */
    }
    return drain(c);
}

/* --- opening --- */

static int bind_port(const struct nc *c, int fd)
{
    static const uint8_t any[16];
    union endpoint at = endpoint_of(c->to.any.sa_family, any, (uint16_t)c->port);
    int one = 1;
    char what[100];
    tapir_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (tapir_bind(fd, &at.any, endpoint_len(&at)) == 0)
        return 0;
    snprintf(what, sizeof what, "cannot bind port %lld: %s", c->port, strerror(errno));
    tell(what, errno == EADDRINUSE ? "something else has that port" : NULL,
         "choose another port with -p");
    return 1;
}

static int connect_peer(struct nc *c)
{
    if (tapir_connect(c->fd, &c->to.any, endpoint_len(&c->to)) == 0)
        return 0;
    tell_connect(c->host, &c->to, errno);
    return 1;
}

/* Waits for a client, or for the end; -1 and *status when there is none. */
static int accept_one(const struct options *o, int listener)
{
    struct pollfd fds[2] = { { .fd = listener, .events = POLLIN },
                             { .fd = o->stop_fd, .events = POLLIN } };
    if (tapir_poll(fds, 2, -1) < 0 || !fds[0].revents)
        return -1;
    return tapir_accept(listener, NULL, NULL);
}

static int listen_tcp(struct nc *c, struct options *o)
{
    int listener = c->fd;
    char host[64];
    options_address(o, host, sizeof host);
    if (tapir_listen(listener, 1) < 0) {
        tell("cannot listen", strerror(errno), NULL);
        return 1;
    }
    options_ready(o, "listening on %s port %lld", host, c->port);
    c->fd = accept_one(o, listener);
    tapir_close(listener);
    if (c->fd < 0)
        return 1;
    return 0;
}

/* The first datagram says who the peer is. */
static int listen_udp(struct nc *c, struct options *o)
{
    socklen_t len = sizeof c->to;
    char host[64];
    struct pollfd fds[2] = { { .fd = c->fd, .events = POLLIN },
                             { .fd = o->stop_fd, .events = POLLIN } };
    options_address(o, host, sizeof host);
    options_ready(o, "listening on %s UDP port %lld", host, c->port);
    if (tapir_poll(fds, 2, -1) < 0 || !fds[0].revents)
        return 1;
    ssize_t n = tapir_recvfrom(c->fd, c->down.data, BUFFER, 0, &c->to.any, &len);
    c->down.end = n > 0 ? (size_t)n : 0;
    c->host = "the peer";
    return connect_peer(c);
}

static int open_peer(struct nc *c, struct options *o)
{
    if (c->port && bind_port(c, c->fd) != 0)
        return 1;
    if (c->listen)
        return c->udp ? listen_udp(c, o) : listen_tcp(c, o);
    if (!c->udp)
        options_wait_far(o, endpoint_port(&c->to));
    return connect_peer(c);
}

static int nc_body(struct options *o, void *arg)
{
    struct nc *c = arg;
    if (c->listen)
        c->to = names_any(0);
    else if (!find_host(o, c->host, AF_UNSPEC, &c->to))
        return 1;
    c->fd = tapir_socket(c->to.any.sa_family, c->udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (c->fd < 0) {
        tell("cannot open a socket", strerror(errno), NULL);
        return 1;
    }
    int status = open_peer(c, o);
    if (status == 0) {
        tapir_fcntl(c->fd, F_SETFL, tapir_fcntl(c->fd, F_GETFL, 0) | O_NONBLOCK);
        status = talk(c, o);
    }
    if (c->fd >= 0)
        tapir_close(c->fd);
    return options_stopped(o) ? 0 : status;
}

/* --- the command --- */

static int check_call(struct nc *c)
{
    long long port;
    if (c->listen && c->host && !c->port && !c->port_word)
        c->port_word = c->host; /* "-l PORT", as some netcats have it */
    if (c->listen && !c->port && c->port_word) {
        if (!option_number("the port", c->port_word, 1, 65535, &c->port))
            return 2;
    }
    if (c->listen)
        return c->port ? 0 : tell_usage("nc -l needs a port", "tapir nc -l -p 7000");
    if (!c->host || !c->port_word)
        return tell_usage("nc needs a HOST and a PORT", "tapir nc 192.0.2.1 7000");
    if (!option_number("the port", c->port_word, 1, 65535, &port))
        return 2;
    c->to.in4.sin_port = htons((uint16_t)port);
    return 0;
}

int nc_run(int argc, char **argv)
{
    static struct nc c; /* two buffers are much for a stack */
    struct options o;
    int id;
    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == 'l')
            c.listen = true;
        else if (id == 'u')
            c.udp = true;
        else if (id == OPT_WORD && !c.host)
            c.host = o.value;
        else if (id == OPT_WORD && !c.port_word)
            c.port_word = o.value;
        else if (id == OPT_WORD)
            return tell_usage("nc takes one HOST and one PORT", "tapir help nc");
        else if (id != 'p')
            return options_exit(id);
        else if (!option_number("-p", o.value, 1, 65535, &c.port))
            return 2;
    }
    int status = check_call(&c);
    if (status != 0)
        return status;
    return options_run(&o, &(struct job){ .body = nc_body,
                                          .arg = &c,
                                          .failed = 1,
                                          .server = c.listen,
                                          .watches = true });
}
