/* Losses with SACK: RFC 6675. Segments are 1000 bytes, the first window ten of them,
 * the controller is Reno; the path takes 100 ms, RTO is 300 ms. Segment n is the text
 * from 1000 * (n - 1) + 1 on. */
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
    peer_sysctl(p, "tapir.tcp_prr", "0"); /* test_tcp_prr.c */
    struct sock *s = peer_up_sack(p);
    peer_write(p, s, n);
    peer_skip(p);
    peer_wait(p, 100 * MS);
    return s;
}

#define assert_cc(s, cwnd_is, ssthresh_is)                    \
    do {                                                      \
        assert_int_equal((s)->tcb->cc.cwnd, cwnd_is);         \
        assert_int_equal((s)->tcb->cc.ssthresh, ssthresh_is); \
    } while (0)

/* RFC 5681 s4.3 (MUST-cc-loss). RFC 2018 s5.1 (MUST-sack-congestion). RFC 6675 s5 (4)
 * (MUST-rec-enter, MUST-rec-first): more than two segments sacked above it, or three
 * duplicates. */
static void what_three_segments_were_sacked_above_is_sent_again(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 1, "<sack 1001:2001>");
    peer_ack(&p, 1, "<sack 1001:3001>");
    peer_expect_nothing(&p);
    assert_cc(s, 10000, UINT32_MAX);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    assert_cc(s, 5000, 5000);
    assert_int_equal(peer_count(&p, "TcpExtTCPSackRecovery"), 1);
    peer_free(&p);
}

/* RFC 6675 s5 (1) (MUST-rec-enter): one ACK can tell as much as three. */
static void one_block_of_three_segments_is_enough(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 1, "<sack 1001:3002>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    assert_cc(s, 5000, 5000);
    peer_free(&p);
}

/* RFC 6675 s2, s5 (MUST-rec-count): a duplicate is an ACK that tells of something new;
 * others are not counted. */
static void duplicates_that_sack_nothing_new_do_not_count(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    for (int i = 0; i < 5; i++)
        peer_ack(&p, 1, "");
    peer_ack(&p, 1, "<sack 1001:2001>");
    for (int i = 0; i < 5; i++)
        peer_ack(&p, 1, "<sack 1001:2001>");
    peer_expect_nothing(&p);
    assert_cc(s, 10000, UINT32_MAX);
    peer_free(&p);
}

/* s2: and it may carry text or a window. */
static void what_a_segment_with_text_sacks_counts(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 10000);
    peer_send(&p, "P. 1:11(10) ack 1 win 65535 <sack 1001:2001>");
    peer_send(&p, "P. 11:21(10) ack 1 win 65000 <sack 1001:3001>");
    peer_skip(&p);
    peer_send(&p, "P. 21:31(10) ack 1 win 64000 <sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 31");
    peer_free(&p);
}

/* RFC 3042 with RFC 6675 s5 (3) (MAY-rec-limited); ssthresh does not count what it
 * sends. */
static void the_first_two_let_a_new_segment_out_each(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 30000);
    peer_ack(&p, 1, "<sack 1001:2001>");
    peer_expect(&p, ". 10001:11001(1000) ack 1");
    peer_ack(&p, 1, "<sack 1001:3001>");
    peer_expect(&p, ". 11001:12001(1000) ack 1");
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    assert_cc(s, 5000, 5000);
    peer_free(&p);
}

/* RFC 6675 s4 (MUST-rec-pipe), s5 (MUST-rec-update, MUST-rec-each, MUST-rec-end,
 * SHLD-rec-room, MUST-rec-next), RFC 2018 s5 (SHLD-sack-record), RFC 5681 s4.3
 * (MUST-cc-half): segments 1, 3 and 5 are lost. Half of the window is left; each goes
 * again as soon as it is known to be lost and less than five are in flight. */
static void several_holes_are_filled_as_the_pipe_allows(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 1, "<sack 1001:2001>");
    peer_ack(&p, 1, "<sack 3001:4001 1001:2001>");
    peer_expect_nothing(&p);
    peer_ack(&p, 1, "<sack 5001:6001 3001:4001 1001:2001>");
    peer_expect(&p, ". 1:1001(1000) ack 1"); /* 1 3 5 7 8 9 10 fly */
    peer_ack(&p, 1, "<sack 5001:7001 3001:4001 1001:2001>");
    peer_expect_nothing(&p); /* 3 is lost; 1 5 8 9 10 fly */
    peer_ack(&p, 1, "<sack 5001:8001 3001:4001 1001:2001>");
    peer_expect(&p, ". 2001:3001(1000) ack 1"); /* 5 is lost; 1 9 10 and now 3 fly */
    peer_expect(&p, ". 4001:5001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_ack(&p, 1, "<sack 5001:10001 3001:4001 1001:2001>");
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 2001, "<sack 5001:10001 3001:4001>");
    peer_ack(&p, 4001, "<sack 5001:10001>");
    assert_int_equal(s->tcb->recovery, RECOVERY_FAST);
    peer_ack(&p, 10001, "");
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    assert_cc(s, 5000, 5000);
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 3);
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 0);
    peer_free(&p);
}

/* RFC 6675 s5 (4.1) (MUST-rec-point): RecoveryPoint: one reduction for what was out
 * when it began; the next loss behind it begins another. */
