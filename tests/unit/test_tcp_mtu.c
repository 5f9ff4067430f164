#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/peer_up.h"

static struct peer p;

/* The path takes 100 ms: RTO is 300 ms. */
static struct sock *connection(void)
{
    peer_init(&p);
    return peer_up_win(&p, "<mss 1460,sackOK>", 65000);
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* A link of this MTU did not take our segment, which was full. */
static void fragmentation_needed(uint16_t mtu, uint32_t seq)
{
    struct peer_error e = {
        .type = 3, .code = 4, .mtu = mtu, .seq = seq, .total_len = 1500
    };
    peer_icmp(&p, &e);
}

/* RFC 7323 s5.7 (MUST-paws-pmtu). RFC 1191 s6.4, s6.5: what was too large goes again at
 * once, in segments that fit, and cwnd stays: it is no congestion. What follows fits as
 * well. */
static void segments_follow_the_path_at_once(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 3000);
    peer_expect(&p, ". 1:1461(1460) ack 1");
    peer_expect(&p, ". 1461:2921(1460) ack 1");
    peer_expect(&p, "P. 2921:3001(80) ack 1");
    uint32_t cwnd = s->tcb->cc.cwnd;
    fragmentation_needed(1000, 1);
    peer_expect(&p, ". 1:961(960) ack 1");
    peer_expect(&p, ". 961:1921(960) ack 1");
    peer_expect(&p, ". 1921:2881(960) ack 1");
    peer_expect(&p, "P. 2881:3001(120) ack 1");
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->cc.cwnd, cwnd);
    fragmentation_needed(1000, 1461); /* the second's own error: nothing new */
    peer_expect_nothing(&p);
    peer_send(&p, ". 1:1(0) ack 3001 win 65000");
    peer_write(&p, s, 1500);
    peer_expect(&p, ". 3001:3961(960) ack 1");
    peer_expect(&p, "P. 3961:4501(540) ack 1");
    end(s);
}

/* RFC 9293 s3.7.1 (MUST-67): the MSS that is announced is of the interface's MTU; what
 * the way there allows says nothing of the way back. */
static void the_mss_that_is_announced_does_not_follow_the_path(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 3000);
    fragmentation_needed(1000, 1);
    peer_skip(&p);
    peer_use(&p, 1);
    struct sock *other = peer_connect(&p, 4000);
    peer_expect(&p, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val * ecr 0,wscale 7>");
    sock_close(other);
    end(s);
}

/* RFC 5927 s4.1, s7.2: made up, or saying nothing. */
static void what_does_not_quote_what_is_in_flight_is_not_believed(void **state)
{
    static const struct {
        uint32_t seq;
        uint16_t mtu;
    } row[] = { { 1461, 1000 }, { 0, 1000 }, { 4000000000u, 1000 }, { 1, 1500 } };
    struct sock *s = connection();
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    for (unsigned i = 0; i < 4; i++) {
        fragmentation_needed(row[i].mtu, row[i].seq);
        peer_expect_nothing(&p);
    }
    assert_int_equal(p.st->net.count.n[COUNT_TcpExtOutOfWindowIcmps], 3);
    assert_int_equal(s->tcb->snd.mss, 1460);
    end(s);
}

/* All connections to that host (RFC 1191 s6.3), and those that begin later; we still
 * offer the MSS of our interface, which says what we take. */
static void other_connections_to_the_host_learn_it_too(void **state)
{
    struct sock *s = connection();
    peer_use(&p, 1);
    struct sock *other = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65000 <mss 1460>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_use(&p, 0);
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    fragmentation_needed(1000, 1);
    peer_skip(&p);
    peer_use(&p, 1);
    peer_write(&p, other, 1460);
    peer_expect(&p, ". 1:961(960) ack 1");
    peer_expect(&p, "P. 961:1461(500) ack 1");
    peer_use(&p, 2);
    struct sock *later = peer_connect(&p, 5001);
    peer_expect(&p, "S 0:0(0) <mss 1460,sackOK,TS val * ecr 0,wscale 7>");
    sock_close(later);
    sock_close(other);
    end(s);
}

/* The path may have become wider: after mtu_expires full segments are tried again. */
static void the_size_grows_back_when_the_path_is_forgotten(void **state)
{
    struct sock *s = connection();
    peer_sysctl(&p, "net.ipv4.route.mtu_expires", "10");
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    fragmentation_needed(1000, 1);
    peer_skip(&p);
    peer_send(&p, ". 1:1(0) ack 1461 win 65000");
    peer_wait(&p, 10 * SEC);
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1461:2921(1460) ack 1");
    end(s);
}

