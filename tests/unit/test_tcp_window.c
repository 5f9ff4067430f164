/* Windows: what we offer, and which small segments we send (RFC 9293 s3.8.6). The
 * receive buffer is 4096 bytes unless a test says otherwise; the peer's segments are
 * 1000 bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

static struct sock *up_with(struct peer *p, const char *rmem, const char *options)
{
    peer_init(p);
    peer_sysctl(p, "net.ipv4.tcp_rmem", rmem);
    return peer_up_win(p, options, 65535);
}

static struct sock *up(struct peer *p)
{
    return up_with(p, "4096 4096 4096", "<mss 1000>");
}

/* n bytes of text from the peer, from `at` on. */
static void arrives(struct peer *p, unsigned at, unsigned n)
{
    char line[PEER_LINE];
    snprintf(line, sizeof line, ". %u:%u(%u) ack 1 win 65535", at, at + n, n);
    peer_send(p, line);
}

/* --- what we offer --------------------------------------------------------------- */

/* RFC 9293 s3.8.6.1 (MAY-8). */
static void text_that_is_not_read_closes_the_window(void **state)
{
    struct peer p;
    (void)state;
    up(&p);
    arrives(&p, 1, 1000);
    peer_expect(&p, ". 1:1(0) ack 1001 win 3096");
    arrives(&p, 1001, 1000);
    peer_expect(&p, ". 1:1(0) ack 2001 win 2096");
    arrives(&p, 2001, 1000);
    peer_expect(&p, ". 1:1(0) ack 3001 win 1096");
    arrives(&p, 3001, 1096);
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    assert_int_equal(peer_count(&p, "TcpExtTCPToZeroWindowAdv"), 1);
    peer_free(&p);
}

/* RFC 9293 s3.8.6.2.2 (MUST-39): the edge moves by a segment or half the buffer, the
 * smaller of both, and an update tells of it. Bug class 6: no update after reading. */
static void from_a_shut_window_an_update_is_sent_when_a_segment_fits(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    for (unsigned i = 0; i < 4; i++)
        arrives(&p, 1 + i * 1024, 1024);
    peer_skip(&p);
    peer_read(&p, s, 1000);
    peer_expect_nothing(&p);
    arrives(&p, 4097, 1); /* an ACK that is sent anyway does not tell of it either */
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_read(&p, s, 23);
    peer_expect_nothing(&p);
    peer_read(&p, s, 1);
    peer_expect(&p, ". 1:1(0) ack 4097 win 1024");
    assert_int_equal(peer_count(&p, "TcpExtTCPFromZeroWindowAdv"), 1);
    peer_free(&p);
}

static void half_of_a_buffer_smaller_than_two_segments_is_a_step(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up_with(&p, "600 600 600", "<mss 1000>");
    arrives(&p, 1, 600);
    peer_expect(&p, ". 1:1(0) ack 601 win 0");
    peer_read(&p, s, 299);
    peer_expect_nothing(&p);
    peer_read(&p, s, 1);
    peer_expect(&p, ". 1:1(0) ack 601 win 300");
    peer_free(&p);
}

/* No update for each read: only when the window doubles (tcp_window.c). */
static void a_peer_with_half_the_buffer_left_gets_no_update(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up_with(&p, "60000 60000 60000", "<mss 1000>");
    for (unsigned i = 0; i < 20; i++)
        arrives(&p, 1 + i * 1000, 1000);
    peer_skip(&p);
    peer_read(&p, s, 20000);
    peer_expect_nothing(&p);
    for (unsigned i = 20; i < 60; i++)
        arrives(&p, 1 + i * 1000, 1000);
    peer_skip(&p);
    peer_read(&p, s, 1000); /* 20000 were offered when 60000 came */
    peer_wait(&p, 1 * SEC);
    peer_skip(&p);
    peer_read(&p, s, 39000);
    peer_expect(&p, ". 1:1(0) ack 60001 win 60000");
    peer_free(&p);
}

/* RFC 9293 s3.8.6 (SHLD-14): the right edge never moves back. Reading in odd amounts,
 * small segments, a scaled window: the edge that the peer can compute may lag by what
 * the field rounds off (RFC 7323 s2.4, MUST-wscale-retract), 127 bytes here, and no
 * more. */
