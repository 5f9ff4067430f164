#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

/* connect() from port 5000; the SYN left. Without options that the test does not speak
 * of. */
static struct sock *connecting(void)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    peer_sysctl(&p, "net.ipv4.tcp_sack", "0");
    peer_sysctl(&p, "net.ipv4.tcp_window_scaling", "0");
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) win 65535 <mss 1460>");
    return s;
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.5, figure 6. */
static void a_syn_ack_opens_the_connection(void **state)
{
    struct sock *s = connecting();
    assert_string_equal(peer_state(s), "SYN-SENT");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1 win 65535");
    assert_string_equal(peer_state(s), "ESTAB");
    assert_int_equal(peer_connect_result(&p, s), 0);
    assert_int_equal(peer_connect_result(&p, s), -EISCONN);
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 1");
    end(s);
}

/* The SYN offers all that this stack knows; only what the answer has is agreed on. */
static void the_syn_offers_what_is_switched_on(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1000,sackOK,nop,wscale 2>");
    peer_expect(&p, ". 1:1(0) ack 1");       /* no timestamp */
    assert_int_equal(s->tcb->snd.wnd, 1000); /* of a SYN: not scaled */
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    assert_int_equal(s->tcb->snd.wnd, 4000);
    peer_send(&p, "P. 101:201(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 101:201>");
    peer_write(&p, s, 2000);
    peer_expect(&p, ". 1:989(988) ack 1 <sack 101:201>"); /* 1000 with its option */
    end(s);
}

/* RFC 5961 s3.2 (MUST-rst-synsent). RFC 9293 s3.10.7.3, first: "If SEG.ACK =< ISS or
 * SEG.ACK > SND.NXT, send a reset (unless the RST bit is set)". */
static void an_unacceptable_ack_is_reset_and_the_attempt_goes_on(void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        { "S. 0:0(0) ack 0 win 9 <mss 1460>", "R 0:0(0) win 0" },
        { "S. 0:0(0) ack 2 win 9 <mss 1460>", "R 2:2(0) win 0" },
        { ". 1:1(0) ack 77 win 9", "R 77:77(0) win 0" },
        { "S. 0:0(0) ack 4000000000 win 9", "R 4000000000:4000000000(0) win 0" },
        { "R. 0:0(0) ack 0 win 0", NULL },
        { "R. 0:0(0) ack 2 win 0", NULL },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = connecting();
        peer_send(&p, row[i].in);
        if (row[i].out)
            peer_expect(&p, row[i].out);
        peer_expect_nothing(&p);
        assert_int_equal(peer_drops(&p, "TcpBadAck"), 1);
        assert_string_equal(peer_state(s), "SYN-SENT");
        peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
        assert_string_equal(peer_state(s), "ESTAB");
        end(s);
    }
}

/* What is reset was not for us: the SYN goes again when it would have. */
static void an_unacceptable_ack_leaves_the_timer_of_the_syn_alone(void **state)
{
    struct sock *s = connecting();
    peer_wait(&p, 600 * USEC_PER_MS);
    peer_send(&p, "S. 0:0(0) ack 2 win 9 <mss 1460>");
    peer_expect(&p, "R 2:2(0) win 0");
    peer_expect_after(&p, 400 * USEC_PER_MS, "S 0:0(0) <...>");
    peer_send(&p, ". 1:1(0) ack 77 win 9");
    peer_expect(&p, "R 77:77(0) win 0");
    peer_expect_after(&p, 2000 * USEC_PER_MS, "S 0:0(0) <...>");
    peer_expect_after(&p, 4000 * USEC_PER_MS, "S 0:0(0) <...>");
    end(s);
}

/* RFC 9293 s3.10.7.3, second: with an acceptable ACK: "connection reset"; connect()
 * says that it was refused. */
static void a_reset_that_acknowledges_the_syn_refuses_the_connection(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, "R. 0:0(0) ack 1 win 0");
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(peer_count(&p, "TcpAttemptFails"), 1);
    assert_int_equal(peer_connect_result(&p, s), -ECONNREFUSED);
    end(s);
}

