/* A lost segment is told by what comes behind it, or by a clock:
 *
 *     three or more behind it     three duplicate ACKs: fast retransmit
 *
 *         | 1 | X | 3 | 4 | 5 |                      | 2 |
 *               \_______________ R + 3 tau ___________/
 *
 *     fewer                       nobody tells: the timer, which began anew with the
 *                                 last ACK, R after the segment in front left
 *
 *         | 1 | 2 | X |                                        | 3 |
 *               \__________ R _________/\________ RTO __________/
 *
 * So an answer's last three segments are its weak end (15), and a short answer has no
 * other. In a pipeline more comes behind each answer but the last; but it waits for the
 * hole to be filled, and all that is behind it with it (16).
 *
 * RTO is the round trip and four times its deviation, RTO_min at least (RFC 6298 s2);
 * the deviation begins as half a round trip.
 *
 * What a loss does to the windows is not in this: half of it is gone, or all after a
 * time-out, and a kept connection takes that to its next answers. A long transfer's
 * window goes up and down between sqrt(2 / 3p) and twice that; its mean is what Mathis'
 * formula has, sqrt(3 / 2p). The upper bound has all answers with the lowest. */
#include "theory_loss.h"

#include "numbers.h"
#include "theory_spread.h"
#include "theory_syn.h"

enum { DUPLICATES = 3, SYN_TRIES = 8, SYN_ANSWERS = 5 };

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

double theory_rto_fresh(const struct theory_path *p, const struct theory_loss *l)
{
    return p->rtt + larger(l->rto_min, 2 * p->rtt);
}

double theory_rto(const struct theory_path *p, const struct theory_loss *l)
{
    return p->rtt + l->rto_min;
}

double theory_low_window(double loss)
{
    return square_root(2 / (3 * loss));
}

double theory_repair(const struct theory_path *p, double rto,
                     const struct theory_gap *gap)
{
    double tau = theory_segment_time(p), later = rto + (gap->front > 0 ? p->rtt : 0);

    if (gap->behind + gap->more >= DUPLICATES)
        later = p->rtt + DUPLICATES * tau;
    return larger(later - gap->behind * tau, 0);
}

/* Of a repetition that is lost with the same chance, each time after twice the time. */
static double by_timer(const struct theory_loss *l, double rto)
{
    return l->loss * rto / (1 - 2 * l->loss);
}

double theory_repairs(const struct theory_path *p, const struct theory_loss *l,
                      double rto, double segments)
{
    double sum = 0;

    for (double i = 0; i < segments; i++) {
        const struct theory_gap gap = { i, segments - 1 - i, 0 };
        sum += l->loss * (theory_repair(p, rto, &gap) + by_timer(l, rto));
    }
    return sum;
}

/* --- a page --- */

static double loss_free(const struct strategy *how, const struct theory_path *p,
                        const struct theory_load *load)
{
    if (how->alone)
        return theory_fresh(p, load->object);
    if (how->pipelined)
        return theory_pipeline(p, load);
    if (how->keep)
        return how->many ? theory_keep_many(p, load) : theory_keep(p, load);
    return how->many ? theory_parallel_low(p, load) : theory_serial(p, load);
}

/* What round trips the objects' answers take with the lowest windows, beyond one. */
static double short_windows(const struct strategy *how, const struct theory_path *p,
                            const struct theory_load *load, const struct theory_loss *l)
{
    double n = theory_segments(p, load->object), m = load->objects;

    if (!how->keep || l->loss <= 0)
        return 0;
    double w = theory_low_window(l->loss);
    if (how->pipelined)
        return p->rtt * whole(m * n / w);
    return p->rtt * m * whole(n / w);
}

static double at_a_time(const struct strategy *how, const struct theory_load *load)
{
    return how->many ? smaller(load->lanes, larger(load->objects, 1)) : 1;
}

static double connections(const struct strategy *how, const struct theory_load *load)
{
    if (!how->keep)
        return (how->alone ? 0 : 1) + load->objects;
    return at_a_time(how, load);
}

