#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

static struct sock *connection(const char *options)
{
    peer_init(&p);
    return peer_establish(&p, options);
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* 1000 bytes from the peer, the n-th such segment, and what answers them. */
static void send_nth(int n)
{
    char line[80];
    snprintf(line, sizeof line, ". %d:%d(1000) ack 1 win 65535", 1 + 1000 * n,
             1001 + 1000 * n);
    peer_send(&p, line);
}

static void expect_ack_of_nth(int n)
{
    char line[80];
    snprintf(line, sizeof line, ". 1:1(0) ack %d", 1001 + 1000 * n);
    peer_expect(&p, line);
}

/* --- when an ACK is owed --- */

/* RFC 5681 s4.2 (SHLD-ack-second). RFC 9293 s3.8.6.3 (SHLD-18) and its deviation: the
 * first 16 segments are acknowledged at once; then every second full one (SHLD-19). */
static void the_first_16_segments_are_acknowledged_at_once_then_every_second(
    void **state)
{
    struct sock *s = connection("<mss 1460>");
    for (int n = 0; n < 16; n++) {
        send_nth(n);
        expect_ack_of_nth(n);
    }
    for (int n = 16; n < 30; n += 2) {
        send_nth(n);
        peer_expect_nothing(&p);
        send_nth(n + 1);
        expect_ack_of_nth(n + 1);
    }
    end(s);
}

/* RFC 5681 s4.2 (SHLD-ack-delay, MUST-ack-excess). RFC 9293 s3.8.6.3 (MUST-40: less
 * than 500 ms): 40 ms, as Linux. */
static void an_ack_is_delayed_by_40_ms_and_no_more(void **state)
{
    struct sock *s = connection("<mss 1460>");
    for (int n = 0; n < 16; n++)
        send_nth(n);
    peer_skip(&p);
    send_nth(16);
    peer_expect_after(&p, 40 * USEC_PER_MS, ". 1:1(0) ack 17001");
    assert_int_equal(peer_count(&p, "TcpExtDelayedACKs"), 1);
    peer_wait(&p, USEC_PER_SEC);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5681 s4.2 (MUST-ack-500ms). The delay begins with the first segment that is not
 * acknowledged, not with the last: small ones that trickle in do not put it off. */
static void the_delay_counts_from_the_first_segment(void **state)
{
    struct sock *s = connection("<mss 1460>");
    for (int n = 0; n < 16; n++)
        send_nth(n);
    peer_skip(&p);
    peer_send(&p, "P. 16001:16011(10) ack 1 win 65535");
    peer_wait(&p, 30 * USEC_PER_MS);
    peer_send(&p, "P. 16011:16021(10) ack 1 win 65535");
    peer_expect_after(&p, 10 * USEC_PER_MS, ". 1:1(0) ack 16021");
    end(s);
}

/* As Linux: a delay that nothing rode on shows that the conversation is over; the rest
 * of the first 16 are acknowledged at once again, until there is an answer again. */
static void a_delay_in_vain_ends_a_conversation(void **state)
{
    struct sock *s = connection("<mss 1460>");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_write(&p, s, 50);
    peer_expect(&p, "P. 1:51(50) ack 101");
    peer_send(&p, "P. 101:201(100) ack 51 win 65535");
    peer_expect_after(&p, 40 * USEC_PER_MS, ". 51:51(0) ack 201");
    peer_send(&p, "P. 201:301(100) ack 51 win 65535");
    peer_expect(&p, ". 51:51(0) ack 301");
    peer_write(&p, s, 50);
    peer_expect(&p, "P. 51:101(50) ack 301");
    peer_send(&p, "P. 301:401(100) ack 101 win 65535");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 9293 s3.10.7.4 (MUST-58). A conversation: an ACK waits for the answer to ride on.
 */
static void an_ack_rides_on_text(void **state)
{
    struct sock *s = connection("<mss 1460>");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_write(&p, s, 50);
    peer_expect(&p, "P. 1:51(50) ack 101");
    peer_send(&p, "P. 101:201(100) ack 51 win 65535");
    peer_expect_nothing(&p);
    peer_wait(&p, 20 * USEC_PER_MS);
    peer_write(&p, s, 50);
    peer_expect(&p, "P. 51:101(50) ack 201");
    peer_send(&p, ". 201:201(0) ack 101 win 65535");
    peer_wait(&p, USEC_PER_SEC);
    peer_expect_nothing(&p);
    end(s);
}

/* tapir.tcp_delack_ms=0: each segment at once. */
static void without_a_delay_everything_is_acknowledged_at_once(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "tapir.tcp_delack_ms", "0");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    for (int n = 0; n < 40; n++) {
        send_nth(n);
        expect_ack_of_nth(n);
    }
    end(s);
}

/* RFC 5681 s4.2: out of order, or filling a hole: at once (SHLD, no delay). */
static void text_out_of_order_and_what_fills_a_hole_is_acknowledged_at_once(
    void **state)
{
    struct sock *s = connection("<mss 1460>");
    for (int n = 0; n < 16; n++)
        send_nth(n);
    peer_skip(&p);
    send_nth(17);
    peer_expect(&p, ". 1:1(0) ack 16001");
    send_nth(18);
    peer_expect(&p, ". 1:1(0) ack 16001");
    send_nth(16);
    peer_expect(&p, ". 1:1(0) ack 19001");
    end(s);
}

/* RFC 2018 s4 (SHLD-sack-each, SHLD-sack-ack). RFC 5681 s3.2 (SHLD-ack-dup), s4.2
 * (SHLD-ack-ofo, SHLD-ack-hole): while a hole is open, each segment is answered: that
 * is what the sender counts. */
static void a_part_of_a_hole_is_acknowledged_at_once(void **state)
{
    struct sock *s = connection("<mss 1460>");
    for (int n = 0; n < 16; n++)
        send_nth(n);
    peer_skip(&p);
    send_nth(18);
    peer_expect(&p, ". 1:1(0) ack 16001");
    send_nth(16);
    peer_expect(&p, ". 1:1(0) ack 17001");
    end(s);
}

/* --- SACK --- */

/* RFC 2018 s4 (MUST-sack-agreed, MAY-sack): not without both ends' SACK-permitted. */
static void sack_blocks_are_sent_only_when_agreed_on(void **state)
{
    struct sock *s = connection("<mss 1460>");
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1");
    end(s);
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_sack", "0");
    s = peer_establish(&p, "<mss 1460,sackOK>");
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1");
    end(s);
}

/* RFC 2018 s4 (MUST-sack-first): "the first SACK block MUST specify the contiguous
 * block of data containing the segment which triggered this ACK"; then the latest ones.
 */
static void the_sack_block_of_the_latest_arrival_comes_first(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    peer_send(&p, ". 101:201(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 101:201>");
    peer_send(&p, ". 501:601(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 501:601 101:201>");
    peer_send(&p, ". 301:401(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 301:401 501:601 101:201>");
    peer_send(&p, ". 601:701(100) ack 1 win 9"); /* grows an older block */
    peer_expect(&p, ". 1:1(0) ack 1 <sack 501:701 301:401 101:201>");
    peer_send(&p, ". 201:301(100) ack 1 win 9"); /* joins two */
    peer_expect(&p, ". 1:1(0) ack 1 <sack 101:401 501:701>");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 401 <sack 501:701>");
    peer_send(&p, ". 401:501(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 701");
    end(s);
}

/* RFC 2018 s4 (SHLD-sack-all, SHLD-sack-repeat), s3: four blocks fit into the header,
 * three beside a timestamp. */
static void four_sack_blocks_fit_or_three_beside_a_timestamp(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    for (int i = 1; i <= 5; i++) {
        char line[80];
        snprintf(line, sizeof line, ". %d:%d(100) ack 1 win 9", 200 * i + 1,
                 200 * i + 101);
        peer_send(&p, line);
        if (i < 5)
            peer_skip(&p);
    }
    peer_expect(&p, ". 1:1(0) ack 1 <sack 1001:1101 801:901 601:701 401:501>");
    end(s);
    s = connection("<mss 1460,sackOK,TS val 0 ecr 0>");
    for (int i = 1; i <= 5; i++) {
        char line[100];
        snprintf(line, sizeof line, ". %d:%d(100) ack 1 win 9 <TS val 0 ecr 0>",
                 200 * i + 1, 200 * i + 101);
        peer_send(&p, line);
        if (i < 5)
            peer_skip(&p);
    }
    peer_expect(&p, ". 1:1(0) ack 1 <TS val 0 ecr 0,sack 1001:1101 801:901 601:701>");
    end(s);
}

/* --- DSACK --- */

/* RFC 2883 s4.1: a duplicate that was acknowledged: its range first, once. */
static void a_duplicate_is_reported_once(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 1:101>");
    peer_send(&p, ". 101:201(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 201");
    assert_int_equal(peer_count(&p, "TcpExtTCPDSACKOldSent"), 1);
    end(s);
}

/* RFC 2883 s4.1, example 2: with a hole open, the duplicate comes before it. */
static void a_duplicate_is_reported_before_what_is_out_of_order(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_send(&p, ". 201:301(100) ack 1 win 9");
    peer_skip(&p);
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 1:101 201:301>");
    end(s);
}

/* RFC 2883 s4.1, example 3: a duplicate of text beyond the hole: then the block that
 * holds it. */
static void a_duplicate_beyond_a_hole_is_reported_with_its_block(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    peer_send(&p, ". 201:301(100) ack 1 win 9");
    peer_send(&p, ". 301:401(100) ack 1 win 9");
    peer_skip(&p);
    peer_send(&p, ". 201:301(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 201:301 201:401>");
    end(s);
}

/* RFC 2883 s4.2: only a part of the segment is a duplicate: that part is told. */
static void a_partly_duplicate_segment_reports_its_old_part(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, ". 51:151(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 151 <sack 51:101>");
    end(s);
}

/* RFC 2883 s4.2: the same beyond a hole, and across the hole's end. Of several parts
 * the first is told. */
static void the_first_part_that_was_held_already_is_reported(void **state)
{
    struct sock *s = connection("<mss 1460,sackOK>");
    peer_send(&p, ". 201:301(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 201:301>");
    peer_send(&p, ". 401:501(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 401:501 201:301>");
    peer_send(&p, ". 151:601(450) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 201:301 151:601>");
    peer_send(&p, ". 1:251(250) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 601 <sack 151:251>");
    end(s);
}

/* Three islands, 200:300, 400:500 and 600:700, behind text up to 100: what segments
 * across them are answered with, and what the reader sees. RFC 2018 s4, RFC 2883 s4. */
static void a_segment_across_islands_is_answered_with_what_is_held(void **state)
{
    static const struct {
        const char *in, *out;
        unsigned readable;
    } row[] = {
        { ". 150:350(200) ack 1 win 9",
          ". 1:1(0) ack 100 <sack 200:300 150:350 600:700 400:500>", 99 },
        { ". 350:600(250) ack 1 win 9",
          ". 1:1(0) ack 100 <sack 400:500 350:700 200:300>", 99 },
        { ". 250:600(350) ack 1 win 9", ". 1:1(0) ack 100 <sack 250:300 200:700>", 99 },
        { ". 650:675(25) ack 1 win 9",
          ". 1:1(0) ack 100 <sack 650:675 600:700 400:500 200:300>", 99 },
        { ". 300:400(100) ack 1 win 9", ". 1:1(0) ack 100 <sack 200:500 600:700>", 99 },
        { ". 100:150(50) ack 1 win 9",
          ". 1:1(0) ack 150 <sack 600:700 400:500 200:300>", 149 },
        { ". 100:275(175) ack 1 win 9",
          ". 1:1(0) ack 300 <sack 200:275 600:700 400:500>", 299 },
        { ". 100:700(600) ack 1 win 9", ". 1:1(0) ack 700 <sack 200:300>", 699 },
        { ". 50:150(100) ack 1 win 9",
          ". 1:1(0) ack 150 <sack 50:100 600:700 400:500 200:300>", 149 },
        { ". 1:800(799) ack 1 win 9", ". 1:1(0) ack 800 <sack 1:100>", 799 },
    };
    static const char *const before[] = { ". 1:100(99) ack 1 win 9",
                                          ". 200:300(100) ack 1 win 9",
                                          ". 400:500(100) ack 1 win 9",
                                          ". 600:700(100) ack 1 win 9" };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = connection("<mss 1460,sackOK>");
        for (int k = 0; k < 4; k++)
            peer_send(&p, before[k]);
        peer_skip(&p);
        peer_send(&p, row[i].in);
        peer_expect(&p, row[i].out);
        assert_int_equal(tcp_readable(s->tcb), row[i].readable);
        peer_read(&p, s, row[i].readable);
        end(s);
    }
}

