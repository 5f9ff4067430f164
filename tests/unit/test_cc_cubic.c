/* CUBIC, without a connection. Windows are bytes of segments of 1,000; the expected
 * values are worked out by hand from RFC 9438's formulas:
 *
 *     W_cubic(t) = 0.4 (t - K)^3 + W_max     K = cbrt((W_max - cwnd) / 0.4) */
#include "tcp/cc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MSS = 1000 };

static void start(struct cc *cc, uint32_t cwnd, uint32_t ssthresh)
{
    cc_start(cc, &cc_cubic, MSS, cwnd);
    cc->ssthresh = ssthresh;
}

static void ack_at(struct cc *cc, int64_t now, int64_t srtt, uint32_t acked)
{
    struct cc_ack a = { .now = now,
                        .acked = acked,
                        .flight = cc->cwnd,
                        .cwnd_limited = true,
                        .srtt = srtt };
    cc->ops->ack(cc, &a);
}

static void app_limited_ack_at(struct cc *cc, int64_t now)
{
    struct cc_ack a = { .now = now, .acked = 1000, .flight = 1000, .srtt = 200000 };
    cc->ops->ack(cc, &a);
}

/* Loses with the whole window in flight, and recovers. */
static void lose_and_recover(struct cc *cc)
{
    cc->ops->loss(cc, CC_LOSS_FAST, cc->cwnd, 0);
    cc->cwnd = cc->ssthresh;
}

/* RFC 9293 s3.8.2 (MAY-18). s4.10, RFC 3465 s2.1. */
static void slow_start_is_renos(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 0xffffffff);
    ack_at(&cc, 0, 20000, 2000);
    ack_at(&cc, 0, 20000, 7000);
    assert_int_equal(cc.cwnd, 19000);
}

/* s4.6. */
static void a_loss_takes_three_tenths(void **state)
{
    static const struct {
        uint32_t flight, ssthresh;
    } row[] = { { 100000, 70000 }, { 50000, 35000 }, { 2000, 2000 }, { 0, 2000 } };
    struct cc cc;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        start(&cc, 100000, 0xffffffff);
        cc.ops->loss(&cc, CC_LOSS_FAST, row[i].flight, 0);
        assert_int_equal(cc.ssthresh, row[i].ssthresh);
        assert_int_equal(cc.cwnd, 100000);
    }
}

/* s4.2, s4.4, s4.5. From 100 segments down to 70: K = cbrt(75) = 4.217 s. A whole
 * window is acknowledged at t, so the window goes to W_cubic(t + RTT), RTT = 0.2 s. */
static void the_window_follows_the_curve(void **state)
{
    static const struct {
        int64_t t;
        uint32_t low, high;
    } row[] = {
        { 2017000, 96799, 96801 },   /* 2 s before K: 100 - 0.4 * 8 */
        { 3017000, 99599, 99601 },   /* 1 s before K: 100 - 0.4 */
        { 4017000, 100000, 100000 }, /* at K: W_max */
        { 5017000, 100399, 100401 }, /* 1 s after K */
        { 6017000, 103199, 103201 }, /* 2 s after K */
        { 9017000, 105000, 105000 }, /* 150 segments: half a window more at most */
    };
    struct cc cc;
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        start(&cc, 100000, 100000);
        lose_and_recover(&cc);
        assert_int_equal(cc.cwnd, 70000);
        ack_at(&cc, 1000000, 200000, 1);
        assert_int_equal(cc.cwnd, 70000);
        ack_at(&cc, 1000000 + row[i].t, 200000, 70000);
        assert_in_range(cc.cwnd, row[i].low, row[i].high);
    }
}

/* The same curve walked a round trip at a time: flat at W_max, never down. */
static void the_window_comes_back_and_lingers_at_the_last_loss(void **state)
{
    struct cc cc;
    uint32_t last = 70000;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    for (int64_t t = 0; t <= 4017000; t += 100425) {
        ack_at(&cc, 5000000 + t, 200000, cc.cwnd);
        assert_true(cc.cwnd >= last);
        last = cc.cwnd;
    }
    assert_in_range(cc.cwnd, 99990, 100000);
    ack_at(&cc, 9400000, 200000, cc.cwnd);
    assert_in_range(cc.cwnd, 100000, 100080);
}

static void small_acknowledgments_add_up_to_the_same_growth(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    ack_at(&cc, 0, 0, 1);
    /* (100,000 - 70,000) / 70,000 of each segment: 428.57 bytes. */
    ack_at(&cc, 4217000, 0, 1000);
    assert_int_equal(cc.cwnd, 70428);
    for (int i = 0; i < 1000; i++)
        ack_at(&cc, 4217000, 0, 1);
    /* The same rate falls from 0.4199 to 0.4116 on the way: 415.7 bytes more. */
    assert_in_range(cc.cwnd, 70843, 70845);
}

