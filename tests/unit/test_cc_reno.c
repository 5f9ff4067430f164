/* Reno, without a connection. */
#include "tcp/cc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MSS = 1000 };

static void start(struct cc *cc, uint32_t cwnd, uint32_t ssthresh)
{
    cc_start(cc, &cc_reno, MSS, cwnd);
    cc->ssthresh = ssthresh;
}

static void ack(struct cc *cc, uint32_t acked)
{
    struct cc_ack a = { .acked = acked, .flight = cc->cwnd, .cwnd_limited = true };
    cc->ops->ack(cc, &a);
}

static void lose(struct cc *cc, enum cc_loss kind, uint32_t flight)
{
    cc->ops->loss(cc, kind, flight, 0);
}

/* RFC 9293 s3.8.2 (MUST-19). RFC 5681 s3.1 (MUST-cc-slow-start, SHLD-cc-slow-start),
 * RFC 3465 s2.1: the bytes acknowledged; a declared deviation has no L. */
static void slow_start_grows_by_what_is_acknowledged(void **state)
{
    static const struct {
        uint32_t acked, cwnd;
    } row[] = { { 1, 10001 }, { 1000, 11000 }, { 2000, 12000 }, { 9000, 19000 } };
    struct cc cc;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        start(&cc, 10000, 0xffffffff);
        ack(&cc, row[i].acked);
        assert_int_equal(cc.cwnd, row[i].cwnd);
    }
}

static void slow_start_doubles_in_a_round_trip(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 0xffffffff);
    for (int i = 0; i < 5; i++)
        ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 20000);
}

static void slow_start_ends_at_ssthresh(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 10500);
    ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 10500);
    ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 10500);
}

/* RFC 9293 s3.8.2 (MUST-19). RFC 5681 s3.1 (MUST-cc-used, MUST-cc-avoidance): one
 * segment a round trip. */
static void congestion_avoidance_grows_by_a_segment_a_window(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 10000);
    for (int i = 0; i < 9; i++)
        ack(&cc, 1000);
    assert_int_equal(cc.cwnd, 10000);
    ack(&cc, 1000);
    assert_int_equal(cc.cwnd, 11000);
    for (int i = 0; i < 10; i++)
        ack(&cc, 1000);
    assert_int_equal(cc.cwnd, 11000);
    ack(&cc, 1000);
    assert_int_equal(cc.cwnd, 12000);
}

/* RFC 3465 s2.1: bytes count, not acknowledgments. */
static void delayed_acknowledgments_do_not_slow_growth(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 10000);
    for (int i = 0; i < 5; i++)
        ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 11000);
    start(&cc, 10000, 10000);
    ack(&cc, 10000);
    assert_int_equal(cc.cwnd, 11000);
}

static void one_acknowledgment_grows_by_one_segment_at_most(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 10000, 10000);
    ack(&cc, 60000);
    assert_int_equal(cc.cwnd, 11000);
    ack(&cc, 1000);
    assert_int_equal(cc.cwnd, 12000);
    ack(&cc, 1000);
    assert_int_equal(cc.cwnd, 12000);
}

/* RFC 7661 s4.4. */
static void a_window_that_was_not_used_does_not_grow(void **state)
{
    struct cc_ack a = { .acked = 2000, .flight = 3000, .cwnd_limited = false };
    struct cc cc;
    (void)state;
    start(&cc, 10000, 0xffffffff);
    cc.ops->ack(&cc, &a);
    assert_int_equal(cc.cwnd, 10000);
}

/* RFC 5681 s3.1 (MUST-cc-ssthresh) equation 4, s3.2 (MUST-cc-ssthresh-fast): from
 * FlightSize, not from cwnd. */
static void a_fast_retransmit_halves_what_is_in_flight(void **state)
{
    static const struct {
        uint32_t flight, ssthresh;
    } row[] = { { 20000, 10000 }, { 9000, 4500 }, { 3000, 2000 }, { 0, 2000 } };
    struct cc cc;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        start(&cc, 20000, 0xffffffff);
        lose(&cc, CC_LOSS_FAST, row[i].flight);
        assert_int_equal(cc.ssthresh, row[i].ssthresh);
        assert_int_equal(cc.cwnd, 20000);
    }
}

/* RFC 5681 s3.1: the loss window is one segment. */
static void a_time_out_begins_again_with_one_segment(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 20000, 0xffffffff);
    lose(&cc, CC_LOSS_RTO, 16000);
    assert_int_equal(cc.ssthresh, 8000);
    assert_int_equal(cc.cwnd, 1000);
}

/* RFC 5681 s3.1 (MUST-cc-ssthresh-rto): the second time-out of a segment leaves
 * ssthresh alone. */
