#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"

static struct peer p;

/* A connection with timestamps; the peer's last one was 1000. */
static struct sock *with_timestamps(void)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 65535 <mss 1460,TS val 1000 ecr 0>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 1000>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535 <TS val 1000 ecr 0>");
    struct sock *s = peer_accept(&p, l);
    sock_close(l);
    return s;
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* RFC 7323 s5.2 (MUST-ts-recent-older), s5.3 R1 (MUST-paws): older than
 * TS.Recent: "send an acknowledgment ... and drop". */
static void an_older_timestamp_is_acknowledged_and_dropped(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 999 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 1 <TS val 0 ecr 1000>");
    assert_int_equal(peer_read_result(s), -EAGAIN);
    assert_int_equal(peer_drops(&p, "TcpPaws"), 1);
    assert_int_equal(peer_count(&p, "TcpExtPAWSEstab"), 1);
    end(s);
}

/* RFC 7323 s5.2: equal is not older; compared on the circle of 2^32. */
static void timestamps_are_compared_on_the_circle(void **state)
{
    static const struct {
        const char *segment;
        bool ok;
    } row[] = {
        { "P. 1:101(100) ack 1 win 9 <TS val 1000 ecr 0>", true },
        { "P. 1:101(100) ack 1 win 9 <TS val 1001 ecr 0>", true },
        { "P. 1:101(100) ack 1 win 9 <TS val 2147484647 ecr 0>", true },
        { "P. 1:101(100) ack 1 win 9 <TS val 2147484649 ecr 0>", false },
        { "P. 1:101(100) ack 1 win 9 <TS val 4294967295 ecr 0>", false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = with_timestamps();
        peer_send(&p, row[i].segment);
        assert_int_equal(tcp_readable(s->tcb), row[i].ok ? 100 : 0);
        end(s);
    }
}

/* RFC 7323 s5.5 (MUST-paws-idle): after 24 days without a word TS.Recent says nothing
 * any more. */
static void a_timestamp_of_24_days_ago_does_not_count(void **state)
{
    const usec days_24 = (usec)24 * 24 * 3600 * USEC_PER_SEC;
    struct sock *s = with_timestamps();
    peer_wait(&p, days_24 - 1);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 500 ecr 0>");
    assert_int_equal(tcp_readable(s->tcb), 0);
    peer_expect(&p, ". 1:1(0) ack 1 <TS val * ecr 1000>");
    peer_wait(&p, 1);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 500 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val * ecr 500>");
    assert_int_equal(tcp_readable(s->tcb), 100);
    end(s);
}

/* RFC 7323 s5.2 (MUST-paws-rst): "RST segments ... are not subject to the PAWS check".
 */
static void a_reset_is_not_judged_by_its_timestamp(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "R 1:1(0) win 0 <TS val 1 ecr 0>");
    assert_string_equal(peer_state(s), "CLOSED");
    end(s);
}

/* RFC 7323 s3.2: a RST without one is as good. */
static void a_reset_needs_no_timestamp(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "R 1:1(0) win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    end(s);
}

/* RFC 7323 s3.2 (SHLD-ts-missing): "If a non-RST segment is received without a TSopt, a
 * TCP SHOULD silently drop the segment" and "MUST NOT abort". */
static void a_segment_without_the_timestamp_agreed_on_is_dropped_in_silence(
    void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpNoTimestamp"), 1);
    assert_string_equal(peer_state(s), "ESTAB");
    assert_int_equal(peer_read_result(s), -EAGAIN);
    end(s);
}

/* RFC 7323 s3.2 (MUST-ts-unagreed): timestamps that were not agreed on are ignored. */
static void a_timestamp_that_was_not_agreed_on_is_ignored(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 70 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, "P. 101:201(100) ack 1 win 65535 <TS val 60 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 201");
    end(s);
}

/* RFC 7323 s4.3 (2): from a segment at or before Last.ACK.sent that is not older. */
static void the_timestamp_of_text_in_order_is_echoed(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 1010 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 1010>");
    peer_wait(&p, 7 * USEC_PER_MS);
    peer_send(&p, "P. 101:201(100) ack 1 win 65535 <TS val 1020 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 201 <TS val 7 ecr 1020>");
    end(s);
}

/* RFC 5961 s5.1 and RFC 7323 s4.3: what acknowledges a number that was never sent is
 * nobody's; its timestamp would make everything that follows look old. */
static void a_wrong_ack_does_not_change_the_echo(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "F. 1:1(0) ack 9999 win 1000 <TS val 900000 ecr 0>");
    peer_skip(&p);
    peer_send(&p, "P. 1:101(100) ack 1 win 1000 <TS val 1005 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val * ecr 1005>");
    end(s);
}

/* RFC 7323 s5.3 (MUST-paws-once), s4.3 (B) (SHLD-ts-hole, MUST-ts-fill): an ACK for
 * text beyond a hole echoes what came before the hole, so that the sender measures the
 * time that the loss cost. */
static void text_beyond_a_hole_does_not_change_the_echo(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 1010 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 1010>");
    peer_send(&p, "P. 201:301(100) ack 1 win 65535 <TS val 1020 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 1010>");
    peer_send(&p, "P. 301:401(100) ack 1 win 65535 <TS val 1030 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 1010>");
    peer_send(&p, "P. 101:201(100) ack 1 win 65535 <TS val 1040 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 401 <TS val 0 ecr 1040>");
    end(s);
}

/* RFC 7323 s4.3 (A) (SHLD-ts-delayed): a delayed ACK echoes the earliest segment that
 * it acknowledges. */
