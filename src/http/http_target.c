/* The form is found by its first character, then held against the method (RFC 9112
 * s3.2): each form has methods that it is for, and every other pair would be read by
 * some servers and not by others.
 *
 * A path is taken apart before it is decoded, and each segment decoded once; so what
 * was encoded never becomes a slash, and a dot segment is one however it is spelt.
 * Every name that comes out lies below its directory; what a symbolic link makes of it
 * is the business of whoever opens it. */
#include "http/http_target.h"

#include "base/text.h"
#include "http/http_char.h"

static void split_query(struct http_slice s, struct http_target *target)
{
    size_t n = slice_span(s, "?");

    target->path = slice_first(s, n);
    target->query = slice_from(s, n);
}

/* "http://" authority path-abempty [ "?" query ]; user information is no part of it
 * (RFC 9110 s4.2.4). */
static int parse_absolute(struct http_slice s, bool options, struct http_target *target)
{
    static const struct http_slice root = { "/", 1 };
    size_t n;

    s = slice_from(s, strlen("http://"));
    n = slice_span(s, "/?");
    target->form = HTTP_FORM_ABSOLUTE;
    target->host = slice_first(s, n);
    if (n == 0 || s.at[0] == ':' || !http_host_is_valid(target->host))
        return -400;
    split_query(slice_from(s, n), target);
    if (target->path.len > 0)
        return 0;
    /* RFC 9112 s3.2.4: OPTIONS of a URI that ends with its host asks for the server. */
    if (options && target->query.len == 0)
        target->form = HTTP_FORM_ASTERISK;
    target->path = root;
    return 0;
}

/* uri-host ":" port, and nothing may be left out. */
static int parse_authority(struct http_slice s, struct http_target *target)
{
    target->form = HTTP_FORM_AUTHORITY;
    target->host = s;
    if (!http_host_is_valid(s) || s.at[0] == ':' || !is_digit(s.at[s.len - 1]))
        return -400;
    return memchr(s.at, ':', s.len) ? 0 : -400;
}

int http_parse_target(const struct http_head *head, struct http_target *target)
{
    struct http_slice s = head->target;
    bool options = slice_is(head->method, "OPTIONS");

    *target = (struct http_target){ .host = http_single_field(head, "Host") };
    if (slice_is(head->method, "CONNECT"))
        return parse_authority(s, target);
    /* RFC 9112 s3.2.2: a server must accept the absolute-form, and take the host from
     * it, not from Host. */
    if (slice_begins_nocase(s, "http://"))
        return parse_absolute(s, options, target);
    if (slice_is(s, "*")) {
        target->form = HTTP_FORM_ASTERISK;
        return options ? 0 : -400;
    }
    target->form = HTTP_FORM_ORIGIN;
    split_query(s, target);
    return s.at[0] == '/' ? 0 : -400;
}

/* Decodes one segment to out[0..cap). Its length, or -400, -404, -414. */
static int decode_segment(struct http_slice s, char *out, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '%') {
            int high = i + 2 < s.len ? text_hex_digit(s.at[i + 1]) : -1;
            int low = i + 2 < s.len ? text_hex_digit(s.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -400;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return -400;
        if (c == '/')
            return -404;
        if (n == cap)
            return -414;
        out[n++] = c;
    }
    return (int)n;
}

/* Cuts the last segment off the name of *len characters; false when there is none. */
static bool climb(const char *name, size_t *len)
{
    if (*len == 0)
        return false;
    while (*len > 0 && name[*len - 1] != '/')
        --*len;
    if (*len > 0)
        --*len;
    return true;
}

static bool is_dots(const char *at, int len, int dots)
{
    return len == dots && memcmp(at, "..", (size_t)dots) == 0;
}

/* Appends one segment to the name of *len characters. 0 or minus a status. *slash: it
 * can only be a directory. */
static int add_segment(struct http_slice segment, char *out, size_t cap, size_t *len)
{
    size_t at = *len ? *len + 1 : 0; /* room for the slash in between */
    int n;

    if (at >= cap)
        return -414;
    n = decode_segment(segment, out + at, cap - at - 1);
    if (n < 0)
        return n;
    if (n == 0 || is_dots(out + at, n, 1))
        return 0;
    if (is_dots(out + at, n, 2))
        return climb(out, len) ? 0 : -400;
    if (at)
        out[at - 1] = '/';
    *len = at + (size_t)n;
    return 1;
}

int http_decode_path(struct http_slice path, char *out, size_t cap, bool *slash)
{
    size_t len = 0;
    int added = 0;

    *slash = true;
    while (path.len > 0) {
        size_t n = slice_span(path, "/");
        added = add_segment((struct http_slice){ path.at, n }, out, cap, &len);
        if (added < 0)
            return added;
        *slash = added == 0;
        if (n == path.len)
            break;
        path = slice_from(path, n + 1);
        *slash = true;
    }
    out[len] = '\0';
    return 0;
}
