/* To sleep and to be woken takes longer than a peer on the same machine needs for its
 * answer: with one request at a time it is half of the whole round. So the driver looks
 * for a while before it sleeps, as long as that has been worth its while:
 *
 *     it looks            while waits of late took no longer, on the average, than it
 *                         would look
 *     one long wait       moves the average so far that the next one sleeps at once
 *     it looked in vain   counts like a very long wait: some twenty short ones later it
 *                         is tried again
 *
 * The last is for the peer that has no processor to run on while we look. An idle
 * stack waits long, and so it sleeps. */
#include "edge/spin.h"

#include <sched.h>

enum {
    LONGEST = 1000, /* microseconds: a wait counts as that much at most */
    WEIGHT = 8,     /* of the average: the last wait counts for one in so many */
};

void spin_init(struct spin *s)
{
    cpu_set_t set;

    *s = (struct spin){ .usual_8 = LONGEST * WEIGHT };
    s->alone = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < 2;
}

usec spin_time(const struct spin *s, usec most)
{
    return s->alone || s->usual_8 > most * WEIGHT ? 0 : most;
}

void spin_waited(struct spin *s, usec looked, usec waited)
{
    if (looked > 0 && waited >= looked)
        s->usual_8 = LONGEST * WEIGHT;
    else
        s->usual_8 += usec_min(waited, LONGEST) - s->usual_8 / WEIGHT;
}