/* RFC 9293 s3.10.7.3, second: "Otherwise (no ACK), drop the segment". RFC 5961 s3.2
 * (MUST-rst-synsent). */
static void a_reset_without_an_ack_is_dropped(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, "R 0:0(0) win 0");
    peer_send(&p, "R 1:1(0) win 0");
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "SYN-SENT");
    assert_int_equal(peer_drops(&p, "TcpRstChallenged"), 2);
    end(s);
}

/* RFC 9293 s3.10.7.3, fifth: "if neither of the SYN or RST bits is set, then drop". */
static void an_acceptable_ack_without_syn_is_dropped(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, ". 1:1(0) ack 1 win 9");
    peer_send(&p, "P. 1:101(100) ack 1 win 9");
    peer_send(&p, "F 1:1(0) win 9");
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "SYN-SENT");
    assert_int_equal(peer_drops(&p, "TcpFlagsInvalid"), 3);
    end(s);
}

/* RFC 9293 s3.10.7.3, fourth: "If there are other controls or text in the segment, then
 * continue processing at the sixth step". Class: text with the handshake is lost. */
static void a_syn_ack_may_carry_text(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, "SP. 0:100(100) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 101");
    assert_int_equal(tcp_readable(s->tcb), 100);
    peer_expect_nothing(&p);
    end(s);
}

/* And a FIN. */
static void a_syn_ack_may_carry_a_fin(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, "SF. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 2");
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* RFC 9293 s3.8.3 (MUST-23): the SYN again after 1, 2, 4 ... 64 s, 7 times
 * (tcp_syn_retries); after 247 s in all (the last wait is rto_max, 120 s), three
 * minutes at least: timed out. */
static void the_syn_is_repeated_seven_times_and_then_times_out(void **state)
{
    struct sock *s = connecting();
    for (int i = 0; i < 7; i++)
        peer_expect_after(&p, USEC_PER_SEC << i, "S 0:0(0) win 65535 <mss 1460>");
    peer_wait(&p, 120 * USEC_PER_SEC - 1);
    assert_string_equal(peer_state(s), "SYN-SENT");
    peer_wait(&p, 1);
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(p.now, 247 * USEC_PER_SEC);
    assert_int_equal(peer_connect_result(&p, s), -ETIMEDOUT);
    assert_int_equal(peer_count(&p, "TcpExtTCPSynRetrans"), 7);
    end(s);
}

/* tcp_syn_retries. */
static void fewer_retries_time_out_sooner(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_syn_retries", "1");
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S 0:0(0) <...>");
    peer_wait(&p, 2 * USEC_PER_SEC);
    assert_int_equal(peer_connect_result(&p, s), -ETIMEDOUT);
    end(s);
}

/* A lost SYN: the answer to the second counts. RFC 5681 s3.1 (MUST-cc-initial-lost):
 * then the first window is one segment. RFC 6298 s5.7: and the time-out 3 s. */
static void after_a_lost_syn_one_segment_is_sent_at_first(void **state)
{
    struct sock *s = connecting();
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S 0:0(0) <mss 1460>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 5000);
    peer_expect(&p, ". 1:1461(1460) ack 1");
    peer_expect_nothing(&p);
    peer_expect_after(&p, 3 * USEC_PER_SEC, ". 1:1461(1460) ack 1");
    end(s);
}

/* The SYN-ACK again: our ACK was lost. RFC 5961 s4.2: it is challenged, which is the
 * ACK that the peer misses. */
static void a_syn_ack_that_comes_again_is_acknowledged(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_wait(&p, 1 * USEC_PER_SEC);
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_string_equal(peer_state(s), "ESTAB");
    end(s);
}

/* --- simultaneous open: RFC 9293 s3.5, figure 7 (MUST-10) --- */

