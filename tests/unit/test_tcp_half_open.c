#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

/* A half-open entry: the SYN came, the SYN-ACK left. */
static struct sock *half_open_with(const char *options)
{
    char syn[120];
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    snprintf(syn, sizeof syn, "S 0:0(0) win 1000 %s", options);
    peer_send(&p, syn);
    peer_expect(&p, "S. 0:0(0) ack 1 <...>");
    return l;
}

static struct sock *half_open(void)
{
    return half_open_with("<mss 1460>");
}

static void end(struct sock *l)
{
    sock_close(l);
    peer_free(&p);
}

static unsigned entries(const struct sock *l)
{
    return l->listener->n_half_open;
}

/* A SYN costs an entry, not a connection; the ACK makes one of it. */
static void the_ack_of_the_syn_makes_a_connection(void **state)
{
    struct sock *l = half_open();
    assert_int_equal(p.st->tcp.n_tcb, 0);
    assert_int_equal(entries(l), 1);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(entries(l), 0);
    assert_int_equal(p.st->tcp.n_tcb, 1);
    assert_int_equal(peer_count(&p, "TcpPassiveOpens"), 1);
    struct sock *s = peer_accept(&p, l);
    assert_string_equal(peer_state(s), "ESTAB");
    sock_close(s);
    end(l);
}

/* RFC 9293 s3.8.3: the SYN-ACK again after 1, 2, 4, 8, 16 s (tcp_synack_retries 5);
 * after another 32 s the entry is given up. */
static void the_syn_ack_is_repeated_five_times_and_then_given_up(void **state)
{
    struct sock *l = half_open();
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S. 0:0(0) ack 1 <mss 1460>");
    peer_expect_after(&p, 2 * USEC_PER_SEC, "S. 0:0(0) ack 1 <mss 1460>");
    peer_expect_after(&p, 4 * USEC_PER_SEC, "S. 0:0(0) ack 1 <mss 1460>");
    peer_expect_after(&p, 8 * USEC_PER_SEC, "S. 0:0(0) ack 1 <mss 1460>");
    peer_expect_after(&p, 16 * USEC_PER_SEC, "S. 0:0(0) ack 1 <mss 1460>");
    peer_wait(&p, 32 * USEC_PER_SEC - 1);
    assert_int_equal(entries(l), 1);
    peer_wait(&p, 1);
    assert_int_equal(entries(l), 0);
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpAttemptFails"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPSynRetrans"), 5);
    end(l);
}

/* tcp_synack_retries 0: it is not repeated at all. */
static void without_retries_the_entry_lives_one_second(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_synack_retries", "0");
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_wait(&p, 1 * USEC_PER_SEC);
    assert_int_equal(entries(l), 0);
    peer_expect_nothing(&p);
    end(l);
}

/* The SYN once more: our SYN-ACK was lost; the same numbers, no second entry. */
static void the_syn_again_is_answered_with_the_same_syn_ack(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    assert_int_equal(entries(l), 1);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    assert_int_equal(tcp_acceptable(l->listener), 1);
    end(l);
}

/* RFC 9293 s3.10.7.4, fourth, SYN-RECEIVED; RFC 5961 s4: another SYN is challenged. */
static void another_syn_is_challenged(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, "S 100:100(0) win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_expect_nothing(&p);
    assert_int_equal(entries(l), 1);
    end(l);
}

/* RFC 9293 s3.5 (MUST-11), s3.10.7.4, second, SYN-RECEIVED: back to LISTEN, the user is
 * not told; RFC 5961 s3.2: only at the exact number. Class: a RST that hits the
 * listener. */
