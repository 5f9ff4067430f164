/* Proportional rate reduction: RFC 6937. Segments are 1000 bytes, the controller is
 * Reno: ssthresh is half of the ten or twenty segments that are in flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

static struct peer p;

static struct sock *sending(const char *prr, unsigned n)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    peer_sysctl(&p, "tapir.tcp_prr", prr);
    struct sock *s = peer_up_sack(&p);
    peer_write(&p, s, n);
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    return s;
}

/* What is sacked from 1001 on grows to `to`. */
static void sack_to(unsigned to)
{
    char line[PEER_LINE];

    snprintf(line, sizeof line, "<sack 1001:%u>", to);
    peer_ack(&p, 1, line);
}

/* s3.1, s4: half of what arrives is sent, from the beginning on. */
static void text_leaves_in_proportion_to_what_arrives(void **state)
{
    (void)state;
    struct sock *s = sending("1", 40000);
    for (unsigned to = 2001; to <= 3001; to += 1000)
        sack_to(to);
    peer_expect_full(&p, 10001, 12001); /* limited transmit */
    sack_to(4001);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    sack_to(5001); /* two delivered: one of them is sent by now */
    peer_expect_nothing(&p);
    sack_to(6001); /* three: a half is due more */
    peer_expect_nothing(&p);
    sack_to(7001); /* four: pipe is 5 segments */
    peer_expect(&p, ". 12001:13001(1000) ack 1");
    peer_free(&p);
}

/* The old way: nothing until as much has left as the window lost. */
static void without_it_there_is_silence_first(void **state)
{
    (void)state;
    struct sock *s = sending("0", 40000);
    for (unsigned to = 2001; to <= 4001; to += 1000)
        sack_to(to);
    peer_skip(&p);
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    sack_to(5001);
    sack_to(6001);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* s3.1 (CRB): where more was lost than the reduction asks for, what leaves is what
 * arrives, and no burst. */
static void after_heavy_loss_nothing_leaves_in_a_burst(void **state)
{
    (void)state;
    struct sock *s = sending("1", 40000);
    peer_ack(&p, 1, "<sack 9001:10001>");
    peer_expect(&p, ". 10001:11001(1000) ack 1");
    peer_ack(&p, 1, "<sack 9001:11001>");
    peer_expect(&p, ". 11001:12001(1000) ack 1");
    peer_ack(&p, 1, "<sack 9001:12001>"); /* nine are lost, none is in flight */
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->cc.cwnd, 1000);
    peer_free(&p);
}

/* s3.1 (SSRB): an ACK of a retransmission lets a segment more out than it tells of, as
 * slow start does. */
static void an_ack_of_a_retransmission_lets_a_segment_more_out(void **state)
{
    (void)state;
    sending("1", 40000);
    peer_ack(&p, 1, "<sack 9001:10001>");
    peer_ack(&p, 1, "<sack 9001:11001>");
    peer_ack(&p, 1, "<sack 9001:12001>");
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 1001, "<sack 9001:12001>");
    peer_expect_full(&p, 1001, 3001);
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 2001, "<sack 9001:12001>");
    peer_expect_full(&p, 3001, 5001);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* s3: at the end cwnd is ssthresh, wherever it was. */
static void recovery_ends_at_ssthresh(void **state)
{
    (void)state;
    struct sock *s = sending("1", 10000);
    for (unsigned to = 2001; to <= 10001; to += 1000)
        sack_to(to);
    peer_skip(&p);
    peer_ack(&p, 10001, "");
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    assert_int_equal(s->tcb->recovery, RECOVERY_NONE);
    peer_free(&p);
}

static void without_sack_nothing_is_proportional(void **state)
{
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    peer_sysctl(&p, "tapir.tcp_prr", "1");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 10000);
    for (int i = 0; i < 3; i++)
        peer_ack(&p, 1, "");
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    peer_free(&p);
}

/* RFC 3168 s6.1.2, RFC 6937 s2: a mark is answered in the same way. */
static void an_echo_reduces_in_proportion_too(void **state)
{
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    peer_sysctl(&p, "tapir.tcp_prr", "1");
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "SEW 0:0(0) win 65535 <mss 1000,sackOK>");
    peer_expect(&p, "SE. 0:0(0) ack 1 <...>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    peer_write(&p, s, 40000);
    peer_expect_full(&p, 1, 10001);
    peer_send(&p, "E. 1:1(0) ack 1001 win 65535");
    peer_expect_nothing(&p);
    peer_send(&p, "E. 1:1(0) ack 2001 win 65535");
    peer_expect(&p, "W. 10001:11001(1000) ack 1");
    peer_send(&p, "E. 1:1(0) ack 3001 win 65535");
    peer_expect_nothing(&p);
    peer_send(&p, "E. 1:1(0) ack 4001 win 65535");
    peer_expect(&p, ". 11001:12001(1000) ack 1");
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_leaves_in_proportion_to_what_arrives),
        cmocka_unit_test(without_it_there_is_silence_first),
        cmocka_unit_test(after_heavy_loss_nothing_leaves_in_a_burst),
        cmocka_unit_test(an_ack_of_a_retransmission_lets_a_segment_more_out),
        cmocka_unit_test(recovery_ends_at_ssthresh),
        cmocka_unit_test(without_sack_nothing_is_proportional),
        cmocka_unit_test(an_echo_reduces_in_proportion_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
