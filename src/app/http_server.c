/* One loop, one thread
 * --------------------
 *
 * The loop waits for the listener, the descriptor that says stop, and all connections
 * at once; a connection that is ready is moved on until it would block or has had its
 * turn. What a connection is doing decides what is waited for, and until when:
 *
 *     phase           waits for    deadline, from
 *     PHASE_IDLE      input        idle_timeout, the last answer (head_timeout, accept)
 *     PHASE_REQUEST   input        head_timeout, the request's first byte
 *     PHASE_ANSWER    room         send_timeout, the last byte the client took
 *     PHASE_LINGER    input        LINGER_TIME, our end
 *
 * The deadline of a request does not move with each byte, so a client that sends one
 * every second gains nothing (nor does one that reads that slowly cost more than its
 * descriptor).
 *
 * Closing is staged (RFC 9112 s9.6): our end is sent, then what the client still sends
 * is read and thrown away until its end or LINGER_TIME. Closing with input unread would
 * send a reset, and a reset can destroy the answer in the client's receive buffer.
 *
 * An answer's head and the first piece of its file leave in one send, with TCP_NODELAY:
 * two small writes would wait for the client's delayed ACK between them (RFC 896).
 *
 * At the limit of connections the listener is not waited for: clients queue in the
 * listener's backlog and are served later, instead of being refused. */
#include "tapir/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/http_session.h"
#include "base/bytes.h"
#include "base/time.h"

enum {
    SCRATCH = 256 * 1024,  /* one buffer for all: a piece of a file; thrown input */
    PIECE_MIN = 16 * 1024, /* smallest piece of a file to read */
    TURN = 1024 * 1024,    /* bytes a connection may send before others have a turn */
    ACCEPT_BATCH = 64,     /* connections accepted before others have a turn */
    BACKLOG = 512,
    STOP_CHECK_MS = 100, /* between two questions whether to stop */
};

#define LINGER_TIME (2 * USEC_PER_SEC)
#define STOP_TIME   (3 * USEC_PER_SEC)
#define FULL_TIME   (USEC_PER_SEC / 10) /* no descriptor left: pause accepting */

enum phase { PHASE_IDLE, PHASE_REQUEST, PHASE_ANSWER, PHASE_LINGER, PHASE_DEAD };

struct conn {
    int fd;
    enum phase phase;
    usec deadline;
    size_t piece;     /* bytes of a file to read for one send: what the socket took */
    uint64_t request; /* the session's requests when the phase was entered */
    struct http_session session;
};

struct server {
    struct tapir_http_server config; /* with defaults filled in */
    struct tapir_http_stats stats;
    struct http_site site;
    struct conn *conn;    /* max_connections of them */
    struct pollfd *polls; /* two more: [0] stop, [1] listener, then the connections */
    size_t n;             /* connections in use */
    char *scratch;
    int listener;      /* -1: closed */
    usec accept_again; /* accepting is paused until then */
    usec stop_at;      /* NEVER: not stopping */
};

static int64_t wall_clock(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

static int64_t seconds(const struct server *sv)
{
    return sv->config.clock(sv->config.ctx);
}

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
    case PHASE_ANSWER:
        return sv->config.send_timeout;
    case PHASE_LINGER:
        return LINGER_TIME;
    case PHASE_DEAD:
        break;
    }
    return 0;
}

static void set_phase(const struct server *sv, struct conn *c, enum phase phase)
{
    c->phase = phase;
    c->request = c->session.requests;
    c->deadline = tapir_now() + time_for(sv, c);
}

/* Closed at the next look, without delay. */
static void die(struct conn *c)
{
    c->phase = PHASE_DEAD;
    c->deadline = 0;
}

/* Says our end, and waits for the client's. */
static void linger(const struct server *sv, struct conn *c)
{
    http_session_free(&c->session);
    if (tapir_shutdown(c->fd, SHUT_WR) < 0 || c->session.eof)
        die(c);
    else
        set_phase(sv, c, PHASE_LINGER);
}

