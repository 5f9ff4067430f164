/* One loop, one thread
 * --------------------
 *
 * The loop waits in one tapir_epoll_wait() for the listener, the descriptor that says
 * stop, and all connections; a connection that is ready is moved on until it would
 * block or has had its turn. A turn costs what is ready: deadlines lie in a heap, and
 * nothing looks through all connections but the end. What a connection is doing decides
 * what is waited for, and until when:
 *
 *     phase           waits for    deadline, from
 *     PHASE_IDLE      input        idle_timeout, the last answer (head_timeout, accept)
 *     PHASE_REQUEST   input        head_timeout, the request's first byte
 *     PHASE_BODY      input        body_timeout, the end of its head
 *     PHASE_ANSWER    room         send_timeout, renewed (http_pace.h)
 *     PHASE_LINGER    input        LINGER_QUIET, the last input; LINGER_TIME, our end
 *
 * The deadline of a request does not move with each byte, so a client that sends one
 * every second gains nothing; what is taken of an answer earns more time.
 *
 * Closing is staged (RFC 9112 s9.6): our end is sent, then what the client still sends
 * is read and thrown away until its end or a deadline. Closing with input unread would
 * send a reset, and a reset can destroy the answer in the client's receive buffer.
 *
 * At the limit of connections the listener is not waited for: clients queue in the
 * listener's backlog and are served later, instead of being refused. */
#include "tapir/http.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "app/http_access.h"
#include "app/http_open.h"
#include "app/http_output.h"
#include "app/http_pace.h"
#include "app/http_session.h"
#include "app/http_status.h"
#include "base/bytes.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/slab.h"
#include "base/text.h"

enum {
    SCRATCH = HTTP_OUTPUT_ROOM, /* one buffer: output, thrown input, log lines */
    TURN = 1024 * 1024,  /* bytes a connection may send before others have a turn */
    ACCEPT_BATCH = 64,   /* connections accepted before others have a turn */
    EVENTS = 256,        /* events taken at once */
    STOP_CHECK_MS = 100, /* between two questions whether to stop */
};

#define LINGER_TIME  (30 * USEC_PER_SEC)
#define LINGER_QUIET (2 * USEC_PER_SEC)
#define STOP_TIME    (3 * USEC_PER_SEC)
#define IDLE_GRAIN   (USEC_PER_SEC / 10) /* idle deadlines fall on multiples of it */
#define FULL_TIME    (USEC_PER_SEC / 10) /* no descriptor left: pause accepting */

enum phase {
    PHASE_IDLE,
    PHASE_REQUEST,
    PHASE_BODY,
    PHASE_ANSWER,
    PHASE_LINGER,
    PHASE_DEAD
};

struct conn {
    struct list node;         /* in server->conns */
    struct deadline deadline; /* in server->deadlines */
    usec until;               /* the phase's deadline; settle() sets that */
    int fd;
    enum phase phase;
    uint32_t events;           /* what is waited for: EPOLLIN or EPOLLOUT */
    uint64_t request;          /* the session's requests when the phase was entered */
    struct http_output output; /* of its answers */
    struct http_pace pace;     /* of an answer; `since` of every phase */
    struct http_access access; /* for the log */
    struct http_session session;
};

struct server {
    struct tapir_http_server config; /* with defaults filled in */
    struct tapir_http_stats stats;
    struct http_site site;
    struct list conns;
    struct slab_pool pool; /* of struct conn */
    struct heap deadlines; /* struct conn.deadline */
    size_t n;              /* connections in use */
    usec now;              /* when this turn began */
    int64_t seconds;       /* the same, since 1970 */
    char *scratch;
    int epoll;         /* the set of all that is waited for */
    int listener;      /* -1: closed */
    bool accepting;    /* the listener is waited for */
    bool acceptable;   /* somebody waits to be accepted */
    bool shall_stop;   /* stop_fd says so */
    usec accept_again; /* accepting is paused until then; 0: it is not */
    usec stop_at;      /* NEVER: not stopping */
};

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* --- one connection -------------------------------------------------------------- */

