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
    return peer_establish(&p, "<mss 1460,sackOK>");
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, seventh. */
static void text_in_order_is_delivered_and_acknowledged(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, "P. 101:1561(1460) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1561");
    assert_int_equal(tcp_readable(s->tcb), 1560);
    peer_read(&p, s, 1560);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    end(s);
}

/* RFC 9293 s3.4: the numbers wrap in the middle of a segment (the peer's at 1024). */
static void text_that_spans_the_wrap_is_one_stream(void **state)
{
    struct sock *s = connection();
    peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
    peer_send(&p, ". 1001:2001(1000) ack 1 win 65535");
    peer_send(&p, ". 2001:3001(1000) ack 1 win 65535");
    peer_read(&p, s, 3000);
    end(s);
}

/* RFC 9293 s3.10.7.4: "segments that overlap what was received already are trimmed":
 * whatever overlaps, each byte is delivered once. After 1:1001, these arrive. */
static void text_that_overlaps_is_delivered_once(void **state)
{
    static const struct {
        const char *in;
        uint32_t readable;
    } row[] = {
        { "P. 1:1001(1000) ack 1 win 9", 1000 },   /* all of it */
        { "P. 501:1001(500) ack 1 win 9", 1000 },  /* its end */
        { "P. 501:1501(1000) ack 1 win 9", 1500 }, /* begins before RCV.NXT */
        { "P. 1000:1002(2) ack 1 win 9", 1001 },   /* by one byte */
        { "P. 1:1101(1100) ack 1 win 9", 1100 },   /* from the start */
        { "P. 1001:1002(1) ack 1 win 9", 1001 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = connection();
        peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
        peer_send(&p, row[i].in);
        assert_int_equal(tcp_readable(s->tcb), row[i].readable);
        peer_read(&p, s, row[i].readable);
        end(s);
    }
}

/* RFC 9293 s3.10.7.4 (SHLD-31, MAY-13): text out of order waits for what is missing.
 * Class: out-of-order text that is dropped or corrupted. */
static void a_hole_that_is_filled_releases_what_waited(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 101:201>");
    assert_int_equal(peer_read_result(s), -EAGAIN);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 201");
    peer_read(&p, s, 200);
    assert_int_equal(peer_count(&p, "TcpExtTCPOFOQueue"), 1);
    end(s);
}

/* The hole is filled bit by bit, from both of its sides. */
static void a_hole_may_be_filled_bit_by_bit(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 401:501(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 401:501>");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 401:501>");
    peer_send(&p, "P. 301:401(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 301:501>");
    peer_send(&p, "P. 101:102(1) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 102 <sack 301:501>");
    peer_send(&p, "P. 200:301(101) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 102 <sack 200:501>");
    peer_read(&p, s, 101);
    peer_send(&p, "P. 102:200(98) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 501");
    peer_read(&p, s, 399);
    end(s);
}

/* Many holes, then one segment that covers them all, and repeats them (RFC 2883). */
static void a_segment_that_covers_many_pieces_takes_their_place(void **state)
{
    struct sock *s = connection();
    for (int i = 0; i < 10; i++) {
        char line[80];
        int at = 101 + 100 * i;
        snprintf(line, sizeof line, "P. %d:%d(50) ack 1 win 65535", at, at + 50);
        peer_send(&p, line);
    }
    assert_int_equal(s->tcb->rcv.q.ofo_len, 500);
    peer_skip(&p);
    peer_send(&p, "P. 1:1401(1400) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1401 <sack 101:151>");
    assert_int_equal(s->tcb->rcv.q.ofo_len, 0);
    peer_read(&p, s, 1400);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    end(s);
}

/* The same beyond a hole: the pieces' union is kept, once. */
static void a_segment_beyond_a_hole_may_cover_pieces_there(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 201:251(50) ack 1 win 65535");
    peer_send(&p, "P. 301:351(50) ack 1 win 65535");
    peer_send(&p, "P. 401:451(50) ack 1 win 65535");
    peer_skip(&p);
    peer_send(&p, "P. 221:431(210) ack 1 win 65535"); /* from within to within */
    assert_int_equal(s->tcb->rcv.q.ofo_len, 250);
    peer_skip(&p);
    peer_send(&p, "P. 1:201(200) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 451");
    peer_read(&p, s, 450);
    end(s);
}

/* Segments that come in reverse order. */
static void text_in_reverse_order_is_put_right(void **state)
{
    struct sock *s = connection();
    for (int i = 9; i >= 0; i--) {
        char line[80];
        int at = 1 + 300 * i;
        snprintf(line, sizeof line, "P. %d:%d(300) ack 1 win 65535", at, at + 300);
        assert_int_equal(tcp_readable(s->tcb), 0);
        peer_send(&p, line);
    }
    assert_int_equal(tcp_readable(s->tcb), 3000);
    peer_read(&p, s, 3000);
    end(s);
}

/* Each order of four segments gives the same stream. */
static void any_order_of_segments_gives_the_same_text(void **state)
{
    static const char *const segment[] = {
        "P. 1:601(600) ack 1 win 9",
        "P. 601:1201(600) ack 1 win 9",
        "P. 1201:1801(600) ack 1 win 9",
        "F. 1801:2401(600) ack 1 win 9",
    };
    for (int order = 0; order < 256; order++) {
        int at[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 };
        if ((1 << at[0] | 1 << at[1] | 1 << at[2] | 1 << at[3]) != 15)
            continue;
        struct sock *s = connection();
        for (int i = 0; i < 4; i++) {
            assert_string_equal(peer_state(s), "ESTAB");
            peer_send(&p, segment[at[i]]);
        }
        assert_string_equal(peer_state(s), "CLOSE-WAIT");
        peer_read(&p, s, 2400);
        assert_int_equal(peer_read_result(s), 0);
        end(s);
    }
}

/* Class: one-byte segments that use the buffer up. 2000 of them leave the window as
 * much smaller as they are long. */
static void one_byte_segments_cost_no_more_window_than_their_bytes(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 8192 8192");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    for (int i = 1; i <= 2000; i++) {
        char line[80];
        snprintf(line, sizeof line, "P. %d:%d(1) ack 1 win 65535", i, i + 1);
        peer_send(&p, line);
    }
    peer_skip(&p);
    peer_wait(&p, 40 * USEC_PER_MS);
    peer_skip(&p);
    peer_send(&p, ". 2000:2000(0) ack 1 win 65535"); /* old: says where we stand */
    peer_expect(&p, ". 1:1(0) ack 2001 win 6192");
    peer_read(&p, s, 2000);
    end(s);
}

