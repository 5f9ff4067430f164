/* An answer is taken for whole only when its framing says so: an end of the stream in
 * the middle of a body is an error, and what had come was handed over all the same.
 *
 *     HEAD -> (1xx: HEAD again) -> BODY -> DONE
 *
 * With the final head it is decided what becomes of the body: handed over, or
 * swallowed, since a Location is followed instead, or refused (-f, a resumed file that
 * would begin at the wrong byte).
 *
 * An answer that was cut in a pipeline comes once more, from its beginning. Whoever has
 * the first part either forgets it, or gets only what is missing; that is sound if both
 * answers say that they are the same (`identity`). */
#include "app/http_reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/http_client.h"
#include "base/bytes.h"
#include "base/text.h"
#include "http/http_char.h"
#include "http/http_date.h"
#include "http/http_uri.h"

enum {
    INTERIM_MAX = 1000,       /* 1xx answers before the final one */
    HEADS_MAX = 20 * 307200,  /* bytes of all heads of a fetch, with redirects */
    RETRY_AFTER_MAX = 864000, /* seconds; what asks for more is taken for this */
    DRAIN_MAX = 65536, /* bytes of a refused body that cost less than connecting */
};

void http_reading_begin(struct http_fetch *f)
{
    f->phase = ANSWER_HEAD;
    f->answered = f->persists = f->swallow = f->lost = f->refused = false;
    f->cut = f->head_told = false;
    f->identity[0] = '\0';
    f->interim = 0;
    f->seen = 0;
    f->send_error = 0;
    f->body = (struct http_body){ .framing = HTTP_BODY_NONE };
    free(f->location);
    f->location = NULL;
    f->trailers_len = 0;
}

/* Takes n bytes off the front of the buffer. */
static void use_buffer(struct http_conn *conn, size_t n)
{
    conn->len -= n;
    memmove(conn->buf, conn->buf + n, conn->len);
}

static bool not_written(struct http_fetch *f)
{
    return fetch_failed(f, GET_WRITE, "Failure writing output to destination");
}

/* --- heads ----------------------------------------------------------------------- */

/* What came is no head of ours; told as curl tells it. */
static bool not_a_head(struct http_fetch *f, int code)
{
    bool http = f->conn->len >= 5 && memcmp(f->conn->buf, "HTTP/", 5) == 0;

    if (code == GET_LARGE || code == GET_RECEIVE)
        return fetch_failed(f, code, "Too large response headers");
    /* One who has spoken HTTP before does not begin to speak something else. */
    if (code == GET_UNSUPPORTED && !http && (f->interim || f->conn->answers > 0))
        return fetch_failed(f, GET_WEIRD, "Invalid status line");
    if (code == GET_UNSUPPORTED && !http)
        return fetch_failed(f, code, "Received HTTP/0.9 when not allowed");
    if (code == GET_UNSUPPORTED)
        return fetch_failed(f, code, "Unsupported HTTP version or status in response");
    fetch_failed(f, code, "Weird server reply");
    return fetch_because(f, "what came is no HTTP/1 response", "");
}

/* Shows a head to whoever wants it, and takes it off the buffer. */
static bool take_head(struct http_fetch *f, size_t n)
{
    const struct tapir_http_options *o = &f->client->options;
    bool written = true;

    fetch_say_head(f, '<', f->conn->buf, n);
    if (o->head_in && !f->before.head)
        written = o->head_in(o->ctx, f->conn->buf, n);
    use_buffer(f->conn, n);
    f->seen = 0;
    f->result->heads += n;
    return written || not_written(f);
}

static bool same_value(const struct http_field *a, const struct http_field *b)
{
    return a->value.len == b->value.len &&
           memcmp(a->value.at, b->value.at, a->value.len) == 0;
}

/* The Location that counts: an empty one is none. NULL: there is none, or (*fault)
 * another one says something else. */
static const struct http_field *only_location(const struct http_head *head,
                                              const struct http_field **fault)
{
    const struct http_field *l = NULL, *first = NULL;

    while ((l = http_next_field(head, "Location", l))) {
        if (l->value.len == 0)
            continue;
        if (first && !same_value(l, first)) {
            *fault = l;
            return NULL;
        }
        first = l;
    }
    return first;
}

