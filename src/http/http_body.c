/* The length of a message
 * -----------------------
 *
 * RFC 9112 s6.3 lists the cases in order; deciding wrongly means that the end of one
 * message is read as the beginning of the next, so a request whose length can be read
 * in two ways is refused. A response is read as far as it can be, and the connection
 * closed behind it (`faulty`).
 *
 * Chunks are taken apart one byte at a time but for the data itself, which is handed
 * out in place, so any split of the stream gives the same body:
 *
 *     SIZE -> BLANK -> EXT -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *       \______________/       \
 *                               size 0: TRAILER -> NAME -> VALUE -> TRAILER_LF ->
 * TRAILER
 *                                          \-> END_LF -> DONE
 *
 * Extensions and trailers are skipped, and bounded: they carry nothing for us. What is
 * skipped is looked at all the same: a trailer that is no field, or a CR inside an
 * extension, is where another reader would see the body's end elsewhere. In a response
 * a bare LF ends a line, as it does in its head. */
#include "http/http_body.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "http/http_char.h"
#include "http/http_fail.h"

enum { SIZE_DIGITS = 16 }; /* of a chunk; some readers wrap behind them, zeros or not */

static bool has_digits_alone(struct http_slice s)
{
    size_t n = 0;

    while (n < s.len && is_digit(s.at[n]))
        n++;
    return n > 0 && n == s.len;
}

/* Content-Length: 1 and *length; 0 when there is none; -ERANGE when it is beyond 64
 * bits; -EBADMSG when it is no number, or several that differ (RFC 9112 s6.3, case 5),
 * with body->fault. */
static int content_length(const struct http_head *head, struct http_body *body)
{
    const struct http_field *f = NULL;
    struct http_slice rest, item;
    uint64_t n;
    int found = 0;

    while ((f = http_next_field(head, "Content-Length", f))) {
        rest = f->value;
        body->fault = f;
        while (slice_next_item(&rest, &item)) {
            if (!slice_number(item, &n))
                return has_digits_alone(item) ? -ERANGE : -EBADMSG;
            if (found && n != body->left)
                return -EBADMSG;
            body->left = n;
            found = 1;
        }
    }
    body->fault = NULL;
    return found;
}

/* Transfer-Encoding: 1 when it ends in chunked; 0 when there is none; -EBADMSG when it
 * says something else, or chunked twice; -ENOTSUP when chunked is not all of it.
 * Unless `strict`, "identity", which was a coding once and means none (RFC 2616 s3.6),
 * is skipped, and chunked twice is once. */
static int transfer_coding(const struct http_head *head, bool strict)
{
    const struct http_field *f = NULL;
    struct http_slice rest, item;
    int chunked = 0, other = 0;

    while ((f = http_next_field(head, "Transfer-Encoding", f))) {
        rest = f->value;
        while (slice_next_item(&rest, &item)) {
            if (!strict && !chunked && slice_is_nocase(item, "identity"))
                continue;
            if (!strict && chunked && slice_is_nocase(item, "chunked"))
                continue;
            if (chunked || item.len == 0)
                return -EBADMSG;
            chunked = slice_is_nocase(item, "chunked");
            other |= !chunked;
        }
    }
    if (chunked && other)
        return -ENOTSUP;
    return other ? -EBADMSG : chunked;
}

static void begin(struct http_body *body, const struct http_limits *limits, bool strict)
{
    *body = (struct http_body){ .limits = limits, .strict = strict };
}

int http_request_body(const struct http_head *head, const struct http_limits *limits,
                      struct http_body *body)
{
    int coding = transfer_coding(head, true);
    int length;

    begin(body, limits, true);
    length = content_length(head, body);
    /* RFC 9112 s6.3, case 4: a coding that does not end in chunked has no length. */
    if (length < 0 || coding == -EBADMSG)
        return -400;
    /* RFC 9112 s6.1: both, or a coding in HTTP/1.0, is how requests are smuggled. */
    if (coding != 0 && (length || head->minor == 0))
        return -400;
    if (coding < 0)
        return -501;
    if (coding)
        body->framing = HTTP_BODY_CHUNKED;
    else if (length && body->left > 0)
        body->framing = HTTP_BODY_LENGTH;
    return 0;
}

int http_response_body(const struct http_head *head, const struct http_limits *limits,
                       bool to_head, struct http_body *body)
{
    int coding = transfer_coding(head, false);
    int length;

    begin(body, limits, false);
    if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        return 0;
    length = content_length(head, body);
    if (coding < 0) {
        body->fault = http_next_field(head, "Transfer-Encoding", NULL);
        return -GET_CODING;
    }
    if (coding) {
        /* RFC 9112 s6.3, case 3: the coding overrides the length. */
        body->left = 0;
        body->framing = HTTP_BODY_CHUNKED;
        body->faulty = length != 0 || head->minor == 0;
        return 0;
    }
    if (length == -EBADMSG)
        return -GET_WEIRD;
    /* As in curl, a length that no number here holds is none: all that comes is read,
     * and the connection closed behind it. */
    body->faulty = length < 0;
    if (length < 0)
        length = 0;
    body->framing = length ? HTTP_BODY_LENGTH : HTTP_BODY_CLOSE;
    return 0;
}

/* Takes up to `left` bytes of data as they lie. */
static size_t take_data(struct http_body *body, const char *in, size_t len,
                        struct http_slice *out)
{
    size_t n = body->left < len ? (size_t)body->left : len;

