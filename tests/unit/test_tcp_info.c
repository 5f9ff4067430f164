/* TCP_INFO: the layout is that of the system's <linux/tcp.h>, field by field, and the
 * values are those of a connection whose history is known. */
#include <linux/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/peer.h"

enum { OPTION_INFO = 11, LEVEL_TCP = 6, MS = 1000 };

/* The numbers programs were compiled with: should the system's header ever differ, it
 * is the header that is wrong. */
_Static_assert(offsetof(struct tcp_info, tcpi_rto) == 8, "tcpi_rto");
_Static_assert(offsetof(struct tcp_info, tcpi_unacked) == 24, "tcpi_unacked");
_Static_assert(offsetof(struct tcp_info, tcpi_pmtu) == 60, "tcpi_pmtu");
_Static_assert(offsetof(struct tcp_info, tcpi_rtt) == 68, "tcpi_rtt");
_Static_assert(offsetof(struct tcp_info, tcpi_snd_cwnd) == 80, "tcpi_snd_cwnd");
_Static_assert(offsetof(struct tcp_info, tcpi_total_retrans) == 100, "total_retrans");
_Static_assert(offsetof(struct tcp_info, tcpi_bytes_acked) == 120, "bytes_acked");
_Static_assert(offsetof(struct tcp_info, tcpi_min_rtt) == 148, "tcpi_min_rtt");
_Static_assert(offsetof(struct tcp_info, tcpi_bytes_sent) == 200, "bytes_sent");
_Static_assert(offsetof(struct tcp_info, tcpi_snd_wnd) == 228, "tcpi_snd_wnd");

static struct tcp_info info_of(struct sock *s)
{
    uint8_t bytes[400];
    struct tcp_info info;
    size_t len = sizeof bytes;
    memset(bytes, 0xee, sizeof bytes);
    assert_int_equal(sock_getopt(s, LEVEL_TCP, OPTION_INFO, bytes, &len), 0);
    assert_int_equal(len, 248); /* to tcpi_total_rto_time */
    memcpy(&info, bytes, sizeof info);
    return info;
}

/* Accepted after a round trip of 100 ms. */
static struct sock *up(struct peer *p)
{
    peer_init(p);
    peer_sysctl(p, "net.ipv4.tcp_congestion_control", "reno");
    struct sock *l = peer_listen(p, 80);
    peer_send(p, "S 0:0(0) win 65535 <mss 1000,sackOK,wscale 2>");
    peer_expect(p, "S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>");
    peer_wait(p, 100 * MS);
    peer_send(p, ". 1:1(0) ack 1 win 15000");
    return peer_accept(p, l);
}

/* Linux: of a connection on which no text came, since it was established. */
static void the_age_of_text_begins_with_the_connection(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_wait(&p, 1000 * MS);
    assert_int_equal(info_of(s).tcpi_last_data_recv, 1000);
    peer_send(&p, ". 1:101(100) ack 1 win 15000");
    assert_int_equal(info_of(s).tcpi_last_data_recv, 0);
    peer_free(&p);
}

static void a_new_connection_tells_what_was_agreed_on(void **state)
{
    struct peer p;
    (void)state;
    struct tcp_info i = info_of(up(&p));
    assert_int_equal(i.tcpi_state, 1);
    assert_int_equal(i.tcpi_ca_state, 0);
    assert_int_equal(i.tcpi_options, 2 | 4); /* SACK, window scale */
    assert_int_equal(i.tcpi_snd_wscale, 2);
    assert_int_equal(i.tcpi_rcv_wscale, 7);
    assert_int_equal(i.tcpi_rto, 300000);
    assert_int_equal(i.tcpi_ato, 40000);
    assert_int_equal(i.tcpi_snd_mss, 1000);
    assert_int_equal(i.tcpi_advmss, 1460);
    assert_int_equal(i.tcpi_pmtu, 1500);
    assert_int_equal(i.tcpi_rtt, 100000);
    assert_int_equal(i.tcpi_rttvar, 50000);
    assert_int_equal(i.tcpi_min_rtt, 100000);
    assert_int_equal(i.tcpi_snd_cwnd, 10);
    assert_int_equal(i.tcpi_snd_ssthresh, 0x7fffffff);
    assert_int_equal(i.tcpi_reordering, 3);
    assert_int_equal(i.tcpi_snd_wnd, 60000);
    assert_int_equal(i.tcpi_unacked, 0);
    assert_int_equal(i.tcpi_total_retrans, 0);
    assert_int_equal(i.tcpi_delivered, 1); /* our SYN, as on Linux */
    assert_true(i.tcpi_pacing_rate == UINT64_MAX);
    assert_true(i.tcpi_max_pacing_rate == UINT64_MAX);
    peer_free(&p);
}

/* What newer kernels tell behind tcpi_snd_wnd: rcv_wnd, rehash, total_rto (16 bits),
 * total_rto_recoveries (16 bits), total_rto_time (milliseconds). */
/* RFC 3168: 8 is agreed on, 16 is seen; state 2 is CWR. */
static void congestion_that_the_network_tells_of_shows(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "SEW 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "SE. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    assert_int_equal(info_of(s).tcpi_options, 8);
    peer_send(&p, "[ect0] P. 1:101(100) ack 1 win 65535");
    assert_int_equal(info_of(s).tcpi_options, 8 | 16);
    peer_write(&p, s, 10000);
    peer_skip(&p);
    peer_send(&p, "E. 101:101(0) ack 3001 win 65535");
    struct tcp_info i = info_of(s);
    assert_int_equal(i.tcpi_ca_state, 2);
    assert_int_equal(i.tcpi_delivered, 1 + 3);
    assert_int_equal(i.tcpi_delivered_ce, 3);
    peer_free(&p);
}

