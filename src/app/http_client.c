/* The seven steps
 * ---------------
 *
 * A fetch is the list that every book on HTTP begins with, one function a step, in
 * order: the host's name from the URL, its address, the port, the connection, the
 * request, the answer, the close. Each notes when it was done and tells a line. Where a
 * Location is followed, they are done again.
 *
 * A connection is kept (http_pool.c) if the next fetch wants it and nothing speaks
 * against it: the answer's end was clear, no byte followed it, and both sides are
 * willing. A server may still close it in the moment the request is on its way; then
 * nothing of an answer comes, and a request that changes nothing is repeated once, on a
 * new connection; one that may change something never is (RFC 9112 s9.3.1).
 *
 *     http_client.c    the steps, and what is done again
 *     http_fetch.c     what they tell
 *     http_pool.c      connections                 dial.c    with deadlines
 *     http_request.c   the head of a request       http_sending.c   and its body
 *     http_exchange.c  a request and its answer    http_reading.c   taking it apart
 *     http_redirect.c  where it leads
 *     http_pipeline.c  several requests before the first answer */
#include "app/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dial.h"
#include "app/http_exchange.h"
#include "app/http_redirect.h"
#include "app/http_request.h"
#include "base/bytes.h"

/* --- 1 to 3: host name, address, port -------------------------------------------- */

/* Writes the text in full, as what a Location is resolved against. */
static bool complete_url(struct http_fetch *f)
{
    size_t room = strlen(f->text) + sizeof "http:///";
    char *text = malloc(room);
    const char *why;
    struct text t;

    if (!text)
        return false;
    text_init(&t, text, room);
    http_write_url(&t, &f->url);
    free(f->text);
    f->text = text;
    return http_parse_url(f->text, &f->url, &why) == 0;
}

static bool find_host(struct http_fetch *f)
{
    const char *why = "";
    int err = http_parse_url(f->text, &f->url, &why);

    if (err == -EPROTONOSUPPORT) {
        fetch_failed(f, GET_UNSUPPORTED, "Protocol not supported: %.100s", f->text);
        return fetch_because(f, why, "use an http:// URL");
    }
    if (err < 0) {
        fetch_failed(f, GET_MALFORMED, "URL rejected: %.100s", f->text);
        return fetch_because(f, why, "http://HOST[:PORT]/PATH");
    }
    if (!complete_url(f))
        return fetch_failed(f, GET_MEMORY, "Out of memory");
    if (!f->first_text)
        f->first = f->url;
    fetch_step(f, TAPIR_HTTP_HOST, f->url.host);
    return true;
}

/* Looking up and connecting have their time from now on. */
static void start_connecting(struct http_fetch *f)
{
    int64_t timeout = f->client->options.connect_timeout;

    f->connect_by = timeout ? usec_min(f->deadline, tapir_now() + timeout)
                            : f->deadline;
}

static long long elapsed_ms(const struct http_fetch *f)
{
    return (tapir_now() - f->begin) / USEC_PER_MS;
}

static bool find_failed(struct http_fetch *f, int err)
{
    char fix[200];

    if (err == -ETIME && f->connect_by != NEVER && tapir_now() >= f->connect_by) {
        fetch_failed(f, GET_TIMEOUT, "Resolving timed out after %lld milliseconds",
                     elapsed_ms(f));
        return fetch_because(f, names_trouble(err), "allow more, or check --dns");
    }
    snprintf(fix, sizeof fix, "use an address, or --resolve %.80s:%u:ADDRESS",
             f->url.host, f->url.port);
    fetch_failed(f, GET_RESOLVE, "Could not resolve host: %s", f->url.host);
    return fetch_because(f, names_trouble(err), fix);
}

/* The i-th of its addresses. */
static void go_to(struct http_fetch *f, size_t i)
{
    f->to = names_at(&f->found, i, f->url.port);
}

