/* Options of IPPROTO_TCP: level 6. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/option.h"

static void the_congestion_controller_goes_by_name(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0), *c = peer_establish(p, "<mss 1460>");
    char name[32];
    size_t len = sizeof name;
    assert_int_equal(sock_getopt(s, 6, 13, name, &len), 0);
    assert_int_equal(len, 16);
    assert_string_equal(name, "cubic");
    assert_int_equal(sock_setopt(s, 6, 13, "reno", 4), 0);
    assert_int_equal(sock_setopt(s, 6, 13, "reno\0junk", 9), 0);
    assert_int_equal(sock_setopt(s, 6, 13, "bbr", 3), -ENOENT);
    assert_int_equal(sock_setopt(s, 6, 13, "a_name_that_is_much_too_long", 28),
                     -ENOENT);
    len = sizeof name;
    assert_int_equal(sock_getopt(s, 6, 13, name, &len), 0);
    assert_string_equal(name, "reno");
    len = 3;
    assert_int_equal(sock_getopt(s, 6, 13, name, &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(name, "ren", 3);
    assert_int_equal(sock_setopt(c, 6, 13, "reno", 4), 0);
    assert_string_equal(tcp_get_options(c->tcb)->cc->name, "reno");
    sock_close(s);
    sock_close(c);
}

/* TCP_MAXSEG bounds what the SYN announces (RFC 9293 s3.7.1), and tells what
 * is sent. */
static void maxseg_is_announced_and_told(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    peer_sysctl(p, "net.ipv4.tcp_timestamps", "0");
    assert_int_equal(set(s, 6, 2, 1000), 0);
    assert_int_equal(get(s, 6, 2), 1000);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    peer_expect(p, "S 0:0(0) win 65535 <mss 1000,sackOK,wscale 7>");
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 700>");
    assert_int_equal(get(s, 6, 2), 700);
    sock_close(s);
}

static void tcp_info_begins_with_the_state(void **state)
{
    struct peer *p = *state;
    struct sock *fresh = new_sock(p, STREAM, 0), *l = peer_listen(p, 81);
    struct sock *s = peer_establish(p, "<mss 1460>");
    uint8_t info[400];
    size_t len = sizeof info;
    uint32_t n;
    assert_int_equal(sock_getopt(fresh, 6, 11, info, &len), 0);
    assert_int_equal(info[0], 7); /* TCP_CLOSE */
    len = sizeof info;
    assert_int_equal(sock_getopt(l, 6, 11, info, &len), 0);
    assert_int_equal(info[0], 10); /* TCP_LISTEN */
    len = sizeof info;
    assert_int_equal(sock_getopt(s, 6, 11, info, &len), 0);
    assert_int_equal(info[0], 1); /* TCP_ESTABLISHED */
    assert_true(len >= 104);      /* up to tcpi_total_retrans at least */
    memcpy(&n, info + 16, 4);     /* tcpi_snd_mss */
    assert_int_equal(n, 1460);
    len = 1;
    assert_int_equal(sock_getopt(s, 6, 11, info, &len), 0);
    assert_int_equal(len, 1);
    sock_close(fresh);
    sock_close(l);
    sock_close(s);
}

static void a_listener_tells_how_many_wait(void **state)
{
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80);
    uint8_t info[104];
    size_t len = sizeof info;
    uint32_t waiting;
    assert_int_equal(get(l, 1, 30), 1);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(p, ". 1:1(0) ack 1 win 65535");
    assert_int_equal(sock_getopt(l, 6, 11, info, &len), 0);
    memcpy(&waiting, info + 24, 4); /* tcpi_unacked */
    assert_int_equal(waiting, 1);
    sock_close(l);
}

/* RFC 896: with Nagle the second small segment waits; TCP_NODELAY lets it go. */
static void nodelay_takes_effect_at_once(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    peer_write(p, s, 10);
    peer_expect(p, "P. 1:11(10) ack 1");
    peer_write(p, s, 10);
    peer_expect_nothing(p);
    assert_int_equal(set(s, 6, 1, 1), 0);
    peer_expect(p, "P. 11:21(10) ack 1");
    sock_close(s);
}