/* s4.7: 80 segments is below the last 100, so the aim is 0.85 * 80 = 68. From 56:
 * K = cbrt(30) = 3.107 s. */
static void fast_convergence_aims_lower(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    cc.cwnd = 80000;
    lose_and_recover(&cc);
    assert_int_equal(cc.cwnd, 56000);
    ack_at(&cc, 0, 200000, 1);
    ack_at(&cc, 2907000, 200000, 56000);
    assert_int_equal(cc.cwnd, 68000);
}

/* s4.3: where round trips are short a Reno sender would grow faster. 9/17 of a segment
 * a window until the last loss, then one. */
static void in_the_reno_friendly_region_w_est_is_the_window(void **state)
{
    static const struct {
        int windows;
        uint32_t cwnd;
    } row[] = {
        { 1, 14529 }, { 2, 15058 }, { 10, 19294 }, { 12, 20352 }, { 13, 21352 }
    };
    struct cc cc;
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        start(&cc, 20000, 20000);
        lose_and_recover(&cc);
        assert_int_equal(cc.cwnd, 14000);
        for (int n = 0; n < row[i].windows; n++)
            ack_at(&cc, n * 1000, 1000, cc.cwnd);
        assert_in_range(cc.cwnd, row[i].cwnd - 2, row[i].cwnd + 1);
    }
}

/* RFC 7661 s4.4 and s5.8: no growth, and the curve's clock stands still. */
static void time_in_which_the_window_limits_nothing_does_not_count(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    ack_at(&cc, 0, 200000, 1);
    app_limited_ack_at(&cc, 1000000);
    app_limited_ack_at(&cc, 50000000);
    assert_int_equal(cc.cwnd, 70000);
    /* 99 s later, of which 98 s did not count: t = 2.017 s. */
    ack_at(&cc, 99000000, 200000, 1);
    ack_at(&cc, 100017000, 200000, 70000);
    assert_in_range(cc.cwnd, 96790, 96810);
}

/* s4.8: one segment, slow start to 0.7, then K = 0 from where the window is. */
static void after_a_time_out_the_curve_begins_in_the_middle(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    cc.ops->loss(&cc, CC_LOSS_RTO, 100000, 0);
    assert_int_equal(cc.cwnd, 1000);
    assert_int_equal(cc.ssthresh, 70000);
    ack_at(&cc, 0, 200000, 1000);
    ack_at(&cc, 0, 200000, 9000); /* RFC 3465 s2.3: counts as one segment */
    assert_int_equal(cc.cwnd, 3000);
    cc.cwnd = 70000;
    ack_at(&cc, 0, 200000, 1);
    ack_at(&cc, 1800000, 200000, 70000);
    assert_int_equal(cc.cwnd, 73500); /* 70 + 0.4 * 8, but a twentieth more at least */
    ack_at(&cc, 2800000, 200000, 73500);
    assert_in_range(cc.cwnd, 80799, 80801); /* 70 + 0.4 * 27 */
}

/* s5.8: nor does time in which nothing was in flight. */
static void time_without_anything_in_flight_does_not_count(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    ack_at(&cc, 1000000, 200000, 1);
    struct cc_ack a = { .now = 1000000 + 60000000 + 2017000,
                        .acked = 70000,
                        .flight = 70000,
                        .cwnd_limited = true,
                        .srtt = 200000,
                        .idle = 60000000 };
    cc.ops->ack(&cc, &a);
    assert_in_range(cc.cwnd, 96799, 96801); /* 2 s before K: 100 - 0.4 * 8 */
}

/* A queue that grows ends slow start where the window is (tapir.tcp_hystart). */
static void hybrid_slow_start_ends_it_without_a_loss(void **state)
{
    struct cc cc;
    (void)state;
    for (uint8_t hystart = 0; hystart <= 2; hystart += 2) {
        start(&cc, 20000, 0xffffffff);
        for (uint32_t i = 1; i <= 9; i++) {
            struct cc_ack a = { .now = 1000000 + i * 10000,
                                .acked = 1000,
                                .flight = 20000,
                                .cwnd_limited = true,
                                .srtt = 150000,
                                .min_rtt = 100000,
                                .rtt = 150000,
                                .una = i * 1000,
                                .nxt = 20000,
                                .hystart = hystart };
            cc.ops->ack(&cc, &a);
        }
        assert_int_equal(cc.cwnd, hystart ? 28050 : 29000); /* 28 * 1/20 in the last */
        assert_int_equal(cc.ssthresh, hystart ? 28000 : 0xffffffff);
    }
}

/* RFC 5681 s3.1. */
static void a_repeated_time_out_keeps_ssthresh(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    cc.ops->loss(&cc, CC_LOSS_RTO, 100000, 0);
    cc.ops->loss(&cc, CC_LOSS_RTO, 1000, 0);
    assert_int_equal(cc.ssthresh, 70000);
    assert_int_equal(cc.cwnd, 1000);
}

