#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

static struct sock *listening(void)
{
    peer_init(&p);
    return peer_listen(&p, 80);
}

static void end(struct sock *l)
{
    sock_close(l);
    peer_free(&p);
}

/* --- LISTEN: RFC 9293 s3.10.7.2 --- */

/* First: "An incoming RST segment ... should be ignored". Class: a RST that ends the
 * listener. */
static void a_reset_is_ignored_by_a_listener(void **state)
{
    struct sock *l = listening();
    peer_send(&p, "R 1:1(0) win 0");
    peer_send(&p, "R. 1:1(0) ack 1 win 0");
    peer_send(&p, "SR 1:1(0) win 0");
    peer_expect_nothing(&p);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    end(l);
}

/* Second: "Any acknowledgment is bad": <SEQ=SEG.ACK><CTL=RST>. */
static void an_acknowledgment_to_a_listener_is_reset(void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        { ". 1:1(0) ack 5 win 9", "R 5:5(0) win 0" },
        { "S. 0:0(0) ack 5 win 9", "R 5:5(0) win 0" },
        { "P. 1:101(100) ack 5 win 9", "R 5:5(0) win 0" },
        { "F. 1:1(0) ack 5 win 9", "R 5:5(0) win 0" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *l = listening();
        peer_send(&p, row[i].in);
        peer_expect(&p, row[i].out);
        peer_expect_nothing(&p);
        assert_int_equal(peer_drops(&p, "TcpListenAck"), 1);
        end(l);
    }
}

/* Fourth: "Any other control or data-bearing segment ... should be dropped". */
static void anything_else_to_a_listener_is_dropped(void **state)
{
    struct sock *l = listening();
    peer_send(&p, "- 1:1(0) win 9");
    peer_send(&p, "P 1:101(100) win 9");
    peer_send(&p, "F 1:1(0) win 9");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpListenOther"), 3);
    end(l);
}

/* A SYN that ends what it begins opens nothing. */
static void a_syn_with_fin_is_dropped(void **state)
{
    struct sock *l = listening();
    peer_send(&p, "SF 0:0(0) win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpFlagsInvalid"), 1);
    end(l);
}

/* Third; RFC 7323 s2.3 (SHLD-wscale-answer) and s3.2, RFC 2018 s2: an option is
 * answered only if the SYN had it; the MSS is always told (RFC 9293 s3.7.1, MUST-14).
 */
static void the_syn_ack_has_only_the_options_that_the_syn_had(void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        { "S 0:0(0) win 9", "S. 0:0(0) ack 1 win 65535 <mss 1460>" },
        { "S 0:0(0) win 9 <mss 536>", "S. 0:0(0) ack 1 win 65535 <mss 1460>" },
        { "S 0:0(0) win 9 <mss 1460,sackOK>", "S. 0:0(0) ack 1 <mss 1460,sackOK>" },
        { "S 0:0(0) win 9 <mss 1460,nop,wscale 0>",
          "S. 0:0(0) ack 1 <mss 1460,wscale 7>" },
        { "S 0:0(0) win 9 <TS val 77 ecr 0>",
          "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 77>" },
        { "S 0:0(0) win 9 <mss 1460,sackOK,TS val 4294967295 ecr 0,nop,wscale 14>",
          "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 0 ecr 4294967295,wscale "
          "7>" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *l = listening();
        peer_send(&p, row[i].in);
        peer_expect(&p, row[i].out);
        end(l);
    }
}

