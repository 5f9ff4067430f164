/* Time within a stack is a count from 0, so that it means the same on a live link and
 * in a simulation. On a live link it is CLOCK_MONOTONIC less its value at the start: it
 * never jumps, whatever happens to the wall clock. The wall clock is read once, for
 * what must differ from run to run (struct stack_config's epoch) and for the time
 * stamps of captures. */
#include "edge/clock.h"

static int64_t nanoseconds(clockid_t which)
{
    struct timespec ts;

    clock_gettime(which, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void clock_start(struct clock *c)
{
    c->epoch = nanoseconds(CLOCK_REALTIME) / 1000;
    c->start = nanoseconds(CLOCK_MONOTONIC);
}

usec clock_read(const struct clock *c)
{
    return (nanoseconds(CLOCK_MONOTONIC) - c->start) / 1000;
}

struct timespec *clock_until(usec now, usec until, struct timespec *room)
{
    usec left = until > now ? until - now : 0;

    if (until == NEVER)
        return NULL;
    room->tv_sec = (time_t)(left / USEC_PER_SEC);
    room->tv_nsec = (long)(left % USEC_PER_SEC * 1000);
    return room;
}
