/* A kept connection that the server closes: what theory says of it, and what a client
 * and a server do over the stack. */

#include "../../tools/lab/theory_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

/* Nothing takes time on the wire: a fresh transaction is two round trips. */
static const struct theory_path plain = {
    .rtt = 0.1, .rate = 1e15, .mss = 1000, .window = 10
};

static void a_request_meets_the_closing_within_a_round_trip_before_it(void **state)
{
    static const struct {
        double wait;
        enum theory_meeting how;
        double time;
    } row[] = {
        { 0.0, MEETS_OPEN, 0.1 },      { 0.89, MEETS_OPEN, 0.1 },
        { 0.91, MEETS_CLOSING, 0.29 }, { 0.99, MEETS_CLOSING, 0.21 },
        { 1.0, MEETS_CLOSED, 0.2 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct theory_reuse u = { .idle = 1, .wait = row[i].wait, .safe = true };
        assert_int_equal(theory_meeting(&plain, &u), row[i].how);
        assert_true(near(theory_reuse_time(&plain, &u), row[i].time, 1e-6));
    }
}

/* Formula 19: R, and a fresh transaction. */
static void without_the_fin_the_reset_tells_after_a_round_trip(void **state)
{
    struct theory_reuse u = { .idle = 1, .wait = 5, .safe = true, .fin_lost = true };
    assert_true(near(theory_reuse_time(&plain, &u), 0.3, 1e-6));
    u.safe = false;
    assert_true(near(theory_reuse_time(&plain, &u), 0.1, 1e-6));
    assert_int_equal(theory_reuse_code(&plain, &u), 56);
}

static void of_pauses_over_a_span_a_round_trip_is_bad(void **state)
{
    assert_true(near(theory_reuse_chance(&plain, 1, 2), 0.05, 1e-9));
    assert_true(near(theory_reuse_chance(&plain, 0.05, 2), 0.025, 1e-9));
    assert_true(near(theory_reuse_chance(&plain, 3, 2), 0, 1e-9));
}

/* RFC 9110 s9.2.2: a client repeats by itself what is safe, and nothing else. */
static void a_get_is_repeated_once_and_a_post_never(void **state)
{
    assert_true(near(measure("retry rtt=100 idle=1000 wait=950"), 0.2504, 0.0001));
    assert_true(near(measure("retry idle=1000 wait=950 show=code"), 0, 0));
    assert_true(near(measure("retry idle=1000 wait=950 show=requests"), 1, 0));
    assert_true(near(measure("retry idle=1000 wait=950 method=POST show=code"), 52, 0));
    assert_true(
        near(measure("retry idle=1000 wait=950 method=POST show=requests"), 0, 0));
}

static void who_died_with_the_request_has_a_get_twice_and_a_post_once(void **state)
{
    assert_true(near(measure("retry fails=1 show=requests"), 2, 0));
    assert_true(near(measure("retry fails=1 method=POST show=requests"), 1, 0));
    assert_true(near(measure("retry fails=1 method=POST show=code"), 52, 0));
}

static void a_lost_fin_shows_as_a_reset(void **state)
{
    assert_true(near(measure("retry wait=950 finlost=1"), 0.3005, 0.0001));
    assert_true(near(measure("retry wait=950 finlost=1 method=POST show=code"), 56, 0));
}

static void one_post_in_ten_meets_the_closing(void **state)
{
    assert_true(near(measure("retry idle=400 span=1000 show=chance"), 0.1, 1e-9));
}

static void the_picture_has_what_was_on_the_wire(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("retry wait=950 finlost=1 view=1", &e, &f));
    assert_non_null(strstr(e.view, "  1.150232 |x-- [1] F. ---"));
    assert_non_null(strstr(e.view, "  1.200444 |<-- [1] R ---"));
    assert_non_null(strstr(e.view, "  1.250485 |--- [2] S ---"));
    free(e.view);
}

static void words_that_a_retry_does_not_know_are_refused(void **state)
{
    static const struct {
        const char *line, *why;
    } row[] = {
        { "retry method=PUT", "unknown method= 'PUT'" },
        { "retry show=mood", "unknown show= 'mood'" },
        { "retry idle=long", "no number: 'long'" },
        { "retry dle=1", "unknown key 'dle'" },
        { "page idle=1", "unknown key 'idle'" },
    };
    struct experiment e;
    struct figure f;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_false(experiment_run(row[i].line, &e, &f));
        assert_string_equal(e.error, row[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_meets_the_closing_within_a_round_trip_before_it),
        cmocka_unit_test(without_the_fin_the_reset_tells_after_a_round_trip),
        cmocka_unit_test(of_pauses_over_a_span_a_round_trip_is_bad),
        cmocka_unit_test(a_get_is_repeated_once_and_a_post_never),
        cmocka_unit_test(who_died_with_the_request_has_a_get_twice_and_a_post_once),
        cmocka_unit_test(a_lost_fin_shows_as_a_reset),
        cmocka_unit_test(one_post_in_ten_meets_the_closing),
        cmocka_unit_test(the_picture_has_what_was_on_the_wire),
        cmocka_unit_test(words_that_a_retry_does_not_know_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
