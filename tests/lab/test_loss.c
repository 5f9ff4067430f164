/* Lost segments: formulae 15 and 16, and pages on which they fall. */

#include "../../tools/lab/theory_loss.h"
#include "../../tools/lab/theory_spread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

/* A segment takes a millisecond, a round trip a hundred. */
static const struct theory_path plain = {
    .rtt = 0.1, .rate = 8e6, .mss = 1000, .header = 0, .window = 10
};

/* RFC 6298 s2.2: R + 4 R/2, or what the least is. */
static void a_time_out_is_longer_while_the_round_trip_is_new(void **state)
{
    struct theory_loss l = { .rto_min = 0.15 };
    assert_true(near(theory_rto_fresh(&plain, &l), 0.3, 1e-9));
    assert_true(near(theory_rto(&plain, &l), 0.25, 1e-9));
    l.rto_min = 1;
    assert_true(near(theory_rto_fresh(&plain, &l), 1.1, 1e-9));
}

/* RFC 5681 s3.2: three duplicates tell. */
static void a_loss_costs_a_round_trip_or_a_time_out(void **state)
{
    static const struct {
        struct theory_gap gap; /* in front, behind, more */
        double later;
    } row[] = {
        { { 0, 9, 0 }, 0.094 }, /* R + 3 tau, but the answer would take 9 more */
        { { 5, 3, 0 }, 0.1 },
        { { 5, 2, 0 }, 0.398 }, /* R + RTO: the timer began with the last ACK */
        { { 8, 0, 0 }, 0.4 },
        { { 0, 0, 0 }, 0.3 },   /* alone: RTO */
        { { 8, 0, 3 }, 0.103 }, /* the next answer tells */
        { { 0, 200, 0 }, 0 },   /* repaired before the answer ends */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_true(near(theory_repair(&plain, 0.3, &row[i].gap), row[i].later, 1e-9));
}

/* One segment: 0.1 of RTO, and that again where it is lost: 0.1 * 0.3 / 0.8 of 0.1. */
static void repairs_are_rare_and_may_be_lost_themselves(void **state)
{
    struct theory_loss l = { .loss = 0.1, .rto_min = 0.2 };
    assert_true(near(theory_repairs(&plain, &l, 0.3, 1), 0.03375, 1e-9));
    l.loss = 0;
    assert_true(near(theory_repairs(&plain, &l, 0.3, 20), 0, 0));
}

/* sqrt(2 / 0.03) */
static void a_long_transfer_has_its_lowest_window_after_a_loss(void **state)
{
    assert_true(near(theory_low_window(0.01), 8.16496580927726, 1e-9));
}

static void without_loss_a_page_is_what_it_was(void **state)
{
    struct theory_load load = {
        .page = 3000, .object = 5000, .objects = 4, .lanes = 2
    };
    struct theory_loss l = { .rto_min = 0.2 };
    struct theory_lossy out;
    theory_lossy(strategy_find("serial"), &plain, &load, &l, &out);
    assert_true(near(out.low, theory_serial(&plain, &load), 1e-12));
    assert_true(near(out.high, out.low, 1e-12));
    assert_true(near(out.again, 0, 0));
    theory_lossy(strategy_find("pipelined"), &plain, &load, &l, &out);
    assert_true(near(out.high, theory_pipeline(&plain, &load), 1e-12));
}

/* Serially: 3 + 4 * 5 segments, 5 requests, 5 connections of 4 frames: 48 / 99. */
static void what_is_lost_is_sent_again(void **state)
{
    struct theory_load load = {
        .page = 3000, .object = 5000, .objects = 4, .lanes = 2
    };
    struct theory_loss l = { .loss = 0.01, .rto_min = 0.2 };
    struct theory_lossy out;
    theory_lossy(strategy_find("serial"), &plain, &load, &l, &out);
    assert_true(near(out.again, 48.0 / 99, 1e-9));
    /* Of five segments three are the weak end: 3 + 4 * 3 + 5 + 20, and 1 % of all. */
    assert_true(near(out.timeouts, 40.0 / 99 + 0.48 / 99, 1e-9));
}

static void rare_delays_add_up(void **state)
{
    static struct spread s;
    spread_init(&s);
    assert_true(near(spread_median(&s), 0, 0));
    spread_add(&s, 0.4, 1);
    assert_true(near(s.chance[0], 0.6, 1e-12));
    assert_true(near(s.chance[200], 0.4, 1e-12));
    assert_true(near(spread_median(&s), 0, 0));
    spread_add(&s, 0.4, 1); /* 0.36 none, 0.48 one, 0.16 both */
    assert_true(near(s.chance[200], 0.48, 1e-12));
    assert_true(near(s.chance[400], 0.16, 1e-12));
    assert_true(near(spread_median(&s), 1, 1e-9));
    spread_add(&s, 0.9, 1e6); /* for ever: beyond the last bin */
    assert_true(near(s.chance[0], 0.036, 1e-12));
}

/* One segment, one request, one connection: half of them meet nothing. */
static void the_page_in_the_middle_is_below_the_mean(void **state)
{
    struct theory_load load = {
        .page = 1000, .object = 1000, .objects = 1, .lanes = 1
    };
    struct theory_loss l = { .loss = 0.05, .rto_min = 0.2 };
    const struct strategy *how = strategy_find("single");
    struct theory_lossy mean;
    double high, low = theory_lossy_median(how, &plain, &load, &l, &high);
    theory_lossy(how, &plain, &load, &l, &mean);
    assert_true(near(low, theory_fresh(&plain, 1000), 1e-9));
    assert_true(near(high, low, 1e-12));
    assert_true(mean.low > low + 0.1);
}

/* --- pages --- */

static void behind_a_hole_all_of_a_pipeline_waits(void **state)
{
    assert_true(
        near(measure("hole objects=12 iw=100 strategy=pipelined"), 0.098, 0.001));
    assert_true(
        near(measure("hole objects=12 iw=100 strategy=pipelined show=late"), 9, 0));
    assert_true(
        near(measure("hole objects=12 iw=100 strategy=pipelined answer=11 show=late"),
             2, 0));
    assert_true(measure("hole objects=12 iw=100 strategy=kparallel show=late") <= 3);
}

static void an_answers_last_segment_waits_for_the_timer(void **state)
{
    assert_true(near(measure("hole strategy=keepalive lose=6"), 0.404, 0.01));
    assert_true(near(measure("hole strategy=keepalive lose=6 rto=1000"), 1.204, 0.01));
    assert_true(near(measure("hole objects=12 iw=100 strategy=pipelined lose=6"), 0.104,
                     0.001));
}

static void the_picture_has_the_hole_and_who_waits(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(
        experiment_run("hole objects=5 iw=100 strategy=pipelined view=1", &e, &f));
    assert_non_null(strstr(e.view, "\n      4X    1  |"));
    assert_non_null(strstr(e.view, "o---"));
    free(e.view);
}

static void a_lossy_page_is_the_same_each_time(void **state)
{
    double first = measure("loss loss=2 strategy=serial pages=6");
    assert_true(near(measure("loss loss=2 strategy=serial pages=6"), first, 0));
    assert_true(near(measure("loss loss=0 strategy=serial pages=1"), 3.27, 0.01));
}

static void a_segment_that_there_is_not_cannot_be_lost(void **state)
{
    static const char *const row[] = {
        "hole objects=3 answer=4",
        "hole answer=0 strategy=serial",
        "hole strategy=serial segments=6 lose=7",
        "hole strategy=single answer=1",
    };
    struct experiment e;
    struct figure f;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_false(experiment_run(row[i], &e, &f));
        assert_non_null(strstr(e.error, "there is no such segment"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_out_is_longer_while_the_round_trip_is_new),
        cmocka_unit_test(a_loss_costs_a_round_trip_or_a_time_out),
        cmocka_unit_test(repairs_are_rare_and_may_be_lost_themselves),
        cmocka_unit_test(a_long_transfer_has_its_lowest_window_after_a_loss),
        cmocka_unit_test(without_loss_a_page_is_what_it_was),
        cmocka_unit_test(what_is_lost_is_sent_again),
        cmocka_unit_test(rare_delays_add_up),
        cmocka_unit_test(the_page_in_the_middle_is_below_the_mean),
        cmocka_unit_test(behind_a_hole_all_of_a_pipeline_waits),
        cmocka_unit_test(an_answers_last_segment_waits_for_the_timer),
        cmocka_unit_test(the_picture_has_the_hole_and_who_waits),
        cmocka_unit_test(a_segment_that_there_is_not_cannot_be_lost),
        cmocka_unit_test(a_lossy_page_is_the_same_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
