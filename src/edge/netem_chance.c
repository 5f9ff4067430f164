/* How it works
 *
 * A number in [0, 1) is a 53-bit integer of the generator times 2^-53: a double holds
 * each of them exactly.
 *
 * The distributions are made of such numbers without logarithms or roots:
 *
 *     normal   twelve of them less 6: mean 0, deviation 1, and nowhere further from the
 *              normal distribution function than 0.003
 *     pareto   1 / (the largest of three) is Pareto's distribution with the exponent 3
 *              that tc's table has, since the largest of three is below x with
 *              probability x^3. Its mean is 1.5, which is taken off; cut at 4 as there.
 *
 *              share                  .
 *                |.                 . | .
 *                | .               .  |  .
 *                |   .  .        .    |    .
 *              --+--------+-   ---+---+---+---
 *              -0.5       4       -2  0   2         in units of JITTER
 *
 * The chain of Gilbert and Elliott takes one step a frame:
 *
 *              .-- P --->.
 *         [good]          [bad]      lost with 1-K in the good state, 1-H in the bad
 *              `<-- R ---'
 *
 * so a burst has 1/R frames on average, and P/(P+R) of all frames meet the bad state.
 */
#include "edge/netem_chance.h"

enum { NORMAL_TERMS = 12 };

static const double unit = 1.0 / 9007199254740992.0; /* 2^-53 */
static const double pareto_mean = 1.5, pareto_most = 4;
static const double normal_share = 0.25; /* of paretonormal */

void netem_dice_init(struct netem_dice *d, uint64_t seed)
{
    *d = (struct netem_dice){ .drawn = false };
    rng_seed(&d->rng, seed);
}

static double draw(struct netem_dice *d)
{
    return (double)(rng_next(&d->rng) >> 11) * unit;
}

/* Is the number drawn before to be used once more? */
static bool again(struct netem_dice *d, double correlation)
{
    return correlation > 0 && d->drawn && draw(d) < correlation;
}

bool netem_happens(struct netem_dice *d, const struct netem_chance *c)
{
    if (c->share <= 0)
        return false;
    if (!again(d, c->correlation))
        d->last = draw(d);
    d->drawn = true;
    return d->last < c->share;
}

static double normal(struct netem_dice *d)
{
    double sum = -NORMAL_TERMS / 2;

    for (int i = 0; i < NORMAL_TERMS; i++)
        sum += draw(d);
    return sum;
}

static double pareto(struct netem_dice *d)
{
    double largest = unit;
    double x;

    for (int i = 0; i < 3; i++) {
        x = draw(d);
        largest = x > largest ? x : largest;
    }
    x = 1 / largest - pareto_mean;
    return x < pareto_most ? x : pareto_most;
}

static double deviate(struct netem_dice *d, enum netem_spread spread)
{
    switch (spread) {
    case NETEM_NORMAL:
        return normal(d);
    case NETEM_PARETO:
        return pareto(d);
    case NETEM_PARETONORMAL:
        return draw(d) < normal_share ? normal(d) : pareto(d);
    case NETEM_UNIFORM:
    default:
        return draw(d) * 2 - 1;
    }
}

double netem_deviation(struct netem_dice *d, enum netem_spread spread,
                       double correlation)
{
    if (!again(d, correlation))
        d->last = deviate(d, spread);
    d->drawn = true;
    return d->last;
}

bool netem_burst_loses(struct netem_dice *d, const struct netem_burst *b, bool *bad)
{
    bool lost = draw(d) < (*bad ? b->bad_loss : b->good_loss);

    if (draw(d) < (*bad ? b->to_good : b->to_bad))
        *bad = !*bad;
    return lost;
}
