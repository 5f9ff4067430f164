/* Numbers beyond 64 bits are read as the largest there is: as a first byte that lies in
 * no file, as a last byte that is cut to the end. The end of a range is never added to
 * a start before both were held against the size, so nothing wraps.
 *
 * A short request must not make a long answer: more ranges than HTTP_RANGES_MAX, or
 * more than one pair that overlaps, and the client gets the file once. */
#include "http/http_range.h"

#include "http/http_char.h"

/* 1*DIGIT off the front of *s, as far as 64 bits go; false when there is none. */
static bool take_number(struct http_slice *s, uint64_t *out)
{
    bool any = false;

    *out = 0;
    while (s->len > 0 && is_digit(s->at[0])) {
        unsigned digit = (unsigned)(s->at[0] - '0');
        *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
        *s = slice_from(*s, 1);
        any = true;
    }
    return any;
}

static bool take_char(struct http_slice *s, char c)
{
    if (s->len == 0 || s->at[0] != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

/* One range: 1 when it lies in the file, 0 when it does not, -1 when it is none. */
static int parse_range(struct http_slice s, uint64_t size, struct http_range *out)
{
    uint64_t first, last;
    bool has_first = take_number(&s, &first);
    bool has_last;

    if (!take_char(&s, '-'))
        return -1;
    has_last = take_number(&s, &last);
    if (s.len > 0 || (!has_first && !has_last) ||
        (has_first && has_last && last < first))
        return -1;
    if (!has_first) { /* the last so many bytes */
        out->len = last < size ? last : size;
        out->from = size - out->len;
        return last > 0;
    }
    if (first >= size)
        return 0;
    if (!has_last || last >= size)
        last = size - 1;
    *out = (struct http_range){ first, last - first + 1 };
    return 1;
}

static bool overlap(const struct http_range *a, const struct http_range *b)
{
    return a->from < b->from + b->len && b->from < a->from + a->len;
}

static int count_overlaps(const struct http_range *range, int n)
{
    int pairs = 0;

    for (int i = 0; i < n; i++)
        pairs += overlap(&range[i], &range[n]);
    return pairs;
}

int http_parse_ranges(struct http_slice value, uint64_t size, struct http_range *out)
{
    struct http_slice element;
    struct http_range range;
    int n = 0, asked = 0, overlaps = 0;

    if (!slice_begins_nocase(value, "bytes="))
        return 0;
    value = slice_from(value, 6);
    while (slice_next_element(&value, &element)) {
        int lies = parse_range(element, size, &range);
        if (lies < 0 || ++asked > HTTP_RANGES_MAX)
            return 0;
        if (lies == 0)
            continue;
        /* RFC 9110 s14.1.2: the end of an empty file is all of it, and no range of it
         * could be named. */
        if (range.len == 0)
            return 0;
        out[n] = range;
        overlaps += count_overlaps(out, n);
        n++;
    }
    if (asked == 0 || overlaps > 1)
        return 0;
    return n ? n : -416;
}

void http_write_content_range(struct text *t, const struct http_range *range,
                              uint64_t size)
{
    text_put(t, "Content-Range: bytes ");
    if (range) {
        text_u64(t, range->from);
        text_char(t, '-');
        text_u64(t, range->from + range->len - 1);
    } else {
        text_char(t, '*');
    }
    text_char(t, '/');
    text_u64(t, size);
    text_put(t, "\r\n");
}

void http_write_boundary(struct text *t, uint64_t chance)
{
    text_put(t, "tapir-");
    text_hex(t, chance, 16);
}

static void write_delimiter(struct text *t, const struct http_parts *parts, bool first)
{
    text_put(t, first ? "--" : "\r\n--");
    text_put(t, parts->boundary);
}

void http_write_part(struct text *t, const struct http_parts *parts, int i)
{
    write_delimiter(t, parts, i == 0);
    text_put(t, "\r\nContent-Type: ");
    text_put(t, parts->type);
    text_put(t, "\r\n");
    http_write_content_range(t, &parts->range[i], parts->size);
    text_put(t, "\r\n");
}

void http_write_parts_end(struct text *t, const struct http_parts *parts)
{
    write_delimiter(t, parts, false);
    text_put(t, "--\r\n");
}

uint64_t http_parts_length(const struct http_parts *parts)
{
    char buf[HTTP_PART_ROOM];
    struct text t;
    uint64_t len = 0;

    for (int i = 0; i < parts->n; i++) {
        text_init(&t, buf, sizeof buf);
        http_write_part(&t, parts, i);
        len += t.len + parts->range[i].len;
    }
    text_init(&t, buf, sizeof buf);
    http_write_parts_end(&t, parts);
    return len + t.len;
}

bool http_parse_content_range(struct http_slice value, struct http_content_range *out)
{
    struct http_slice s = value;
    size_t unit = slice_span(s, " ");

    if (unit == s.len || !slice_is_nocase(slice_first(s, unit), "bytes"))
        return false;
    s = slice_trim(slice_from(s, unit));
    if (!take_number(&s, &out->from) || !take_char(&s, '-') ||
        !take_number(&s, &out->to) || !take_char(&s, '/'))
        return false;
    out->size = UINT64_MAX;
    if (!slice_is(s, "*") && !slice_number(s, &out->size))
        return false;
    return out->from <= out->to && out->to < out->size;
}
