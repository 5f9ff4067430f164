/* The classes of characters that the grammars of HTTP and of URIs speak of: octets, as
 * ASCII has them, whatever the locale. */
#ifndef TAPIR_HTTP_CHAR_H
#define TAPIR_HTTP_CHAR_H

#include <stdbool.h>
#include <stdint.h>

/* What an octet may be part of. */
enum {
    CHAR_CONTROL = 1,    /* and nothing else, but for the tab */
    CHAR_VALUE = 2,      /* a field's value (RFC 9110 s5.5), blanks and obs-text too */
    CHAR_TOKEN = 4,      /* RFC 9110 s5.6.2 */
    CHAR_UNRESERVED = 8, /* of every part of a URI, for itself (RFC 3986 s2.3) */
    CHAR_REG_NAME = 16,  /* RFC 3986 s3.2.2, as it stands; the comma is left out: it
                          * would make a list of the Host field */
};

extern const uint8_t http_char_class[256];

static inline bool char_is(char c, unsigned class)
{
    return http_char_class[(unsigned char)c] & class;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Is it one of `set`? A NUL never is. The sets are short and known where this is
 * inlined: comparisons, and no call. */
static inline bool is_one_of(char c, const char *set)
{
    while (*set && *set != c)
        set++;
    return *set != '\0';
}

static inline bool is_tchar(char c)
{
    return char_is(c, CHAR_TOKEN);
}

static inline bool is_control(char c)
{
    return char_is(c, CHAR_CONTROL);
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool is_unreserved(char c)
{
    return char_is(c, CHAR_UNRESERVED);
}

static inline char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