/* RFC 9110 s15.4: not 304 to 306, which are something else or nothing any more. */
static bool leads_on(int status)
{
    return status >= 300 && status <= 399 && (status < 304 || status > 306);
}

/* RFC 9110 s15.4: Location, resolved against our URL (s10.2.2). */
static void note_location(struct http_fetch *f, const struct http_head *head,
                          const struct http_field **fault)
{
    const struct http_field *l = only_location(head, fault);
    struct http_slice base = slice_of(f->text);
    struct text t;
    size_t room;

    if (!l || !leads_on(head->status))
        return;
    room = 3 * (base.len + l->value.len) + 16;
    f->location = malloc(room);
    if (!f->location)
        return;
    text_init(&t, f->location, room);
    http_resolve(&t, base, l->value);
}

/* Retry-After (RFC 9110 s10.2.3): seconds; a date is taken against the answer's own. */
static int64_t retry_after(const struct http_head *head)
{
    struct http_slice value = http_single_field(head, "Retry-After");
    uint64_t seconds = 0;
    int64_t at, now;

    if (slice_number(value, &seconds))
        return (int64_t)(seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) *
               USEC_PER_SEC;
    if (!http_date_parse(http_single_field(head, "Date"), 0, &now) ||
        !http_date_parse(value, now, &at) || at <= now)
        return 0;
    return usec_min(at - now, RETRY_AFTER_MAX) * USEC_PER_SEC;
}

static void note_head(struct http_fetch *f, const struct http_head *head)
{
    struct tapir_http_result *r = f->result;
    const struct http_field *type = http_next_field(head, "Content-Type", NULL);
    struct text t;

    r->status = head->status;
    r->minor = head->minor;
    r->fields = (unsigned)head->n_fields;
    r->retry_after = retry_after(head);
    r->type = type ? f->client->type : NULL;
    text_init(&t, f->client->type, sizeof f->client->type);
    if (type)
        text_putn(&t, type->value.at, type->value.len);
    f->persists = http_persists(head);
    /* RFC 9112 s9.3: a server that was asked as HTTP/1.0 must say so itself. */
    if (f->http10)
        f->persists = f->persists && http_has_token(head, "Connection", "keep-alive");
    /* Who answers as HTTP/1.0 is asked so from now on. */
    f->http10 |= head->minor == 0;
    f->conn->http10 |= head->minor == 0;
}

/* Does a Content-Range begin at that byte? Servers leave out the unit, or the end. */
static bool begins_at(struct http_slice range, uint64_t from)
{
    uint64_t first;
    size_t n = 0;

    while (range.len > 0 && !is_digit(range.at[0]))
        range = slice_from(range, 1);
    while (n < range.len && is_digit(range.at[n]))
        n++;
    return slice_number(slice_first(range, n), &first) && first == from;
}

/* A file is resumed: do the bytes that come belong where it ends (RFC 9110 s14.4)? */
static bool check_resumed(struct http_fetch *f, const struct http_head *head)
{
    uint64_t from = f->client->options.resume;

    if (from == 0 || f->swallow || strcmp(f->method, "GET") != 0)
        return true;
    /* All of it is there already: the size tells, or there are no bytes from there. */
    if (head->status == 416 ||
        (head->status == 200 && f->body.framing == HTTP_BODY_LENGTH &&
         f->body.left == from)) {
        f->swallow = true;
        return true;
    }
    if (begins_at(http_single_field(head, "Content-Range"), from))
        return true;
    fetch_failed(f, GET_RANGE,
                 "HTTP server doesn't seem to support byte ranges. Cannot resume.");
    return fetch_because(f, "the answer does not begin at the byte that was asked for",
                         "leave -C away to fetch all of it");
}