/* What is switched off is not agreed to. */
static void the_syn_ack_has_no_option_that_is_switched_off(void **state)
{
    struct sock *l = listening();
    peer_sysctl(&p, "net.ipv4.tcp_sack", "0");
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    peer_sysctl(&p, "net.ipv4.tcp_window_scaling", "0");
    peer_send(&p, "S 0:0(0) win 9 <mss 1460,sackOK,TS val 5 ecr 0,nop,wscale 3>");
    peer_expect(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    end(l);
}

/* Third: "Any other control or text ... is queued for processing later" or, as here and
 * on Linux, left to be sent again: the SYN-ACK does not acknowledge it. Class: text
 * with the handshake that is lost. */
static void text_with_the_syn_is_not_acknowledged_and_comes_again(void **state)
{
    struct sock *l = listening();
    peer_send(&p, "SP 0:100(100) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    struct sock *s = peer_accept(&p, l);
    peer_read(&p, s, 100);
    sock_close(s);
    end(l);
}

/* RFC 9293 s3.9.1.1: connections in between do not disturb a
 * listener, and several are opened at once. Class: one connection for each listening
 * socket. */
static void a_listener_opens_many_connections_at_once(void **state)
{
    struct sock *l = listening();
    struct sock *s[8];
    for (unsigned i = 0; i < 8; i++) {
        peer_use(&p, i);
        p.at->stack_port = 80;
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    }
    for (unsigned i = 8; i-- > 0;) {
        peer_use(&p, i);
        peer_send(&p, ". 1:1(0) ack 1 win 1000");
    }
    assert_int_equal(tcp_acceptable(l->listener), 8);
    for (unsigned i = 0; i < 8; i++) {
        struct sock_name name;
        s[i] = peer_accept(&p, l);
        assert_int_equal(sock_peer(s[i], &name), 0);
        assert_int_equal(name.port, 40007 - i); /* in the order of completion */
    }
    for (unsigned i = 0; i < 8; i++)
        sock_close(s[i]);
    end(l);
}

/* The numbers of two connections are not the same, and not 0 each time (RFC 6528). */
static void each_connection_has_an_initial_number_of_its_own(void **state)
{
    struct sock *l = listening();
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_use(&p, 1);
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    assert_int_not_equal(p.connection[0].stack_isn.n, p.connection[1].stack_isn.n);
    end(l);
}

/* --- backlog --- */

static void handshake(unsigned i)
{
    peer_use(&p, i);
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
}

/* A full accept queue: the ACK is dropped; what the peer sends later completes the
 * handshake when there is room again. Class: no backlog, or an overflow that resets. */
static void a_full_accept_queue_drops_the_ack_and_takes_it_later(void **state)
{
    struct sock *l = listening();
    assert_int_equal(sock_listen(l, 2), 0);
    peer_use(&p, 2); /* half-open before the queue is full */
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    handshake(0);
    handshake(1);
    peer_use(&p, 2);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(tcp_acceptable(l->listener), 2);
    assert_int_equal(peer_drops(&p, "TcpListenOverflow"), 1);
    assert_int_equal(peer_count(&p, "TcpExtListenOverflows"), 1);
    assert_int_equal(peer_count(&p, "TcpExtListenDrops"), 1);
    sock_close(peer_accept(&p, l));
    peer_use(&p, 0);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_use(&p, 2);
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    assert_int_equal(tcp_acceptable(l->listener), 2);
    end(l);
}

/* A SYN does not get an answer while the accept queue is full: the peer sends it again.
 */
static void a_full_accept_queue_drops_new_syns(void **state)
{
    struct sock *l = listening();
    assert_int_equal(sock_listen(l, 1), 0);
    handshake(0);
    peer_use(&p, 1);
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect_nothing(&p);
    sock_close(peer_accept(&p, l));
    peer_skip(&p);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    end(l);
}

/* tcp_max_syn_backlog: so many half-open entries at most (with tcp_syncookies 1 further
 * SYNs are answered with cookies: test_tcp_cookie.c). */
static void too_many_half_open_entries_drop_new_syns(void **state)
{
    struct sock *l = listening();
    peer_sysctl(&p, "net.ipv4.tcp_syncookies", "0");
    peer_sysctl(&p, "net.ipv4.tcp_max_syn_backlog", "2");
    for (unsigned i = 0; i < 3; i++) {
        peer_use(&p, i);
        p.at->stack_port = 80;
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        if (i < 2)
            peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    }
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpSynQueueFull"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPReqQFullDrop"), 1);
    end(l);
}

/* tcp_abort_on_overflow: then the ACK is answered with a reset, and the entry is gone.
 */
