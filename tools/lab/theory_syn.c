/* Formula 14. A SYN is lost with p, so k of them with p^k (1 - p); they cost
 * RTO0 (1 + 2 + ... + 2^(k-1)) = RTO0 (2^k - 1). The sum over all k is
 * p RTO0 / (1 - 2p): it has no end for p >= 1/2, where waiting doubles faster than
 * losses thin out.
 *
 * SYN/ACKs have a clock of their own, which begins when the first SYN arrives:
 *
 *     client's SYNs     0   1       3               7
 *     server's          the first that arrives is that of 1 s:
 *                           1   2       4               8
 *
 * Once the server knows of the connection a try of either helps, and where its clock
 * began with the client's two SYN/ACKs leave at a time. So the way back loses less than
 * the formula with 1 - (1 - p)^2 says, and there are waits in between. */
#include "theory_syn.h"

#include <stdbool.h>

#include "numbers.h"

struct waits {
    struct theory_wait *at;
    unsigned n;
};

/* When the k-th try of a clock leaves, from 0. */
static double try_at(const struct theory_syn *s, unsigned k)
{
    double sum = 0, timeout = s->timeout;

    for (; k > 0; k--, timeout *= 2)
        sum += timeout;
    return sum;
}

/* Keeps them in order. */
static void add(struct waits *w, double seconds, double share)
{
    unsigned i = 0;

    while (i < w->n && w->at[i].seconds < seconds - 1e-9)
        i++;
    if (i < w->n && w->at[i].seconds < seconds + 1e-9) {
        w->at[i].share += share;
        return;
    }
    if (share <= 0 || w->n == THEORY_WAITS)
        return;
    for (unsigned j = w->n++; j > i; j--)
        w->at[j] = w->at[j - 1];
    w->at[i] = (struct theory_wait){ seconds, share };
}

/* The first SYN that arrives is the one with this number. `share` of all connects. */
static void add_heard(const struct theory_syn *s, unsigned first, double share,
                      struct waits *w)
{
    double begin = try_at(s, first);
    unsigned syn = first + 1, answer = 1;

    add(w, begin, share * (1 - s->down));
    share *= s->down;
    while (syn < s->tries || answer <= s->answers) {
        double by_syn = try_at(s, syn), by_server = begin + try_at(s, answer);
        bool own = answer <= s->answers && (by_server <= by_syn || syn >= s->tries);
        double good = own ? 1 - s->down : (1 - s->up) * (1 - s->down);
        add(w, own ? by_server : by_syn, share * good);
        share *= 1 - good;
        answer += own;
        syn += !own;
    }
}

unsigned theory_syn_waits(const struct theory_syn *s,
                          struct theory_wait out[THEORY_WAITS])
{
    struct waits w = { .at = out };
    double share = 1, sum = 0;

    for (unsigned k = 0; k < s->tries; k++) {
        add_heard(s, k, share * (1 - s->up), &w);
        share *= s->up;
    }
    for (unsigned i = 0; i < w.n; i++)
        sum += out[i].share;
    for (unsigned i = 0; i < w.n; i++)
        out[i].share /= sum;
    return w.n;
}

double theory_syn_mean(const struct theory_syn *s)
{
    struct theory_wait wait[THEORY_WAITS];
    unsigned n = theory_syn_waits(s, wait);
    double sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += wait[i].share * wait[i].seconds;
    return sum;
}

double theory_syn_error(const struct theory_syn *s, double connects)
{
    struct theory_wait wait[THEORY_WAITS];
    unsigned n = theory_syn_waits(s, wait);
    double mean = theory_syn_mean(s), sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += wait[i].share * (wait[i].seconds - mean) * (wait[i].seconds - mean);
    return square_root(sum / connects);
}

double theory_share_error(double share, double draws)
{
    return square_root(share * (1 - share) / draws);
}