static void the_right_edge_never_moves_back(void **state)
{
    struct peer p;
    uint8_t frame[200];
    uint32_t edge = 0, at = 1, unread = 0;
    struct rng r;
    (void)state;
    struct sock *s = up_with(&p, "4096 300000 6291456", "<mss 1000,wscale 0>");
    rng_seed(&r, 3);
    peer_skip(&p);
    for (int i = 0; i < 3000; i++) {
        uint32_t n = 1 + (uint32_t)rng_below(&r, 1000);
        if (unread + n < 290000) {
            arrives(&p, at, n);
            at += n;
            unread += n;
        }
        n = (uint32_t)rng_below(&r, unread + 1);
        n = n < 1500 ? n : 1500;
        peer_read(&p, s, n);
        unread -= n;
        while (peer_take(&p, frame, sizeof frame)) {
            uint32_t ack = (uint32_t)frame[42] << 24 | (uint32_t)frame[43] << 16 |
                           (uint32_t)frame[44] << 8 | frame[45];
            uint32_t wnd = ((uint32_t)frame[48] << 8 | frame[49]) << 7;
            assert_true(edge == 0 || (int32_t)(ack + wnd + 127 - edge) >= 0);
            if (edge == 0 || (int32_t)(ack + wnd - edge) > 0)
                edge = ack + wnd;
        }
    }
    assert_true(at > 1000000);
    peer_free(&p);
}

/* RFC 7323 s2.2, s2.3 (MUST-wscale-ours, MUST-wscale-out, MUST-wscale-most): not
 * on a SYN; the smallest shift that can tell of the buffer. */
