#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/bytes.h"
#include "harness/peer_ask.h"

static struct peer p;

/* --- RFC 9293 s3.10.7.1: nobody's --- */

static void at_port_80(void)
{
    peer_init(&p);
    p.at->stack_port = 80;
}

/* RFC 9293 s3.10.7.1: "If the ACK bit is off, sequence number zero is used". */
static void a_segment_for_nobody_without_ack_gets_a_reset_that_acknowledges_it(
    void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        { "S 0:0(0) win 1000", "R. 0:0(0) ack 1 win 0" },
        { "S 0:10(10) win 1000", "R. 0:0(0) ack 11 win 0" },
        { "SF 0:10(10) win 1000", "R. 0:0(0) ack 12 win 0" },
        { "F 5:5(0) win 1000", "R. 0:0(0) ack 6 win 0" },
        { "- 5:8(3) win 1000", "R. 0:0(0) ack 8 win 0" },
        { "P 1000:1100(100) win 1000", "R. 0:0(0) ack 1100 win 0" }, /* past the wrap */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        at_port_80();
        peer_send(&p, row[i].in);
        peer_expect(&p, row[i].out);
        peer_expect_nothing(&p);
        assert_int_equal(peer_drops(&p, "TcpNoSocket"), 1);
        assert_int_equal(peer_count(&p, "TcpOutRsts"), 1);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.7.1: "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>". */
static void a_segment_for_nobody_with_ack_gets_a_reset_at_that_number(void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        { ". 1:1(0) ack 77 win 1000", "R 77:77(0) win 0" },
        { "P. 1:101(100) ack 4294967295 win 1000", "R 4294967295:4294967295(0) win 0" },
        { "S. 0:0(0) ack 1 win 1000", "R 1:1(0) win 0" },
        { "F. 9:9(0) ack 0 win 1000", "R 0:0(0) win 0" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        at_port_80();
        peer_send(&p, row[i].in);
        peer_expect(&p, row[i].out);
        peer_expect_nothing(&p);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.7.1: "An incoming segment containing a RST is discarded." */
static void a_reset_for_nobody_is_not_answered(void **state)
{
    at_port_80();
    peer_send(&p, "R 1:1(0) win 0");
    peer_send(&p, "R. 1:1(0) ack 5 win 0");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpRstNoSocket"), 2);
    peer_free(&p);
}

/* RFC 9293 s3.1 (MUST-3): a wrong checksum is nobody's doing: silence. */
static void a_segment_with_a_wrong_checksum_is_dropped_and_counted(void **state)
{
    at_port_80();
    p.bad_checksum = true;
    peer_send(&p, "S 0:0(0) win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpCsumError"), 1);
    assert_int_equal(peer_count(&p, "TcpInCsumErrors"), 1);
    assert_int_equal(peer_count(&p, "TcpInErrs"), 1);
    assert_int_equal(peer_count(&p, "TcpInSegs"), 1);
    peer_free(&p);
}

/* RFC 9293 s3.1: the shortest header is 20 bytes, and the data offset says so. */
static void a_header_that_is_cut_or_lies_is_dropped(void **state)
{
    uint8_t b[20] = { 0x9c, 0x40, 0, 80, [12] = 0x40, [13] = 2 };
    at_port_80();
    peer_inject_ip(&p, 6, b, 19);
    peer_inject_ip(&p, 6, b, 20);
    peer_expect_nothing(&p);
    assert_int_equal(peer_count(&p, "TcpInErrs"), 2);
    peer_free(&p);
}

/* RFC 9293 s3.9.2.3 (MUST-57): a SYN to a broadcast address is silently discarded. */
static void a_syn_to_everyone_is_dropped(void **state)
{
    static const uint8_t frame[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    0,    0,  0,  0,    1,    8,   0,
        0x45, 0,    0,    40,   0,    0,    0x40, 0,    64, 6,  0x77, 0xcb, 192, 0,
        2,    1,    192,  0,    2,    255,  0x9c, 0x40, 0,  80, 0,    0,    0,   0,
        0,    0,    0,    0,    0x50, 2,    0,    0,    0,  0,  0,    0,
    };
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    uint8_t f[sizeof frame];
    memcpy(f, frame, sizeof f);
    put16(f + 24, 0);
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += get16(f + 14 + i);
    put16(f + 24, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
    peer_inject(&p, f, sizeof f);
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpBroadcast"), 1);
    sock_close(l);
    peer_free(&p);
}

/* --- first: the sequence number --- */

/* A connection with a receive buffer of 4096 bytes, of which 1000 were filled: RCV.NXT
 * is 1001, and the window, 3096 bytes, spans the wrap at 1024. */
static struct sock *window_across_the_wrap(void)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 4096 4096");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1001 win 3096");
    return s;
}

enum verdict { TAKEN, OLD, FUTURE };

struct arrival {
    const char *segment;
    enum verdict verdict;
};

static void check_arrival(const struct arrival *a)
{
    peer_send(&p, a->segment);
    long old = peer_drops(&p, "TcpOldSequence");
    long future = peer_drops(&p, "TcpFutureSequence");
    if (old != (a->verdict == OLD) || future != (a->verdict == FUTURE))
        fail_msg("%s: %ld old, %ld future", a->segment, old, future);
}

/* RFC 9293 s3.10.7.4, table 6, with an open window across the wrap; with the two
 * deviations that tcp_input.c tells of. */
static void table_6_with_an_open_window(void **state)
{
    static const struct arrival row[] = {
        { ". 1000:1000(0) ack 1 win 9", OLD },
        { ". 1001:1001(0) ack 1 win 9", TAKEN },
        { ". 4096:4096(0) ack 1 win 9", TAKEN },
        { ". 4097:4097(0) ack 1 win 9", TAKEN }, /* deviation: at the very end */
        { ". 4098:4098(0) ack 1 win 9", FUTURE },
        { ". 1000:1001(1) ack 1 win 9", OLD },
        { ". 1001:1002(1) ack 1 win 9", TAKEN },
        { ". 4096:4097(1) ack 1 win 9", TAKEN },
        { ". 4097:4098(1) ack 1 win 9", FUTURE },
        { ". 901:1001(100) ack 1 win 9", OLD },
        { ". 902:1002(100) ack 1 win 9", TAKEN },
        { ". 4000:4100(100) ack 1 win 9", TAKEN },
        { ". 500:5000(4500) ack 1 win 9", TAKEN }, /* deviation: covers it all */
        { ". 4026531840:4026531940(100) ack 1 win 9", OLD },
        { ". 1073741824:1073741924(100) ack 1 win 9", FUTURE },
        { "F. 1000:1000(0) ack 1 win 9", OLD },
        { "F. 1001:1001(0) ack 1 win 9", TAKEN },
        { "F. 4097:4097(0) ack 1 win 9", FUTURE },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = window_across_the_wrap();
        check_arrival(&row[i]);
        sock_close(s);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.7.4, table 6, with a window of zero; text at RCV.NXT is taken for the
 * sake of its acknowledgment alone. */
static void table_6_with_a_shut_window(void **state)
{
    static const struct arrival row[] = {
        { ". 4096:4096(0) ack 1 win 9", OLD },
        { ". 4097:4097(0) ack 1 win 9", TAKEN },
        { ". 4098:4098(0) ack 1 win 9", FUTURE },
        { ". 4096:4097(1) ack 1 win 9", OLD },
        { ". 4097:4098(1) ack 1 win 9", TAKEN },
        { ". 4098:4099(1) ack 1 win 9", FUTURE },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = window_across_the_wrap();
        peer_send(&p, ". 1001:4097(3096) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 4097 win 0");
        check_arrival(&row[i]);
        assert_int_equal(tcp_readable(s->tcb), 4096);
        sock_close(s);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.7.4: a shut window is no reason to ignore acknowledgments:
 * the text is refused, the ACK and the window in the same segment count. */
static void a_shut_window_still_takes_acknowledgments(void **state)
{
    struct sock *s = window_across_the_wrap();
    peer_send(&p, ". 1001:4097(3096) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 4097 win 0");
    peer_send(&p, "P. 4097:4098(1) ack 101 win 5000");
    peer_expect(&p, ". 101:101(0) ack 4097 win 0");
    assert_int_equal(tcp_unsent(s->tcb), 0);
    peer_expect_nothing(&p);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.4 (MUST-66): a RST too. */
static void a_shut_window_still_takes_a_reset(void **state)
{
    struct sock *s = window_across_the_wrap();
    peer_send(&p, ". 1001:4097(3096) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_send(&p, "R 4097:4097(0) win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    peer_expect_nothing(&p);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, first: "If an incoming segment is not acceptable, an
 * acknowledgment should be sent in reply". Class: old text that is not acknowledged is
 * sent again until the sender gives up. */
static void text_that_came_already_is_acknowledged_each_time(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    for (int i = 0; i < 5; i++) {
        peer_send(&p, "P. 1:101(100) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 101");
    }
    assert_int_equal(peer_drops(&p, "TcpOldSequence"), 5);
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4: text beyond the window is not kept, and answered. */
static void text_beyond_the_window_is_acknowledged_and_not_kept(void **state)
{
    struct sock *s = window_across_the_wrap();
    peer_send(&p, "P. 4097:4197(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1001 win 3096");
    peer_send(&p, ". 1001:4097(3096) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    peer_read(&p, s, 4096);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4: a segment is cut to the window, on both sides, and a FIN beyond
 * its end goes with what is cut off. */
static void a_segment_is_cut_to_the_window(void **state)
{
    struct sock *s = window_across_the_wrap();
    peer_send(&p, "FP. 501:5001(4500) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 4097 win 0");
    assert_string_equal(peer_state(s), "ESTAB");
    peer_read(&p, s, 4096);
    sock_close(s);
    peer_free(&p);
}

/* --- fifth: no ACK, no business --- */

/* RFC 9293 s3.10.7.4, fifth: "If the ACK bit is off, drop the segment and return." */
static void a_segment_without_ack_is_dropped(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "P 1:101(100) win 65535");
    peer_send(&p, "F 1:1(0) win 65535");
    peer_send(&p, "- 1:101(100) win 65535");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpNoAckFlag"), 3);
    assert_string_equal(peer_state(s), "ESTAB");
    assert_int_equal(peer_read_result(s), -EAGAIN);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, sixth; RFC 6093 s6: urgent text stays in line. */
static void urgent_text_stays_in_line(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "PU. 1:101(100) ack 1 win 65535 urg 50");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 100);
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_segment_for_nobody_without_ack_gets_a_reset_that_acknowledges_it),
        cmocka_unit_test(a_segment_for_nobody_with_ack_gets_a_reset_at_that_number),
        cmocka_unit_test(a_reset_for_nobody_is_not_answered),
        cmocka_unit_test(a_segment_with_a_wrong_checksum_is_dropped_and_counted),
        cmocka_unit_test(a_header_that_is_cut_or_lies_is_dropped),
        cmocka_unit_test(a_syn_to_everyone_is_dropped),
        cmocka_unit_test(table_6_with_an_open_window),
        cmocka_unit_test(table_6_with_a_shut_window),
        cmocka_unit_test(a_shut_window_still_takes_acknowledgments),
        cmocka_unit_test(a_shut_window_still_takes_a_reset),
        cmocka_unit_test(text_that_came_already_is_acknowledged_each_time),
        cmocka_unit_test(text_beyond_the_window_is_acknowledged_and_not_kept),
        cmocka_unit_test(a_segment_is_cut_to_the_window),
        cmocka_unit_test(a_segment_without_ack_is_dropped),
        cmocka_unit_test(urgent_text_stays_in_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