static void abort_on_overflow_resets_instead(void **state)
{
    struct sock *l = listening();
    peer_sysctl(&p, "net.ipv4.tcp_abort_on_overflow", "1");
    assert_int_equal(sock_listen(l, 1), 0);
    peer_use(&p, 1);
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    handshake(0);
    peer_use(&p, 1);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "R 1:1(0) win 0");
    peer_wait(&p, 10 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    end(l);
}

/* --- the end of listening --- */

/* Half-open entries are forgotten: their peers learn of it when they speak. */
static void closing_a_listener_forgets_half_open_entries(void **state)
{
    struct sock *l = listening();
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    sock_close(l);
    peer_wait(&p, 10 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "R 1:1(0) win 0");
    peer_free(&p);
}

/* Connections that nobody accepted are reset. */
static void closing_a_listener_resets_what_waits_to_be_accepted(void **state)
{
    struct sock *l = listening();
    handshake(0);
    sock_close(l);
    peer_expect(&p, "R. 1:1(0) ack 1");
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_free(&p);
}

/* Connections that were accepted live on. */
static void closing_a_listener_leaves_accepted_connections_alone(void **state)
{
    struct sock *l = listening();
    handshake(0);
    struct sock *s = peer_accept(&p, l);
    sock_close(l);
    peer_expect_nothing(&p);
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 100);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.9.1.1 (MUST-41): two listeners of one port and overlapping addresses are
 * refused. */
static void a_port_has_one_listener(void **state)
{
    struct tcp_options o;
    struct tcp_listener *a, *b = NULL;
    struct tcp_name any = { ip_any4, 80 }, other = { ip_any4, 81 };
    struct tcp_name one = { ip4_addr(0xc0000202u), 80 };
    peer_init(&p);
    tcp_options_default(&p.st->tcp, &o);
    assert_int_equal(tcp_listen(&p.st->tcp, any, 5, &o, &a), 0);
    assert_int_equal(tcp_listen(&p.st->tcp, any, 5, &o, &b), -EADDRINUSE);
    assert_int_equal(tcp_listen(&p.st->tcp, one, 5, &o, &b), -EADDRINUSE);
    assert_int_equal(tcp_listen(&p.st->tcp, other, 5, &o, &b), 0);
    tcp_listener_free(b);
    tcp_listener_free(a);
    peer_free(&p);
}

/* RFC 9293 s3.9.1.1 (MUST-41): who listens anew leaves the port's connections alone. */
static void a_new_listener_does_not_touch_the_connections_of_its_port(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    struct sock *l = peer_listen(&p, 80);
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "ESTAB");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 100);
    sock_close(l);
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_is_ignored_by_a_listener),
        cmocka_unit_test(an_acknowledgment_to_a_listener_is_reset),
        cmocka_unit_test(anything_else_to_a_listener_is_dropped),
        cmocka_unit_test(a_syn_with_fin_is_dropped),
        cmocka_unit_test(the_syn_ack_has_only_the_options_that_the_syn_had),
        cmocka_unit_test(the_syn_ack_has_no_option_that_is_switched_off),
        cmocka_unit_test(text_with_the_syn_is_not_acknowledged_and_comes_again),
        cmocka_unit_test(a_listener_opens_many_connections_at_once),
        cmocka_unit_test(each_connection_has_an_initial_number_of_its_own),
        cmocka_unit_test(a_full_accept_queue_drops_the_ack_and_takes_it_later),
        cmocka_unit_test(a_full_accept_queue_drops_new_syns),
        cmocka_unit_test(too_many_half_open_entries_drop_new_syns),
        cmocka_unit_test(abort_on_overflow_resets_instead),
        cmocka_unit_test(closing_a_listener_forgets_half_open_entries),
        cmocka_unit_test(closing_a_listener_resets_what_waits_to_be_accepted),
        cmocka_unit_test(closing_a_listener_leaves_accepted_connections_alone),
        cmocka_unit_test(a_port_has_one_listener),
        cmocka_unit_test(a_new_listener_does_not_touch_the_connections_of_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