static enum phase phase_of(const struct http_session *s)
{
    switch (s->state) {
    case SESSION_HEAD:
        return s->in_len ? PHASE_REQUEST : PHASE_IDLE;
    case SESSION_BODY:
        return PHASE_REQUEST;
    case SESSION_ANSWER:
        return PHASE_ANSWER;
    case SESSION_OVER:
        break;
    }
    return PHASE_LINGER;
}

/* After the session moved: the phase it is in now, with its deadline. */
static void update_phase(const struct server *sv, struct conn *c)
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
    char *at = http_session_room(&c->session, &room);
    ssize_t n;

    if (!at) {
        die(c);
        return false;
    }
    n = tapir_recv(c->fd, at, room, 0);
    if (n < 0) {
        if (!would_block())
            die(c);
        return false;
    }
    http_session_input(&c->session, &sv->site, (size_t)n, seconds(sv));
    /* Less than there was room for: nothing more is there, as a rule. */
    return (size_t)n == room || n == 0 || c->session.state == SESSION_ANSWER;
}

/* Sends once. False: the socket took less than it was offered, or the answer is out and
 * the next request not yet here. */
static bool write_output(struct server *sv, struct conn *c, size_t *budget)
{
    ssize_t n = http_session_output(&c->session, sv->scratch, c->piece);
    ssize_t sent;

    if (n < 0) {
        die(c);
        return false;
    }
    sent = tapir_send(c->fd, sv->scratch, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0) {
        if (!would_block())
            die(c);
        return false;
    }
    sv->stats.bytes += (uint64_t)sent;
    *budget -= min_size(*budget, (size_t)sent);
    http_session_sent(&c->session, &sv->site, (size_t)sent, seconds(sv));
    if (c->phase == PHASE_ANSWER && sent > 0)
        set_phase(sv, c, PHASE_ANSWER);
    /* Read no more of the file than the socket is likely to take: the rest would be
     * read again. */
    if (sent == n)
        c->piece = min_size(2 * c->piece, SCRATCH);
    else
        c->piece = (size_t)sent > PIECE_MIN ? (size_t)sent : PIECE_MIN;
    return sent == n && c->session.state != SESSION_HEAD;
}

/* Throws input away until the client's end. */
static void discard(struct server *sv, struct conn *c)
{
    for (size_t turn = 0; turn < TURN; turn += SCRATCH) {
        ssize_t n = tapir_recv(c->fd, sv->scratch, SCRATCH, 0);
        if (n < 0 && would_block())
            return;
        if (n <= 0) {
            die(c);
            return;
        }
    }
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
}

static void expire(struct server *sv, struct conn *c)
{
    if (c->phase == PHASE_ANSWER || c->phase == PHASE_LINGER) {
        die(c);
        return;
    }
    http_session_expire(&c->session, &sv->site, seconds(sv));
    update_phase(sv, c);
    serve_conn(sv, c);
}

/* --- accepting ------------------------------------------------------------------- */

static void add_conn(struct server *sv, int fd)
{
    struct conn *c = &sv->conn[sv->n++];
    int one = 1;

    tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *c = (struct conn){ .fd = fd, .piece = SCRATCH };
    http_session_init(&c->session);
    set_phase(sv, c, PHASE_IDLE);
    sv->stats.connections++;
    serve_conn(sv, c); /* the request may have come with the handshake */
}

