/* Options: what a SYN offers, what two SYNs agree on, and what rides on segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

/* RFC 1122 s3.3.2 (MUST-ip-mms-r), s3.3.3 (MUST-ip-mtu-config). RFC 9293 s3.7.1
 * (MUST-67), s3.7.3 (SHLD-6): the MTU less 40, options not counted. */
static void the_mss_that_is_offered_is_the_mtu_less_two_headers(void **state)
{
    static const struct {
        unsigned mtu;
        const char *advmss, *syn;
    } row[] = {
        { 1500, "0", "S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,wscale 7>" },
        { 9000, "0", "S 0:0(0) <mss 8960,sackOK,TS val * ecr 0,wscale 7>" },
        { 576, "0", "S 0:0(0) <mss 536,sackOK,TS val * ecr 0,wscale 7>" },
        { 68, "0", "S 0:0(0) <mss 28,sackOK,TS val * ecr 0,wscale 7>" },
        { 1500, "1000", "S 0:0(0) <mss 1000,sackOK,TS val * ecr 0,wscale 7>" },
        { 1500, "2000", "S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,wscale 7>" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        peer_init_mtu(&p, row[i].mtu, NULL);
        peer_sysctl(&p, "tapir.tcp_advmss", row[i].advmss);
        peer_connect(&p, 0);
        peer_expect(&p, row[i].syn);
        peer_free(&p);
    }
}

/* TCP_MAXSEG. */
static void a_user_may_ask_for_less(void **state)
{
    struct peer p;
    int mss = 700;
    struct sock_name to = { ip4_addr(0xc0000201u), PEER_PORT };
    (void)state;
    peer_init(&p);
    struct sock *s = peer_tcp(&p);
    assert_int_equal(sock_setopt(s, 6, 2, &mss, sizeof mss), 0);
    sock_connect(s, &to);
    peer_expect(&p, "S 0:0(0) <mss 700,sackOK,TS val * ecr 0,wscale 7>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 701);
    peer_expect(&p, ". 1:701(700) ack 1");
    peer_free(&p);
}

/* RFC 1122 s3.3.3 (MUST-ip-mms-s). RFC 9293 s3.7.1 (MUST-15, MUST-16), RFC 6691 s2: the
 * smaller of both, less the options that ride on each segment; 536 when the peer says
 * nothing. */
static void segments_are_as_large_as_both_sides_allow(void **state)
{
    static const struct {
        const char *options, *first;
    } row[] = {
        { "<mss 1000>", ". 1:1001(1000) ack 1" },
        { "<mss 9000>", ". 1:1461(1460) ack 1" },
        { "", ". 1:537(536) ack 1" },
        { "<mss 1000,TS val 1 ecr 0>", ". 1:989(988) ack 1 <TS val * ecr 100>" },
        { "<TS val 1 ecr 0>", ". 1:525(524) ack 1 <TS val * ecr 100>" },
        { "<mss 0>", ". 1:29(28) ack 1" },
        { "<mss 1>", ". 1:29(28) ack 1" },
        { "<mss 28,TS val 1 ecr 0>", ". 1:17(16) ack 1 <TS val * ecr 100>" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        peer_init(&p);
        struct sock *s = peer_up_win(&p, row[i].options, 65535);
        peer_write(&p, s, 20000);
        peer_expect(&p, row[i].first);
        peer_free(&p);
    }
}

/* RFC 7323 s2.2 (MUST-wscale-both), s3.2 (MUST-ts-unagreed), RFC 2018 s2: an option is
 * used if both SYNs had it. */
static void an_option_needs_both_sides(void **state)
{
    static const struct {
        const char *off, *options, *syn_ack;
        bool sack, ts, wscale;
    } row[] = {
        { NULL, "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>",
          "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 1,wscale 7>", true, true,
          true },
        { NULL, "<mss 1000,sackOK>", "S. 0:0(0) ack 1 <mss 1460,sackOK>", true, false,
          false },
        { NULL, "<mss 1000,TS val 1 ecr 0>",
          "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 1>", false, true, false },
        { NULL, "<mss 1000,wscale 0>", "S. 0:0(0) ack 1 <mss 1460,wscale 7>", false,
          false, true },
        { NULL, "", "S. 0:0(0) ack 1 <mss 1460>", false, false, false },
        { "net.ipv4.tcp_sack", "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>",
          "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 1,wscale 7>", false, true, true },
        { "net.ipv4.tcp_timestamps", "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>",
          "S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>", true, false, true },
        { "net.ipv4.tcp_window_scaling", "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>",
          "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 1>", true, true, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        char line[PEER_LINE];
        peer_init(&p);
        if (row[i].off)
            peer_sysctl(&p, row[i].off, "0");
        struct sock *l = peer_listen(&p, 80);
        snprintf(line, sizeof line, "S 0:0(0) win 65535 %s", row[i].options);
        peer_send(&p, line);
        peer_expect(&p, row[i].syn_ack);
        snprintf(line, sizeof line, ". 1:1(0) ack 1 win 1000%s",
                 row[i].ts ? " <TS val 2 ecr 0>" : "");
        peer_send(&p, line);
        const struct tcb *tcb = peer_accept(&p, l)->tcb;
        assert_int_equal(tcb->sack_ok, row[i].sack);
        assert_int_equal(tcb->ts.on, row[i].ts);
        assert_int_equal(tcb->wscale_ok, row[i].wscale);
        assert_int_equal(tcb->rcv.wscale, row[i].wscale ? 7 : 0);
        peer_free(&p);
    }
}

/* RFC 7323 s2.2 (MAY-wscale-offer, SHLD-wscale-offer), s2.3 (MUST-wscale-ours), s3.2
 * (MAY-ts-offer, SHLD-ts-ecr-zero). RFC 2018 s2 (MUST-sack-syn). RFC 9293 s3.7.1
 * (MUST-14, SHLD-5, MAY-3). The same where we open. */
static void our_syn_offers_what_is_switched_on(void **state)
{
    static const struct {
        const char *off, *syn, *syn_ack;
        bool sack, ts, wscale;
    } row[] = {
        { "net.ipv4.tcp_sack", "S 0:0(0) <mss 1460,TS val 0 ecr 0,wscale 7>",
          "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>", false, true, true },
        { "net.ipv4.tcp_timestamps", "S 0:0(0) <mss 1460,sackOK,wscale 7>",
          "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>", true, false, true },
        { "net.ipv4.tcp_window_scaling", "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0>",
          "<mss 1000,sackOK,TS val 1 ecr 0,wscale 3>", true, true, false },
        { NULL, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>", "<mss 1000>",
          false, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        char line[PEER_LINE];
        peer_init(&p);
        if (row[i].off)
            peer_sysctl(&p, row[i].off, "0");
        const struct tcb *tcb = peer_connect(&p, 0)->tcb;
        peer_expect(&p, row[i].syn);
        snprintf(line, sizeof line, "S. 0:0(0) ack 1 win 1000 %s", row[i].syn_ack);
        peer_send(&p, line);
        peer_expect(&p,
                    row[i].ts ? ". 1:1(0) ack 1 <TS val 0 ecr 1>" : ". 1:1(0) ack 1");
        assert_int_equal(tcb->sack_ok, row[i].sack);
        assert_int_equal(tcb->ts.on, row[i].ts);
        assert_int_equal(tcb->wscale_ok, row[i].wscale);
        assert_int_equal(tcb->snd.wscale, row[i].wscale ? 3 : 0);
        assert_int_equal(tcb->snd.wnd, 1000); /* never scaled on a SYN */
        peer_free(&p);
    }
}

/* RFC 7323 s2.3 (MUST-wscale-14). */
static void a_shift_of_more_than_fourteen_is_taken_as_fourteen(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    assert_int_equal(peer_up_win(&p, "<mss 1000,wscale 255>", 3)->tcb->snd.wnd, 49152);
    peer_free(&p);
}

/* RFC 7323 s3.2 (MUST-ts-each, MUST-ts-ecr), s4.3: TSecr is TS.Recent, which is the
 * TSval of the segment that is next in order, not of one beyond a hole, nor an older
 * one. */
static void the_echo_is_the_timestamp_of_what_was_acknowledged(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_up_win(&p, "<mss 1000,TS val 50 ecr 0>", 65535);
    peer_send(&p, "P. 1:11(10) ack 1 win 65535 <TS val 200 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 11 <TS val 100 ecr 200>");
    peer_send(&p, "P. 21:31(10) ack 1 win 65535 <TS val 300 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 11 <TS val 100 ecr 200>");
    peer_wait(&p, 5 * MS);
    peer_send(&p, "P. 11:21(10) ack 1 win 65535 <TS val 290 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 31 <TS val 105 ecr 290>");
    peer_free(&p);
}

/* RFC 7323 s4.1 (MUST-ts-clock), s5.4 (MUST-ts-clock-slow, SHLD-ts-clock-window,
 * MUST-ts-clock-fast): a millisecond a tick. */
static void the_timestamp_clock_ticks_in_milliseconds(void **state)
{
    struct tcp tcp = { 0 };
    struct net net = { .now = 1999999 };
    (void)state;
    tcp.net = &net;
    assert_int_equal(tcp_ts_now(&tcp, 0), 1999);
    assert_int_equal(tcp_ts_now(&tcp, 0xffffffff), 1998);
    net.epoch = 1000000;
    assert_int_equal(tcp_ts_now(&tcp, 5), 3004);
}

/* RFC 7323 s4.1: with timestamps a retransmission gives a sample too: the SRTT follows
 * though Karn's rule forbids the record's. */
static void a_timestamp_tells_which_transmission_was_acknowledged(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000,TS val 1 ecr 0>", 65535);
    assert_int_equal(s->tcb->rtt.srtt, 100000);
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1 <TS val 100 ecr 100>");
    peer_expect_after(&p, 300 * MS, "P. 1:501(500) ack 1 <TS val 400 ecr 100>");
    peer_wait(&p, 20 * MS);
    peer_send(&p, ". 1:1(0) ack 501 win 65535 <TS val 200 ecr 400>");
    assert_int_equal(s->tcb->rtt.last, 20000);
    peer_free(&p);
}

/* RFC 2018 s3: four blocks, three beside timestamps. Bug class 10: agreed on, not sent;
 * here both roles. */
static void sack_blocks_tell_what_is_out_of_order(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, ". 11:21(10) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 11:21>");
    peer_send(&p, ". 31:41(10) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 31:41 11:21>");
    peer_send(&p, ". 51:61(10) ack 1 win 65535");
    peer_send(&p, ". 71:81(10) ack 1 win 65535");
    peer_send(&p, ". 91:101(10) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 51:61 31:41 11:21>");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 71:81 51:61 31:41 11:21>");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 91:101 71:81 51:61 31:41>");
    peer_free(&p);
}

static void beside_timestamps_there_is_room_for_three_blocks(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_up_win(&p, "<mss 1000,sackOK,TS val 1 ecr 0>", 65535);
    peer_send(&p, ". 11:21(10) ack 1 win 65535 <TS val 100 ecr 0>");
    peer_send(&p, ". 31:41(10) ack 1 win 65535 <TS val 100 ecr 0>");
    peer_send(&p, ". 51:61(10) ack 1 win 65535 <TS val 100 ecr 0>");
    peer_skip(&p);
    peer_send(&p, ". 71:81(10) ack 1 win 65535 <TS val 100 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 1 <TS val 100 ecr 100,sack 71:81 51:61 31:41>");
    peer_free(&p);
}

static void without_agreement_no_blocks_are_sent(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_up(&p);
    peer_send(&p, ". 11:21(10) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_free(&p);
}

/* RFC 2883 s4: the duplicate first, once. */
static void a_duplicate_is_told_of_first(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_up_sack(&p);
    peer_send(&p, ". 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_send(&p, ". 201:301(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 201:301>");
    peer_send(&p, ". 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 1:101 201:301>");
    peer_send(&p, ". 201:251(50) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 201:251 201:301>");
    peer_sysctl(&p, "net.ipv4.tcp_dsack", "0");
    peer_send(&p, ". 201:251(50) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101 <sack 201:301>");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mss_that_is_offered_is_the_mtu_less_two_headers),
        cmocka_unit_test(a_user_may_ask_for_less),
        cmocka_unit_test(segments_are_as_large_as_both_sides_allow),
        cmocka_unit_test(an_option_needs_both_sides),
        cmocka_unit_test(our_syn_offers_what_is_switched_on),
        cmocka_unit_test(a_shift_of_more_than_fourteen_is_taken_as_fourteen),
        cmocka_unit_test(the_echo_is_the_timestamp_of_what_was_acknowledged),
        cmocka_unit_test(the_timestamp_clock_ticks_in_milliseconds),
        cmocka_unit_test(a_timestamp_tells_which_transmission_was_acknowledged),
        cmocka_unit_test(sack_blocks_tell_what_is_out_of_order),
        cmocka_unit_test(beside_timestamps_there_is_room_for_three_blocks),
        cmocka_unit_test(without_agreement_no_blocks_are_sent),
        cmocka_unit_test(a_duplicate_is_told_of_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
