/* Losses without SACK: RFC 5681, RFC 6582 (NewReno), RFC 3042, and time-outs; with SACK
 * they are in test_tcp_recovery_sack.c. Segments are 1000 bytes, the first window ten
 * of them, the controller is Reno; the path takes 100 ms, RTO is 300 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

/* Has written n bytes, of which the first ten segments are out. */
static struct sock *sending(struct peer *p, unsigned n)
{
    peer_init(p);
    peer_sysctl(p, "net.ipv4.tcp_congestion_control", "reno");
    struct sock *s = peer_up(p);
    peer_write(p, s, n);
    peer_skip(p);
    peer_wait(p, 100 * MS);
    return s;
}

static void duplicates(struct peer *p, unsigned ack, int n)
{
    while (n-- > 0)
        peer_ack(p, ack, "");
}

#define assert_cc(s, cwnd_is, ssthresh_is)                    \
    do {                                                      \
        assert_int_equal((s)->tcb->cc.cwnd, cwnd_is);         \
        assert_int_equal((s)->tcb->cc.ssthresh, ssthresh_is); \
    } while (0)

/* RFC 5681 s3.2 (2) (MUST-cc-fast-retransmit, SHLD-cc-fast): half of what was in
 * flight. */
static void the_third_duplicate_sends_the_first_segment_again(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    duplicates(&p, 1, 2);
    peer_expect_nothing(&p);
    assert_cc(s, 10000, UINT32_MAX);
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    assert_cc(s, 5000, 5000);
    duplicates(&p, 1, 3);
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPRenoRecovery"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPFastRetrans"), 1);
    peer_free(&p);
}

static void tcp_reordering_says_how_many_duplicates_it_takes(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 10000);
    peer_sysctl(&p, "net.ipv4.tcp_reordering", "5");
    duplicates(&p, 1, 4);
    peer_expect_nothing(&p);
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_free(&p);
}

/* RFC 5681 s2: no text, no FIN, the same window. Bug class 13. */
static void text_and_windows_are_no_duplicates(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 10000);
    duplicates(&p, 1, 2);
    peer_send(&p, ". 1:1(0) ack 1 win 65000");
    peer_send(&p, ". 1:1(0) ack 1 win 64000");
    peer_send(&p, "P. 1:11(10) ack 1 win 64000");
    peer_expect(&p, ". 10001:10001(0) ack 11");
    peer_send(&p, "P. 11:21(10) ack 1 win 64000");
    peer_expect(&p, ". 10001:10001(0) ack 21");
    peer_expect_nothing(&p);
    peer_send(&p, ". 21:21(0) ack 1 win 64000");
    peer_expect(&p, ". 1:1001(1000) ack 21");
    peer_free(&p);
}

static void without_text_in_flight_nothing_is_a_duplicate(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 3000);
    peer_ack(&p, 3001, "");
    duplicates(&p, 3001, 5);
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->dupacks, 0);
    peer_free(&p);
}

/* RFC 3042 s2; RFC 5681 s3.2 (1) (SHLD-cc-limited, MUST-cc-limited) and, for ssthresh,
 * (2) (MUST-cc-limited-flight): what it sends is not counted. */
static void the_first_two_duplicates_let_a_new_segment_out_each(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 30000);
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 10001:11001(1000) ack 1");
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 11001:12001(1000) ack 1");
    assert_cc(s, 10000, UINT32_MAX);
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    assert_cc(s, 5000, 5000);
    peer_free(&p);
}

/* RFC 5681 s3.1: "increments cwnd by at most SMSS bytes for each ACK": what two
 * duplicates had told of, for which new text left, is not counted again. */
static void what_duplicates_told_of_does_not_open_the_window_again(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 15000);
    peer_expect_full(&p, 1, 10001);
    peer_ack(&p, 1, "");
    peer_ack(&p, 1, "");
    peer_expect_full(&p, 10001, 12001);
    peer_ack(&p, 3001, "");
    assert_int_equal(s->tcb->cc.cwnd, 11000);
    peer_expect_full(&p, 12001, 14001);
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void limited_transmit_can_be_switched_off(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 30000);
    peer_sysctl(&p, "tapir.tcp_limited_transmit", "0");
    duplicates(&p, 1, 2);
    peer_expect_nothing(&p);
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_free(&p);
}

/* RFC 6582 s3.2 (2), RFC 5681 s3.2 (4), (5) (MUST-cc-inflate), s4.3 (MUST-cc-half):
 * cwnd = ssthresh + a segment for each duplicate. Twelve are out; the eighth duplicate
 * makes room for the thirteenth. */
static void each_further_duplicate_lets_a_segment_out_once_half_has_left(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 30000);
    duplicates(&p, 1, 3);
    peer_skip(&p);
    duplicates(&p, 1, 4);
    peer_expect_nothing(&p);
    duplicates(&p, 1, 1);
    peer_expect(&p, ". 12001:13001(1000) ack 1");
    duplicates(&p, 1, 3);
    peer_expect_full(&p, 13001, 16001);
    peer_ack(&p, 12001, ""); /* four are out, five may be */
    peer_expect(&p, ". 16001:17001(1000) ack 1");
    peer_expect_nothing(&p);
    assert_cc(s, 5000, 5000);
    peer_free(&p);
}

