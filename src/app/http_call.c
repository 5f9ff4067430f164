/* What a handler may ask is copied when the head is there, since the input moves on:
 *
 *     room:  method NUL path NUL query NUL  name NUL value NUL  name NUL value NUL  NUL
 *
 * What it says is collected, so its status may follow its body; the head is written
 * when it is done. A body that it reads goes in pieces, each made when the one before
 * has gone (http_answer_next_part()), so a slow client costs one piece of memory:
 *
 *     piece:  | size CRLF .... | data ............ | CRLF |
 *                   ^ right-aligned, so that a chunk is one piece
 *
 * The echo path is a handler like others. */
#include "app/http_call.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/http_reply.h"
#include "base/bytes.h"
#include "base/list.h"
#include "base/text.h"
#include "http/http_char.h"
#include "http/http_write.h"

enum {
    BUFFER_FIRST = 4096, /* first size of a buffer; doubles */
    PIECE = 16384,       /* bytes that are read at once */
    SIZE_ROOM = 24,      /* for a chunk's size and CRLF, in front of its data */
    END_ROOM = 8,        /* for what ends it and all */
};

struct buffer {
    char *at;   /* owned; NULL: nothing */
    size_t len; /* bytes in it */
    size_t cap; /* its room */
};

struct http_call {
    struct tapir_http_call face; /* what the handler sees */
    const struct tapir_http_handler *handler;
    struct buffer came;   /* the request's body */
    struct buffer fields; /* lines that the handler said */
    struct buffer said;   /* the answer's body, or its beginning */
    size_t said_sent;     /* bytes of it in pieces already */
    bool failed;          /* something could not be said */
    bool streams;         /* pieces are still to come */
    bool chunked;         /* each is a chunk */
    uint64_t left;        /* bytes that read() has still to give; UINT64_MAX: until 0 */
    char *piece;          /* owned; NULL: nothing was read yet */
    const char *first_field; /* in room */
    char room[];
};

static struct http_call *call_of(const struct tapir_http_call *face)
{
    return list_entry((struct tapir_http_call *)(uintptr_t)face, struct http_call,
                      face);
}

static bool append(struct buffer *b, const void *at, size_t len)
{
    size_t cap = b->cap ? b->cap : BUFFER_FIRST;
    char *grown = b->at;

    while (cap - b->len < len)
        cap *= 2;
    if (cap != b->cap)
        grown = realloc(b->at, cap);
    if (!grown)
        return false;
    b->at = grown;
    b->cap = cap;
    if (len > 0)
        memcpy(b->at + b->len, at, len);
    b->len += len;
    return true;
}

/* --- the echo path --------------------------------------------------------------- */

static void echo(struct tapir_http_call *call)
{
    const char *type = tapir_http_field(call, "Content-Type", 0);

    /* RFC 9110 s15.5.12: what comes back is a body, so there should be one. */
    if (!tapir_http_field(call, "Content-Length", 0) &&
        !tapir_http_field(call, "Transfer-Encoding", 0)) {
        call->status = 411;
        return;
    }
    call->type = type && *type ? type : "application/octet-stream";
    tapir_http_say(call, call->body, call->body_len);
}

static const struct tapir_http_handler echo_handler = { .methods = "POST, PUT",
                                                        .answer = echo };

/* --- which handler --------------------------------------------------------------- */

/* The target's path as a handler sees it, at most PATH_MAX characters and a NUL. False:
 * it has none that a handler could have. */
static bool plain_path(const struct http_target *target, char *out)
{
    bool slash;
    size_t len;

    out[0] = '/';
    if (target->path.len == 0 ||
        http_decode_path(target->path, out + 1, PATH_MAX - 1, &slash) < 0)
        return false;
    len = strlen(out);
    if (slash && len > 1)
        memcpy(out + len, "/", 2);
    return true;
}

static bool has_path(const struct tapir_http_handler *h, const char *path)
{
    size_t len = strlen(h->path);

    if (len > 0 && h->path[len - 1] == '/')
        return strncmp(path, h->path, len) == 0;
    return strcmp(path, h->path) == 0;
}

