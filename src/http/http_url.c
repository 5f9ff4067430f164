/* The URL is cut from the left: scheme, authority up to the first of "/?#", the target
 * up to "#". The authority is cut from the right, since a password may have any
 * character: the last '@' ends the user, then comes the host. Host and port are checked
 * here, once; the target is encoded where it is written (http_uri.h). */
#include "http/http_url.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"
#include "http/http_char.h"

/* Takes "http:" and its slashes off. 0, -EINVAL or -EPROTONOSUPPORT. */
static int take_scheme(struct http_slice *s, const char **why)
{
    size_t n = slice_span(*s, ":/?#"), slashes = 0;

    if (slice_begins_nocase(*s, "http:/")) {
        *s = slice_from(*s, 5);
        while (slashes < s->len && s->at[slashes] == '/')
            slashes++;
        *s = slice_from(*s, slashes);
        *why = "more than three slashes follow http:";
        return slashes <= 3 ? 0 : -EINVAL;
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
    uint64_t n;

    if (s.len == 0)
        return 0;
    if (!slice_number(s, &n) || n > 65535) {
        *why = "the port is not a number between 0 and 65535";
        return -EINVAL;
    }
    *port = (uint16_t)n;
    return 0;
}

/* One number of an address, as C writes it: 0x, 0, or decimal. Takes it off *s. */
static bool take_number(struct http_slice *s, uint64_t *out)
{
    unsigned base = 10;
    size_t begin;

    if (s->len > 1 && s->at[0] == '0')
        base = to_lower(s->at[1]) == 'x' ? 16 : 8;
    if (base == 16)
        *s = slice_from(*s, 2);
    begin = s->len;
    *out = 0;
    while (s->len > 0 && s->at[0] != '.') {
        int digit = text_hex_digit(s->at[0]);
        if (digit < 0 || (unsigned)digit >= base || *out > UINT32_MAX)
            return false;
        *out = *out * base + (unsigned)digit;
        *s = slice_from(*s, 1);
    }
    return s->len < begin;
}

/* An IPv4 address of one to four numbers, of which the last fills what is left. */
static bool parse_ip4(struct http_slice s, uint32_t *out)
{
    uint64_t n, address = 0;

    for (int bits = 32; bits > 0; bits -= 8) {
        if (!take_number(&s, &n))
            return false;
        if (s.len == 0) {
            *out = (uint32_t)(address << bits | n);
            return n < UINT64_C(1) << bits;
        }
        if (n > 255)
            return false;
        address = address << 8 | n;
        s = slice_from(s, 1);
    }
    return false;
}

static void write_ip4(struct http_url *url, uint32_t address)
{
    struct text t;

    text_init(&t, url->host, sizeof url->host);
    for (int bits = 24; bits >= 0; bits -= 8) {
        text_u64(&t, address >> bits & 255);
        text_put(&t, bits ? "." : "");
    }
}

/* The next character of a name, decoded; it is taken off *s. A control character says
 * that an encoding is none. */
static char take_decoded(struct http_slice *s)
{
    char c = s->at[0];

    *s = slice_from(*s, 1);
    if (c != '%')
        return c;
    if (s->len < 2 || text_hex_digit(s->at[0]) < 0 || text_hex_digit(s->at[1]) < 0)
        return '\0';
    c = (char)(text_hex_digit(s->at[0]) << 4 | text_hex_digit(s->at[1]));
    *s = slice_from(*s, 2);
    return c;
}

static bool is_of_host(char c, bool is_ip6)
{
    return is_ip6 ? text_hex_digit(c) >= 0 || c == ':' || c == '.' : is_unreserved(c);
}

static int copy_host(struct http_slice s, struct http_url *url, const char **why)
{
    size_t n = 0;
    uint32_t address;

    *why = s.len == 0 ? "no host part in it" : "the host name has a bad character";
    if (s.len == 0)
        return -EINVAL;
    while (s.len > 0) {
        char c = take_decoded(&s);
        if (n == HTTP_HOST_MAX)
            *why = "the host name is too long";
        if (n == HTTP_HOST_MAX || !is_of_host(c, url->is_ip6))
            return -EINVAL;
        url->host[n++] = c;
    }
    url->host[n] = '\0';
    if (!url->is_ip6 && parse_ip4((struct http_slice){ url->host, n }, &address))
        write_ip4(url, address);
    return 0;
}

/* host [ ":" port ] or "[" IPv6 "]" [ ":" port ]. */
static int parse_host(struct http_slice s, struct http_url *url, const char **why)
{
    size_t n;

    url->is_ip6 = s.len > 0 && s.at[0] == '[';
    if (url->is_ip6)
        s = slice_from(s, 1);
    n = slice_span(s, url->is_ip6 ? "]" : ":");
    if (copy_host(slice_first(s, n), url, why) < 0)
        return -EINVAL;
    s = slice_from(s, n);
    if (url->is_ip6) {
        *why = "the bracket of the IPv6 address is not closed";
        if (s.len == 0)
            return -EINVAL;
        s = slice_from(s, 1);
    }
    *why = "something follows the host that is no port";
    if (s.len > 0 && s.at[0] != ':')
        return -EINVAL;
    return parse_port(slice_from(s, s.len > 0), &url->port, why);
}

/* Takes "user:password@" off, which ends with the last '@'. */
static void take_user(struct http_slice *s, struct http_url *url)
{
    size_t n = s->len, colon;

    while (n > 0 && s->at[n - 1] != '@')
        n--;
    if (n > 1)
        url->user = slice_first(*s, n - 1);
    *s = slice_from(*s, n);
    colon = slice_span(url->user, ":");
    if (colon == url->user.len)
        return;
    url->password = slice_from(url->user, colon + 1);
    url->user.len = colon;
}

int http_parse_url(const char *s, struct http_url *url, const char **why)
{
    struct http_slice rest = slice_of(s), authority;
    int err;

    *url = (struct http_url){ .port = 80 };
    for (size_t i = 0; i < rest.len; i++) {
        if (s[i] == ' ' || is_control(s[i])) {
            *why = "a space or control character in it";
            return -EINVAL;
        }
    }
    err = take_scheme(&rest, why);
    if (err < 0)
        return err;
    authority = slice_first(rest, slice_span(rest, "/?#"));
    url->authority = authority;
    rest = slice_from(rest, authority.len);
    take_user(&authority, url);
    err = parse_host(authority, url, why);
    if (err < 0)
        return err;
    url->target = slice_first(rest, slice_span(rest, "#"));
    url->fragment = slice_from(rest, url->target.len);
    return 0;
}

static void write_target(struct text *t, const struct http_url *url)
{
    text_put(t, url->target.len > 0 && url->target.at[0] == '/' ? "" : "/");
    text_putn(t, url->target.at, url->target.len);
}

void http_write_url(struct text *t, const struct http_url *url)
{
    text_put(t, "http://");
    text_putn(t, url->authority.at, url->authority.len);
    write_target(t, url);
    text_putn(t, url->fragment.at, url->fragment.len);
}

void http_write_referer(struct text *t, const struct http_url *url)
{
    struct http_slice host = url->authority;
    size_t n = host.len;

    while (n > 0 && host.at[n - 1] != '@')
        n--;
    host = slice_from(host, n);
    text_put(t, "http://");
    text_putn(t, host.at, host.len);
    write_target(t, url);
}

bool http_same_host(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool http_same_origin(const struct http_url *a, const struct http_url *b)
{
    return a->port == b->port && a->is_ip6 == b->is_ip6 &&
           http_same_host(a->host, b->host);
}
