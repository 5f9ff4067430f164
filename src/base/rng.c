/* How it works.
 *
 * xoshiro256** (Blackman and Vigna, 2018) has 256 bits of state and must not start at
 * all zeros; splitmix64 spreads one seed over them, so that even the seeds 0 and 1 give
 * unlike sequences. */
#include "base/rng.h"

#include <assert.h>

static uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    /* The lowest 2^64 mod n numbers would make the low remainders likelier. */
    uint64_t uneven = (0 - n) % n;
    uint64_t x;
    do
        x = rng_next(r);
    while (x < uneven);
    return x % n;
}

struct siphash_key rng_key(struct rng *r)
{
    struct siphash_key key;
    key.k[0] = rng_next(r);
    key.k[1] = rng_next(r);
    return key;
}