static usec time_for(const struct server *sv, const struct conn *c)
{
    switch (c->phase) {
    case PHASE_IDLE:
        return c->session.requests ? sv->config.idle_timeout : sv->config.head_timeout;
    case PHASE_REQUEST:
        return sv->config.head_timeout;
    case PHASE_BODY:
        return sv->config.body_timeout;
    case PHASE_ANSWER:
        return sv->config.send_timeout;
    case PHASE_LINGER:
        return LINGER_QUIET;
    case PHASE_DEAD:
        break;
    }
    return 0;
}

static void set_phase(struct server *sv, struct conn *c, enum phase phase)
{
    c->phase = phase;
    c->request = c->session.requests;
    http_pace_begin(&c->pace, sv->now);
    c->until = sv->now + time_for(sv, c);
    if (phase == PHASE_IDLE) /* not another one after each request */
        c->until += IDLE_GRAIN - c->until % IDLE_GRAIN;
}

/* Closed when its turn is over; an answer under way is told to the log. */
static void die(struct server *sv, struct conn *c, const char *why)
{
    http_session_break(&c->session, &sv->site, why);
    c->phase = PHASE_DEAD;
}

/* The status page: all connections, in the order they came. */
static void on_status(void *ctx, struct text *t, bool json)
{
    static const char *const doing[] = { "idle",   "request", "body",
                                         "answer", "linger",  "" };
    struct server *sv = ctx;
    size_t i = 0;

    sv->stats.requests = sv->site.requests;
    http_status_begin(t, json, &sv->stats);
    list_each (at, &sv->conns) {
        const struct conn *c = list_entry(at, struct conn, node);
        http_status_row(t, json, i++, &c->access, doing[c->phase]);
    }
    http_status_end(t, json);
}

/* An answer is out, or has failed: a line of the log. */
static void on_answered(void *ctx, const struct http_session *s)
{
    struct server *sv = ctx;
    struct conn *c = list_entry((struct http_session *)(uintptr_t)s, struct conn,
                                session);
    struct text t;

    text_init(&t, sv->scratch, SCRATCH);
    http_access_write(&t, sv->config.log_format, &c->access, s, sv->seconds);
    sv->config.log(sv->config.ctx, t.at, t.len);
    c->access.began = sv->now; /* of one that has come already */
}

/* Says our end, and waits for the client's. */
static void linger(struct server *sv, struct conn *c)
{
    http_session_free(&c->session);
    if (tapir_shutdown(c->fd, SHUT_WR) < 0 || c->session.eof)
        die(sv, c, "");
    else
        set_phase(sv, c, PHASE_LINGER);
}

static enum phase phase_of(const struct http_session *s)
{
    switch (s->state) {
    case SESSION_HEAD:
        return s->in_len ? PHASE_REQUEST : PHASE_IDLE;
    case SESSION_BODY:
        return PHASE_BODY;
    case SESSION_ANSWER:
        return PHASE_ANSWER;
    case SESSION_OVER:
        break;
    }
    return PHASE_LINGER;
}

/* After the session moved: the phase it is in now, with its deadline. */
static void update_phase(struct server *sv, struct conn *c)
{
    enum phase phase = phase_of(&c->session);

    if (c->phase == PHASE_DEAD || c->phase == PHASE_LINGER)
        return;
    if (phase == PHASE_LINGER)
        linger(sv, c);
    else if (phase != c->phase || c->request != c->session.requests)
        set_phase(sv, c, phase);
}

/* Reads once. False: there is nothing more to read now. */
static bool read_input(struct server *sv, struct conn *c)
{
    size_t room;
    char *at = http_session_room(&c->session, &sv->site, &room);
    ssize_t n;

    if (!at) {
        die(sv, c, "no memory");
        return false;
    }
    n = tapir_recv(c->fd, at, room, 0);
    if (n < 0) {
        if (!would_block())
            die(sv, c, "reset");
        return false;
    }
    if (c->phase == PHASE_IDLE)
        c->access.began = sv->now;
    http_session_input(&c->session, &sv->site, (size_t)n, sv->seconds);
    return (size_t)n == room || /* else nothing more is there, as a rule */
           n == 0 || c->session.state == SESSION_ANSWER;
}