static void accept_conns(struct server *sv)
{
    for (int i = 0; i < ACCEPT_BATCH && sv->n < sv->config.max_connections; i++) {
        int fd = tapir_accept4(sv->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            add_conn(sv, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            sv->accept_again = tapir_now() + FULL_TIME;
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

static void ask(struct server *sv)
{
    bool stopping = sv->stop_at != NEVER;

    sv->polls[0] = (struct pollfd){ .fd = stopping ? -1 : sv->config.stop_fd,
                                    .events = POLLIN };
    sv->polls[1] = (struct pollfd){ .fd = accepts(sv) ? sv->listener : -1,
                                    .events = POLLIN };
    for (size_t i = 0; i < sv->n; i++) {
        const struct conn *c = &sv->conn[i];
        sv->polls[i + 2] = (struct pollfd){
            .fd = c->fd, .events = c->phase == PHASE_ANSWER ? POLLOUT : POLLIN
        };
    }
}

/* Milliseconds until the first deadline, rounded up; -1: there is none. */
static int wait_time(const struct server *sv)
{
    usec next = sv->stop_at, left;

    if (sv->accept_again)
        next = usec_min(next, sv->accept_again);
    for (size_t i = 0; i < sv->n; i++)
        next = usec_min(next, sv->conn[i].deadline);
    if (next == NEVER)
        return sv->config.stopped ? STOP_CHECK_MS : -1;
    left = usec_max(next - tapir_now(), 0);
    left = usec_min((left + USEC_PER_MS - 1) / USEC_PER_MS, INT_MAX);
    if (sv->config.stopped)
        left = usec_min(left, STOP_CHECK_MS);
    return (int)left;
}

static void close_conn(struct server *sv, size_t i)
{
    struct conn *c = &sv->conn[i];

    http_session_free(&c->session);
    tapir_close(c->fd);
    sv->conn[i] = sv->conn[--sv->n];
}

/* Moves on what is ready or late, and forgets what is dead. Backwards: the connection
 * that takes a dead one's place has been looked at already. */
static void serve_conns(struct server *sv)
{
    usec now = tapir_now();

    for (size_t i = sv->n; i-- > 0;) {
        struct conn *c = &sv->conn[i];
        if (sv->polls[i + 2].revents)
            serve_conn(sv, c);
        else if (c->deadline <= now)
            expire(sv, c);
        if (c->phase == PHASE_DEAD)
            close_conn(sv, i);
    }
}

static bool shall_stop(const struct server *sv)
{
    if (sv->polls[0].fd >= 0 && sv->polls[0].revents)
        return true;
    return sv->config.stopped && sv->config.stopped(sv->config.ctx);
}

/* No new connections; idle ones are closed, answers under way are finished. */
static void stop(struct server *sv)
{
    sv->stop_at = tapir_now() + STOP_TIME;
    sv->site.closing = true;
    tapir_close(sv->listener);
    sv->listener = -1;
    for (size_t i = 0; i < sv->n; i++)
        if (sv->conn[i].phase == PHASE_IDLE)
            linger(sv, &sv->conn[i]);
}

static bool is_over(const struct server *sv)
{
    return sv->stop_at != NEVER && (sv->n == 0 || tapir_now() >= sv->stop_at);
}

/* 0, or -1 with errno when waiting itself fails. */
static int loop(struct server *sv)
{
    while (!is_over(sv)) {
        ask(sv);
        int n = tapir_poll(sv->polls, (nfds_t)sv->n + 2, wait_time(sv));
        if (n < 0 && errno != EINTR)
            return -1;
        if (n < 0)
            continue;
        if (sv->accept_again && tapir_now() >= sv->accept_again)
            sv->accept_again = 0;
        serve_conns(sv);
        if (sv->polls[1].fd >= 0 && sv->polls[1].revents)
            accept_conns(sv);
        if (sv->stop_at == NEVER && shall_stop(sv))
            stop(sv);
    }
    return 0;
}

/* --- beginning and end ----------------------------------------------------------- */

static void fill_defaults(struct tapir_http_server *c)
{
    if (c->port == 0)
        c->port = 80;
    if (c->max_connections == 0)
        c->max_connections = 1024;
    if (c->head_timeout == 0)
        c->head_timeout = 30 * USEC_PER_SEC;
    if (c->idle_timeout == 0)
        c->idle_timeout = 60 * USEC_PER_SEC;
    if (c->send_timeout == 0)
        c->send_timeout = 60 * USEC_PER_SEC;
    if (c->stop_fd <= 0)
        c->stop_fd = -1;
    if (!c->clock)
        c->clock = wall_clock;
}

/* Fills *error from errno-like `err`; returns -1 with errno set. */
static int failed(struct tapir_error *error, int err, const char *what,
                  const char *cause, const char *fix)
{
    if (error) {
        snprintf(error->what, sizeof error->what, "%s: %s", what, strerror(err));
        snprintf(error->cause, sizeof error->cause, "%s", cause);
        snprintf(error->fix, sizeof error->fix, "%s", fix);
    }
    errno = err;
    return -1;
}

static int open_site(struct server *sv, struct tapir_error *error)
{
    const char *dir = sv->config.dir ? sv->config.dir : ".";
    char what[128];
    int err = -http_files_open(&sv->site.files, dir);

    if (err == 0)
        return 0;
    snprintf(what, sizeof what, "cannot serve %.100s", dir);
    if (err == ENOTDIR)
        return failed(error, err, what, "a directory is served, not a file",
                      "name the directory that the file is in");
    if (err == ENOENT)
        return failed(error, err, what, "there is no such directory",
                      "check the path; make the directory with mkdir -p");
    return failed(error, err, what, "the directory cannot be opened",
                  "check its permissions");
}

static int listen_failed(const struct server *sv, struct tapir_error *error, int err)
{
    char what[128];

    snprintf(what, sizeof what, "cannot listen on port %u", sv->config.port);
    if (err == EADDRINUSE)
        return failed(error, err, what, "something else listens on that port",
                      "stop it, or choose another port with --port");
    if (err == EACCES)
        return failed(error, err, what, "ports below 1024 need a privilege here",
                      "choose another port with --port 8080");
    if (err == EADDRNOTAVAIL)
        return failed(error, err, what, "the address is not one of this host's",
                      "check --addr");
    return failed(error, err, what, "", "");
}

static int open_listener(struct server *sv, struct tapir_error *error)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(sv->config.port) };
    const char *addr = sv->config.addr;
    int one = 1, err;

    if (addr && inet_pton(AF_INET, addr, &at.sin_addr) != 1)
        return failed(error, EINVAL, "bad address to listen on", addr, "use 192.0.2.2");
    sv->listener = tapir_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sv->listener < 0)
        return failed(error, errno, "cannot open a socket", "", "");
    tapir_setsockopt(sv->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (tapir_bind(sv->listener, (struct sockaddr *)&at, sizeof at) == 0 &&
        tapir_listen(sv->listener, BACKLOG) == 0)
        return 0;
    err = errno;
    tapir_close(sv->listener);
    sv->listener = -1;
    return listen_failed(sv, error, err);
}

static int open_memory(struct server *sv, struct tapir_error *error)
{
    size_t max = sv->config.max_connections;

    sv->conn = calloc(max, sizeof *sv->conn);
    sv->polls = calloc(max + 2, sizeof *sv->polls);
    sv->scratch = malloc(SCRATCH);
    if (sv->conn && sv->polls && sv->scratch)
        return 0;
    return failed(error, ENOMEM, "cannot make room for the connections", "", "");
}

static void close_server(struct server *sv)
{
    while (sv->n > 0)
        close_conn(sv, sv->n - 1);
    if (sv->listener >= 0)
        tapir_close(sv->listener);
    if (sv->site.files.root >= 0)
        http_files_close(&sv->site.files);
    free(sv->conn);
    free(sv->polls);
    free(sv->scratch);
}

int tapir_http_serve(const struct tapir_http_server *server,
                     struct tapir_http_stats *stats, struct tapir_error *error)
{
    struct server sv = { .config = *server, .listener = -1, .stop_at = NEVER };
    int result, err;

    fill_defaults(&sv.config);
    sv.site.files.root = -1;
    result = open_site(&sv, error);
    if (result == 0)
        result = open_memory(&sv, error);
    if (result == 0)
        result = open_listener(&sv, error);
    if (result == 0) {
        if (sv.config.ready)
            sv.config.ready(sv.config.ctx);
        result = loop(&sv);
        if (result < 0)
            failed(error, errno, "cannot wait for connections", "", "");
    }
    err = errno;
    sv.stats.requests = sv.site.requests;
    if (stats)
        *stats = sv.stats;
    close_server(&sv);
    errno = err;
    return result;
}
