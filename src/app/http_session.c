/* The conversation
 * ----------------
 *
 *            +--------------------- keep-alive -----------------------+
 *            v                                                        |
 *     SESSION_HEAD --head--> SESSION_BODY --body gone--> SESSION_ANSWER -->
 * SESSION_OVER |                                              ^
 *            +------------ bad, too long, too late ---------+   (then it is the last)
 *
 * The answer is made when the head is there, and sent when the request's body is out of
 * the way: a client that sends a body need not read before it is done. One answer at a
 * time: requests that come meanwhile (pipelining) wait in the input, so answers are in
 * order and a client cannot make the server hold more than one of them.
 *
 * Memory: a conversation that waits holds no buffer. Input arrives in the one that all
 * share, and mostly is used up there; what is left of it (half a head, the next
 * request) gets memory of its own. An answer's head is kept only while it is sent; a
 * file is read piece by piece into the server's one buffer when the socket has room, so
 * a slow client costs a descriptor and a few words, no copy of the file. A small one is
 * a part of the answer when its bytes are at hand (http_cache.h). */
#include "app/http_session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "http/http_mime.h"
#include "http/http_target.h"
#include "http/http_uri.h"
#include "http/http_write.h"

enum {
    IN_FIRST = 2048,           /* first size of a buffer of one's own; doubles */
    OUT_ROOM = 1536,           /* an answer's head and page, without a location */
    PAGE_ROOM = 512,           /* an error page */
    DISCARD_MAX = 1024 * 1024, /* bytes of a request body thrown away to keep going */
};

/* What an answer is made of. */
struct answer {
    int status;
    const char *type;        /* Content-Type */
    uint64_t length;         /* Content-Length */
    int64_t mtime;           /* Last-Modified; negative: none */
    const char *name;        /* 301: the directory's name */
    struct http_slice query; /* 301: what followed its path */
};

void http_session_init(struct http_session *s)
{
    *s = (struct http_session){ .file = -1 };
}

static void close_file(struct http_session *s)
{
    if (s->file >= 0)
        close(s->file);
    s->file = -1;
    s->file_left = 0;
}

static void drop_answer(struct http_session *s)
{
    close_file(s);
    free(s->out);
    s->out = NULL;
    s->out_len = s->out_sent = 0;
}

void http_session_free(struct http_session *s)
{
    drop_answer(s);
    free(s->in);
    s->in = NULL;
}

/* --- input ----------------------------------------------------------------------- */

char *http_session_room(struct http_session *s, struct http_site *site, size_t *room)
{
    if (!s->in) {
        *room = sizeof site->input;
        return site->input;
    }
    if (s->in_len == s->in_cap) {
        char *in = realloc(s->in, 2 * s->in_cap);
        if (!in)
            return NULL;
        s->in = in;
        s->in_cap *= 2;
    }
    *room = s->in_cap - s->in_len;
    return s->in + s->in_len;
}

/* Input has come, where http_session_room() said. */
static void take_input(struct http_session *s, struct http_site *site, size_t n)
{
    if (!s->in && n > 0) {
        s->in = site->input;
        s->in_cap = sizeof site->input;
    }
    s->in_len += n;
}

/* Takes n bytes off the front of the input. */
static void use_input(struct http_session *s, size_t n)
{
    s->in_len -= n;
    s->in_seen = 0;
    if (n > 0 && s->in_len > 0)
        memmove(s->in, s->in + n, s->in_len);
}

static void give_up_input(struct http_session *s)
{
    s->in_len = s->in_seen = 0;
    s->last = true;
    if (s->state != SESSION_ANSWER)
        s->state = SESSION_OVER;
}

/* Copies what is left in the shared buffer. Without memory the connection is not read
 * on. */
static void move_out(struct http_session *s)
{
    size_t cap = IN_FIRST;
    char *in;

    while (cap <= s->in_len)
        cap *= 2;
    in = malloc(cap);
    if (in)
        memcpy(in, s->in, s->in_len);
    else
        give_up_input(s);
    s->in = in;
    s->in_cap = in ? cap : 0;
}

/* A conversation that waits holds no buffer, and none the shared one. */
static void settle_input(struct http_session *s, const struct http_site *site)
{
    bool shared = s->in == site->input;

    if (s->in_len > 0) {
        if (shared)
            move_out(s);
        return;
    }
    if (!shared)
        free(s->in);
    s->in = NULL;
    s->in_cap = 0;
}

/* --- answers --------------------------------------------------------------------- */

static void write_location(struct text *t, const struct answer *a)
{
    text_put(t, "Location: /");
    http_encode_path(t, a->name);
    if (*a->name)
        text_char(t, '/');
    http_encode_target(t, a->query);
    text_put(t, "\r\n");
}

