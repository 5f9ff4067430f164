/* The heap of deadlines. A struct deadline is embedded in whatever has one (a
 * connection, a half-open entry, a neighbour); the heap points to it and owns nothing
 * but its array. Deadlines that fall together surface in the order in which they were
 * armed (moving one that is armed keeps its turn), so that runs repeat exactly.
 *
 * A deadline that becomes earlier moves at once. One that becomes later stays where it
 * is and moves when it surfaces: a retransmission timer is pushed back by each ACK and
 * almost never fires, so most of its moves cost one store. */
#ifndef TAPIR_BASE_HEAP_H
#define TAPIR_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct deadline {
    usec at;       /* when it is due; NEVER when it is not armed */
    uint32_t slot; /* its place in the heap's array, plus one; 0 when not in it */
    uint8_t owner; /* what it is embedded in: a value of the heap user's own enum */
    bool holds;    /* it counts in heap.reserved: until heap_remove() */
};

/* A place in the heap. What is compared lies here and not with the deadline, which may
 * lie anywhere in memory. */
struct heap_place {
    usec key;       /* never later than of->at */
    uint64_t order; /* when it was armed: breaks ties */
    struct deadline *of;
};

struct heap {
    struct heap_place *at; /* array of n, owned; the earliest key at [0] */
    size_t n, cap;         /* in use, allocated */
    size_t reserved; /* places kept for deadlines whose owners live, armed or not */
    uint64_t armed;  /* deadlines armed so far: the next `order` */
};

void heap_init(struct heap *h);
void heap_free(struct heap *h);

/* Makes room for n deadlines more, so that heap_set() cannot fail for them. False when
 * there is no memory. Called where an owner of a deadline is made. */
bool heap_reserve(struct heap *h, size_t n);

void deadline_init(struct deadline *d, uint8_t owner);

/* Arms d for `at`, moves it, or (NEVER) disarms it. */
void heap_set(struct heap *h, struct deadline *d, usec at);

/* Takes d out, for an owner that is about to die, and gives its reserved place back. A
 * deadline that is to be used again is disarmed with heap_set() instead. */
void heap_remove(struct heap *h, struct deadline *d);

/* The earliest time that anything is due, or NEVER. */
usec heap_next(struct heap *h);

/* Is anything due at `now`? Costs less than heap_next(): what lies too early, but not
 * as early as that, need not be put in its place. */
bool heap_due(struct heap *h, usec now);

/* Takes out and returns the earliest deadline due at or before `now`, or NULL. Its `at`
 * is NEVER from then on. */
struct deadline *heap_pop(struct heap *h, usec now);

#endif
