/* HTTP messages, and the text that goes into them. The first byte chooses:
 *
 *     a head, and its body     read whole and in pieces (single bytes, where it is
 *                              short) they are the same, or are refused the same
 *     chunks                   the same
 *     a target                 is refused, or names a file below the root; encoded
 *                              and decoded again it is the same name
 *     a URL                    is refused, or makes a request that we parse ourselves
 *     a date                   is refused, or printed as it was
 *     a field's value          is one field, whatever is in it
 *
 * What is parsed ends at a page that nobody may touch, also where it is only the
 * beginning of what is to come. One byte of an input may be stretched, so that limits
 * of thousands of bytes are within reach of short inputs. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"
#include "http/http_body.h"
#include "http/http_date.h"
#include "http/http_mime.h"
#include "http/http_write.h"

enum { ROOM = 140000, PIECES = 64, BYTEWISE = 700, NAME = 256, LINE = 4096 };

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
        at = fuzz_u8(in) % in->left;
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
    return request ? http_parse_request(at, len, seen, h)
                   : http_parse_response(at, len, seen, h);
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
    char *at;
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

static void one_message(unsigned choice)
{
    static char whole[ROOM];
    static struct http_head head;
    struct http_body body;
    bool request = choice & 1;
    int r = both_heads(request, whole, &head);

    if (r <= 0)
        return;
    int err = request ? http_request_body(&head, &body)
                      : http_response_body(&head, choice & 2, &body);
    if (err == 0)
        both_bodies(&body, text.at + r, text.len - (size_t)r);
}

static void one_chunked(unsigned choice)
{
    struct http_body body = { .framing = HTTP_BODY_CHUNKED };

    (void)choice;
    both_bodies(&body, text.at, text.len);
}

/* --- targets and URLs ------------------------------------------------------------ */

/* Relative, and no way out of its directory. */
static void check_name(const char *name)
{
    size_t n;

    assert(*name != '/');
    for (; *name; name += n + (name[n] == '/')) {
        n = strcspn(name, "/");
        assert(n > 0 && !(n == 1 && name[0] == '.'));
        assert(!(n == 2 && name[0] == '.' && name[1] == '.'));
        assert(name[n] == '\0' || name[n + 1] != '\0');
    }
}

static void one_target(unsigned choice)
{
    struct http_slice target = { guarded(text.at, text.len), text.len }, path, query;
    static const size_t rooms[] = { NAME, 1, 2, 10 };
    char name[NAME], again[NAME], encoded[3 * NAME + 1];
    size_t cap = rooms[choice % ARRAY_LEN(rooms)];
    bool slash;
    struct text t;

    if (http_split_target(target, &path, &query) < 0)
        return;
    assert(path.len > 0 && path.at[0] == '/');
    assert(query.len == 0 || query.at[0] == '?');
    if (http_decode_path(path, name, cap, &slash) < 0)
        return;
    assert(strlen(name) < cap);
    check_name(name);
    assert(http_mime(name));
    text_init(&t, encoded, sizeof encoded);
    http_encode_path(&t, name);
    assert(!t.cut);
    assert(http_decode_path((struct http_slice){ encoded, t.len }, again, NAME,
                            &slash) == 0);
    assert(strcmp(name, again) == 0);
}

static void one_url(unsigned choice)
{
    static struct http_head head;
    static char out[4 * LINE];
    struct http_url url;
    const char *why = NULL;
    struct text t;

    (void)choice;
    text.at[min_size(text.len, LINE / 2)] = '\0';
    char *typed = guarded(text.at, strlen(text.at) + 1);
    if (http_parse_url(typed, &url, &why) < 0) {
        assert(why);
        return;
    }
    assert(strlen(url.host) > 0);
    text_init(&t, out, sizeof out);
    http_write_request(&t, "GET", &url);
    http_write_host(&t, &url);
    http_write_end(&t);
    assert(!t.cut);
    assert(http_parse_request(out, t.len, 0, &head) == (int)t.len);
    assert(head.n_fields == 1 && head.minor == 1 && slice_is(head.method, "GET"));
}

/* --- dates and fields ------------------------------------------------------------ */

static void one_date(unsigned choice)
{
    struct http_slice s = { guarded(text.at, text.len), text.len };
    char line[64];
    int64_t seconds, again;
    struct text t;

    text_init(&t, line, sizeof line);
    if (choice & 1) {
        if (!http_date_parse(s, &seconds))
            return;
        http_date_print(&t, seconds);
        assert(s.at[24] == '6' /* a leap second */ || slice_is(s, line));
    } else {
        seconds = text.len < 8 ? 0
                               : (int64_t)((uint64_t)get32((uint8_t *)s.at) << 32 |
                                           get32((uint8_t *)s.at + 4));
        seconds >>= choice / 2 % 32;
        http_date_print(&t, seconds);
        assert(http_date_parse((struct http_slice){ line, t.len }, &again));
        assert(again == seconds || seconds < -62135596800 || seconds > 253402300799);
    }
    assert(!t.cut && t.len == 29);
}

static void one_field(unsigned choice)
{
    static struct http_head head;
    static char out[4 * LINE];
    struct text t;

    (void)choice;
    text.at[min_size(text.len, LINE)] = '\0';
    text_init(&t, out, sizeof out);
    http_write_status(&t, 200);
    http_write_field(&t, "X", guarded(text.at, strlen(text.at) + 1));
    http_write_end(&t);
    assert(http_parse_response(out, t.len, 0, &head) == (int)t.len);
    assert(head.status == 200 && head.n_fields == 1);
    assert(slice_is(head.field[0].name, "X"));
}

void fuzz_http(const uint8_t *data, size_t size)
{
    static void (*const what[])(unsigned) = { one_message, one_chunked, one_target,
                                              one_url,     one_date,    one_field };
    struct fuzz_in in = { data, size };
    unsigned choice = fuzz_u8(&in);

    if (size > ROOM / 2)
        return;
    stretch(&in);
    what[choice % 8 % ARRAY_LEN(what)](choice / 8);
}