static void write_head(struct text *t, const struct http_session *s,
                       const struct answer *a)
{
    http_write_status(t, a->status);
    http_write_date(t, "Date", s->now);
    http_write_field(t, "Server", "tapir");
    if (a->status == 405)
        http_write_field(t, "Allow", "GET, HEAD"); /* RFC 9110 s15.5.6 */
    if (a->status == 301)
        write_location(t, a);
    /* RFC 9110 s8.8.2.1: never later than Date. */
    if (a->mtime >= 0)
        http_write_date(t, "Last-Modified", a->mtime < s->now ? a->mtime : s->now);
    http_write_field(t, "Content-Type", a->type);
    http_write_number(t, "Content-Length", a->length);
    if (s->last)
        http_write_field(t, "Connection", "close"); /* RFC 9112 s9.6 */
    else if (s->minor == 0)
        http_write_field(t, "Connection", "keep-alive");
    http_write_end(t);
}

/* Makes `out` of the answer's head and, unless a HEAD is answered, its body, or
 * what of it is not read from the file later. */
static void make_answer(struct http_session *s, const struct answer *a,
                        struct http_slice body)
{
    size_t room = OUT_ROOM + body.len;
    struct text t;

    if (a->status == 301) /* each of its characters may become three */
        room += 3 * (strlen(a->name) + a->query.len);
    s->out = malloc(room);
    if (!s->out) {
        s->state = SESSION_OVER;
        return;
    }
    text_init(&t, s->out, room);
    write_head(&t, s, a);
    if (!s->to_head)
        text_putn(&t, body.at, body.len);
    s->out_len = t.len;
}

static void answer_page(struct http_session *s, struct answer *a)
{
    char page[PAGE_ROOM];
    struct text t;

    text_init(&t, page, sizeof page);
    http_write_page(&t, a->status);
    a->type = "text/html; charset=utf-8";
    a->length = t.len;
    a->mtime = -1;
    make_answer(s, a, (struct http_slice){ page, t.len });
}

static void answer_status(struct http_session *s, int status)
{
    answer_page(s, &(struct answer){ .status = status });
}

/* Refuses at once, and the connection is not read on: where the next request would
 * begin is not known, or not worth waiting for. */
static void refuse(struct http_session *s, int status)
{
    drop_answer(s);
    s->last = true;
    s->state = SESSION_ANSWER;
    answer_status(s, status);
}

static void answer_file(struct http_session *s, const char *name,
                        const struct http_file *file)
{
    struct answer a = { .status = 200,
                        .type = http_mime(name),
                        .length = file->size,
                        .mtime = file->mtime >= 0 ? file->mtime : 0 };

    s->file = file->fd;
    s->file_at = 0;
    s->file_left = s->to_head || file->text ? 0 : file->size;
    make_answer(s, &a, (struct http_slice){ file->text, file->text ? file->size : 0 });
    if (s->file_left == 0)
        close_file(s);
}

static int status_of_error(int err)
{
    switch (err) {
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
    case -EISDIR:
        return 404;
    case -EACCES:
    case -EPERM:
    case -ELOOP:
        return 403;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
        return 503;
    default:
        return 500;
    }
}

/* The name of the page that stands for a directory: 0 or -ENAMETOOLONG. */
static int add_index(char name[PATH_MAX])
{
    static const char index[] = "/index.html";
    const char *add = *name ? index : index + 1;
    size_t len = strlen(name);

    if (len + sizeof index > PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(name + len, add, strlen(add) + 1);
    return 0;
}

/* Answers with the file of that name; of a directory, with its index.html. */
static void answer_name(struct http_session *s, struct http_site *site,
                        char name[PATH_MAX], bool slash, struct http_slice query)
{
    struct http_file file;
    int err = slash ? add_index(name) : 0;

    if (err == 0)
        err = http_files_get(&site->files, name, s->now, &file);
    if (err == 0)
        answer_file(s, name, &file);
    else if (err == -EISDIR && !slash)
        answer_page(s, &(struct answer){ .status = 301, .name = name, .query = query });
    else
        answer_status(s, status_of_error(err));
}

static void answer_target(struct http_session *s, struct http_site *site,
                          const struct http_target *target)
{
    char name[PATH_MAX];
    bool slash;
    int err = http_decode_path(target->path, name, sizeof name, &slash);

    if (err < 0)
        answer_status(s, -err);
    else
        answer_name(s, site, name, slash, target->query);
}

/* RFC 9110 s9.1: 501 for a method nobody knows, 405 for one that files do not have. */
static int status_of_method(struct http_slice method)
{
    static const char *const known[] = { "POST",    "PUT",   "DELETE", "CONNECT",
                                         "OPTIONS", "TRACE", "PATCH" };

    if (slice_is(method, "GET") || slice_is(method, "HEAD"))
        return 200;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_is(method, known[i]))
            return 405;
    return 501;
}

/* --- requests -------------------------------------------------------------------- */

