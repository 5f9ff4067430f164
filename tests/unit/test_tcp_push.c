/* Where send calls end: the list by itself, and what the segments of a connection say.
 */
#include "tcp/tcp_push.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

#define BASE 0xffffff00u /* 256 before the wrap */

static struct seq at(uint32_t n)
{
    return seq_at(BASE + n);
}

static struct push_ends every_hundred(unsigned n)
{
    struct push_ends p = { .n = 0 };

    for (unsigned i = 1; i <= n; i++)
        push_mark(&p, at(i * 100));
    return p;
}

static void ends_are_known_until_they_are_sent(void **state)
{
    struct push_ends p = every_hundred(4);

    assert_true(push_at(&p, at(100)));
    assert_true(push_at(&p, at(400)));
    assert_false(push_at(&p, at(150)));
    push_sent(&p, at(250));
    assert_int_equal(p.n, 2);
    assert_false(push_at(&p, at(200)));
    assert_true(push_at(&p, at(300)));
    push_sent(&p, at(400));
    assert_int_equal(p.n, 0);
}

static void of_too_many_ends_the_newest_stays(void **state)
{
    struct push_ends p = every_hundred(20);

    assert_int_equal(p.n, 16);
    assert_true(push_at(&p, at(1500)));
    assert_false(push_at(&p, at(1600)));
    assert_true(push_at(&p, at(2000)));
}

/* In segments of 50 the first end that a segment meets is 100; of 70 none is below 650;
 * of 200 it is 200. */
static void segments_are_cut_at_the_first_end_that_they_meet(void **state)
{
    struct push_ends p = every_hundred(6);

    assert_int_equal(push_first(&p, at(0), 1000, 50), 100);
    assert_int_equal(push_first(&p, at(0), 1000, 200), 200);
    assert_int_equal(push_first(&p, at(0), 650, 70), 650);
    assert_int_equal(push_first(&p, at(0), 80, 50), 80);
    assert_int_equal(push_first(&p, at(50), 1000, 50), 50);
}

static void ends_of_records_are_told_apart_and_forgotten_last(void **state)
{
    struct push_ends p = every_hundred(3);

    assert_int_equal(push_record(&p, at(50)), UINT32_MAX);
    push_end_record(&p, at(250)); /* no call ended there */
    assert_int_equal(push_record(&p, at(50)), UINT32_MAX);
    push_end_record(&p, at(300));
    assert_int_equal(push_record(&p, at(50)), 250);
    for (unsigned i = 4; i <= 40; i++)
        push_mark(&p, at(i * 100));
    assert_int_equal(push_record(&p, at(50)), 250);
    push_sent(&p, at(300));
    assert_int_equal(push_record(&p, at(300)), UINT32_MAX);
    for (unsigned i = 41; i <= 80; i++) {
        push_mark(&p, at(i * 100));
        push_end_record(&p, at(i * 100));
    }
    assert_int_equal(p.n, 16);
    assert_true(push_at(&p, at(8000)));
}

/* RFC 9293 s3.9.1.2. A window of two segments makes the writer run ahead. */
static void push_is_set_where_a_send_call_ends(void **state)
{
    struct peer p;

    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 2000);
    peer_write(&p, s, 3000);
    peer_write(&p, s, 2000);
    peer_write(&p, s, 500);
    peer_write(&p, s, 1000);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect(&p, ". 1001:2001(1000) ack 1");
    peer_send(&p, ". 1:1(0) ack 2001 win 10000");
    peer_expect(&p, "P. 2001:3001(1000) ack 1");
    peer_expect(&p, ". 3001:4001(1000) ack 1");
    peer_expect(&p, "P. 4001:5001(1000) ack 1");
    peer_expect(&p, ". 5001:6001(1000) ack 1"); /* the call's end is inside */
    peer_expect(&p, "P. 6001:6501(500) ack 1");
    peer_free(&p);
}

static void a_segment_that_is_sent_again_has_push_again(void **state)
{
    struct peer p;

    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 2000);
    peer_write(&p, s, 2000);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect(&p, "P. 1001:2001(1000) ack 1");
    peer_expect(&p, ". 2001:3001(1000) ack 1");
    peer_expect(&p, "P. 3001:4001(1000) ack 1");
    peer_expect_after(&p, 300 * MS, ". 1:1001(1000) ack 1");
    peer_ack(&p, 1001, "");
    peer_expect(&p, "P. 1001:2001(1000) ack 1");
    peer_expect(&p, ". 2001:3001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* MSG_MORE says that the call is not the end. */
static void a_call_that_says_more_does_not_end_there(void **state)
{
    struct peer p;
    static const uint8_t text[1000];
    struct piece piece = { text, sizeof text };

    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 1000);
    peer_write(&p, s, 1000);
    peer_expect(&p, "P. 1:1001(1000) ack 1");
    assert_int_equal(sock_send(s, &piece, 1, 0x8000, NULL), 1000);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 1000);
    peer_send(&p, ". 1:1(0) ack 1001 win 5000");
    uint8_t frame[1200];
    assert_int_equal(peer_take(&p, frame, sizeof frame), 14 + 20 + 20 + 1000);
    assert_int_equal(frame[14 + 20 + 13], 0x10);
    assert_int_equal(peer_take(&p, frame, sizeof frame), 14 + 20 + 20 + 1000);
    assert_int_equal(frame[14 + 20 + 13], 0x18);
    peer_free(&p);
}

/* send(2), MSG_EOR: no segment has a record's end and what follows, when sent again
 * neither; and since nothing can be added to it, Nagle does not keep it. */
static void a_record_shares_no_segment_with_what_follows(void **state)
{
    struct peer p;
    static const uint8_t text[400];
    struct piece piece = { text, sizeof text };

    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 2000);
    peer_write(&p, s, 2400);
    assert_int_equal(sock_send(s, &piece, 1, 0x80, NULL), 400);
    assert_int_equal(sock_send(s, &piece, 1, 0x80, NULL), 400);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 400);
    peer_skip(&p);
    p.at->written = 0;
    peer_send(&p, ". 1:1(0) ack 2001 win 10000");
    peer_expect(&p, "P. 2001:2801(800) ack 1");
    peer_expect(&p, "P. 2801:3201(400) ack 1");
    peer_expect_nothing(&p); /* but the last one */
    peer_send(&p, ". 1:1(0) ack 2801 win 10000");
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 3201 win 10000");
    peer_expect(&p, "P. 3201:3601(400) ack 1");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_known_until_they_are_sent),
        cmocka_unit_test(of_too_many_ends_the_newest_stays),
        cmocka_unit_test(segments_are_cut_at_the_first_end_that_they_meet),
        cmocka_unit_test(ends_of_records_are_told_apart_and_forgotten_last),
        cmocka_unit_test(push_is_set_where_a_send_call_ends),
        cmocka_unit_test(a_segment_that_is_sent_again_has_push_again),
        cmocka_unit_test(a_call_that_says_more_does_not_end_there),
        cmocka_unit_test(a_record_shares_no_segment_with_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
