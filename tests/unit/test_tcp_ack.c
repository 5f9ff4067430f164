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

/* RFC 9293 s3.10.7.4, fifth: "SND.UNA < SEG.ACK =< SND.NXT": what is acknowledged
 * leaves the buffer, in parts as well. */
static void what_is_acknowledged_leaves_the_send_buffer(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 3000);
    peer_expect(&p, ". 1:1461(1460) ack 1");
    peer_expect(&p, ". 1461:2921(1460) ack 1");
    peer_expect(&p, "P. 2921:3001(80) ack 1");
    assert_int_equal(tcp_unsent(s->tcb), 3000);
    peer_send(&p, ". 1:1(0) ack 1461 win 65535");
    assert_int_equal(tcp_unsent(s->tcb), 1540);
    peer_send(&p, ". 1:1(0) ack 2000 win 65535"); /* within a segment */
    assert_int_equal(tcp_unsent(s->tcb), 1001);
    peer_send(&p, ". 1:1(0) ack 3001 win 65535");
    assert_int_equal(tcp_unsent(s->tcb), 0);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5961 s5.2 (MUST-ack-drop). RFC 9293 s3.10.7.4, fifth: an ACK of something not yet
 * sent: "send an ACK, drop". */
static void an_ack_of_what_was_never_sent_is_answered_and_dropped(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_send(&p, "P. 1:51(50) ack 102 win 65535");
    peer_expect(&p, ". 101:101(0) ack 1");
    assert_int_equal(peer_drops(&p, "TcpBadAck"), 1);
    assert_int_equal(tcp_unsent(s->tcb), 100);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    end(s);
}

/* RFC 9293 s3.10.7.4 (MAY-12). RFC 5961 s5.2 (MAY-ack-range, MUST-ack-range,
 * MUST-ack-drop): "SND.UNA - MAX.SND.WND <= SEG.ACK": older ones are not believed, nor
 * is the text in their segment. The peer's largest window was 1000. */
