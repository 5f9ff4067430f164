/* Order statistics of few numbers: sort a copy, and take what stands at the place, or
 * between the two it lies between: of 1, 4, 5, 9 the median is 4.5. */
#include "stats.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What stands at a part of the way from the first to the last. */
static double at_part(const double *v, size_t n, double part)
{
    double place = part * (double)(n - 1);
    size_t below = (size_t)place;
    if (below + 1 >= n)
        return v[n - 1];
    return v[below] + (place - (double)below) * (v[below + 1] - v[below]);
}

static struct stats_spread spread_of(double *v, size_t n)
{
    struct stats_spread s = { .n = n };
    if (n == 0)
        return s;
    qsort(v, n, sizeof *v, ascending);
    s.min = v[0];
    s.low = at_part(v, n, 0.25);
    s.median = at_part(v, n, 0.5);
    s.high = at_part(v, n, 0.75);
    s.max = v[n - 1];
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
