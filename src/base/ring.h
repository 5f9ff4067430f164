/* A ring of bytes: a stream between a writer and a reader. The send buffer is one:
 * bytes stay in it, readable at any offset, until they are acknowledged. Memory is
 * taken at the first byte and given back by ring_trim() when it is empty, so an idle
 * connection costs none. */
#ifndef TAPIR_BASE_RING_H
#define TAPIR_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pkt.h"

enum { RING_SIZES = 4 }; /* 4, 16, 64 and 256 KiB */

/* Where rings have their memory. A larger one has pages of its own. */
struct ring_pool {
    struct slab_pool of[RING_SIZES];
};

struct ring {
    struct ring_pool *pool;
    uint8_t *buf; /* owned; NULL while nothing was written */
    size_t cap;   /* bytes allocated: a power of two, or 0 */
    size_t head;  /* where the first byte lies */
    size_t len;   /* bytes in it */
    size_t limit; /* most bytes it may hold */
};

void ring_pool_init(struct ring_pool *pool, struct slab_set *set);

/* Asserts that no ring has memory. */
void ring_pool_done(struct ring_pool *pool);

void ring_init(struct ring *r, struct ring_pool *pool, size_t limit);
void ring_free(struct ring *r);

/* Room up to the limit. */
static inline size_t ring_room(const struct ring *r)
{
    return r->len < r->limit ? r->limit - r->len : 0;
}

/* Appends as much of [at, at+len) as the limit and memory allow; how many bytes. The
 * allocation grows by doubling. */
size_t ring_write(struct ring *r, const void *at, size_t len);

/* The same in two steps: up to two rooms for up to len bytes more, how many rooms; and
 * n bytes stand there now, the first room filled first. */
int ring_rooms(struct ring *r, size_t len, struct room out[2]);
void ring_added(struct ring *r, size_t n);

/* Up to two pieces that cover [offset, offset+len) of what is in the ring; how many
 * pieces. The range lies within r->len. Good until the ring is written or dropped. */
int ring_pieces(const struct ring *r, size_t offset, size_t len, struct piece out[2]);

/* Copies [offset, offset+len) out; the range lies within r->len. */
void ring_read_at(const struct ring *r, size_t offset, void *out, size_t len);

/* Removes the first n bytes; n is at most r->len. */
void ring_drop(struct ring *r, size_t n);

/* Gives the memory back if the ring is empty. */
void ring_trim(struct ring *r);

#endif