static void an_ack_from_long_ago_is_answered_and_dropped(void **state)
{
    static const struct {
        const char *in;
        bool ok;
    } row[] = {
        { "P. 1:51(50) ack 3001 win 1000", true },
        { "P. 1:51(50) ack 2001 win 1000", true }, /* SND.UNA - 1000 */
        { "P. 1:51(50) ack 1541 win 1000", true }, /* SND.UNA - our MSS */
        { "P. 1:51(50) ack 1540 win 1000", false },
        { "P. 1:51(50) ack 4294960000 win 1000", false },
        { "P. 1:51(50) ack 2147486648 win 1000", false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        peer_init(&p);
        struct sock *l = peer_listen(&p, 80);
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        peer_send(&p, ". 1:1(0) ack 1 win 1000");
        struct sock *s = peer_accept(&p, l);
        for (int n = 1; n < 3001; n += 1000) {
            char ack[80];
            peer_write(&p, s, 1000);
            peer_skip(&p);
            snprintf(ack, sizeof ack, ". 1:1(0) ack %d win 1000", n + 1000);
            peer_send(&p, ack);
        }
        peer_send(&p, row[i].in);
        assert_int_equal(peer_drops(&p, "TcpBadAck"), !row[i].ok);
        assert_int_equal(tcp_readable(s->tcb), row[i].ok ? 50 : 0);
        peer_expect(&p, row[i].ok ? ". 3001:3001(0) ack 51" : ". 3001:3001(0) ack 1");
        sock_close(l);
        end(s);
    }
}

/* RFC 9293 s3.10.7.4, fifth: "If SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =<
 * SEG.ACK)". Class: an old ACK changes the window. The window of the last ACK was
 * 30000. */
static void the_window_is_taken_from_the_newest_segment_only(void **state)
{
    static const struct {
        const char *in;
        uint32_t wnd;
    } row[] = {
        { ". 101:101(0) ack 201 win 20000", 20000 },  /* WL1 =, WL2 = */
        { ". 101:101(0) ack 301 win 20000", 20000 },  /* WL1 =, ACK newer */
        { ". 102:102(0) ack 201 win 20000", 20000 },  /* SEQ newer */
        { ". 101:101(0) ack 101 win 20000", 30000 },  /* ACK older: WL2 > ACK */
        { ". 1:1(0) ack 201 win 20000", 30000 },      /* SEQ older: not acceptable */
        { "P. 91:111(20) ack 201 win 20000", 20000 }, /* cut to RCV.NXT */
        { ". 102:102(0) ack 101 win 20000", 30000 },  /* SEQ newer, ACK not >= UNA */
        { ". 101:101(0) ack 302 win 20000", 30000 },  /* never sent */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = connection();
        for (int n = 0; n < 3; n++)
            peer_write(&p, s, 100);
        peer_send(&p, "P. 1:101(100) ack 101 win 10000");
        peer_send(&p, ". 101:101(0) ack 201 win 30000");
        peer_skip(&p);
        peer_send(&p, row[i].in);
        assert_int_equal(s->tcb->snd.wnd, row[i].wnd);
        end(s);
    }
}

/* SND.WL1: what fills a hole was sent before what lies behind it, and so was its
 * window, though it comes later. */
static void the_window_of_what_fills_a_hole_is_the_older_one(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 101:201(100) ack 1 win 20000");
    assert_int_equal(s->tcb->snd.wnd, 20000);
    peer_send(&p, "P. 1:101(100) ack 1 win 7000");
    assert_int_equal(s->tcb->snd.wnd, 20000);
    peer_read(&p, s, 200);
    end(s);
}

/* RFC 9293 s3.10.7.4, fifth: two ACKs that changed places on the way: the late one may
 * neither shut the window nor stop what the newer one allows. */
static void an_old_ack_that_comes_late_does_not_shut_the_window(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_send(&p, "P. 1:101(100) ack 101 win 5000");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_send(&p, ". 1:1(0) ack 101 win 0");
    peer_skip(&p);
    peer_write(&p, s, 1000);
    peer_expect(&p, "P. 101:1101(1000) ack 101");
    end(s);
}

/* RFC 7323 s2.4 (MUST-wscale-first, MUST-wscale-retract). RFC 9293 s3.8.6 (MUST-34,
 * SHLD-15): a window that shrinks is not an error; what was sent stays sent, and
 * nothing more goes. */
static void a_window_that_shrinks_stops_new_text_only(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 500");
    peer_write(&p, s, 1460);
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 1461 win 1460");
    peer_expect(&p, "P. 1461:2921(1460) ack 1");
    end(s);
}

/* RFC 9293 s3.1 (REC-1), RFC 7323 s2.2, s2.3 (MUST-wscale-in): windows are shifted
 * left by the peer's shift count, but for that of its SYN. Class: scaled SYNs, products
 * that wrap at 64 KiB. */
static void windows_are_scaled_but_for_that_of_the_syn(void **state)
{
    static const struct {
        const char *syn, *answer, *ack;
        uint32_t at_first, then;
    } row[] = {
        { "S 0:0(0) win 1000 <mss 1460,nop,wscale 3>", "S. 0:0(0) ack 1 <...>",
          ". 1:1(0) ack 1 win 1001", 8008, 65535u << 3 },
        { "S 0:0(0) win 1000 <mss 1460,nop,wscale 0>", "S. 0:0(0) ack 1 <...>",
          ". 1:1(0) ack 1 win 1001", 1001, 65535 },
        { "S 0:0(0) win 1000 <mss 1460,nop,wscale 14>", "S. 0:0(0) ack 1 <...>",
          ". 1:1(0) ack 1 win 1001", 16400384, 65535u << 14 },
        /* larger than 14 is taken as 14 */
        { "S 0:0(0) win 1000 <mss 1460,nop,wscale 15>", "S. 0:0(0) ack 1 <...>",
          ". 1:1(0) ack 1 win 1001", 16400384, 65535u << 14 },
        { "S 0:0(0) win 1000 <mss 1460>", "S. 0:0(0) ack 1 <mss 1460>",
          ". 1:1(0) ack 1 win 1001", 1001, 65535 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        peer_init(&p);
        struct sock *l = peer_listen(&p, 80);
        peer_send(&p, row[i].syn);
        peer_expect(&p, row[i].answer);
        peer_send(&p, row[i].ack);
        struct sock *s = peer_accept(&p, l);
        assert_int_equal(s->tcb->snd.wnd, row[i].at_first);
        peer_send(&p, ". 1:1(0) ack 1 win 65535");
        assert_int_equal(s->tcb->snd.wnd, row[i].then);
        sock_close(l);
        end(s);
    }
}

/* RFC 9293 s3.10.7.4, fifth, FIN-WAIT-1: "if the FIN segment is now acknowledged, then
 * enter FIN-WAIT-2"; text that is acknowledged before it does not count. */
static void the_fin_is_acknowledged_only_with_the_number_behind_it(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 101:101(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 101 win 65535");
    assert_string_equal(peer_state(s), "FIN-WAIT-1");
    peer_send(&p, ". 1:1(0) ack 102 win 65535");
    assert_string_equal(peer_state(s), "FIN-WAIT-2");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 9293 s3.10.7.4, fifth: one ACK for text and FIN. */
static void text_and_fin_are_acknowledged_at_once(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 101:101(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 102 win 65535");
    assert_string_equal(peer_state(s), "FIN-WAIT-2");
    assert_int_equal(tcp_unsent(s->tcb), 0);
    assert_true(tcp_drained(s->tcb));
    end(s);
}

/* RFC 9293 s3.10.7.4, fifth and seventh: the ACK of our FIN may come with text, which
 * is taken in FIN-WAIT-2. */
static void the_ack_of_the_fin_may_carry_text(void **state)
{
    struct sock *s = connection();
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "P. 1:101(100) ack 2 win 65535");
    peer_expect(&p, ". 2:2(0) ack 101");
    assert_string_equal(peer_state(s), "FIN-WAIT-2");
    peer_read(&p, s, 100);
    end(s);
}

/* RFC 6298 s5 (MUST-rto-early, SHLD-rto-manage), s5.2: all is acknowledged: the timer
 * is off. s5.3: else it begins anew with each ACK. Class: a timer that any ACK clears.
 */
static void the_retransmission_timer_begins_anew_with_each_new_ack(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 2920);
    peer_expect(&p, ". 1:1461(1460) ack 1");
    peer_expect(&p, "P. 1461:2921(1460) ack 1");
    peer_wait(&p, 150 * USEC_PER_MS);
    peer_send(&p, ". 1:1(0) ack 1461 win 65535");
    peer_wait(&p, 199 * USEC_PER_MS);
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * USEC_PER_MS);
    peer_expect(&p, "P. 1461:2921(1460) ack 1");
    peer_send(&p, ". 1:1(0) ack 2921 win 65535");
    peer_wait(&p, 300 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 6298 s5.3: an ACK that acknowledges nothing new leaves the timer alone. */
static void an_ack_of_nothing_new_leaves_the_timer_alone(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_wait(&p, 100 * USEC_PER_MS);
    peer_send(&p, ". 1:1(0) ack 1 win 60000");
    peer_expect_after(&p, 100 * USEC_PER_MS + 1, "P. 1:101(100) ack 1");
    end(s);
}

/* Wakes whoever waits for room (RFC 9293 s3.10.2). */
static void an_ack_makes_room_for_more_and_wakes_the_writer(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_wmem", "4096 4096 4096");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_write(&p, s, 4096);
    assert_int_equal(peer_write_result(s), -EAGAIN);
    peer_skip(&p);
    while (stack_ready(p.st))
        ;
    peer_send(&p, ". 1:1(0) ack 1461 win 65535");
    assert_ptr_equal(stack_ready(p.st), s);
    assert_int_equal(tcp_writable_room(s->tcb), 1460);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_acknowledged_leaves_the_send_buffer),
        cmocka_unit_test(an_ack_of_what_was_never_sent_is_answered_and_dropped),
        cmocka_unit_test(an_ack_from_long_ago_is_answered_and_dropped),
        cmocka_unit_test(the_window_is_taken_from_the_newest_segment_only),
        cmocka_unit_test(the_window_of_what_fills_a_hole_is_the_older_one),
        cmocka_unit_test(an_old_ack_that_comes_late_does_not_shut_the_window),
        cmocka_unit_test(a_window_that_shrinks_stops_new_text_only),
        cmocka_unit_test(windows_are_scaled_but_for_that_of_the_syn),
        cmocka_unit_test(the_fin_is_acknowledged_only_with_the_number_behind_it),
        cmocka_unit_test(text_and_fin_are_acknowledged_at_once),
        cmocka_unit_test(the_ack_of_the_fin_may_carry_text),
        cmocka_unit_test(the_retransmission_timer_begins_anew_with_each_new_ack),
        cmocka_unit_test(an_ack_of_nothing_new_leaves_the_timer_alone),
        cmocka_unit_test(an_ack_makes_room_for_more_and_wakes_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