/* The body's framing and Location. A field that contradicts itself is *fault. */
static bool frame(struct http_fetch *f, const struct http_head *head,
                  const struct http_field **fault)
{
    bool to_head = strcmp(f->method, "HEAD") == 0 || f->client->options.head;
    int err = http_response_body(head, &http_response_limits, to_head, &f->body);

    *fault = f->body.fault;
    if (err == -GET_CODING) {
        fetch_failed(f, GET_CODING, "Unsupported transfer encoding");
        return fetch_because(f, "a transfer coding other than chunked, unasked", "");
    }
    if (err < 0)
        return fetch_failed(f, GET_WEIRD, "Weird server reply: Content-Length");
    *fault = NULL;
    if (f->client->options.ignore_length && f->body.framing == HTTP_BODY_LENGTH) {
        f->body.framing = HTTP_BODY_CLOSE;
        f->persists = false;
    }
    note_location(f, head, fault);
    return !*fault || fetch_failed(f, GET_WEIRD, "Weird server reply: two Locations");
}

/* A date whose day of the week need not be right. */
static bool read_date(struct http_slice value, int64_t *out)
{
    struct tm tm = { .tm_sec = 0 };
    char text[40];

    if (!value.at || value.len >= sizeof text)
        return false;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    if (!strptime(text, "%a, %d %b %Y %H:%M:%S", &tm))
        return http_date_parse(value, 0, out);
    *out = timegm(&tm);
    return true;
}

/* Is the body not wanted: not newer, or not older, than a date (RFC 9110 s13.1.3)? A
 * server that does not know conditions sends it all the same. */
static bool is_unwanted(const struct http_fetch *f, const struct http_head *head)
{
    const struct tapir_http_options *o = &f->client->options;
    int64_t modified;

    if (!o->time_cond || head->status != 200 ||
        !read_date(http_single_field(head, "Last-Modified"), &modified))
        return false;
    return o->older ? modified >= o->time_cond : modified <= o->time_cond;
}

static bool check_size(struct http_fetch *f)
{
    uint64_t most = f->client->options.max_size;
    bool known = f->body.framing == HTTP_BODY_LENGTH && !f->swallow;

    /* A length that no number here holds is the body's `fault`. */
    if (!most || !(known ? f->body.left > most : f->body.fault != NULL))
        return true;
    fetch_failed(f, GET_SIZE, "Maximum file size exceeded");
    return fetch_because(f, "the answer is longer", "allow more with --max-filesize");
}

/* What both answers must agree on, where one is the other's rest. A length or a
 * validator has to be among it; a weak one does not speak of bytes (RFC 9110 s8.8.1).
 */
static void identify(struct http_fetch *f, const struct http_head *head)
{
    static const char *const names[] = { "Content-Length", "ETag", "Last-Modified" };
    bool known = false;
    struct text t;

    text_init(&t, f->identity, sizeof f->identity);
    text_u64(&t, (uint64_t)head->status);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct http_slice value = http_single_field(head, names[i]);
        text_char(&t, '\n');
        text_putn(&t, value.at, value.len);
        known |= value.len > 0 && value.at[0] != 'W';
    }
    if (!known || t.cut)
        f->identity[0] = '\0';
}

static bool check_identity(struct http_fetch *f, const struct http_head *head)
{
    identify(f, head);
    if (!f->before.head || strcmp(f->identity, f->before.identity) == 0)
        return true;
    fetch_failed(f, f->before.code, "transfer closed, and then answered differently");
    return fetch_because(f, "the answer was cut, and asked once more it is another one",
                         "");
}

/* -f. Where other answers come behind it, a short body is read to its end. */
static bool refuse(struct http_fetch *f, int status)
{
    fetch_failed(f, GET_STATUS, "The requested URL returned error: %d", status);
    f->swallow = true;
    return f->ahead && f->body.framing == HTTP_BODY_LENGTH && f->body.left <= DRAIN_MAX;
}