/* A head has come: makes the answer, and decides how the body gets out of the way. */
static void begin_request(struct http_session *s, struct http_site *site,
                          const struct http_head *head)
{
    int err = http_request_body(head, &http_request_limits, &s->body);
    struct http_target target;
    bool body = !http_body_done(&s->body);
    int status = status_of_method(head->method);

    s->minor = head->minor;
    s->to_head = slice_is(head->method, "HEAD");
    s->last = site->closing || !http_persists(head);
    s->discarded = 0;
    if (err < 0) {
        refuse(s, -err);
        return;
    }
    if (s->body.framing == HTTP_BODY_LENGTH && s->body.left > DISCARD_MAX) {
        refuse(s, 413);
        return;
    }
    s->state = body ? SESSION_BODY : SESSION_ANSWER;
    /* RFC 9110 s10.1.1: a client that asks first gets the final answer at once, and
     * need not send its body at all. */
    if (body && head->minor > 0 && http_has_token(head, "Expect", "100-continue")) {
        s->last = true;
        s->state = SESSION_ANSWER;
    }
    if (http_parse_target(head, &target) < 0)
        answer_status(s, 400);
    else if (status == 200)
        answer_target(s, site, &target);
    else
        answer_status(s, status);
}

static void count_request(struct http_session *s, struct http_site *site)
{
    s->requests++;
    site->requests++;
}

/* The client's end, where a request is awaited. */
static void end_of_input(struct http_session *s, struct http_site *site)
{
    if (s->in_len == 0) {
        s->state = SESSION_OVER;
        return;
    }
    count_request(s, site);
    refuse(s, 400); /* RFC 9112 s8: half a request */
}

static void take_head(struct http_session *s, struct http_site *site)
{
    struct http_head head;
    int n = http_parse_request(s->in, s->in_len, s->in_seen, &http_request_limits,
                               &head);

    if (n == -EAGAIN) {
        s->in_seen = s->in_len;
        if (s->eof)
            end_of_input(s, site);
        return;
    }
    count_request(s, site);
    if (n < 0) {
        refuse(s, -n);
        return;
    }
    begin_request(s, site, &head);
    use_input(s, (size_t)n);
}

static void take_body(struct http_session *s)
{
    struct http_slice data;
    size_t used = 0;

    while (used < s->in_len && !http_body_done(&s->body)) {
        ssize_t n = http_body_read(&s->body, s->in + used, s->in_len - used, &data);
        if (n < 0) {
            refuse(s, 400);
            return;
        }
        used += (size_t)n;
    }
    s->discarded += used;
    use_input(s, used);
    if (http_body_done(&s->body))
        s->state = SESSION_ANSWER;
    else if (s->discarded > DISCARD_MAX)
        refuse(s, 413);
    else if (s->eof)
        s->state = SESSION_OVER;
}

/* Takes what the input has: at most one request, since its answer comes first. */
static void advance(struct http_session *s, struct http_site *site)
{
    if (s->state == SESSION_HEAD)
        take_head(s, site);
    if (s->state == SESSION_BODY)
        take_body(s);
    settle_input(s, site);
}

void http_session_input(struct http_session *s, struct http_site *site, size_t n,
                        int64_t now)
{
    s->now = now;
    take_input(s, site, n);
    s->eof = n == 0;
    advance(s, site);
}

/* --- output ---------------------------------------------------------------------- */

ssize_t http_session_output(const struct http_session *s, char *at, size_t room)
{
    size_t head = min_size(s->out_len - s->out_sent, room);
    size_t left = room - head;
    ssize_t n = 0;

    if (head > 0)
        memcpy(at, s->out + s->out_sent, head);
    if (s->file_left < left)
        left = (size_t)s->file_left;
    if (left > 0)
        n = pread(s->file, at + head, left, (off_t)s->file_at);
    if (n < 0 || (size_t)n + head == 0)
        return -EIO;
    return n + (ssize_t)head;
}

void http_session_sent(struct http_session *s, struct http_site *site, size_t n,
                       int64_t now)
{
    size_t head = min_size(n, s->out_len - s->out_sent);

    s->now = now;
    s->out_sent += head;
    s->file_at += n - head;
    s->file_left -= n - head;
    if (s->out_sent < s->out_len || s->file_left > 0)
        return;
    drop_answer(s);
    s->state = s->last ? SESSION_OVER : SESSION_HEAD;
    s->to_head = false; /* of the next request nothing is known */
    if (s->state == SESSION_HEAD)
        advance(s, site);
}

void http_session_expire(struct http_session *s, struct http_site *site, int64_t now)
{
    bool begun = s->state == SESSION_HEAD && s->in_len > 0;

    s->now = now;
    if (begun)
        count_request(s, site);
    if (begun || s->state == SESSION_BODY)
        refuse(s, 408);
    else
        s->state = SESSION_OVER;
}
