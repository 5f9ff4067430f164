/* The classes of bugs that young stacks repeat, numbered as in the project's field
 * notes: 1 to 15 here, the others in test_bug_classes_more.c (16 to 27) and
 * test_bug_classes_rest.c (29 to 32). Each test plays the scenario that its class is
 * known by, and holds what a peer or a user sees against literals; the fine print of
 * each rule is tested in tests/unit.
 *
 * Unless a test says otherwise the path takes 100 ms, so that the RTO is 300 ms, and
 * neither SACK nor timestamps are agreed on (harness/peer_up.h). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/pair.h"
#include "harness/peer_up.h"

static struct peer p;

static struct sock *up(void)
{
    peer_init(&p);
    return peer_up(&p);
}

/* A receive buffer of 4096 bytes, full of text that nobody read; the window of the peer
 * is `win`. */
static struct sock *full(const char *win)
{
    char line[PEER_LINE];
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 4096 4096");
    struct sock *s = peer_up(&p);
    for (int at = 1; at < 4097; at += 1024) {
        snprintf(line, sizeof line, ". %d:%d(1024) ack 1 win %s", at, at + 1024, win);
        peer_send(&p, line);
    }
    peer_skip(&p);
    return s;
}

/* --- retransmission: classes 1 to 4 --- */

/* 1. RTO timer reset or cleared by any ACK: a stall with text outstanding. RFC 6298
 * s5.3: only what acknowledges something new starts it anew, and only s5.2, all of it,
 * stops it. */
static void class_01_rto_timer_that_any_ack_clears(void **state)
{
    struct sock *s = up();
    peer_write(&p, s, 1500);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect(&p, "P. 1001:1501(500) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 1001, "");
    peer_wait(&p, 200 * MS);
    peer_ack(&p, 1001, "");
    peer_send(&p, ". 1:1(0) ack 1001 win 65000");
    peer_send(&p, "P. 1:11(10) ack 1001 win 65000");
    peer_expect(&p, ". 1501:1501(0) ack 11");
    peer_expect_after(&p, 100 * MS, "P. 1001:1501(500) ack 11");
    peer_free(&p);
}

/* 2. No exponential backoff, or a timer that idles after one retransmission. RFC 6298
 * s5.5, s5.6: it doubles each time, and starts each time. */
static void class_02_no_backoff_or_a_timer_idle_after_one_retransmission(void **state)
{
    struct sock *s = up();
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 600 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 1200 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 2400 * MS, "P. 1:501(500) ack 1");
    peer_expect_after(&p, 4800 * MS, "P. 1:501(500) ack 1");
    peer_ack(&p, 501, "");
    peer_wait(&p, 3600 * SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* 3. Retransmits for ever, without a reset at the end. RFC 9293 s3.8.3 (MUST-20): R2
 * ends the connection, its user is told, the peer gets a RST; half closed as well. */
static void class_03_retransmission_that_never_gives_up(void **state)
{
    struct sock *s = up();
    peer_sysctl(&p, "net.ipv4.tcp_retries2", "2");
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 2");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 2");
    peer_expect_after(&p, 600 * MS, "P. 1:501(500) ack 2");
    peer_expect_after(&p, 1200 * MS, "R. 501:501(0) ack 2");
    assert_int_equal(peer_write_result(s), -ETIMEDOUT);
    peer_wait(&p, 3600 * SEC);
    peer_expect_nothing(&p);
    peer_free(&p);

    s = up();
    peer_write(&p, s, 500);
    sock_shutdown(s, 1);
    peer_wait(&p, 1800 * SEC); /* as nothing was set: a quarter of an hour, about */
    assert_int_equal(peer_read_result(s), -ETIMEDOUT);
    peer_free(&p);
}

/* A round trip of 900 ms, of which neither a SYN's nor a text's time-out makes two. */
static void slow_round_trip(struct sock *s, unsigned at)
{
    char line[PEER_LINE];
    peer_write(&p, s, 500);
    snprintf(line, sizeof line, "P. %u:%u(500) ack 1", at, at + 500);
    peer_expect(&p, line);
    peer_wait(&p, 900 * MS);
    peer_expect_nothing(&p);
    peer_ack(&p, at + 500, "");
}

/* 4. A fixed RTO: spurious retransmissions on slow networks. RFC 6298 s2: it follows
 * the round trip, here towards 900 ms and 200 ms to spare. */
static void class_04_fixed_rto_on_a_slow_path(void **state)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "S. 0:0(0) ack 1 <...>");
    peer_wait(&p, 900 * MS);
    peer_ack(&p, 1, "");
    struct sock *s = peer_accept(&p, l);
    for (unsigned i = 0; i < 20; i++)
        slow_round_trip(s, 1 + 500 * i);
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 0);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 10001:10501(500) ack 1");
    peer_expect_after(&p, 1100 * MS, "P. 10001:10501(500) ack 1");
    peer_free(&p);
}

