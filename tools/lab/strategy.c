/* Fetches a page in one of several ways: one program, one loop, non-blocking sockets.
 *
 *     hand_out()   gives the objects that are left to lanes: to an idle one, or to a
 *                  new one while there may be more
 *     await()      sleeps in tapir_poll() until something happens to any lane
 *     serve_lane() OPENING -> BUSY -> IDLE -> BUSY ... -> ENDING -> OVER
 *
 * A browser reads the page before it knows the objects: so does this. Time is taken
 * when the call returns that brought a thing; in virtual time that is exact. A lane
 * that is not kept asks for "Connection: close": the server closes first, and the lane
 * waits for that outside of the time that is measured. A kept lane is closed by this
 * end, after the whole page. */
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/endpoint.h"
#include "http/http_body.h"
#include "http/http_parse.h"
#include "page.h"
#include "record.h"

enum { INPUT = 64 * 1024, REQUEST = 256, PATIENCE_MS = 120000 };

enum state { OPENING, BUSY, IDLE, ENDING, OVER };

struct lane {
    enum state state;
    int fd;
    unsigned object, n;   /* what to ask for next: so many from this one on */
    unsigned fetch, left; /* the answer that comes; how many are owed, this included */
    char *out;            /* requests that are being written */
    size_t out_len, out_sent;
    size_t len, seen; /* bytes in `in`; of these, searched for a head in vain */
    bool in_body;
    struct http_body body;
    char in[INPUT];
};

struct client {
    const struct strategy *how;
    const struct page_setup *setup;
    struct record *record;
    union endpoint to;
    char host[64];      /* of the Host field */
    struct lane **lane; /* by the record's numbers */
    struct pollfd *poll;
    unsigned next, last; /* objects to hand out: from next to last */
    unsigned answered;   /* fetches that are complete */
    unsigned total;      /* fetches that there will be */
};

/* clang-format off */
const struct strategy strategies[] = {
    { "single", "one object, nothing else", false, false, false, true },
    { "serial", "a new connection for each, one after the other", false, false, false, false },
    { "parallel", "a new connection for each, several at a time", false, true, false, false },
    { "keepalive", "one connection, one request after the other", true, false, false, false },
    { "kparallel", "several connections that are kept", true, true, false, false },
    { "pipelined", "one connection, all requests at once", true, false, true, false },
    { NULL, NULL, false, false, false, false },
};
/* clang-format on */

