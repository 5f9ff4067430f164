/* How a sum of rare delays is spread: each of them happens or not, whatever the others
 * do. The mean of such a sum says little of the page in the middle. */
#ifndef TAPIR_LAB_THEORY_SPREAD_H
#define TAPIR_LAB_THEORY_SPREAD_H

enum { SPREAD_BINS = 8192, SPREAD_BIN = 5000 }; /* microseconds; 41 seconds in all */

struct spread {
    double chance[SPREAD_BINS]; /* that the sum is this many bins */
};

/* The sum of nothing. */
void spread_init(struct spread *s);

/* Another delay of so many seconds, with this chance. */
void spread_add(struct spread *s, double chance, double seconds);

/* In half of all cases the sum is less. */
double spread_median(const struct spread *s);

#endif