const struct tapir_http_handler *http_call_handler(const struct http_site *site,
                                                   const struct http_target *target)
{
    char path[PATH_MAX + 1];

    if ((!site->echo && site->n_handlers == 0) || !plain_path(target, path))
        return NULL;
    for (size_t i = 0; i < site->n_handlers; i++)
        if (has_path(&site->handlers[i], path))
            return &site->handlers[i];
    return site->echo && strcmp(path, site->echo) == 0 ? &echo_handler : NULL;
}

static bool has_method(const struct tapir_http_handler *h, struct http_slice method)
{
    struct http_slice rest = slice_of(h->methods ? h->methods : "GET"), element;

    while (slice_next_element(&rest, &element)) {
        if (element.len == method.len && memcmp(element.at, method.at, method.len) == 0)
            return true;
        if (slice_is(element, "GET") && slice_is(method, "HEAD"))
            return true;
    }
    return false;
}

/* --- beginning and end ----------------------------------------------------------- */

/* Copies a slice and a NUL to *at, and moves that on. */
static const char *copy(struct http_slice s, char **at)
{
    char *copied = *at;

    if (s.len > 0)
        memcpy(copied, s.at, s.len);
    copied[s.len] = '\0';
    *at += s.len + 1;
    return copied;
}

static size_t copied_size(const struct http_head *head,
                          const struct http_target *target, const char *path)
{
    size_t n = head->method.len + strlen(path) + target->query.len + 4;

    for (size_t i = 0; i < head->n_fields; i++)
        n += head->field[i].name.len + head->field[i].value.len + 2;
    return n;
}

static void copy_request(struct http_call *c, const struct http_head *head,
                         const struct http_target *target, const char *path)
{
    char *at = c->room;

    c->face.method = copy(head->method, &at);
    c->face.path = copy(slice_of(path), &at);
    if (target->query.len > 0)
        c->face.query = copy(slice_from(target->query, 1), &at);
    c->first_field = at;
    for (size_t i = 0; i < head->n_fields; i++) {
        copy(head->field[i].name, &at);
        copy(head->field[i].value, &at);
    }
    *at = '\0';
}

int http_call_new(const struct http_site *site, const struct http_head *head,
                  const struct http_target *target, struct http_call **call)
{
    const struct tapir_http_handler *h = http_call_handler(site, target);
    char path[PATH_MAX + 1];
    struct http_call *c;

    if (!h || !has_method(h, head->method) || !plain_path(target, path))
        return -ENOENT;
    c = malloc(sizeof *c + copied_size(head, target, path));
    if (!c)
        return -ENOMEM;
    memset(c, 0, sizeof *c);
    c->handler = h;
    c->face.ctx = h->ctx;
    copy_request(c, head, target, path);
    *call = c;
    return 0;
}

void http_call_free(struct http_call *c)
{
    if (!c)
        return;
    if (c->handler->done)
        c->handler->done(&c->face);
    free(c->came.at);
    free(c->fields.at);
    free(c->said.at);
    free(c->piece);
    free(c);
}

int http_call_take(struct http_call *c, struct http_slice data)
{
    int status;

    if (!c->handler->body)
        return append(&c->came, data.at, data.len) ? 0 : -503;
    if (c->handler->body(&c->face, data.at, data.len))
        return 0;
    status = c->face.status;
    return status >= 400 && status <= 599 ? -status : -413;
}

/* --- what a handler says --------------------------------------------------------- */