/* Both SYNs cross; each side answers with SYN and ACK. Class: simultaneous open. */
static struct sock *crossed(void)
{
    struct sock *s = connecting();
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    assert_string_equal(peer_state(s), "SYN-RECV");
    assert_int_equal(peer_connect_result(&p, s), -EALREADY);
    return s;
}

/* Figure 7, line 6: the peer's SYN-ACK brings us to ESTABLISHED. */
static void the_other_sides_syn_ack_completes_a_simultaneous_open(void **state)
{
    struct sock *s = crossed();
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_string_equal(peer_state(s), "ESTAB");
    assert_int_equal(peer_connect_result(&p, s), 0);
    peer_wait(&p, 10 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_send(&p, "P. 1:101(100) ack 101 win 1000");
    peer_read(&p, s, 100);
    end(s);
}

/* The peer answered our SYN-ACK with an ACK (as s3.10.7.4, first, has it). */
static void text_of_a_crossing_syn_waits_for_the_handshake(void **state)
{
    static const struct {
        const char *in; /* completes it; the text is 1:4 */
        unsigned bytes;
    } row[] = {
        { ". 4:4(0) ack 1 win 1000", 3 },  { ". 1:1(0) ack 1 win 1000", 3 },
        { "S. 0:0(0) ack 1 win 1000", 3 }, { "S. 0:3(3) ack 1 win 1000", 3 },
        { "P. 1:4(3) ack 1 win 1000", 3 }, { "P. 3:6(3) ack 1 win 1000", 5 },
        { "P. 4:6(2) ack 1 win 1000", 5 }, { "P. 5:7(2) ack 1 win 1000", 3 },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char line[PEER_LINE];
        struct sock *s = connecting();
        peer_send(&p, "SF 0:3(3) win 1000 <mss 1000>");
        peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        assert_int_equal(peer_read_result(s), -EAGAIN);
        peer_send(&p, row[i].in);
        assert_string_equal(peer_state(s), "ESTAB");
        peer_read(&p, s, row[i].bytes);
        assert_int_equal(peer_read_result(s), -EAGAIN);
        peer_wait(&p, 40 * USEC_PER_MS);
        snprintf(line, sizeof line, ". 1:1(0) ack %u <...>", 1 + row[i].bytes);
        peer_expect(&p, line);
        end(s);
    }
}

static void a_bare_ack_completes_a_simultaneous_open(void **state)
{
    struct sock *s = crossed();
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "ESTAB");
    end(s);
}

/* Text that carries the first ACK. */
static void text_completes_a_simultaneous_open(void **state)
{
    struct sock *s = crossed();
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    assert_string_equal(peer_state(s), "ESTAB");
    peer_read(&p, s, 100);
    end(s);
}

