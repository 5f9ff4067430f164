#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

static struct sock *connection(void)
{
    peer_init(&p);
    return peer_establish(&p, "<mss 1460>");
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* --- s3.10.1 OPEN --- */

/* RFC 9293 s3.10.1: "error: connection already exists". */
static void a_four_tuple_can_be_opened_once(void **state)
{
    struct tcp_options o;
    struct ip_addr peer = ip4_addr(0xc0000201u);
    peer_init(&p);
    tcp_options_default(&p.st->tcp, &o);
    struct tcb *a = tcp_new(&p.st->tcp), *b = tcp_new(&p.st->tcp);
    assert_int_equal(tcp_open(a, ip_any4, 5000, peer, 80), 0);
    assert_int_equal(tcp_open(a, ip_any4, 5000, peer, 80), -EISCONN);
    assert_int_equal(tcp_open(b, ip_any4, 5000, peer, 80), -EADDRINUSE);
    assert_int_equal(tcp_open(b, ip_any4, 5000, peer, 81), 0);
    tcp_release(a, false);
    tcp_release(b, false);
    peer_free(&p);
}

/* RFC 6056: the range is net.ipv4.ip_local_port_range; when it is used up for one
 * destination, -EADDRNOTAVAIL. */
static void chosen_ports_are_of_the_range_and_run_out(void **state)
{
    struct ip_addr peer = ip4_addr(0xc0000201u);
    struct tcb *tcb[4];
    unsigned seen = 0;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.ip_local_port_range", "50000 50002");
    for (int i = 0; i < 3; i++) {
        tcb[i] = tcp_new(&p.st->tcp);
        assert_int_equal(tcp_open(tcb[i], ip_any4, 0, peer, 80), 0);
        assert_in_range(tcp_local(tcb[i]).port, 50000, 50002);
        seen |= 1u << (tcp_local(tcb[i]).port - 50000);
    }
    assert_int_equal(seen, 7);
    tcb[3] = tcp_new(&p.st->tcp);
    assert_int_equal(tcp_open(tcb[3], ip_any4, 0, peer, 80), -EADDRNOTAVAIL);
    assert_int_equal(tcp_open(tcb[3], ip_any4, 0, peer, 81), 0);
    for (int i = 0; i < 4; i++)
        tcp_release(tcb[i], false);
    peer_free(&p);
}

/* --- s3.10.2 SEND --- */

/* While it connects there is nothing to send or to read yet. */
static void a_connecting_socket_says_try_again(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    assert_int_equal(peer_write_result(s), -EAGAIN);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    end(s);
}

/* The buffer takes what fits, and says how much. */
static void a_send_takes_what_fits(void **state)
{
    static uint8_t text[10000];
    struct piece two[2] = { { text, 3000 }, { text, 7000 } };
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_wmem", "4096 8192 8192");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    assert_int_equal(sock_send(s, two, 2, 0, NULL), 8192);
    assert_int_equal(sock_send(s, two, 2, 0, NULL), -EAGAIN);
    two[0].len = 0;
    assert_int_equal(sock_send(s, two, 1, 0, NULL), 0);
    end(s);
}

/* RFC 9293 s3.10.2, FIN-WAIT-1 and later: "connection closing". */
static void after_shutdown_of_writing_a_send_is_a_broken_pipe(void **state)
{
    struct sock *s = connection();
    assert_int_equal(sock_shutdown(s, 1), 0);
    assert_int_equal(peer_write_result(s), -EPIPE);
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_expect_nothing(&p);
    end(s);
}

/* --- s3.10.3 RECEIVE --- */

/* RFC 9293 s3.8.6.2.2: reading opens a window that was shut, and the peer learns of it
 * at once. Class: no window update when the user reads. */
static void reading_opens_a_shut_window_at_once(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 4096 4096");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, ". 1:4097(4096) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_read(&p, s, 100);
    peer_expect_nothing(&p); /* too little to tell */
    peer_read(&p, s, 3996);
    peer_expect(&p, ". 1:1(0) ack 4097 win 4096");
    peer_expect_nothing(&p);
    end(s);
}

/* Without window scaling 65,535 bytes are all that can be told of: reading a little of
 * a large buffer is no news. */
static void reading_a_little_sends_nothing(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 100);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 9293 s3.6 (MUST-12), s3.10.3: text that came before a reset is delivered, then
 * the error, once, then the end. Class: ECONNRESET told more than once, or in front of
 * the text. */
static void text_before_a_reset_is_read_and_the_error_is_told_once(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_send(&p, "R 101:101(0) win 0");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    assert_int_equal(peer_read_result(s), 0);
    assert_int_equal(peer_write_result(s), -EPIPE);
    end(s);
}

/* Whoever asks first is told: here the writer. */
static void a_send_after_a_reset_tells_the_error_once(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "R 1:1(0) win 0");
    assert_int_equal(peer_write_result(s), -ECONNRESET);
    assert_int_equal(peer_write_result(s), -EPIPE);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* As Linux: a reset after the peer's FIN is a broken pipe. */
static void a_reset_in_close_wait_is_a_broken_pipe(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_send(&p, "R 2:2(0) win 0");
    assert_int_equal(tcp_peek_error(s->tcb), -EPIPE);
    assert_int_equal(peer_write_result(s), -EPIPE);
    end(s);
}

/* As Linux: the stream was whole, so who reads is not told of the reset. */
static void a_reset_behind_the_peers_fin_is_told_to_who_writes(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_send(&p, "R. 2:2(0) ack 1 win 0");
    assert_int_equal(peer_read_result(s), 0);
    assert_int_equal(peer_write_result(s), -ECONNRESET);
    assert_int_equal(peer_write_result(s), -EPIPE);
    end(s);
}

/* BSD's reader is told first. */
static void a_reset_behind_the_peers_fin_may_be_told_to_who_reads(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "tapir.tcp_epipe_on_reset", "0");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_send(&p, "R. 2:2(0) ack 1 win 0");
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* --- s3.9.2.2: errors that the network reports --- */

static struct net_error unreachable(int error, bool hard, uint32_t seq)
{
    return (struct net_error){ .src = ip4_addr(0xc0000202u),
                               .dst = ip4_addr(0xc0000201u),
                               .proto = 6,
                               .src_port = 5000,
                               .dst_port = 40000,
                               .seq = seq_add(p.at->stack_isn, seq),
                               .error = error,
                               .hard = hard };
}

static struct sock *connecting(void)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    return s;
}