static void the_window_is_scaled_as_far_as_the_largest_buffer_needs(void **state)
{
    static const struct {
        const char *rmem, *syn_ack, *ack;
    } row[] = {
        { "4096 65535 65535", "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 0>",
          ". 1:1(0) ack 1001 win 65535" },
        { "4096 65536 65536", "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 1>",
          ". 1:1(0) ack 1001 win 32768" },
        { "4096 4096 131072", "S. 0:0(0) ack 1 win 4096 <mss 1460,wscale 2>",
          ". 1:1(0) ack 1001 win 1024" },
        { "4096 1048576 6291456", "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 7>",
          ". 1:1(0) ack 1001 win 8192" },
        { "4096 1073741823 1073741824",
          "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 14>", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        peer_init(&p);
        peer_sysctl(&p, "net.ipv4.tcp_rmem", row[i].rmem);
        struct sock *l = peer_listen(&p, 80);
        peer_send(&p, "S 0:0(0) win 65535 <mss 1000,wscale 0>");
        peer_expect(&p, row[i].syn_ack);
        peer_send(&p, ". 1:1(0) ack 1 win 65535");
        struct sock *s = peer_accept(&p, l);
        peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
        peer_skip(&p);
        peer_read(&p, s, 1000);
        s->tcb->ack_now = true;
        tcp_dirty(s->tcb);
        if (row[i].ack)
            peer_expect(&p, row[i].ack);
        peer_free(&p);
    }
}

/* A device whose queue holds 500 frames: half of them, 256 of 1448 bytes, is the most
 * that is offered by itself; what the user sets is kept to. Bug class 29. */
static void a_short_queue_before_us_bounds_the_default_window(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    p.link.caps = LINK_SHORT_QUEUE;
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 7>");
    peer_expect(&p, ". 1:1(0) ack 1 win 2896");
    sock_close(s);
    peer_skip(&p);
    peer_free(&p);
}

/* RFC 7323 s2.3 (MUST-wscale-theirs, MUST-wscale-in). Bug class 8: shift 0 is valid, 14
 * the most, and the field is not cut to 16 bits. */
static void the_peers_window_is_shifted_as_it_said(void **state)
{
    static const struct {
        const char *options;
        unsigned field;
        uint32_t wnd;
    } row[] = {
        { "<mss 1000,wscale 0>", 65535, 65535 },
        { "<mss 1000,wscale 1>", 65535, 131070 },
        { "<mss 1000,wscale 7>", 512, 65536 },
        { "<mss 1000,wscale 14>", 65535, 1073725440 },
        { "<mss 1000,wscale 15>", 1, 16384 },
        { "<mss 1000>", 65535, 65535 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        peer_init(&p);
        struct sock *s = peer_up_win(&p, row[i].options, row[i].field);
        assert_int_equal(s->tcb->snd.wnd, row[i].wnd);
        peer_free(&p);
    }
}

static void a_segment_beyond_what_was_offered_is_cut(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    for (unsigned i = 0; i < 4; i++)
        arrives(&p, 1 + i * 1000, 1000);
    peer_skip(&p);
    arrives(&p, 4001, 1000);
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_read(&p, s, 4096);
    peer_free(&p);
}

/* --- small segments that we send ------------------------------------------------- */

/* RFC 9293 s3.7.4 (SHLD-7), s3.9.1.2 (MAY-16): the algorithm of Nagle. */
static void a_small_segment_waits_for_the_one_before_it(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_write(&p, s, 100);
    peer_write(&p, s, 100);
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 101, "");
    peer_expect(&p, "P. 101:301(200) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.9.1.2 (SHLD-28). */
static void what_makes_up_a_full_segment_does_not_wait(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_write(&p, s, 999);
    peer_expect_nothing(&p);
    peer_write(&p, s, 2);
    peer_expect(&p, ". 101:1101(1000) ack 1");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* Minshall's variant, a declared deviation: the tail of a large write is not held back
 * by its own full segments. */
static void the_tail_of_a_write_waits_only_for_another_small_segment(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_write(&p, s, 2500);
    peer_expect_full(&p, 1, 2001);
    peer_expect(&p, "P. 2001:2501(500) ack 1");
    peer_write(&p, s, 2500);
    peer_expect_full(&p, 2501, 4501);
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 2501, "");
    peer_expect(&p, "P. 4501:5001(500) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.7.4 (MUST-17): it can be switched off, and what waited goes. */
static void tcp_nodelay_sends_every_write_at_once(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_write(&p, s, 100);
    peer_expect_nothing(&p);
    peer_option(s, 6, 1, 1);
    peer_expect(&p, "P. 101:201(100) ack 1");
    peer_write(&p, s, 1);
    peer_expect(&p, "P. 201:202(1) ack 1");
    peer_write(&p, s, 1);
    peer_expect(&p, "P. 202:203(1) ack 1");
    peer_free(&p);
}

static void tcp_cork_lets_only_full_segments_go(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_option(s, 6, 3, 1);
    peer_write(&p, s, 300);
    peer_expect_nothing(&p);
    peer_write(&p, s, 800);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_option(s, 6, 3, 0);
    peer_expect(&p, "P. 1001:1101(100) ack 1");
    peer_free(&p);
}

/* As on Linux: TCP_NODELAY lets go once what TCP_CORK or MSG_MORE holds. */
static void tcp_nodelay_lets_go_what_is_corked(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_option(s, 6, 3, 1);
    peer_write(&p, s, 40);
    peer_expect_nothing(&p);
    peer_option(s, 6, 1, 1);
    peer_expect(&p, "P. 1:41(40) ack 1");
    peer_write(&p, s, 40); /* is corked again */
    peer_expect_nothing(&p);
    peer_option(s, 6, 1, 1); /* tcp(7): each time that it is set */
    peer_expect(&p, "P. 41:81(40) ack 1");
    peer_free(&p);
}

/* Linux: a corked segment is kept back 200 ms; here the override timer, one RTO. */
static void a_corked_segment_leaves_after_a_wait(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_option(s, 6, 3, 1);
    peer_write(&p, s, 300);
    peer_expect_after(&p, 300 * MS, "P. 1:301(300) ack 1");
    peer_free(&p);
}

static void msg_more_keeps_a_small_segment_until_a_send_without_it(void **state)
{
    struct peer p;
    static const uint8_t text[600];
    struct piece piece = { text, 300 };
    (void)state;
    struct sock *s = up(&p);
    p.at->written = 0;
    assert_int_equal(sock_send(s, &piece, 1, 0x8000, NULL), 300);
    peer_expect_nothing(&p);
    assert_int_equal(sock_send(s, &piece, 1, 0x8000, NULL), 300);
    peer_expect_nothing(&p);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 300);
    peer_expect(&p, "P. 1:901(900) ack 1");
    peer_free(&p);
}

/* Linux: what more was to come does not hold text back longer than an ACK takes; only
 * Nagle does, if he is there. */
static void an_ack_ends_msg_more(void **state)
{
    struct peer p;
    static const uint8_t text[1500];
    struct piece piece = { text, sizeof text };
    (void)state;
    struct sock *s = up(&p);
    p.at->written = 0;
    assert_int_equal(sock_send(s, &piece, 1, 0x8000, NULL), 1500);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 1001 win 65535");
    peer_expect(&p, "P. 1001:1501(500) ack 1");
    peer_free(&p);
}

/* A device frame that is not full costs as much as one that is: while so much is out
 * that its ACK comes soon, whole segments wait for the rest of what was promised, too.
 */
static void with_more_to_come_a_device_frame_is_filled(void **state)
{
    struct peer p;
    static const uint8_t text[66000];
    struct piece many = { text, sizeof text }, few = { text, 5000 };
    (void)state;
    struct sock *s = up(&p);
    p.at->written = 0;
    s->tcb->tso = true; /* a device that cuts */
    s->tcb->cc.cwnd = s->tcb->snd.wnd = 1 << 20;
    assert_int_equal(sock_send(s, &many, 1, 0x8000, NULL), 66000);
    peer_expect_full(&p, 1, 65001);
    peer_expect(&p, "P. 65001:66001(1000) ack 1");
    assert_int_equal(sock_send(s, &few, 1, 0x8000, NULL), 5000);
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 66001 win 65535");
    peer_expect_full(&p, 66001, 70001);
    peer_expect(&p, "P. 70001:71001(1000) ack 1");
    peer_free(&p);
}

static void without_more_to_come_nothing_waits_for_a_full_frame(void **state)
{
    struct peer p;
    static const uint8_t text[66000];
    struct piece many = { text, sizeof text }, few = { text, 5000 };
    (void)state;
    struct sock *s = up(&p);
    p.at->written = 0;
    s->tcb->tso = true;
    s->tcb->cc.cwnd = s->tcb->snd.wnd = 1 << 20;
    assert_int_equal(sock_send(s, &many, 1, 0x8000, NULL), 66000);
    peer_expect_full(&p, 1, 65001);
    peer_expect(&p, "P. 65001:66001(1000) ack 1");
    assert_int_equal(sock_send(s, &few, 1, 0x8000, NULL), 5000);
    peer_expect_nothing(&p);
    assert_int_equal(sock_send(s, &few, 1, 0, NULL), 5000);
    peer_expect_full(&p, 66001, 75001);
    peer_expect(&p, "P. 75001:76001(1000) ack 1");
    peer_free(&p);
}

static void a_shutdown_ends_the_cork_and_more(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_option(s, 6, 3, 1);
    peer_write(&p, s, 300);
    sock_shutdown(s, 1);
    peer_expect(&p, "FP. 1:301(300) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.8.6.2.1 (2), (3) (MUST-38): a segment that the window cuts leaves if it
 * fills half of the largest window that was ever offered. */
static void a_segment_that_the_window_cuts_is_half_of_the_largest_window(void **state)
{
    static const struct {
        unsigned largest, now;
        const char *segment;
    } row[] = {
        { 800, 399, NULL },
        { 800, 400, ". 1:401(400) ack 1" },
        { 800, 800, ". 1:801(800) ack 1" },
        { 5000, 999, NULL },
        { 5000, 1000, ". 1:1001(1000) ack 1" }, /* full: (1) */
        { 5000, 1500, ". 1:1001(1000) ack 1" }, /* and the 500 are too few */
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        char line[PEER_LINE];
        peer_init(&p);
        struct sock *s = peer_up_win(&p, "<mss 1000>", row[i].largest);
        snprintf(line, sizeof line, ". 1:1(0) ack 1 win %u", row[i].now);
        peer_send(&p, line);
        peer_write(&p, s, 3000);
        if (row[i].segment)
            peer_expect(&p, row[i].segment);
        peer_expect_nothing(&p);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_not_read_closes_the_window),
        cmocka_unit_test(from_a_shut_window_an_update_is_sent_when_a_segment_fits),
        cmocka_unit_test(half_of_a_buffer_smaller_than_two_segments_is_a_step),
        cmocka_unit_test(a_peer_with_half_the_buffer_left_gets_no_update),
        cmocka_unit_test(the_right_edge_never_moves_back),
        cmocka_unit_test(the_window_is_scaled_as_far_as_the_largest_buffer_needs),
        cmocka_unit_test(a_short_queue_before_us_bounds_the_default_window),
        cmocka_unit_test(the_peers_window_is_shifted_as_it_said),
        cmocka_unit_test(a_segment_beyond_what_was_offered_is_cut),
        cmocka_unit_test(a_small_segment_waits_for_the_one_before_it),
        cmocka_unit_test(what_makes_up_a_full_segment_does_not_wait),
        cmocka_unit_test(the_tail_of_a_write_waits_only_for_another_small_segment),
        cmocka_unit_test(tcp_nodelay_sends_every_write_at_once),
        cmocka_unit_test(tcp_cork_lets_only_full_segments_go),
        cmocka_unit_test(tcp_nodelay_lets_go_what_is_corked),
        cmocka_unit_test(a_corked_segment_leaves_after_a_wait),
        cmocka_unit_test(msg_more_keeps_a_small_segment_until_a_send_without_it),
        cmocka_unit_test(an_ack_ends_msg_more),
        cmocka_unit_test(with_more_to_come_a_device_frame_is_filled),
        cmocka_unit_test(without_more_to_come_nothing_waits_for_a_full_frame),
        cmocka_unit_test(a_shutdown_ends_the_cork_and_more),
        cmocka_unit_test(a_segment_that_the_window_cuts_is_half_of_the_largest_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
