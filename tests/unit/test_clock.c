#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/clock.h"

static void a_wait_without_end_has_no_timeout(void **state)
{
    struct timespec room;

    assert_null(clock_until(5, INT64_MAX, &room));
}

static void a_wait_is_split_into_seconds_and_nanoseconds(void **state)
{
    struct timespec room, *ts = clock_until(1000000, 3250001, &room);

    assert_ptr_equal(ts, &room);
    assert_int_equal(ts->tv_sec, 2);
    assert_int_equal(ts->tv_nsec, 250001000);
}

static void a_wait_that_is_over_has_a_timeout_of_zero(void **state)
{
    struct timespec room, *ts = clock_until(10, 3, &room);

    assert_int_equal(ts->tv_sec, 0);
    assert_int_equal(ts->tv_nsec, 0);
}

static void time_begins_at_zero_and_does_not_go_back(void **state)
{
    struct clock c;
    usec first, second;

    clock_start(&c);
    first = clock_read(&c);
    second = clock_read(&c);
    assert_true(first >= 0);
    assert_true(second >= first);
    /* 2020-01-01: the wall clock is a wall clock. */
    assert_true(c.epoch > 1577836800000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_without_end_has_no_timeout),
        cmocka_unit_test(a_wait_is_split_into_seconds_and_nanoseconds),
        cmocka_unit_test(a_wait_that_is_over_has_a_timeout_of_zero),
        cmocka_unit_test(time_begins_at_zero_and_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
