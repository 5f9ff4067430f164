/* Keep-Alive through proxies that know it or do not. */

#include "../../tools/lab/theory_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

/* RFC 9112 appendix C.2.2: what a field for one hop does further on. */
static void it_hangs_where_somebody_behind_a_dumb_proxy_keeps(void **state)
{
    static const struct {
        struct theory_chain c;
        enum theory_meeting how;
    } row[] = {
        { { 0, { false }, ASK_CONNECTION, 60 }, MEETS_OPEN },
        { { 0, { false }, ASK_PROXY_CONNECTION, 60 }, MEETS_CLOSED },
        { { 0, { false }, ASK_NOTHING, 60 }, MEETS_CLOSED },
        { { 1, { false }, ASK_CONNECTION, 60 }, MEETS_CLOSING },
        { { 1, { false }, ASK_PROXY_CONNECTION, 60 }, MEETS_CLOSED },
        { { 1, { false }, ASK_NOTHING, 60 }, MEETS_CLOSED },
        { { 1, { true }, ASK_CONNECTION, 60 }, MEETS_OPEN },
        { { 1, { true }, ASK_PROXY_CONNECTION, 60 }, MEETS_OPEN },
        { { 1, { true }, ASK_NOTHING, 60 }, MEETS_CLOSED },
        { { 2, { false, true }, ASK_CONNECTION, 60 }, MEETS_CLOSING },
        { { 2, { false, true }, ASK_PROXY_CONNECTION, 60 }, MEETS_CLOSING },
        { { 2, { true, false }, ASK_CONNECTION, 60 }, MEETS_OPEN },
        { { 2, { false, false }, ASK_PROXY_CONNECTION, 60 }, MEETS_CLOSED },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(theory_chain_meets(&row[i].c), row[i].how);
}

/* Nothing takes time on the wire: two round trips a hop, and one on a kept one. */
static void each_hop_costs_two_round_trips_anew(void **state)
{
    static const struct theory_path plain = {
        .rtt = 0.1, .rate = 1e15, .mss = 1000, .window = 10
    };
    struct theory_chain dumb = { 1, { false }, ASK_CONNECTION, 60 };
    struct theory_chain smart = { 1, { true }, ASK_CONNECTION, 60 };
    assert_true(near(theory_chain_fresh(&plain, &dumb), 0.4, 1e-6));
    assert_true(near(theory_chain_again(&plain, &dumb), 60.4, 1e-6));
    assert_true(near(theory_chain_again(&plain, &smart), 0.3, 1e-6));
}

static void a_dumb_proxy_hangs_for_the_servers_patience(void **state)
{
    static const struct {
        const char *line;
        double seconds;
    } row[] = {
        { "proxy chain=dumb", 60.4007 },
        { "proxy chain=dumb idle=5", 5.4007 },
        { "proxy chain=dumb ask=proxy-connection", 0.4010 },
        { "proxy chain=dumb ask=nothing", 0.4009 },
        { "proxy chain=smart", 0.3008 },
        { "proxy chain=smart ask=proxy-connection", 0.3008 },
        { "proxy chain=dumb,smart", 60.6011 },
        { "proxy chain=dumb,smart ask=proxy-connection", 60.6012 },
        { "proxy chain=smart,dumb", 0.5013 },
        { "proxy chain=none", 0.1004 },
        { "proxy chain=dumb show=connections", 2 },
        { "proxy chain=smart show=connections", 1 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_true(near(measure(row[i].line), row[i].seconds, 0.0002));
}

static void the_picture_has_the_silence_and_its_end(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("proxy chain=dumb view=1", &e, &f));
    assert_non_null(strstr(e.view, "|  answer 1, kept  "));
    assert_non_null(strstr(e.view, ":  59.849432 s later  "));
    assert_non_null(strstr(e.view, " 60.350558 |<-- [1] R. ---"));
    assert_non_null(strstr(e.view, "|  no answer: once more  "));
    free(e.view);
}

static void a_chain_that_nobody_knows_is_refused(void **state)
{
    struct experiment e;
    struct figure f;
    assert_false(experiment_run("proxy chain=smart,smart", &e, &f));
    assert_string_equal(e.error, "unknown chain= 'smart,smart'");
    assert_false(experiment_run("proxy ask=please", &e, &f));
    assert_string_equal(e.error, "unknown ask= 'please'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_hangs_where_somebody_behind_a_dumb_proxy_keeps),
        cmocka_unit_test(each_hop_costs_two_round_trips_anew),
        cmocka_unit_test(a_dumb_proxy_hangs_for_the_servers_patience),
        cmocka_unit_test(the_picture_has_the_silence_and_its_end),
        cmocka_unit_test(a_chain_that_nobody_knows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