static void one_window_of_text_reduces_once(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 40000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_skip(&p);
    assert_cc(s, 5000, 5000);
    peer_ack(&p, 4001, "<sack 5001:10001>"); /* segment 5 too */
    peer_skip(&p);
    assert_cc(s, 5000, 5000);
    assert_int_equal(peer_count(&p, "TcpExtTCPSackRecovery"), 1);
    uint32_t out = s->tcb->snd.nxt.n - s->tcb->snd.iss.n;
    peer_ack(&p, out, "");
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    char line[PEER_LINE];
    snprintf(line, sizeof line, "<sack %u:%u>", out + 1000, out + 4000);
    peer_ack(&p, out, line);
    assert_int_equal(peer_count(&p, "TcpExtTCPSackRecovery"), 2);
    assert_cc(s, 2500, 2500);
    peer_free(&p);
}

/* RFC 6675 s4 NextSeg() (3) (SHLD-rec-hole): too little is sacked above segment 4 to
 * call it lost, but nothing better is to be sent. */
static void a_hole_that_may_be_lost_is_filled_when_nothing_else_is_left(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 5000);
    peer_ack(&p, 1, "<sack 1001:3001>");
    peer_ack(&p, 1, "<sack 4001:5001 1001:3001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 3001, "<sack 4001:5001>");
    peer_expect(&p, ". 3001:4001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 5001, "");
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 0);
    peer_free(&p);
}

/* RFC 2883 s4: a first block below the ACK, or inside the second, tells of a duplicate,
 * not of a hole. */
static void a_duplicate_told_of_is_no_loss(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 2001, "");
    for (int i = 0; i < 5; i++)
        peer_ack(&p, 2001, "<sack 1:1001>");
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPDSACKRecv"), 5);
    peer_ack(&p, 2001, "<sack 3001:4001>");
    for (int i = 0; i < 5; i++)
        peer_ack(&p, 2001, "<sack 3001:3501 3001:4001>");
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPDSACKRecv"), 10);
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    peer_free(&p);
}

/* Blocks that the peer cannot mean: never sent, acknowledged long ago. */
static void blocks_outside_of_what_is_out_are_ignored(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 1, "<sack 10001:20001>");
    peer_ack(&p, 1, "<sack 9001:10002>");
    peer_ack(&p, 1, "<sack 4000000000:1>");
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->sent.bytes[SENT_SACKED], 0);
    peer_free(&p);
}

static void blocks_that_were_not_agreed_on_are_ignored(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 10000);
    peer_skip(&p);
    peer_ack(&p, 1, "<sack 1001:9001>");
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->sent.bytes[SENT_SACKED], 0);
    peer_free(&p);
}

/* --- time-outs --- */

/* RFC 6675 s5.1 (SHLD-rec-rto-use). RFC 6298 s5.4; RFC 2018 s8: what the peer holds is
 * not sent again. */
static void after_a_time_out_what_is_sacked_stays_where_it_is(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = sending(&p, 10000);
    peer_ack(&p, 1, "<sack 2001:9001>");
    peer_expect_full(&p, 1, 2001); /* 10 flies, five may */
    peer_expect_after(&p, 200 * MS, ". 1:1001(1000) ack 1");
    assert_cc(s, 1000, 5000);
    peer_ack(&p, 1001, "<sack 2001:9001>");
    peer_expect(&p, ". 1001:2001(1000) ack 1");
    peer_expect(&p, "P. 9001:10001(1000) ack 1");
    peer_ack(&p, 10001, "");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 6675 s4 (MUST-rec-kept). RFC 2018 s5 (MUST-sack-left), s8 (MUST-sack-cumulative):
 * the peer may throw away what it has sacked. */
static void a_peer_that_renegs_gets_all_again(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 4000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 1001, ""); /* it should have been 4001 */
    peer_expect_after(&p, 300 * MS, ". 1001:2001(1000) ack 1");
    peer_ack(&p, 2001, "");
    peer_expect(&p, ". 2001:3001(1000) ack 1");
    peer_expect(&p, "P. 3001:4001(1000) ack 1");
    peer_free(&p);
}

/* RFC 6675 s5.1: a lost retransmission waits for the timer. */
static void a_retransmission_that_is_lost_waits_for_the_timer(void **state)
{
    struct peer p;
    (void)state;
    sending(&p, 10000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_ack(&p, 1, "<sack 1001:10001>");
    peer_expect_after(&p, 200 * MS, ". 1:1001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 10001, "");
    peer_expect_nothing(&p);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_three_segments_were_sacked_above_is_sent_again),
        cmocka_unit_test(one_block_of_three_segments_is_enough),
        cmocka_unit_test(duplicates_that_sack_nothing_new_do_not_count),
        cmocka_unit_test(what_a_segment_with_text_sacks_counts),
        cmocka_unit_test(the_first_two_let_a_new_segment_out_each),
        cmocka_unit_test(several_holes_are_filled_as_the_pipe_allows),
        cmocka_unit_test(one_window_of_text_reduces_once),
        cmocka_unit_test(a_hole_that_may_be_lost_is_filled_when_nothing_else_is_left),
        cmocka_unit_test(a_duplicate_told_of_is_no_loss),
        cmocka_unit_test(blocks_outside_of_what_is_out_are_ignored),
        cmocka_unit_test(blocks_that_were_not_agreed_on_are_ignored),
        cmocka_unit_test(after_a_time_out_what_is_sacked_stays_where_it_is),
        cmocka_unit_test(a_peer_that_renegs_gets_all_again),
        cmocka_unit_test(a_retransmission_that_is_lost_waits_for_the_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
