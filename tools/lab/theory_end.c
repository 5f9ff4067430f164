/* A kept connection and its end. The server closes `idle` after its answer has left,
 * and its FIN is R/2 on the way; the request is R/2 on the way as well. The client
 * waits from when the answer has come, so in its time the FIN comes at `idle`, and a
 * request that leaves later than idle - R comes to a connection that is closed:
 *
 *     0            idle - R               idle
 *     |  kept       |  crosses the FIN     |  the client knows: a new one
 *
 * One that crosses has failed when the FIN comes, or, if that is lost, when the RST is
 * back, R after it was sent. It may be repeated if it is safe (RFC 9110 s9.2.2). */
#include "theory_end.h"

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

enum theory_meeting theory_meeting(const struct theory_path *p,
                                   const struct theory_reuse *u)
{
    if (u->wait + p->rtt < u->idle)
        return MEETS_OPEN;
    return u->wait < u->idle || u->fin_lost ? MEETS_CLOSING : MEETS_CLOSED;
}

static bool is_repeated(const struct theory_path *p, const struct theory_reuse *u)
{
    enum theory_meeting how = theory_meeting(p, u);

    return u->safe && (how == MEETS_CLOSING || (how == MEETS_OPEN && u->dies));
}

double theory_reuse_time(const struct theory_path *p, const struct theory_reuse *u)
{
    enum theory_meeting how = theory_meeting(p, u);
    double again = is_repeated(p, u) ? theory_fresh(p, 0) : 0;

    if (how == MEETS_CLOSED)
        return theory_fresh(p, 0);
    if (how == MEETS_OPEN)
        return theory_exchange(p, 0, p->window) + again;
    return (u->fin_lost ? p->rtt : u->idle - u->wait) + again;
}

unsigned theory_reuse_requests(const struct theory_path *p,
                               const struct theory_reuse *u)
{
    return (theory_meeting(p, u) != MEETS_CLOSING) + (is_repeated(p, u) ? 1U : 0U);
}

int theory_reuse_code(const struct theory_path *p, const struct theory_reuse *u)
{
    enum { EMPTY = 52, RESET = 56 };
    enum theory_meeting how = theory_meeting(p, u);

    if (is_repeated(p, u))
        return how == MEETS_CLOSING && u->dies ? EMPTY : 0;
    if (how == MEETS_CLOSING)
        return u->fin_lost ? RESET : EMPTY;
    return u->dies ? EMPTY : 0;
}

double theory_reuse_chance(const struct theory_path *p, double idle, double span)
{
    return larger(smaller(idle, span) - larger(idle - p->rtt, 0), 0) / span;
}
