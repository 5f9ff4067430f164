/* Retransmission, keep-alive and delayed ACKs; the persist timer is in
 * test_tcp_timer_persist.c. The path takes 100 ms: RTO is 300 ms (peer_up.h). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

/* --- retransmission ------------------------------------------------------------ */

/* RFC 6298 s5.4-5.6. Bug class 2: no back-off, or a timer that idles after one
 * retransmission. */
static void the_time_out_doubles_with_each_retransmission(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 600 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 1200 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 2400 * MS, "P. 1:501(500) ack 1");
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 4);
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeouts"), 4);
    peer_free(&p);
}

/* RFC 6298 s3 (MUST-rto-karn). RFC 9293 s3.8.1 (MUST-18). RFC 6298 s5 (Karn): an
 * acknowledgment of what was sent twice gives no sample, and the doubled time-out stays
 * for the next text. Bug class 4: on a path slower than the RTO every flight would be
 * sent again. */
static void without_a_sample_the_doubled_time_out_stays(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 1:1(0) ack 501 win 65535");
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 501:1001(500) ack 1");
    peer_expect_after(&p, 600 * MS, "P. 501:1001(500) ack 1");
    peer_send(&p, ". 1:1(0) ack 1001 win 65535");
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1001:1501(500) ack 1");
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 1:1(0) ack 1501 win 65535");
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1501:2001(500) ack 1");
    /* a sample of 100 ms beside 100 +- 37.5: RTO is 100 + 200 again */
    peer_expect_after(&p, 300 * MS, "P. 1501:2001(500) ack 1");
    peer_free(&p);
}