/* --- windows: classes 5 to 9 --- */

/* 5. Zero window: no probe, or at a constant rate. RFC 9293 s3.8.6.1 (MUST-36, SHLD-29,
 * SHLD-30). */
static void class_05_zero_window_without_a_probe(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 1200 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 500");
    peer_expect(&p, "P. 1:501(500) ack 1");
    peer_free(&p);
}

/* 5. A probe that is not answered, and two shut windows whose ends answer one another
 * for ever. RFC 9293 s3.8.6.1, s3.10.7.4, first. */
static void class_05_zero_window_on_both_sides(void **state)
{
    struct sock *s = full("0");
    peer_send(&p, ". 4097:4098(1) ack 1 win 0");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_write(&p, s, 500);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 4097 win 0");
    peer_send(&p, ". 4097:4097(0) ack 1 win 0");
    peer_expect_nothing(&p); /* an answer is not answered */
    peer_send(&p, ". 4097:4098(1) ack 1 win 0");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 4097 win 0");
    peer_read(&p, s, 4096);
    peer_expect(&p, ". 1:1(0) ack 4097 win 4096");
    peer_send(&p, ". 4097:4097(0) ack 1 win 65535");
    peer_expect(&p, "P. 1:501(500) ack 4097");
    peer_free(&p);
}

/* 6. No window update when the application reads. RFC 9293 s3.8.6.2.2: one as soon as a
 * segment fits, at once and not with the delayed ACK. */
static void class_06_no_window_update_after_reading(void **state)
{
    struct sock *s = full("65535");
    peer_read(&p, s, 1024);
    peer_expect(&p, ". 1:1(0) ack 4097 win 1024");
    peer_read(&p, s, 3072); /* four times as much room */
    peer_expect(&p, ". 1:1(0) ack 4097 win 4096");
    peer_free(&p);
}

/* 7. The window of the wrong connection; a send window that old ACKs change. RFC 9293
 * s3.10.7.4, fifth. */
static void class_07_window_of_another_connection_or_of_an_old_ack(void **state)
{
    struct sock *shut = up();
    peer_use(&p, 1);
    struct sock *open = peer_up(&p);
    peer_use(&p, 0);
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_write(&p, shut, 1000);
    peer_expect_nothing(&p);
    peer_use(&p, 1);
    peer_write(&p, open, 1000);
    peer_expect(&p, "P. 1:1001(1000) ack 1");
    peer_send(&p, "P. 51:101(50) ack 1001 win 5000");
    peer_send(&p, "P. 1:51(50) ack 1001 win 0");   /* overtaken: older by its number */
    peer_send(&p, ". 101:101(0) ack 1 win 0");     /* by what it acknowledges */
    peer_send(&p, ". 101:101(0) ack 90001 win 0"); /* of what was never sent */
    peer_skip(&p);
    peer_write(&p, open, 5000);
    for (unsigned at = 1001; at < 5001; at += 1000) {
        char line[PEER_LINE];
        snprintf(line, sizeof line, ". %u:%u(1000) ack 101", at, at + 1000);
        peer_expect(&p, line);
    }
    peer_expect(&p, "P. 5001:6001(1000) ack 101");
    peer_free(&p);
}

/* 8. Window scaling: SYNs are not scaled, all else is, shift 0 is one, and more than
 * 64 KiB are not cut to 16 bits. RFC 7323 s2.2, s2.3. */
static void class_08_window_scaling(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    peer_sysctl(&p, "net.ipv4.tcp_sack", "0");
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 131072 131072");
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) win 65535 <mss 1460,wscale 2>");
    peer_send(&p, "S. 0:0(0) ack 1 win 2000 <mss 1000,wscale 3>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 9000);
    peer_expect_full(&p, 1, 2001); /* 2000, not 16000 */
    peer_expect_nothing(&p);
    peer_ack(&p, 2001, "");
    peer_expect_full(&p, 2001, 8001);
    peer_expect(&p, "P. 8001:9001(1000) ack 1");
    assert_int_equal(s->tcb->snd.wnd, 524280); /* 65535 * 8 */
    peer_send(&p, "P. 1:1001(1000) ack 9001 win 500");
    assert_int_equal(s->tcb->snd.wnd, 4000);
    peer_skip(&p);
    peer_read(&p, s, 1000);
    peer_send(&p, "P. 1001:1002(1) ack 9001 win 500");
    peer_wait(&p, 40 * MS);
    peer_expect(&p, ". 9001:9001(0) ack 1002 win 32767"); /* 131071 / 4 */
    peer_free(&p);

    peer_init(&p);
    s = peer_up_win(&p, "<mss 1000,wscale 0>", 65535);
    assert_int_equal(s->tcb->snd.wnd, 65535);
    peer_free(&p);
}