static void a_delayed_ack_echoes_the_earlier_of_two_segments(void **state)
{
    struct sock *s = with_timestamps();
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 1 <TS val 0 ecr 1000>");
    peer_send(&p, ". 1:1449(1448) ack 11 win 65535 <TS val 1010 ecr 0>");
    peer_expect(&p, ". 11:11(0) ack 1449 <TS val 0 ecr 1010>"); /* the first: at once */
    peer_write(&p, s, 10); /* a conversation now: ACKs are delayed */
    peer_expect(&p, "P. 11:21(10) ack 1449 <TS val 0 ecr 1010>");
    peer_send(&p, ". 1449:2897(1448) ack 21 win 65535 <TS val 1020 ecr 0>");
    peer_expect_nothing(&p);
    peer_send(&p, ". 2897:4345(1448) ack 21 win 65535 <TS val 1030 ecr 0>");
    peer_expect(&p, ". 21:21(0) ack 4345 <TS val 0 ecr 1020>");
    end(s);
}

/* RFC 7323 s4.3 (2): an acceptable segment from before Last.ACK.sent, too. */
static void text_sent_again_that_is_partly_new_updates_the_echo(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 1010 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 1010>");
    peer_send(&p, "P. 1:201(200) ack 1 win 65535 <TS val 1050 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 201 <TS val 0 ecr 1050>");
    end(s);
}

/* RFC 7323 s5.3 (MUST-paws-order): PAWS comes before the sequence number; an old
 * duplicate of an earlier round of numbers, in the window by chance, is not taken for
 * text. */
static void an_old_duplicate_in_the_window_is_caught_by_its_timestamp(void **state)
{
    struct sock *s = with_timestamps();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 5000 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 5000>");
    peer_send(&p, "P. 301:401(100) ack 1 win 65535 <TS val 1000 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val 0 ecr 5000>");
    peer_send(&p, "P. 101:301(200) ack 1 win 65535 <TS val 5001 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 301 <TS val 0 ecr 5001>");
    end(s);
}

/* RFC 5961 s7: PAWS' answers to segments without text have the limit of challenges. */
static void answers_to_old_timestamps_are_limited(void **state)
{
    struct sock *s = with_timestamps();
    for (int i = 0; i < 20; i++)
        peer_send(&p, ". 1:1(0) ack 1 win 65535 <TS val 3 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 1 <TS val 0 ecr 1000>");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpPaws"), 20);
    end(s);
}

/* --- what an echo is worth as a sample ------------------------------------------- */

/* Sends 100 bytes, again after the time-out of 200 ms, and takes an ACK that echoes
 * this. Then 100 bytes more. */
static void resent_and_acknowledged(const char *ack)
{
    struct sock *s = with_timestamps();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1 <TS val 0 ecr 1000>");
    peer_expect_after(&p, 200001, "P. 1:101(100) ack 1 <TS val 200 ecr 1000>");
    peer_wait(&p, 9999);
    peer_send(&p, ack);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 101:201(100) ack 1 <TS val 210 ecr *>");
}

/* RFC 7323 s4.1: the echo tells which copy it answers; 10 ms are a sample, and the
 * time-out is the shortest again. */
static void an_echo_of_the_second_copy_is_a_sample(void **state)
{
    (void)state;
    resent_and_acknowledged(". 1:1(0) ack 101 win 65535 <TS val 1210 ecr 200>");
    peer_expect_after(&p, 201251, "P. 101:201(100) ack 1 <...>");
    peer_free(&p);
}

/* RFC 7323 s4.1 (MAY-ts-sample). RFC 6298 s3 and s5 (Karn). The receiver had the first
 * copy, its ACK was lost, and to the second it answers with the echo that it had (RFC
 * 7323 s5.3, R2 before R3): 210 ms that hold our own time-out. They are no sample, and
 * the doubled time-out stays. */
static void an_echo_older_than_the_last_copy_is_no_sample(void **state)
{
    (void)state;
    resent_and_acknowledged(". 1:1(0) ack 101 win 65535 <TS val 1210 ecr 0>");
    peer_expect_after(&p, 400002, "P. 101:201(100) ack 1 <...>");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_timestamp_is_acknowledged_and_dropped),
        cmocka_unit_test(timestamps_are_compared_on_the_circle),
        cmocka_unit_test(a_timestamp_of_24_days_ago_does_not_count),
        cmocka_unit_test(a_reset_is_not_judged_by_its_timestamp),
        cmocka_unit_test(a_reset_needs_no_timestamp),
        cmocka_unit_test(
            a_segment_without_the_timestamp_agreed_on_is_dropped_in_silence),
        cmocka_unit_test(a_timestamp_that_was_not_agreed_on_is_ignored),
        cmocka_unit_test(the_timestamp_of_text_in_order_is_echoed),
        cmocka_unit_test(a_wrong_ack_does_not_change_the_echo),
        cmocka_unit_test(text_beyond_a_hole_does_not_change_the_echo),
        cmocka_unit_test(a_delayed_ack_echoes_the_earlier_of_two_segments),
        cmocka_unit_test(text_sent_again_that_is_partly_new_updates_the_echo),
        cmocka_unit_test(an_old_duplicate_in_the_window_is_caught_by_its_timestamp),
        cmocka_unit_test(answers_to_old_timestamps_are_limited),
        cmocka_unit_test(an_echo_of_the_second_copy_is_a_sample),
        cmocka_unit_test(an_echo_older_than_the_last_copy_is_no_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
