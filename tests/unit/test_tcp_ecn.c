/* ECN as of RFC 3168: who agrees to it, what is marked, what is echoed, and what an
 * echo does. Segments are 1000 bytes, the controller is Reno, the path takes 100 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer_up.h"

static struct peer p;

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* Accepted, with these flags on the peer's SYN ("SEW") and ours ("S.E"). */
static struct sock *accepted(const char *tcp_ecn, const char *syn, const char *syn_ack)
{
    char line[2 * PEER_LINE];

    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    peer_sysctl(&p, "net.ipv4.tcp_ecn", tcp_ecn);
    struct sock *listener = peer_listen(&p, 80);
    snprintf(line, sizeof line, "%s 0:0(0) win 65535 <mss 1000,sackOK>", syn);
    peer_send(&p, line);
    snprintf(line, sizeof line, "[noecn] %s 0:0(0) ack 1 <...>", syn_ack);
    peer_expect(&p, line);
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, listener);
    sock_close(listener);
    return s;
}

/* As above, and n bytes are written, of which the first ten segments are out. */
static struct sock *sending(unsigned n)
{
    struct sock *s = accepted("2", "SEW", "SE.");

    peer_write(&p, s, n);
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    return s;
}

/* connect() from port 5000; the SYN left. */
static struct sock *connecting(const char *tcp_ecn, const char *syn)
{
    char line[PEER_LINE];

    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_ecn", tcp_ecn);
    struct sock *s = peer_connect(&p, 5000);
    snprintf(line, sizeof line, "[noecn] %s 0:0(0) <...>", syn);
    peer_expect(&p, line);
    return s;
}

/* --- agreeing --- */

/* RFC 3168 s6.1.1 (MAY-ecn-agree, MUST-ecn-answer, MUST-ecn-setup,
 * SHLD-ecn-setup-theirs, MUST-ecn-forms, MUST-ecn-syn-plain), s5 (SHLD-ecn-ect0). */
