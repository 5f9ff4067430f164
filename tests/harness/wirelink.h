/* A link that keeps a copy of every frame it is given, for tests to look at. */
#ifndef TAPIR_TESTS_WIRELINK_H
#define TAPIR_TESTS_WIRELINK_H

#include "net/netif.h"

struct wirelink {
    struct link link;      /* for netif.link */
    struct pkt_pool pool;  /* of the copies */
    struct pkt_queue sent; /* copies, oldest first, contiguous, metadata kept */
    size_t takes;          /* frames it still takes before it says -EAGAIN */
};

/* A link with LINK_CSUM and LINK_TSO as in caps, which takes all it is given. */
void wirelink_init(struct wirelink *w, uint32_t caps);

/* Forgets what it has; asserts that no copy is held elsewhere. */
void wirelink_free(struct wirelink *w);

/* The oldest frame, to be given to pkt_free(); NULL: no more. */
struct pkt *wirelink_pop(struct wirelink *w);

/* Forgets the frames it has. */
void wirelink_clear(struct wirelink *w);

#endif
