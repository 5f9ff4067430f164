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

/* --- Keep-Alive through proxies --- */

/* A dumb proxy passes the field on to whoever understands it: that one keeps a
 * connection which the proxy takes to be over at its end. */
enum theory_meeting theory_chain_meets(const struct theory_chain *c)
{
    unsigned dumb = 0;

    while (dumb < c->proxies && !c->smart[dumb])
        dumb++;
    bool server = dumb == c->proxies;
    if (c->ask == ASK_NOTHING || (server && c->ask == ASK_PROXY_CONNECTION))
        return MEETS_CLOSED;
    return dumb > 0 ? MEETS_CLOSING : MEETS_OPEN;
}

double theory_chain_fresh(const struct theory_path *p, const struct theory_chain *c)
{
    return (c->proxies + 1) * theory_fresh(p, 0);
}

double theory_chain_again(const struct theory_path *p, const struct theory_chain *c)
{
    enum theory_meeting how = theory_chain_meets(c);

    if (how == MEETS_OPEN)
        return theory_exchange(p, 0, p->window) + c->proxies * theory_fresh(p, 0);
    return theory_chain_fresh(p, c) + (how == MEETS_CLOSING ? c->idle : 0);
}

/* --- how an answer ends --- */

/* Segments that slow start has sent so long after it began: a window each round trip,
 * whose segments follow the ACKs, two for each. */
static double segments_sent(const struct theory_path *p, double pause)
{
    double tau = theory_segment_time(p), sum = p->window, w = 2 * p->window;

    for (double at = p->rtt + tau; at <= pause; at += p->rtt + tau, w *= 2)
        sum += smaller(w, 2 * (double)(long long)((pause - at) / tau + 1));
    return sum;
}

static bool is_reset(const struct theory_close *c)
{
    return c->way == WAY_UNREAD || c->way == WAY_LINGER;
}

double theory_close_got(const struct theory_path *p, const struct theory_close *c)
{
    double said = smaller(c->cut, c->size);

    if (!is_reset(c))
        return said;
    return larger(smaller(said, segments_sent(p, c->pause) * p->mss - p->head), 0);
}

int theory_close_code(const struct theory_path *p, const struct theory_close *c)
{
    enum { PARTIAL = 18, RESET = 56 };
    bool whole = theory_close_got(p, c) >= c->size;

    if (c->framing == FRAMING_CLOSE)
        return is_reset(c) ? RESET : 0;
    return whole ? 0 : is_reset(c) ? RESET : PARTIAL;
}

double theory_close_chance(const struct theory_path *p, double pause, double delay)
{
    return larger(smaller(1 - (pause - p->rtt) / delay, 1), 0);
}
