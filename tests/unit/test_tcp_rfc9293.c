#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/bytes.h"
#include "harness/peer_up.h"
#include "wire/ip4_wire.h"

/* Requirements, most of them RFC 9293's, that no test of a single file shows whole. */

static struct peer p;

static const struct sock_name far = { { { [10] = 0xff, 0xff, 198, 51, 100, 1 } }, 80 };

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* --- windows --- */

/* RFC 9293 s3.1 (MUST-1): 65535 is much, not -1. */
static void the_largest_window_is_no_negative_number(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "tapir.tcp_initcwnd", "100");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 70000);
    peer_expect_full(&p, 1, 65001);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 7323 s2.2 (MUST-wscale-syn): a two thousand, not 128 times as many. */
static void the_window_of_a_syn_ack_is_not_scaled(void **state)
{
    peer_init(&p);
    struct sock *s = peer_connect(&p, 0);
    peer_expect(&p, "S 0:0(0) win 65535 <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 2000 <mss 1000,wscale 7>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 5000);
    peer_expect_full(&p, 1, 2001);
    peer_expect_nothing(&p);
    end(s);
}

/* --- options --- */

/* RFC 9293 s3.2 (MUST-65): on no segment but the SYN, whatever it is for. */
static void the_mss_option_stands_on_a_syn_alone(void **state)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_send(&p, "P. 1:101(100) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 101");
    peer_read(&p, s, 100);
    sock_shutdown(s, 1);
    stack_flush(p.st);
    peer_expect(&p, "F. 101:101(0) ack 101");
    peer_linger_zero(s);
    sock_close(s);
    sock_close(l);
    stack_flush(p.st);
    peer_expect(&p, "R. 102:102(0) ack 101");
    peer_free(&p);
}

/* RFC 9293 s3.1 (MUST-5): options may come with anything; one that means something on a
 * SYN alone means nothing elsewhere. */
static void an_option_may_come_in_any_segment(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000,sackOK,TS val 100 ecr 0>", 65535);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <mss 500,TS val 200 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val * ecr 200>");
    peer_write(&p, s, 988);
    peer_expect(&p, "P. 1:989(988) ack 101 <TS val * ecr 200>");
    peer_send(&p, "F. 101:101(0) ack 989 win 65535 <TS val 300 ecr 0,wscale 9>");
    peer_expect(&p, ". 989:989(0) ack 102 <TS val * ecr 300>");
    peer_send(&p, "R. 102:102(0) ack 989 win 0 <TS val 400 ecr 0>");
    assert_string_equal(peer_state(s), "CLOSED");
    end(s);
}

/* RFC 7323 s3.2 (MUST-ts-missing-alive): one segment that lacks its timestamp is
 * dropped, and that is all. */
static void a_missing_timestamp_ends_nothing(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000,TS val 100 ecr 0>", 65535);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpNoTimestamp"), 1);
    assert_string_equal(peer_state(s), "ESTAB");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535 <TS val 200 ecr 0>");
    peer_expect(&p, ". 1:1(0) ack 101 <TS val * ecr 200>");
    peer_read(&p, s, 100);
    end(s);
}

/* --- the retransmission timer --- */

/* RFC 6298 s3 (MUST-rto-rate): each round trip is measured. */
static void every_round_trip_gives_a_sample(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
    for (unsigned i = 1; i <= 5; i++) {
        peer_write(&p, s, 1000);
        peer_wait(&p, 30 * i * MS);
        peer_ack(&p, 1 + 1000 * i, "");
        assert_int_equal(s->tcb->rtt.last, 30000 * i);
    }
    peer_skip(&p);
    end(s);
}

static int losses; /* that a controller was told of */

static void count_loss(struct cc *cc, enum cc_loss kind, uint32_t flight, int64_t now)
{
    losses++;
}

/* RFC 9293 s3.8.2 (MUST-19), RFC 5681 s3.1 (MUST-cc-loss-window,
 * MUST-cc-ssthresh-rto): one segment, whatever the controller says, which is not
 * asked twice. */
static void a_time_out_leaves_one_segment_with_any_controller(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
    struct cc_ops ops = *s->tcb->cc.ops;
    ops.loss = count_loss;
    losses = 0;
    s->tcb->cc.ops = &ops;
    peer_write(&p, s, 5000);
    peer_expect_full(&p, 1, 4001);
    peer_expect(&p, "P. 4001:5001(1000) ack 1");
    peer_expect_after(&p, 300 * MS, ". 1:1001(1000) ack 1");
    peer_expect_after(&p, 600 * MS, ". 1:1001(1000) ack 1");
    assert_int_equal(losses, 1);
    peer_ack(&p, 1001, "");
    peer_expect_full(&p, 1001, 3001);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 5681 s4.3 (MUST-cc-after), s3.2 (6) (MUST-cc-deflate): half of the ten segments
 * that were out. */
static void recovery_ends_with_a_window_of_ssthresh(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 12000);
    peer_expect_full(&p, 1, 10001);
    for (int i = 0; i < 3; i++)
        peer_ack(&p, 1, "");
    peer_skip(&p);
    peer_ack(&p, 12001, "");
    assert_int_equal(s->tcb->cc.cwnd, 5000);
    assert_int_equal(s->tcb->cc.ssthresh, 5000);
    end(s);
}