static void a_listener_agrees_unless_tcp_ecn_is_0(void **state)
{
    static const struct {
        const char *tcp_ecn, *syn, *syn_ack, *text;
    } row[] = {
        { "2", "SEW", "SE.", "[ect0] P. 1:101(100) ack 1" },
        { "1", "SEW", "SE.", "[ect0] P. 1:101(100) ack 1" },
        { "0", "SEW", "S.", "[noecn] P. 1:101(100) ack 1" },
        { "2", "S", "S.", "[noecn] P. 1:101(100) ack 1" },
        { "2", "SE", "S.", "[noecn] P. 1:101(100) ack 1" },
        { "2", "SW", "S.", "[noecn] P. 1:101(100) ack 1" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct sock *s = accepted(row[i].tcp_ecn, row[i].syn, row[i].syn_ack);
        peer_write(&p, s, 100);
        peer_expect(&p, row[i].text);
        end(s);
    }
}

/* RFC 3168 s6.1.1 (MUST-ecn-forms, SHLD-ecn-unwilling): both flags in a SYN-ACK are a
 * mirror. */
static void connect_asks_where_tcp_ecn_is_1_and_heeds_the_answer(void **state)
{
    static const struct {
        const char *tcp_ecn, *syn, *answer, *text;
    } row[] = {
        { "1", "SEW", "SE. 0:0(0) ack 1 win 1000", "[ect0] P. 1:101(100) ack 1" },
        { "1", "SEW", "S. 0:0(0) ack 1 win 1000", "[noecn] P. 1:101(100) ack 1" },
        { "1", "SEW", "SEW. 0:0(0) ack 1 win 1000", "[noecn] P. 1:101(100) ack 1" },
        { "2", "S", "SE. 0:0(0) ack 1 win 1000", "[noecn] P. 1:101(100) ack 1" },
        { "0", "S", "SE. 0:0(0) ack 1 win 1000", "[noecn] P. 1:101(100) ack 1" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct sock *s = connecting(row[i].tcp_ecn, row[i].syn);
        peer_send(&p, row[i].answer);
        peer_expect(&p, "[noecn] . 1:1(0) ack 1");
        peer_write(&p, s, 100);
        peer_expect(&p, row[i].text);
        end(s);
    }
}

/* RFC 3168 s6.1.1.1 (MAY-ecn-fallback); s6.1.1 (MUST-ecn-setup): and then nothing is
 * ECT, whatever comes. */
static void the_second_syn_asks_for_nothing(void **state)
{
    (void)state;
    struct sock *s = connecting("1", "SEW");
    peer_expect_after(&p, 1 * SEC, "S 0:0(0) <...>");
    peer_send(&p, "SE. 0:0(0) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 100);
    peer_expect(&p, "[noecn] P. 1:101(100) ack 1");
    end(s);
}

/* RFC 3168 s6.1.1 (MUST-ecn-promise): but the peer had the first one, agreed, and may
 * send what is marked. */
static void the_promise_of_the_first_syn_holds_after_a_plain_one(void **state)
{
    (void)state;
    struct sock *s = connecting("1", "SEW");
    peer_expect_after(&p, 1 * SEC, "S 0:0(0) <...>");
    peer_send(&p, "SE. 0:0(0) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, "[ce] P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, "E. 1:1(0) ack 101");
    peer_send(&p, "[ect0] PW. 101:201(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 201");
    end(s);
}

static void without_tcp_ecn_fallback_every_syn_asks(void **state)
{
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_ecn", "1");
    peer_sysctl(&p, "net.ipv4.tcp_ecn_fallback", "0");
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "SEW 0:0(0) <...>");
    peer_expect_after(&p, 1 * SEC, "SEW 0:0(0) <...>");
    peer_send(&p, "SE. 0:0(0) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 100);
    peer_expect(&p, "[ect0] P. 1:101(100) ack 1");
    end(s);
}

static void two_syns_that_cross_agree_too(void **state)
{
    (void)state;
    struct sock *s = connecting("1", "SEW");
    peer_send(&p, "SEW 0:0(0) win 1000 <mss 1000>");
    peer_expect(&p, "[noecn] SE. 0:0(0) ack 1 <...>");
    peer_send(&p, "SE. 0:0(0) ack 1 win 1000 <mss 1000>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 100);
    peer_expect(&p, "[ect0] P. 1:101(100) ack 1");
    end(s);
}

static void a_syn_ack_that_is_sent_again_agrees_again(void **state)
{
    (void)state;
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "SEW 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "SE. 0:0(0) ack 1 <...>");
    peer_expect_after(&p, 1 * SEC, "SE. 0:0(0) ack 1 <...>");
    end(l);
}

/* --- what is sent --- */

/* RFC 3168 s5.2 (MUST-ecn-detectable), s6.1.5 (MUST-ecn-not-again). */
static void what_is_sent_again_is_not_ect(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_write(&p, s, 100);
    peer_expect(&p, "[ect0] P. 1:101(100) ack 1");
    peer_expect_after(&p, 300 * MS, "[noecn] P. 1:101(100) ack 1");
    end(s);
}

/* RFC 3168 s5.2 (MUST-ecn-detectable), s6.1.4 (MUST-ecn-ack-plain), s6.1.6
 * (MUST-ecn-probe-plain). */
static void acks_and_probes_are_not_ect(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "[ect0] P. 1:101(100) ack 1 win 0");
    peer_expect(&p, "[noecn] . 1:1(0) ack 101");
    peer_write(&p, s, 100);
    peer_expect_after(&p, 300 * MS, "[noecn] . 0:0(0) ack 101");
    end(s);
}

/* RFC 3168 s5, RFC 9293 s3.9.1.9 (SHLD-22): the rest of the octet is the user's
 * (IP_TOS). */
static void the_users_type_of_service_stays_beside_it(void **state)
{
    uint8_t b[200];
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_option(s, 0, 1, 0xb8); /* IPPROTO_IP, IP_TOS */
    peer_write(&p, s, 100);
    peer_take(&p, b, sizeof b);
    assert_int_equal(b[15], 0xb8 | 2);
    end(s);
}

/* --- what is echoed --- */

/* RFC 3168 s6.1.3 (MUST-ecn-echo). */
static void a_mark_is_echoed_until_the_peer_says_that_it_knows(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "[ect0] P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, "[ce] P. 101:201(100) ack 1 win 65535");
    peer_expect(&p, "E. 1:1(0) ack 201");
    peer_send(&p, "[ect0] P. 201:301(100) ack 1 win 65535");
    peer_expect(&p, "E. 1:1(0) ack 301");
    peer_write(&p, s, 100);
    peer_expect(&p, "[ect0] PE. 1:101(100) ack 301");
    peer_send(&p, "[ect0] PW. 301:401(100) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 401");
    peer_send(&p, "[ect0] P. 401:501(100) ack 101 win 65535");
    peer_wait(&p, 40 * MS);
    peer_expect(&p, ". 101:101(0) ack 501");
    end(s);
}

static void a_mark_beside_cwr_is_a_new_one(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "[ce] P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, "E. 1:1(0) ack 101");
    peer_send(&p, "[ce] PW. 101:201(100) ack 1 win 65535");
    peer_expect(&p, "E. 1:1(0) ack 201");
    end(s);
}

/* RFC 3168 s6.1.5 (SHLD-ecn-window). */
static void marks_outside_the_window_and_without_text_are_ignored(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, "[ce] P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 1:101>");
    peer_send(&p, "[ce] . 101:101(0) ack 1 win 65535");
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 201");
    end(s);
}

static void a_mark_behind_a_hole_is_echoed(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "[ce] P. 101:201(100) ack 1 win 65535");
    peer_expect(&p, "E. 1:1(0) ack 1 <sack 101:201>");
    end(s);
}

static void without_an_agreement_nothing_is_echoed(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "S", "S.");
    peer_send(&p, "[ce] P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    end(s);
}

/* --- what an echo does --- */

/* RFC 9293 s3.8.2 (SHLD-8). RFC 3168 s5 (MUST-ecn-as-loss), s6.1.1 (MUST-ecn-cwr),
 * s6.1.2 (SHLD-ecn-cwr-once): half of what was in flight; the first new text says so,
 * once. */
static void an_echo_halves_the_window_and_the_next_text_says_so(void **state)
{
    (void)state;
    struct sock *s = sending(30000);
    peer_send(&p, "E. 1:1(0) ack 10001 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_expect(&p, "[ect0] W. 10001:11001(1000) ack 1");
    peer_expect(&p, "[ect0] . 11001:12001(1000) ack 1");
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 0);
    assert_int_equal(peer_count(&p, "TcpExtTCPDeliveredCE"), 10);
    end(s);
}

/* RFC 3168 s6.1.2 (SHLD-ecn-once): until what left after it is acknowledged. */
static void echoes_of_the_same_window_take_nothing_more(void **state)
{
    (void)state;
    struct sock *s = sending(60000);
    peer_send(&p, "E. 1:1(0) ack 2001 win 65535");
    peer_send(&p, "E. 1:1(0) ack 4001 win 65535");
    peer_send(&p, "E. 1:1(0) ack 10001 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_expect(&p, "W. 10001:11001(1000) ack 1");
    peer_expect(&p, ". 11001:12001(1000) ack 1");
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    peer_send(&p, "E. 1:1(0) ack 11001 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, 2500);
    peer_skip(&p);
    peer_ack(&p, 15001, "");
    peer_expect(&p, "W. 15001:16001(1000) ack 1");
    end(s);
}

/* RFC 3168 s6.1.2 (SHLD-ecn-no-growth). */
static void a_window_that_was_reduced_does_not_grow_until_that_is_known(void **state)
{
    (void)state;
    struct sock *s = sending(60000);
    peer_send(&p, "E. 1:1(0) ack 10001 win 65535");
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 1:1(0) ack 12001 win 65535");
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    assert_int_equal(s->tcb->recovery, 0);
    peer_skip(&p);
    for (unsigned ack = 13001; ack <= 18001; ack += 1000) {
        peer_ack(&p, ack, "");
        peer_skip(&p);
    }
    assert_int_equal(s->tcb->cc.cwnd, 6000);
    end(s);
}

/* RFC 3168 s6.1.2 (MUST-ecn-one): the SYN-ACK was lost, so the window is one segment.
 * An echo leaves it there and holds the next segment for the time-out of 1.2 s. */
static void a_window_of_one_segment_waits_for_the_time_out(void **state)
{
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "SEW 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "SE. 0:0(0) ack 1 <...>");
    peer_expect_after(&p, 1 * SEC, "SE. 0:0(0) ack 1 <...>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    sock_close(l);
    peer_write(&p, s, 5000);
    peer_expect(&p, "[ect0] . 1:1001(1000) ack 1");
    peer_wait(&p, 400 * MS);
    peer_send(&p, "E. 1:1(0) ack 1001 win 65535");
    assert_int_equal(s->tcb->cc.cwnd, 1000);
    peer_expect_after(&p, 3 * SEC, "[ect0] W. 1001:2001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 2001, "");
    peer_expect(&p, "[ect0] . 2001:3001(1000) ack 1");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 3168 s6.1.2 (SHLD-ecn-cwr-new): "for any reason". */
static void a_loss_is_told_by_cwr_too_and_an_echo_of_its_window_ignored(void **state)
{
    (void)state;
    struct sock *s = sending(30000);
    peer_ack(&p, 1, "<sack 1001:4001>");
    peer_expect(&p, "[noecn] . 1:1001(1000) ack 1");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_send(&p, "E. 1:1(0) ack 10001 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_expect(&p, "[ect0] W. 10001:11001(1000) ack 1");
    end(s);
}

static void a_loss_after_an_echo_is_repaired_and_takes_nothing_more(void **state)
{
    (void)state;
    struct sock *s = sending(10000);
    peer_send(&p, "E. 1:1(0) ack 1001 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_ack(&p, 1001, "<sack 2001:5001>");
    peer_expect(&p, "[noecn] . 1001:2001(1000) ack 1");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    end(s);
}

static void a_timeout_is_told_by_cwr_too(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_write(&p, s, 100);
    peer_expect(&p, "[ect0] P. 1:101(100) ack 1");
    peer_expect_after(&p, 300 * MS, "[noecn] P. 1:101(100) ack 1");
    peer_ack(&p, 101, "");
    peer_write(&p, s, 100);
    peer_expect(&p, "[ect0] PW. 101:201(100) ack 1");
    peer_write(&p, s, 100);
    peer_ack(&p, 201, "");
    peer_expect(&p, "[ect0] P. 201:301(100) ack 1");
    end(s);
}

static void an_echo_while_nothing_is_in_flight_is_none(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "E. 1:1(0) ack 1 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, UINT32_MAX);
    peer_write(&p, s, 1000);
    peer_expect(&p, "[ect0] P. 1:1001(1000) ack 1");
    end(s);
}

static void without_an_agreement_an_echo_is_none(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "S", "S.");
    peer_write(&p, s, 2000);
    peer_skip(&p);
    peer_send(&p, "E. 1:1(0) ack 1001 win 65535");
    assert_int_equal(s->tcb->cc.ssthresh, UINT32_MAX);
    end(s);
}

/* --- what is counted --- */

static void packets_are_counted_by_what_the_network_says_of_them(void **state)
{
    (void)state;
    struct sock *s = accepted("2", "SEW", "SE.");
    peer_send(&p, "[ect0] P. 1:101(100) ack 1 win 65535");
    peer_send(&p, "[ect0] P. 101:201(100) ack 1 win 65535");
    peer_send(&p, "[ect1] P. 201:301(100) ack 1 win 65535");
    peer_send(&p, "[ce] P. 301:401(100) ack 1 win 65535");
    assert_int_equal(peer_count(&p, "IpExtInNoECTPkts"), 2); /* SYN and ACK */
    assert_int_equal(peer_count(&p, "IpExtInECT0Pkts"), 2);
    assert_int_equal(peer_count(&p, "IpExtInECT1Pkts"), 1);
    assert_int_equal(peer_count(&p, "IpExtInCEPkts"), 1);
    end(s);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(a_listener_agrees_unless_tcp_ecn_is_0),
        T(connect_asks_where_tcp_ecn_is_1_and_heeds_the_answer),
        T(the_second_syn_asks_for_nothing),
        T(the_promise_of_the_first_syn_holds_after_a_plain_one),
        T(without_tcp_ecn_fallback_every_syn_asks),
        T(two_syns_that_cross_agree_too),
        T(a_syn_ack_that_is_sent_again_agrees_again),
        T(what_is_sent_again_is_not_ect),
        T(acks_and_probes_are_not_ect),
        T(the_users_type_of_service_stays_beside_it),
        T(a_mark_is_echoed_until_the_peer_says_that_it_knows),
        T(a_mark_beside_cwr_is_a_new_one),
        T(marks_outside_the_window_and_without_text_are_ignored),
        T(a_mark_behind_a_hole_is_echoed),
        T(without_an_agreement_nothing_is_echoed),
        T(an_echo_halves_the_window_and_the_next_text_says_so),
        T(echoes_of_the_same_window_take_nothing_more),
        T(a_window_that_was_reduced_does_not_grow_until_that_is_known),
        T(a_window_of_one_segment_waits_for_the_time_out),
        T(a_loss_is_told_by_cwr_too_and_an_echo_of_its_window_ignored),
        T(a_loss_after_an_echo_is_repaired_and_takes_nothing_more),
        T(a_timeout_is_told_by_cwr_too),
        T(an_echo_while_nothing_is_in_flight_is_none),
        T(without_an_agreement_an_echo_is_none),
        T(packets_are_counted_by_what_the_network_says_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