/* Sends once. False: the socket took less than it was offered, or the answer is out and
 * the next request not yet here. */
static bool write_output(struct server *sv, struct conn *c, size_t *budget)
{
    struct http_session *s = &c->session;
    size_t n;
    ssize_t sent = http_output_send(&c->output, c->fd, s, &n);

    if (sent < 0) {
        if (!would_block())
            die(sv, c, errno == EIO ? "cut short" : "reset");
        return false;
    }
    sv->stats.bytes += (uint64_t)sent;
    *budget -= min_size(*budget, (size_t)sent);
    http_session_sent(s, &sv->site, (size_t)sent, sv->seconds);
    http_pace_took(&c->pace, (size_t)sent, sv->now);
    return (size_t)sent == n && s->state != SESSION_HEAD;
}

/* Throws input away until the client's end. */
static void discard(struct server *sv, struct conn *c)
{
    for (size_t turn = 0; turn < TURN; turn += SCRATCH) {
        ssize_t n = tapir_recv(c->fd, sv->scratch, SCRATCH, 0);
        if (n < 0 && would_block())
            return;
        if (n <= 0) {
            die(sv, c, "");
            return;
        }
        c->until = usec_min(sv->now + LINGER_QUIET, c->pace.since + LINGER_TIME);
    }
}

static void close_conn(struct server *sv, struct conn *c)
{
    http_session_break(&c->session, &sv->site, "server stops");
    http_session_free(&c->session);
    tapir_close(c->fd);
    heap_remove(&sv->deadlines, &c->deadline);
    list_del(&c->node);
    slab_free(&sv->pool, c);
    sv->n--;
}

/* After c was moved: waits for what it needs next and until when, or closes it. */
static void settle(struct server *sv, struct conn *c)
{
    struct epoll_event event = { .data.ptr = c };

    event.events = c->phase == PHASE_ANSWER ? EPOLLOUT : EPOLLIN;
    if (c->phase != PHASE_DEAD && event.events != c->events) {
        c->events = event.events;
        if (tapir_epoll_ctl(sv->epoll, EPOLL_CTL_MOD, c->fd, &event) < 0)
            die(sv, c, "cannot wait");
    }
    if (c->phase == PHASE_DEAD)
        close_conn(sv, c);
    else
        heap_set(&sv->deadlines, &c->deadline, c->until);
}

/* Moves a connection on until it would block or has had its turn. */
static void serve_conn(struct server *sv, struct conn *c)
{
    size_t budget = TURN;
    bool more = true;

    while (more && budget > 0 && c->phase < PHASE_LINGER) {
        if (c->session.state == SESSION_ANSWER)
            more = write_output(sv, c, &budget);
        else
            more = read_input(sv, c);
        update_phase(sv, c);
    }
    if (c->phase == PHASE_LINGER)
        discard(sv, c);
    settle(sv, c);
}

static void expire(struct server *sv, struct conn *c)
{
    /* What the socket holds of an answer would be kept for hours. */
    const struct linger abortive = { c->phase == PHASE_ANSWER, 0 };
    usec renewed = c->phase == PHASE_ANSWER
                       ? http_pace_renew(&c->pace, sv->config.send_timeout, sv->now)
                       : 0;

    if (renewed) {
        c->until = renewed;
        settle(sv, c);
        return;
    }
    if (c->phase == PHASE_ANSWER || c->phase == PHASE_LINGER) {
        tapir_setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
        die(sv, c, "send timeout");
        close_conn(sv, c);
        return;
    }
    http_session_expire(&c->session, &sv->site, sv->seconds);
    update_phase(sv, c);
    serve_conn(sv, c);
}

static void expire_conns(struct server *sv)
{
    struct deadline *due;

    while ((due = heap_pop(&sv->deadlines, sv->now)))
        expire(sv, list_entry(due, struct conn, deadline));
}

/* --- accepting ------------------------------------------------------------------- */

/* A connection that is waited for; NULL: no memory. */
static struct conn *new_conn(struct server *sv, int fd)
{
    struct epoll_event event = { .events = EPOLLIN };
    struct conn *c = slab_new(&sv->pool);