static void cork_holds_small_segments_until_it_is_taken_off(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 3, 1), 0);
    peer_write(p, s, 10);
    peer_expect_nothing(p);
    assert_int_equal(set(s, 6, 3, 0), 0);
    peer_expect(p, "P. 1:11(10) ack 1");
    sock_close(s);
}

static void keepalive_options_take_effect_at_once(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 4, 10), 0);
    assert_int_equal(set(s, 6, 5, 5), 0);
    assert_int_equal(set(s, 6, 6, 2), 0);
    assert_int_equal(set(s, 1, 9, 1), 0);
    peer_expect_after(p, 10 * USEC_PER_SEC, ". 0:0(0) ack 1");
    sock_close(s);
}

static void cubic_and_reno_have_nothing_to_tell(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0);
    uint8_t info[20];
    size_t len = sizeof info;
    assert_int_equal(sock_getopt(s, 6, 26, info, &len), 0);
    assert_int_equal(len, 0);
    sock_close(s);
}

/* tcp(7), TCP_SYNCNT: so often is a SYN sent again. */
static void syncnt_bounds_the_tries_of_a_syn(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    assert_int_equal(set(s, 6, 7, 1), 0);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    peer_expect(p, "S 0:0(0) <...>");
    peer_expect_after(p, USEC_PER_SEC, "S 0:0(0) <...>");
    peer_wait(p, 2 * USEC_PER_SEC);
    peer_expect_nothing(p);
    assert_int_equal(get(s, 1, 4), ETIMEDOUT);
    sock_close(s);
}

static void syncnt_of_a_listener_bounds_the_tries_of_a_syn_ack(void **state)
{
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80);
    assert_int_equal(set(l, 6, 7, 1), 0);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "S. 0:0(0) ack 1 <...>");
    peer_expect_after(p, USEC_PER_SEC, "S. 0:0(0) ack 1 <...>");
    peer_wait(p, 60 * USEC_PER_SEC);
    peer_expect_nothing(p);
    sock_close(l);
}

/* tcp(7), TCP_DEFER_ACCEPT: a listener is woken only when text arrives. */
static void a_deferred_connection_is_accepted_with_its_text(void **state)
{
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80);
    assert_int_equal(set(l, 6, 9, 2), 0);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "S. 0:0(0) ack 1 <...>");
    peer_send(p, ". 1:1(0) ack 1 win 65535");
    assert_int_equal(sock_readiness(l), 0);
    peer_wait(p, 2 * USEC_PER_SEC);
    peer_expect_nothing(p); /* it has our SYN-ACK */
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    peer_expect(p, ". 1:1(0) ack 11");
    struct sock *s = peer_accept(p, l);
    peer_read(p, s, 10);
    sock_close(s);
    sock_close(l);
}

/* As Linux: when the time is over the SYN-ACK leaves once more, and its ACK is taken.
 */
static void a_deferred_connection_without_text_is_accepted_in_the_end(void **state)
{
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80);
    assert_int_equal(set(l, 6, 9, 3), 0);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "S. 0:0(0) ack 1 <...>");
    peer_send(p, ". 1:1(0) ack 1 win 65535");
    peer_expect_after(p, 3 * USEC_PER_SEC, "S. 0:0(0) ack 1 <...>");
    peer_send(p, ". 1:1(0) ack 1 win 65535");
    sock_close(peer_accept(p, l));
    peer_expect(p, "F. 1:1(0) ack 1");
    sock_close(l);
}

