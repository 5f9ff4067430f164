/* The emulator's dice: whether a fault happens, and by how much a delay varies.
 *
 * Every fault has dice of its own, so that switching one on changes nothing in the fate
 * that another deals out. A correlation of C% means here: in C of 100 cases the number
 * drawn before is used once more. So faults come in runs, two neighbours are correlated
 * by C%, and the share asked for is kept. (Linux's netem mixes the old number into the
 * new one instead, and then loses less than it was told to.) */
#ifndef TAPIR_EDGE_NETEM_CHANCE_H
#define TAPIR_EDGE_NETEM_CHANCE_H

#include <stdbool.h>

#include "base/rng.h"

struct netem_chance {
    double share;       /* probability, 0 to 1 */
    double correlation; /* of neighbours, 0 to 1 */
};

/* How jitter is distributed. One unit is JITTER. */
enum netem_spread {
    NETEM_UNIFORM,     /* -1 to 1 */
    NETEM_NORMAL,      /* mean 0, deviation 1, within 6 */
    NETEM_PARETO,      /* mean 0, most at -0.5 to 0, with a tail up to 4 */
    NETEM_PARETONORMAL /* three quarters of one, a quarter of the other */
};

/* Gilbert and Elliott's link: a good state and a bad one, each with its loss. */
struct netem_burst {
    bool on;
    double to_bad, to_good;     /* chance to change the state, a frame: P and R */
    double bad_loss, good_loss; /* 1-H and 1-K */
};

struct netem_dice {
    struct rng rng;
    double last; /* what was drawn before, for correlation */
    bool drawn;  /* something was */
};

void netem_dice_init(struct netem_dice *d, uint64_t seed);

/* Does it happen this time? Draws nothing for a share of 0. */
bool netem_happens(struct netem_dice *d, const struct netem_chance *c);

/* How much jitter this time, in units of JITTER. */
double netem_deviation(struct netem_dice *d, enum netem_spread spread,
                       double correlation);

/* Is this frame lost in the state that *bad tells, and what is the next frame's? */
bool netem_burst_loses(struct netem_dice *d, const struct netem_burst *b, bool *bad);

#endif
