/* A slice: characters that lie in somebody else's buffer. What the HTTP parsers hand
 * out are slices of what they were given, good as long as that buffer is. */
#ifndef TAPIR_HTTP_SLICE_H
#define TAPIR_HTTP_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct http_slice {
    const char *at; /* not terminated; may be NULL when len is 0 */
    size_t len;     /* characters */
};

static inline struct http_slice slice_of(const char *s)
{
    return (struct http_slice){ s, strlen(s) };
}

/* Is it exactly s? */
static inline bool slice_is(struct http_slice a, const char *s)
{
    size_t len = strlen(s);
    return a.len == len && (len == 0 || memcmp(a.at, s, len) == 0);
}

/* The same without regard to the case of ASCII letters. */
static inline bool slice_is_nocase(struct http_slice a, const char *s)
{
    size_t len = strlen(s);
    return a.len == len && (len == 0 || strncasecmp(a.at, s, len) == 0);
}

/* All of it from character n on; n is at most a.len. */
static inline struct http_slice slice_from(struct http_slice a, size_t n)
{
    return n ? (struct http_slice){ a.at + n, a.len - n } : a;
}

/* Without the spaces and tabs at both ends (OWS, RFC 9110 s5.6.3). */
static inline struct http_slice slice_trim(struct http_slice a)
{
    while (a.len > 0 && (a.at[0] == ' ' || a.at[0] == '\t'))
        a = slice_from(a, 1);
    while (a.len > 0 && (a.at[a.len - 1] == ' ' || a.at[a.len - 1] == '\t'))
        a.len--;
    return a;
}

/* Takes the next element of a comma-separated list off *rest, trimmed; false when
 * nothing is left. Empty elements are skipped (RFC 9110 s5.6.1.2). */
static inline bool slice_next_element(struct http_slice *rest, struct http_slice *out)
{
    while (rest->len > 0) {
        const char *comma = memchr(rest->at, ',', rest->len);
        size_t n = comma ? (size_t)(comma - rest->at) : rest->len;
        *out = slice_trim((struct http_slice){ rest->at, n });
        *rest = slice_from(*rest, comma ? n + 1 : n);
        if (out->len > 0)
            return true;
    }
    return false;
}

#endif