/* s4.9. */
static void an_undo_goes_on_where_the_curve_was(void **state)
{
    static const enum cc_loss kinds[] = { CC_LOSS_FAST, CC_LOSS_RTO };
    struct cc cc;
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(&cc, 100000, 100000);
        lose_and_recover(&cc);
        ack_at(&cc, 0, 200000, 1);
        cc.ops->loss(&cc, kinds[i], 70000, 0);
        assert_int_equal(cc.ssthresh, 49000);
        cc.cwnd = 1000;
        cc.ops->loss(&cc, CC_LOSS_UNDO, 1000, 0);
        assert_int_equal(cc.cwnd, 70000);
        assert_int_equal(cc.ssthresh, 70000);
        ack_at(&cc, 4017000, 200000, 70000);
        assert_int_equal(cc.cwnd, 100000);
    }
}

static void an_undo_without_a_loss_does_nothing(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 0xffffffff);
    cc.ops->loss(&cc, CC_LOSS_UNDO, 0, 0);
    assert_int_equal(cc.cwnd, 10000);
    assert_int_equal(cc.ssthresh, 0xffffffff);
}

/* RFC 5681 s4.1; the curve starts anew once slow start has come back to ssthresh. */
static void after_a_pause_the_curve_starts_anew(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    ack_at(&cc, 0, 200000, 1);
    cc.ops->idle(&cc, 10000, 60000000);
    assert_int_equal(cc.cwnd, 10000);
    assert_int_equal(cc.ssthresh, 70000);
    cc.cwnd = 70000;
    ack_at(&cc, 60000000, 200000, 1);
    assert_int_equal(cc.cwnd, 70000);
    ack_at(&cc, 64017000, 200000, 70000);
    assert_int_equal(cc.cwnd, 100000);
}

/* s4.10: beyond the last loss there is nothing to aim at: K = 0 from 150
 * segments on. */
static void a_curve_that_starts_above_the_last_loss_begins_in_the_middle(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    cc.cwnd = 150000;
    ack_at(&cc, 0, 200000, 1);
    assert_int_equal(cc.cwnd, 150000);
    ack_at(&cc, 1800000, 200000, 150000);
    assert_in_range(cc.cwnd, 153199, 153201); /* 150 + 0.4 * 8 */
}

/* Here the cube of the time, in the units of the sum, passes 2^64 by next to
 * nothing. */
static void a_very_long_time_is_not_taken_for_a_short_one(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 100000, 100000);
    lose_and_recover(&cc);
    ack_at(&cc, 0, 200000, 1);
    ack_at(&cc, 268241595, 200000, 70000);
    assert_int_equal(cc.cwnd, 105000);
}

/* No sum overflows at the far ends: a day on the curve, a gigabyte of window. */
static void the_ends_of_the_scale_are_safe(void **state)
{
    struct cc cc;
    (void)state;
    cc_start(&cc, &cc_cubic, 65495, 1073741824);
    cc.ssthresh = 1073741824;
    lose_and_recover(&cc);
    ack_at(&cc, 0, 100000, 1);
    for (int64_t hour = 1; hour < 24; hour++)
        ack_at(&cc, hour * 3600000000, 100000, 1073741824);
    assert_int_equal(cc.cwnd, 1073741824);
    cc_start(&cc, &cc_cubic, 1, 1073741824);
    cc.ssthresh = 1073741824;
    lose_and_recover(&cc);
    ack_at(&cc, 0, 100000, 1);
    ack_at(&cc, 1000000, 100000, 0xffffffff);
    assert_in_range(cc.cwnd, 751619276, 1073741824);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_is_renos),
        cmocka_unit_test(a_loss_takes_three_tenths),
        cmocka_unit_test(the_window_follows_the_curve),
        cmocka_unit_test(the_window_comes_back_and_lingers_at_the_last_loss),
        cmocka_unit_test(small_acknowledgments_add_up_to_the_same_growth),
        cmocka_unit_test(fast_convergence_aims_lower),
        cmocka_unit_test(in_the_reno_friendly_region_w_est_is_the_window),
        cmocka_unit_test(time_in_which_the_window_limits_nothing_does_not_count),
        cmocka_unit_test(after_a_time_out_the_curve_begins_in_the_middle),
        cmocka_unit_test(time_without_anything_in_flight_does_not_count),
        cmocka_unit_test(hybrid_slow_start_ends_it_without_a_loss),
        cmocka_unit_test(a_repeated_time_out_keeps_ssthresh),
        cmocka_unit_test(an_undo_goes_on_where_the_curve_was),
        cmocka_unit_test(an_undo_without_a_loss_does_nothing),
        cmocka_unit_test(after_a_pause_the_curve_starts_anew),
        cmocka_unit_test(a_curve_that_starts_above_the_last_loss_begins_in_the_middle),
        cmocka_unit_test(a_very_long_time_is_not_taken_for_a_short_one),
        cmocka_unit_test(the_ends_of_the_scale_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