static bool find_address(struct http_fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    struct names names = { o->resolve, o->n_resolve, o->hosts, .family = o->family };
    char detail[120], others[32] = "", room[ENDPOINT_TEXT];
    int err;

    if (o->family == AF_UNSPEC && !names_has_family(AF_INET6))
        names.family = AF_INET;
    start_connecting(f);
    names.deadline = f->connect_by;
    err = names_lookup(&names, f->url.host, f->url.port, &f->found);
    if (err < 0)
        return find_failed(f, err);
    go_to(f, 0);
    if (f->found.n > 1)
        snprintf(others, sizeof others, " and %zu more", f->found.n - 1);
    snprintf(detail, sizeof detail, "%s%s, %s", endpoint_host(&f->to, room), others,
             f->found.source);
    fetch_step(f, TAPIR_HTTP_ADDRESS, detail);
    return true;
}

static bool find_port(struct http_fetch *f)
{
    char detail[32];

    snprintf(detail, sizeof detail, "%u", f->url.port);
    fetch_step(f, TAPIR_HTTP_PORT, detail);
    return true;
}

bool fetch_locate(struct http_fetch *f)
{
    return find_host(f) && find_address(f) && find_port(f);
}

/* --- 4: connect ------------------------------------------------------------------ */

static bool connect_failed(struct http_fetch *f, int err)
{
    if (err == -ENOMEM)
        return fetch_failed(f, GET_MEMORY, "Out of memory");
    if (err == -ETIME || err == -ETIMEDOUT) {
        fetch_failed(f, GET_TIMEOUT, "Connection to %s port %u timed out after %lld ms",
                     f->url.host, f->url.port, elapsed_ms(f));
        return fetch_because(f, "there was no answer to any SYN",
                             "check address and port");
    }
    fetch_failed(f, GET_CONNECT, "Failed to connect to %s port %u: %s", f->url.host,
                 f->url.port, strerror(-err));
    if (err == -ECONNREFUSED)
        return fetch_because(f, "nothing listens on that port there",
                             "start the server, or check the port");
    if (err == -EHOSTUNREACH)
        return fetch_because(
            f, "the host does not answer on the link, or a router says so",
            "check the address, --addr and --gateway");
    if (err == -ENETUNREACH)
        return fetch_because(f, "there is no route to that network",
                             "name a router with --gateway");
    if (err == -EAFNOSUPPORT)
        return fetch_because(f, "IPv6 is not built yet over our own stack",
                             "use an IPv4 address, or --link kernel");
    return false;
}

void fetch_connected(struct http_fetch *f, const char *how)
{
    union endpoint local = { .any = { .sa_family = AF_UNSPEC } };
    struct tapir_http_result *r = f->result;
    socklen_t len = sizeof local;
    char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT], detail[2 * ENDPOINT_TEXT + 20];

    tapir_getsockname(f->conn->fd, &local.any, &len);
    memcpy(&r->local, &local, sizeof local);
    memcpy(&r->remote, &f->to, sizeof f->to);
    snprintf(detail, sizeof detail, "%s to %s%s", endpoint_print(&local, from),
             endpoint_print(&f->to, to), how);
    fetch_step(f, TAPIR_HTTP_CONNECT, detail);
}

bool fetch_leads(struct http_fetch *f, const struct http_conn *conn)
{
    if (!http_same_host(conn->host, f->url.host))
        return false;
    for (size_t i = 0; i < f->found.n; i++) {
        go_to(f, i);
        if (endpoint_same(&f->to, &conn->peer))
            return true;
    }
    return false;
}

/* One that waits in the pool, whichever of the addresses it leads to. */
static bool take_kept(struct http_fetch *f)
{
    for (size_t i = 0; i < f->found.n && !f->conn; i++) {
        go_to(f, i);
        f->conn = http_pool_take(&f->client->pool, f->url.host, &f->to);
    }
    return f->conn != NULL;
}

/* A new one, to the first address that takes it. Where one is silent, half of the time
 * that is left is for the others. 0, or the last one's failure. */
static int open_new(struct http_fetch *f)
{
    char room[ENDPOINT_TEXT];
    int err = -EHOSTUNREACH;

    for (size_t i = 0; i < f->found.n && !f->conn; i++) {
        usec now = tapir_now(), by = f->connect_by;
        if (i > 0 && now >= by)
            return -ETIME;
        if (by != NEVER && i + 1 < f->found.n)
            by = now + (by - now) / 2;
        go_to(f, i);
        fetch_say(f, '*', "  Trying %s...", endpoint_print(&f->to, room));
        f->conn = http_pool_open(&f->client->pool, f->url.host, &f->to, by, &err);
        if (!f->conn && f->found.n > 1)
            fetch_say(f, '*', "%s: %s", endpoint_host(&f->to, room), strerror(-err));
    }
    return f->conn ? 0 : err;
}