const char *tapir_http_field(const struct tapir_http_call *call, const char *name,
                             size_t i)
{
    const char *at = call_of(call)->first_field;

    while (*at) {
        const char *value = at + strlen(at) + 1;
        if (slice_is_nocase(slice_of(at), name) && i-- == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = { "Content-Length", "Transfer-Encoding",
                                        "Connection", "Date", "Server" };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (slice_is_nocase(slice_of(name), ours[i]))
            return true;
    return false;
}

static bool is_field(const char *name, const char *value)
{
    const char *at = name;

    while (is_tchar(*at))
        at++;
    if (at == name || *at || is_ours(name))
        return false;
    while (*value && (!is_control(*value) || *value == '\t'))
        value++;
    return !*value;
}

bool tapir_http_say_field(struct tapir_http_call *call, const char *name,
                          const char *value)
{
    struct http_call *c = call_of(call);
    bool said = is_field(name, value) && append(&c->fields, name, strlen(name)) &&
                append(&c->fields, ": ", 2) &&
                append(&c->fields, value, strlen(value)) &&
                append(&c->fields, "\r\n", 2);

    c->failed |= !said;
    return said;
}

bool tapir_http_say(struct tapir_http_call *call, const void *at, size_t len)
{
    struct http_call *c = call_of(call);
    bool said = append(&c->said, at, len);

    c->failed |= !said;
    return said;
}

/* --- the answer ------------------------------------------------------------------ */

/* Reads up to PIECE bytes of what is still to be sent. 0: that was all; -1: it cannot
 * be given. */
static ssize_t read_piece(struct http_call *c, char *at)
{
    size_t room = min_size(PIECE, c->said.len - c->said_sent);
    ssize_t n;

    if (room > 0) {
        memcpy(at, c->said.at + c->said_sent, room);
        c->said_sent += room;
        return (ssize_t)room;
    }
    if (c->left == 0)
        return 0;
    room = c->left < PIECE ? (size_t)c->left : PIECE;
    n = c->face.read(&c->face, at, room);
    if (n < 0 || n > (ssize_t)room || (n == 0 && c->left != UINT64_MAX))
        return -1;
    if (c->left != UINT64_MAX)
        c->left -= (uint64_t)n;
    return n;
}

/* The next piece as it is sent; false: it cannot be given. Nothing: that was all. */
static bool next_piece(struct http_call *c, struct http_slice *out)
{
    char size[SIZE_ROOM], *data;
    struct text t;
    ssize_t n;

    if (!c->piece)
        c->piece = malloc(SIZE_ROOM + PIECE + END_ROOM);
    if (!c->piece)
        return false;
    data = c->piece + SIZE_ROOM;
    n = read_piece(c, data);
    *out = (struct http_slice){ data, n > 0 ? (size_t)n : 0 };
    c->streams = n > 0;
    if (n < 0 || !c->chunked)
        return n >= 0;
    text_init(&t, size, sizeof size);
    if (n == 0) {
        http_write_last_chunk(&t);
        memcpy(data, size, t.len);
        out->len = t.len;
        return true;
    }
    http_write_chunk(&t, (uint64_t)n);
    memcpy(data - t.len, size, t.len);
    memcpy(data + n, "\r\n", 2);
    *out = (struct http_slice){ data - t.len, t.len + (size_t)n + 2 };
    return true;
}

bool http_call_next(struct http_session *s)
{
    struct http_slice piece;

    if (!s->call->streams)
        return false;
    s->out_len = s->out_sent = 0;
    if (!next_piece(s->call, &piece))
        return true;
    if (piece.len == 0)
        return false;
    http_reply_put(s, piece.at, piece.len);
    return s->out != NULL;
}

/* How long the body is, or what tells its end. */
static void frame(struct http_session *s, struct answer *a)
{
    struct http_call *c = s->call;
    bool known = !c->face.read || c->face.length > 0;

    a->length = c->said.len + (c->face.read ? c->face.length : 0);
    a->chunked = c->chunked = !known && s->minor > 0;
    a->until_close = !known && s->minor == 0; /* RFC 9112 s6.3, case 8 */
    c->left = known ? a->length - c->said.len : UINT64_MAX;
    if (a->until_close && !s->last) {
        s->last = true;
        s->why = "no length";
    }
}

static void answer_said(struct http_session *s, struct answer *a)
{
    struct http_call *c = s->call;
    struct http_slice first = { c->said.at, c->said.len };
    bool empty = a->status == 204 || a->status == 304;

    frame(s, a);
    if (empty) {
        a->length = first.len = 0;
        a->chunked = a->until_close = false;
    } else if (c->face.read && !s->to_head && !next_piece(c, &first)) {
        http_reply_status(s, 500);
        return;
    }
    http_reply_make(s, a, first);
}

void http_call_answer(struct http_session *s)
{
    struct http_call *c = s->call;
    struct answer a = { .status = 200 };

    c->face.body = c->came.at;
    c->face.body_len = c->came.len;
    c->handler->answer(&c->face);
    if (c->face.status)
        a.status = c->face.status;
    if (c->failed || a.status < 200 || a.status > 599 || !append(&c->fields, "", 1)) {
        http_reply_status(s, 500);
        return;
    }
    a.type = c->face.type;
    a.fields = c->fields.at;
    if (a.status >= 400 && c->said.len == 0 && !c->face.read)
        http_reply_page(s, &a);
    else
        answer_said(s, &a);
}
