/* The formulae against figures that were measured or worked by hand. */
#include "../../tools/lab/theory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool near(double a, double b, double apart)
{
    return a - b <= apart && b - a <= apart;
}

/* A segment of 1000 bytes at 8 Mbit/s takes a millisecond; heads and requests take
 * nothing, so that the sums can be done in one's head. */
static const struct theory_path plain = {
    .rtt = 0.1, .rate = 8e6, .mss = 1000, .header = 0, .window = 4
};

static void a_connection_costs_a_round_trip_and_two_syns(void **state)
{
    assert_true(near(theory_connect(&plain), 0.10012, 1e-9));
}

static void a_segment_begun_is_a_segment(void **state)
{
    struct theory_path p = plain;
    assert_true(near(theory_segments(&p, 3000), 3, 0));
    assert_true(near(theory_segments(&p, 3001), 4, 0));
    p.head = 500;
    assert_true(near(theory_segments(&p, 2501), 4, 0));
}

static void what_fits_in_the_first_window_never_stalls(void **state)
{
    assert_true(near(theory_stall(&plain, 4, 4), 0, 0));
}

/* 4 segments in 4 ms, the first ACK after 101: 97 idle; then 8, and 93. */
static void each_window_is_followed_by_a_shorter_silence(void **state)
{
    assert_true(near(theory_stall(&plain, 5, 4), 0.097, 1e-9));
    assert_true(near(theory_stall(&plain, 12, 4), 0.097, 1e-9));
    assert_true(near(theory_stall(&plain, 13, 4), 0.190, 1e-9));
}

/* Windows of 4, 8, 16, 32, 64 leave silences of 97, 93, 85, 69 and 37 ms; one of 128
 * lasts longer than a round trip. */
static void a_full_pipe_stalls_no_more(void **state)
{
    assert_true(near(theory_stall(&plain, 1e6, 4), 0.381, 1e-9));
}

