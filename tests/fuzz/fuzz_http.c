/* HTTP messages. The first byte chooses:
 *
 *     a head, and its body     read whole and in pieces (single bytes, where it is
 *                              short) they are the same, or are refused the same
 *     chunks                   the same
 *
 * What is parsed ends at a page that nobody may touch, also where it is only the
 * beginning of what is to come. One byte of an input may be stretched, so that limits
 * of thousands of bytes are within reach of short inputs. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"
#include "http/http_accept.h"
#include "http/http_body.h"
#include "http/http_cond.h"
#include "http/http_range.h"
#include "http/http_target.h"

enum { ROOM = 140000, PIECES = 64, BYTEWISE = 700 };

/* The message of an input, stretched. */
static struct {
    char at[ROOM];
    size_t len;
} text;

static void stretch(struct fuzz_in *in)
{
    static const uint32_t by[] = { 100, 4090, 8000, 8180, 16200, 16370, 65300, 65520 };
    unsigned choice = fuzz_u8(in);
    size_t n = 0, at = in->left;

    if (choice >= 0xf0 && in->left > 3) {
        n = by[choice % ARRAY_LEN(by)] + fuzz_u8(in);
        at = fuzz_u8(in);
        at %= in->left;
    }
    text.len = fuzz_bytes(in, (uint8_t *)text.at, at);
    if (n > 0)
        memset(text.at + text.len, *in->at, n);
    text.len += n;
    text.len += fuzz_bytes(in, (uint8_t *)text.at + text.len, in->left);
}

/* How long the n-th beginning of the text is that a slow sender lets us see. */
static size_t next_piece(size_t len)
{
    size_t step = text.len <= BYTEWISE ? 1 : text.len / PIECES;

    return min_size(len + step, text.len);
}

/* --- heads ----------------------------------------------------------------------- */

static int parse(bool request, char *at, size_t len, size_t seen, struct http_head *h)
{
    return request ? http_parse_request(at, len, seen, &http_request_limits, h)
                   : http_parse_response(at, &len, seen, &http_response_limits, h);
}

/* Slices of two parses at the same place. */
static void same_slice(struct http_slice a, const char *a_base, struct http_slice b,
                       const char *b_base, size_t within)
{
    assert(a.len == b.len);
    if (a.len == 0)
        return;
    assert(a.at - a_base == b.at - b_base);
    assert(a.at >= a_base && a.at + a.len <= a_base + within);
}

static void same_head(const struct http_head *a, const char *a_base,
                      const struct http_head *b, const char *b_base, size_t within)
{
    same_slice(a->method, a_base, b->method, b_base, within);
    same_slice(a->target, a_base, b->target, b_base, within);
    same_slice(a->reason, a_base, b->reason, b_base, within);
    assert(a->status == b->status && a->minor == b->minor);
    assert(a->n_fields == b->n_fields && a->n_fields <= HTTP_FIELDS_MAX);
    for (size_t i = 0; i < a->n_fields; i++) {
        same_slice(a->field[i].name, a_base, b->field[i].name, b_base, within);
        same_slice(a->field[i].value, a_base, b->field[i].value, b_base, within);
    }
    assert(http_persists(a) == http_persists(b));
}

/* The head of the text, whole and in pieces. Its length, or why it is none; *head and
 * its slices lie in `whole`. */
static int both_heads(bool request, char *whole, struct http_head *head)
{
    static struct http_head slow;
    size_t seen = 0, len = 0;
    char *at = NULL;
    int first = -EAGAIN, r;

    memcpy(whole, text.at, text.len);
    r = parse(request, whole, text.len, 0, head);
    while (first == -EAGAIN && len < text.len) {
        len = next_piece(len);
        at = guarded(text.at, len);
        first = parse(request, at, len, seen, &slow);
        seen = len;
    }
    assert(first == r && r != 0);
    if (r > 0) {
        assert((size_t)r <= text.len);
        same_head(head, whole, &slow, at, (size_t)r);
    }
    return r;
}