    event.data.ptr = c;
    if (!c || !heap_reserve(&sv->deadlines, 1)) {
        slab_free(&sv->pool, c);
        return NULL;
    }
    *c = (struct conn){ .fd = fd, .events = EPOLLIN };
    http_output_init(&c->output, sv->scratch);
    deadline_init(&c->deadline, 0);
    http_session_init(&c->session);
    if (tapir_epoll_ctl(sv->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        heap_remove(&sv->deadlines, &c->deadline);
        slab_free(&sv->pool, c);
        return NULL;
    }
    list_add_tail(&sv->conns, &c->node);
    sv->n++;
    return c;
}

static void add_conn(struct server *sv, int fd, const union endpoint *peer)
{
    struct conn *c = new_conn(sv, fd);
    int one = 1;

    if (!c) {
        tapir_close(fd);
        return;
    }
    tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->access = (struct http_access){ fd, *peer, ++sv->stats.connections, sv->now };
    set_phase(sv, c, PHASE_IDLE);
    serve_conn(sv, c); /* the request may have come with the handshake */
}

static void accept_conns(struct server *sv)
{
    for (int i = 0; i < ACCEPT_BATCH && sv->n < sv->config.max_connections; i++) {
        union endpoint peer;
        socklen_t len = sizeof peer;
        int fd = tapir_accept4(sv->listener, &peer.any, &len,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            add_conn(sv, fd, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            sv->accept_again = sv->now + FULL_TIME;
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/* --- the loop -------------------------------------------------------------------- */

static bool accepts(const struct server *sv)
{
    return sv->listener >= 0 && sv->n < sv->config.max_connections &&
           sv->accept_again == 0;
}

/* Waits for the listener, or not. */
static void watch_listener(struct server *sv)
{
    bool accepting = accepts(sv);
    struct epoll_event event = { .events = accepting ? EPOLLIN : 0,
                                 .data.ptr = &sv->listener };

    if (sv->listener >= 0 && accepting != sv->accepting)
        tapir_epoll_ctl(sv->epoll, EPOLL_CTL_MOD, sv->listener, &event);
    sv->accepting = accepting;
}

/* Milliseconds from this turn to the first deadline, rounded up; -1: there is none. */
static int wait_time(struct server *sv)
{
    usec next = usec_min(sv->stop_at, heap_next(&sv->deadlines)), left;

    if (sv->accept_again)
        next = usec_min(next, sv->accept_again);
    if (next == NEVER)
        return sv->config.stopped ? STOP_CHECK_MS : -1;
    left = usec_max(next - sv->now, 0);
    left = usec_min((left + USEC_PER_MS - 1) / USEC_PER_MS, INT_MAX);
    if (sv->config.stopped)
        left = usec_min(left, STOP_CHECK_MS);
    return (int)left;
}

static void take_event(struct server *sv, const struct epoll_event *event)
{
    if (event->data.ptr == &sv->listener)
        sv->acceptable = true;
    else if (event->data.ptr == &sv->shall_stop)
        sv->shall_stop = true;
    else
        serve_conn(sv, event->data.ptr);
}

/* No new connections; idle ones are closed, answers under way are finished. */
static void stop(struct server *sv)
{
    sv->stop_at = sv->now + STOP_TIME;
    sv->site.closing = true;
    tapir_close(sv->listener);
    sv->listener = -1;
    if (sv->config.stop_fd >= 0)
        tapir_epoll_ctl(sv->epoll, EPOLL_CTL_DEL, sv->config.stop_fd, NULL);
    list_each_safe (at, after, &sv->conns) {
        struct conn *c = list_entry(at, struct conn, node);

        if (c->phase == PHASE_IDLE) {
            linger(sv, c);
            settle(sv, c);
        }
    }
}

static bool is_over(const struct server *sv)
{
    return sv->stop_at != NEVER && (sv->n == 0 || sv->now >= sv->stop_at);
}

/* What is ready, then what is late, then who is new. All answers of a turn leave
 * together: a client that runs on another processor is not put to sleep and woken
 * between any two of them. */
static void turn(struct server *sv, const struct epoll_event *events, int n)
{
    sv->now = tapir_batch_begin();
    sv->seconds = sv->config.clock(sv->config.ctx);
    sv->site.files.cache.turn++;
    sv->site.files.cache.at = sv->now;
    for (int i = 0; i < n; i++)
        take_event(sv, &events[i]);
    expire_conns(sv);
    if (sv->now >= sv->accept_again)
        sv->accept_again = 0;
    if (sv->acceptable && sv->listener >= 0)
        accept_conns(sv);
    sv->acceptable = false;
    tapir_batch_end();
    if (sv->config.stopped && sv->config.stopped(sv->config.ctx))
        sv->shall_stop = true;
    if (sv->stop_at == NEVER && sv->shall_stop)
        stop(sv);
}

/* 0, or -1 with errno when waiting itself fails. */
static int loop(struct server *sv)
{
    struct epoll_event events[EVENTS];

    sv->now = tapir_now();
    while (!is_over(sv)) {
        watch_listener(sv);
        int n = tapir_epoll_wait(sv->epoll, events, EVENTS, wait_time(sv));
        if (n < 0 && errno != EINTR)
            return -1;
        turn(sv, events, n);
    }
    return 0;
}

/* --- beginning and end ----------------------------------------------------------- */

/* What the conversations call back for. */
static int set_callbacks(struct server *sv, struct tapir_error *error)
{
    sv->site.ctx = sv;
    sv->site.status = sv->config.status ? on_status : NULL;
    sv->site.answered = sv->config.log ? on_answered : NULL;
    return sv->config.log ? http_open_format(&sv->config.log_format, error) : 0;
}

static int open_set(struct server *sv, struct tapir_error *error)
{
    sv->listener = http_open_listener(sv->config.addr, sv->config.port, error);
    if (sv->listener < 0)
        return -1;
    sv->scratch = malloc(SCRATCH);
    if (!sv->scratch)
        return http_failed(error, ENOMEM, "cannot make room for a buffer", "", "");
    sv->epoll = tapir_epoll_create1(EPOLL_CLOEXEC);
    if (sv->epoll < 0 || http_open_watch(sv->epoll, sv->listener, &sv->listener) < 0)
        return http_failed(error, errno, "cannot wait for connections", "", "");
    return http_open_stop(sv->epoll, sv->config.stop_fd, &sv->shall_stop, error);
}

static void close_server(struct server *sv)
{
    list_each_safe (at, after, &sv->conns)
        close_conn(sv, list_entry(at, struct conn, node));
    slab_done(&sv->pool);
    heap_free(&sv->deadlines);
    if (sv->listener >= 0)
        tapir_close(sv->listener);
    if (sv->epoll >= 0)
        tapir_close(sv->epoll);
    if (sv->site.files.root >= 0)
        http_files_close(&sv->site.files);
    free(sv->scratch);
}

int tapir_http_serve(const struct tapir_http_server *server,
                     struct tapir_http_stats *stats, struct tapir_error *error)
{
    struct server sv = { .config = *server,
                         .epoll = -1,
                         .listener = -1,
                         .accepting = true,
                         .stop_at = NEVER };
    int result, err;

    list_init(&sv.conns);
    heap_init(&sv.deadlines);
    slab_init(&sv.pool, NULL, sizeof(struct conn), 0);
    http_fill_defaults(&sv.config);
    http_fill_site(&sv.site, &sv.config);
    result = set_callbacks(&sv, error);
    if (result == 0)
        result = http_open_files(&sv.site.files, &sv.config, error);
    if (result == 0)
        result = open_set(&sv, error);
    if (result == 0) {
        if (sv.config.ready)
            sv.config.ready(sv.config.ctx);
        result = loop(&sv);
        if (result < 0)
            http_failed(error, errno, "cannot wait for connections", "", "");
    }
    err = errno;
    sv.stats.requests = sv.site.requests;
    if (stats)
        *stats = sv.stats;
    close_server(&sv);
    errno = err;
    return result;
}
