/* The seven steps
 * ---------------
 *
 * A fetch is the list that every book on HTTP begins with, one function a step, in
 * order: the host's name from the URL, its address, the port, the connection, the
 * request, the answer, the close. Each notes when it was done and tells a line.
 *
 * One connection is kept between fetches if the next one wants it and nothing speaks
 * against it: the answer's end was clear, no byte followed it, both sides are willing,
 * and, just before it is used again, it is open and silent. A server may still close it
 * in the moment the request is on its way; then nothing of an answer comes, and the
 * request, which is GET or HEAD, is repeated once on a new connection (RFC 9112
 * s9.3.1).
 *
 * An answer is taken for whole only when its framing says so: an end of the stream in
 * the middle of a body is an error, and what had come was handed over all the same. */
#include "tapir/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dial.h"
#include "app/http_request.h"
#include "app/names.h"
#include "base/bytes.h"
#include "http/http_body.h"
#include "http/http_fail.h"
#include "http/http_parse.h"
#include "http/http_url.h"

enum {
    BUFFER = 128 * 1024, /* holds the largest head there may be, and makes long reads */
    INTERIM_MAX = 32,    /* 1xx answers before the final one */
    LINE_MAX_TALK = 1024,
};

struct tapir_http_client {
    struct tapir_http_options options; /* with defaults filled in */
    int fd;                            /* the connection; -1: none */
    struct sockaddr_in peer;           /* its other end */
    char host[HTTP_HOST_MAX + 1];      /* the name it was opened for */
    char *buf;                         /* what came and is not used yet */
    size_t len;                        /* bytes in it */
};

struct fetch {
    struct tapir_http_client *client;
    struct tapir_http_result *result;
    struct http_url url;
    struct sockaddr_in to; /* where the connection goes */
    usec begin, deadline;  /* of tapir_now(); NEVER */
    bool answered;         /* a byte of the answer has come */
    bool stale;            /* a kept connection was closed meanwhile: try a new one */
    bool persists;         /* the server lets the connection live */
    struct http_body body; /* of the answer */
};

/* --- telling --------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void say(const struct fetch *f, char mark,
                                                      const char *format, ...)
{
    const struct tapir_http_options *o = &f->client->options;
    char line[LINE_MAX_TALK];
    va_list args;

    if (!o->talk)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    o->talk(o->ctx, mark, line);
}

/* A step is done: notes when, and tells it. */
static void done(const struct fetch *f, enum tapir_http_step step, const char *detail)
{
    static const char *const names[TAPIR_HTTP_STEPS] = {
        "host name", "address", "port", "connect", "send", "read", "close",
    };
    int64_t *at = f->result->at;
    int64_t before = step > 0 ? at[step - 1] : 0;

    at[step] = tapir_now() - f->begin;
    say(f, '*', "%d %-9s  %-44s %9.3f ms (+%.3f)", step + 1, names[step], detail,
        (double)at[step] / 1000, (double)(at[step] - before) / 1000);
}

/* The fetch has failed, in curl's words and with its number; false. */
__attribute__((format(printf, 3, 4))) static bool failed(struct fetch *f, int code,
                                                         const char *format, ...)
{
    struct tapir_error *e = &f->result->error;
    int n = snprintf(e->what, sizeof e->what, "(%d) ", code);
    va_list args;

    va_start(args, format);
    vsnprintf(e->what + n, sizeof e->what - (size_t)n, format, args);
    va_end(args);
    f->result->code = code;
    return false;
}

/* Adds why and what to do about it. False, like failed(). */
static bool because(struct fetch *f, const char *cause, const char *fix)
{
    struct tapir_error *e = &f->result->error;

    snprintf(e->cause, sizeof e->cause, "%s", cause);
    snprintf(e->fix, sizeof e->fix, "%s", fix);
    return false;
}

static bool timed_out(struct fetch *f)
{
    failed(f, GET_TIMEOUT,
           "Operation timed out after %lld milliseconds with %llu bytes received",
           (long long)((tapir_now() - f->begin) / USEC_PER_MS),
           (unsigned long long)f->result->body);
    return because(f, "the time that was allowed is over", "allow more with -m");
}

static void hang_up(struct tapir_http_client *c)
{
    if (c->fd >= 0)
        tapir_close(c->fd);
    c->fd = -1;
    c->len = 0;
}

/* --- 1 to 3: host name, address, port -------------------------------------------- */

static bool find_host(struct fetch *f, const char *url)
{
    const char *why = "";
    int err = http_parse_url(url, &f->url, &why);

    if (err == -EPROTONOSUPPORT) {
        failed(f, GET_UNSUPPORTED, "Protocol not supported: %.100s", url);
        return because(f, why, "use an http:// URL");
    }
    if (err < 0) {
        failed(f, GET_MALFORMED, "URL rejected: %.100s", url);
        return because(f, why, "http://HOST[:PORT]/PATH");
    }
    done(f, TAPIR_HTTP_HOST, f->url.host);
    return true;
}

