/* The formulae of the lab; the numbers are those of theory.h.
 *
 *     client                                       server
 *       |  SYN                                        |  \
 *       |  -------------------------------------->    |   connect (1):
 *       |    <--------------------------------------  |   R + two SYNs on the wire
 *       |  request                                    |  /
 *       |  -------------------------------------->    |  \
 *       |    <======================================  |   exchange (2): R + request
 *       |          W segments, then silence           |   + t + answer on the wire
 *       |    <======================================  |   + stalls (3)
 *       |          2 W, then a shorter silence        |  /
 *
 * Slow start (3): the sender has sent a window of w segments in w tau; the first ACK of
 * it is back R + tau after its first segment began, so it stands still for
 * R + tau - w tau, if that is more than nothing. Then the window is 2 w: each segment
 * acknowledged adds one. It ends when the answer does, or when a window fills the pipe.
 *
 * A window grows only while it is used (RFC 7661 s4): theory_warm() says what an answer
 * of n segments leaves behind. Without it, keep-alive and pipelining are predicted a
 * round trip too early. It grows by bytes (RFC 3465): the short segment that ends an
 * answer adds what is in it, so n is a fraction there; and whole segments alone leave
 * while there is more to come. What is short of a segment may cost a round trip.
 *
 * Parallel connections (6) share the wire in a way that depends on who is when in slow
 * start; two bounds are honest where one number is not. For kept ones (8) the windows
 * are put onto the wire one after the other; that segments of several mix there, and
 * delay each other's ACKs, is left out. */
#include "theory.h"

#include <stdbool.h>

#include "numbers.h"

enum {
    SYN_BYTES = 60
}; /* of IP and TCP, with MSS, SACK, timestamps and window scale */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double whole(double x)
{
    return (double)(long long)x;
}

static double round_up(double x)
{
    double below = whole(x);

    return below < x ? below + 1 : below;
}

static double wire_time(const struct theory_path *p, double bytes)
{
    return 8 * bytes / p->rate;
}

/* --- one answer --- */

double theory_segments(const struct theory_path *p, double body)
{
    return round_up((body + p->head) / p->mss);
}

double theory_text(const struct theory_path *p, double body)
{
    return (body + p->head) / p->mss;
}

double theory_segment_time(const struct theory_path *p)
{
    return wire_time(p, p->mss + p->header);
}

double theory_send_time(const struct theory_path *p, double body)
{
    return wire_time(p, body + p->head + theory_segments(p, body) * p->header);
}

double theory_connect(const struct theory_path *p)
{
    return p->rtt + wire_time(p, 2 * SYN_BYTES);
}

double theory_stall(const struct theory_path *p, double segments, double window)
{
    double tau = theory_segment_time(p), sum = 0;

    while (segments > window) {
        double burst = whole(window), idle = p->rtt + tau - burst * tau;
        if (idle <= 0)
            break;
        sum += idle;
        segments -= burst;
        window += burst;
    }
    return sum;
}

unsigned theory_rounds(double segments, double window)
{
    unsigned rounds = 1;

    for (double w = window, sent = window; sent < segments; w *= 2, sent += w)
        rounds++;
    return rounds;
}

double theory_warm(double segments, double window)
{
    double steps = round_up(2 * segments - window); /* an ACK each */

    if (segments >= window)
        return window + segments;
    return larger(window, smaller(window + segments, window + steps));
}

/* R, and all that is on the wire before the answer's first byte. */
static double ask_time(const struct theory_path *p, double requests)
{
    return p->rtt + wire_time(p, p->header + requests * p->request + 2 * p->ack) +
           p->server;
}

double theory_exchange(const struct theory_path *p, double body, double window)
{
    return ask_time(p, 1) + theory_send_time(p, body) +
           theory_stall(p, theory_text(p, body), window);
}

double theory_fresh(const struct theory_path *p, double body)
{
    return theory_connect(p) + theory_exchange(p, body, p->window);
}

/* --- a page --- */

double theory_serial(const struct theory_path *p, const struct theory_load *l)
{
    double one = wire_time(p, p->ack) + theory_fresh(p, l->object);

    return theory_fresh(p, l->page) + l->objects * one;
}

/* The time that n fresh connections take together, of which all share the wire; each
 * puts a SYN/ACK, an ACK of its request and a FIN there, too. */
static double together(const struct theory_path *p, const struct theory_load *l,
                       unsigned n, double stall)
{
    double shared = theory_connect(p) + p->rtt + p->server +
                    n * (theory_send_time(p, l->object) + wire_time(p, 3 * p->ack)) +
                    stall;

    return larger(theory_fresh(p, l->object), shared);
}

double theory_parallel_low(const struct theory_path *p, const struct theory_load *l)
{
    double rounds = round_up((double)l->objects / l->lanes);
    double waits = rounds * theory_fresh(p, l->object);
    double wire = theory_connect(p) + p->rtt + p->server +
                  l->objects * theory_send_time(p, l->object);

    return theory_fresh(p, l->page) + (l->objects ? larger(waits, wire) : 0);
}

double theory_parallel_high(const struct theory_path *p, const struct theory_load *l)
{
    double stall = theory_stall(p, theory_text(p, l->object), p->window);
    double sum = theory_fresh(p, l->page);

    for (unsigned left = l->objects; left > 0;) {
        unsigned n = left < l->lanes ? left : l->lanes;
        sum += together(p, l, n, stall);
        left -= n;
    }
    return sum;
}

double theory_keep(const struct theory_path *p, const struct theory_load *l)
{
    double n = theory_text(p, l->object);
    double window = theory_warm(theory_text(p, l->page), p->window);
    double sum = theory_fresh(p, l->page);

    for (unsigned i = 0; i < l->objects; i++) {
        sum += theory_exchange(p, l->object, window);
        window = theory_warm(n, window);
    }
    return sum;
}