bool fetch_connect(struct http_fetch *f, bool fresh)
{
    int err;

    f->conn = NULL;
    f->result->reused = !fresh && take_kept(f);
    if (f->conn) {
        f->http10 |= f->conn->http10;
        fetch_say(f, '*', "Re-using existing connection #%u with host %s",
                  f->conn->number, f->url.host);
        fetch_connected(f, ", kept");
        return true;
    }
    if (fresh)
        start_connecting(f);
    err = open_new(f);
    if (err < 0)
        return connect_failed(f, err);
    f->result->connects++;
    fetch_say(f, '*', "Connected to %s port %u (#%u)", f->url.host, f->url.port,
              f->conn->number);
    fetch_connected(f, "");
    return true;
}

/* --- 5 and 6: send and read ------------------------------------------------------ */

bool fetch_no_head(struct http_fetch *f, size_t len)
{
    if (len == 0)
        return fetch_failed(f, GET_MEMORY, "Out of memory");
    fetch_failed(f, GET_LARGE, "Too large request: %zu bytes of fields", len);
    return fetch_because(f, "no server would read them", "say less with -H");
}

char *fetch_head(struct http_fetch *f, size_t *len)
{
    const struct tapir_http_options *o = &f->client->options;
    struct http_ask ask = { .options = o,
                            .url = &f->url,
                            .first = &f->first,
                            .method = f->method,
                            .referer = f->referer ? f->referer : o->referer,
                            .http10 = f->http10,
                            .body = f->with_body };
    char *head;

    /* RFC 9110 s10.1.1: HTTP/1.0 knows no 100 (Continue). */
    f->expects = f->with_body && !f->no_expect && !f->http10 && http_request_expects(o);
    ask.expects = f->expects;
    head = http_request_new(&ask, len);
    if (!head) {
        fetch_no_head(f, *len);
        return NULL;
    }
    f->result->requests += *len;
    f->result->method = f->method;
    f->result->referer = ask.referer;
    fetch_say_head(f, '>', head, *len);
    return head;
}

void fetch_read(struct http_fetch *f)
{
    char detail[64];

    snprintf(detail, sizeof detail, "%d, body of %llu bytes", f->result->status,
             (unsigned long long)f->result->body);
    fetch_step(f, TAPIR_HTTP_READ, detail);
}

static bool cannot_be_framed(struct http_fetch *f)
{
    if (!f->http10)
        fetch_failed(f, GET_UPLOAD, "Upload failed: the length is not known");
    else
        fetch_failed(f, GET_UPLOAD, "Chunky upload is not supported by HTTP 1.0");
    return fetch_because(f, "how long the body is, is not known", "upload from a file");
}

/* A request and its answer on the connection. */
static bool exchange(struct http_fetch *f)
{
    struct http_sending out;
    size_t len;
    char *head;
    bool ok;

    if (f->with_body && !http_request_is_framed(&f->client->options, f->http10))
        return cannot_be_framed(f);
    head = fetch_head(f, &len);
    if (!head)
        return false;
    if (http_sending_begin(&out, &f->client->options, head, len, f->with_body) < 0) {
        http_sending_free(&out);
        return fetch_failed(f, GET_MEMORY, "Out of memory");
    }
    out.waits = f->expects;
    f->out = &out;
    ok = http_exchange(f);
    http_sending_free(&out);
    f->out = NULL;
    if (ok)
        fetch_read(f);
    return ok;
}

/* RFC 9110 s9.2.1 */
bool fetch_is_safe(const struct http_fetch *f)
{
    return !f->with_body &&
           (strcmp(f->method, "GET") == 0 || strcmp(f->method, "HEAD") == 0 ||
            strcmp(f->method, "OPTIONS") == 0);
}

/* A kept connection had been closed by the server, and the request is lost. */
static bool is_stale(const struct http_fetch *f)
{
    return f->lost && f->result->reused && fetch_is_safe(f);
}

