/* A slice: characters that lie in somebody else's buffer. What the HTTP parsers hand
 * out are slices of what they were given, good as long as that buffer is. */
#ifndef TAPIR_HTTP_SLICE_H
#define TAPIR_HTTP_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http/http_char.h"

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

/* Does it begin with s, whatever the case of ASCII letters? */
static inline bool slice_begins_nocase(struct http_slice a, const char *s)
{
    size_t len = strlen(s);
    return a.len >= len && (len == 0 || strncasecmp(a.at, s, len) == 0);
}

/* How many characters come before the first of `stops`, or before its end. */
static inline size_t slice_span(struct http_slice a, const char *stops)
{
    size_t n = 0;

    while (n < a.len && !is_one_of(a.at[n], stops))
        n++;
    return n;
}

/* How many of the class are at its beginning. */
static inline size_t slice_span_of(struct http_slice a, unsigned class)
{
    size_t n = 0;

    while (n < a.len && char_is(a.at[n], class))
        n++;
    return n;
}

/* Its first n characters; n is at most a.len. */
static inline struct http_slice slice_first(struct http_slice a, size_t n)
{
    return (struct http_slice){ a.at, n };
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

/* Takes everything up to the next comma off *rest, trimmed and maybe empty; false when
 * the last was taken, which *rest tells by having no address. For lists that must not
 * be read in two ways. */
static inline bool slice_next_item(struct http_slice *rest, struct http_slice *out)
{
    const char *comma = rest->len ? memchr(rest->at, ',', rest->len) : NULL;
    size_t n = comma ? (size_t)(comma - rest->at) : rest->len;

    if (!rest->at)
        return false;
    *out = slice_trim((struct http_slice){ rest->at, n });
    *rest = comma ? slice_from(*rest, n + 1) : (struct http_slice){ NULL, 0 };
    return true;
}

/* 1*DIGIT that fits in 64 bits and nothing else. */
static inline bool slice_number(struct http_slice a, uint64_t *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < a.len; i++) {
        unsigned digit = (unsigned)(unsigned char)a.at[i] - '0';
        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return a.len > 0;
}

#endif
