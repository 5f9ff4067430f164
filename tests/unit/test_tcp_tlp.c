/* The tail loss probe: RFC 8985 s7. Segments are 1000 bytes, the controller is Reno,
 * the path takes 100 ms: PTO is 202 ms, or 300 for a single segment, where RTO is 300.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

static struct peer p;

/* n bytes are written; what cwnd allows is out. */
static struct sock *sending(const char *early_retrans, unsigned n)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    peer_sysctl(&p, "net.ipv4.tcp_early_retrans", early_retrans);
    struct sock *s = peer_up_sack(&p);
    peer_write(&p, s, n);
    peer_skip(&p);
    return s;
}

/* RFC 8985 s7.2, s7.3. */
static void two_round_trips_without_an_ack_send_the_last_segment_again(void **state)
{
    (void)state;
    sending("3", 4000);
    peer_expect_after(&p, 202 * MS, "P. 3001:4001(1000) ack 1");
    assert_int_equal(peer_count(&p, "TcpExtTCPLossProbes"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 0);
    peer_free(&p);
}

static void new_text_is_a_better_probe_whatever_cwnd_says(void **state)
{
    (void)state;
    struct sock *s = sending("3", 12000);
    peer_expect_after(&p, 202 * MS, ". 10001:11001(1000) ack 1");
    assert_int_equal(s->tcb->cc.cwnd, 10000);
    peer_free(&p);
}

static void a_short_last_segment_is_sent_as_it_was(void **state)
{
    (void)state;
    struct sock *s = sending("3", 2000);
    peer_write(&p, s, 1300);
    peer_expect(&p, ". 2001:3001(1000) ack 1");
    peer_option(s, 6, 1, 1); /* TCP_NODELAY */
    peer_expect(&p, "P. 3001:3301(300) ack 1");
    peer_expect_after(&p, 202 * MS, "P. 3001:3301(300) ack 1");
    peer_free(&p);
}

static void the_fin_may_be_the_last_segment(void **state)
{
    (void)state;
    struct sock *s = sending("3", 2000);
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_expect(&p, "F. 2001:2001(0) ack 1");
    peer_expect_after(&p, 202 * MS, "F. 2001:2001(0) ack 1");
    peer_free(&p);
}

/* s7.2: the ACK of one segment may be delayed; and no later than the RTO. */
static void a_single_segment_waits_for_a_delayed_ack(void **state)
{
    (void)state;
    sending("3", 1000);
    peer_expect_after(&p, 300 * MS, "P. 1:1001(1000) ack 1");
    assert_int_equal(peer_count(&p, "TcpExtTCPLossProbes"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 0);
    peer_free(&p);
}

/* s7.3: one probe; then it is the retransmission timer's turn, an RTO later. */
static void a_probe_that_nobody_answers_is_followed_by_a_time_out(void **state)
{
    (void)state;
    sending("3", 4000);
    peer_expect_after(&p, 202 * MS, "P. 3001:4001(1000) ack 1");
    peer_expect_after(&p, 300 * MS, ". 1:1001(1000) ack 1");
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 1);
    peer_free(&p);
}

/* s7.3: its SACK tells of what is missing before it. */
static void the_sack_of_a_probe_begins_recovery(void **state)
{
    (void)state;
    sending("3", 6000);
    peer_expect_after(&p, 202 * MS, "P. 5001:6001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 3001, "<sack 5001:6001>");
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void an_ack_of_all_calls_it_off(void **state)
{
    (void)state;
    sending("3", 4000);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 4001, "");
    peer_wait(&p, 2 * SEC);
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPLossProbes"), 0);
    peer_free(&p);
}

/* s7.4.2: beyond the probe without a DSACK: it has repaired a loss. */
static void a_loss_that_a_probe_repaired_reduces_the_window(void **state)
{
    (void)state;
    struct sock *s = sending("3", 10000);
    peer_expect_after(&p, 202 * MS, "P. 9001:10001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 10001, "");
    assert_int_equal(s->tcb->cc.ssthresh, UINT32_MAX);
    peer_write(&p, s, 4000);
    peer_skip(&p);
    peer_ack(&p, 12001, "");
    assert_int_equal(s->tcb->cc.ssthresh, 2000); /* half of 4 that were out */
    assert_int_equal(peer_count(&p, "TcpExtTCPLossProbeRecovery"), 1);
    peer_free(&p);
}

static void a_probe_that_the_peer_had_already_reduces_nothing(void **state)
{
    (void)state;
    struct sock *s = sending("3", 10000);
    peer_expect_after(&p, 202 * MS, "P. 9001:10001(1000) ack 1");
    peer_ack(&p, 10001, "");
    peer_ack(&p, 10001, "<sack 9001:10001>");
    peer_write(&p, s, 4000);
    peer_skip(&p);
    peer_ack(&p, 12001, "");
    assert_int_equal(s->tcb->cc.ssthresh, UINT32_MAX);
    assert_int_equal(peer_count(&p, "TcpExtTCPLossProbeRecovery"), 0);
    peer_free(&p);
}

/* Once what it was for is acknowledged, the next silence has its own. */
static void every_flight_has_its_own_probe(void **state)
{
    (void)state;
    struct sock *s = sending("3", 12000);
    peer_expect_after(&p, 202 * MS, ". 10001:11001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 11001, "");
    peer_expect(&p, "P. 11001:12001(1000) ack 1");
    peer_write(&p, s, 2000);
    peer_skip(&p);
    peer_wait(&p, 1 * SEC);
    assert_int_equal(peer_count(&p, "TcpExtTCPLossProbes"), 2);
    peer_free(&p);
}

static void without_sack_or_with_tcp_early_retrans_below_3_there_are_none(void **state)
{
    (void)state;
    sending("0", 4000);
    peer_expect_after(&p, 300 * MS, ". 1:1001(1000) ack 1");
    peer_free(&p);
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_early_retrans", "3");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 4000);
    peer_skip(&p);
    peer_expect_after(&p, 300 * MS, ". 1:1001(1000) ack 1");
    peer_free(&p);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(two_round_trips_without_an_ack_send_the_last_segment_again),
        T(new_text_is_a_better_probe_whatever_cwnd_says),
        T(a_short_last_segment_is_sent_as_it_was),
        T(the_fin_may_be_the_last_segment),
        T(a_single_segment_waits_for_a_delayed_ack),
        T(a_probe_that_nobody_answers_is_followed_by_a_time_out),
        T(the_sack_of_a_probe_begins_recovery),
        T(an_ack_of_all_calls_it_off),
        T(a_loss_that_a_probe_repaired_reduces_the_window),
        T(a_probe_that_the_peer_had_already_reduces_nothing),
        T(every_flight_has_its_own_probe),
        T(without_sack_or_with_tcp_early_retrans_below_3_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
