/* How it works.
 *
 *     slab, aligned to its size
 *     | struct slab | block | block | block | ... |
 *                      used    free --> free --> (never used yet)
 *
 * Free blocks of a slab are chained through their own first bytes, the last one freed
 * first; those behind `fresh` were never handed out, and their pages never touched. A
 * block's slab is its address with the low bits cleared.
 *
 *     full ──free──► some ──free──► empty ──too many, or trimmed──► kernel
 *          ◄──new───      ◄──new───
 *
 * New blocks come from slabs that are partly used, those that were full last first:
 * so the fuller ones fill up and the emptier ones run empty.
 *
 * AddressSanitizer knows malloc's blocks, not these; where it is linked in, it is told
 * which bytes are free (its functions are weak symbols here, NULL without it). */
#include "base/slab.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/pages.h"

enum {
    ALIGN = 16,         /* of blocks */
    TOUCHED = 16384,    /* bytes of an empty slab that may stay */
    SLAB_MIN = 65536,   /* bytes of a slab of small blocks */
    SLAB_BLOCKS = 8,    /* least number of blocks for which a slab grows ... */
    SLAB_MOST = 131072, /* ... up to this size, but for a block that is larger */
};

/* A free block. */
struct gap {
    struct gap *next;
};

struct slab {
    struct list node; /* in its pool: some, full or empty */
    struct gap *gaps; /* free blocks that were used before */
    uint32_t used;    /* blocks handed out */
    uint32_t fresh;   /* blocks ever handed out */
};

enum { HEAD = (sizeof(struct slab) + ALIGN - 1) / ALIGN * ALIGN };

void __asan_poison_memory_region(const volatile void *at, size_t n)
    __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *at, size_t n)
    __attribute__((weak));

static void forbid(const void *at, size_t n)
{
    if (__asan_poison_memory_region)
        __asan_poison_memory_region(at, n);
}

static void permit(const void *at, size_t n)
{
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(at, n);
}

static struct slab *slab_of(const struct slab_pool *pool, void *block)
{
    return (struct slab *)((uintptr_t)block & ~(uintptr_t)(pool->slab_bytes - 1));
}

void slab_set_init(struct slab_set *set)
{
    list_init(&set->pools);
    set->spare = 0;
}

static size_t slab_size_for(size_t block)
{
    size_t bytes = SLAB_MIN;

    while (bytes < HEAD + block ||
           (bytes < SLAB_MOST && bytes < HEAD + SLAB_BLOCKS * block))
        bytes *= 2;
    return bytes;
}

void slab_init(struct slab_pool *pool, struct slab_set *set, size_t size, size_t keep)
{
    *pool = (struct slab_pool){ .set = set };
    list_init(&pool->some);
    list_init(&pool->full);
    list_init(&pool->empty);
    list_init(&pool->node);
    pool->size = (size + ALIGN - 1) / ALIGN * ALIGN;
    pool->slab_bytes = slab_size_for(pool->size);
    pool->per_slab = (uint32_t)((pool->slab_bytes - HEAD) / pool->size);
    pool->most_empty = keep > pool->slab_bytes ? keep / pool->slab_bytes : 1;
    if (set)
        list_add_tail(&set->pools, &pool->node);
}

/* --- slabs ----------------------------------------------------------------------- */

/* The warmest empty slab stays if it holds few pages. */
static bool one_stays(const struct slab_pool *pool)
{
    if (list_empty(&pool->empty))
        return false;
    const struct slab *slab = list_entry(pool->empty.next, struct slab, node);
    return HEAD + slab->fresh * pool->size <= TOUCHED;
}

/* An empty slab came or went. */
static void count_empty(struct slab_pool *pool, size_t n)
{
    size_t spare = n - one_stays(pool);

    pool->n_empty = n;
    if (n < pool->least_empty)
        pool->least_empty = n;
    if (pool->set)
        pool->set->spare += spare - pool->spare;
    pool->spare = spare;
}

