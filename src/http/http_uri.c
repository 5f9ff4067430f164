/* A reference is cut into its five parts by the first of the characters that can end
 * each (RFC 3986 appendix B), and put together with the base's parts by the list in
 * s5.2.2, which http_resolve() follows. Nothing is decoded: two URIs that differ in an
 * encoding are two, but for dots, which nobody may hide from the removal of dot
 * segments. */
#include "http/http_uri.h"

#include <stdbool.h>

#include "http/http_char.h"

static void put_encoded(struct text *t, char c)
{
    static const char digits[] = "0123456789ABCDEF";

    text_char(t, '%');
    text_char(t, digits[(unsigned char)c >> 4]);
    text_char(t, digits[(unsigned char)c & 15]);
}

void http_encode_path(struct text *t, const char *name)
{
    for (; *name; name++) {
        if (is_unreserved(*name) || *name == '/')
            text_char(t, *name);
        else
            put_encoded(t, *name);
    }
}

void http_encode_target(struct text *t, struct http_slice target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.at[i];
        if (c > 0x20 && c < 0x7f && !strchr("\"<>", c))
            text_char(t, target.at[i]);
        else
            put_encoded(t, target.at[i]);
    }
}

/* Is the segment `dots` dots, plain or encoded? */
static bool is_dots(struct http_slice s, int dots)
{
    for (; dots > 0 && s.len > 0; dots--) {
        if (slice_begins_nocase(s, "%2e"))
            s = slice_from(s, 3);
        else if (s.at[0] == '.')
            s = slice_from(s, 1);
        else
            return false;
    }
    return dots == 0 && s.len == 0;
}

/* Cuts the last segment, with its slash, off what was written since `begin`. */
static void cut_segment(struct text *t, size_t begin)
{
    while (t->len > begin && t->at[t->len - 1] != '/')
        t->len--;
    if (t->len > begin)
        t->len--;
    t->at[t->len] = '\0';
}

/* Writes the segments of `s`, a slash before each, and removes dot segments back to
 * `begin`; one at the very end (`last`) leaves its slash. */
static void put_segments(struct text *t, size_t begin, struct http_slice s, bool last)
{
    bool more;

    do {
        struct http_slice segment = slice_first(s, slice_span(s, "/"));
        bool up = is_dots(segment, 2);

        more = segment.len < s.len;
        s = slice_from(s, segment.len + more);
        if (up)
            cut_segment(t, begin);
        if (up || is_dots(segment, 1)) {
            text_put(t, last && !more ? "/" : "");
            continue;
        }
        text_char(t, '/');
        http_encode_target(t, segment);
    } while (more);
}

void http_write_path(struct text *t, struct http_slice path)
{
    if (path.len > 0 && path.at[0] == '/')
        put_segments(t, t->len, slice_from(path, 1), true);
    else
        http_encode_target(t, path);
}

/* The parts of a URI reference. Those that may be missing have no address then. */
struct parts {
    struct http_slice scheme, authority, path, query, fragment;
};

/* ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) before the first ':' */
static bool is_scheme(struct http_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alpha(s.at[i]) &&
            (i == 0 || (!is_digit(s.at[i]) && !is_one_of(s.at[i], "+-."))))
            return false;
    return s.len > 0;
}

static struct parts split(struct http_slice s)
{
    struct parts p = { .scheme.at = NULL };
    size_t n = slice_span(s, ":/?#");

    if (n < s.len && s.at[n] == ':' && is_scheme(slice_first(s, n))) {
        p.scheme = slice_first(s, n);
        s = slice_from(s, n + 1);
    }
    if (slice_begins_nocase(s, "//")) {
        s = slice_from(s, 2);
        p.authority = slice_first(s, slice_span(s, "/?#"));
        s = slice_from(s, p.authority.len);
    }
    p.path = slice_first(s, slice_span(s, "?#"));
    s = slice_from(s, p.path.len);
    if (s.len > 0 && s.at[0] == '?') {
        s = slice_from(s, 1);
        p.query = slice_first(s, slice_span(s, "#"));
        s = slice_from(s, p.query.len);
    }
    if (s.len > 0)
        p.fragment = slice_from(s, 1);
    return p;
}

static void put_part(struct text *t, const char *before, struct http_slice part)
{
    if (!part.at)
        return;
    text_put(t, before);
    http_encode_target(t, part);
}

static void put_query(struct text *t, struct http_slice query)
{
    struct http_slice piece = query;

    if (!query.at)
        return;
    text_char(t, '?');
    for (;;) {
        size_t n = slice_span(piece, " ");
        http_encode_target(t, slice_first(piece, n));
        if (n == piece.len)
            break;
        text_char(t, '+');
        piece = slice_from(piece, n + 1);
    }
}

/* RFC 3986 s5.2.3: all of the base but its last segment, then the reference. */
static void put_merged(struct text *t, struct http_slice base, struct http_slice path)
{
    size_t begin = t->len, n = base.len;

    while (n > 0 && base.at[n - 1] != '/')
        n--;
    if (n > 1)
        put_segments(t, begin, slice_from(slice_first(base, n - 1), 1), false);
    put_segments(t, begin, path, true);
}

void http_resolve(struct text *t, struct http_slice base, struct http_slice reference)
{
    struct parts b = split(base), r = split(reference);
    bool elsewhere = r.scheme.at || r.authority.at;
    bool same = !elsewhere && r.path.len == 0; /* of the same path */

    http_encode_target(t, r.scheme.at ? r.scheme : b.scheme);
    text_char(t, ':');
    put_part(t, "//", elsewhere ? r.authority : b.authority);
    if (r.authority.at && r.path.len == 0)
        text_char(t, '/');
    else if (elsewhere || (r.path.len > 0 && r.path.at[0] == '/'))
        http_write_path(t, r.path);
    else if (same)
        http_write_path(t, b.path);
    else
        put_merged(t, b.path, r.path);
    put_query(t, same && !r.query.at ? b.query : r.query);
    put_part(t, "#", r.fragment);
}