static void a_reset_ends_the_entry_at_the_exact_number_only(void **state)
{
    static const struct {
        const char *rst, *answer;
        unsigned entries;
    } row[] = {
        { "R 1:1(0) win 0", NULL, 0 },
        { "R. 1:1(0) ack 1 win 0", NULL, 0 },
        { "R 2:2(0) win 0", ". 1:1(0) ack 1", 1 },
        { "R 0:0(0) win 0", NULL, 1 },
        { "R 65536:65536(0) win 0", NULL, 1 },
        { "R 3000000000:3000000000(0) win 0", NULL, 1 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *l = half_open();
        peer_send(&p, row[i].rst);
        if (row[i].answer)
            peer_expect(&p, row[i].answer);
        peer_expect_nothing(&p);
        assert_int_equal(entries(l), row[i].entries);
        assert_int_equal(tcp_acceptable(l->listener), 0);
        peer_use(&p, 1); /* the listener still listens */
        p.at->stack_port = 80;
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
        end(l);
    }
}

/* RFC 9293 s3.10.7.4, fifth, SYN-RECEIVED: not acceptable: <SEQ=SEG.ACK><CTL=RST>. */
static void a_wrong_acknowledgment_is_reset_and_the_entry_stays(void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        { ". 1:1(0) ack 2 win 9", "R 2:2(0) win 0" },
        { ". 1:1(0) ack 0 win 9", "R 0:0(0) win 0" },
        { "P. 1:11(10) ack 5000 win 9", "R 5000:5000(0) win 0" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *l = half_open();
        peer_send(&p, row[i].in);
        peer_expect(&p, row[i].out);
        assert_int_equal(entries(l), 1);
        peer_send(&p, ". 1:1(0) ack 1 win 1000");
        assert_int_equal(tcp_acceptable(l->listener), 1);
        end(l);
    }
}

/* RFC 9293 s3.10.7.4, first: outside the window: an ACK, and no connection. */
static void what_lies_outside_the_window_is_acknowledged_and_dropped(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, ". 65536:65536(0) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_wait(&p, 500 * USEC_PER_MS); /* tcp_invalid_ratelimit */
    peer_send(&p, ". 0:0(0) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_int_equal(entries(l), 1);
    end(l);
}

/* RFC 7323 s2.2 and s3.2: what we send beside the SYN-ACK has a scaled window and the
 * timestamp that was agreed on. */
static void an_answer_beside_the_syn_ack_is_scaled_and_stamped(void **state)
{
    struct sock *l = half_open_with("<mss 1460,TS val 50 ecr 0,nop,wscale 2>");
    peer_send(&p, "R 2:2(0) win 0");
    peer_expect(&p, ". 1:1(0) ack 1 win 511 <TS val 0 ecr 50>"); /* 65535 >> 7 */
    end(l);
}

/* RFC 9293 s3.10.7.4, fifth: without ACK. */
static void a_segment_without_ack_is_dropped(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, "P 1:101(100) win 9");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpNoAckFlag"), 1);
    assert_int_equal(entries(l), 1);
    end(l);
}

/* The ACK goes on through the steps of a connection with what it carries. Class: text
 * with the last ACK of the handshake, or right behind it, is lost. */
static void the_ack_may_carry_text(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    struct sock *s = peer_accept(&p, l);
    peer_read(&p, s, 100);
    sock_close(s);
    end(l);
}

/* The ACK itself was lost: the first text brings it. */
static void the_ack_may_carry_text_and_fin(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, "FP. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 102");
    struct sock *s = peer_accept(&p, l);
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), 0);
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 102");
    end(l);
}

/* Text that overtakes the ACK: it lies beyond a hole, but its acknowledgment counts. */
static void text_beyond_a_hole_completes_the_handshake(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, "P. 101:201(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 1");
    struct sock *s = peer_accept(&p, l);
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 201");
    peer_read(&p, s, 200);
    sock_close(s);
    end(l);
}

/* Class: stuck because the peer's ACK has no timestamp though its SYN had one: taken at
 * its deeds, without timestamps from then on. */
static void a_peer_that_omits_its_timestamp_is_taken_without(void **state)
{
    struct sock *l = half_open_with("<mss 1460,TS val 50 ecr 0>");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    struct sock *s = peer_accept(&p, l);
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 101");
    sock_close(s);
    end(l);
}

/* RFC 6298 s3 (Karn): the handshake measures the round trip only if the SYN-ACK was
 * sent once; RFC 6298 s5.7: else the time-out is 3 s. */
static void the_handshake_measures_the_round_trip_once(void **state)
{
    struct sock *l = half_open();
    peer_wait(&p, 100 * USEC_PER_MS);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    struct sock *s = peer_accept(&p, l);
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 1");
    /* 100 ms + 4 * 50 ms */
    peer_expect_after(&p, 300 * USEC_PER_MS, "P. 1:11(10) ack 1");
    sock_close(s);
    end(l);
    l = half_open();
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S. 0:0(0) ack 1 <mss 1460>");
    peer_wait(&p, 500 * USEC_PER_MS);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    s = peer_accept(&p, l);
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 1");
    peer_expect_after(&p, 3 * USEC_PER_SEC, "P. 1:11(10) ack 1");
    sock_close(s);
    end(l);
}

