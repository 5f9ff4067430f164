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

static size_t connections(void)
{
    return p.st->tcp.n_tcb;
}

/* RFC 9293 s3.10.4: "queue this request until all preceding SENDs have been
 * segmentized; then form a FIN segment". */
static void the_fin_follows_all_that_was_written(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 20000); /* more than the first window of 14600 */
    for (int i = 0; i < 10; i++)
        peer_skip(&p);
    sock_close(s);
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 14601 win 65535");
    peer_expect(&p, ". 14601:16061(1460) ack 1");
    peer_expect(&p, ". 16061:17521(1460) ack 1");
    peer_expect(&p, ". 17521:18981(1460) ack 1");
    peer_expect(&p, "FP. 18981:20001(1020) ack 1");
    peer_send(&p, ". 1:1(0) ack 20002 win 65535");
    peer_send(&p, "F. 1:1(0) ack 20002 win 65535");
    peer_expect(&p, ". 20002:20002(0) ack 2");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* The FIN rides on the last text when both are due at once. */
static void text_and_fin_leave_in_one_segment(void **state)
{
    struct sock *s = connection();
    peer_write_result(s);
    sock_close(s);
    peer_expect(&p, "FP. 1:2(1) ack 1");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 9293 s3.8.3: a FIN is sent again as a FIN, with the text in front of it, until it
 * is acknowledged. Class: a FIN that is lost once and never sent again. */
static void a_lost_fin_is_sent_again(void **state)
{
    struct sock *s = connection();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 200001, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 400002, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 800004, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_wait(&p, 50 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void lost_text_with_a_fin_is_sent_again_with_it(void **state)
{
    struct sock *s = connection();
    peer_write_result(s);
    sock_close(s);
    peer_expect(&p, "FP. 1:2(1) ack 1");
    peer_expect_after(&p, 200001, "FP. 1:2(1) ack 1");
    peer_send(&p, ". 1:1(0) ack 2 win 1000"); /* the text, not the FIN */
    peer_wait(&p, 1 * USEC_PER_SEC);
    peer_expect(&p, "F. 2:2(0) ack 1");
    peer_free(&p);
}

/* A close that nobody answers is given up: tcp_orphan_retries, 8 time-outs, after
 * 200 ms * (2^9 - 1). Class: a half-closed connection that never ends. */
static void a_close_that_nobody_answers_is_given_up(void **state)
{
    struct sock *s = connection();
    sock_close(s);
    for (int i = 0; i < 9; i++) {
        peer_expect(&p, "F. 1:1(0) ack 1");
        peer_wait(&p, 200001LL << i);
    }
    peer_expect(&p, "R. 2:2(0) ack 1");
    assert_int_equal(connections(), 0);
    peer_wait(&p, 1000 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* --- close with unread text --- */

/* RFC 9293 s3.6.1 (MAY-1), RFC 2525 s2.17: text that the user did not read is lost, and
 * the peer must learn it: RST instead of FIN. Class: close with unread data. */
static void close_with_unread_text_resets(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 99);
    sock_close(s);
    peer_expect(&p, "R. 1:1(0) ack 101");
    peer_expect_nothing(&p);
    assert_int_equal(connections(), 0);
    assert_int_equal(peer_count(&p, "TcpExtTCPAbortOnClose"), 1);
    peer_free(&p);
}

/* After the peer's FIN as well. */
static void close_with_unread_text_after_the_peers_fin_resets(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "FP. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 102");
    sock_close(s);
    peer_expect(&p, "R. 1:1(0) ack 102");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* What was read, or is a FIN alone, is no reason. */
static void close_without_unread_text_does_not_reset(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "FP. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 102");
    peer_read(&p, s, 100);
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 102");
    peer_free(&p);
}

/* Text on its way to the peer is thrown away with the rest. */
static void a_reset_by_close_forgets_what_was_to_be_sent(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_skip(&p);
    sock_close(s);
    peer_expect(&p, "R. 101:101(0) ack 101");
    peer_wait(&p, 1000 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* --- SO_LINGER with no time --- */

/* RFC 9293 s3.10.5, ABORT. Class: SO_LINGER 0 that sends a FIN. */
static void close_that_does_not_linger_resets(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_linger_zero(s);
    sock_close(s);
    peer_expect(&p, "R. 101:101(0) ack 1");
    peer_expect_nothing(&p);
    assert_int_equal(connections(), 0);
    assert_int_equal(p.st->tcp.n_time_wait, 0);
    assert_int_equal(peer_count(&p, "TcpExtTCPAbortOnLinger"), 1);
    peer_free(&p);
}

/* RFC 9293 s3.10.5, SYN-SENT: "delete the TCB": nothing is sent. */
static void abort_while_connecting_is_silent(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_linger_zero(s);
    sock_close(s);
    peer_expect_nothing(&p);
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* RFC 9293 s3.10.4, SYN-SENT: "Delete the TCB". The answer that comes late is nobody's.
 * Class: a reset from a socket that is gone. */
static void close_while_connecting_is_silent_and_a_late_answer_is_reset(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    sock_close(s);
    peer_wait(&p, 200 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    assert_int_equal(connections(), 0);
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    peer_expect(&p, "R 1:1(0) win 0");
    peer_free(&p);
}

/* A socket that was closed before anything left. */
static void close_before_the_syn_left_sends_nothing(void **state)
{
    peer_init(&p);
    sock_close(peer_connect(&p, 5000));
    peer_expect_nothing(&p);
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* ABORT after the FIN was sent, and in CLOSED: once is enough. */
static void abort_in_each_state_sends_one_reset_at_most(void **state)
{
    struct sock *s = connection();
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    tcp_abort(s->tcb, -ECONNABORTED);
    tcp_abort(s->tcb, -ECONNABORTED);
    peer_expect(&p, "R. 2:2(0) ack 1");
    peer_expect_nothing(&p);
    assert_int_equal(peer_read_result(s), -ECONNABORTED);
    peer_linger_zero(s);
    sock_close(s);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 9293 s3.10.5: "all queued RECEIVEs should be given connection reset". */
static void what_was_not_read_is_lost_by_an_abort(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_skip(&p);
    tcp_abort(s->tcb, -ECONNABORTED);
    peer_expect(&p, "R. 1:1(0) ack 101");
    assert_int_equal(peer_read_result(s), -ECONNABORTED);
    assert_int_equal(peer_read_result(s), 0);
    sock_close(s);
    peer_free(&p);
}

/* --- a shut window --- */

/* Class: close with text and a shut window: it goes on when the window opens. */
static void a_close_waits_for_the_window_to_open(void **state)
{
    struct sock *s = connection();
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_write(&p, s, 100);
    sock_close(s);
    peer_expect_nothing(&p);
    peer_expect_after(&p, 200001, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "FP. 1:101(100) ack 1");
    peer_send(&p, "F. 1:1(0) ack 102 win 1000");
    peer_expect(&p, ". 102:102(0) ack 2");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* Class: close with text and a window that stays shut stays for ever. A peer that
 * answers each probe and never reads: after 8 of them it is given up and told. */
static void a_close_gives_up_on_a_window_that_stays_shut(void **state)
{
    struct sock *s = connection();
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_write(&p, s, 100);
    sock_close(s);
    for (int i = 0; i < 8; i++) {
        peer_expect_after(&p, 200001LL << i, ". 0:0(0) ack 1");
        peer_send(&p, ". 1:1(0) ack 1 win 0");
    }
    peer_expect_after(&p, 200001LL << 8, "R. 1:1(0) ack 1");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* RFC 9293 s3.8.6.1 (MUST-37): while somebody owns it and the peer answers, a shut
 * window is waited for without end. */
static void a_shut_window_is_waited_for_while_somebody_owns_the_connection(void **state)
{
    struct sock *s = connection();
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_write(&p, s, 100);
    for (int i = 0; i < 40; i++) {
        peer_wait(&p, 120 * USEC_PER_SEC);
        peer_skip(&p);
        peer_send(&p, ". 1:1(0) ack 1 win 0");
    }
    assert_string_equal(peer_state(s), "ESTAB");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "P. 1:101(100) ack 1");
    sock_close(s);
    peer_free(&p);
}

/* --- shutdown --- */

/* Half a close: we have said all, the peer has not. */
static void after_shutdown_of_writing_the_peers_text_still_comes(void **state)
{
    struct sock *s = connection();
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 2 win 1000");
    peer_send(&p, "P. 1:101(100) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 101");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    peer_send(&p, "F. 101:101(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 102");
    assert_int_equal(peer_read_result(s), 0);
    sock_close(s);
    peer_free(&p);
}

/* As Linux: on what is closed already. */
static void shutdown_of_a_dead_connection_is_not_connected(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "R 1:1(0) win 0");
    assert_int_equal(sock_shutdown(s, 0), -ENOTCONN);
    assert_int_equal(sock_shutdown(s, 1), -ENOTCONN);
    assert_int_equal(tcp_shutdown_write(s->tcb), -ENOTCONN);
    assert_int_equal(tcp_shutdown_read(s->tcb), -ENOTCONN);
    sock_close(s);
    peer_free(&p);
}

/* A refused attempt: the socket is as new and may try again. */
static void a_refused_socket_may_connect_again(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "R. 0:0(0) ack 1 win 0");
    assert_int_equal(peer_connect_result(&p, s), -ECONNREFUSED);
    assert_int_equal(peer_connect_result(&p, s), -EINPROGRESS);
    p.at->knows_isn = p.at->knows_ts = false;
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    assert_string_equal(peer_state(s), "ESTAB");
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fin_follows_all_that_was_written),
        cmocka_unit_test(text_and_fin_leave_in_one_segment),
        cmocka_unit_test(a_lost_fin_is_sent_again),
        cmocka_unit_test(lost_text_with_a_fin_is_sent_again_with_it),
        cmocka_unit_test(a_close_that_nobody_answers_is_given_up),
        cmocka_unit_test(close_with_unread_text_resets),
        cmocka_unit_test(close_with_unread_text_after_the_peers_fin_resets),
        cmocka_unit_test(close_without_unread_text_does_not_reset),
        cmocka_unit_test(a_reset_by_close_forgets_what_was_to_be_sent),
        cmocka_unit_test(close_that_does_not_linger_resets),
        cmocka_unit_test(abort_while_connecting_is_silent),
        cmocka_unit_test(close_while_connecting_is_silent_and_a_late_answer_is_reset),
        cmocka_unit_test(close_before_the_syn_left_sends_nothing),
        cmocka_unit_test(abort_in_each_state_sends_one_reset_at_most),
        cmocka_unit_test(what_was_not_read_is_lost_by_an_abort),
        cmocka_unit_test(a_close_waits_for_the_window_to_open),
        cmocka_unit_test(a_close_gives_up_on_a_window_that_stays_shut),
        cmocka_unit_test(
            a_shut_window_is_waited_for_while_somebody_owns_the_connection),
        cmocka_unit_test(after_shutdown_of_writing_the_peers_text_still_comes),
        cmocka_unit_test(shutdown_of_a_dead_connection_is_not_connected),
        cmocka_unit_test(a_refused_socket_may_connect_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