static bool find_address(struct fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    struct names names = { o->resolve, o->n_resolve, o->hosts };
    unsigned char a[4];
    const char *source;
    char detail[80], fix[200];
    int err = names_lookup(&names, f->url.host, f->url.port, &f->to.sin_addr, &source);

    if (err < 0) {
        snprintf(fix, sizeof fix, "use an address, or --resolve %.80s:%u:ADDRESS",
                 f->url.host, f->url.port);
        failed(f, GET_RESOLVE, "Could not resolve host: %s", f->url.host);
        if (err == -EAFNOSUPPORT)
            return because(f, "it has an IPv6 address only: IPv6 is not built yet",
                           fix);
        return because(f,
                       "names are looked up in --resolve and the hosts file: a "
                       "resolver is not built yet",
                       fix);
    }
    f->to.sin_family = AF_INET;
    f->to.sin_port = htons(f->url.port);
    memcpy(a, &f->to.sin_addr, sizeof a);
    snprintf(detail, sizeof detail, "%u.%u.%u.%u, %s", a[0], a[1], a[2], a[3], source);
    done(f, TAPIR_HTTP_ADDRESS, detail);
    return true;
}

static bool find_port(struct fetch *f)
{
    char detail[32];

    snprintf(detail, sizeof detail, "%u", f->url.port);
    done(f, TAPIR_HTTP_PORT, detail);
    return true;
}

/* --- 4: connect ------------------------------------------------------------------ */

static bool connect_failed(struct fetch *f, int err)
{
    if (err == -ETIME || err == -ETIMEDOUT) {
        failed(f, GET_TIMEOUT, "Connection to %s port %u timed out after %lld ms",
               f->url.host, f->url.port,
               (long long)((tapir_now() - f->begin) / USEC_PER_MS));
        return because(f, "there was no answer to any SYN", "check address and port");
    }
    failed(f, GET_CONNECT, "Failed to connect to %s port %u: %s", f->url.host,
           f->url.port, strerror(-err));
    if (err == -ECONNREFUSED)
        return because(f, "nothing listens on that port there",
                       "start the server, or check the port");
    if (err == -EHOSTUNREACH)
        return because(f, "the host does not answer on the link, or a router says so",
                       "check the address, --addr and --gateway");
    if (err == -ENETUNREACH)
        return because(f, "there is no route to that network",
                       "name a router with --gateway");
    return false;
}

/* The connection of the last fetch, if it goes to the same place and is sound. */
static bool use_kept(struct fetch *f)
{
    struct tapir_http_client *c = f->client;

    if (c->fd < 0)
        return false;
    if (strcmp(c->host, f->url.host) == 0 && c->peer.sin_port == f->to.sin_port &&
        c->peer.sin_addr.s_addr == f->to.sin_addr.s_addr && dial_is_quiet(c->fd))
        return true;
    hang_up(c);
    return false;
}

static void tell_connected(struct fetch *f)
{
    struct sockaddr_in local = { .sin_family = AF_INET };
    socklen_t len = sizeof local;
    unsigned char a[4], b[4];
    char detail[80];

    tapir_getsockname(f->client->fd, (struct sockaddr *)&local, &len);
    memcpy(a, &local.sin_addr, sizeof a);
    memcpy(b, &f->to.sin_addr, sizeof b);
    snprintf(detail, sizeof detail, "%u.%u.%u.%u:%u to %u.%u.%u.%u:%u%s", a[0], a[1],
             a[2], a[3], ntohs(local.sin_port), b[0], b[1], b[2], b[3], f->url.port,
             f->result->reused ? ", kept" : "");
    done(f, TAPIR_HTTP_CONNECT, detail);
}

static bool open_connection(struct fetch *f)
{
    struct tapir_http_client *c = f->client;
    usec deadline = f->deadline;
    int fd;

    f->result->reused = use_kept(f);
    if (!f->result->reused) {
        if (c->options.connect_timeout)
            deadline = usec_min(deadline, tapir_now() + c->options.connect_timeout);
        fd = dial_connect(&f->to, deadline);
        if (fd < 0)
            return connect_failed(f, fd);
        c->fd = fd;
        c->peer = f->to;
        memcpy(c->host, f->url.host, sizeof c->host);
    }
    tell_connected(f);
    return true;
}

/* --- 5: send --------------------------------------------------------------------- */

