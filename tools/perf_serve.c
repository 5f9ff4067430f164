/* tapir perf -s: three services on one thread and one tapir_epoll_wait(). A connection
 * is a descriptor and what it is for; all share one buffer, and the echo keeps what its
 * peer would not take yet, no more. So a connection that is idle costs its descriptor
 * and a few words, and a turn costs what is ready. A turn moves a few buffers of one
 * connection, so none starves another. */
#include "perf.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "app/names.h"
#include "commands.h"
#include "options.h"

enum {
    SERVICES = 3,
    CONNECTIONS = 32768, /* at once, where descriptors suffice */
    BACKLOG = 512,
    TURN = 8, /* buffers that one connection moves in its turn */
    EVENTS = 256,
    CROWD = 1000, /* connections whose memory is worth giving back */
    SIM_TICK_MS = 100
};

struct conn {
    struct conn *next, **at; /* among all; where it is linked */
    int fd;
    uint16_t service;  /* PERF_DISCARD, PERF_SOURCE, PERF_ECHO */
    uint32_t events;   /* what is waited for */
    uint8_t *held;     /* PERF_ECHO: what the peer has not taken; NULL: nothing */
    size_t begin, end; /* of it */
};

struct server {
    int epoll;
    int listener[SERVICES];
    bool open; /* the listeners are waited for */
    bool somebody[SERVICES];
    unsigned n, most; /* connections: in use; at most */
    bool crowded;     /* there were many since there were none */
    struct conn *conns;
    uint8_t buffer[PERF_BUFFER]; /* what was read last */
    uint8_t source[PERF_BUFFER]; /* what PERF_SOURCE sends */
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
        ssize_t n = tapir_read(c->fd, s->buffer, sizeof s->buffer);
        if (n <= 0)
            return n < 0 && again();
    }
    return true;
}

static bool source(struct server *s, struct conn *c, uint32_t ready)
{
    if (ready & EPOLLIN && tapir_read(c->fd, s->buffer, sizeof s->buffer) == 0)
        return false; /* the peer has closed: it wants no more */
    for (int i = 0; i < TURN; i++)
        if (tapir_write(c->fd, s->source, sizeof s->source) < 0)
            return again();
    return true;
}

/* Sends what is held; true also when some is left. */
static bool send_held(struct conn *c)
{
    ssize_t n = tapir_write(c->fd, c->held + c->begin, c->end - c->begin);
    if (n < 0)
        return again();
    c->begin += (size_t)n;
    if (c->begin == c->end) {
        free(c->held);
        c->held = NULL;
    }
    return true;
}

static bool hold(struct conn *c, const uint8_t *at, size_t n)
{
    c->held = malloc(n);
    if (!c->held)
        return false;
    memcpy(c->held, at, n);
    c->begin = 0;
    c->end = n;
    return true;
}

static bool echo(struct server *s, struct conn *c)
{
    if (c->held && !send_held(c))
        return false;
    for (int i = 0; i < TURN && !c->held; i++) {
        ssize_t n = tapir_read(c->fd, s->buffer, sizeof s->buffer);
        ssize_t sent = 0;
        if (n <= 0)
            return n < 0 && again();
        sent = tapir_write(c->fd, s->buffer, (size_t)n);
        if (sent < 0 && !again())
            return false;
        sent = sent < 0 ? 0 : sent;
        if (sent < n && !hold(c, s->buffer + sent, (size_t)(n - sent)))
            return false;
        if (n < (ssize_t)sizeof s->buffer)
            break; /* nothing more is there, as a rule */
    }
    return true;
}

static bool serve(struct server *s, struct conn *c, uint32_t ready)
{
    if (c->service == PERF_DISCARD)
        return discard(s, c);
    if (c->service == PERF_SOURCE)
        return source(s, c, ready);
    return echo(s, c);
}

static uint32_t wanted(const struct conn *c)
{
    if (c->service == PERF_SOURCE)
        return EPOLLIN | EPOLLOUT;
    return c->held ? EPOLLOUT : EPOLLIN;
}

/* --- connections --- */

static bool control(struct server *s, int op, int fd, uint32_t events, void *mark)
{
    struct epoll_event event = { .events = events, .data.ptr = mark };
    return tapir_epoll_ctl(s->epoll, op, fd, &event) == 0;
}

static void add_conn(struct server *s, int fd, uint16_t service)
{
    struct conn *c = malloc(sizeof *c);
    if (c) {
        *c = (struct conn){ .next = s->conns, .at = &s->conns };
        c->fd = fd;
        c->service = service;
        c->events = wanted(c);
    }
    if (!c || !control(s, EPOLL_CTL_ADD, fd, c->events, c)) {
        tapir_close(fd);
        free(c);
        return;
    }
    if (c->next)
        c->next->at = &c->next;
    s->conns = c;
    s->n++;
    s->crowded = s->crowded || s->n >= CROWD;
}