static struct slab *slab_grow(struct slab_pool *pool)
{
    struct slab *slab = pages_new_aligned(pool->slab_bytes);
    if (!slab)
        return NULL;
    list_init(&slab->node);
    forbid((char *)slab + HEAD, pool->slab_bytes - HEAD);
    pool->n_slabs++;
    return slab;
}

/* The coldest empty slab goes. */
static void slab_shrink(struct slab_pool *pool)
{
    struct slab *slab = list_entry(pool->empty.prev, struct slab, node);

    list_del(&slab->node);
    count_empty(pool, pool->n_empty - 1);
    pool->n_slabs--;
    permit(slab, pool->slab_bytes);
    pages_free(slab, pool->slab_bytes);
}

static void trim(struct slab_pool *pool)
{
    size_t idle = min_size(pool->least_empty, pool->spare);

    while (idle-- > 0)
        slab_shrink(pool);
    pool->least_empty = pool->n_empty;
}

void slab_set_trim(struct slab_set *set)
{
    list_each (at, &set->pools)
        trim(list_entry(at, struct slab_pool, node));
}

void slab_done(struct slab_pool *pool)
{
    assert(pool->used == 0);
    while (pool->n_empty > 0)
        slab_shrink(pool);
    list_del(&pool->node);
}

/* --- blocks ---------------------------------------------------------------------- */

/* A slab with a free block, in `some`; NULL when there is no memory. */
static struct slab *slab_with_room(struct slab_pool *pool)
{
    struct slab *slab;

    if (!list_empty(&pool->some))
        return list_entry(pool->some.next, struct slab, node);
    if (pool->n_empty > 0) {
        slab = list_entry(list_pop(&pool->empty), struct slab, node);
        count_empty(pool, pool->n_empty - 1);
    } else {
        slab = slab_grow(pool);
    }
    if (slab)
        list_add_head(&pool->some, &slab->node);
    return slab;
}

static void *take_block(const struct slab_pool *pool, struct slab *slab)
{
    void *block = slab->gaps;

    if (!block)
        block = (char *)slab + HEAD + slab->fresh++ * pool->size;
    permit(block, pool->size);
    if (slab->gaps)
        slab->gaps = slab->gaps->next;
    slab->used++;
    return block;
}

void *slab_new(struct slab_pool *pool)
{
    struct slab *slab = slab_with_room(pool);
    if (!slab)
        return NULL;
    void *block = take_block(pool, slab);
    if (slab->used == pool->per_slab) {
        list_del(&slab->node);
        list_add_head(&pool->full, &slab->node);
    }
    pool->used++;
    return block;
}

void *slab_new_zero(struct slab_pool *pool)
{
    void *block = slab_new(pool);
    return block ? memset(block, 0, pool->size) : NULL;
}

bool slab_reserve(struct slab_pool *pool, size_t n)
{
    while (pool->n_slabs * pool->per_slab - pool->used < n) {
        struct slab *slab = slab_grow(pool);
        if (!slab)
            return false;
        list_add_tail(&pool->empty, &slab->node);
        count_empty(pool, pool->n_empty + 1);
    }
    return true;
}

void slab_free(struct slab_pool *pool, void *block)
{
    if (!block)
        return;
    struct slab *slab = slab_of(pool, block);
    struct gap *gap = block;
    assert(slab->used > 0 && pool->used > 0);
    gap->next = slab->gaps;
    slab->gaps = gap;
    forbid(block, pool->size);
    pool->used--;
    if (slab->used-- == pool->per_slab || slab->used == 0) {
        list_del(&slab->node);
        list_add_head(slab->used ? &pool->some : &pool->empty, &slab->node);
    }
    if (slab->used > 0)
        return;
    count_empty(pool, pool->n_empty + 1);
    if (pool->n_empty > pool->most_empty)
        slab_shrink(pool);
}