/* Tells a head line by line; empty lines as well, as curl does. */
static void say_head(const struct fetch *f, char mark, const char *at, size_t len)
{
    while (len > 0 && f->client->options.talk) {
        const char *lf = memchr(at, '\n', len);
        size_t n = lf ? (size_t)(lf - at) : len;
        size_t shown = n > 0 && at[n - 1] == '\r' ? n - 1 : n;
        say(f, mark, "%.*s", (int)min_size(shown, LINE_MAX_TALK), at);
        n += lf != NULL;
        at += n;
        len -= n;
    }
}

static bool send_failed(struct fetch *f, int err)
{
    if (err == -ETIME)
        return timed_out(f);
    f->stale = f->result->reused;
    return failed(f, GET_SEND, "Send failure: %s", strerror(-err));
}

static bool send_request(struct fetch *f)
{
    size_t len;
    char *request = http_request_new(&f->client->options, &f->url, &len);
    char detail[40];
    int err;

    if (!request)
        return failed(f, GET_MEMORY, "Out of memory");
    say_head(f, '>', request, len);
    err = dial_send(f->client->fd, request, len, f->deadline);
    free(request);
    if (err < 0)
        return send_failed(f, err);
    snprintf(detail, sizeof detail, "%s, %zu bytes",
             f->client->options.head ? "HEAD" : "GET", len);
    done(f, TAPIR_HTTP_SEND, detail);
    return true;
}

/* --- 6: read --------------------------------------------------------------------- */

static bool receive_failed(struct fetch *f, ssize_t err)
{
    if (err == -ETIME)
        return timed_out(f);
    f->stale = f->result->reused && !f->answered;
    return failed(f, GET_RECEIVE, "Recv failure: %s", strerror((int)-err));
}

/* Reads more into the buffer: bytes, 0 at the end, negative errno. */
static ssize_t receive(struct fetch *f)
{
    struct tapir_http_client *c = f->client;
    ssize_t n = dial_receive(c->fd, c->buf + c->len, BUFFER - c->len, f->deadline);

    if (n > 0) {
        c->len += (size_t)n;
        f->answered = true;
    }
    return n;
}

static bool head_ended(struct fetch *f)
{
    f->stale = f->result->reused && !f->answered;
    if (!f->answered) {
        failed(f, GET_EMPTY, "Empty reply from server");
        return because(f, "it closed the connection without an answer", "");
    }
    return failed(f, GET_RECEIVE, "Recv failure: the answer ended inside its head");
}

/* What came is no head of ours; told as curl tells it. */
static bool not_a_head(struct fetch *f, int code)
{
    if (code == GET_RECEIVE)
        return failed(f, code, "Too large response headers");
    if (code == GET_UNSUPPORTED)
        return failed(f, code, "Received HTTP/0.9 when not allowed");
    failed(f, code, "Weird server reply");
    return because(f, "what came is no HTTP/1 response", "");
}

/* The next head of the answer in the buffer: its bytes; 0: failed. */
static size_t read_head(struct fetch *f, struct http_head *head)
{
    struct tapir_http_client *c = f->client;
    size_t seen = 0;

    for (;;) {
        int n = http_parse_response(c->buf, c->len, seen, &http_response_limits, head);
        if (n > 0)
            return (size_t)n;
        if (n != -EAGAIN) {
            not_a_head(f, -n);
            return 0;
        }
        seen = c->len;
        ssize_t got = receive(f);
        if (got == 0)
            head_ended(f);
        if (got < 0)
            receive_failed(f, got);
        if (got <= 0)
            return 0;
    }
}

/* Takes n bytes off the front of the buffer. */
static void use_buffer(struct tapir_http_client *c, size_t n)
{
    c->len -= n;
    memmove(c->buf, c->buf + n, c->len);
}

/* Shows a head to whoever wants it, and takes it off the buffer. */
static bool take_head(struct fetch *f, size_t n)
{
    const struct tapir_http_options *o = &f->client->options;
    bool written = true;

    say_head(f, '<', f->client->buf, n);
    if (o->head_in)
        written = o->head_in(o->ctx, f->client->buf, n);
    use_buffer(f->client, n);
    return written || failed(f, GET_WRITE, "Failure writing output to destination");
}

/* The final head: what it says about the rest. */
static bool understand(struct fetch *f, const struct http_head *head)
{
    int err = http_response_body(head, &http_response_limits, f->client->options.head,
                                 &f->body);

    f->result->status = head->status;
    f->persists = http_persists(head);
    if (head->status == 101)
        return failed(f, GET_WEIRD, "Weird server reply: 101 was not asked for");
    if (err == -GET_CODING) {
        failed(f, GET_CODING, "Unsupported transfer encoding");
        return because(f, "a transfer coding other than chunked, unasked", "");
    }
    if (err < 0)
        return failed(f, GET_WEIRD, "Weird server reply: Content-Length");
    return true;
}