/* What the repairs take, those of the first connection and of all others apart. */
static void repairs(const struct strategy *how, const struct theory_path *p,
                    const struct theory_load *load, const struct theory_loss *l,
                    double part[2])
{
    const struct theory_syn syn = { l->loss, l->loss, 1, SYN_TRIES, SYN_ANSWERS };
    double fresh = theory_rto_fresh(p, l), m = load->objects;
    double rto = how->keep ? theory_rto(p, l) : fresh;
    double n = theory_segments(p, load->object), open = theory_syn_mean(&syn);
    double request = by_timer(l, rto);

    part[0] = how->alone
                  ? 0
                  : open + by_timer(l, fresh) +
                        theory_repairs(p, l, fresh, theory_segments(p, load->page));
    part[1] = (connections(how, load) - (how->alone ? 0 : 1)) * open;
    if (how->pipelined)
        part[1] += request + theory_repairs(p, l, rto, m * n);
    else
        part[1] += m * (request + theory_repairs(p, l, rto, n));
}

void theory_lossy(const struct strategy *how, const struct theory_path *p,
                  const struct theory_load *load, const struct theory_loss *l,
                  struct theory_lossy *out)
{
    double part[2], lanes = at_a_time(how, load), free = loss_free(how, p, load);
    double n = theory_segments(p, load->object), m = load->objects;
    double open = connections(how, load), page = how->alone ? 0 : 1;
    double ends = how->pipelined ? 1 : m, odds = l->loss / (1 - l->loss);
    double text = page * theory_segments(p, load->page) + m * n;
    double tails = page * smaller(theory_segments(p, load->page), DUPLICATES) +
                   ends * smaller(how->pipelined ? m * n : n, DUPLICATES);

    repairs(how, p, load, l, part);
    out->low = free + part[0] + part[1] / lanes;
    out->high = free + part[0] + part[1] + short_windows(how, p, load, l);
    /* SYN, SYN/ACK and two FINs a connection go alone, and so do requests; and what is
     * sent again and lost again is told by nobody. */
    out->again = odds * (text + page + ends + 4 * open);
    out->timeouts = odds * (tails + page + ends + 4 * open) + l->loss * out->again;
}

/* --- how it is spread --- */

/* What is lost is lost again: after twice the time, and four times. */
static void spread_timer(struct spread *s, double loss, double timeout)
{
    double chance = loss;

    for (int i = 0; i < SYN_TRIES; i++, chance *= loss, timeout *= 2)
        spread_add(s, chance, timeout);
}

static void spread_answer(const struct theory_path *p, const struct theory_loss *l,
                          double rto, double segments, struct spread *s)
{
    for (double i = 0; i < segments; i++) {
        const struct theory_gap gap = { i, segments - 1 - i, 0 };
        spread_add(s, l->loss, theory_repair(p, rto, &gap));
        spread_timer(s, l->loss * l->loss, rto);
    }
}

double theory_lossy_median(const struct strategy *how, const struct theory_path *p,
                           const struct theory_load *load, const struct theory_loss *l,
                           double *high)
{
    double fresh = theory_rto_fresh(p, l), rto = how->keep ? theory_rto(p, l) : fresh;
    double n = theory_segments(p, load->object), ends = load->objects;
    double free = loss_free(how, p, load);
    struct spread s;

    if (how->pipelined) {
        n *= ends;
        ends = 1;
    }
    spread_init(&s);
    for (double i = 0; i < connections(how, load); i++) {
        spread_timer(&s, l->loss, 1); /* SYN */
        spread_add(&s, l->loss, 1);   /* SYN/ACK, then there are two of them */
    }
    for (double i = 0; i < ends; i++) {
        spread_timer(&s, l->loss, rto);
        spread_answer(p, l, rto, n, &s);
    }
    if (!how->alone) {
        spread_timer(&s, l->loss, fresh);
        spread_answer(p, l, fresh, theory_segments(p, load->page), &s);
    }
    double median = spread_median(&s);
    *high = free + median + short_windows(how, p, load, l);
    return free + median / at_a_time(how, load);
}
