/* Connections at a bottleneck: formula 17, and the lab's beside it. */
#include "../../tools/lab/experiment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool near(double a, double b, double apart)
{
    return a - b <= apart && b - a <= apart;
}

static struct figure run(const char *line)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run(line, &e, &f));
    free(e.view);
    return f;
}

static void each_connection_has_the_same(void **state)
{
    struct figure f = run("share rate=2 rtt=40 c=3 seconds=20");
    assert_true(near(f.low, 75, 1e-9));
    assert_true(near(f.measured, 75, 4));
    assert_true(
        near(run("share rate=2 rtt=40 c=3 seconds=20").measured, f.measured, 0));
}

static void what_many_have_and_the_rest_is_all(void **state)
{
    double many = run("share rate=2 rtt=40 c=3 seconds=10").measured;
    double one = run("share rate=2 rtt=40 c=3 seconds=10 show=rest").measured;
    assert_true(near(many + one, 100, 1e-9));
    assert_true(near(run("share rate=2 rtt=40 seconds=10 show=full").measured, 100, 1));
}

static void jain_is_one_where_all_have_the_same(void **state)
{
    struct figure f = run("share rate=2 rtt=40 c=2 seconds=20 show=jain");
    assert_true(near(f.low, 1, 0));
    assert_true(f.measured > 0.95 && f.measured <= 1);
}

/* RFC 9438 s4.3: not slower than Reno; where round trips are long, faster. */
static void cubic_takes_more_than_reno_where_round_trips_are_long(void **state)
{
    assert_true(
        run("share c=1 rate=4 rtt=40 cc=cubic against=reno seconds=30").measured > 55);
    assert_true(
        run("share c=1 rate=4 rtt=40 cc=reno against=cubic seconds=30").measured < 45);
}

static void the_picture_has_a_row_for_each(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(
        experiment_run("share rate=2 rtt=40 c=2 seconds=5 cc=cubic view=1", &e, &f));
    assert_non_null(strstr(e.view, "  many  cubic "));
    assert_non_null(strstr(e.view, "\n  one   cubic "));
    free(e.view);
    assert_false(experiment_run("share cc=vegas", &e, &f));
    assert_string_equal(e.error, "unknown cc= 'vegas'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_has_the_same),
        cmocka_unit_test(what_many_have_and_the_rest_is_all),
        cmocka_unit_test(jain_is_one_where_all_have_the_same),
        cmocka_unit_test(cubic_takes_more_than_reno_where_round_trips_are_long),
        cmocka_unit_test(the_picture_has_a_row_for_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