/* --- the user's side --- */

/* A reader that waits is woken by text in order, not by text beyond a hole. */
static void text_in_order_wakes_the_reader(void **state)
{
    struct sock *s = connection();
    while (stack_ready(p.st))
        ;
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    assert_null(stack_ready(p.st));
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    assert_ptr_equal(stack_ready(p.st), s);
    assert_true(sock_readiness(s) & SOCK_IN);
    end(s);
}

/* RFC 9293 s3.10.3: text that is peeked at stays. */
static void peeking_leaves_the_text(void **state)
{
    struct sock *s = connection();
    uint8_t b[3] = { 0 };
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    assert_int_equal(sock_receive(s, b, 3, SOCK_PEEK, NULL), 3);
    assert_int_equal(b[0], peer_byte(0));
    assert_int_equal(b[2], peer_byte(2));
    peer_read(&p, s, 100);
    end(s);
}

/* shutdown(SHUT_RD): what comes is acknowledged and thrown away; reading gives the end.
 * The window does not shrink. */
static void text_after_shutdown_of_reading_is_thrown_away(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    assert_int_equal(sock_shutdown(s, 0), 0);
    assert_int_equal(peer_read_result(s), 0);
    peer_send(&p, "P. 101:1101(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1101 win 65535");
    assert_int_equal(peer_read_result(s), 0);
    assert_string_equal(peer_state(s), "ESTAB");
    end(s);
}

/* The same for text that came out of order and is released by what filled the hole. */
static void text_out_of_order_after_shutdown_of_reading_is_thrown_away(void **state)
{
    struct sock *s = connection();
    assert_int_equal(sock_shutdown(s, 0), 0);
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_skip(&p);
    assert_int_equal(peer_read_result(s), 0);
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 201");
    peer_free(&p);
}

/* RFC 9293 s3.6.1 (MAY-1, SHLD-3), RFC 2525 s2.17: "If ... new data is received after
 * CLOSE is called, its TCP implementation SHOULD send a RST". */
static void text_for_a_user_who_closed_is_answered_with_a_reset(void **state)
{
    struct sock *s = connection();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "P. 1:101(100) ack 2 win 65535");
    peer_expect(&p, "R 2:2(0)");
    assert_int_equal(p.st->tcp.n_tcb, 0);
    assert_int_equal(peer_count(&p, "TcpExtTCPAbortOnData"), 1);
    peer_send(&p, "P. 1:101(100) ack 2 win 65535");
    peer_expect(&p, "R 2:2(0) win 0");
    peer_free(&p);
}

