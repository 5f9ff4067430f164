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
 *     SIZE -> EXT -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *       \________/       \
 *                         size 0: TRAILER -> TRAILER_IN -> TRAILER_LF -> TRAILER ...
 *                                    \-> END_LF -> DONE
 *
 * Extensions and trailers are skipped, and bounded: they carry nothing for us. */
#include "http/http_body.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    SIZE_LINE_MAX = 4096, /* bytes of a chunk's size line, extensions included */
    TRAILERS_MAX = 8192,  /* bytes of all trailer lines together */
};

/* 1*DIGIT that fits (RFC 9110 s8.6). */
static bool parse_length(struct http_slice s, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';
        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

/* Content-Length: 1 and *length; 0 when there is none; -EBADMSG when it is no number,
 * or several that differ (RFC 9112 s6.3, case 5). */
static int content_length(const struct http_head *head, uint64_t *length)
{
    const struct http_field *f = NULL;
    struct http_slice rest, element;
    uint64_t n;
    int found = 0;

    while ((f = http_next_field(head, "Content-Length", f))) {
        rest = f->value;
        if (rest.len == 0)
            return -EBADMSG;
        while (slice_next_element(&rest, &element)) {
            if (!parse_length(element, &n) || (found && n != *length))
                return -EBADMSG;
            *length = n;
            found = 1;
        }
    }
    return found;
}

/* Transfer-Encoding: 1 for exactly "chunked"; 0 when there is none; -EBADMSG when
 * chunked is there but not the last, or twice; -ENOTSUP for any other coding. */
static int transfer_coding(const struct http_head *head)
{
    const struct http_field *f = NULL;
    struct http_slice rest, element;
    int chunked = 0, other = 0, fields = 0;

    while ((f = http_next_field(head, "Transfer-Encoding", f))) {
        fields++;
        rest = f->value;
        while (slice_next_element(&rest, &element)) {
            if (chunked)
                return -EBADMSG;
            if (slice_is_nocase(element, "chunked"))
                chunked = 1;
            else
                other = 1;
        }
    }
    if (other)
        return -ENOTSUP;
    return fields && !chunked ? -EBADMSG : chunked;
}

int http_request_body(const struct http_head *head, struct http_body *body)
{
    int coding = transfer_coding(head);
    int length;

    memset(body, 0, sizeof *body);
    length = content_length(head, &body->left);
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

int http_response_body(const struct http_head *head, bool to_head,
                       struct http_body *body)
{
    int coding = transfer_coding(head);
    int length;

    memset(body, 0, sizeof *body);
    if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        return 0;
    length = content_length(head, &body->left);
    if (coding < 0)
        return coding;
    if (coding) {
        /* RFC 9112 s6.3, case 3: the coding overrides the length. */
        body->left = 0;
        body->framing = HTTP_BODY_CHUNKED;
        body->faulty = length != 0 || head->minor == 0;
        return 0;
    }
    if (length < 0)
        return length;
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

/* chunk-size [ chunk-ext ] CRLF; blanks before an extension are bad whitespace that
 * must be understood (RFC 9112 s7.1.1). */
static int take_size(struct http_body *body, char c)
{
    int digit = text_hex_digit(c);

    if (digit < 0) {
        if (!body->digits || (c != '\r' && c != ';' && c != ' ' && c != '\t'))
            return -EBADMSG;
        body->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXT;
        return 0;
    }
    if (body->left > UINT64_MAX >> 4)
        return -EBADMSG;
    body->left = body->left << 4 | (unsigned)digit;
    body->digits = true;
    return 0;
}

/* A byte of what is skipped; CR leads to `after`. */
static int take_skipped(struct http_body *body, char c, enum http_chunk_state after)
{
    if (c == '\n' || c == '\0')
        return -EBADMSG;
    if (c == '\r')
        body->state = after;
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
    body->digits = false;
    return expect(body, c, '\n', last ? CHUNK_TRAILER : CHUNK_DATA);
}

static int take_trailer(struct http_body *body, char c)
{
    if (c == '\r')
        return expect(body, c, '\r', CHUNK_END_LF);
    body->state = CHUNK_TRAILER_IN;
    return take_skipped(body, c, CHUNK_TRAILER_LF);
}

/* One byte of the grammar around the data. */
static int take_byte(struct http_body *body, char c)
{
    bool in_trailers = body->state >= CHUNK_TRAILER;

    if (++body->line > (in_trailers ? TRAILERS_MAX : SIZE_LINE_MAX))
        return -EBADMSG;
    switch (body->state) {
    case CHUNK_SIZE:
        return take_size(body, c);
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
        return take_trailer(body, c);
    case CHUNK_TRAILER_IN:
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
        int err = take_byte(body, in[used]);
        if (err < 0)
            return err;
        used++;
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