static void a_repeated_time_out_keeps_ssthresh(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 20000, 0xffffffff);
    lose(&cc, CC_LOSS_RTO, 16000);
    lose(&cc, CC_LOSS_RTO, 1000);
    assert_int_equal(cc.ssthresh, 8000);
    assert_int_equal(cc.cwnd, 1000);
    ack(&cc, 1000);
    lose(&cc, CC_LOSS_RTO, 6000);
    assert_int_equal(cc.ssthresh, 3000);
}

/* RFC 3465 s2.3: L is one segment in the slow start after a time-out. */
static void slow_start_after_a_time_out_counts_one_segment(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 20000, 0xffffffff);
    lose(&cc, CC_LOSS_RTO, 8000);
    ack(&cc, 5000);
    assert_int_equal(cc.cwnd, 2000);
    ack(&cc, 2000);
    ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 4000);
    /* At ssthresh, so in congestion avoidance: */
    ack(&cc, 4000);
    assert_int_equal(cc.cwnd, 5000);
}

static void a_later_slow_start_counts_two_segments_again(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 20000, 0xffffffff);
    lose(&cc, CC_LOSS_RTO, 8000);
    cc.cwnd = 4000;
    ack(&cc, 1000);
    cc.ops->idle(&cc, 2000, 2000000);
    ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 4000);
}

static void an_undo_puts_back_what_the_loss_took(void **state)
{
    static const enum cc_loss kinds[] = { CC_LOSS_FAST, CC_LOSS_RTO };
    struct cc cc;
    (void)state;
    for (int i = 0; i < 2; i++) {
        start(&cc, 20000, 50000);
        lose(&cc, kinds[i], 20000);
        cc.cwnd = 3000;
        lose(&cc, CC_LOSS_UNDO, 3000);
        assert_int_equal(cc.cwnd, 20000);
        assert_int_equal(cc.ssthresh, 50000);
        cc.cwnd = 4000;
        lose(&cc, CC_LOSS_UNDO, 3000);
        assert_int_equal(cc.cwnd, 4000);
    }
}

static void an_undo_after_repeated_time_outs_goes_back_to_before_the_first(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 20000, 50000);
    lose(&cc, CC_LOSS_RTO, 20000);
    lose(&cc, CC_LOSS_RTO, 20000);
    lose(&cc, CC_LOSS_RTO, 20000);
    lose(&cc, CC_LOSS_UNDO, 20000);
    assert_int_equal(cc.cwnd, 20000);
    assert_int_equal(cc.ssthresh, 50000);
}

/* RFC 5681 s4.1: RW = min(IW, cwnd). */
static void after_a_pause_the_window_is_the_initial_one_at_most(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 80000, 40000);
    cc.ops->idle(&cc, 10000, 2000000);
    assert_int_equal(cc.cwnd, 10000);
    assert_int_equal(cc.ssthresh, 40000);
    cc.cwnd = 3000;
    cc.ops->idle(&cc, 10000, 2000000);
    assert_int_equal(cc.cwnd, 3000);
}

/* RFC 7323 s2.3: no window is larger than 2^30. */
static void the_window_stops_at_a_gigabyte(void **state)
{
    struct cc cc;
    (void)state;
    start(&cc, 1073741324, 0xffffffff);
    ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 1073741824);
    ack(&cc, 2000);
    assert_int_equal(cc.cwnd, 1073741824);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_grows_by_what_is_acknowledged),
        cmocka_unit_test(slow_start_doubles_in_a_round_trip),
        cmocka_unit_test(slow_start_ends_at_ssthresh),
        cmocka_unit_test(congestion_avoidance_grows_by_a_segment_a_window),
        cmocka_unit_test(delayed_acknowledgments_do_not_slow_growth),
        cmocka_unit_test(one_acknowledgment_grows_by_one_segment_at_most),
        cmocka_unit_test(a_window_that_was_not_used_does_not_grow),
        cmocka_unit_test(a_fast_retransmit_halves_what_is_in_flight),
        cmocka_unit_test(a_time_out_begins_again_with_one_segment),
        cmocka_unit_test(a_repeated_time_out_keeps_ssthresh),
        cmocka_unit_test(slow_start_after_a_time_out_counts_one_segment),
        cmocka_unit_test(a_later_slow_start_counts_two_segments_again),
        cmocka_unit_test(an_undo_puts_back_what_the_loss_took),
        cmocka_unit_test(
            an_undo_after_repeated_time_outs_goes_back_to_before_the_first),
        cmocka_unit_test(after_a_pause_the_window_is_the_initial_one_at_most),
        cmocka_unit_test(the_window_stops_at_a_gigabyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