/* The final head: what it says about the rest. */
static bool understand(struct http_fetch *f, const struct http_head *head,
                       const struct http_field **fault)
{
    const struct tapir_http_options *o = &f->client->options;

    if (head->status == 101)
        return fetch_failed(f, GET_WEIRD, "Weird server reply: 101 was not asked for");
    if (!frame(f, head, fault) || !check_identity(f, head))
        return false;
    /* RFC 9110 s15.5.18: the server has none of the body yet. */
    f->refused = head->status == 417 && f->expects && f->out->waits;
    f->swallow = (o->follow && f->location) || f->refused;
    if (is_unwanted(f, head)) {
        fetch_say(f, '*', "The body is not what -z asks for");
        f->swallow = true;
        f->result->status = 304;
    }
    if (o->fail && head->status >= 400 && !(o->resume && head->status == 416))
        return refuse(f, head->status);
    return check_resumed(f, head) && check_size(f);
}

/* RFC 9110 s15.2: answers 1xx may come first, any number; they are not the answer. */
static bool take_interim(struct http_fetch *f, int status)
{
    if (status == 100)
        f->out->waits = false;
    if (++f->interim > INTERIM_MAX)
        return fetch_failed(f, GET_WEIRD, "Weird server reply: 1xx without end");
    return true;
}

/* RFC 9110 s15.5.9: a 408 that closes a kept connection was said before our request
 * came; that request is lost. */
static bool is_late(const struct http_fetch *f, const struct http_head *head)
{
    return head->status == 408 && !http_persists(head) && f->conn->answers > 0 &&
           fetch_is_safe(f);
}

/* One head, if all of it is there. */
static bool read_head(struct http_fetch *f, bool *more)
{
    struct http_conn *conn = f->conn;
    const struct http_field *fault = NULL;
    struct http_head head;
    bool ok;
    int n = http_parse_response(conn->buf, &conn->len, f->seen, &http_response_limits,
                                &head);

    *more = n != -EAGAIN;
    if (n == -EAGAIN) {
        f->seen = conn->len;
        return true;
    }
    if (n > 0 && f->result->heads + (size_t)n > HEADS_MAX)
        n = -GET_RECEIVE;
    if (n < 0) {
        not_a_head(f, -n);
        if (head.faulty)
            take_head(f, (size_t)(head.faulty - conn->buf));
        return false;
    }
    if (is_late(f, &head)) {
        f->lost = true;
        return fetch_failed(f, GET_EMPTY, "Empty reply from server");
    }
    note_head(f, &head);
    if (head.status < 200 && head.status != 101)
        return take_head(f, (size_t)n) && take_interim(f, head.status);
    ok = understand(f, &head, &fault);
    /* Of a head that contradicts itself, what stands before that is shown. */
    if (!take_head(f, fault ? (size_t)(fault->name.at - conn->buf) : (size_t)n) || !ok)
        return false;
    f->head_told = true;
    f->phase = http_body_done(&f->body) ? ANSWER_DONE : ANSWER_BODY;
    /* Where the connection ends anyhow, nobody waits for a body that nobody wants. */
    if (f->swallow && !f->persists)
        f->phase = ANSWER_DONE;
    return true;
}

/* --- bodies ---------------------------------------------------------------------- */

/* --- trailers: fields that are shown like those of a head, and that mean nothing ---
 */

static bool keep_trailers(struct http_fetch *f, const char *at, size_t len)
{
    char *all = realloc(f->trailers, f->trailers_len + len);

    if (!all)
        return fetch_failed(f, GET_MEMORY, "Out of memory");
    memcpy(all + f->trailers_len, at, len);
    f->trailers = all;
    f->trailers_len += len;
    return true;
}

