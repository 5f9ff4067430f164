/* Medians with their spread, ratios within one round, Jain's index. */
#include "../../tools/bench/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* But for the last digits. */
static bool same(double a, double b)
{
    return a - b < 1e-12 && b - a < 1e-12;
}

static void put(struct stats_rounds *r, size_t round, double value)
{
    r->value[round] = value;
    r->known[round] = true;
}

static void without_rounds_there_is_no_spread(void **state)
{
    struct stats_rounds r = { .known = { false } };
    assert_int_equal(stats_spread(&r).n, 0);
}

static void an_odd_number_has_a_middle(void **state)
{
    struct stats_rounds r = { .known = { false } };
    put(&r, 0, 9);
    put(&r, 1, 1);
    put(&r, 2, 4);
    struct stats_spread s = stats_spread(&r);
    assert_int_equal(s.n, 3);
    assert_true(same(s.median, 4));
    assert_true(same(s.min, 1));
    assert_true(same(s.max, 9));
}

static void an_even_number_has_the_mean_of_two(void **state)
{
    struct stats_rounds r = { .known = { false } };
    put(&r, 0, 9);
    put(&r, 1, 1);
    put(&r, 2, 4);
    put(&r, 3, 5);
    assert_true(same(stats_spread(&r).median, 4.5));
}

/* Quartiles lie at a quarter and three quarters of the way through the sorted row. */
static void half_of_all_lie_between_the_quartiles(void **state)
{
    struct stats_rounds r = { .known = { false } };
    for (size_t i = 0; i < 5; i++)
        put(&r, i, (double)(50 - 10 * i));
    assert_true(same(stats_spread(&r).low, 20));
    assert_true(same(stats_spread(&r).high, 40));
    put(&r, 5, 60);
    assert_true(same(stats_spread(&r).low, 22.5));
    assert_true(same(stats_spread(&r).high, 47.5));
}

static void of_one_round_all_is_the_same(void **state)
{
    struct stats_rounds r = { .known = { false } };
    put(&r, 6, 3);
    struct stats_spread s = stats_spread(&r);
    assert_true(same(s.low, 3));
    assert_true(same(s.median, 3));
    assert_true(same(s.high, 3));
}

static void a_round_that_failed_does_not_count(void **state)
{
    struct stats_rounds r = { .known = { false } };
    put(&r, 0, 8);
    put(&r, 2, 6);
    put(&r, 4, 7);
    assert_int_equal(stats_spread(&r).n, 3);
    assert_true(same(stats_spread(&r).median, 7));
}

/* The second round was slow for both: of the medians the ratio would be 10/20, in each
 * round it is 0.5, 2 and 3. */
static void a_ratio_is_taken_within_a_round(void **state)
{
    struct stats_rounds a = { .known = { false } }, b = { .known = { false } };
    put(&a, 0, 10), put(&b, 0, 20);
    put(&a, 1, 4), put(&b, 1, 2);
    put(&a, 2, 90), put(&b, 2, 30);
    struct stats_spread s = stats_ratio(&a, &b);
    assert_int_equal(s.n, 3);
    assert_true(same(s.median, 2));
    assert_true(same(s.min, 0.5));
    assert_true(same(s.max, 3));
}

static void a_ratio_needs_both_and_no_zero(void **state)
{
    struct stats_rounds a = { .known = { false } }, b = { .known = { false } };
    put(&a, 0, 10);
    put(&b, 1, 10);
    put(&a, 2, 10), put(&b, 2, 0);
    assert_int_equal(stats_ratio(&a, &b).n, 0);
    put(&a, 3, 0), put(&b, 3, 5);
    assert_int_equal(stats_ratio(&a, &b).n, 1);
    assert_true(same(stats_ratio(&a, &b).median, 0));
}

/* Jain, Chiu, Hawe (1984): k of n with equal shares and the rest without give k/n. */
static void jains_index_is_one_for_equals_and_the_part_that_has(void **state)
{
    static const uint64_t equal[] = { 700, 700, 700, 700 };
    static const uint64_t one[] = { 0, 0, 5000000000, 0 };
    static const uint64_t half[] = { 3, 0, 3, 0 };
    static const uint64_t uneven[] = { 1, 3 };
    static const uint64_t none[] = { 0, 0 };
    assert_true(same(stats_jain(equal, 4), 1));
    assert_true(same(stats_jain(one, 4), 0.25));
    assert_true(same(stats_jain(half, 4), 0.5));
    assert_true(same(stats_jain(uneven, 2), 0.8));
    assert_true(same(stats_jain(none, 2), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rounds_there_is_no_spread),
        cmocka_unit_test(an_odd_number_has_a_middle),
        cmocka_unit_test(an_even_number_has_the_mean_of_two),
        cmocka_unit_test(half_of_all_lie_between_the_quartiles),
        cmocka_unit_test(of_one_round_all_is_the_same),
        cmocka_unit_test(a_round_that_failed_does_not_count),
        cmocka_unit_test(a_ratio_is_taken_within_a_round),
        cmocka_unit_test(a_ratio_needs_both_and_no_zero),
        cmocka_unit_test(jains_index_is_one_for_equals_and_the_part_that_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
