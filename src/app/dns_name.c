/* A pointer stands for the rest of a name and leads to a prior place in the message
 * (RFC 1035 s4.1.4). Every one that is followed must lead before all that was read of
 * the name so far, so a loop cannot be written; and no name is longer than 255 bytes.
 */
#include "app/dns_name.h"

#include <string.h>

#include "base/bytes.h"

enum { LABEL_MAX = 63, POINTER = 0xc0 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool put_label(struct dns_name *name, const uint8_t *at, size_t n)
{
    if (name->len + 1 + n > DNS_NAME_MAX)
        return false;
    name->b[name->len] = (uint8_t)n;
    if (n)
        memcpy(name->b + name->len + 1, at, n);
    name->len = (uint8_t)(name->len + 1 + n);
    return true;
}

static bool is_plain(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] <= ' ' || at[i] > '~' || at[i] == '\\')
            return false;
    return true;
}

bool dns_name_from_text(const char *text, struct dns_name *out)
{
    out->len = 0;
    if (strcmp(text, ".") == 0)
        text = "";
    else if (*text == '\0')
        return false;
    while (*text) {
        size_t n = strcspn(text, ".");
        if (n == 0 || n > LABEL_MAX || !is_plain(text, n) ||
            !put_label(out, (const uint8_t *)text, n))
            return false;
        text += n + (text[n] == '.');
    }
    return put_label(out, NULL, 0);
}

static void print_byte(struct text *t, uint8_t c)
{
    if (c <= ' ' || c > '~') {
        text_char(t, '\\');
        text_u64_width(t, c, 3);
        return;
    }
    if (strchr(".\\\"();@$", c))
        text_char(t, '\\');
    text_char(t, (char)c);
}

void dns_name_print(struct text *t, const struct dns_name *name)
{
    size_t at = 0;

    if (name->len == 1)
        text_char(t, '.');
    while (at + 1 < name->len) {
        size_t n = name->b[at++];
        for (size_t i = 0; i < n; i++)
            print_byte(t, name->b[at + i]);
        at += n;
        if (at + 1 < name->len)
            text_char(t, '.');
    }
}

/* Lengths of labels are below 'A', so they compare as they stand. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && same(a->b, b->b, a->len);
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
    size_t at = 0;

    while (name->len - at > zone->len)
        at += 1 + (size_t)name->b[at];
    return name->len - at == zone->len && same(name->b + at, zone->b, zone->len);
}

size_t dns_name_read(const uint8_t *msg, size_t len, size_t at, struct dns_name *out)
{
    size_t end = 0, begin = at; /* behind the name; where this run of labels began */

    out->len = 0;
    while (at < len) {
        size_t n = msg[at];
        if (n <= LABEL_MAX) {
            if (n >= len - at || !put_label(out, msg + at + 1, n))
                return 0;
            at += 1 + n;
            if (n == 0)
                return end ? end : at;
            continue;
        }
        if (n < POINTER || len - at < 2)
            return 0;
        n = get16(msg + at) & 0x3fffU;
        if (n >= begin)
            return 0;
        end = end ? end : at + 2;
        at = begin = n;
    }
    return 0;
}
