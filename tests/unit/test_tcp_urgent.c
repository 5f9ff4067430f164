#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>

#include "harness/peer_up.h"

enum { OOB = 0x01 }; /* MSG_OOB */

static struct peer p;

static struct sock *established(void)
{
    peer_init(&p);
    return peer_up(&p);
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* Writes n bytes of the stream as urgent text. */
static void write_urgent(struct sock *s, uint32_t n)
{
    static uint8_t text[70000];
    struct piece piece = { text, n };

    for (uint32_t i = 0; i < n; i++)
        text[i] = peer_byte(p.at->written + i);
    assert_int_equal(sock_send(s, &piece, 1, OOB, NULL), n);
    p.at->written += n;
    stack_flush(p.st);
}

static bool is_urgent(const struct sock *s)
{
    return sock_readiness(s) & POLLPRI;
}

/* What a read with this much room returns. */
static ssize_t read_some(struct sock *s, size_t room)
{
    static uint8_t buf[100000];
    return sock_receive(s, buf, room, 0, NULL);
}

/* --- receiving --- */

/* RFC 9293 s3.8.5 (MUST-30, MUST-32): the user is told, by POLLPRI, and reads the
 * urgent text in line (RFC 6093 s6). */
static void the_user_is_told_that_the_peer_is_urgent(void **state)
{
    struct sock *s = established();
    assert_false(is_urgent(s));
    peer_send(&p, "PU. 1:11(10) ack 1 win 65535 urg 10");
    assert_true(is_urgent(s));
    peer_expect(&p, ". 1:1(0) ack 11");
    peer_read(&p, s, 9);
    peer_read(&p, s, 1);
    assert_false(is_urgent(s));
    end(s);
}

/* RFC 9293 s3.8.5 (MUST-32): each time that the mark moves on, whoever waits is woken.
 */
static void a_mark_that_moves_wakes_the_user(void **state)
{
    struct sock *s = established();
    struct list *woken = &p.st->net.woken;
    while (!list_empty(woken))
        list_pop(woken);
    peer_send(&p, "U. 1:1(0) ack 1 win 65535 urg 10");
    assert_false(list_empty(woken));
    while (!list_empty(woken))
        list_pop(woken);
    peer_send(&p, "U. 1:1(0) ack 1 win 65535 urg 10");
    assert_true(list_empty(woken));
    peer_send(&p, "U. 1:1(0) ack 1 win 65535 urg 11");
    assert_false(list_empty(woken));
    end(s);
}

/* RFC 9293 s3.8.5 (MUST-33): POLLPRI tells that there is more, sockatmark() that there
 * is one byte more; a read stops in front of it. */
static void the_user_learns_where_urgent_text_ends(void **state)
{
    struct sock *s = established();
    peer_send(&p, "PU. 1:101(100) ack 1 win 65535 urg 40");
    assert_int_equal(sock_at_mark(s), 0);
    assert_int_equal(read_some(s, 10), 10);
    assert_true(is_urgent(s));
    assert_int_equal(read_some(s, 1000), 29);
    assert_int_equal(sock_at_mark(s), 1);
    assert_true(is_urgent(s));
    assert_int_equal(read_some(s, 1000), 61);
    assert_int_equal(sock_at_mark(s), 0);
    assert_false(is_urgent(s));
    end(s);
}

/* RFC 9293 s3.8.5 (MUST-62): the pointer is the number behind the last urgent byte, and
 * is counted from the segment's own, whatever of it is cut off. */
static void the_pointer_counts_from_the_number_of_its_segment(void **state)
{
    struct sock *s = established();
    peer_send(&p, "P. 1:51(50) ack 1 win 65535");
    peer_send(&p, "PU. 1:101(100) ack 1 win 65535 urg 60");
    assert_int_equal(read_some(s, 1000), 59);
    assert_int_equal(sock_at_mark(s), 1);
    end(s);
}

/* RFC 9293 s3.8.5 (MUST-31): urgent text may be longer than a pointer reaches, and than
 * the window: the mark moves on with what comes. */
static void urgent_text_may_be_of_any_length(void **state)
{
    struct sock *s = established();
    char line[PEER_LINE];
    uint32_t at = 1;
    for (; at < 150001; at += 1000) {
        uint32_t left = 150001 - at;
        snprintf(line, sizeof line, "U. %u:%u(1000) ack 1 win 65535 urg %u", at,
                 at + 1000, left < 65535 ? left : 65535);
        peer_send(&p, line);
        assert_true(is_urgent(s));
    }
    peer_skip(&p);
    assert_int_equal(read_some(s, 100000), 100000);
    assert_int_equal(read_some(s, 100000), 49999);
    assert_int_equal(sock_at_mark(s), 1);
    assert_int_equal(read_some(s, 100000), 1);
    assert_false(is_urgent(s));
    end(s);
}

/* RFC 9293 s3.4 (MUST-66): with a window of zero too. */
static void a_shut_window_still_takes_urgency(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "4096 4096 4096");
    struct sock *s = peer_up(&p);
    while (peer_state(s) && tcp_readable(s->tcb) < 4096) {
        char line[PEER_LINE];
        unsigned at = 1 + (unsigned)tcp_readable(s->tcb);
        snprintf(line, sizeof line, ". %u:%u(512) ack 1 win 65535", at, at + 512);
        peer_send(&p, line);
    }
    peer_wait(&p, SEC);
    peer_skip(&p);
    assert_false(is_urgent(s));
    peer_send(&p, "U. 4097:4097(0) ack 1 win 65535 urg 10");
    assert_true(is_urgent(s));
    end(s);
}

