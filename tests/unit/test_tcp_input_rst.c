#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"

static struct peer p;

/* The connection of these tests: 100 bytes each way came and were acknowledged, so that
 * RCV.NXT is 101 and SND.NXT is 101. */
static struct sock *conversation(void)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_send(&p, "P. 1:101(100) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_read(&p, s, 100);
    return s;
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* RFC 5961 s3.2 (1) (MUST-rst-exact): "If the RST bit is set and the sequence number
 * exactly matches the next expected sequence number, then TCP MUST reset the
 * connection". */
static void a_reset_at_the_exact_number_ends_the_connection(void **state)
{
    struct sock *s = conversation();
    peer_send(&p, "R 101:101(0) win 0");
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(peer_count(&p, "TcpEstabResets"), 1);
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    end(s);
}

/* RFC 5961 s3.2: an ACK in the RST is not looked at. */
static void a_reset_with_any_acknowledgment_ends_the_connection(void **state)
{
    struct sock *s = conversation();
    peer_send(&p, "R. 101:101(0) ack 4000000000 win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    end(s);
}

/* RFC 5961 s3.2 (2), (3) (MUST-rst-outside, MUST-rst-inside, SHLD-rst): in the window
 * it is challenged, outside it is dropped. Class: blind resets. */
static void a_reset_elsewhere_does_not_end_the_connection(void **state)
{
    static const struct {
        const char *rst;
        bool challenged;
    } row[] = {
        { "R 102:102(0) win 0", true },
        { "R. 102:102(0) ack 101 win 0", true },
        { "R 65000:65000(0) win 0", true },
        { "R 100:100(0) win 0", false },
        { "R 1:1(0) win 0", false },
        { "R 70000:70000(0) win 0", false },
        { "R 2147483900:2147483900(0) win 0", false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = conversation();
        peer_send(&p, row[i].rst);
        if (row[i].challenged)
            peer_expect(&p, ". 101:101(0) ack 101");
        peer_expect_nothing(&p);
        assert_string_equal(peer_state(s), "ESTAB");
        assert_int_equal(peer_drops(&p, "TcpRstChallenged"), row[i].challenged);
        assert_int_equal(peer_count(&p, "TcpExtTCPChallengeACK"), row[i].challenged);
        end(s);
    }
}

/* RFC 5961 s3.2: the peer that really lost the connection answers the challenge with a
 * RST at its number. */
static void a_challenged_peer_that_is_gone_resets_after_all(void **state)
{
    struct sock *s = conversation();
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_send(&p, "R 101:101(0) win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    end(s);
}

/* RFC 5961 s4.2 (MUST-syn-challenge, SHLD-syn, MUST-syn-drop): "irrespective of the
 * sequence number, TCP MUST send an ACK". Class: a SYN on an established connection. */
static void a_syn_on_a_connection_is_challenged_whatever_its_number(void **state)
{
    static const char *const row[] = {
        "S 101:101(0) win 1000",
        "S 0:0(0) win 1000",
        "S 5000:5000(0) win 1000",
        "S. 0:0(0) ack 1 win 1000",
        "S 3000000000:3000000000(0) win 1000",
        "S. 101:101(0) ack 101 win 1000",
        "S 100:102(2) win 1000",
        "S. 100:110(10) ack 101 win 1000",
        "S. 101:111(10) ack 101 win 1000",
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = conversation();
        peer_send(&p, row[i]);
        peer_expect(&p, ". 101:101(0) ack 101");
        peer_expect_nothing(&p);
        assert_string_equal(peer_state(s), "ESTAB");
        assert_int_equal(peer_read_result(s), -EAGAIN);
        end(s);
    }
}

/* RFC 5961 s4.2 (MUST-syn-rst): a peer that restarted resets the old connection when it
 * is challenged, and its next SYN opens a new one. */
static void a_peer_that_restarted_gets_through(void **state)
{
    struct sock *s = conversation();
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 5000:5000(0) win 1000");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_send(&p, "R 101:101(0) win 0");
    peer_send(&p, "S 5000:5000(0) win 1000 <mss 1460>");
    p.at->knows_isn = false;
    peer_expect(&p, "S. 0:0(0) ack 5001 <mss 1460>");
    sock_close(l);
    end(s);
}

/* RFC 5961 s7 (SHLD-ack-throttle, SHLD-ack-throttle-set), as tcp_invalid_ratelimit: one
 * challenge in 500 ms. */
static void challenges_are_limited_to_one_in_500_ms(void **state)
{
    struct sock *s = conversation();
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect(&p, ". 101:101(0) ack 101");
    for (int i = 0; i < 10; i++)
        peer_send(&p, "S 101:101(0) win 0");
    peer_wait(&p, 499 * USEC_PER_MS);
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect_nothing(&p);
    peer_wait(&p, 1 * USEC_PER_MS);
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5961 s7. Class: an endless exchange of ACKs between two ends that disagree. */
static void bare_acks_outside_the_window_do_not_start_a_storm(void **state)
{
    struct sock *s = conversation();
    for (int i = 0; i < 100; i++)
        peer_send(&p, ". 90000:90000(0) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpFutureSequence"), 100);
    end(s);
}

/* Class: a limit on challenges that starves what really needs its ACK, such as text or
 * a FIN that is sent again. */
static void the_limit_on_challenges_does_not_starve_text_or_fin(void **state)
{
    struct sock *s = conversation();
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_send(&p, "P. 1:101(100) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_send(&p, "F. 101:101(0) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 102");
    for (int i = 0; i < 3; i++) {
        peer_send(&p, "F. 101:101(0) ack 101 win 65535");
        peer_expect(&p, ". 101:101(0) ack 102");
    }
    end(s);
}

/* Each connection has its own allowance (RFC 5961 s7 warns of a shared one, which tells
 * strangers what happens elsewhere). */
static void a_challenge_on_one_connection_does_not_use_up_another_ones(void **state)
{
    struct sock *a = conversation();
    peer_use(&p, 1);
    struct sock *b = peer_establish(&p, "<mss 1460>");
    peer_use(&p, 0);
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_use(&p, 1);
    peer_send(&p, "R 500:500(0) win 0");
    peer_expect(&p, ". 1:1(0) ack 1");
    sock_close(b);
    end(a);
}

/* RFC 9293 s3.10.7.4, second: in each state that follows the handshake. Class: what a
 * reset means where no socket is left. */
static void a_reset_ends_a_connection_that_nobody_owns(void **state)
{
    struct sock *s = conversation();
    sock_close(s);
    peer_expect(&p, "F. 101:101(0) ack 101");
    peer_send(&p, "R 101:101(0) win 0");
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_send(&p, ". 101:101(0) ack 102 win 65535");
    peer_expect(&p, "R 102:102(0) win 0");
    peer_free(&p);
}

/* RFC 5961 s10: of 100 a second, half to one and a half times as many leave. */
static void challenges_of_the_whole_stack_are_limited(void **state)
{
    struct sock *s = conversation();
    peer_sysctl(&p, "net.ipv4.tcp_challenge_ack_limit", "100");
    peer_sysctl(&p, "net.ipv4.tcp_invalid_ratelimit", "0");
    for (int second = 1; second <= 3; second++) {
        peer_wait(&p, USEC_PER_SEC);
        long before = peer_count(&p, "TcpExtTCPChallengeACK");
        for (int i = 0; i < 300; i++)
            peer_send(&p, "R 500:500(0) win 0");
        long sent = peer_count(&p, "TcpExtTCPChallengeACK") - before;
        assert_in_range(sent, 50, 149);
        assert_int_equal(peer_count(&p, "TcpExtTCPACKSkippedChallenge") +
                             peer_count(&p, "TcpExtTCPChallengeACK"),
                         300 * second);
        peer_skip(&p);
    }
    end(s);
}

/* Linux's INT_MAX: no limit. */
static void a_limit_of_all_is_none(void **state)
{
    struct sock *s = conversation();
    peer_sysctl(&p, "net.ipv4.tcp_challenge_ack_limit", "2147483647");
    peer_sysctl(&p, "net.ipv4.tcp_invalid_ratelimit", "0");
    for (int i = 0; i < 3000; i++)
        peer_send(&p, "R 500:500(0) win 0");
    assert_int_equal(peer_count(&p, "TcpExtTCPChallengeACK"), 3000);
    peer_skip(&p);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_at_the_exact_number_ends_the_connection),
        cmocka_unit_test(a_reset_with_any_acknowledgment_ends_the_connection),
        cmocka_unit_test(a_reset_elsewhere_does_not_end_the_connection),
        cmocka_unit_test(a_challenged_peer_that_is_gone_resets_after_all),
        cmocka_unit_test(a_syn_on_a_connection_is_challenged_whatever_its_number),
        cmocka_unit_test(a_peer_that_restarted_gets_through),
        cmocka_unit_test(challenges_are_limited_to_one_in_500_ms),
        cmocka_unit_test(bare_acks_outside_the_window_do_not_start_a_storm),
        cmocka_unit_test(the_limit_on_challenges_does_not_starve_text_or_fin),
        cmocka_unit_test(a_challenge_on_one_connection_does_not_use_up_another_ones),
        cmocka_unit_test(a_reset_ends_a_connection_that_nobody_owns),
        cmocka_unit_test(challenges_of_the_whole_stack_are_limited),
        cmocka_unit_test(a_limit_of_all_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