static void end_conn(struct server *s, struct conn *c)
{
    tapir_close(c->fd);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    free(c->held);
    free(c);
    /* libc keeps small blocks; a crowd that has gone leaves too many. */
    if (--s->n == 0 && s->crowded) {
        s->crowded = false;
        malloc_trim(0);
    }
}

static void serve_conn(struct server *s, struct conn *c, uint32_t ready)
{
    bool goes_on = serve(s, c, ready);
    uint32_t events = wanted(c);
    if (goes_on && events != c->events) {
        c->events = events;
        goes_on = control(s, EPOLL_CTL_MOD, c->fd, events, c);
    }
    if (!goes_on)
        end_conn(s, c);
}

static void accept_all(struct server *s, int which)
{
    int fd = 0;
    s->somebody[which] = false;
    while (s->n < s->most && fd >= 0) {
        fd = tapir_accept4(s->listener[which], NULL, NULL, SOCK_NONBLOCK);
        if (fd >= 0)
            add_conn(s, fd, port_of[which]);
    }
    /* No descriptor or memory is left: no more connections than there are. */
    if (fd < 0 && !again() && errno != ECONNABORTED && s->n > 0)
        s->most = s->n;
}

/* At the limit nobody is accepted: clients wait in the listeners' queues. */
static void watch_listeners(struct server *s)
{
    bool open = s->n < s->most;
    if (open == s->open)
        return;
    s->open = open;
    for (int i = 0; i < SERVICES; i++)
        control(s, EPOLL_CTL_MOD, s->listener[i], open ? EPOLLIN : 0, &s->somebody[i]);
}

/* --- the loop --- */

static void take_event(struct server *s, const struct epoll_event *event)
{
    bool *mark = event->data.ptr;
    if (mark >= s->somebody && mark < s->somebody + SERVICES)
        *mark = true;
    else if (event->data.ptr != s) /* s: it shall stop, which the loop asks */
        serve_conn(s, event->data.ptr, event->events);
}

static bool serve_once(struct server *s, const struct options *o)
{
    struct epoll_event events[EVENTS];
    watch_listeners(s);
    int n = tapir_epoll_wait(s->epoll, events, EVENTS, o->sim ? SIM_TICK_MS : -1);
    if (n < 0)
        return again();
    for (int i = 0; i < n; i++)
        take_event(s, &events[i]);
    for (int i = 0; i < SERVICES; i++)
        if (s->somebody[i])
            accept_all(s, i);
    return true;
}

static int open_service(uint16_t port)
{
    union endpoint at = names_any(port);
    char what[120];
    int one = 1;
    int fd = tapir_socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    tapir_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && tapir_bind(fd, &at.any, endpoint_len(&at)) == 0 &&
        tapir_listen(fd, BACKLOG) == 0)
        return fd;
    int err = errno;
    snprintf(what, sizeof what, "cannot listen on port %d: %s", port, strerror(err));
    tell(what, err == EADDRINUSE ? "something else has that port" : NULL,
         err == EADDRINUSE ? "end the other server, or use another --addr" : NULL);
    if (fd >= 0)
        tapir_close(fd);
    return -1;
}

/* Puts the listeners and what says stop into the set. */
static bool open_set(struct server *s, const struct options *o)
{
    s->epoll = tapir_epoll_create1(EPOLL_CLOEXEC);
    bool ok = s->epoll >= 0;
    for (int i = 0; i < SERVICES; i++)
        ok = ok && control(s, EPOLL_CTL_ADD, s->listener[i], EPOLLIN, &s->somebody[i]);
    s->open = true;
    return ok && (o->stop_fd < 0 || control(s, EPOLL_CTL_ADD, o->stop_fd, EPOLLIN, s));
}

static int serve_all(struct server *s, struct options *o)
{
    int status = 0;
    char host[64];
    if (!open_set(s, o)) {
        tell("cannot wait for connections", strerror(errno), NULL);
        return 1;
    }
    options_address(o, host, sizeof host);
    options_ready(o, "listening on %s, ports %d (discard), %d (source) and %d (echo)",
                  host, PERF_DISCARD, PERF_SOURCE, PERF_ECHO);
    while (status == 0 && !options_stopped(o))
        status = serve_once(s, o) ? 0 : 1;
    while (s->conns)
        end_conn(s, s->conns);
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
    s->epoll = -1;
    s->most = descriptors_for(o, CONNECTIONS);
    while (n < SERVICES && (s->listener[n] = open_service(port_of[n])) >= 0)
        n++;
    status = n == SERVICES ? serve_all(s, o) : 1;
    while (n > 0)
        tapir_close(s->listener[--n]);
    if (s->epoll >= 0)
        tapir_close(s->epoll);
    free(s);
    return status;
}