/* RFC 9293 s3.5.2, group 1, and RFC 5961 s3.2: the FIN did not arrive, so the peer
 * waits for its number, and would only challenge a RST behind it. */
static void a_reset_for_late_text_stands_where_the_peer_waits(void **state)
{
    struct sock *s = connection();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, "R 1:1(0)");
    peer_free(&p);
}

/* What the user did not get to see before the close, sent again, is not new text. */
static void old_text_for_a_user_who_closed_is_only_acknowledged(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 100);
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 101");
    peer_send(&p, "P. 1:101(100) ack 2 win 65535");
    peer_expect(&p, ". 2:2(0) ack 101 <sack 1:101>");
    assert_int_equal(p.st->tcp.n_tcb, 1);
    peer_free(&p);
}

/* Room for 40 packets of 2048 bytes. */
static void small_pool(void)
{
    p.st->net.pool.reserve = 0;
    p.st->net.pool.limit = 40 * 2048;
}

/* RFC 2018 s8 lets it be thrown away. Class: text beyond a hole takes the packet that
 * the segment for the hole, and every other frame, would have come in. */
static void text_out_of_order_leaves_half_of_the_pool(void **state)
{
    struct sock *s = connection();
    char line[80];
    small_pool();
    for (unsigned i = 1; i <= 60; i++) {
        unsigned seq = 1 + 1000 * i;
        snprintf(line, sizeof line, ". %u:%u(1000) ack 1 win 65535", seq, seq + 1000);
        peer_send(&p, line);
        assert_true(p.st->net.pool.live <= 21);
    }
    assert_true(p.st->net.pool.live >= 19);
    peer_skip(&p);
    peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
    assert_true(tcp_readable(s->tcb) >= 20000); /* the lowest were kept */
    peer_skip(&p);
    peer_read(&p, s, (uint32_t)tcp_readable(s->tcb));
    end(s);
}

/* Text that nobody reads is packed, and not acknowledged beyond that; it comes again.
 * Class: a reader that does not read stops the whole stack. */
static void unread_text_leaves_three_eighths_of_the_pool(void **state)
{
    struct sock *s = connection();
    char line[80];
    small_pool();
    for (unsigned i = 0; i < 60; i++) {
        unsigned seq = 1 + 1000 * i;
        snprintf(line, sizeof line, ". %u:%u(1000) ack 1 win 65535", seq, seq + 1000);
        peer_send(&p, line);
    }
    assert_int_equal(p.st->net.pool.live, 25);
    assert_int_equal(tcp_readable(s->tcb), 37866);
    assert_true(peer_drops(&p, "TcpOfoFull") > 0);
    peer_skip(&p);
    peer_read(&p, s, 37866);
    peer_skip(&p);
    peer_send(&p, "P. 37867:38867(1000) ack 1 win 65535");
    peer_expect_after(&p, 40000, ". 1:1(0) ack 38867");
    peer_read(&p, s, 1000);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_in_order_is_delivered_and_acknowledged),
        cmocka_unit_test(text_that_spans_the_wrap_is_one_stream),
        cmocka_unit_test(text_that_overlaps_is_delivered_once),
        cmocka_unit_test(a_hole_that_is_filled_releases_what_waited),
        cmocka_unit_test(a_hole_may_be_filled_bit_by_bit),
        cmocka_unit_test(a_segment_that_covers_many_pieces_takes_their_place),
        cmocka_unit_test(a_segment_beyond_a_hole_may_cover_pieces_there),
        cmocka_unit_test(text_in_reverse_order_is_put_right),
        cmocka_unit_test(any_order_of_segments_gives_the_same_text),
        cmocka_unit_test(one_byte_segments_cost_no_more_window_than_their_bytes),
        cmocka_unit_test(text_out_of_order_leaves_half_of_the_pool),
        cmocka_unit_test(unread_text_leaves_three_eighths_of_the_pool),
        cmocka_unit_test(text_in_order_wakes_the_reader),
        cmocka_unit_test(peeking_leaves_the_text),
        cmocka_unit_test(text_after_shutdown_of_reading_is_thrown_away),
        cmocka_unit_test(text_out_of_order_after_shutdown_of_reading_is_thrown_away),
        cmocka_unit_test(text_for_a_user_who_closed_is_answered_with_a_reset),
        cmocka_unit_test(a_reset_for_late_text_stands_where_the_peer_waits),
        cmocka_unit_test(old_text_for_a_user_who_closed_is_only_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
