/* Base64 (RFC 4648 s4) makes four characters of three bytes: six bits each, through a
 * register that bytes enter and characters leave. Reading is strict (s3.5): padding is
 * there, and the bits that it hides are zero, so that one text has one encoding. */
#include "http/http_auth.h"

#include <stdint.h>

#include "http/http_char.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz"
                             "0123456789+/";

struct base64 {
    struct text *t;
    uint32_t bits; /* the last n of them are not out yet */
    int n;
    int bytes; /* taken, modulo 3 */
};

static void put_byte(struct base64 *b, char c)
{
    b->bits = b->bits << 8 | (unsigned char)c;
    b->bytes = (b->bytes + 1) % 3;
    for (b->n += 8; b->n >= 6; b->n -= 6)
        text_char(b->t, digits[b->bits >> (b->n - 6) & 63]);
}

static void put_slice(struct base64 *b, struct http_slice s, bool encoded)
{
    for (size_t i = 0; i < s.len; i++) {
        bool code = encoded && s.at[i] == '%' && i + 2 < s.len &&
                    text_hex_digit(s.at[i + 1]) >= 0 &&
                    text_hex_digit(s.at[i + 2]) >= 0;
        if (!code) {
            put_byte(b, s.at[i]);
            continue;
        }
        put_byte(
            b, (char)(text_hex_digit(s.at[i + 1]) << 4 | text_hex_digit(s.at[i + 2])));
        i += 2;
    }
}

static void finish(struct base64 *b)
{
    int missing = (3 - b->bytes) % 3;

    if (b->n > 0)
        text_char(b->t, digits[b->bits << (6 - b->n) & 63]);
    text_putn(b->t, "==", (size_t)missing);
}

void http_write_basic(struct text *t, struct http_slice user,
                      struct http_slice password, bool encoded)
{
    struct base64 b = { .t = t };

    text_put(t, "Basic ");
    put_slice(&b, user, encoded);
    put_byte(&b, ':');
    put_slice(&b, password, encoded);
    finish(&b);
}

/* Bytes of the decoded text, or -1. */
static int decode(struct http_slice s, char *out, size_t cap)
{
    size_t padding = 0, n = 0;
    uint32_t bits = 0;
    int have = 0;

    if (s.len % 4 != 0)
        return -1;
    while (padding < 2 && s.len > 0 && s.at[s.len - 1] == '=') {
        s.len--;
        padding++;
    }
    for (size_t i = 0; i < s.len; i++) {
        const char *digit = is_one_of(s.at[i], digits) ? strchr(digits, s.at[i]) : NULL;
        if (!digit)
            return -1;
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (n == cap)
            return -1;
        out[n++] = (char)(bits >> have);
    }
    return (bits & ((1u << have) - 1)) == 0 ? (int)n : -1;
}

bool http_parse_basic(struct http_slice value, char *out, size_t cap,
                      struct http_slice *user, struct http_slice *password)
{
    struct http_slice text;
    size_t colon;
    int n;

    if (!slice_begins_nocase(value, "Basic "))
        return false;
    n = decode(slice_trim(slice_from(value, 6)), out, cap);
    if (n < 0)
        return false;
    text = (struct http_slice){ out, (size_t)n };
    /* RFC 7617 s2: neither part has control characters; the first colon ends the name.
     */
    for (size_t i = 0; i < text.len; i++)
        if (is_control(text.at[i]))
            return false;
    colon = slice_span(text, ":");
    if (colon == text.len)
        return false;
    *user = slice_first(text, colon);
    *password = slice_from(text, colon + 1);
    return true;
}