/* 9. Silly: one-byte segments exhaust buffers. 2000 of them take 2000 bytes of the
 * window, every other one out of order. */
static void class_09_one_byte_segments_that_exhaust_buffers(void **state)
{
    char line[PEER_LINE];
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "8192 8192 8192");
    struct sock *s = peer_up(&p);
    for (int i = 0; i < 2000; i++) {
        int at = 1 + (i ^ 1);
        snprintf(line, sizeof line, "P. %d:%d(1) ack 1 win 65535", at, at + 1);
        peer_send(&p, line);
    }
    peer_skip(&p);
    peer_send(&p, "P. 1:2(1) ack 1 win 65535"); /* old: says where we stand */
    peer_expect(&p, ". 1:1(0) ack 2001 win 6192");
    peer_read(&p, s, 2000);
    peer_free(&p);
}

/* --- acknowledgments: classes 10 to 13 --- */

/* 10. SACK that is agreed on and not sent, by the side that connected. RFC 2018 s4: the
 * block that came last is the first. */
static void class_10_sack_agreed_on_and_not_sent(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <mss 1460,sackOK,wscale 7>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, ". 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 101:201>");
    peer_send(&p, ". 301:401(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 301:401 101:201>");
    peer_send(&p, ". 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 201 <sack 301:401>");
    peer_send(&p, ". 201:301(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 401");
    peer_read(&p, s, 400);
    peer_free(&p);
}

/* 11. An ACK storm between two ends that disagree. RFC 5961 s5: of what carries no text
 * one in 500 ms is answered. And a limit on them that starves what is not one of them:
 * text and retransmissions go their way. */
static void class_11_ack_storm_or_a_limit_that_starves_retransmission(void **state)
{
    struct sock *s = up();
    peer_wait(&p, 1 * SEC);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    for (int i = 0; i < 100; i++)
        peer_send(&p, ". 90001:90001(0) ack 1 win 65535");
    peer_expect(&p, ". 501:501(0) ack 1");
    for (int i = 0; i < 100; i++)
        peer_send(&p, ". 1:1(0) ack 80001 win 65535");
    peer_expect_nothing(&p);
    peer_send(&p, "P. 90001:90011(10) ack 1 win 65535");
    peer_expect(&p, ". 501:501(0) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1");
    peer_wait(&p, 200 * MS);
    peer_send(&p, ". 90001:90001(0) ack 1 win 65535");
    peer_expect(&p, ". 501:501(0) ack 1");
    peer_free(&p);
}

/* 12. Text that came already, or lies outside the window, is not acknowledged: the peer
 * sends it again until it dies. RFC 9293 s3.10.7.4, first. */
static void class_12_text_outside_the_window_is_not_acknowledged(void **state)
{
    struct sock *s = up();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    for (int i = 0; i < 5; i++) {
        peer_send(&p, "P. 1:101(100) ack 1 win 65535"); /* its ACK was lost */
        peer_expect(&p, ". 1:1(0) ack 101");
        peer_send(&p, "P. 90001:90101(100) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 101");
    }
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    peer_free(&p);
}

/* 13. Duplicate ACKs that are none are counted: a bogus fast retransmission. RFC 5681
 * s2: no text, no FIN, the same window; something is out. */
static void class_13_text_counted_as_duplicate_acks(void **state)
{
    char line[PEER_LINE];
    struct sock *s = up();
    peer_write(&p, s, 4000);
    peer_expect_full(&p, 1, 3001);
    peer_expect(&p, "P. 3001:4001(1000) ack 1");
    for (int i = 0; i < 6; i++) {
        snprintf(line, sizeof line, "P. %d:%d(10) ack 1 win 65535", 1 + 10 * i,
                 11 + 10 * i);
        peer_send(&p, line);
        snprintf(line, sizeof line, ". 4001:4001(0) ack %d", 11 + 10 * i);
        peer_expect(&p, line);
    }
    for (int win = 60000; win < 60004; win++) {
        snprintf(line, sizeof line, ". 61:61(0) ack 1 win %d", win);
        peer_send(&p, line);
    }
    peer_expect_nothing(&p);
    for (int i = 0; i < 3; i++)
        peer_send(&p, ". 61:61(0) ack 1 win 60003");
    peer_expect(&p, ". 1:1001(1000) ack 61");
    peer_free(&p);
}

/* --- order: class 14 --- */

/* 14. Text out of order is dropped or corrupted, or a FIN among it counts too early.
 * RFC 9293 s3.10.7.4 (SHLD-31), seventh and eighth. Pieces overlap. */
