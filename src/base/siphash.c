/* How it works.
 *
 * Four words of state are set from the key and mixed: two rounds (one) for each eight
 * bytes of input (little-endian), the last word carrying the length in its top byte,
 * and four rounds (three) at the end. */
#include "base/siphash.h"

#include <string.h>

struct sip {
    uint64_t a, b, c, d; /* v0 to v3 of the paper */
};

static inline uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline uint64_t load64_le(const uint8_t *at)
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | at[i];
    return word;
}

static inline void sip_round(struct sip *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotl(s->b, 13) ^ s->a;
    s->d = rotl(s->d, 16) ^ s->c;
    s->a = rotl(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotl(s->b, 17) ^ s->c;
    s->d = rotl(s->d, 21) ^ s->a;
    s->c = rotl(s->c, 32);
}

static inline void sip_rounds(struct sip *s, int n)
{
    for (int i = 0; i < n; i++)
        sip_round(s);
}

static inline void sip_word(struct sip *s, uint64_t word, int rounds)
{
    s->d ^= word;
    sip_rounds(s, rounds);
    s->a ^= word;
}

/* So many rounds a word, and at the end. */
static inline uint64_t sip(const struct siphash_key *key, const void *at, size_t len,
                           int rounds, int last_rounds)
{
    struct sip s = {
        key->k[0] ^ 0x736f6d6570736575u, /* "somepseudorandomlygeneratedbytes" */
        key->k[1] ^ 0x646f72616e646f6du,
        key->k[0] ^ 0x6c7967656e657261u,
        key->k[1] ^ 0x7465646279746573u,
    };
    const uint8_t *in = at;
    size_t left = len;
    for (; left >= 8; in += 8, left -= 8)
        sip_word(&s, load64_le(in), rounds);
    uint8_t last[8] = { 0 };
    if (left > 0)
        memcpy(last, in, left);
    last[7] = (uint8_t)len;
    sip_word(&s, load64_le(last), rounds);
    s.c ^= 0xff;
    sip_rounds(&s, last_rounds);
    return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t siphash(const struct siphash_key *key, const void *at, size_t len)
{
    return sip(key, at, len, 2, 4);
}

uint64_t siphash13(const struct siphash_key *key, const void *at, size_t len)
{
    return sip(key, at, len, 1, 3);
}