static void the_staircase_has_a_step_for_each_doubling(void **state)
{
    static const struct {
        double segments, window;
        unsigned rounds;
    } row[] = {
        { 1, 1, 1 }, { 2, 1, 2 },   { 3, 1, 2 },   { 4, 1, 3 },   { 7, 1, 3 },
        { 8, 1, 4 }, { 10, 10, 1 }, { 11, 10, 2 }, { 30, 10, 2 }, { 31, 10, 3 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(theory_rounds(row[i].segments, row[i].window), row[i].rounds);
}

/* RFC 7661 s4.3: a window that was never filled has proved nothing. */
static void a_window_grows_only_while_it_is_used(void **state)
{
    assert_true(near(theory_warm(14, 10), 24, 0));
    assert_true(near(theory_warm(10, 10), 20, 0));
    assert_true(near(theory_warm(6, 10), 12, 0));
    assert_true(near(theory_warm(2, 10), 10, 0));
    assert_true(near(theory_warm(139, 12), 151, 0));
}

/* RFC 3465 s2.1: what is acknowledged counts in bytes, so an answer of three segments
 * and a half leaves half a segment less than one of four. */
static void a_short_segment_adds_what_is_in_it(void **state)
{
    assert_true(near(theory_text(&plain, 3500), 3.5, 1e-12));
    assert_true(near(theory_warm(4.5, 4), 8.5, 1e-12));
    assert_true(near(theory_warm(3.5, 4), 7, 1e-12));
    assert_true(near(theory_warm(2.6, 4), 6, 1e-12));
}

/* A window of 4.5 lets 4 go, unless half a segment is all that is left. */
static void whole_segments_leave_while_there_is_more(void **state)
{
    assert_true(near(theory_stall(&plain, 4.5, 4.5), 0, 0));
    assert_true(near(theory_stall(&plain, 4.6, 4.5), 0.097, 1e-9));
    assert_true(near(theory_stall(&plain, 12.5, 4.5), 0.097, 1e-9));
    assert_true(near(theory_stall(&plain, 12.6, 4.5), 0.190, 1e-9));
}

/* The lab's first measurement, with nginx and Linux's Reno over an emulated path: what
 * was predicted then, to a millisecond, and for pipelines and several kept connections
 * what was measured. Heads of 250 bytes and requests of 30. */
static const struct {
    double rate, rtt, object;
    unsigned objects, lanes;
    double single, serial, low, high; /* predicted */
    double pipeline;                  /* measured */
    double keep;                      /* predicted */
    double many;                      /* measured */
} figure[] = {
    { 10e6, .1, 20e3, 10, 4, .306, 3.269, 1.126, 1.243, .684, 1.462, .767 },
    { 10e6, .1, 2e3, 10, 4, .202, 2.228, .813, .826, .416, 1.227, .620 },
    { 2e6, .04, 20e3, 10, 4, .165, 1.763, 1.035, 1.197, .998, 1.358, 1.040 },
    { 50e6, .2, 200e3, 6, 3, 1.017, 6.504, 2.436, 2.568, 1.830, 2.381, 1.890 },
    { 10e6, .1, 5e3, 30, 6, .205, 6.343, 1.230, 1.339, .647, 3.340, .857 },
};

static void pages_take_what_was_predicted_and_measured_on_linux(void **state)
{
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++) {
        struct theory_path p = { .rtt = figure[i].rtt,
                                 .rate = figure[i].rate,
                                 .mss = 1448,
                                 .header = 52,
                                 .window = 10,
                                 .request = 30,
                                 .head = 250 };
        struct theory_load l = { .page = 8192,
                                 .object = figure[i].object,
                                 .objects = figure[i].objects,
                                 .lanes = figure[i].lanes };
        const double apart = 0.0008;
        assert_true(near(theory_fresh(&p, l.object), figure[i].single, apart));
        assert_true(near(theory_serial(&p, &l), figure[i].serial, apart));
        assert_true(near(theory_parallel_low(&p, &l), figure[i].low, apart));
        assert_true(near(theory_parallel_high(&p, &l), figure[i].high, apart));
        /* Its windows are counted in bytes, which is nearer than the prediction then.
         */
        assert_true(near(theory_pipeline(&p, &l), figure[i].pipeline,
                         .01 * figure[i].pipeline));
        assert_true(near(theory_keep(&p, &l), figure[i].keep, apart));
        assert_true(
            near(theory_keep_many(&p, &l), figure[i].many, .15 * figure[i].many));
    }
}

static void a_page_without_objects_is_one_answer(void **state)
{
    struct theory_load l = { .page = 3000, .lanes = 4 };
    double alone = theory_fresh(&plain, 3000);
    assert_true(near(theory_serial(&plain, &l), alone, 1e-12));
    assert_true(near(theory_parallel_low(&plain, &l), alone, 1e-12));
    assert_true(near(theory_parallel_high(&plain, &l), alone, 1e-12));
    assert_true(near(theory_keep(&plain, &l), alone, 1e-12));
    assert_true(near(theory_keep_many(&plain, &l), alone, 1e-12));
    assert_true(near(theory_pipeline(&plain, &l), alone, 1e-12));
    assert_true(near(theory_limit(&plain, &l), alone, 1e-12));
}

/* 60000 ports and two minutes: 500 a second. Linux has 28232 and one minute. */
static void time_wait_bounds_the_rate_of_connections(void **state)
{
    assert_true(near(theory_port_rate(60000, 120), 500, 1e-9));
    assert_true(near(theory_port_rate(28232, 60), 470.5, 0.1));
}

static void nagle_and_a_delayed_ack_cost_both_delays(void **state)
{
    assert_true(near(theory_nagle(&plain, 0.04), 0.14, 1e-9));
}

static void loss_costs_what_its_formulae_say(void **state)
{
    assert_true(near(theory_syn_loss(0.1, 1), 0.125, 1e-9));
    assert_true(near(theory_tail_loss(0.1), 0.271, 1e-9));
    /* 8000 bits / 0.1 s * sqrt(3 / 0.02) */
    assert_true(near(theory_bulk_rate(&plain, 0.01, 1), 979795.9, 0.1));
}

static void more_connections_take_more_and_queue_more(void **state)
{
    assert_true(near(theory_share(1), 0.5, 1e-12));
    assert_true(near(theory_share(4), 0.8, 1e-12));
    assert_true(near(theory_burst_delay(&plain, 6), 0.024, 1e-9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_costs_a_round_trip_and_two_syns),
        cmocka_unit_test(a_segment_begun_is_a_segment),
        cmocka_unit_test(what_fits_in_the_first_window_never_stalls),
        cmocka_unit_test(each_window_is_followed_by_a_shorter_silence),
        cmocka_unit_test(a_full_pipe_stalls_no_more),
        cmocka_unit_test(the_staircase_has_a_step_for_each_doubling),
        cmocka_unit_test(a_window_grows_only_while_it_is_used),
        cmocka_unit_test(a_short_segment_adds_what_is_in_it),
        cmocka_unit_test(whole_segments_leave_while_there_is_more),
        cmocka_unit_test(pages_take_what_was_predicted_and_measured_on_linux),
        cmocka_unit_test(a_page_without_objects_is_one_answer),
        cmocka_unit_test(time_wait_bounds_the_rate_of_connections),
        cmocka_unit_test(nagle_and_a_delayed_ack_cost_both_delays),
        cmocka_unit_test(loss_costs_what_its_formulae_say),
        cmocka_unit_test(more_connections_take_more_and_queue_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