static void class_14_out_of_order_text_and_a_fin_among_it(void **state)
{
    static const char *const order[][4] = {
        { "FP. 901:1201(300) ack 1 win 65535", "P. 501:1001(500) ack 1 win 65535",
          "P. 101:601(500) ack 1 win 65535", "P. 1:151(150) ack 1 win 65535" },
        { "F. 1201:1201(0) ack 1 win 65535", "P. 101:201(100) ack 1 win 65535",
          "P. 51:1201(1150) ack 1 win 65535", "P. 1:101(100) ack 1 win 65535" },
        { "P. 601:1201(600) ack 1 win 65535", "FP. 1101:1201(100) ack 1 win 65535",
          "P. 301:401(100) ack 1 win 65535", "P. 1:601(600) ack 1 win 65535" },
    };
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct sock *s = up();
        for (int j = 0; j < 4; j++) {
            assert_int_equal(peer_read_result(s), -EAGAIN);
            assert_string_equal(peer_state(s), "ESTAB");
            peer_send(&p, order[i][j]);
        }
        peer_expect(&p, ". 1:1(0) ack 1");
        peer_expect(&p, ". 1:1(0) ack 1");
        peer_expect(&p, ". 1:1(0) ack 1");
        peer_expect(&p, ". 1:1(0) ack 1202");
        peer_read(&p, s, 1200);
        assert_int_equal(peer_read_result(s), 0);
        peer_free(&p);
    }
}

/* --- opening: class 15 --- */

static struct sock *connects_to_itself(struct pair *pair, enum pair_side from,
                                       enum pair_side to)
{
    struct sock_name me = { ip_any4, 5000 }, you = { pair_addr(to), 5000 };
    struct sock *s = pair_tcp(pair, from);
    assert_int_equal(sock_bind(s, &me), 0);
    assert_int_equal(sock_connect(s, &you), -EINPROGRESS);
    return s;
}

/* 15. Simultaneous open. RFC 9293 s3.5, figure 7 (MUST-10): two SYNs that cross make
 * one connection, and it carries text both ways. */
static void class_15_simultaneous_open(void **state)
{
    static const struct piece text = { (const uint8_t *)"hello", 5 };
    uint8_t got[2][6] = { { 0 } };
    struct pair pair;
    pair_init(&pair, &(struct pair_setup){ .seed = 1, .netem = "delay 50ms" });
    struct sock *a = connects_to_itself(&pair, PAIR_A, PAIR_B);
    struct sock *b = connects_to_itself(&pair, PAIR_B, PAIR_A);
    pair_run(&pair, 150 * MS);
    assert_string_equal(peer_state(a), "ESTAB");
    assert_string_equal(peer_state(b), "ESTAB");
    assert_int_equal(sock_send(a, &text, 1, 0, NULL), 5);
    assert_int_equal(sock_send(b, &text, 1, 0, NULL), 5);
    pair_run(&pair, 50 * MS);
    assert_int_equal(sock_receive(a, got[0], 5, 0, NULL), 5);
    assert_int_equal(sock_receive(b, got[1], 5, 0, NULL), 5);
    assert_memory_equal(got[0], "hello", 5);
    assert_memory_equal(got[1], "hello", 5);
    sock_close(a);
    sock_close(b);
    pair_run(&pair, 120 * SEC);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stack_counter(pair.host[i].st, "TcpExtTCPTimeouts"), 0);
        assert_int_equal(stack_counter(pair.host[i].st, "TcpOutRsts"), 0);
    }
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_01_rto_timer_that_any_ack_clears),
        cmocka_unit_test(class_02_no_backoff_or_a_timer_idle_after_one_retransmission),
        cmocka_unit_test(class_03_retransmission_that_never_gives_up),
        cmocka_unit_test(class_04_fixed_rto_on_a_slow_path),
        cmocka_unit_test(class_05_zero_window_without_a_probe),
        cmocka_unit_test(class_05_zero_window_on_both_sides),
        cmocka_unit_test(class_06_no_window_update_after_reading),
        cmocka_unit_test(class_07_window_of_another_connection_or_of_an_old_ack),
        cmocka_unit_test(class_08_window_scaling),
        cmocka_unit_test(class_09_one_byte_segments_that_exhaust_buffers),
        cmocka_unit_test(class_10_sack_agreed_on_and_not_sent),
        cmocka_unit_test(class_11_ack_storm_or_a_limit_that_starves_retransmission),
        cmocka_unit_test(class_12_text_outside_the_window_is_not_acknowledged),
        cmocka_unit_test(class_13_text_counted_as_duplicate_acks),
        cmocka_unit_test(class_14_out_of_order_text_and_a_fin_among_it),
        cmocka_unit_test(class_15_simultaneous_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