static void time_outs_are_counted_behind_what_the_header_may_know(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    uint8_t bytes[400];
    size_t len = sizeof bytes;
    uint16_t n[2];
    uint32_t ms;
    peer_write(&p, s, 1000);
    peer_wait(&p, 900 * MS); /* after 300 and 900 */
    peer_send(&p, ". 1:1(0) ack 1001 win 15000");
    assert_int_equal(sock_getopt(s, LEVEL_TCP, OPTION_INFO, bytes, &len), 0);
    memcpy(n, bytes + 240, sizeof n);
    memcpy(&ms, bytes + 244, sizeof ms);
    assert_int_equal(n[0], 2);
    assert_int_equal(n[1], 1);
    assert_int_equal(ms, 600);
    len = 100;
    assert_int_equal(sock_getopt(s, LEVEL_TCP, OPTION_INFO, bytes, &len), 0);
    assert_int_equal(len, 100);
    peer_skip(&p);
    peer_free(&p);
}

static void text_is_counted_both_ways(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_write(&p, s, 15500);
    peer_send(&p, "P. 1:501(500) ack 1 win 15000");
    struct tcp_info i = info_of(s);
    assert_int_equal(i.tcpi_unacked, 10);
    assert_int_equal(i.tcpi_notsent_bytes, 5500);
    assert_int_equal(i.tcpi_bytes_sent, 10000);
    assert_int_equal(i.tcpi_data_segs_out, 10);
    assert_int_equal(i.tcpi_bytes_received, 500);
    assert_int_equal(i.tcpi_data_segs_in, 1);
    assert_int_equal(i.tcpi_segs_in, 2);
    peer_wait(&p, 100 * MS);
    peer_send(&p, ". 501:501(0) ack 2001 win 15000");
    i = info_of(s);
    assert_int_equal(i.tcpi_bytes_acked, 2000);
    assert_int_equal(i.tcpi_delivered, 3);
    assert_int_equal(i.tcpi_last_data_sent, 0);
    peer_skip(&p);
    peer_wait(&p, 50 * MS);
    assert_int_equal(info_of(s).tcpi_last_data_sent, 50);
    assert_int_equal(info_of(s).tcpi_last_data_recv, 150);
    assert_int_equal(info_of(s).tcpi_last_ack_recv, 50);
    peer_free(&p);
}

static void recovery_shows(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = up(&p);
    peer_write(&p, s, 10000);
    peer_send(&p, ". 1:1(0) ack 1 win 15000 <sack 2001:3001>");
    struct tcp_info i = info_of(s);
    assert_int_equal(i.tcpi_ca_state, 1); /* disorder */
    assert_int_equal(i.tcpi_sacked, 1);
    assert_int_equal(i.tcpi_lost, 0);
    peer_send(&p, ". 1:1(0) ack 1 win 15000 <sack 2001:5001>");
    i = info_of(s);
    assert_int_equal(i.tcpi_ca_state, 3); /* recovery */
    assert_int_equal(i.tcpi_sacked, 3);
    assert_int_equal(i.tcpi_snd_cwnd, 5);
    assert_int_equal(i.tcpi_snd_ssthresh, 5);
    peer_skip(&p);
    i = info_of(s);
    assert_int_equal(i.tcpi_total_retrans, 1);
    assert_int_equal(i.tcpi_bytes_retrans, 1000);
    assert_int_equal(i.tcpi_lost, 1); /* the second, for which there is no room yet */
    peer_wait(&p, 300 * MS);
    i = info_of(s);
    assert_int_equal(i.tcpi_ca_state, 4); /* loss */
    assert_int_equal(i.tcpi_retransmits, 1);
    assert_int_equal(i.tcpi_backoff, 1);
    assert_int_equal(i.tcpi_rto, 600000);
    assert_int_equal(i.tcpi_snd_cwnd, 1);
    peer_free(&p);
}

static void every_state_has_linuxs_number(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_connect(&p, 0);
    assert_int_equal(info_of(s).tcpi_state, 2); /* SYN_SENT */
    assert_int_equal(info_of(s).tcpi_min_rtt, 0xffffffff);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    assert_int_equal(info_of(s).tcpi_state, 8); /* CLOSE_WAIT */
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 2");
    assert_int_equal(info_of(s).tcpi_state, 9); /* LAST_ACK */
    peer_free(&p);
}

/* A caller with an older, shorter structure gets that much. */
static void a_shorter_structure_gets_its_beginning(void **state)
{
    struct peer p;
    uint8_t b[110];
    size_t len = 104;
    (void)state;
    struct sock *s = up(&p);
    memset(b, 0xee, sizeof b);
    assert_int_equal(sock_getopt(s, LEVEL_TCP, OPTION_INFO, b, &len), 0);
    assert_int_equal(len, 104);
    assert_int_equal(b[0], 1);
    assert_int_equal(b[103], 0);
    assert_int_equal(b[104], 0xee);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_connection_tells_what_was_agreed_on),
        cmocka_unit_test(the_age_of_text_begins_with_the_connection),
        cmocka_unit_test(congestion_that_the_network_tells_of_shows),
        cmocka_unit_test(time_outs_are_counted_behind_what_the_header_may_know),
        cmocka_unit_test(text_is_counted_both_ways),
        cmocka_unit_test(recovery_shows),
        cmocka_unit_test(every_state_has_linuxs_number),
        cmocka_unit_test(a_shorter_structure_gets_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