/* RFC 5461's sense for the size, too: a socket that leaves cutting to the way
 * (IP_PMTUDISC_DONT) does not follow, and sets no don't-fragment. */
static void a_socket_that_discovers_nothing_is_not_led(void **state)
{
    struct sock *s = connection();
    uint8_t frame[2000];
    peer_option(s, 0, 10, 0);
    peer_write(&p, s, 1460);
    assert_int_equal(peer_take(&p, frame, sizeof frame), 1514);
    assert_int_equal(frame[20] & 0x40, 0);
    fragmentation_needed(1000, 1);
    peer_expect_nothing(&p);
    end(s);
}

/* RFC 4821 s7.7: three time-outs on one another may mean that large packets vanish. */
static void a_black_hole_is_left_by_smaller_segments(void **state)
{
    struct sock *s = connection();
    peer_sysctl(&p, "net.ipv4.tcp_mtu_probing", "1");
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    for (unsigned i = 0; i < 3; i++)
        peer_expect_after(&p, 300 * MS << i, "P. 1:1461(1460) ack 1");
    peer_expect_after(&p, 2400 * MS, ". 1:1025(1024) ack 1");
    peer_send(&p, ". 1:1(0) ack 1025 win 65000");
    peer_expect(&p, "P. 1025:1461(436) ack 1");
    peer_send(&p, ". 1:1(0) ack 1461 win 65000");
    peer_write(&p, s, 1100);
    peer_expect(&p, ". 1461:2485(1024) ack 1");
    assert_int_equal(p.st->net.count.n[COUNT_TcpExtTCPMTUPFail], 1);
    end(s);
}

/* As Linux by default. */
static void without_probing_segments_stay_as_they_are(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    for (unsigned i = 0; i < 6; i++)
        peer_expect_after(&p, 300 * MS << i, "P. 1:1461(1460) ack 1");
    end(s);
}

/* It halves with each further time-out, down to tcp_mtu_probe_floor. */
static void a_deeper_black_hole_is_left_step_by_step(void **state)
{
    static const uint16_t sizes[] = { 1024, 512, 300, 300 };
    struct sock *s = connection();
    peer_sysctl(&p, "net.ipv4.tcp_mtu_probing", "1");
    peer_sysctl(&p, "net.ipv4.tcp_retries1", "0");
    peer_sysctl(&p, "net.ipv4.tcp_mtu_probe_floor", "300");
    peer_write(&p, s, 1460);
    peer_expect(&p, "P. 1:1461(1460) ack 1");
    for (unsigned i = 0; i < 4; i++) {
        peer_wait(&p, 300 * MS << i);
        assert_int_equal(s->tcb->snd.mss, sizes[i]);
    }
    assert_int_equal(p.st->net.count.n[COUNT_TcpExtTCPMTUPFail], 3);
    end(s);
}

/* TCP_INFO's tcpi_pmtu and tcpi_snd_mss tell what was found. */
static void tcp_info_tells_the_path(void **state)
{
    uint8_t info[512];
    uint32_t mss, pmtu;
    size_t len = sizeof info;
    struct sock *s = connection();
    peer_write(&p, s, 1460);
    fragmentation_needed(1400, 1);
    assert_int_equal(sock_getopt(s, 6, 11, info, &len), 0);
    memcpy(&mss, info + 16, sizeof mss);
    memcpy(&pmtu, info + 60, sizeof pmtu);
    assert_int_equal(mss, 1360);
    assert_int_equal(pmtu, 1400);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_follow_the_path_at_once),
        cmocka_unit_test(the_mss_that_is_announced_does_not_follow_the_path),
        cmocka_unit_test(what_does_not_quote_what_is_in_flight_is_not_believed),
        cmocka_unit_test(other_connections_to_the_host_learn_it_too),
        cmocka_unit_test(the_size_grows_back_when_the_path_is_forgotten),
        cmocka_unit_test(a_socket_that_discovers_nothing_is_not_led),
        cmocka_unit_test(a_black_hole_is_left_by_smaller_segments),
        cmocka_unit_test(without_probing_segments_stay_as_they_are),
        cmocka_unit_test(a_deeper_black_hole_is_left_step_by_step),
        cmocka_unit_test(tcp_info_tells_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
