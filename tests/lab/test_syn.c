/* Lost SYNs: formula 14 step by step, and the lab's connects beside it. */

#include "../../tools/lab/theory_syn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

static void each_step_has_p_times_the_connects_of_the_last(void **state)
{
    struct theory_syn s = { .up = 0.1, .timeout = 1, .tries = 8 };
    struct theory_wait wait[THEORY_WAITS];
    static const struct theory_wait row[] = {
        { 0, 0.9 }, { 1, 0.09 }, { 3, 0.009 }, { 7, 0.0009 }, { 15, 0.00009 },
    };
    assert_int_equal(theory_syn_waits(&s, wait), 8);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_true(near(wait[i].seconds, row[i].seconds, 1e-9));
        assert_true(near(wait[i].share, row[i].share, 1e-7));
    }
}

/* p RTO0 / (1 - 2p) = 0.1 / 0.8; eight tries are short of that by 0.8 to the 8th. */
static void the_mean_is_the_formula(void **state)
{
    struct theory_syn s = { .up = 0.1, .timeout = 1, .tries = 30 };
    assert_true(near(theory_syn_mean(&s), 0.125, 1e-9));
    s.timeout = 3;
    assert_true(near(theory_syn_mean(&s), 0.375, 1e-9));
    s.tries = 1;
    assert_true(near(theory_syn_mean(&s), 0, 0));
}

/* Only the first SYN/ACK goes alone: 0.2, then 0.2 * 0.04, then 0.04 of that. */
static void lost_answers_have_two_clocks(void **state)
{
    struct theory_syn s = { .down = 0.2, .timeout = 1, .tries = 8, .answers = 5 };
    struct theory_wait wait[THEORY_WAITS];
    assert_true(theory_syn_waits(&s, wait) >= 3);
    assert_true(near(wait[0].share, 0.8, 1e-6));
    assert_true(near(wait[1].share, 0.192, 1e-6));
    assert_true(near(wait[2].share, 0.00768, 1e-6));
}

/* The first SYN is lost (0.2), the second one arrives (0.8), its answer does not (0.2):
 * the server's timer is a second behind (0.8). */
static void a_clock_that_began_later_has_steps_in_between(void **state)
{
    struct theory_syn s = {
        .up = 0.2, .down = 0.2, .timeout = 1, .tries = 8, .answers = 5
    };
    struct theory_wait wait[THEORY_WAITS];
    assert_true(theory_syn_waits(&s, wait) > 4);
    assert_true(near(wait[2].seconds, 2, 1e-9));
    assert_true(near(wait[2].share, 0.0256, 1e-4));
}

static void errors_shrink_with_the_root_of_the_draws(void **state)
{
    struct theory_syn s = { .up = 0.5, .timeout = 2, .tries = 2 };
    /* Two thirds wait 0, one third 2: variance 4 * 2/9. */
    assert_true(near(theory_syn_error(&s, 8), 0.333333333, 1e-8));
    assert_true(near(theory_share_error(0.5, 100), 0.05, 1e-9));
}

static void a_twentieth_of_lost_syns_costs_the_mean_a_twentieth_of_a_second(
    void **state)
{
    double extra = measure("syn loss=5 connects=2000");
    assert_true(near(extra, 0.0556, 0.02));
    assert_true(near(measure("syn loss=5 connects=2000"), extra, 0));
    assert_true(near(measure("syn loss=0 connects=50"), 0, 1e-6));
}

static void the_histogram_has_the_steps(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("syn loss=20 connects=1000 view=1", &e, &f));
    assert_non_null(strstr(e.view, "\n       0.1001 "));
    assert_non_null(strstr(e.view, "\n       1.1001 "));
    assert_non_null(strstr(e.view, "\n       3.1001 "));
    assert_null(strstr(e.view, "\n       2.1001 "));
    free(e.view);
    assert_true(experiment_run("syn loss=20 connects=1000 way=both view=1", &e, &f));
    assert_non_null(strstr(e.view, "\n       2.1001 "));
    free(e.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_has_p_times_the_connects_of_the_last),
        cmocka_unit_test(the_mean_is_the_formula),
        cmocka_unit_test(lost_answers_have_two_clocks),
        cmocka_unit_test(a_clock_that_began_later_has_steps_in_between),
        cmocka_unit_test(errors_shrink_with_the_root_of_the_draws),
        cmocka_unit_test(
            a_twentieth_of_lost_syns_costs_the_mean_a_twentieth_of_a_second),
        cmocka_unit_test(the_histogram_has_the_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
