/* The clock of a live link: microseconds since it was started, from CLOCK_MONOTONIC. */
#ifndef TAPIR_EDGE_CLOCK_H
#define TAPIR_EDGE_CLOCK_H

#include <time.h>

#include "base/time.h"

struct clock {
    int64_t start; /* CLOCK_MONOTONIC at time 0, nanoseconds */
    int64_t epoch; /* CLOCK_REALTIME at time 0, microseconds */
};

void clock_start(struct clock *c);
usec clock_read(const struct clock *c);

/* How long from `now` until `until`, as ppoll(2) and futex(2) take it: NULL for ever,
 * zero when it is past. Uses *room. */
struct timespec *clock_until(usec now, usec until, struct timespec *room);

#endif
