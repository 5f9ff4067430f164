#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/netem_chance.h"

static unsigned happened(const struct netem_chance *c, unsigned tries, uint64_t seed)
{
    struct netem_dice d;
    unsigned n = 0;

    netem_dice_init(&d, seed);
    for (unsigned i = 0; i < tries; i++)
        n += netem_happens(&d, c);
    return n;
}

static void a_fault_happens_in_its_share_of_cases(void **state)
{
    assert_int_equal(happened(&(struct netem_chance){ 0, 0 }, 10000, 1), 0);
    assert_int_equal(happened(&(struct netem_chance){ 1, 0 }, 10000, 1), 10000);
    /* 500 expected, standard deviation 22: three of them. */
    assert_in_range(happened(&(struct netem_chance){ 0.05, 0 }, 10000, 1), 434, 566);
}

/* The share is kept, and after a hit the next one has C + (1 - C) * share: here 0.525;
 * 5000 hits of 50000 are expected at 10 %. */
static void correlation_makes_runs_and_keeps_the_share(void **state)
{
    const struct netem_chance c = { 0.05, 0.5 };
    unsigned hits = 0, again = 0;
    struct netem_dice d;
    bool before = false;

    netem_dice_init(&d, 1);
    for (unsigned i = 0; i < 100000; i++) {
        bool hit = netem_happens(&d, &c);

        hits += hit;
        again += hit && before;
        before = hit;
    }
    assert_in_range(hits, 4600, 5400);
    assert_in_range(again * 1000 / hits, 500, 550);
}

static void a_share_of_nothing_draws_nothing(void **state)
{
    const struct netem_chance never = { 0, 0.5 }, half = { 0.5, 0 };
    struct netem_dice a, b;

    netem_dice_init(&a, 1);
    netem_dice_init(&b, 1);
    for (int i = 0; i < 100; i++) {
        assert_false(netem_happens(&a, &never));
        assert_int_equal(netem_happens(&a, &half), netem_happens(&b, &half));
    }
}

/* How many of 100,000 deviations are below each bound; in thousandths. */
static void shares_below(enum netem_spread spread, const double *bound, unsigned *share)
{
    struct netem_dice d;

    netem_dice_init(&d, 1);
    for (int i = 0; i < 100000; i++) {
        double x = netem_deviation(&d, spread, 0);

        for (int k = 0; k < 4; k++)
            share[k] += x < bound[k];
    }
    for (int k = 0; k < 4; k++)
        share[k] /= 100;
}

static void jitter_is_distributed_as_its_name_says(void **state)
{
    /* The distribution functions at four places, in thousandths, from tables. */
    static const struct {
        enum netem_spread spread;
        double bound[4];
        unsigned share[4];
    } row[] = {
        { NETEM_UNIFORM, { -1, -0.5, 0, 0.5 }, { 0, 250, 500, 750 } },
        { NETEM_NORMAL, { -2, -1, 0, 1 }, { 23, 159, 500, 841 } },
        { NETEM_PARETO, { -0.5, -0.25, 0, 1 }, { 0, 488, 704, 936 } },
        { NETEM_PARETONORMAL, { -1, -0.25, 0, 1 }, { 40, 466, 653, 912 } },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        unsigned share[4] = { 0 };

        shares_below(row[i].spread, row[i].bound, share);
        for (int k = 0; k < 4; k++)
            assert_in_range(share[k] + 5, row[i].share[k], row[i].share[k] + 10);
    }
}

static void no_deviation_is_beyond_its_bounds(void **state)
{
    static const struct {
        enum netem_spread spread;
        double least, most;
    } row[] = {
        { NETEM_UNIFORM, -1, 1 },
        { NETEM_NORMAL, -6, 6 },
        { NETEM_PARETO, -0.5, 4 },
        { NETEM_PARETONORMAL, -6, 6 },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct netem_dice d;

        netem_dice_init(&d, 2);
        for (int k = 0; k < 200000; k++) {
            double x = netem_deviation(&d, row[i].spread, 0);

            assert_true(x >= row[i].least && x <= row[i].most);
        }
    }
}

static void a_correlated_deviation_often_repeats_the_one_before(void **state)
{
    struct netem_dice d;
    double before = 2;
    unsigned same = 0;

    netem_dice_init(&d, 3);
    for (int i = 0; i < 10000; i++) {
        double x = netem_deviation(&d, NETEM_NORMAL, 0.25);

        same += x == before;
        before = x;
    }
    /* 2500 expected, standard deviation 43. */
    assert_in_range(same, 2350, 2650);
}

/* What the chain lost in 100,000 frames, and in how many bursts. */
static unsigned chain(const struct netem_burst *b, unsigned *bursts)
{
    struct netem_dice d;
    bool bad = false, before = false;
    unsigned lost = 0;

    *bursts = 0;
    netem_dice_init(&d, 1);
    for (int i = 0; i < 100000; i++) {
        bool hit = netem_burst_loses(&d, b, &bad);

        lost += hit;
        *bursts += hit && !before;
        before = hit;
    }
    return lost;
}

static void the_chain_of_gilbert_loses_in_bursts_of_one_through_r(void **state)
{
    unsigned bursts, lost;

    /* P/(P+R) = 9.09 % lost, in bursts of 10. */
    lost = chain(&(struct netem_burst){ true, 0.01, 0.1, 1, 0 }, &bursts);
    assert_in_range(lost, 8300, 9900);
    assert_in_range(lost * 10 / bursts, 93, 107);
    /* R = 1 - P: no memory; 5 % in bursts of 1.05. */
    lost = chain(&(struct netem_burst){ true, 0.05, 0.95, 1, 0 }, &bursts);
    assert_in_range(lost, 4720, 5280);
    assert_in_range(lost * 100 / bursts, 102, 109);
}

static void the_chain_of_elliott_loses_in_both_states(void **state)
{
    unsigned bursts;

    /* 9.09 % * 0.7 + 90.9 % * 0.01 = 7.27 %. */
    assert_in_range(chain(&(struct netem_burst){ true, 0.01, 0.1, 0.7, 0.01 }, &bursts),
                    6700, 7900);
    assert_int_equal(chain(&(struct netem_burst){ true, 0, 1, 1, 0 }, &bursts), 0);
    assert_int_equal(chain(&(struct netem_burst){ true, 0, 1, 0, 1 }, &bursts), 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_happens_in_its_share_of_cases),
        cmocka_unit_test(correlation_makes_runs_and_keeps_the_share),
        cmocka_unit_test(a_share_of_nothing_draws_nothing),
        cmocka_unit_test(jitter_is_distributed_as_its_name_says),
        cmocka_unit_test(no_deviation_is_beyond_its_bounds),
        cmocka_unit_test(a_correlated_deviation_often_repeats_the_one_before),
        cmocka_unit_test(the_chain_of_gilbert_loses_in_bursts_of_one_through_r),
        cmocka_unit_test(the_chain_of_elliott_loses_in_both_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
