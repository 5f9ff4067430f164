/* Kept connections and idle time: closed forms, and the lab's visits beside them. */

#include "../../tools/lab/theory_idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/measure.h"

/* e^-1 = 0.367879; nothing takes any time but the pauses. */
static void as_many_are_held_as_are_used_again(void **state)
{
    struct theory_idle i = { .pause = 10, .timeout = 10 };
    assert_true(near(theory_idle_reuse(&i), 0.632121, 1e-6));
    assert_true(near(theory_idle_held(&i), 0.632121, 1e-6));
    i.timeout = 20;
    assert_true(near(theory_idle_reuse(&i), 0.864665, 1e-6));
    assert_true(near(theory_idle_held(&i), 0.864665, 1e-6));
}

/* Late from 9 s on, told at 10: e^-0.9 - e^-1. The window's mean is nearly its half:
 * 1 / (1 - e^-0.1) - 10. */
static void requests_meet_the_closing_in_its_last_round_trip(void **state)
{
    struct theory_idle i = { .pause = 10, .timeout = 10, .exchange = 1, .connect = 1 };
    assert_true(near(theory_idle_reuse(&i), 0.593430, 1e-6));
    assert_true(near(theory_idle_stale(&i), 0.038690, 1e-6));
    assert_true(near(theory_idle_cost(&i), 0.508332, 1e-6));
    assert_true(near(theory_idle_wait(&i), 1 + 0.406570 + 0.019667, 1e-5));
}

static void who_is_not_told_asks_in_vain_whenever_it_is_late(void **state)
{
    struct theory_idle i = {
        .pause = 10, .timeout = 10, .exchange = 1, .connect = 1, .silent = true
    };
    assert_true(near(theory_idle_stale(&i), 0.406570, 1e-6));
    assert_true(near(theory_idle_cost(&i), 1, 0));
    assert_true(near(theory_idle_wait(&i), 1 + 2 * 0.406570, 1e-5));
}

static void a_server_that_does_not_wait_keeps_nothing(void **state)
{
    struct theory_idle i = { .pause = 10, .exchange = 1, .connect = 1 };
    assert_true(near(theory_idle_reuse(&i), 0, 0));
    assert_true(near(theory_idle_stale(&i), 0, 0));
    assert_true(near(theory_idle_wait(&i), 2, 0));
}

static void visits_are_where_the_forms_have_them(void **state)
{
    assert_true(near(measure("idle timeout=5 visits=400"), 38.7, 0.5));
    assert_true(near(measure("idle timeout=5 visits=400 show=held"), 391, 2));
    assert_true(near(measure("idle timeout=5 visits=400 show=wait"), 0.163, 0.001));
    double silent = measure("idle timeout=5 visits=400 says=nothing show=wait");
    assert_true(near(silent, 0.224, 0.001));
    assert_true(
        near(measure("idle timeout=5 visits=400 says=nothing show=stale"), 61.3, 0.5));
    assert_true(
        near(measure("idle timeout=5 visits=400 says=nothing show=cost"), 0.1, 0.001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_are_held_as_are_used_again),
        cmocka_unit_test(requests_meet_the_closing_in_its_last_round_trip),
        cmocka_unit_test(who_is_not_told_asks_in_vain_whenever_it_is_late),
        cmocka_unit_test(a_server_that_does_not_wait_keeps_nothing),
        cmocka_unit_test(visits_are_where_the_forms_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