/* RFC 9293 s3.5.3 (SHLD-2): what a RST says beside its flag does not matter. */
static void a_reset_with_text_resets(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_send(&p, "R 1:11(10) win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    end(s);
}

/* --- addresses --- */

/* Where the next packet that left comes from. */
static uint32_t next_source(void)
{
    uint8_t b[2000];
    assert_true(peer_take(&p, b, sizeof b) >= 34);
    return get32(b + 26);
}

/* RFC 1122 s3.3.4.2 (MUST-ip-source-set). RFC 9293 s3.9.1.1 (MUST-43): OPEN may say
 * where the connection comes from. */
static void the_local_address_may_be_named(void **state)
{
    peer_init(&p);
    struct netif other = { .mtu = 1500, .name = "other", .link = &p.link };
    assert_int_equal(net_add_netif(&p.st->net, &other, ip4_addr(0xcb007102), 24), 0);
    struct sock *s = peer_tcp(&p);
    const struct sock_name name = { ip4_addr(0xcb007102), 5000 };
    assert_int_equal(sock_bind(s, &name), 0);
    stack_flush(p.st);
    peer_skip(&p);
    assert_int_equal(peer_connect_result(&p, s), -EINPROGRESS);
    stack_flush(p.st);
    assert_int_equal(next_source(), 0xcb007102);
    end(s);
}

/* RFC 9293 s3.9.1.1 (MUST-44), RFC 1122 s3.3.4.2 (MUST-ip-source-choice): else IP says,
 * by the way that the packets will go. */
static void the_local_address_is_that_of_the_way(void **state)
{
    peer_init(&p);
    struct netif other = { .mtu = 1500, .name = "other", .link = &p.link };
    assert_int_equal(net_add_netif(&p.st->net, &other, ip4_addr(0xcb007102), 24), 0);
    const struct sock_name to[] = { { ip4_addr(0xc0000201), 80 },
                                    { ip4_addr(0xcb007101), 80 },
                                    far };
    static const uint32_t from[] = { 0xc0000202, 0xcb007102, 0xc0000202 };
    struct sock *s[3];
    for (int i = 0; i < 3; i++) {
        struct sock_name name;
        s[i] = peer_tcp(&p);
        assert_int_equal(sock_connect(s[i], &to[i]), -EINPROGRESS);
        sock_local(s[i], &name);
        assert_int_equal(ip4_num(name.addr), from[i]);
    }
    for (int i = 0; i < 3; i++)
        sock_close(s[i]);
    peer_free(&p);
}

/* RFC 9293 s3.9.1.1 (MUST-45): the way may change, the address does not. */
static void a_connection_keeps_its_local_address(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
    struct netif other = { .mtu = 1500, .name = "other", .link = &p.link };
    const struct route way = { .dst = ip4_addr(0xc0000201),
                               .prefix = 32,
                               .nif = &other };
    assert_int_equal(net_add_netif(&p.st->net, &other, ip4_addr(0xcb007102), 24), 0);
    assert_int_equal(route_add(&p.st->net, &way), 0);
    stack_flush(p.st);
    peer_skip(&p);
    peer_write(&p, s, 100);
    assert_int_equal(next_source(), 0xc0000202);
    end(s);
}

/* --- failures --- */

static enum neigh_state gateway(void)
{
    return neigh_find(&p.st->net, ip4_addr(0xc0000201))->state;
}

/* RFC 9293 s3.8.3 (b) (SHLD-10) (MUST-20): at R1, three time-outs, IP is to look
 * whether the gateway is still there. */
static void three_time_outs_make_ip_doubt_the_gateway(void **state)
{
    peer_init(&p);
    struct sock *s = peer_tcp(&p);
    assert_int_equal(sock_connect(s, &far), -EINPROGRESS);
    peer_wait(&p, 6 * SEC);
    assert_int_equal(gateway(), NEIGH_REACHABLE);
    peer_wait(&p, 1 * SEC);
    assert_int_equal(gateway(), NEIGH_PROBE);
    end(s);
}

/* --- acknowledgments --- */

/* RFC 5681 s4.2 (MUST-ack-one). RFC 9293 s3.10.7.4 (MUST-58, MUST-59): what came
 * together is acknowledged together. */
static void a_batch_of_segments_has_one_ack(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
    s->tcb->tso = true; /* a device that batches */
    p.batch = true;
    peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
    peer_send(&p, ". 1001:2001(1000) ack 1 win 65535");
    peer_send(&p, ". 2001:3001(1000) ack 1 win 65535");
    p.batch = false;
    stack_flush(p.st);
    peer_expect(&p, ". 1:1(0) ack 3001");
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 9293 s3.10.7.4 (MUST-59): what waited behind a hole is processed before the ACK.
 */
static void what_fills_a_hole_has_one_ack_for_all(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_send(&p, "F. 3001:4001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, ". 2001:3001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, ". 1001:2001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 4002");
    peer_expect_nothing(&p);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_window_is_no_negative_number),
        cmocka_unit_test(the_window_of_a_syn_ack_is_not_scaled),
        cmocka_unit_test(the_mss_option_stands_on_a_syn_alone),
        cmocka_unit_test(an_option_may_come_in_any_segment),
        cmocka_unit_test(a_missing_timestamp_ends_nothing),
        cmocka_unit_test(every_round_trip_gives_a_sample),
        cmocka_unit_test(a_time_out_leaves_one_segment_with_any_controller),
        cmocka_unit_test(recovery_ends_with_a_window_of_ssthresh),
        cmocka_unit_test(a_reset_with_text_resets),
        cmocka_unit_test(the_local_address_may_be_named),
        cmocka_unit_test(the_local_address_is_that_of_the_way),
        cmocka_unit_test(a_connection_keeps_its_local_address),
        cmocka_unit_test(three_time_outs_make_ip_doubt_the_gateway),
        cmocka_unit_test(a_batch_of_segments_has_one_ack),
        cmocka_unit_test(what_fills_a_hole_has_one_ack_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
