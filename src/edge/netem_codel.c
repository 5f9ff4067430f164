/* How it works
 *
 *                       waited >= target for a whole interval: hit
 *          [passing] ------------------------------------------------> [dropping]
 *                    <------------------------------------------------
 *                       waited < target, or a frame's worth is left    hits at `next`,
 *                                                                      which comes
 * closer
 *
 * The time between hits is interval / sqrt(number of hits), which makes the rate of a
 * TCP sender fall in a straight line. The root is one of integers: nothing here rounds
 * differently on another machine. RFC 8289 s5 drops in a loop until it has a frame to
 * send; here each frame is asked for by itself, which comes to the same. */
#include "edge/netem_codel.h"

enum {
    ONE_FRAME = 1514, /* a backlog below it is no queue: RFC 8289 s4.1 */
    RECENT = 16       /* intervals after which an episode is forgotten */
};

static uint64_t root(uint64_t n)
{
    uint64_t r = 0;

    for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
        if ((r | bit) * (r | bit) <= n)
            r |= bit;
    return r;
}

/* RFC 8289 s5.6, control_law: when the next hit is due. */
static usec control_law(const struct netem_codel *config, usec from, uint32_t count)
{
    uint64_t interval = (uint64_t)config->interval;

    return from + (usec)root(interval * interval / count);
}

/* RFC 8289 s5.6, dodequeue: has the queue stood above the target for an interval? */
static bool stands(struct netem_codel_state *s, const struct netem_codel *config,
                   usec now, bool good)
{
    if (good) {
        s->above = 0;
        return false;
    }
    if (s->above == 0) {
        s->above = now + config->interval;
        return false;
    }
    return now >= s->above;
}

/* RFC 8289 s5.5: an episode soon after another one starts near the rate that it ended
 * with. */
static void start_dropping(struct netem_codel_state *s,
                           const struct netem_codel *config, usec now)
{
    uint32_t more = s->count - s->last_count;
    bool recent = now - s->next < RECENT * config->interval;

    s->dropping = true;
    s->count = more > 1 && recent ? more : 1;
    s->last_count = s->count;
    s->next = control_law(config, now, s->count);
}

bool netem_codel_hits(struct netem_codel_state *s, const struct netem_codel *config,
                      usec now, usec waited, size_t backlog)
{
    bool good = waited < config->target || backlog <= ONE_FRAME;

    if (!stands(s, config, now, good)) {
        s->dropping = false;
        return false;
    }
    if (!s->dropping) {
        start_dropping(s, config, now);
        return true;
    }
    if (now < s->next)
        return false;
    s->count++;
    s->next = control_law(config, s->next, s->count);
    return true;
}