/* RFC 1122 s3.2.2.1 (MUST-icmp-port-tcp), s4.2.3.9 for hard errors; for soft ones as
 * Linux (RFC 5461 s4): an error about our SYN ends the attempt, and connect() says why.
 */
static void an_error_ends_an_attempt_to_connect(void **state)
{
    static const struct {
        int error;
        bool hard;
    } row[] = {
        { -ECONNREFUSED, true },
        { -ENOPROTOOPT, true },
        { -EHOSTUNREACH, false },
        { -ENETUNREACH, false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = connecting();
        struct net_error e = unreachable(row[i].error, row[i].hard, 0);
        tcp_error(&p.st->tcp, &e);
        assert_string_equal(peer_state(s), "CLOSED");
        assert_int_equal(peer_connect_result(&p, s), row[i].error);
        peer_expect_nothing(&p);
        end(s);
    }
}

/* RFC 5927 s4.1: one that does not quote what is in flight is made up. A packet that is
 * too big says nothing about the peer. */
static void an_error_about_another_number_or_the_size_ends_nothing(void **state)
{
    static const struct {
        int error;
        uint32_t seq;
    } row[] = { { -ECONNREFUSED, 1 },
                { -ECONNREFUSED, 4000000000u },
                { -EMSGSIZE, 0 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = connecting();
        struct net_error e = unreachable(row[i].error, true, row[i].seq);
        tcp_error(&p.st->tcp, &e);
        assert_string_equal(peer_state(s), "SYN-SENT");
        end(s);
    }
}

/* RFC 1122 s3.2.2.1 (MUST-icmp-hint). RFC 9293 s3.9.2.2 (MUST-56). RFC 5927 s6: on a
 * connection that stands even a hard one is a hint. */
static void no_error_ends_a_connection_that_stands(void **state)
{
    struct sock *s = connecting();
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 100);
    struct net_error e = unreachable(-ECONNREFUSED, true, 1);
    tcp_error(&p.st->tcp, &e);
    assert_string_equal(peer_state(s), "ESTAB");
    e.dst_port = 1; /* of nobody */
    tcp_error(&p.st->tcp, &e);
    end(s);
}

/* RFC 9293 s3.9.1.8 (MUST-47), s3.9.2.2 (SHLD-25). RFC 1122 s4.2.3.9: what the network
 * said is kept, and is the reason if the connection times out; what was before the last
 * progress is not. */
static void a_connection_that_times_out_says_what_icmp_said_last(void **state)
{
    static const struct {
        bool progress;
        int error;
    } row[] = { { false, -EHOSTUNREACH }, { true, -ETIMEDOUT } };
    for (unsigned i = 0; i < 2; i++) {
        struct sock *s = connecting();
        peer_sysctl(&p, "net.ipv4.tcp_retries2", "1");
        peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
        peer_write(&p, s, 100);
        struct net_error e = unreachable(-EHOSTUNREACH, false, 1);
        tcp_error(&p.st->tcp, &e);
        if (row[i].progress) {
            peer_send(&p, ". 1:1(0) ack 101 win 1000");
            peer_write(&p, s, 100);
        }
        peer_wait(&p, 10 * USEC_PER_SEC);
        assert_string_equal(peer_state(s), "CLOSED");
        assert_int_equal(peer_read_result(s), row[i].error);
        peer_skip(&p);
        end(s);
    }
}

/* As Linux: an attempt from outside that the network cannot answer is forgotten. Only
 * what quotes our SYN-ACK counts; its size is no reason. */
static void a_half_open_connection_ends_by_an_error_about_its_syn_ack(void **state)
{
    static const struct {
        int error;
        uint32_t seq;
        uint64_t fails;
    } row[] = { { -EHOSTUNREACH, 1, 0 }, { -EMSGSIZE, 0, 0 }, { -EHOSTUNREACH, 0, 1 } };
    for (unsigned i = 0; i < 3; i++) {
        peer_init(&p);
        struct sock *l = peer_listen(&p, 5000);
        p.at->stack_port = 5000;
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        struct net_error e = unreachable(row[i].error, false, row[i].seq);
        tcp_error(&p.st->tcp, &e);
        assert_int_equal(p.st->net.count.n[COUNT_TcpAttemptFails], row[i].fails);
        end(l);
    }
}

/* --- s3.10.6 STATUS --- */

/* SO_ERROR: told, and gone. */
static void an_error_is_taken_once(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "R 1:1(0) win 0");
    assert_int_equal(tcp_peek_error(s->tcb), -ECONNRESET);
    assert_int_equal(tcp_take_error(s->tcb), -ECONNRESET);
    assert_int_equal(tcp_take_error(s->tcb), 0);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* Drained: all text, and the FIN if there is one, is acknowledged. */
static void a_connection_is_drained_when_all_is_acknowledged(void **state)
{
    struct sock *s = connection();
    assert_true(tcp_drained(s->tcb));
    peer_write(&p, s, 100);
    assert_false(tcp_drained(s->tcb));
    peer_send(&p, ". 1:1(0) ack 101 win 1000");
    assert_true(tcp_drained(s->tcb));
    sock_shutdown(s, 1);
    assert_false(tcp_drained(s->tcb));
    stack_flush(p.st);
    assert_false(tcp_drained(s->tcb));
    peer_send(&p, ". 1:1(0) ack 102 win 1000");
    assert_true(tcp_drained(s->tcb));
    end(s);
}

/* The names of both ends. */
static void both_ends_have_names(void **state)
{
    struct sock *s = connection();
    assert_int_equal(tcp_local(s->tcb).port, 80);
    assert_true(ip_eq(tcp_local(s->tcb).addr, ip4_addr(0xc0000202u)));
    assert_int_equal(tcp_remote(s->tcb).port, 40000);
    assert_true(ip_eq(tcp_remote(s->tcb).addr, ip4_addr(0xc0000201u)));
    end(s);
}

/* TCP_NODELAY, and uncorking, let go what waited. */
static void options_that_change_let_go_what_waits(void **state)
{
    struct sock *s = connection();
    struct tcp_options o = *tcp_get_options(s->tcb);
    o.cork = true;
    tcp_set_options(s->tcb, &o);
    peer_write(&p, s, 100);
    peer_expect_nothing(&p);
    o.cork = false;
    tcp_set_options(s->tcb, &o);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_write(&p, s, 100); /* Nagle: a small one is out */
    peer_expect_nothing(&p);
    o.nodelay = true;
    tcp_set_options(s->tcb, &o);
    peer_expect(&p, "P. 101:201(100) ack 1");
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_four_tuple_can_be_opened_once),
        cmocka_unit_test(chosen_ports_are_of_the_range_and_run_out),
        cmocka_unit_test(a_connecting_socket_says_try_again),
        cmocka_unit_test(a_send_takes_what_fits),
        cmocka_unit_test(after_shutdown_of_writing_a_send_is_a_broken_pipe),
        cmocka_unit_test(reading_opens_a_shut_window_at_once),
        cmocka_unit_test(reading_a_little_sends_nothing),
        cmocka_unit_test(text_before_a_reset_is_read_and_the_error_is_told_once),
        cmocka_unit_test(a_send_after_a_reset_tells_the_error_once),
        cmocka_unit_test(a_reset_in_close_wait_is_a_broken_pipe),
        cmocka_unit_test(a_reset_behind_the_peers_fin_is_told_to_who_writes),
        cmocka_unit_test(a_reset_behind_the_peers_fin_may_be_told_to_who_reads),
        cmocka_unit_test(an_error_ends_an_attempt_to_connect),
        cmocka_unit_test(an_error_about_another_number_or_the_size_ends_nothing),
        cmocka_unit_test(no_error_ends_a_connection_that_stands),
        cmocka_unit_test(a_connection_that_times_out_says_what_icmp_said_last),
        cmocka_unit_test(a_half_open_connection_ends_by_an_error_about_its_syn_ack),
        cmocka_unit_test(an_error_is_taken_once),
        cmocka_unit_test(a_connection_is_drained_when_all_is_acknowledged),
        cmocka_unit_test(both_ends_have_names),
        cmocka_unit_test(options_that_change_let_go_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
