/* The heads go first. A body that lies ready is one piece; one that is read comes in
 * pieces of 64 KiB, each of them a chunk if its length is not known:
 *
 *     room:  | size CRLF .... | data ............ | CRLF |
 *                   ^ right-aligned, so that the chunk is one piece */
#include "app/http_sending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/http_request.h"
#include "base/bytes.h"
#include "http/http_write.h"

enum {
    SIZE_ROOM = 24, /* for a chunk's size and CRLF, in front of its data */
    END_ROOM = 16,  /* for what ends it and all */
};

/* Makes a chunk of the n bytes that were read; of none, the end. */
static void wrap(struct http_sending *s, size_t n)
{
    char size[SIZE_ROOM];
    char *data = s->room + SIZE_ROOM;
    struct text t;

    text_init(&t, size, sizeof size);
    http_write_chunk(&t, n);
    memcpy(data - t.len, size, t.len);
    memcpy(data + n, "\r\n", 2);
    s->piece = (struct http_slice){ data - t.len, t.len + n + 2 };
}

/* A body that lies ready: one piece, or one chunk and the end. */
static int take_data(struct http_sending *s, const struct tapir_http_options *o)
{
    struct text t;

    s->piece = (struct http_slice){ o->data, o->data_len };
    if (!s->chunked)
        return 0;
    s->room = malloc(SIZE_ROOM + o->data_len + END_ROOM);
    if (!s->room)
        return -ENOMEM;
    memcpy(s->room + SIZE_ROOM, o->data, o->data_len);
    wrap(s, o->data_len);
    if (o->data_len == 0)
        return 0;
    text_init(&t, s->room + SIZE_ROOM + o->data_len + 2, END_ROOM - 2);
    http_write_last_chunk(&t);
    s->piece.len += t.len;
    return 0;
}

/* Is the last piece of a body the last? */
static void check_end(struct http_sending *s)
{
    if (s->piece.len == 0 && (!s->source->upload || (!s->chunked && s->left == 0)))
        s->ended = true;
}

int http_sending_begin(struct http_sending *s, const struct tapir_http_options *o,
                       char *heads, size_t len, bool body)
{
    *s = (struct http_sending){ .heads = heads, .heads_len = len, .source = o };
    s->ended = !body;
    if (s->ended)
        return 0;
    s->chunked = http_request_is_chunked(o);
    if (!o->upload) {
        int err = take_data(s, o);
        check_end(s);
        return err;
    }
    s->left = s->chunked ? UINT64_MAX : o->upload_len;
    check_end(s);
    s->room = malloc(SIZE_ROOM + SENDING_PIECE + END_ROOM);
    return s->room ? 0 : -ENOMEM;
}

int http_sending_add(struct http_sending *s, const char *head, size_t len)
{
    size_t left = s->heads_len - s->heads_sent;
    char *heads = malloc(left + len);

    if (!heads)
        return -ENOMEM;
    if (left > 0)
        memcpy(heads, s->heads + s->heads_sent, left);
    memcpy(heads + left, head, len);
    free(s->heads);
    s->heads = heads;
    s->heads_len = left + len;
    s->heads_sent = 0;
    return 0;
}

/* The next piece of a body that is read. */
static int read_piece(struct http_sending *s)
{
    const struct tapir_http_options *o = s->source;
    size_t room = SENDING_PIECE;
    ssize_t n;

    if (s->left < room)
        room = (size_t)s->left;
    n = room ? o->read(o->ctx, s->room + SIZE_ROOM, room) : 0;
    bool promised = !s->chunked && o->upload_len < UINT64_MAX;
    /* One that is shorter than was promised would leave the server waiting. */
    if (n < 0 || (n == 0 && promised && s->left > 0))
        return -EIO;
    s->ended = n == 0;
    if (s->chunked)
        wrap(s, (size_t)n);
    else
        s->piece = (struct http_slice){ s->room + SIZE_ROOM, (size_t)n };
    if (!s->chunked)
        s->left -= (uint64_t)n;
    return 0;
}

int http_sending_next(struct http_sending *s, struct http_slice *out)
{
    int err = 0;

    *out = (struct http_slice){ NULL, 0 };
    if (s->heads_sent < s->heads_len) {
        out->at = s->heads + s->heads_sent;
        out->len = s->heads_len - s->heads_sent;
        return 0;
    }
    if (s->waits)
        return 0;
    if (s->piece.len == 0 && !s->ended && s->source->upload)
        err = read_piece(s);
    *out = s->piece;
    return err;
}

void http_sending_went(struct http_sending *s, size_t n)
{
    if (s->heads_sent < s->heads_len) {
        s->heads_sent += n;
        return;
    }
    s->body_sent += n;
    s->piece = slice_from(s->piece, n);
    check_end(s);
}

bool http_sending_done(const struct http_sending *s)
{
    return s->heads_sent == s->heads_len && s->ended && s->piece.len == 0;
}

void http_sending_free(struct http_sending *s)
{
    free(s->heads);
    free(s->room);
    s->heads = s->room = NULL;
}
