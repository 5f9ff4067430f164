/* Requests that nobody waits for
 * ------------------------------
 *
 * All the URLs of one origin that follow each other share a connection. At the turn of
 * each, as many requests are out as may be; then its answer is read, which can only be
 * the next on the stream (RFC 9112 s9.3.2). What is out is bounded in bytes: it fits
 * into the socket's buffer, so sending never waits for a server that waits for us.
 *
 *     urls   0    1    2    3    4    5
 *            answered  i -- asked -- sent
 *
 * When the connection ends, everything from i on is unanswered, and is asked again on
 * another one: there the first one goes alone, since it may be what the server closes
 * at. One that is lost alone, on a new connection, has failed, and the turn passes on.
 *
 * A server that closes while requests lie unread resets the connection, and its last
 * answers may be cut or lost on their way. What is cut is asked again as well, once;
 * and nothing is sent ahead to that server any more.
 *
 * Methods that may change something are asked one by one, and once. */
#include "app/http_client.h"

#include <errno.h>
#include <stdlib.h>

#include "app/http_exchange.h"
#include "app/http_reading.h"
#include "app/http_request.h"

enum {
    AHEAD_MAX = 64,     /* requests whose answers have not come */
    AHEAD_BYTES = 8192, /* bytes of them; one may be larger */
};

struct pipeline {
    struct tapir_http_client *client;
    const char *const *urls;
    size_t n;
    const struct tapir_http_turn *turn;
    struct http_conn *conn;  /* NULL: none at the moment */
    struct http_sending out; /* what goes over it */
    size_t sent;             /* urls[0] to urls[sent - 1] were asked over it */
    bool alone;              /* one request at a time: the last connection broke */
    union endpoint rude;     /* one at a time to this one: it resets connections */
    size_t bytes[AHEAD_MAX]; /* of the head of urls[i], at i % AHEAD_MAX */
};

/* The connection is of no use any more. */
static void drop(struct pipeline *p)
{
    http_conn_close(p->conn);
    http_sending_free(&p->out);
    p->conn = NULL;
}

/* It goes elsewhere from now on: what was asked is answered, so it may be kept. */
static void park(struct pipeline *p)
{
    if (p->conn)
        http_pool_put(&p->client->pool, p->conn);
    p->conn = NULL;
    drop(p);
}

/* Step 4 of urls[i]: the connection that stands, or another one. */
static bool connect_for(struct pipeline *p, struct http_fetch *f, size_t i, bool fresh)
{
    if (p->conn && fetch_leads(f, p->conn)) {
        f->conn = p->conn;
        f->http10 |= p->conn->http10;
        f->result->reused = true;
        fetch_connected(f, ", shared");
        return true;
    }
    park(p);
    if (!fetch_connect(f, fresh))
        return false;
    p->conn = f->conn;
    p->sent = i;
    return http_sending_begin(&p->out, &p->client->options, NULL, 0, false) == 0;
}

/* The request of urls[p->sent] goes, if it belongs to the same origin as f's. */
static bool ask_next(struct pipeline *p, struct http_fetch *f, size_t *len)
{
    struct http_ask ask = { .options = &p->client->options,
                            .method = f->method,
                            .referer = p->client->options.referer,
                            .http10 = f->http10 };
    struct http_url url;
    const char *why;
    char *head;
    int err;

    if (http_parse_url(p->urls[p->sent], &url, &why) < 0 ||
        !http_same_origin(&url, &f->url))
        return false;
    ask.url = ask.first = &url;
    head = http_request_new(&ask, len);
    if (!head)
        return false;
    err = http_sending_add(&p->out, head, *len);
    fetch_say_head(f, '>', head, *len);
    free(head);
    p->bytes[p->sent % AHEAD_MAX] = *len;
    p->sent += err == 0;
    return err == 0;
}

/* Sends ahead what may go while urls[i] is due. */
static bool ask(struct pipeline *p, struct http_fetch *f, size_t i)
{
    bool alone = p->alone || endpoint_same(&f->to, &p->rude) || !fetch_is_safe(f);
    size_t most = alone ? 1 : AHEAD_MAX, bytes = 0, len = 0;

    for (size_t j = i; j < p->sent; j++)
        bytes += p->bytes[j % AHEAD_MAX];
    f->ahead = p->sent > i;
    if (f->ahead)
        fetch_step(f, TAPIR_HTTP_SEND, "sent ahead");
    while (p->sent < p->n && p->sent - i < most &&
           (p->sent == i || bytes < AHEAD_BYTES) && ask_next(p, f, &len))
        bytes += p->bytes[(p->sent - 1) % AHEAD_MAX];
    f->ahead |= p->sent > i + 1;
    return p->sent > i || fetch_no_head(f, len);
}

/* Nothing of its answer came, or not all: may it be asked again? */
static bool may_repeat(const struct pipeline *p, struct http_fetch *f, size_t i)
{
    if (!fetch_is_safe(f))
        return false;
    if (f->lost)
        return p->conn->answers > 0 || p->sent > i + 1;
    return f->cut && f->ahead && http_reading_anew(f);
}

/* Steps 4 to 6 of urls[i]. */
static bool exchange(struct pipeline *p, struct http_fetch *f, size_t i)
{
    for (bool fresh = false;; fresh = true) {
        if (!connect_for(p, f, i, fresh) || !ask(p, f, i))
            return false;
        f->out = &p->out;
        if (http_exchange(f)) {
            f->result->requests += p->bytes[i % AHEAD_MAX];
            fetch_read(f);
            return true;
        }
        if (!may_repeat(p, f, i))
            return false;
        fetch_say(f, '*', "%zu requests are unanswered: again on a new connection",
                  p->sent - i);
        if (f->cut || f->result->code == GET_RECEIVE)
            p->rude = f->to;
        fetch_forgive(f);
        p->alone = true;
        drop(p);
    }
}

/* After the answer to urls[i]: does the connection serve the next ones? */
static void settle(struct pipeline *p, struct http_fetch *f, size_t i, bool ok)
{
    bool stray = p->conn && p->conn->len > 0 && p->sent == i + 1;

    f->conn = NULL;
    f->ahead = false;
    f->before = (struct http_cut){ .head = false };
    if (ok && http_exchange_persists(f) && !stray) {
        p->alone = false;
        return;
    }
    p->alone |= p->conn && p->sent > i + 1;
    if (p->conn)
        fetch_say(f, '*', "Closing connection %u", p->conn->number);
    drop(p);
}

static int fetch(struct pipeline *p, size_t i)
{
    struct tapir_http_result result;
    void *ctx = p->client->options.ctx;
    struct http_fetch f;
    bool ok;

    if (p->turn->begin)
        p->turn->begin(ctx, i);
    fetch_begin(&f, p->client, p->urls[i], &result);
    ok = result.code == 0 && fetch_locate(&f);
    if (ok) {
        ok = exchange(p, &f, i);
        settle(p, &f, i, ok);
    }
    fetch_follow(&f, ok, true);
    fetch_end(&f);
    if (p->turn->end)
        p->turn->end(ctx, i, &result);
    return result.code;
}

int tapir_http_pipeline(struct tapir_http_client *client, const char *const *urls,
                        size_t n, const struct tapir_http_turn *turn)
{
    struct pipeline p = { .client = client, .urls = urls, .n = n, .turn = turn };
    int code = 0;

    for (size_t i = 0; i < n; i++) {
        int err = fetch(&p, i);
        code = err ? err : code;
    }
    park(&p);
    return code;
}
