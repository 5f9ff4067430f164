/* How it works.
 *
 * Everything goes through text_putn(), which takes what fits, terminates and remembers
 * whether something was left out. Only a full text is ever cut, so nothing can follow
 * what is missing. Numbers are written backwards into a small array first. */
#include "base/text.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum { DIGITS_MAX = 64 }; /* digits of a number, filling included */

void text_init(struct text *t, char *buf, size_t cap)
{
    assert(cap > 0);
    *t = (struct text){ .at = buf, .cap = cap };
    buf[0] = '\0';
}

void text_putn(struct text *t, const char *s, size_t n)
{
    size_t room = t->cap - 1 - t->len;
    size_t fits = min_size(n, room);
    if (fits > 0)
        memcpy(t->at + t->len, s, fits);
    t->len += fits;
    t->at[t->len] = '\0';
    t->cut |= fits < n;
}

void text_put(struct text *t, const char *s)
{
    text_putn(t, s, strlen(s));
}

void text_char(struct text *t, char c)
{
    if (t->len + 1 == t->cap) {
        t->cut = true;
        return;
    }
    t->at[t->len++] = c;
    t->at[t->len] = '\0';
}

/* Inlined for each base, so that no division is a real one. */
static inline void put_number(struct text *t, uint64_t n, unsigned base, int width)
{
    char digits[DIGITS_MAX];
    int i = DIGITS_MAX;
    int stop = DIGITS_MAX - (width < DIGITS_MAX ? width : DIGITS_MAX);
    do {
        digits[--i] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n > 0);
    while (i > stop)
        digits[--i] = '0';
    text_putn(t, digits + i, (size_t)(DIGITS_MAX - i));
}

static void put_decimal(struct text *t, uint64_t n, int width)
{
    put_number(t, n, 10, width);
}

void text_u64(struct text *t, uint64_t n)
{
    put_decimal(t, n, 1);
}

void text_i64(struct text *t, int64_t n)
{
    if (n < 0)
        text_char(t, '-');
    text_u64(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void text_u64_width(struct text *t, uint64_t n, int width)
{
    put_decimal(t, n, width);
}

void text_hex(struct text *t, uint64_t n, int width)
{
    put_number(t, n, 16, width);
}

bool text_parse_u64(const char *s, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9')
            return false;
        uint64_t digit = (uint64_t)(*s - '0');
        if (n > (max - digit) / 10 || digit > max)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}
