/* Addresses: comparison, classes, text.
 *
 * An IPv4 address lives in the last four of sixteen bytes behind the prefix
 * ::ffff:0:0/96; the functions below that ask about IPv4 test the prefix first, so an
 * IPv6 address is never taken for one. Text is read strictly: one spelling an address,
 * since a lenient reader (010 as eight, 192.2 as 192.0.0.2) and a strict one next to
 * each other make two policies out of one rule. */
#include "wire/addr.h"

#include <string.h>

#include "base/bytes.h"

const struct mac_addr mac_broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

const struct ip_addr ip_any4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };

bool mac_eq(struct mac_addr a, struct mac_addr b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool mac_is_multicast(struct mac_addr a)
{
    return a.b[0] & 1;
}

struct ip_addr ip4_addr(uint32_t n)
{
    struct ip_addr a = ip_any4;
    put32(a.b + 12, n);
    return a;
}

uint32_t ip4_num(struct ip_addr a)
{
    return get32(a.b + 12);
}

bool ip_is4(struct ip_addr a)
{
    return memcmp(a.b, ip_any4.b, 12) == 0;
}

bool ip_eq(struct ip_addr a, struct ip_addr b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool ip_is_any(struct ip_addr a)
{
    static const struct ip_addr any6;
    return ip_eq(a, ip_any4) || ip_eq(a, any6);
}

bool ip_is_loopback(struct ip_addr a)
{
    static const struct ip_addr one6 = { { [15] = 1 } };
    if (ip_is4(a))
        return a.b[12] == 127;
    return ip_eq(a, one6);
}

bool ip_is_multicast(struct ip_addr a)
{
    if (ip_is4(a))
        return a.b[12] >> 4 == 0xe;
    return a.b[0] == 0xff;
}

bool ip_is_limited_broadcast(struct ip_addr a)
{
    return ip_is4(a) && ip4_num(a) == 0xffffffff;
}

bool ip_same_net(struct ip_addr a, struct ip_addr b, unsigned prefix)
{
    if (ip_is4(a) != ip_is4(b))
        return false;
    unsigned bits = ip_is4(a) ? prefix + 96 : prefix;
    if (bits > 128)
        bits = 128;
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a.b, b.b, whole) != 0)
        return false;
    return rest == 0 || (a.b[whole] ^ b.b[whole]) >> (8 - rest) == 0;
}

struct ip_addr ip4_subnet_broadcast(struct ip_addr a, unsigned prefix)
{
    uint32_t host = prefix >= 32 ? 0 : 0xffffffff >> prefix;
    return ip4_addr(ip4_num(a) | host);
}

/* A decimal number in [0, max] without leading zeros at *s, which moves behind it. */
static bool take_number(const char **s, unsigned max, unsigned *out)
{
    const char *at = *s;
    unsigned n = 0;

    if (*at < '0' || *at > '9' || (*at == '0' && at[1] >= '0' && at[1] <= '9'))
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        n = n * 10 + (unsigned)(*at - '0');
        if (n > max)
            return false;
    }
    *out = n;
    *s = at;
    return true;
}

/* Four numbers and three dots at *s, which moves behind them. */
static bool take_ip4(const char **s, struct ip_addr *out)
{
    struct ip_addr a = ip_any4;

    for (int i = 0; i < 4; i++) {
        unsigned n;
        if (i > 0 && *(*s)++ != '.')
            return false;
        if (!take_number(s, 255, &n))
            return false;
        a.b[12 + i] = (uint8_t)n;
    }
    *out = a;
    return true;
}

bool ip_parse(const char *s, struct ip_addr *out)
{
    struct ip_addr a;

    if (!take_ip4(&s, &a) || *s != '\0')
        return false;
    *out = a;
    return true;
}

int ip_parse_list(const char *s, struct ip_addr *out, int room)
{
    for (int n = 0; n < room; n++) {
        if (!take_ip4(&s, &out[n]))
            return -1;
        if (*s == '\0')
            return n + 1;
        if (*s++ != ',')
            return -1;
    }
    return -1;
}

bool ip_parse_prefix(const char *s, struct ip_addr *out, unsigned *prefix)
{
    struct ip_addr a;
    unsigned p;

    if (!take_ip4(&s, &a) || *s++ != '/' || !take_number(&s, 32, &p) || *s != '\0')
        return false;
    *out = a;
    *prefix = p;
    return true;
}

bool mac_parse(const char *s, struct mac_addr *out)
{
    struct mac_addr a;

    for (int i = 0; i < 6; i++) {
        if (i > 0 && *s++ != ':')
            return false;
        int high = text_hex_digit(s[0]);
        int low = high < 0 ? -1 : text_hex_digit(s[1]);
        if (low < 0)
            return false;
        a.b[i] = (uint8_t)(high << 4 | low);
        s += 2;
    }
    if (*s != '\0')
        return false;
    *out = a;
    return true;
}

static void ip6_print(struct text *t, struct ip_addr a)
{
    for (int i = 0; i < 16; i += 2) {
        if (i > 0)
            text_char(t, ':');
        text_hex(t, get16(a.b + i), 1);
    }
}

void ip_print(struct text *t, struct ip_addr a)
{
    if (!ip_is4(a)) {
        ip6_print(t, a);
        return;
    }
    for (int i = 12; i < 16; i++) {
        if (i > 12)
            text_char(t, '.');
        text_u64(t, a.b[i]);
    }
}

void mac_print(struct text *t, struct mac_addr a)
{
    for (int i = 0; i < 6; i++) {
        if (i > 0)
            text_char(t, ':');
        text_hex(t, a.b[i], 2);
    }
}