/* tcp(7), TCP_LINGER2: how long an orphan stays in FIN-WAIT-2. */
static void linger2_ends_fin_wait_2(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 8, 5), 0);
    sock_close(s);
    peer_expect(p, "F. 1:1(0) ack 1");
    peer_send(p, ". 1:1(0) ack 2 win 65535");
    assert_int_equal(p->st->tcp.n_tcb, 1);
    peer_wait(p, 4999999);
    assert_int_equal(p->st->tcp.n_tcb, 1);
    peer_wait(p, 1);
    assert_int_equal(p->st->tcp.n_tcb, 0);
    peer_expect_nothing(p);
}

static void linger2_below_zero_leaves_no_time_at_all(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 8, -1), 0);
    sock_close(s);
    peer_expect(p, "F. 1:1(0) ack 1");
    peer_send(p, ". 1:1(0) ack 2 win 65535");
    assert_int_equal(p->st->tcp.n_tcb, 0);
    peer_expect_nothing(p);
}

static void a_close_in_fin_wait_2_without_time_resets(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 8, -1), 0);
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_expect(p, "F. 1:1(0) ack 1");
    peer_send(p, ". 1:1(0) ack 2 win 65535");
    sock_close(s);
    peer_expect(p, "R. 2:2(0) ack 1");
    assert_int_equal(p->st->tcp.n_tcb, 0);
}

/* tcp(7), TCP_WINDOW_CLAMP: no larger window is offered, and none has to be scaled. */
static void window_clamp_bounds_the_window_from_the_syn_on(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    peer_sysctl(p, "net.ipv4.tcp_timestamps", "0");
    assert_int_equal(set(s, 6, 10, 5000), 0);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    peer_expect(p, "S 0:0(0) win 5000 <mss 1460,sackOK,wscale 0>");
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 0>");
    peer_expect(p, ". 1:1(0) ack 1 win 5000");
    peer_send(p, ". 1:1001(1000) ack 1 win 65535");
    peer_expect(p, ". 1:1(0) ack 1001 win 5000");
    assert_int_equal(set(s, 6, 10, 0), -EINVAL);
    sock_close(s);
}

static void window_clamp_can_be_set_while_connected(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 10, 2000), 0);
    peer_send(p, ". 1:1001(1000) ack 1 win 65535");
    peer_expect(p, ". 1:1(0) ack 1001 win 64535"); /* it never goes back */
    sock_close(s);
}

/* tcp(7), TCP_QUICKACK; "not permanent": a delay in vain turns it on again, as on
 * Linux. 40 ms is our delay. */
static void quickack_chooses_between_now_and_later(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 6, 12, 0), 0);
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    peer_expect_after(p, 40000, ". 1:1(0) ack 11");
    peer_send(p, "P. 11:21(10) ack 1 win 65535");
    peer_expect(p, ". 1:1(0) ack 21");
    assert_int_equal(set(s, 6, 12, 0), 0);
    peer_send(p, "P. 21:31(10) ack 1 win 65535");
    peer_expect_nothing(p);
    assert_int_equal(set(s, 6, 12, 1), 0); /* what is owed leaves */
    peer_expect(p, ". 1:1(0) ack 31");
    peer_send(p, "P. 31:41(10) ack 1 win 65535");
    peer_expect(p, ". 1:1(0) ack 41");
    peer_read(p, s, 40);
    sock_close(s);
}

/* tcp(7): of a socket that is not connected yet it spares the bare ACK of the
 * handshake. */
static void without_quickack_the_handshakes_ack_waits_for_text(void **state)
{
    static const int name[] = { 12, 9 }, value[] = { 0, 1 };
    struct peer *p = *state;
    for (unsigned i = 0; i < 2; i++) {
        peer_use(p, i);
        struct sock *s = new_sock(p, STREAM, 0);
        struct sock_name to = { ip4_addr(0xc0000201), (uint16_t)(PEER_PORT + i) };
        assert_int_equal(set(s, 6, name[i], value[i]), 0);
        assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
        peer_expect(p, "S 0:0(0) <...>");
        peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
        peer_expect_nothing(p);
        peer_write(p, s, 10);
        peer_expect(p, "P. 1:11(10) ack 1");
        sock_close(s);
        peer_skip(p);
    }
}

