/* Latencies: exact percentiles, growth, the ends of the range. */
#include "../../tools/bench/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/memory.h"

static void without_samples_every_percentile_is_zero(void **state)
{
    struct samples s = { 0 };
    assert_int_equal(samples_percentile(&s, 500), 0);
    samples_free(&s);
}

static void one_sample_is_every_percentile(void **state)
{
    struct samples s = { 0 };
    assert_true(samples_add(&s, 42));
    assert_int_equal(samples_percentile(&s, 0), 42);
    assert_int_equal(samples_percentile(&s, 500), 42);
    assert_int_equal(samples_percentile(&s, 1000), 42);
    samples_free(&s);
}

/* 1 to 10,000 in an order that is not theirs: 7919 has no factor in common with it. */
static void a_percentile_is_the_nearest_rank(void **state)
{
    struct samples s = { 0 };
    for (int64_t i = 0; i < 10000; i++)
        assert_true(samples_add(&s, (i * 7919) % 10000 + 1));
    assert_int_equal(samples_percentile(&s, 1), 10);
    assert_int_equal(samples_percentile(&s, 500), 5000);
    assert_int_equal(samples_percentile(&s, 990), 9900);
    assert_int_equal(samples_percentile(&s, 999), 9990);
    assert_int_equal(samples_percentile(&s, 1000), 10000);
    samples_free(&s);
}

static void the_nearest_rank_of_few_is_rounded_up(void **state)
{
    struct samples s = { 0 };
    samples_add(&s, 30);
    samples_add(&s, 10);
    samples_add(&s, 20);
    assert_int_equal(samples_percentile(&s, 333), 10);
    assert_int_equal(samples_percentile(&s, 334), 20);
    assert_int_equal(samples_percentile(&s, 500), 20);
    assert_int_equal(samples_percentile(&s, 990), 30);
    samples_free(&s);
}

static void a_sample_after_a_percentile_counts(void **state)
{
    struct samples s = { 0 };
    samples_add(&s, 20);
    assert_int_equal(samples_percentile(&s, 500), 20);
    samples_add(&s, 5);
    assert_int_equal(samples_percentile(&s, 500), 5);
    samples_free(&s);
}

static void what_is_cleared_is_gone(void **state)
{
    struct samples s = { 0 };
    samples_add(&s, 20);
    samples_clear(&s);
    assert_int_equal(samples_percentile(&s, 500), 0);
    samples_add(&s, 7);
    assert_int_equal(samples_percentile(&s, 1000), 7);
    samples_free(&s);
}

static void times_out_of_range_stay_at_its_ends(void **state)
{
    struct samples s = { 0 };
    samples_add(&s, -1);
    samples_add(&s, INT64_C(9000000000));
    assert_int_equal(samples_percentile(&s, 0), 0);
    assert_int_equal(samples_percentile(&s, 1000), INT64_C(4294967295));
    samples_free(&s);
}

static void without_memory_a_sample_is_refused(void **state)
{
    struct samples s = { 0 };
    memory_ends_after(0);
    bool added = samples_add(&s, 1);
    assert_int_equal(memory_back(), 1);
    assert_false(added);
    assert_true(samples_add(&s, 2));
    assert_int_equal(samples_percentile(&s, 500), 2);
    samples_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_samples_every_percentile_is_zero),
        cmocka_unit_test(one_sample_is_every_percentile),
        cmocka_unit_test(a_percentile_is_the_nearest_rank),
        cmocka_unit_test(the_nearest_rank_of_few_is_rounded_up),
        cmocka_unit_test(a_sample_after_a_percentile_counts),
        cmocka_unit_test(what_is_cleared_is_gone),
        cmocka_unit_test(times_out_of_range_stay_at_its_ends),
        cmocka_unit_test(without_memory_a_sample_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