/* RFC 9293 s3.8.5: the pointer cannot recede; one that points at what was read is
 * none. */
static void an_older_pointer_changes_nothing(void **state)
{
    struct sock *s = established();
    peer_send(&p, "PU. 1:101(100) ack 1 win 65535 urg 50");
    peer_send(&p, "PU. 1:101(100) ack 1 win 65535 urg 40");
    assert_int_equal(read_some(s, 1000), 49);
    assert_int_equal(read_some(s, 1000), 51);
    peer_send(&p, "U. 1:101(100) ack 1 win 65535 urg 60");
    assert_false(is_urgent(s));
    end(s);
}

/* RFC 9293 s3.10.7.4, sixth: after the peer's FIN nothing is urgent any more. */
static void behind_a_fin_nothing_is_urgent(void **state)
{
    struct sock *s = established();
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_send(&p, "U. 2:2(0) ack 1 win 65535 urg 10");
    assert_false(is_urgent(s));
    end(s);
}

/* --- sending --- */

/* RFC 9293 s3.8.5 (MUST-30, MUST-62): the number behind the urgent text, counted from
 * that of the segment. It does not wait for what is out (Nagle), as on Linux. */
static void urgent_text_is_pointed_behind(void **state)
{
    struct sock *s = established();
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    write_urgent(s, 10);
    peer_expect(&p, "PU. 101:111(10) ack 1 urg 10");
    peer_ack(&p, 111, "");
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 111:121(10) ack 1");
    end(s);
}

/* RFC 9293 s3.8.5 (MUST-31): each segment before the mark points at it, as far as 16
 * bits go; what is sent again does so too. There is one packet a segment: whoever cuts
 * a larger one would give all pieces the same pointer. */
static void every_segment_before_the_mark_points_at_it(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "tapir.tcp_initcwnd", "100");
    struct sock *s = peer_up_win(&p, "<mss 1000>", 65535);
    write_urgent(s, 67000);
    for (unsigned at = 1; at < 65001; at += 1000) {
        char line[PEER_LINE];
        unsigned left = 67001 - at;
        snprintf(line, sizeof line, "U. %u:%u(1000) ack 1 urg %u", at, at + 1000,
                 left < 65535 ? left : 65535);
        peer_expect(&p, line);
    }
    peer_ack(&p, 65001, "");
    peer_expect(&p, "U. 65001:66001(1000) ack 1 urg 2000");
    peer_expect(&p, "PU. 66001:67001(1000) ack 1 urg 1000");
    peer_wait(&p, SEC);
    peer_expect(&p, "U. 65001:66001(1000) ack 1 urg 2000");
    end(s);
}

/* RFC 9293 s3.8.5 (MUST-30): a peer whose window is shut learns of it from the probe.
 */
static void a_probe_points_at_the_mark(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    write_urgent(s, 10);
    peer_expect_after(&p, 300 * MS, "U. 0:0(0) ack 1 urg 11");
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_user_is_told_that_the_peer_is_urgent),
        cmocka_unit_test(a_mark_that_moves_wakes_the_user),
        cmocka_unit_test(the_user_learns_where_urgent_text_ends),
        cmocka_unit_test(the_pointer_counts_from_the_number_of_its_segment),
        cmocka_unit_test(urgent_text_may_be_of_any_length),
        cmocka_unit_test(a_shut_window_still_takes_urgency),
        cmocka_unit_test(an_older_pointer_changes_nothing),
        cmocka_unit_test(behind_a_fin_nothing_is_urgent),
        cmocka_unit_test(urgent_text_is_pointed_behind),
        cmocka_unit_test(every_segment_before_the_mark_points_at_it),
        cmocka_unit_test(a_probe_points_at_the_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
