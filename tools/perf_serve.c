/* tapir perf -s: three services on one thread and one tapir_poll(). A connection is a
 * descriptor and what it is for; the echo has a buffer of its own, discard and source
 * share one each. A turn moves a few buffers, so no connection starves another. */
#include "perf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"

enum { SERVICES = 3, CONNS = 1024, TURN = 8, SIM_TICK_MS = 100 };

struct conn {
    int fd;
    uint16_t service;  /* PERF_DISCARD, PERF_SOURCE, PERF_ECHO */
    uint8_t *echo;     /* PERF_ECHO: PERF_BUFFER bytes */
    size_t begin, end; /* of what is to be echoed yet */
    bool eof;          /* PERF_ECHO: nothing more comes */
};

struct server {
    int listener[SERVICES];
    unsigned n;
    struct conn conn[CONNS];
    struct pollfd fds[SERVICES + CONNS + 1];
    uint8_t sink[PERF_BUFFER], source[PERF_BUFFER];
};

static const uint16_t port_of[SERVICES] = { PERF_DISCARD, PERF_SOURCE, PERF_ECHO };

static bool again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* --- the services: false, the connection has ended --- */

static bool discard(struct server *s, struct conn *c)
{
    for (int i = 0; i < TURN; i++) {
        ssize_t n = tapir_read(c->fd, s->sink, sizeof s->sink);
        if (n <= 0)
            return n < 0 && again();
    }
    return true;
}

static bool source(struct server *s, struct conn *c, short ready)
{
    if (ready & POLLIN && tapir_read(c->fd, s->sink, sizeof s->sink) == 0)
        return false; /* the peer has closed: it wants no more */
    for (int i = 0; i < TURN; i++)
        if (tapir_write(c->fd, s->source, sizeof s->source) < 0)
            return again();
    return true;
}

static bool echo(struct conn *c)
{
    for (int i = 0; i < TURN; i++) {
        ssize_t n;
        if (c->begin == c->end && !c->eof) {
            n = tapir_read(c->fd, c->echo, PERF_BUFFER);
            if (n < 0)
                return again();
            c->begin = 0;
            c->end = (size_t)n;
            c->eof = n == 0;
        }
        if (c->begin == c->end)
            return false;
        n = tapir_write(c->fd, c->echo + c->begin, c->end - c->begin);
        if (n < 0)
            return again();
        c->begin += (size_t)n;
    }
    return true;
}

static bool serve_conn(struct server *s, struct conn *c, short ready)
{
    if (c->service == PERF_DISCARD)
        return discard(s, c);
    if (c->service == PERF_SOURCE)
        return source(s, c, ready);
    return echo(c);
}

static short wanted(const struct conn *c)
{
    if (c->service == PERF_SOURCE)
        return POLLIN | POLLOUT;
    return c->service == PERF_ECHO && c->begin < c->end ? POLLOUT : POLLIN;
}

/* --- connections --- */

static void accept_all(struct server *s, int which)
{
    int fd;
    while (s->n < CONNS &&
           (fd = tapir_accept4(s->listener[which], NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct conn *c = &s->conn[s->n];
        *c = (struct conn){ .fd = fd, .service = port_of[which] };
        if (c->service == PERF_ECHO)
            c->echo = malloc(PERF_BUFFER);
        if (c->service == PERF_ECHO && !c->echo)
            tapir_close(fd);
        else
            s->n++;
    }
}

static void end_conn(struct server *s, unsigned i)
{
    tapir_close(s->conn[i].fd);
    free(s->conn[i].echo);
    s->conn[i] = s->conn[--s->n];
}

/* --- the loop --- */

static bool serve_once(struct server *s, const struct options *o)
{
    struct pollfd *conns = s->fds + SERVICES;
    unsigned n = s->n;
    for (int i = 0; i < SERVICES; i++)
        s->fds[i] = (struct pollfd){ .fd = n < CONNS ? s->listener[i] : -1,
                                     .events = POLLIN };
    for (unsigned i = 0; i < n; i++)
        conns[i] = (struct pollfd){ .fd = s->conn[i].fd,
                                    .events = wanted(&s->conn[i]) };
    conns[n] = (struct pollfd){ .fd = o->stop_fd, .events = POLLIN };
    if (tapir_poll(s->fds, SERVICES + n + 1, o->sim ? SIM_TICK_MS : -1) < 0)
        return again();
    /* From the last: end_conn() moves the last one into the gap. */
    for (unsigned i = n; i-- > 0;)
        if (conns[i].revents && !serve_conn(s, &s->conn[i], conns[i].revents))
            end_conn(s, i);
    for (int i = 0; i < SERVICES; i++)
        if (s->fds[i].revents)
            accept_all(s, i);
    return true;
}

static int open_service(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    char what[120];
    int one = 1;
    int fd = tapir_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    tapir_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && tapir_bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        tapir_listen(fd, 128) == 0)
        return fd;
    int err = errno;
    snprintf(what, sizeof what, "cannot listen on port %d: %s", port, strerror(err));
    tell(what, err == EADDRINUSE ? "something else has that port" : NULL,
         err == EADDRINUSE ? "end the other server, or use another --addr" : NULL);
    if (fd >= 0)
        tapir_close(fd);
    return -1;
}

static int serve_all(struct server *s, struct options *o)
{
    int status = 0;
    char host[64];
    options_address(o, host, sizeof host);
    options_ready(o, "listening on %s, ports %d (discard), %d (source) and %d (echo)",
                  host, PERF_DISCARD, PERF_SOURCE, PERF_ECHO);
    while (status == 0 && !options_stopped(o))
        status = serve_once(s, o) ? 0 : 1;
    while (s->n)
        end_conn(s, s->n - 1);
    return status;
}

int perf_serve(struct options *o, void *unused)
{
    int status = 0, n = 0;
    struct server *s = calloc(1, sizeof *s);
    (void)unused;
    if (!s) {
        tell("cannot serve", "there is no memory", NULL);
        return 1;
    }
    while (n < SERVICES && (s->listener[n] = open_service(port_of[n])) >= 0)
        n++;
    status = n == SERVICES ? serve_all(s, o) : 1;
    while (n > 0)
        tapir_close(s->listener[--n]);
    free(s);
    return status;
}
