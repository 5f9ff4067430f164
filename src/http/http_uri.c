/* From a target to a file name
 * ----------------------------
 *
 *     /a/%62/../c%20d/?q   ->   path /a/%62/../c%20d/, query ?q   ->   "a/c d", slash
 *
 * The path is cut at its slashes first and each segment decoded after that, so an
 * encoded slash never becomes a separator; and decoded once, so "%252e" is the name
 * "%2e". Dot segments are recognised decoded, whichever way they were written
 * (RFC 3986 s6.2.2.2). The result is relative and has no "..": what symbolic links
 * could still do is the business of whoever opens it. */
#include "http/http_uri.h"

#include <errno.h>

#include "http/http_char.h"

int http_split_target(struct http_slice target, struct http_slice *path,
                      struct http_slice *query)
{
    static const struct http_slice root = { "/", 1 };
    size_t n;

    /* RFC 9112 s3.2.2: a server must accept the absolute-form. */
    if (slice_begins_nocase(target, "http://")) {
        target = slice_from(target, 7);
        n = slice_span(target, "/?");
        if (n == 0)
            return -400;
        target = slice_from(target, n);
    } else if (target.len == 0 || target.at[0] != '/') {
        return -400;
    }
    n = slice_span(target, "?");
    *path = n ? (struct http_slice){ target.at, n } : root;
    *query = slice_from(target, n);
    return 0;
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
        if (c > 0x20 && c < 0x7f && !strchr("\"<>\\^`{|}", c))
            text_char(t, target.at[i]);
        else
            put_encoded(t, target.at[i]);
    }
}

/* Takes "scheme://" off. 0, or -EPROTONOSUPPORT. */
static int take_scheme(struct http_slice *s, const char **why)
{
    size_t n = slice_span(*s, ":/?#");

    if (slice_begins_nocase(*s, "http://")) {
        *s = slice_from(*s, 7);
        return 0;
    }
    if (s->len - n < 3 || memcmp(s->at + n, "://", 3) != 0)
        return 0;
    *why = slice_begins_nocase(*s, "https://")
               ? "https: TLS is not part of this program"
               : "only http is spoken here";
    return -EPROTONOSUPPORT;
}

static int parse_port(struct http_slice s, uint16_t *port, const char **why)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';
        n = n * 10 + digit;
        if (digit > 9 || n > 65535) {
            *why = "the port is not a number between 0 and 65535";
            return -EINVAL;
        }
    }
    if (s.len > 0)
        *port = (uint16_t)n;
    return 0;
}

static int copy_host(struct http_slice s, struct http_url *url, const char **why)
{
    *why = s.len == 0 ? "no host part in it" : "the host name has a bad character";
    if (s.len == 0)
        return -EINVAL;
    if (s.len > HTTP_HOST_MAX) {
        *why = "the host name is too long";
        return -EINVAL;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (!is_unreserved(c) && !(url->is_ip6 && c == ':'))
            return -EINVAL;
        url->host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    url->host[s.len] = '\0';
    return 0;
}

/* host [ ":" port ] or "[" IPv6 "]" [ ":" port ]. */
static int parse_authority(struct http_slice s, struct http_url *url, const char **why)
{
    size_t n;

    if (s.len > 0 && memchr(s.at, '@', s.len)) {
        *why = "a user name in the URL: authentication is not built yet";
        return -ENOTSUP;
    }
    url->is_ip6 = s.len > 0 && s.at[0] == '[';
    if (url->is_ip6)
        s = slice_from(s, 1);
    n = slice_span(s, url->is_ip6 ? "]" : ":");
    if (copy_host((struct http_slice){ s.at, n }, url, why) < 0)
        return -EINVAL;
    s = slice_from(s, n);
    if (url->is_ip6) {
        if (s.len == 0) {
            *why = "the bracket of the IPv6 address is not closed";
            return -EINVAL;
        }
        s = slice_from(s, 1);
    }
    if (s.len > 0 && s.at[0] != ':') {
        *why = "something follows the host that is no port";
        return -EINVAL;
    }
    return parse_port(slice_from(s, s.len > 0), &url->port, why);
}

int http_parse_url(const char *s, struct http_url *url, const char **why)
{
    struct http_slice rest = slice_of(s);
    size_t n;
    int err;

    memset(url, 0, sizeof *url);
    url->port = 80;
    for (size_t i = 0; i < rest.len; i++) {
        if ((unsigned char)s[i] <= 0x20 || s[i] == 0x7f) {
            *why = "a space or control character in it";
            return -EINVAL;
        }
    }
    err = take_scheme(&rest, why);
    if (err < 0)
        return err;
    n = slice_span(rest, "/?#");
    err = parse_authority((struct http_slice){ rest.at, n }, url, why);
    if (err < 0)
        return err;
    rest = slice_from(rest, n);
    url->target = (struct http_slice){ rest.at, slice_span(rest, "#") };
    return 0;
}