/* tcp_dsack=0, or no SACK: duplicates are acknowledged as ever, without a block. */
static void without_dsack_a_duplicate_is_only_acknowledged(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_dsack", "0");
    struct sock *s = peer_establish(&p, "<mss 1460,sackOK>");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101");
    end(s);
    s = connection("<mss 1460>");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, ". 1:101(100) ack 1 win 9");
    peer_expect(&p, ". 1:1(0) ack 101");
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_first_16_segments_are_acknowledged_at_once_then_every_second),
        cmocka_unit_test(an_ack_is_delayed_by_40_ms_and_no_more),
        cmocka_unit_test(the_delay_counts_from_the_first_segment),
        cmocka_unit_test(a_delay_in_vain_ends_a_conversation),
        cmocka_unit_test(an_ack_rides_on_text),
        cmocka_unit_test(without_a_delay_everything_is_acknowledged_at_once),
        cmocka_unit_test(
            text_out_of_order_and_what_fills_a_hole_is_acknowledged_at_once),
        cmocka_unit_test(a_part_of_a_hole_is_acknowledged_at_once),
        cmocka_unit_test(sack_blocks_are_sent_only_when_agreed_on),
        cmocka_unit_test(the_sack_block_of_the_latest_arrival_comes_first),
        cmocka_unit_test(four_sack_blocks_fit_or_three_beside_a_timestamp),
        cmocka_unit_test(a_duplicate_is_reported_once),
        cmocka_unit_test(a_duplicate_is_reported_before_what_is_out_of_order),
        cmocka_unit_test(a_duplicate_beyond_a_hole_is_reported_with_its_block),
        cmocka_unit_test(a_partly_duplicate_segment_reports_its_old_part),
        cmocka_unit_test(the_first_part_that_was_held_already_is_reported),
        cmocka_unit_test(a_segment_across_islands_is_answered_with_what_is_held),
        cmocka_unit_test(without_dsack_a_duplicate_is_only_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