const struct strategy *strategy_find(const char *name)
{
    for (const struct strategy *s = strategies; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

static bool failed(struct client *c, const char *what, int err)
{
    if (!c->record->error[0])
        snprintf(c->record->error, sizeof c->record->error, "%s%s%s", what,
                 err ? ": " : "", err ? strerror(err) : "");
    return false;
}

/* --- requests --- */

static size_t write_request(const struct client *c, char *out, unsigned object)
{
    uint64_t bytes = object ? c->setup->size : c->setup->page;

    return (size_t)snprintf(out, REQUEST,
                            "GET /%llu/%04u HTTP/1.1\r\nHost: %s\r\n%s\r\n",
                            (unsigned long long)bytes, object, c->host,
                            c->how->keep ? "" : "Connection: close\r\n");
}

static bool write_out(struct client *c, struct lane *l)
{
    ssize_t n = tapir_write(l->fd, l->out + l->out_sent, l->out_len - l->out_sent);

    if (n < 0 && errno != EAGAIN)
        return failed(c, "the request could not be sent", errno);
    l->out_sent += n > 0 ? (size_t)n : 0;
    return true;
}

/* Asks for what the lane was given. */
static bool ask(struct client *c, unsigned number)
{
    struct lane *l = c->lane[number];
    char *out = realloc(l->out, (size_t)l->n * REQUEST);
    int64_t now = tapir_now();

    if (!out)
        return failed(c, "no memory", 0);
    l->out = out;
    l->out_len = l->out_sent = 0;
    l->left = l->n;
    for (unsigned i = 0; i < l->n; i++) {
        unsigned fetch = record_ask(c->record, number, l->object + i, now);
        size_t n = write_request(c, l->out + l->out_len, l->object + i);
        c->record->fetch[fetch].request = n;
        l->out_len += n;
        if (i == 0)
            l->fetch = fetch;
    }
    l->state = BUSY;
    return write_out(c, l);
}

/* --- lanes --- */

static bool open_lane(struct client *c, unsigned object, unsigned n)
{
    struct lane *l = calloc(1, sizeof *l);
    int one = 1;

    if (!l)
        return failed(c, "no memory", 0);
    unsigned number = record_lane(c->record, tapir_now());
    c->lane[number] = l;
    l->object = object;
    l->n = n;
    l->fd = tapir_socket(c->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return failed(c, "no socket", errno);
    tapir_setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tapir_connect(l->fd, &c->to.any, endpoint_len(&c->to)) < 0 &&
        errno != EINPROGRESS)
        return failed(c, "cannot connect", errno);
    return true;
}

static bool opened(struct client *c, unsigned number)
{
    int err = 0;
    socklen_t len = sizeof err;

    tapir_getsockopt(c->lane[number]->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err)
        return failed(c, "cannot connect", err);
    c->record->lane[number].open = tapir_now();
    return ask(c, number);
}

/* No more requests: a kept connection is closed by us, another one by the server. */
static void end_lane(struct client *c, unsigned number)
{
    struct record_lane *r = &c->record->lane[number];
    struct lane *l = c->lane[number];
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (tapir_getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
        r->segs_out = info.tcpi_segs_out;
        r->segs_in = info.tcpi_segs_in;
        r->text_in = info.tcpi_data_segs_in;
        c->record->retransmits += info.tcpi_total_retrans;
    }
    if (c->how->keep) {
        tapir_shutdown(l->fd, SHUT_WR);
        r->near_first = true;
        r->fin = tapir_now();
    }
    l->state = ENDING;
}

/* Text, and a header for each segment; SYN/ACK has more options. Where the server
 * closed first, its last ACK is still to come. */
static uint64_t bytes_in(int fd, bool near_first)
{
    enum { HEADER = 52, SYN_MORE = 8 };
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (tapir_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return 0;
    return info.tcpi_bytes_received + SYN_MORE +
           (uint64_t)HEADER * (info.tcpi_segs_in + !near_first);
}

static void lane_over(struct client *c, unsigned number)
{
    struct record_lane *r = &c->record->lane[number];

    r->bytes_in = bytes_in(c->lane[number]->fd, r->near_first);
    r->closed = tapir_now();
    if (r->fin < 0)
        r->fin = r->closed;
    tapir_close(c->lane[number]->fd);
    c->lane[number]->fd = -1;
    c->lane[number]->state = OVER;
}

/* --- answers --- */

static bool take_head(struct client *c, struct lane *l, size_t *used)
{
    struct record_fetch *f = &c->record->fetch[l->fetch];
    struct http_head head;
    int n = http_parse_response(l->in, &l->len, l->seen, &http_response_limits, &head);

    if (n == -EAGAIN) {
        l->seen = l->len;
        return true;
    }
    if (n < 0 || http_response_body(&head, &http_response_limits, false, &l->body) < 0)
        return failed(c, "the answer is no HTTP", 0);
    f->status = head.status;
    if (head.status != 200)
        return failed(c, "the server has not got the page or an object", 0);
    f->head = (uint64_t)n;
    l->in_body = true;
    l->seen = 0;
    *used = (size_t)n;
    return true;
}

static bool take_body(struct client *c, struct lane *l, size_t *used)
{
    struct http_slice piece;
    ssize_t n = http_body_read(&l->body, l->in, l->len, &piece);

    if (n < 0)
        return failed(c, "the answer's body is broken", 0);
    c->record->fetch[l->fetch].body += piece.len;
    *used = (size_t)n;
    return true;
}

static void answer_done(struct client *c, unsigned number)
{
    struct lane *l = c->lane[number];

    l->in_body = false;
    l->fetch++;
    c->answered++;
    if (--l->left > 0)
        return;
    l->state = IDLE;
    if (!c->how->keep)
        end_lane(c, number);
}

/* Takes what is in l->in apart; an arrival counts for the answer that it is a part of.
 */

static bool take_input(struct client *c, unsigned number)
{
    struct lane *l = c->lane[number];
    size_t used = 1;

    while (l->state == BUSY && l->len > 0 && used > 0) {
        unsigned fetch = l->fetch;
        used = 0;
        if (l->in_body ? !take_body(c, l, &used) : !take_head(c, l, &used))
            return false;
        if (used > 0) {
            record_arrival(c->record, fetch, tapir_now(), used);
            l->len -= used;
            memmove(l->in, l->in + used, l->len);
        }
        if (l->in_body && http_body_done(&l->body)) {
            answer_done(c, number);
            used = 1;
        }
    }
    return l->len < sizeof l->in || failed(c, "the answer's head has no end", 0);
}

static bool read_lane(struct client *c, unsigned number)
{
    struct lane *l = c->lane[number];
    ssize_t n = tapir_read(l->fd, l->in + l->len, sizeof l->in - l->len);

    if (n < 0)
        return errno == EAGAIN || failed(c, "the answer could not be read", errno);
    if (n > 0 && l->state == BUSY) {
        l->len += (size_t)n;
        return take_input(c, number);
    }
    if (n == 0 && l->state == BUSY)
        return failed(c, "the server closed within an answer", 0);
    if (n == 0)
        lane_over(c, number);
    return true;
}

/* --- the loop --- */

static struct lane *idle_lane(const struct client *c, unsigned *number)
{
    for (*number = 0; *number < c->record->lanes; ++*number)
        if (c->lane[*number]->state == IDLE)
            return c->lane[*number];
    return NULL;
}

static unsigned busy_lanes(const struct client *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->record->lanes; i++)
        n += c->lane[i]->state < ENDING;
    return n;
}

/* The page first; when it is there, the objects. */
static bool hand_out(struct client *c)
{
    unsigned most = c->how->many ? c->setup->connections : 1, number;

    if (c->record->lanes == 0 && c->next == 0)
        return open_lane(c, c->next++, 1);
    while (c->next <= c->last && (c->how->alone || c->answered > 0)) {
        unsigned n = c->how->pipelined ? c->last - c->next + 1 : 1;
        struct lane *l = idle_lane(c, &number);
        if (!l && busy_lanes(c) >= most)
            break;
        if (l) {
            l->object = c->next;
            l->n = n;
        }
        if (l ? !ask(c, number) : !open_lane(c, c->next, n))
            return false;
        c->next += n;
    }
    return true;
}

static short wanted(const struct lane *l)
{
    if (l->state == OPENING)
        return POLLOUT;
    return (short)(l->out_sent < l->out_len ? POLLIN | POLLOUT : POLLIN);
}

static bool serve_lane(struct client *c, unsigned number, short events)
{
    struct lane *l = c->lane[number];

    if (l->state == OPENING)
        return opened(c, number);
    if ((events & POLLOUT) && l->out_sent < l->out_len && !write_out(c, l))
        return false;
    return !(events & (POLLIN | POLLHUP | POLLERR)) || read_lane(c, number);
}

static bool await(struct client *c)
{
    unsigned n = c->record->lanes;

    for (unsigned i = 0; i < n; i++)
        c->poll[i] = (struct pollfd){ .fd = c->lane[i]->fd,
                                      .events = wanted(c->lane[i]) };
    int ready = tapir_poll(c->poll, n, PATIENCE_MS);
    if (ready < 0)
        return failed(c, "poll", errno);
    if (ready == 0)
        return failed(c, "nothing came for two minutes", 0);
    for (unsigned i = 0; i < n; i++)
        if (c->poll[i].revents && !serve_lane(c, i, c->poll[i].revents))
            return false;
    return true;
}

static bool fetch_all(struct client *c)
{
    while (c->answered < c->total)
        if (!hand_out(c) || !await(c))
            return false;
    for (unsigned i = 0; i < c->record->lanes; i++)
        if (c->lane[i]->state == IDLE)
            end_lane(c, i);
    for (unsigned i = 0; i < c->record->lanes; i++)
        while (c->lane[i]->state != OVER)
            if (!await(c))
                return false;
    return true;
}

static void client_free(struct client *c)
{
    for (unsigned i = 0; c->lane && i < c->record->lanes; i++) {
        if (c->lane[i] && c->lane[i]->fd >= 0)
            tapir_close(c->lane[i]->fd);
        if (c->lane[i])
            free(c->lane[i]->out);
        free(c->lane[i]);
    }
    free(c->lane);
    free(c->poll);
}

bool strategy_run(const struct strategy *how, const struct page_setup *setup,
                  const struct page_server *server, struct record *record)
{
    struct client c = { .how = how, .setup = setup, .record = record };
    bool done = false;

    endpoint_parse(server->address, server->port, &c.to);
    snprintf(c.host, sizeof c.host, strchr(server->address, ':') ? "[%s]" : "%s",
             server->address);
    c.next = how->alone ? 1 : 0;
    c.last = how->alone ? 1 : setup->objects;
    c.total = c.last - c.next + 1;
    if (record_init(record, c.total, setup->rtt / 4)) {
        c.lane = calloc(c.total, sizeof(struct lane *));
        c.poll = calloc(c.total, sizeof *c.poll);
    }
    if (c.lane && c.poll)
        done = fetch_all(&c);
    else
        failed(&c, "no memory", 0);
    client_free(&c);
    return done;
}
