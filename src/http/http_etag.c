/* A tag is what stands between two quotes, of which none can stand inside; commas can,
 * so a list of tags is not cut at its commas as other lists are. */
#include "http/http_etag.h"

#include "http/http_char.h"

static bool is_weak(struct http_slice tag)
{
    return tag.len > 0 && tag.at[0] == 'W';
}

/* [ "W/" ] DQUOTE *etagc DQUOTE at the front of s: its characters, or 0. */
static size_t tag_span(struct http_slice s)
{
    size_t i = s.len >= 2 && memcmp(s.at, "W/", 2) == 0 ? 2 : 0;

    if (i == s.len || s.at[i] != '"')
        return 0;
    for (i++; i < s.len && s.at[i] != '"'; i++)
        if (is_control(s.at[i]) || s.at[i] == ' ')
            return 0;
    return i < s.len ? i + 1 : 0;
}

bool http_next_etag(struct http_slice *rest, struct http_slice *tag)
{
    size_t n = 0;

    while (rest->len > 0 && (is_blank(rest->at[0]) || rest->at[0] == ','))
        *rest = slice_from(*rest, 1);
    if (rest->len > 0)
        n = tag_span(*rest);
    if (n == 0)
        return false;
    *tag = slice_first(*rest, n);
    while (n < rest->len && is_blank(rest->at[n]))
        n++;
    if (n < rest->len && rest->at[n] != ',')
        return false;
    *rest = slice_from(*rest, n);
    return true;
}

bool http_etag_is_valid(struct http_slice tag)
{
    return tag.len > 0 && tag_span(tag) == tag.len;
}

static bool are_equal(struct http_slice a, struct http_slice b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

bool http_etags_match_strongly(struct http_slice a, struct http_slice b)
{
    return a.len > 0 && !is_weak(a) && !is_weak(b) && are_equal(a, b);
}

bool http_etags_match_weakly(struct http_slice a, struct http_slice b)
{
    return a.len > 0 && b.len > 0 &&
           are_equal(slice_from(a, is_weak(a) ? 2 : 0),
                     slice_from(b, is_weak(b) ? 2 : 0));
}

void http_write_etag(struct text *t, uint64_t inode, uint64_t size, int64_t changed)
{
    text_char(t, '"');
    text_hex(t, inode, 1);
    text_char(t, '-');
    text_hex(t, size, 1);
    text_char(t, '-');
    text_hex(t, (uint64_t)changed, 1);
    text_char(t, '"');
}