/* RFC 6582 s3.2 (3): a partial ACK tells of the next loss. */
static void a_partial_ack_sends_the_next_hole_again(void **state)
{
    static const unsigned losses[][3] = { { 3001, 0, 0 },
                                          { 3001, 5001, 0 },
                                          { 1001, 2001, 9001 } };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct peer p;
        char line[PEER_LINE];
        struct sock *s = sending(&p, 10000);
        duplicates(&p, 1, 3);
        peer_expect(&p, ". 1:1001(1000) ack 1");
        for (int n = 0; n < 3 && losses[i][n]; n++) {
            peer_wait(&p, 100 * MS);
            peer_ack(&p, losses[i][n], "");
            snprintf(line, sizeof line, "%s %u:%u(1000) ack 1",
                     losses[i][n] == 9001 ? "P." : ".", losses[i][n],
                     losses[i][n] + 1000);
            peer_expect(&p, line);
            peer_expect_nothing(&p);
            assert_cc(s, 5000, 5000);
        }
        peer_ack(&p, 10001, "");
        assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
        assert_cc(s, 5000, 5000);
        assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 0);
        peer_free(&p);
    }
}

/* RFC 6582 s3.2 (3): deflated by what was acknowledged, less the segment that went
 * again: one new segment leaves with it. Segments 1 and 2 of 15 are lost. */
static void a_partial_ack_lets_one_new_segment_out(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 30000);
    duplicates(&p, 1, 10);
    peer_skip(&p); /* two by limited transmit, three more from the eighth on */
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 1001, "");
    peer_expect(&p, ". 1001:2001(1000) ack 1");
    peer_expect(&p, ". 15001:16001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 6582 s3.2 (2): one reduction for each window of text. */
static void duplicates_of_the_same_window_do_not_reduce_twice(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    duplicates(&p, 1, 3);
    peer_skip(&p);
    peer_ack(&p, 3001, "");
    peer_skip(&p);
    duplicates(&p, 3001, 6);
    peer_expect_nothing(&p);
    assert_cc(s, 5000, 5000);
    assert_int_equal(peer_count(&p, "TcpExtTCPRenoRecovery"), 1);
    peer_free(&p);
}

/* RFC 6582 s3.2 (1), (2): the ACK must cover more than `recover`. */
static void duplicates_right_behind_a_time_out_are_not_believed(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 20000);
    peer_wait(&p, 200 * MS);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    duplicates(&p, 1, 4);
    peer_expect_nothing(&p);
    peer_ack(&p, 10001, "");
    peer_skip(&p);
    duplicates(&p, 10001, 4);
    peer_skip(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPRenoRecovery"), 0);
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    peer_free(&p);
}

/* --- time-outs --- */

/* RFC 9293 s3.8.2 (MUST-19). RFC 5681 s3.1 (MUST-cc-used, MUST-cc-loss-window):
 * ssthresh by equation 4, cwnd one segment; slow start from there. */
static void after_a_time_out_it_starts_slowly_with_what_was_out(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 30000);
    peer_expect_after(&p, 200 * MS, ". 1:1001(1000) ack 1");
    assert_cc(s, 1000, 5000);
    peer_ack(&p, 1001, "");
    peer_expect_full(&p, 1001, 3001);
    peer_expect_nothing(&p);
    assert_cc(s, 2000, 5000);
    peer_ack(&p, 2001, "");
    peer_expect_full(&p, 3001, 5001);
    peer_ack(&p, 3001, "");
    peer_expect_full(&p, 5001, 7001);
    assert_cc(s, 4000, 5000);
    peer_ack(&p, 10001, "");            /* the peer had the rest */
    peer_expect_full(&p, 10001, 15001); /* this ACK is one of slow start too */
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    peer_free(&p);
}

/* RFC 5681 s3.1 (MUST-cc-ssthresh-rto): "held constant" when the timer fires for the
 * same text again. */
static void a_second_time_out_leaves_ssthresh_alone(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 30000);
    peer_expect_after(&p, 200 * MS, ". 1:1001(1000) ack 1");
    peer_expect_after(&p, 600 * MS, ". 1:1001(1000) ack 1");
    peer_expect_after(&p, 1200 * MS, ". 1:1001(1000) ack 1");
    assert_cc(s, 1000, 5000);
    peer_free(&p);
}

static void a_lost_tail_waits_for_the_timer(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 9001, "");
    peer_expect_after(&p, 300 * MS, "P. 9001:10001(1000) ack 1");
    assert_cc(s, 1000, 2000);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 10001, "");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 6582 s3.2 (4): the retransmission was lost as well. */
static void a_time_out_ends_fast_recovery(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    duplicates(&p, 1, 3);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_after(&p, 200 * MS, ". 1:1001(1000) ack 1");
    assert_int_equal(s->tcb->recovery, RECOVERY_RTO);
    assert_int_equal(s->tcb->cc.cwnd, 1000);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 10001, "");
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 2);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_third_duplicate_sends_the_first_segment_again),
        cmocka_unit_test(tcp_reordering_says_how_many_duplicates_it_takes),
        cmocka_unit_test(text_and_windows_are_no_duplicates),
        cmocka_unit_test(without_text_in_flight_nothing_is_a_duplicate),
        cmocka_unit_test(the_first_two_duplicates_let_a_new_segment_out_each),
        cmocka_unit_test(what_duplicates_told_of_does_not_open_the_window_again),
        cmocka_unit_test(limited_transmit_can_be_switched_off),
        cmocka_unit_test(each_further_duplicate_lets_a_segment_out_once_half_has_left),
        cmocka_unit_test(a_partial_ack_sends_the_next_hole_again),
        cmocka_unit_test(a_partial_ack_lets_one_new_segment_out),
        cmocka_unit_test(duplicates_of_the_same_window_do_not_reduce_twice),
        cmocka_unit_test(duplicates_right_behind_a_time_out_are_not_believed),
        cmocka_unit_test(after_a_time_out_it_starts_slowly_with_what_was_out),
        cmocka_unit_test(a_second_time_out_leaves_ssthresh_alone),
        cmocka_unit_test(a_lost_tail_waits_for_the_timer),
        cmocka_unit_test(a_time_out_ends_fast_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