/* --- keep-alive on several lanes --- */

/* A connection, as the server sees it. */
struct lane {
    double ready;  /* when it may send on: the request or the first ACK is there */
    double window; /* segments; 0: the connection is not made yet */
    bool opening;  /* it is: `ready` is when its SYN/ACK may leave */
    double left;   /* of the answer, segments that are not sent; 0: it is idle */
};

static struct lane *first_ready(struct lane *lane, unsigned n)
{
    struct lane *first = lane;

    for (unsigned i = 1; i < n; i++)
        if (lane[i].ready < first->ready)
            first = &lane[i];
    return first;
}

/* An idle lane takes another object, if there is one. */
static bool take_object(const struct theory_path *p, double segments, struct lane *l,
                        unsigned *objects)
{
    if (*objects == 0)
        return false;
    --*objects;
    l->left = segments;
    l->opening = l->window <= 0;
    l->ready += ask_time(p, 1);
    if (l->opening) {
        l->window = p->window;
        l->ready += wire_time(p, 2 * SYN_BYTES);
    }
    return true;
}

/* A SYN/ACK stands in the queue as all else does; the request comes a round trip
 * later. */
static void finish_open(const struct theory_path *p, struct lane *l, double wire)
{
    l->opening = false;
    l->ready = larger(l->ready, wire) + ask_time(p, 1);
}

/* A window of the answer goes onto the wire, behind what other lanes have there; the
 * time of a segment is that of this answer's mean one. When the wire is free again. */
static double send_window(const struct theory_path *p, double segment, struct lane *l,
                          double wire)
{
    double begin = larger(l->ready, wire);
    double burst = l->left > l->window ? whole(l->window) : l->left;
    double end = begin + burst * segment;

    l->left -= burst;
    l->window = theory_warm(burst, l->window);
    l->ready = l->left > 0 ? begin + segment + p->rtt : end;
    return end;
}

/* The lane that is free first takes the next object; the first one is the page's and
 * warm, the others have to be opened. All send on one wire, window after window. */
double theory_keep_many(const struct theory_path *p, const struct theory_load *l)
{
    struct lane lane[THEORY_LANES] = { { 0 } };
    unsigned lanes = l->lanes < THEORY_LANES ? l->lanes : THEORY_LANES;
    unsigned objects = l->objects;
    double segments = theory_text(p, l->object);
    double segment = theory_send_time(p, l->object) / segments, wire = 0;

    lane[0].window = theory_warm(theory_text(p, l->page), p->window);
    while (lanes > 0) {
        struct lane *next = first_ready(lane, lanes);
        if (next->opening)
            finish_open(p, next, wire);
        else if (next->left > 0)
            wire = send_window(p, segment, next, wire);
        else if (!take_object(p, segments, next, &objects))
            *next = lane[--lanes];
    }
    return theory_fresh(p, l->page) + wire;
}

/* --- one pipeline --- */

/* Bytes of the answers that a window lets go at once: each answer ends a segment, since
 * it is written by itself. */
static double first_flight(const struct theory_path *p, double answer, double answers,
                           double window)
{
    double sent = 0, of_answer = 0;

    while (answers > 0) {
        double segment = smaller(p->mss, answer - of_answer);
        if (sent + segment > window)
            break;
        sent += segment;
        of_answer += segment;
        if (of_answer >= answer) {
            of_answer = 0;
            answers--;
        }
    }
    return sent;
}

/* Stalls as in (3), but in bytes: what the short segments of the first window leave
 * unused may be the segment that needs one more round trip. What waits in the sender's
 * buffer leaves in whole segments. */
static double pipeline_stall(const struct theory_path *p, double answer, double answers,
                             double window)
{
    double tau = theory_segment_time(p), cwnd = window * p->mss, sum = 0;
    double sent = first_flight(p, answer, answers, cwnd);
    double left = answers * answer - sent;

    while (left > 0) {
        double idle = p->rtt + tau - sent / p->mss * tau;
        if (idle <= 0)
            break;
        sum += idle;
        cwnd += sent;
        if (left <= cwnd)
            break;
        sent = whole(cwnd / p->mss) * p->mss;
        left -= sent;
    }
    return sum;
}

double theory_pipeline(const struct theory_path *p, const struct theory_load *l)
{
    double window = theory_warm(theory_text(p, l->page), p->window);
    double m = l->objects;

    if (l->objects == 0)
        return theory_fresh(p, l->page);
    return theory_fresh(p, l->page) + ask_time(p, m) +
           m * theory_send_time(p, l->object) +
           pipeline_stall(p, l->object + p->head, m, window);
}

double theory_limit(const struct theory_path *p, const struct theory_load *l)
{
    double objects = l->objects * theory_send_time(p, l->object);

    return theory_fresh(p, l->page) + (l->objects ? p->rtt + objects : 0);
}

/* --- what goes wrong --- */

double theory_nagle(const struct theory_path *p, double delayed_ack)
{
    return p->rtt + delayed_ack;
}

double theory_port_rate(double ports, double time_wait)
{
    return ports / time_wait;
}

double theory_syn_loss(double loss, double first_timeout)
{
    return loss * first_timeout / (1 - 2 * loss);
}

double theory_bulk_rate(const struct theory_path *p, double loss, double acked)
{
    return 8 * p->mss / p->rtt * square_root(3 / (2 * acked * loss));
}

double theory_tail_loss(double loss)
{
    double kept = 1 - loss;

    return 1 - kept * kept * kept;
}

double theory_share(unsigned connections)
{
    return connections / (connections + 1.0);
}

double theory_burst_delay(const struct theory_path *p, unsigned connections)
{
    return connections * p->window * theory_segment_time(p);
}
