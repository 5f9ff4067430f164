/* Bounded strings: text that is built piece by piece in a caller's buffer, is always
 * terminated, and remembers when it did not fit. No printf: this lies below edge. */
#ifndef TAPIR_BASE_TEXT_H
#define TAPIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *at;   /* the caller's buffer, always terminated */
    size_t len; /* characters in it, without the NUL */
    size_t cap; /* size of the buffer */
    bool cut;   /* something did not fit */
};

/* Begins an empty text in buf; cap is at least 1. */
void text_init(struct text *t, char *buf, size_t cap);

void text_put(struct text *t, const char *s);
void text_putn(struct text *t, const char *s, size_t n);
void text_char(struct text *t, char c);
void text_u64(struct text *t, uint64_t n);
void text_i64(struct text *t, int64_t n);

/* At least `width` digits, filled with zeros from the left. */
void text_u64_width(struct text *t, uint64_t n, int width);
void text_hex(struct text *t, uint64_t n, int width);

/* The value of a hexadecimal digit, -1 for any other character. */
int text_hex_digit(char c);

/* A whole decimal number in [0, max] and nothing else; false otherwise. */
bool text_parse_u64(const char *s, uint64_t max, uint64_t *out);

#endif