/* Whole lines, each with CR LF at its end; the empty one behind them is none. */
static bool show_trailers(struct http_fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    const char *at = f->trailers, *end = at + f->trailers_len, *lf;
    char *shown = malloc(2 * f->trailers_len + 1);
    struct text t;
    bool ok;

    if (!shown)
        return fetch_failed(f, GET_MEMORY, "Out of memory");
    text_init(&t, shown, 2 * f->trailers_len + 1);
    for (; at < end && (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1) {
        size_t n = (size_t)(lf - at) - (lf > at && lf[-1] == '\r');
        text_putn(&t, at, n);
        text_put(&t, n > 0 ? "\r\n" : "");
    }
    fetch_say_head(f, '<', shown, t.len);
    ok = t.len == 0 || !o->head_in || o->head_in(o->ctx, shown, t.len);
    free(shown);
    return ok || not_written(f);
}

static bool bad_chunk(struct http_fetch *f)
{
    if (f->body.state >= CHUNK_TRAILER)
        return fetch_failed(f, GET_WEIRD, "Weird server reply: a trailer that is none");
    return fetch_failed(f, GET_RECEIVE, "Recv failure: bad chunk in the body");
}

/* The part of it that an answer that was cut has not handed over. */
static struct http_slice unseen(const struct http_fetch *f, struct http_slice piece)
{
    uint64_t seen = f->before.body, at = f->result->body;

    if (at >= seen)
        return piece;
    return slice_from(piece, seen - at < piece.len ? (size_t)(seen - at) : piece.len);
}

/* Hands over what the buffer has of the body. */
static bool read_body(struct http_fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    struct http_conn *conn = f->conn;
    struct http_slice piece, rest;
    size_t at = 0;
    bool over;

    while (at < conn->len && !http_body_done(&f->body)) {
        bool trailers = f->body.state >= CHUNK_TRAILER;
        ssize_t n = http_body_read(&f->body, conn->buf + at, conn->len - at, &piece);
        if (n < 0)
            return bad_chunk(f);
        if (trailers && !keep_trailers(f, conn->buf + at, (size_t)n))
            return false;
        at += (size_t)n;
        if (f->swallow || piece.len == 0)
            continue;
        over = o->max_size && f->result->body + piece.len > o->max_size;
        if (over)
            piece = slice_first(piece, (size_t)(o->max_size - f->result->body));
        rest = unseen(f, piece);
        f->result->body += piece.len;
        if (o->body && rest.len > 0 && !o->body(o->ctx, rest.at, rest.len))
            return not_written(f);
        if (over)
            return fetch_failed(f, GET_SIZE, "Maximum file size exceeded");
    }
    use_buffer(conn, at);
    if (!http_body_done(&f->body))
        return true;
    f->phase = ANSWER_DONE;
    return show_trailers(f);
}

bool http_reading_take(struct http_fetch *f)
{
    bool ok = true, more = true;

    while (ok && more && f->phase == ANSWER_HEAD && f->conn->len > 0)
        ok = read_head(f, &more);
    if (ok && f->phase == ANSWER_BODY)
        ok = read_body(f);
    return ok;
}

/* --- the end of the stream ------------------------------------------------------- */

static bool head_ended(struct http_fetch *f)
{
    f->lost = !f->answered;
    f->cut = f->answered;
    if (f->send_error)
        return fetch_failed(f, GET_SEND, "Send failure: %s", strerror(-f->send_error));
    if (f->conn->len > 0) {
        fetch_failed(f, GET_PARTIAL, "transfer closed inside the head of the answer");
        return !f->ahead && take_head(f, f->conn->len) && false;
    }
    fetch_failed(f, GET_EMPTY, "Empty reply from server");
    return fetch_because(f, "it closed the connection without an answer", "");
}

bool http_reading_end(struct http_fetch *f)
{
    if (f->phase == ANSWER_HEAD)
        return head_ended(f);
    if (f->body.framing == HTTP_BODY_CLOSE || f->swallow)
        return true;
    f->cut = true;
    if (f->body.framing == HTTP_BODY_LENGTH)
        fetch_failed(f, GET_PARTIAL,
                     "transfer closed with %llu bytes remaining to read",
                     (unsigned long long)f->body.left);
    else
        fetch_failed(f, GET_PARTIAL,
                     "transfer closed with outstanding read data remaining");
    return fetch_because(
        f, "the server closed the connection in the middle of the body", "");
}

bool http_reading_anew(struct http_fetch *f)
{
    const struct tapir_http_options *o = &f->client->options;
    struct http_cut *before = &f->before;

    before->code = f->result->code;
    if (f->head_told && !(o->anew && o->anew(o->ctx))) {
        if (f->identity[0] == '\0')
            return false;
        before->head = true;
        before->body = f->result->body;
        memcpy(before->identity, f->identity, sizeof before->identity);
    }
    f->result->body = 0;
    return true;
}