/* Our SYN-ACK was lost: it goes again with the SYN's timer. */
static void a_lost_syn_ack_of_a_simultaneous_open_is_repeated(void **state)
{
    struct sock *s = crossed();
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_expect_after(&p, 2 * USEC_PER_SEC, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_string_equal(peer_state(s), "ESTAB");
    end(s);
}

/* The peer did not get our SYN-ACK and repeats its SYN. */
static void the_peers_syn_again_is_answered_in_a_simultaneous_open(void **state)
{
    struct sock *s = crossed();
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_string_equal(peer_state(s), "SYN-RECV");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    assert_string_equal(peer_state(s), "ESTAB");
    end(s);
}

/* RFC 9293 s3.10.7.4, fifth, SYN-RECEIVED. */
static void a_wrong_ack_in_a_simultaneous_open_is_reset(void **state)
{
    struct sock *s = crossed();
    peer_send(&p, ". 1:1(0) ack 2 win 1000");
    peer_expect(&p, "R 2:2(0) win 0");
    assert_string_equal(peer_state(s), "SYN-RECV");
    end(s);
}

/* RFC 9293 s3.5 (MUST-11), s3.10.7.4, second, SYN-RECEIVED of an active open:
 * "connection refused". */
static void a_reset_refuses_a_simultaneous_open(void **state)
{
    struct sock *s = crossed();
    peer_send(&p, "R 1:1(0) win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(peer_connect_result(&p, s), -ECONNREFUSED);
    end(s);
}

/* Nobody answers our SYN-ACK: given up as a SYN is. */
static void a_simultaneous_open_times_out_like_any_other(void **state)
{
    struct sock *s = crossed();
    for (int i = 0; i < 7; i++)
        peer_expect_after(&p, USEC_PER_SEC << i,
                          "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_wait(&p, 120 * USEC_PER_SEC);
    peer_expect(&p, "R. 1:1(0) ack 1");
    assert_int_equal(peer_connect_result(&p, s), -ETIMEDOUT);
    end(s);
}

/* RFC 7323 s2.5 and s3.2, RFC 2018 s2: the SYN-ACK that crosses has the options that
 * both SYNs had. */
static void a_crossing_syn_ack_has_the_options_of_both(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460,TS val 33 ecr 0,nop,wscale 3>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 33,wscale 7>");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460,TS val 34 ecr 0,nop,wscale 3>");
    peer_expect(&p, ". 1:1(0) ack 1 win 8192 <TS val 0 ecr 34>");
    assert_int_equal(s->tcb->snd.wnd, 1000);
    peer_send(&p, ". 1:1(0) ack 1 win 1000 <TS val 34 ecr 0>");
    assert_int_equal(s->tcb->snd.wnd, 8000);
    end(s);
}

/* RFC 9293 s3.10.4, CLOSE in SYN-RECEIVED: the FIN waits for the handshake. Class: the
 * states of a close while both sides open. */
static void close_during_a_simultaneous_open_sends_the_fin_after_it(void **state)
{
    struct sock *s = crossed();
    sock_close(s);
    peer_expect_nothing(&p);
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    assert_int_equal(p.st->tcp.n_time_wait, 1);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_ack_opens_the_connection),
        cmocka_unit_test(the_syn_offers_what_is_switched_on),
        cmocka_unit_test(an_unacceptable_ack_is_reset_and_the_attempt_goes_on),
        cmocka_unit_test(an_unacceptable_ack_leaves_the_timer_of_the_syn_alone),
        cmocka_unit_test(a_reset_that_acknowledges_the_syn_refuses_the_connection),
        cmocka_unit_test(a_reset_without_an_ack_is_dropped),
        cmocka_unit_test(an_acceptable_ack_without_syn_is_dropped),
        cmocka_unit_test(a_syn_ack_may_carry_text),
        cmocka_unit_test(a_syn_ack_may_carry_a_fin),
        cmocka_unit_test(the_syn_is_repeated_seven_times_and_then_times_out),
        cmocka_unit_test(fewer_retries_time_out_sooner),
        cmocka_unit_test(after_a_lost_syn_one_segment_is_sent_at_first),
        cmocka_unit_test(a_syn_ack_that_comes_again_is_acknowledged),
        cmocka_unit_test(the_other_sides_syn_ack_completes_a_simultaneous_open),
        cmocka_unit_test(text_of_a_crossing_syn_waits_for_the_handshake),
        cmocka_unit_test(a_bare_ack_completes_a_simultaneous_open),
        cmocka_unit_test(text_completes_a_simultaneous_open),
        cmocka_unit_test(a_lost_syn_ack_of_a_simultaneous_open_is_repeated),
        cmocka_unit_test(the_peers_syn_again_is_answered_in_a_simultaneous_open),
        cmocka_unit_test(a_wrong_ack_in_a_simultaneous_open_is_reset),
        cmocka_unit_test(a_reset_refuses_a_simultaneous_open),
        cmocka_unit_test(a_simultaneous_open_times_out_like_any_other),
        cmocka_unit_test(a_crossing_syn_ack_has_the_options_of_both),
        cmocka_unit_test(close_during_a_simultaneous_open_sends_the_fin_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
