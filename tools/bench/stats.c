/* Medians of few numbers: sort a copy, take the middle (the mean of the two middle ones
 * where their number is even). */
#include "stats.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct stats_spread spread_of(double *v, size_t n)
{
    struct stats_spread s = { 0, 0, 0, n };
    if (n == 0)
        return s;
    qsort(v, n, sizeof *v, ascending);
    s.min = v[0];
    s.max = v[n - 1];
    s.median = n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
    return s;
}

struct stats_spread stats_spread(const struct stats_rounds *r)
{
    double v[STATS_ROUNDS];
    size_t n = 0;
    for (size_t i = 0; i < STATS_ROUNDS; i++)
        if (r->known[i])
            v[n++] = r->value[i];
    return spread_of(v, n);
}

struct stats_spread stats_ratio(const struct stats_rounds *a,
                                const struct stats_rounds *b)
{
    double v[STATS_ROUNDS];
    size_t n = 0;
    for (size_t i = 0; i < STATS_ROUNDS; i++)
        if (a->known[i] && b->known[i] && b->value[i] > 0)
            v[n++] = a->value[i] / b->value[i];
    return spread_of(v, n);
}

double stats_jain(const uint64_t *share, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)share[i];
        squares += (double)share[i] * (double)share[i];
    }
    return squares > 0 ? sum * sum / ((double)n * squares) : 0;
}
