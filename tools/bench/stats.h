/* The little statistics of the bench: a median with its spread, ratios round by round,
 * Jain's index of fairness. */
#ifndef TAPIR_TOOLS_STATS_H
#define TAPIR_TOOLS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATS_ROUNDS = 101 }; /* rounds of one figure at most */

/* One subject's figures, a place for each round. */
struct stats_rounds {
    double value[STATS_ROUNDS];
    bool known[STATS_ROUNDS]; /* a run may have failed */
};

struct stats_spread {
    double median, min, max;
    double low, high; /* the quartiles: half of all lie between them */
    size_t n;         /* of how many; 0: the rest means nothing */
};

/* Of the rounds that are known. */
struct stats_spread stats_spread(const struct stats_rounds *r);

/* a/b in each round that has both: noise that both had at the same time cancels. Rounds
 * in which b is 0 do not count. */
struct stats_spread stats_ratio(const struct stats_rounds *a,
                                const struct stats_rounds *b);

/* R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness" (1984): 1 when all
 * are equal, 1/n when one has all. 0 when nobody has anything. */
double stats_jain(const uint64_t *share, size_t n);

#endif
