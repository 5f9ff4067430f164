/* CoDel (RFC 8289), the queue management that looks at how long frames waited instead
 * of how many there are: a queue that comes and goes is left alone, one that stands
 * longer than an interval above the target loses a frame, then the next one sooner,
 * until it is below. */
#ifndef TAPIR_EDGE_NETEM_CODEL_H
#define TAPIR_EDGE_NETEM_CODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct netem_codel {
    bool on;
    usec target;   /* what waiting is acceptable */
    usec interval; /* how long more of it is: a round trip of the slowest flows */
};

struct netem_codel_state {
    usec above;          /* when waiting will have been too long for an interval; 0: it
                          * is not too long */
    usec next;           /* while dropping: when the next frame is due for it */
    uint32_t count;      /* frames dropped since dropping began */
    uint32_t last_count; /* count when it began */
    bool dropping;
};

/* A frame leaves the queue at `now` after waiting for `waited`, and `backlog` bytes
 * stay behind. True when it is to be dropped, or marked in a drop's place. */
bool netem_codel_hits(struct netem_codel_state *s, const struct netem_codel *config,
                      usec now, usec waited, size_t backlog);

#endif
