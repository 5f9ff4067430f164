/* Blocks of one size, cut out of slabs of pages. What the stack makes many of
 * (connections, packets, first send buffers) comes from such pools: a block costs
 * nothing beside its bytes, the next one is found at once, and when the many are gone
 * their memory goes back to the kernel, whatever else was allocated meanwhile.
 *
 * Slabs that have become empty are kept for a while, since load comes in waves:
 * slab_set_trim(), called now and then, gives back those that were not needed since it
 * was called last. One that was hardly touched stays, so that light use neither asks
 * the kernel for memory nor has a reason to trim. */
#ifndef TAPIR_BASE_SLAB_H
#define TAPIR_BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Pools that are trimmed together. */
struct slab_set {
    struct list pools; /* struct slab_pool.node */
    size_t spare;      /* empty slabs that a trim may give back */
};

struct slab_pool {
    struct list node;     /* in set->pools */
    struct slab_set *set; /* NULL: never trimmed */
    struct list some;     /* slabs with blocks used and blocks free */
    struct list full;     /* slabs with no free block */
    struct list empty;    /* slabs with no used block, the warmest first */
    size_t size;          /* bytes of a block */
    size_t slab_bytes;    /* bytes of a slab: a power of two */
    uint32_t per_slab;    /* blocks in it */
    size_t used;          /* blocks handed out */
    size_t n_slabs;       /* slabs of any kind */
    size_t n_empty;       /* empty ones ... */
    size_t least_empty;   /* ... the fewest since the last trim ... */
    size_t most_empty;    /* ... and the most that are kept at all */
    size_t spare;         /* empty ones that a trim may give back */
};

void slab_set_init(struct slab_set *set);

/* Gives back the slabs that no pool of the set needed since the last time. */
void slab_set_trim(struct slab_set *set);

/* Blocks of `size` bytes, aligned as malloc's. At most `keep` empty bytes stay in it
 * (one slab at least). `set` may be NULL. */
void slab_init(struct slab_pool *pool, struct slab_set *set, size_t size, size_t keep);

/* Frees the slabs. Asserts that no block is used. */
void slab_done(struct slab_pool *pool);

/* A block, its bytes undefined; NULL when there is no memory. */
void *slab_new(struct slab_pool *pool);

/* The same, all zero. */
void *slab_new_zero(struct slab_pool *pool);

/* Makes the next n calls of slab_new() certain to find memory, if no others come
 * between. False: there is none. */
bool slab_reserve(struct slab_pool *pool, size_t n);

/* Gives it back; NULL is fine. */
void slab_free(struct slab_pool *pool, void *block);

#endif
