/* The persist timer: a window that is shut, or too small to be worth a segment. The
 * path takes 100 ms: RTO, and so the first wait, is 300 ms (peer_up.h). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

/* RFC 9293 s3.8.6.1 (SHLD-29, SHLD-30). Bug class 5: no probe, or at a
 * constant rate. */
static void a_shut_window_is_probed_after_an_rto_and_then_ever_more_rarely(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_wait(&p, 60 * SEC);
    peer_expect_nothing(&p);
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 1200 * MS, ". 0:0(0) ack 1");
    assert_int_equal(peer_count(&p, "TcpExtTCPWinProbe"), 3);
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 0);
    peer_free(&p);
}

/* RFC 9293 s3.8.6.1 (MUST-36): text goes as soon as there is room. */
static void an_opened_window_lets_text_go_at_once(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 500");
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 1:1(0) ack 501 win 0");
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 500:500(0) ack 1"); /* the waits begin anew */
    peer_free(&p);
}

/* RFC 9293 s3.8.6.1 (MUST-37): no matter for how long, if only the peer answers. */
static void probes_go_on_for_as_long_as_they_are_answered(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rto_max_ms", "1000");
    peer_sysctl(&p, "net.ipv4.tcp_retries2", "3");
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    for (int i = 0; i < 50; i++) {
        peer_send(&p, ". 1:1(0) ack 1 win 0");
        peer_expect_after(&p, 1000 * MS, ". 0:0(0) ack 1");
    }
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.8.3: R2 also here. */
static void without_an_answer_it_gives_up_after_tcp_retries2(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_retries2", "3");
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 1200 * MS, ". 0:0(0) ack 1");
    peer_expect_after(&p, 2400 * MS, "R. 1:1(0) ack 1");
    assert_int_equal(peer_read_result(s), -ETIMEDOUT);
    peer_free(&p);
}

/* Bug class 18: close() with text pending and a shut window stays for ever. */
static void a_closed_socket_whose_peer_never_reads_gives_up(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_orphan_retries", "2");
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    sock_close(s);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 1200 * MS, "R. 1:1(0) ack 1");
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_free(&p);
}

/* RFC 9293 s3.8.6.1 (SHLD-30): "increase exponentially the interval between successive
 * probes", also when only text and FIN of a closed socket are left. */
static void probes_in_fin_wait_1_back_off(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    sock_shutdown(s, 1);
    assert_string_equal(peer_state(s), "FIN-WAIT-1");
    for (usec wait = 300 * MS; wait < 20 * SEC; wait *= 2) {
        peer_expect_after(&p, wait, ". 0:0(0) ack 1");
        peer_send(&p, ". 1:1(0) ack 1 win 0");
    }
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "FP. 1:501(500) ack 1");
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.4: the FIN takes a place in the window. */
static void a_fin_alone_waits_for_the_window_too(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    sock_shutdown(s, 1);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 1");
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.9.1.2 (MUST-60), s3.8.6.2.1 (4): the override. A quarter of the largest
 * window that was ever offered is not worth a segment; after the wait it is sent all
 * the same. */
static void a_window_that_stays_small_is_filled_after_a_wait(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 800);
    peer_send(&p, ". 1:1(0) ack 1 win 200");
    peer_write(&p, s, 500);
    peer_expect_nothing(&p);
    peer_expect_after(&p, 300 * MS, ". 1:201(200) ack 1");
    assert_int_equal(peer_count(&p, "TcpExtTCPWinProbe"), 0);
    peer_free(&p);
}

/* RFC 9293 s3.8.6 (SHLD-17, MUST-35, SHLD-16, MAY-7): what is out beyond a window that
 * was taken back does not time the connection out, while the peer answers. */
static void a_window_shut_on_text_that_is_out_is_not_the_end(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rto_max_ms", "1000");
    peer_sysctl(&p, "net.ipv4.tcp_retries2", "3");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 600 * MS, "P. 1:501(500) ack 1");
    for (int i = 0; i < 20; i++) {
        peer_send(&p, ". 1:1(0) ack 1 win 0");
        peer_expect_after(&p, 1000 * MS, "P. 1:501(500) ack 1");
    }
    peer_expect_after(&p, 1000 * MS,
                      "P. 1:501(500) ack 1"); /* now it does not answer */
    peer_expect_after(&p, 1000 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 1000 * MS, "R. 501:501(0) ack 1");
    assert_int_equal(peer_read_result(s), -ETIMEDOUT);
    peer_free(&p);
}

/* --- the peer probes us --------------------------------------------------------- */

/* Our receive buffer of 4096 bytes is full. */
static struct sock *full(struct peer *p, const char *win)
{
    char line[PEER_LINE];
    peer_sysctl(p, "net.ipv4.tcp_rmem", "4096 4096 4096");
    struct sock *s = peer_up(p);
    for (int at = 1; at < 4097; at += 1024) {
        snprintf(line, sizeof line, ". %d:%d(1024) ack 1 win %s", at, at + 1024, win);
        peer_send(p, line);
    }
    peer_skip(p);
    return s;
}

/* RFC 9293 s3.4 (MUST-66): with the number it expects and its window. Bug
 * class 5: a probe that is not answered; bug class 12. */
static void a_probe_with_a_byte_of_text_is_answered(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    full(&p, "65535");
    for (int i = 0; i < 3; i++) {
        peer_send(&p, ". 4097:4098(1) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 4097 win 0");
        peer_wait(&p, 300 * MS);
    }
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void a_probe_with_an_old_number_is_answered(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    full(&p, "65535");
    for (int i = 0; i < 3; i++) {
        peer_send(&p, ". 4096:4096(0) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 4097 win 0");
        peer_wait(&p, 600 * MS);
    }
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* Bug classes 5 and 11: both windows are shut, and each side's ACK draws an ACK. */
static void two_shut_windows_do_not_answer_answers(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = full(&p, "0");
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 4097 win 0");
    peer_send(&p, ". 4097:4097(0) ack 1 win 0"); /* its answer is not answered */
    peer_expect_nothing(&p);
    peer_send(&p, ". 4096:4096(0) ack 1 win 0"); /* its probe is, and once */
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_send(&p, ". 4096:4096(0) ack 1 win 0");
    peer_expect_nothing(&p);
    peer_read(&p, s, 4096); /* and they part again */
    peer_expect(&p, ". 1:1(0) ack 4097 win 4096");
    peer_send(&p, ". 4097:4097(0) ack 1 win 65535");
    peer_expect(&p, "P. 1:501(500) ack 4097");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_shut_window_is_probed_after_an_rto_and_then_ever_more_rarely),
        cmocka_unit_test(an_opened_window_lets_text_go_at_once),
        cmocka_unit_test(probes_go_on_for_as_long_as_they_are_answered),
        cmocka_unit_test(without_an_answer_it_gives_up_after_tcp_retries2),
        cmocka_unit_test(a_closed_socket_whose_peer_never_reads_gives_up),
        cmocka_unit_test(probes_in_fin_wait_1_back_off),
        cmocka_unit_test(a_fin_alone_waits_for_the_window_too),
        cmocka_unit_test(a_window_that_stays_small_is_filled_after_a_wait),
        cmocka_unit_test(a_window_shut_on_text_that_is_out_is_not_the_end),
        cmocka_unit_test(a_probe_with_a_byte_of_text_is_answered),
        cmocka_unit_test(a_probe_with_an_old_number_is_answered),
        cmocka_unit_test(two_shut_windows_do_not_answer_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