/* RFC 9293 s3.7.1 (MUST-15): without an MSS option, 536 bytes a segment. */
static void without_an_mss_segments_have_536_bytes(void **state)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 10000");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 10000");
    struct sock *s = peer_accept(&p, l);
    peer_write(&p, s, 600);
    peer_expect(&p, ". 1:537(536) ack 1");
    peer_expect(&p, "P. 537:601(64) ack 1");
    sock_close(s);
    end(l);
}

/* A connection that is reset while it waits: accept hands it out, reading says why. */
static void a_connection_reset_in_the_accept_queue_tells_its_reader(void **state)
{
    struct sock *l = half_open();
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_send(&p, "R 1:1(0) win 0");
    struct sock *s = peer_accept(&p, l);
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    assert_int_equal(peer_read_result(s), 0);
    sock_close(s);
    end(l);
}

/* tcp_invalid_ratelimit, 500 ms: an old SYN makes an entry beside a peer in TIME-WAIT,
 * and each would answer the other's ACK with its own for ever (RFC 5961 s5). Class: an
 * ACK storm between two ends that disagree. */
static void segments_without_text_are_answered_once_in_half_a_second(void **state)
{
    struct sock *l = half_open();
    for (int i = 0; i < 2; i++) {
        peer_send(&p, ". 70000:70000(0) ack 90000 win 1000");
        peer_expect(&p, ". 1:1(0) ack 1");
        peer_send(&p, ". 70000:70000(0) ack 90000 win 1000");
        peer_send(&p, "S. 70000:70000(0) ack 90000 win 1000");
        peer_wait(&p, 299999);
        peer_send(&p, "R. 7:7(0) ack 1 win 1000");
        peer_expect_nothing(&p);
        peer_send(&p, ". 70000:70001(1) ack 90000 win 1000");
        peer_expect(&p, ". 1:1(0) ack 1");
        peer_wait(&p, 200001);
        if (i == 1)
            peer_expect(&p, "S. 0:0(0) ack 1 <...>");
    }
    assert_int_equal(entries(l), 1);
    end(l);
}

/* RFC 7323 s5.3 R1: an ACK older than the SYN is no ACK of this handshake. */
static void an_ack_with_an_older_timestamp_than_the_syn_opens_nothing(void **state)
{
    struct sock *l = half_open_with("<mss 1460,TS val 1000 ecr 0>");
    peer_send(&p, ". 1:1(0) ack 1 win 1000 <TS val 999 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 1 <TS val 0 ecr 1000>");
    assert_int_equal(entries(l), 1);
    assert_int_equal(peer_drops(&p, "TcpPaws"), 1);
    peer_send(&p, ". 1:1(0) ack 1 win 1000 <TS val 1000 ecr 0>");
    assert_int_equal(entries(l), 0);
    sock_close(peer_accept(&p, l));
    end(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ack_of_the_syn_makes_a_connection),
        cmocka_unit_test(the_syn_ack_is_repeated_five_times_and_then_given_up),
        cmocka_unit_test(without_retries_the_entry_lives_one_second),
        cmocka_unit_test(the_syn_again_is_answered_with_the_same_syn_ack),
        cmocka_unit_test(another_syn_is_challenged),
        cmocka_unit_test(a_reset_ends_the_entry_at_the_exact_number_only),
        cmocka_unit_test(a_wrong_acknowledgment_is_reset_and_the_entry_stays),
        cmocka_unit_test(what_lies_outside_the_window_is_acknowledged_and_dropped),
        cmocka_unit_test(an_answer_beside_the_syn_ack_is_scaled_and_stamped),
        cmocka_unit_test(segments_without_text_are_answered_once_in_half_a_second),
        cmocka_unit_test(a_segment_without_ack_is_dropped),
        cmocka_unit_test(the_ack_may_carry_text),
        cmocka_unit_test(the_ack_may_carry_text_and_fin),
        cmocka_unit_test(text_beyond_a_hole_completes_the_handshake),
        cmocka_unit_test(a_peer_that_omits_its_timestamp_is_taken_without),
        cmocka_unit_test(the_handshake_measures_the_round_trip_once),
        cmocka_unit_test(without_an_mss_segments_have_536_bytes),
        cmocka_unit_test(a_connection_reset_in_the_accept_queue_tells_its_reader),
        cmocka_unit_test(an_ack_with_an_older_timestamp_than_the_syn_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