/* RFC 6298 s2.5 (MAY-rto-max). */
static void the_time_out_grows_to_rto_max(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rto_max_ms", "1000");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 600 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 1000 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 1000 * MS, "P. 1:501(500) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.8.3 (MUST-20, SHLD-11). Bug class 3: retransmission for ever. */
static void after_tcp_retries2_it_gives_up(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_retries2", "3");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 600 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 1200 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 2400 * MS, "R. 501:501(0) ack 1");
    assert_int_equal(peer_read_result(s), -ETIMEDOUT);
    assert_int_equal(peer_read_result(s), 0);
    assert_int_equal(peer_count(&p, "TcpExtTCPAbortOnTimeout"), 1);
    peer_wait(&p, 600 * SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* Bug class 3: a connection that is closed and half closed gives up too. */
static void a_closed_socket_gives_up_after_tcp_orphan_retries(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_orphan_retries", "2");
    sock_close(peer_up(&p));
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 300 * MS, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 600 * MS, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 1200 * MS, "R. 2:2(0) ack 1");
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_free(&p);
}

/* RFC 9293 s3.8.3 (MUST-23, MUST-22): three minutes at least for a SYN by default: 247
 * s, the last wait being rto_max, and no RST. */
static void a_syn_is_sent_again_seven_times(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_connect(&p, 0);
    peer_expect(&p, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val * ecr 0,wscale 7>");
    for (int i = 0; i < 7; i++)
        peer_expect_after(&p, (1 << i) * SEC, "S 0:0(0) win 65535 <...>");
    peer_wait(&p, 120 * SEC - 1);
    assert_int_equal(peer_connect_result(&p, s), -EALREADY);
    peer_wait(&p, 1);
    peer_expect_nothing(&p);
    assert_int_equal(peer_connect_result(&p, s), -ETIMEDOUT);
    peer_free(&p);
}

static void tcp_syn_retries_says_how_often_a_syn_is_sent_again(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_syn_retries", "1");
    struct sock *s = peer_connect(&p, 0);
    peer_expect(&p, "S 0:0(0) win 65535 <...>");
    peer_expect_after(&p, 1 * SEC, "S 0:0(0) win 65535 <...>");
    peer_wait(&p, 2 * SEC);
    peer_expect_nothing(&p);
    assert_int_equal(peer_connect_result(&p, s), -ETIMEDOUT);
    peer_free(&p);
}

/* RFC 6298 s5.7 (MUST-rto-syn): three seconds for text after a SYN that was lost; and
 * the initial window is one segment (RFC 5681 s3.1). */
static void a_lost_syn_makes_the_start_careful(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    struct sock *s = peer_connect(&p, 0);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_expect_after(&p, 1 * SEC, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 3000);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_expect_after(&p, 3 * SEC, ". 1:1001(1000) ack 1");
    peer_free(&p);
}

/* RFC 6298 s5.3. Bug class 1: a timer that any ACK restarts never fires. */
static void what_acknowledges_nothing_does_not_restart_the_timer(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_wait(&p, 200 * MS);
    peer_send(&p, ". 1:1(0) ack 1 win 65535"); /* a duplicate */
    peer_send(&p, ". 1:1(0) ack 1 win 65000"); /* a window */
    peer_send(&p, "P. 1:11(10) ack 1 win 65000");
    peer_expect(&p, ". 501:501(0) ack 11");
    peer_expect_after(&p, 100 * MS, "P. 1:501(500) ack 11");
    peer_free(&p);
}

static void an_acknowledgment_of_new_text_restarts_the_timer(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 1500);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect(&p, "P. 1001:1501(500) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 1001, "");
    peer_expect_after(&p, 300 * MS, "P. 1001:1501(500) ack 1");
    peer_free(&p);
}

/* RFC 6298 s5.2. */
static void when_all_is_acknowledged_the_timer_is_off(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 501, "");
    assert_true(s->tcb->at[TT_REXMT] == NEVER);
    peer_wait(&p, 3600 * SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* --- keep-alive: RFC 9293 s3.8.4 ------------------------------------------------ */

/* SO_KEEPALIVE; TCP_KEEPIDLE 10, TCP_KEEPINTVL 5, TCP_KEEPCNT 3. */
static struct sock *keeping(struct peer *p)
{
    struct sock *s = peer_up(p);
    peer_option(s, 6, 4, 10);
    peer_option(s, 6, 5, 5);
    peer_option(s, 6, 6, 3);
    peer_option(s, 1, 9, 1);
    return s;
}

/* RFC 9293 s3.8.4 (MUST-24, MUST-27, MUST-29, MAY-5, SHLD-12). */
static void silence_is_probed_and_then_ends_the_connection(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = keeping(&p);
    peer_expect_after(&p, 10 * SEC, ". 0:0(0) ack 1");
    peer_expect_after(&p, 5 * SEC, ". 0:0(0) ack 1");
    peer_expect_after(&p, 5 * SEC, ". 0:0(0) ack 1");
    peer_expect_after(&p, 5 * SEC, "R. 1:1(0) ack 1");
    assert_int_equal(peer_read_result(s), -ETIMEDOUT);
    assert_int_equal(peer_count(&p, "TcpExtTCPKeepAlive"), 3);
    peer_free(&p);
}

static void an_answer_begins_the_silence_anew(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = keeping(&p);
    for (int i = 0; i < 10; i++) {
        peer_expect_after(&p, 10 * SEC, ". 0:0(0) ack 1");
        peer_expect_after(&p, 5 * SEC, ". 0:0(0) ack 1");
        peer_ack(&p, 1, "");
    }
    assert_string_equal(peer_state(s), "ESTAB");
    peer_free(&p);
}

/* RFC 9293 s3.8.4 (MUST-26). */
static void what_the_peer_sends_puts_the_probe_off(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    keeping(&p);
    peer_wait(&p, 9 * SEC);
    peer_send(&p, "P. 1:11(10) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 11");
    peer_expect_after(&p, 10 * SEC, ". 0:0(0) ack 11");
    peer_free(&p);
}

/* RFC 9293 s3.8.4 (MUST-25, MUST-28): off unless asked for, two hours by default. */
static void keep_alive_is_off_by_default_and_waits_two_hours(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_wait(&p, 30000 * SEC);
    peer_expect_nothing(&p);
    peer_option(s, 1, 9, 1);
    peer_expect_after(&p, 7200 * SEC, ". 0:0(0) ack 1");
    peer_expect_after(&p, 75 * SEC, ". 0:0(0) ack 1");
    peer_option(s, 1, 9, 0);
    peer_wait(&p, 30000 * SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void while_text_is_out_retransmission_does_the_asking(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rto_max_ms", "120000");
    struct sock *s = keeping(&p);
    peer_write(&p, s, 500);
    for (int i = 0; i < 7; i++)
        peer_wait(&p, (300 << i) * MS);
    peer_skip(&p);
    assert_int_equal(peer_count(&p, "TcpExtTCPKeepAlive"), 0);
    assert_string_equal(peer_state(s), "ESTAB");
    peer_free(&p);
}

/* --- delayed ACKs: RFC 9293 s3.8.6.3 -------------------------------------------- */

/* Segments of 500 after we sent something: no longer the first of a connection. */
static struct sock *talking(struct peer *p)
{
    struct sock *s = peer_up(p);
    peer_send(p, "P. 1:1001(1000) ack 1 win 65535");
    peer_expect(p, ". 1:1(0) ack 1001");
    peer_write(p, s, 10);
    peer_expect(p, "P. 1:11(10) ack 1001");
    peer_wait(p, 100 * MS);
    peer_send(p, ". 1001:1001(0) ack 11 win 65535");
    return s;
}

/* Deviates from RFC 9293 s3.8.6.3 (SHLD-18) as Linux does: the first segments are not
 * delayed. */
static void the_first_segments_are_acknowledged_at_once(void **state)
{
    struct peer p;
    char line[PEER_LINE];
    (void)state;
    peer_init(&p);
    peer_up(&p);
    for (int i = 0; i < 16; i++) {
        snprintf(line, sizeof line, "P. %d:%d(10) ack 1 win 65535", 1 + i * 10,
                 11 + i * 10);
        peer_send(&p, line);
        snprintf(line, sizeof line, ". 1:1(0) ack %d", 11 + i * 10);
        peer_expect(&p, line);
    }
    peer_send(&p, "P. 161:171(10) ack 1 win 65535");
    peer_expect_after(&p, 40 * MS, ". 1:1(0) ack 171");
    peer_free(&p);
}

/* RFC 9293 s3.8.6.3 (SHLD-18, MUST-40): less than half a second. */
static void an_ack_waits_forty_milliseconds_for_text(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = talking(&p);
    peer_send(&p, "P. 1001:1101(100) ack 11 win 65535");
    peer_wait(&p, 30 * MS);
    peer_send(&p, "P. 1101:1201(100) ack 11 win 65535");
    peer_expect_after(&p, 10 * MS, ". 11:11(0) ack 1201");
    assert_int_equal(peer_count(&p, "TcpExtDelayedACKs"), 1);
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 11:21(10) ack 1201");
    peer_send(&p, "P. 1201:1301(100) ack 21 win 65535");
    peer_expect_nothing(&p);
    peer_write(&p, s, 10); /* the ACK rides on it */
    peer_expect(&p, "P. 21:31(10) ack 1301");
    peer_wait(&p, 200 * MS);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 9293 s3.8.6.3 (SHLD-19). */
static void every_second_full_segment_is_acknowledged_at_once(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    talking(&p);
    peer_send(&p, ". 1001:2001(1000) ack 11 win 65535");
    peer_expect_nothing(&p);
    peer_send(&p, ". 2001:3001(1000) ack 11 win 65535");
    peer_expect(&p, ". 11:11(0) ack 3001");
    peer_send(&p, ". 3001:4001(1000) ack 11 win 65535");
    peer_expect_after(&p, 40 * MS, ". 11:11(0) ack 4001");
    peer_free(&p);
}

static void tapir_tcp_delack_ms_sets_the_wait(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    talking(&p);
    peer_sysctl(&p, "tapir.tcp_delack_ms", "0");
    peer_send(&p, "P. 1001:1101(100) ack 11 win 65535");
    peer_expect(&p, ". 11:11(0) ack 1101");
    peer_sysctl(&p, "tapir.tcp_delack_ms", "200");
    peer_send(&p, "P. 1101:1201(100) ack 11 win 65535");
    peer_expect_after(&p, 200 * MS, ". 11:11(0) ack 1201");
    peer_free(&p);
}

/* --- FIN-WAIT-2 ----------------------------------------------------------------- */

static void a_closed_socket_waits_tcp_fin_timeout_for_the_peers_fin(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    sock_close(peer_up(&p));
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 1:1(0) ack 2 win 65535");
    peer_wait(&p, 60 * SEC - 1);
    assert_int_equal(p.st->tcp.n_tcb, 1);
    peer_wait(&p, 1);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* An idle connection holds no send buffer; a busy one keeps it from one write to the
 * next, because fresh pages are slow. */
static void an_empty_send_buffer_gives_its_memory_back_after_a_second(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_send(&p, ". 1:1(0) ack 501 win 65535");
    peer_wait(&p, 1 * SEC - 1);
    assert_true(s->tcb->snd.buf.cap > 0);
    peer_wait(&p, 1);
    assert_int_equal(s->tcb->snd.buf.cap, 0);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 501:1001(500) ack 1");
    peer_wait(&p, 2 * SEC);
    assert_true(s->tcb->snd.buf.cap > 0); /* what is out stays */
    peer_skip(&p);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_out_doubles_with_each_retransmission),
        cmocka_unit_test(without_a_sample_the_doubled_time_out_stays),
        cmocka_unit_test(the_time_out_grows_to_rto_max),
        cmocka_unit_test(after_tcp_retries2_it_gives_up),
        cmocka_unit_test(a_closed_socket_gives_up_after_tcp_orphan_retries),
        cmocka_unit_test(a_syn_is_sent_again_seven_times),
        cmocka_unit_test(tcp_syn_retries_says_how_often_a_syn_is_sent_again),
        cmocka_unit_test(a_lost_syn_makes_the_start_careful),
        cmocka_unit_test(what_acknowledges_nothing_does_not_restart_the_timer),
        cmocka_unit_test(an_acknowledgment_of_new_text_restarts_the_timer),
        cmocka_unit_test(when_all_is_acknowledged_the_timer_is_off),
        cmocka_unit_test(silence_is_probed_and_then_ends_the_connection),
        cmocka_unit_test(an_answer_begins_the_silence_anew),
        cmocka_unit_test(what_the_peer_sends_puts_the_probe_off),
        cmocka_unit_test(keep_alive_is_off_by_default_and_waits_two_hours),
        cmocka_unit_test(while_text_is_out_retransmission_does_the_asking),
        cmocka_unit_test(the_first_segments_are_acknowledged_at_once),
        cmocka_unit_test(an_ack_waits_forty_milliseconds_for_text),
        cmocka_unit_test(every_second_full_segment_is_acknowledged_at_once),
        cmocka_unit_test(tapir_tcp_delack_ms_sets_the_wait),
        cmocka_unit_test(a_closed_socket_waits_tcp_fin_timeout_for_the_peers_fin),
        cmocka_unit_test(an_empty_send_buffer_gives_its_memory_back_after_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