static void without_quickack_and_text_the_handshakes_ack_leaves_after_200_ms(
    void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    assert_int_equal(set(s, 6, 12, 0), 0);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    peer_expect(p, "S 0:0(0) <...>");
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_expect_after(p, 200000, ". 1:1(0) ack 1");
    sock_close(s);
}

/* tcp(7): of a listener, and before connecting; how many children is bounded as a
 * backlog is. */
static void fast_open_is_chosen_before_there_is_a_connection(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1000>"), *l = peer_listen(p, 81);
    assert_int_equal(set(s, 6, 23, 5), -EINVAL);
    assert_int_equal(set(s, 6, 30, 1), -EINVAL);
    assert_int_equal(set(s, 6, 34, 1), -EINVAL);
    assert_int_equal(set(l, 6, 30, 1), -EINVAL);
    assert_int_equal(set(l, 6, 23, 5), 0);
    assert_int_equal(get(l, 6, 23), 5);
    assert_int_equal(set(l, 6, 23, 100000), 0);
    assert_int_equal(get(l, 6, 23), 4096);
    assert_int_equal(set(l, 6, 34, 1), 0);
    assert_int_equal(get(l, 6, 34), 1);
    peer_sysctl(p, "net.ipv4.tcp_fastopen", "2");
    struct sock *fresh = new_sock(p, STREAM, 0);
    assert_int_equal(set(fresh, 6, 30, 1), -EOPNOTSUPP);
    sock_close(fresh);
    sock_close(s);
    sock_close(l);
    peer_skip(p);
}

/* tcp(7), TCP_NOTSENT_LOWAT: OUT only while less than half of it is unsent, and no more
 * is taken once so much is. */
static void notsent_lowat_bounds_what_waits_to_be_sent(void **state)
{
    enum { OUT = 4 };
    static const uint8_t text[30000];
    const struct piece piece = { text, sizeof text };
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1000>");
    assert_int_equal(set(s, 6, 25, 8000), 0);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 8000);
    peer_wait(p, 1);
    peer_skip(p); /* it was sent at once: there is room for more */
    assert_int_equal(sock_readiness(s) & OUT, OUT);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 8000);
    peer_expect(p, ". 8001:9001(1000) ack 1");
    peer_expect(p, ". 9001:10001(1000) ack 1");
    assert_int_equal(sock_readiness(s) & OUT, 0); /* 6000 wait for cwnd */
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 2000);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), -EAGAIN);
    peer_send(p, ". 1:1(0) ack 10001 win 65535");
    assert_int_equal(sock_readiness(s) & OUT, OUT);
    sock_close(s);
    peer_skip(p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_congestion_controller_goes_by_name),
        T(fast_open_is_chosen_before_there_is_a_connection),
        T(maxseg_is_announced_and_told),
        T(tcp_info_begins_with_the_state),
        T(a_listener_tells_how_many_wait),
        T(nodelay_takes_effect_at_once),
        T(cork_holds_small_segments_until_it_is_taken_off),
        T(keepalive_options_take_effect_at_once),
        T(cubic_and_reno_have_nothing_to_tell),
        T(syncnt_bounds_the_tries_of_a_syn),
        T(syncnt_of_a_listener_bounds_the_tries_of_a_syn_ack),
        T(a_deferred_connection_is_accepted_with_its_text),
        T(a_deferred_connection_without_text_is_accepted_in_the_end),
        T(linger2_ends_fin_wait_2),
        T(linger2_below_zero_leaves_no_time_at_all),
        T(a_close_in_fin_wait_2_without_time_resets),
        T(window_clamp_bounds_the_window_from_the_syn_on),
        T(window_clamp_can_be_set_while_connected),
        T(quickack_chooses_between_now_and_later),
        T(without_quickack_the_handshakes_ack_waits_for_text),
        T(without_quickack_and_text_the_handshakes_ack_leaves_after_200_ms),
        T(notsent_lowat_bounds_what_waits_to_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
