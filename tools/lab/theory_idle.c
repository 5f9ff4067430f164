/* A request must arrive before the server's time is up. That runs from its answer, so a
 * pause of more than tau - x is too long:
 *
 *     server:  answer |<------------- tau ------------->| closes
 *     client:     answer |<------ pause ------>| request --> comes too late
 *                                              |<-- x -->|
 *
 *     reuse = P(pause < tau - x) = 1 - e^-((tau - x) / T)
 *
 * A client that is told knows it by the FIN, tau after the answer came. In between, for
 * x before that, its request crosses the FIN: it loses tau - pause. One that is not
 * told loses a round trip at each visit that is late, until an RST is back; x stands
 * for it.
 *
 * The server is without a connection from its close until the next one is accepted. On
 * average these gaps are, of visits that are late:
 *
 *     told     x + k, and what the pause is longer than tau
 *     silent   the pause - tau, x for the RST, x + k */
#include "theory_idle.h"

#include "numbers.h"

/* P(pause > seconds) */
static double longer(const struct theory_idle *i, double seconds)
{
    return seconds > 0 ? exponential(-seconds / i->pause) : 1;
}

static double late(const struct theory_idle *i)
{
    return longer(i, i->timeout - i->exchange);
}

double theory_idle_reuse(const struct theory_idle *i)
{
    return 1 - late(i);
}

double theory_idle_stale(const struct theory_idle *i)
{
    return i->silent ? late(i) : late(i) - longer(i, i->timeout);
}

/* The mean of tau - pause, of pauses from tau - x to tau. */
double theory_idle_cost(const struct theory_idle *i)
{
    double window = i->exchange < i->timeout ? i->exchange : i->timeout;

    if (i->silent || window <= 0)
        return i->exchange;
    return window / (1 - exponential(-window / i->pause)) - i->pause;
}

double theory_idle_wait(const struct theory_idle *i)
{
    return i->exchange + late(i) * i->connect +
           theory_idle_stale(i) * theory_idle_cost(i);
}

double theory_idle_held(const struct theory_idle *i)
{
    double cycle = i->pause + theory_idle_wait(i);
    double gap = late(i) * (i->exchange + i->connect);

    if (i->silent)
        gap += late(i) * i->pause;
    else
        gap += longer(i, i->timeout) * i->pause;
    return 1 - gap / cycle;
}
