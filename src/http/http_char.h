/* The classes of characters that the grammars of HTTP and of URIs speak of: octets, as
 * ASCII has them, whatever the locale. */
#ifndef TAPIR_HTTP_CHAR_H
#define TAPIR_HTTP_CHAR_H

#include <stdbool.h>

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

/* Of a token (RFC 9110 s5.6.2). */
static inline bool is_tchar(char c)
{
    return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

static inline bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Stands for itself in every part of a URI (RFC 3986 s2.3). */
static inline bool is_unreserved(char c)
{
    return is_alpha(c) || is_digit(c) || is_one_of(c, "-._~");
}

static inline char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
