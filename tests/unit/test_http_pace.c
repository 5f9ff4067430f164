#include "app/http_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static struct http_pace p;

static void who_takes_500_bytes_a_second_gets_another_deadline(void **state)
{
    http_pace_begin(&p, 5 * SECOND);
    http_pace_took(&p, 4999, 14 * SECOND);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 15 * SECOND), 0);
    http_pace_took(&p, 1, 14 * SECOND);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 15 * SECOND), 24 * SECOND);
}

/* Bytes of an earlier time do not count again. */
static void each_deadline_asks_anew(void **state)
{
    http_pace_begin(&p, 0);
    http_pace_took(&p, 100000000, 9 * SECOND);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 10 * SECOND), 19 * SECOND);
    http_pace_took(&p, 4499, 18 * SECOND);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 19 * SECOND), 0);
}

static void who_stops_is_left_a_timeout_later(void **state)
{
    http_pace_begin(&p, 0);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 10 * SECOND), 0);
    http_pace_begin(&p, 0);
    http_pace_took(&p, 100000000, 1 * SECOND);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 10 * SECOND), 11 * SECOND);
    assert_int_equal(http_pace_renew(&p, 10 * SECOND, 11 * SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_takes_500_bytes_a_second_gets_another_deadline),
        cmocka_unit_test(each_deadline_asks_anew),
        cmocka_unit_test(who_stops_is_left_a_timeout_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