/* --- bodies ---------------------------------------------------------------------- */

struct reading {
    struct http_body body;
    char out[ROOM]; /* what it gave */
    size_t len;
    ssize_t result; /* bytes taken, or -EBADMSG */
};

/* Reads [in, in+len) as it comes in pieces of `step`. */
static void read_body(struct reading *r, const char *in, size_t len, size_t step)
{
    size_t used = 0, have = 0;

    r->len = 0;
    r->result = 0;
    while (have < len && !http_body_done(&r->body)) {
        have = min_size(have + step, len);
        const char *at = guarded(in + used, have - used);
        const char *end = at + (have - used);
        while (at < end && !http_body_done(&r->body)) {
            struct http_slice out;
            ssize_t n = http_body_read(&r->body, at, (size_t)(end - at), &out);
            assert(n == -EBADMSG || (n > 0 && n <= end - at));
            r->result = n;
            if (n < 0)
                return;
            assert(out.len == 0 || (out.at >= at && out.at + out.len <= at + n));
            memcpy(r->out + r->len, out.at, out.len);
            r->len += out.len;
            at += n;
            used += (size_t)n;
        }
    }
    r->result = (ssize_t)used;
}

static void both_bodies(const struct http_body *body, const char *in, size_t len)
{
    static struct reading whole, slow;

    whole.body = slow.body = *body;
    read_body(&whole, in, len, len);
    read_body(&slow, in, len, len <= BYTEWISE ? 1 : len / PIECES);
    assert(whole.result == slow.result);
    assert(whole.len == slow.len || whole.result < 0);
    assert(memcmp(whole.out, slow.out, min_size(whole.len, slow.len)) == 0);
    assert(http_body_done(&whole.body) == http_body_done(&slow.body));
}

/* Whatever is asked of a head has an answer. */
static void ask_head(const struct http_head *head)
{
    static const struct http_version version = { true, { "\"1-2-3\"", 7 }, 784111777 };
    struct http_range ranges[HTTP_RANGES_MAX];
    struct http_target target;

    http_expects(head);
    http_accepts_coding(head, "gzip");
    int answer = http_precondition(head, &version, 784111777);
    assert(answer == 0 || answer == 304 || answer == 412);
    http_if_range(head, &version, 784111777);
    int n = http_parse_ranges(http_single_field(head, "Range"), 1000, ranges);
    assert(n == -416 || (n >= 0 && n <= HTTP_RANGES_MAX));
    for (int i = 0; i < n; i++)
        assert(ranges[i].len > 0 && ranges[i].from + ranges[i].len <= 1000);
    if (head->method.len > 0 && http_parse_target(head, &target) == 0)
        assert(target.path.len == 0 || target.path.at[0] == '/');
}

static void one_message(unsigned choice)
{
    static char whole[ROOM];
    static struct http_head head;
    struct http_body body;
    bool request = choice & 1;
    int r = both_heads(request, whole, &head);

    if (r <= 0)
        return;
    ask_head(&head);
    int err = request
                  ? http_request_body(&head, &http_request_limits, &body)
                  : http_response_body(&head, &http_response_limits, choice & 2, &body);
    if (err == 0)
        both_bodies(&body, text.at + r, text.len - (size_t)r);
}

static void one_chunked(unsigned choice)
{
    struct http_body body = { .framing = HTTP_BODY_CHUNKED,
                              .strict = choice & 1,
                              .limits = choice & 1 ? &http_request_limits
                                                   : &http_response_limits };

    both_bodies(&body, text.at, text.len);
}

void fuzz_http(const uint8_t *data, size_t size)
{
    static void (*const what[])(unsigned) = { one_message, one_chunked };
    struct fuzz_in in = { data, size };
    unsigned choice = fuzz_u8(&in);

    if (size > ROOM / 2)
        return;
    stretch(&in);
    what[choice % 8 % ARRAY_LEN(what)](choice / 8);
}
