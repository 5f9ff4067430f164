#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_up.h"

/* Requirements of the RFCs beside 9293 that no test of a single file shows whole. The
 * controller is Reno, segments have 1000 bytes, the path takes 100 ms. */

static struct peer p;

static void start(void)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* SACK is agreed on; n bytes are written, of which the first ten segments are out. */
static struct sock *sending(unsigned n)
{
    start();
    struct sock *s = peer_up_sack(&p);
    peer_write(&p, s, n);
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    return s;
}

/* n segments of 100 bytes are out, too small for IsLost() to count in bytes. */
static struct sock *sending_small(unsigned n)
{
    start();
    struct sock *s = peer_up_sack(&p);
    peer_option(s, 6, 1, 1); /* IPPROTO_TCP, TCP_NODELAY */
    for (unsigned i = 0; i < n; i++)
        peer_write(&p, s, 100);
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    return s;
}

/* --- RFC 7323 --- */

/* RFC 7323 s2.2 (MUST-wscale-late): three thousand, not eight times as many. */
static void a_shift_outside_of_a_syn_means_nothing(void **state)
{
    start();
    struct sock *s = peer_up(&p);
    peer_send(&p, ". 1:1(0) ack 1 win 3000 <wscale 3>");
    peer_write(&p, s, 10000);
    peer_expect_full(&p, 1, 3001);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 7323 s2.4 (MUST-wscale-honour, SHLD-wscale-track): the SYN-ACK offered 65535
 * bytes, the ACK of 100 of them no more than 511 * 128; the last byte of the first
 * offer is taken all the same, and the one behind it is not. */
static void what_lay_in_a_window_before_rounding_is_taken(void **state)
{
    start();
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 65535 6291456");
    struct sock *s = peer_up_win(&p, "<mss 1000,sackOK,wscale 0>", 65535);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 win 511");
    peer_send(&p, "P. 65536:65537(1) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, "P. 65535:65536(1) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 65535:65536>");
    end(s);
}

/* RFC 7323 s3.2 (MUST-ts-ecr-ignored): the second copy of our text has left. A segment
 * without ACK echoes it; that is no sample, and nothing is acknowledged. */
static void without_ack_an_echo_says_nothing(void **state)
{
    start();
    struct sock *s = peer_up_win(&p, "<mss 1012,TS val 100 ecr 0>", 65535);
    peer_write(&p, s, 1000);
    peer_expect(&p, "P. 1:1001(1000) ack 1 <TS val 100 ecr 100>");
    peer_expect_after(&p, 300 * MS, "P. 1:1001(1000) ack 1 <TS val 400 ecr 100>");
    peer_wait(&p, 10 * MS);
    peer_send(&p, "P 1:101(100) win 65535 <TS val 200 ecr 400>");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpNoAckFlag"), 1);
    assert_int_equal(s->tcb->rtt.last, 100000);
    peer_expect_after(&p, 590 * MS, "P. 1:1001(1000) ack 1 <...>");
    end(s);
}

/* RFC 7323 s3.2 (SHLD-ts-rst), s5.2 (SHLD-ts-rst-abort). */
static void the_reset_of_an_abort_has_a_timestamp(void **state)
{
    start();
    struct sock *s = peer_up_win(&p, "<mss 1000,TS val 100 ecr 0>", 65535);
    peer_linger_zero(s);
    sock_close(s);
    stack_flush(p.st);
    peer_expect(&p, "R. 1:1(0) ack 1 <TS val 100 ecr 100>");
    peer_free(&p);
}

/* RFC 7323 s5.2 (MUST-ts-rst-state): what a RST that is challenged says is not echoed.
 */
static void the_timestamp_of_a_reset_is_not_remembered(void **state)
{
    start();
    struct sock *s = peer_up_win(&p, "<mss 1000,TS val 100 ecr 0>", 65535);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 100 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val * ecr 100>");
    peer_send(&p, "R 102:102(0) win 0 <TS val 5000 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val * ecr 100>");
    peer_send(&p, "P. 101:201(100) ack 1 win 65535 <TS val 110 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 201 <TS val * ecr 110>");
    end(s);
}

/* --- RFC 2018 --- */

/* RFC 2018 s8 (MUST-sack-held): there is room for four buffers. The fifth segment,
 * which lies lowest, takes the place of the highest, and no block tells of that any
 * more. */
static void what_was_thrown_away_is_told_of_no_more(void **state)
{
    start();
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 4096 4096");
    struct sock *s = peer_up_sack(&p);
    peer_send(&p, ". 501:601(100) ack 1 win 65535");
    peer_send(&p, ". 1001:1101(100) ack 1 win 65535");
    peer_send(&p, ". 3001:3101(100) ack 1 win 65535");
    peer_skip(&p);
    peer_send(&p, ". 2001:2101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 2001:2101 3001:3101 1001:1101 501:601>");
    peer_send(&p, ". 201:301(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 201:301 2001:2101 1001:1101>");
    end(s);
}

/* --- RFC 5961 --- */

/* RFC 5961 s3.2 (MUST-rst-drop): its text is not taken, nor its FIN, nor its ACK. */
static void a_reset_in_the_window_asks_and_does_nothing_else(void **state)
{
    struct sock *s = sending(3000);
    peer_send(&p, "RF. 2:12(10) ack 2001 win 0");
    peer_expect(&p, ". 3001:3001(0) ack 1");
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->rcv.q.ofo_len, 0);
    assert_int_equal(s->tcb->snd.una.n - s->tcb->snd.iss.n, 1);
    assert_int_equal(s->tcb->snd.wnd, 65535);
    assert_string_equal(peer_state(s), "ESTAB");
    end(s);
}

/* --- RFC 5681 --- */

/* RFC 5681 s3.1 (MUST-cc-syn-ack): ten segments after either handshake, not eleven. */
static void the_handshake_does_not_make_the_window_grow(void **state)
{
    start();
    struct sock *s = peer_up(&p);
    assert_int_equal(s->tcb->cc.cwnd, 10000);
    end(s);
    start();
    s = peer_connect(&p, 0);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000>");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_int_equal(s->tcb->cc.cwnd, 10000);
    end(s);
}

/* RFC 5681 s3.1 (MUST-cc-initial-lost): nor does the peer's ACK of the second SYN-ACK
 * let more than one segment out. */
static void after_a_lost_syn_ack_one_segment_is_sent_at_first(void **state)
{
    start();
    struct sock *listener = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "S. 0:0(0) ack 1 <...>");
    peer_expect_after(&p, 1 * SEC, "S. 0:0(0) ack 1 <...>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, listener);
    sock_close(listener);
    peer_write(&p, s, 5000);
    peer_expect_full(&p, 1, 1001);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5681 s3.2 (1) (MUST-cc-limited-sack): new text waits, but for an ACK that tells
 * of something new. */
static void a_duplicate_that_sacks_nothing_new_lets_nothing_out(void **state)
{
    struct sock *s = sending(30000);
    peer_ack(&p, 1, "");
    peer_ack(&p, 1, "");
    peer_expect_nothing(&p);
    peer_ack(&p, 1, "<sack 1001:2001>");
    peer_expect(&p, ". 10001:11001(1000) ack 1");
    peer_ack(&p, 1, "<sack 1001:2001>");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5681 s3.2 (MAY-cc-inflate-bound): ten segments are out, so of thirty duplicates
 * ten count, and five new segments may follow. */
static void duplicates_beyond_what_is_out_let_nothing_out(void **state)
{
    start();
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 10000);
    peer_wait(&p, 100 * MS);
    for (int i = 0; i < 30; i++)
        peer_ack(&p, 1, "");
    peer_skip(&p);
    peer_write(&p, s, 20000);
    peer_expect_full(&p, 10001, 15001);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5681 s4.3 (MUST-cc-after): half of ten, and then one more for each five. */
static void after_recovery_the_window_grows_by_congestion_avoidance(void **state)
{
    struct sock *s = sending(60000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_skip(&p);
    peer_ack(&p, 10001, "");
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    peer_expect_full(&p, 10001, 15001);
    peer_expect_nothing(&p);
    for (unsigned i = 1; i <= 4; i++)
        peer_ack(&p, 10001 + 1000 * i, "");
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    peer_ack(&p, 15001, "");
    assert_int_equal(s->tcb->cc.cwnd, 6000);
    peer_skip(&p);
    end(s);
}

/* RFC 5681 s4.3 (MUST-cc-twice): recovery took half of ten. Segment 6, which it sent
 * again, was lost once more: that takes half of the five that are still out. */
static void a_lost_retransmission_lowers_the_window_again(void **state)
{
    struct sock *s = sending(10000);
    peer_ack(&p, 1, "<sack 6001:10001 1001:5001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect(&p, ". 5001:6001(1000) ack 1");
    peer_ack(&p, 5001, "<sack 6001:10001>");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_expect_after(&p, 300 * MS, ". 5001:6001(1000) ack 1");
    assert_int_equal(s->tcb->cc.ssthresh, 2500);
    assert_int_equal(s->tcb->cc.cwnd, 1000);
    end(s);
}

/* --- RFC 6675 --- */

/* RFC 6675 s5 (MUST-rec-reset): two, and two, are not three. */
static void a_cumulative_ack_begins_the_count_of_duplicates_anew(void **state)
{
    struct sock *s = sending_small(8);
    peer_ack(&p, 1, "<sack 101:201>");
    peer_ack(&p, 1, "<sack 101:301>");
    peer_ack(&p, 301, "");
    peer_ack(&p, 301, "<sack 401:501>");
    peer_ack(&p, 301, "<sack 401:601>");
    peer_expect_nothing(&p);
    peer_ack(&p, 301, "<sack 401:701>");
    peer_expect(&p, "P. 301:401(100) ack 1");
    end(s);
}

/* RFC 6675 s2, s5 (MUST-rec-count): an ACK that moves on and sacks something new is the
 * first of three. */
static void a_cumulative_ack_that_sacks_something_new_is_a_duplicate(void **state)
{
    struct sock *s = sending_small(8);
    peer_ack(&p, 101, "<sack 201:301>");
    peer_ack(&p, 101, "<sack 201:401>");
    peer_expect_nothing(&p);
    peer_ack(&p, 101, "<sack 201:501>");
    peer_expect(&p, "P. 101:201(100) ack 1");
    end(s);
}

/* RFC 2883 s4: a block below the ACK tells of a duplicate, of nothing new. */
static void a_block_below_the_ack_does_not_count(void **state)
{
    struct sock *s = sending_small(8);
    peer_ack(&p, 201, "<sack 101:201>");
    peer_ack(&p, 201, "<sack 301:401>");
    peer_ack(&p, 201, "<sack 301:501>");
    peer_expect_nothing(&p);
    peer_ack(&p, 201, "<sack 301:601>");
    peer_expect(&p, "P. 201:301(100) ack 1");
    end(s);
}

/* RFC 6675 s4 NextSeg() (2) (MUST-rec-new-next): segment 6 may be lost, but too little
 * is sacked above it, so new text goes first. */
static void new_text_goes_before_a_hole_that_may_be_lost(void **state)
{
    struct sock *s = sending(12000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_ack(&p, 5001, "<sack 6001:7001>"); /* 6 8 9 10 fly */
    peer_expect(&p, ". 10001:11001(1000) ack 1");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 6675 s4 NextSeg() (5) (MUST-rec-nothing): segments 5 and 6 fly, there is room for
 * one more, and nothing that could fill it. */
static void where_nothing_may_be_lost_and_nothing_is_new_nothing_leaves(void **state)
{
    struct sock *s = sending(6000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_ack(&p, 4001, "");
    assert_int_equal(s->tcb->recovery, RECOVERY_FAST);
    assert_int_equal(tcp_cwnd_room(s->tcb), 1000);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 6675 s4 (MUST-rec-kept), RFC 2018 s8 (MUST-sack-cumulative). */
static void what_is_sacked_stays_in_the_send_buffer(void **state)
{
    struct sock *s = sending(4000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    assert_int_equal(s->tcb->snd.buf.len, 4000);
    peer_skip(&p);
    peer_ack(&p, 1001, "<sack 2001:4001>");
    assert_int_equal(s->tcb->snd.buf.len, 3000);
    end(s);
}

/* RFC 6675 s5 (A) (SHLD-rec-keep): the end of recovery at 10001 clears nothing that
 * lies beyond: two segments that were sacked need only one more. */
static void what_is_sacked_beyond_the_recovery_point_stays_known(void **state)
{
    struct sock *s = sending(30000);
    peer_ack(&p, 1, "<sack 1001:10001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_full(&p, 10001, 14001);
    peer_expect_nothing(&p);
    peer_ack(&p, 1, "<sack 11001:13001 1001:10001>");
    peer_skip(&p);
    peer_ack(&p, 10001, "<sack 11001:13001>");
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    assert_int_equal(s->tcb->sent.bytes[SENT_SACKED], 2000);
    peer_skip(&p);
    end(s);
}

/* RFC 6675 s5.1 (MUST-rec-rto-end, MUST-rec-rto-point, MUST-rec-rto-again): the timer
 * ends this recovery, and until all of the fourteen segments that were out is
 * acknowledged, nothing that is sacked begins another. */
static void after_a_time_out_no_recovery_begins_below_what_was_out(void **state)
{
    struct sock *s = sending(40000);
    peer_ack(&p, 1, "<sack 1001:10001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_full(&p, 10001, 14001);
    assert_int_equal(s->tcb->recovery, RECOVERY_FAST);
    peer_wait(&p, 300 * MS);
    peer_skip(&p);
    assert_int_equal(s->tcb->recovery, RECOVERY_RTO);
    peer_ack(&p, 10001, "<sack 11001:12001>");
    peer_ack(&p, 10001, "<sack 11001:13001>");
    peer_ack(&p, 10001, "<sack 11001:14001>");
    assert_int_equal(s->tcb->recovery, RECOVERY_RTO);
    assert_int_equal(peer_count(&p, "TcpExtTCPSackRecovery"), 1);
    peer_skip(&p);
    peer_ack(&p, 14001, "");
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    peer_skip(&p);
    end(s);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(a_shift_outside_of_a_syn_means_nothing),
        T(what_lay_in_a_window_before_rounding_is_taken),
        T(without_ack_an_echo_says_nothing),
        T(the_reset_of_an_abort_has_a_timestamp),
        T(the_timestamp_of_a_reset_is_not_remembered),
        T(what_was_thrown_away_is_told_of_no_more),
        T(a_reset_in_the_window_asks_and_does_nothing_else),
        T(the_handshake_does_not_make_the_window_grow),
        T(after_a_lost_syn_ack_one_segment_is_sent_at_first),
        T(a_duplicate_that_sacks_nothing_new_lets_nothing_out),
        T(duplicates_beyond_what_is_out_let_nothing_out),
        T(after_recovery_the_window_grows_by_congestion_avoidance),
        T(a_lost_retransmission_lowers_the_window_again),
        T(a_cumulative_ack_begins_the_count_of_duplicates_anew),
        T(a_cumulative_ack_that_sacks_something_new_is_a_duplicate),
        T(a_block_below_the_ack_does_not_count),
        T(new_text_goes_before_a_hole_that_may_be_lost),
        T(where_nothing_may_be_lost_and_nothing_is_new_nothing_leaves),
        T(what_is_sacked_stays_in_the_send_buffer),
        T(what_is_sacked_beyond_the_recovery_point_stays_known),
        T(after_a_time_out_no_recovery_begins_below_what_was_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#undef T
}
