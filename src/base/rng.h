/* The random generator of a stack: xoshiro256**, seeded by one number through
 * splitmix64. The same seed gives the same numbers. Not for secrets by itself: a live
 * stack is seeded from getrandom(2) at the edge, and what must not be guessed goes
 * through siphash. */
#ifndef TAPIR_BASE_RNG_H
#define TAPIR_BASE_RNG_H

#include <stdint.h>

#include "base/siphash.h"

struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);

/* Uniform in [0, n), without bias; n is at least 1. */
uint64_t rng_below(struct rng *r, uint64_t n);

struct siphash_key rng_key(struct rng *r);

#endif
