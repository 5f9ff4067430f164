/* Frames and the times that they wait for: the emulator's two waiting rooms, that in
 * front of the bottleneck (ordered by arrival) and that of the frames in flight
 * (ordered by delivery). A frame that is pushed behind all others costs one comparison,
 * one that has to be sorted in or is taken out a number that grows with the logarithm.
 * Frames of the same time come out in the order in which they were pushed. */
#ifndef TAPIR_EDGE_NETEM_QUEUE_H
#define TAPIR_EDGE_NETEM_QUEUE_H

#include "base/pkt.h"

struct netem_item {
    usec at;        /* what it waits for, or when it came */
    uint64_t order; /* when it was pushed: breaks ties */
    struct pkt *p;  /* owned */
    usec hold;      /* what a script adds to its way, for the bottleneck to pass on */
};

struct netem_queue {
    struct netem_item *item; /* a heap: the earliest at [0]; owned */
    size_t n, cap;           /* in use, allocated */
    uint64_t pushed;         /* items so far: the next `order` */
    size_t bytes;            /* of all frames in it */
};

/* Takes p, unless memory has run out: then false, and p stays the caller's. */
bool netem_queue_push(struct netem_queue *q, struct pkt *p, usec at, usec hold);

/* The earliest one, or NULL. */
static inline const struct netem_item *netem_queue_first(const struct netem_queue *q)
{
    return q->n ? &q->item[0] : NULL;
}

/* Takes the earliest one out; there is one. */
struct netem_item netem_queue_pop(struct netem_queue *q);

/* Frees the frames and the queue's memory; q is an empty queue then. */
void netem_queue_free(struct netem_queue *q);

#endif