static void hang_up(struct http_fetch *f)
{
    if (f->conn)
        fetch_say(f, '*', "Closing connection %u", f->conn->number);
    http_conn_close(f->conn);
    f->conn = NULL;
}

bool fetch_exchange(struct http_fetch *f)
{
    for (bool fresh = false;; fresh = true) {
        bool ok = fetch_connect(f, fresh) && exchange(f);
        if (ok && f->refused) {
            fetch_say(f, '*', "the server knows no Expect: once more without");
            f->no_expect = true;
            hang_up(f);
            continue;
        }
        if (ok || fresh || !is_stale(f))
            return ok;
        fetch_say(f, '*', "the kept connection was closed by the server: a new one");
        hang_up(f);
        fetch_forgive(f);
    }
}

/* --- 7: close, and all of it ----------------------------------------------------- */

void fetch_close(struct http_fetch *f, bool keep)
{
    if (keep && f->conn && http_exchange_persists(f) && f->conn->len == 0) {
        fetch_say(f, '*', "Connection #%u to host %s left intact", f->conn->number,
                  f->conn->host);
        http_pool_put(&f->client->pool, f->conn);
        f->conn = NULL;
        fetch_step(f, TAPIR_HTTP_CLOSE, "not yet: kept for the next fetch");
        return;
    }
    hang_up(f);
    fetch_step(f, TAPIR_HTTP_CLOSE, "");
}

void fetch_begin(struct http_fetch *f, struct tapir_http_client *client,
                 const char *url, struct tapir_http_result *result)
{
    const struct tapir_http_options *o = &client->options;

    *result = (struct tapir_http_result){ .first_byte = -1 };
    for (int i = 0; i < TAPIR_HTTP_STEPS; i++)
        result->at[i] = -1;
    *f = (struct http_fetch){ .client = client, .result = result };
    f->begin = tapir_now();
    f->deadline = o->max_time ? f->begin + o->max_time : NEVER;
    f->method = result->method = http_request_method(o);
    f->with_body = http_request_has_body(o);
    f->http10 = o->http10;
    f->text = strdup(url);
    if (!f->text)
        fetch_failed(f, GET_MEMORY, "Out of memory");
}

void fetch_follow(struct http_fetch *f, bool ok, bool keep)
{
    while (ok && http_redirect(f)) {
        fetch_close(f, true);
        ok = fetch_locate(f) && fetch_exchange(f);
    }
    if (ok && f->result->code == 0)
        fetch_close(f, keep);
    else
        hang_up(f);
}

/* Lets the client own what the result points to, until its next fetch. */
static void keep_text(char **kept, char *text)
{
    free(*kept);
    *kept = text;
}

void fetch_end(struct http_fetch *f)
{
    struct tapir_http_client *c = f->client;

    keep_text(&c->url, f->text);
    keep_text(&c->location, f->location);
    keep_text(&c->referer, f->referer);
    free(f->first_text);
    free(f->trailers);
    f->result->url = c->url;
    f->result->location = c->location;
    f->result->end = tapir_now() - f->begin;
}

int tapir_http_get(struct tapir_http_client *client, const char *url, bool keep,
                   struct tapir_http_result *result)
{
    struct http_fetch f;
    bool ok;

    fetch_begin(&f, client, url, result);
    ok = result->code == 0 && fetch_locate(&f) && fetch_exchange(&f);
    fetch_follow(&f, ok, keep);
    fetch_end(&f);
    return result->code;
}

void tapir_http_client_set(struct tapir_http_client *client,
                           const struct tapir_http_options *options)
{
    client->options = *options;
    if (!client->options.user_agent)
        client->options.user_agent = "tapir";
    if (!client->options.hosts)
        client->options.hosts = "/etc/hosts";
}

struct tapir_http_client *tapir_http_client_new(
    const struct tapir_http_options *options)
{
    struct tapir_http_client *c = calloc(1, sizeof *c);

    if (c)
        tapir_http_client_set(c, options);
    return c;
}

void tapir_http_client_free(struct tapir_http_client *client)
{
    if (!client)
        return;
    http_pool_clear(&client->pool);
    free(client->url);
    free(client->location);
    free(client->referer);
    free(client);
}