    *out = (struct http_slice){ in, n };
    body->left -= n;
    return n;
}

/* What follows a size on its line. RFC 9112 s7.1.1: blanks may stand before an
 * extension; before the line's end they are forgiven a response. */
static int take_size_end(struct http_body *body, char c)
{
    if (c == ';')
        body->state = CHUNK_EXT;
    else if (c == '\r' && !(body->strict && body->state == CHUNK_BLANK))
        body->state = CHUNK_SIZE_LF;
    else if (is_blank(c))
        body->state = CHUNK_BLANK;
    else
        return -EBADMSG;
    return 0;
}

static int take_size(struct http_body *body, char c)
{
    int digit = text_hex_digit(c);

    if (digit < 0)
        return body->digits ? take_size_end(body, c) : -EBADMSG;
    if (body->digits == SIZE_DIGITS)
        return -EBADMSG;
    body->left = body->left << 4 | (unsigned)digit;
    body->digits++;
    return 0;
}

/* A byte of what is skipped; CR leads to `after`. */
static int take_skipped(struct http_body *body, char c, enum http_chunk_state after)
{
    if (c == '\r')
        body->state = after;
    else if (is_control(c) && c != '\t')
        return -EBADMSG;
    return 0;
}

static int expect(struct http_body *body, char c, char want, enum http_chunk_state next)
{
    if (c != want)
        return -EBADMSG;
    body->state = next;
    return 0;
}

static int take_size_lf(struct http_body *body, char c)
{
    bool last = body->left == 0;

    body->line = 0;
    body->digits = 0;
    return expect(body, c, '\n', last ? CHUNK_TRAILER : CHUNK_DATA);
}

/* Of a trailer's name; the first byte may be the end of all instead. */
static int take_name(struct http_body *body, char c)
{
    bool first = body->state == CHUNK_TRAILER;

    body->state = CHUNK_NAME;
    if (is_tchar(c))
        return 0;
    if (c == (first ? '\r' : ':')) {
        body->state = first ? CHUNK_END_LF : CHUNK_VALUE;
        return 0;
    }
    return -EBADMSG;
}

/* One byte of the grammar around the data. */
static int take_strictly(struct http_body *body, char c)
{
    bool in_trailers = body->state >= CHUNK_TRAILER;

    if (++body->line >
        (in_trailers ? body->limits->trailers : body->limits->chunk_line))
        return -EBADMSG;
    switch (body->state) {
    case CHUNK_SIZE:
        return take_size(body, c);
    case CHUNK_BLANK:
        return take_size_end(body, c);
    case CHUNK_EXT:
        return take_skipped(body, c, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        return take_size_lf(body, c);
    case CHUNK_DATA_CR:
        return expect(body, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        body->line = 0;
        return expect(body, c, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
    case CHUNK_NAME:
        return take_name(body, c);
    case CHUNK_VALUE:
        return take_skipped(body, c, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LF:
        return expect(body, c, '\n', CHUNK_TRAILER);
    case CHUNK_END_LF:
        return expect(body, c, '\n', CHUNK_DONE);
    case CHUNK_DATA:
    case CHUNK_DONE:
        break;
    }
    return -EBADMSG;
}

static bool awaits_lf(const struct http_body *body)
{
    return body->state == CHUNK_SIZE_LF || body->state == CHUNK_DATA_LF ||
           body->state == CHUNK_TRAILER_LF || body->state == CHUNK_END_LF;
}

/* The same, with the CR that a response may have left out in front of its LF. */
static int take_byte(struct http_body *body, char c)
{
    int err = 0;

    if (c == '\n' && !body->strict && !awaits_lf(body))
        err = take_strictly(body, '\r');
    return err < 0 ? err : take_strictly(body, c);
}

static ssize_t read_chunked(struct http_body *body, const char *in, size_t len,
                            struct http_slice *out)
{
    size_t used = 0;

    while (used < len && body->state != CHUNK_DONE) {
        if (body->state == CHUNK_DATA) {
            used += take_data(body, in + used, len - used, out);
            if (body->left == 0)
                body->state = CHUNK_DATA_CR;
            break;
        }
        bool in_trailers = body->state >= CHUNK_TRAILER;
        int err = take_byte(body, in[used]);
        if (err < 0)
            return err;
        used++;
        if (body->state == CHUNK_TRAILER && !in_trailers)
            break; /* who wants the trailers finds them at a call's beginning */
    }
    return (ssize_t)used;
}

ssize_t http_body_read(struct http_body *body, const char *in, size_t len,
                       struct http_slice *out)
{
    *out = (struct http_slice){ in, 0 };
    switch (body->framing) {
    case HTTP_BODY_NONE:
        return 0;
    case HTTP_BODY_LENGTH:
        return (ssize_t)take_data(body, in, len, out);
    case HTTP_BODY_CHUNKED:
        return read_chunked(body, in, len, out);
    case HTTP_BODY_CLOSE:
        break;
    }
    out->len = len;
    return (ssize_t)len;
}

bool http_body_done(const struct http_body *body)
{
    switch (body->framing) {
    case HTTP_BODY_NONE:
        return true;
    case HTTP_BODY_LENGTH:
        return body->left == 0;
    case HTTP_BODY_CHUNKED:
        return body->state == CHUNK_DONE;
    case HTTP_BODY_CLOSE:
        break;
    }
    return false;
}