/* RFC 9110 s15.2: answers 1xx may come first, any number; they are not the answer. */
static bool read_heads(struct fetch *f)
{
    struct http_head head;

    for (int i = 0; i < INTERIM_MAX; i++) {
        size_t n = read_head(f, &head);
        bool ok = n > 0 && understand(f, &head);
        if (n == 0 || !take_head(f, n) || !ok)
            return false;
        if (f->result->status >= 200)
            return true;
    }
    return failed(f, GET_WEIRD, "Weird server reply: 1xx without end");
}

/* Hands over what the buffer has of the body. */
static bool take_body(struct fetch *f)
{
    struct tapir_http_client *c = f->client;
    struct http_slice piece;
    size_t at = 0;

    while (at < c->len && !http_body_done(&f->body)) {
        ssize_t n = http_body_read(&f->body, c->buf + at, c->len - at, &piece);
        if (n < 0)
            return failed(f, GET_RECEIVE, "Recv failure: bad chunk in the body");
        at += (size_t)n;
        f->result->body += piece.len;
        if (piece.len > 0 && c->options.body &&
            !c->options.body(c->options.ctx, piece.at, piece.len))
            return failed(f, GET_WRITE, "Failure writing output to destination");
    }
    use_buffer(c, at);
    return true;
}

/* The stream has ended where bytes of the body were due. */
static bool body_ended(struct fetch *f)
{
    if (f->body.framing == HTTP_BODY_LENGTH)
        failed(f, GET_PARTIAL, "transfer closed with %llu bytes remaining to read",
               (unsigned long long)f->body.left);
    else
        failed(f, GET_PARTIAL, "transfer closed with outstanding read data remaining");
    return because(f, "the server closed the connection in the middle of the body", "");
}

static bool read_body(struct fetch *f)
{
    for (;;) {
        if (!take_body(f))
            return false;
        if (http_body_done(&f->body))
            return true;
        ssize_t n = receive(f);
        if (n < 0)
            return receive_failed(f, n);
        if (n == 0)
            return f->body.framing == HTTP_BODY_CLOSE || body_ended(f);
    }
}

static bool read_answer(struct fetch *f)
{
    char detail[64];

    if (f->client->options.fail && f->result->status >= 400)
        return failed(f, GET_STATUS, "The requested URL returned error: %d",
                      f->result->status);
    if (!read_body(f))
        return false;
    snprintf(detail, sizeof detail, "%d, body of %llu bytes", f->result->status,
             (unsigned long long)f->result->body);
    done(f, TAPIR_HTTP_READ, detail);
    return true;
}

/* --- 7: close, and all of it ----------------------------------------------------- */

static void close_connection(struct fetch *f, bool keep)
{
    struct tapir_http_client *c = f->client;

    if (keep && f->persists && !f->body.faulty && http_body_done(&f->body) &&
        c->len == 0) {
        done(f, TAPIR_HTTP_CLOSE, "not yet: kept for the next fetch");
        return;
    }
    hang_up(c);
    done(f, TAPIR_HTTP_CLOSE, "");
}

/* Steps 4, 5 and the head of 6; once more if a kept connection was closed meanwhile. */
static bool exchange(struct fetch *f)
{
    for (;;) {
        f->stale = false;
        if (!open_connection(f))
            return false;
        if (send_request(f) && read_heads(f))
            return true;
        if (!f->stale)
            return false;
        say(f, '*', "the kept connection was closed by the server: a new one");
        hang_up(f->client);
        f->result->code = 0;
        f->result->error = (struct tapir_error){ .what = "" };
    }
}

int tapir_http_get(struct tapir_http_client *client, const char *url, bool keep,
                   struct tapir_http_result *result)
{
    struct fetch f = { .client = client, .result = result, .begin = tapir_now() };

    *result = (struct tapir_http_result){ .code = 0 };
    for (int i = 0; i < TAPIR_HTTP_STEPS; i++)
        result->at[i] = -1;
    f.deadline = client->options.max_time ? f.begin + client->options.max_time : NEVER;
    if (find_host(&f, url) && find_address(&f) && find_port(&f) && exchange(&f) &&
        read_answer(&f))
        close_connection(&f, keep);
    else
        hang_up(client);
    return result->code;
}

struct tapir_http_client *tapir_http_client_new(
    const struct tapir_http_options *options)
{
    struct tapir_http_client *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->options = *options;
    c->fd = -1;
    if (!c->options.user_agent)
        c->options.user_agent = "tapir";
    if (!c->options.hosts)
        c->options.hosts = "/etc/hosts";
    c->buf = malloc(BUFFER);
    if (c->buf)
        return c;
    free(c);
    return NULL;
}

void tapir_http_client_free(struct tapir_http_client *client)
{
    if (!client)
        return;
    hang_up(client);
    free(client->buf);
    free(client);
}
