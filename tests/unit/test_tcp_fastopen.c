/* TCP Fast Open (RFC 7413), through the stack's wire. What one connection does alone is
 * shown in tests/drill/fastopen; here is what takes several, or the stack's insides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

enum { LEVEL_TCP = 6, FASTOPEN = 23, FASTOPEN_CONNECT = 30, FASTOPEN_KEY = 33 };

/* Of 192.0.2.1 at 192.0.2.2 under the two keys below. */
#define COOKIE "FO 55ab039a34a58aa4"
#define NEWER  "FO c5e478512459ab3e"

static struct peer p;

static void set(struct sock *s, int name, int value)
{
    assert_int_equal(sock_setopt(s, LEVEL_TCP, name, &value, sizeof value), 0);
}

/* A listener with room for so many children. */
static struct sock *listening(int children)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_fastopen", "3");
    peer_sysctl(&p, "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4");
    p.at->stack_port = 80;
    struct sock *l = peer_listen(&p, 80);
    set(l, FASTOPEN, children);
    return l;
}

/* The peer's next connection begins. */
static void another(unsigned i)
{
    peer_use(&p, i);
    p.at->stack_port = 80;
}

static void end(struct sock *l)
{
    sock_close(l);
    peer_free(&p);
}

static ssize_t open_with(struct sock *s, uint32_t n)
{
    static const uint8_t text[4000];
    struct piece piece = { text, n };
    struct sock_name to = { ip4_addr(0xc0000201u), p.at->port };
    return sock_open_with(s, &piece, 1, &to, false);
}

/* A client that knows the peer's cookie, 01020304, and its MSS, 1000. */
static void know_the_peer(void)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    struct sock *s = peer_tcp(&p);
    assert_int_equal(open_with(s, 100), 0);
    peer_expect(&p, "S 0:0(0) <mss 1460,sackOK,wscale 7,FO>");
    peer_send(&p, "S. 0:0(0) ack 1 win 60000 <mss 1000,FO 01020304>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_linger_zero(s);
    sock_close(s);
    peer_expect(&p, "R. 1:1(0) ack 1");
}

/* s5.1: until a client answers it may be nobody. */
static void a_listener_has_no_more_children_than_it_said(void **state)
{
    struct sock *l = listening(1);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    another(1);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    assert_int_equal(peer_count(&p, "TcpExtTCPFastOpenListenOverflow"), 1);
    peer_use(&p, 0); /* the first one answers: there is room again */
    peer_send(&p, ". 11:11(0) ack 1 win 1000");
    another(2);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    assert_int_equal(peer_count(&p, "TcpExtTCPFastOpenPassive"), 2);
    end(l);
}

/* The window of a SYN begins behind ours, which no window holds back. */
static void a_child_may_fill_the_window_of_its_syn(void **state)
{
    struct sock *l = listening(1);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    struct sock *s = peer_accept(&p, l);
    peer_write(&p, s, 2000);
    peer_expect(&p, ". 1:1001(1000) ack 11");
    peer_expect_nothing(&p);
    peer_linger_zero(s);
    sock_close(s);
    peer_skip(&p);
    end(l);
}

static void a_child_outlives_its_listener_once_it_is_accepted(void **state)
{
    struct sock *l = listening(1);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    struct sock *s = peer_accept(&p, l);
    sock_close(l);
    assert_string_equal(peer_state(s), "SYN-RECV");
    peer_send(&p, ". 11:11(0) ack 1 win 1000");
    assert_string_equal(peer_state(s), "ESTAB");
    peer_read(&p, s, 10);
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.8.3: 1, 2, 4 s (tcp_synack_retries 2), and then it is given up. */
static void a_child_that_nobody_answers_is_given_up(void **state)
{
    struct sock *l = listening(1);
    peer_sysctl(&p, "net.ipv4.tcp_synack_retries", "2");
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    struct sock *s = peer_accept(&p, l);
    peer_expect_after(&p, 1 * USEC_PER_SEC, "S. 0:0(0) ack 11 <mss 1460>");
    peer_expect_after(&p, 2 * USEC_PER_SEC, "S. 0:0(0) ack 11 <mss 1460>");
    peer_wait(&p, 4 * USEC_PER_SEC);
    peer_expect(&p, "R. 1:1(0) ack 11");
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(peer_read_result(s), -ETIMEDOUT);
    sock_close(s);
    end(l);
}

/* Two keys: an older one's cookies count, and their owner is given a new one. */
static void an_older_key_counts_and_is_replaced(void **state)
{
    struct sock *l = listening(5);
    peer_sysctl(&p, "net.ipv4.tcp_fastopen_key",
                "00000001-00000002-00000003-00000004,"
                "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4");
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460," NEWER ">");
    another(1);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," NEWER ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    end(l);
}

static void a_listener_may_have_its_own_key(void **state)
{
    static const uint8_t key[16] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4 };
    uint8_t got[32];
    size_t len = sizeof got;
    struct sock *l = listening(5);
    assert_int_equal(sock_setopt(l, LEVEL_TCP, FASTOPEN_KEY, key, 15), -EINVAL);
    assert_int_equal(sock_setopt(l, LEVEL_TCP, FASTOPEN_KEY, key, sizeof key), 0);
    assert_int_equal(sock_getopt(l, LEVEL_TCP, FASTOPEN_KEY, got, &len), 0);
    assert_int_equal(len, 16);
    assert_memory_equal(got, key, 16);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460," NEWER ">");
    assert_int_equal(peer_count(&p, "TcpExtTCPFastOpenPassiveFail"), 1);
    end(l);
}

/* Without a key of the user's there is one all the same, and it is the stack's own. */
static void a_cookie_needs_no_key_to_be_set(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_fastopen", "1027"); /* every listener */
    p.at->stack_port = 80;
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1000,FO>");
    assert_int_equal(peer_count(&p, "TcpExtTCPFastOpenCookieReqd"), 1);
    struct tcp_half_open *h = list_entry(l->listener->half_open.next,
                                         struct tcp_half_open, node);
    assert_true(h->opts.fastopen.there);
    assert_int_equal(h->opts.fastopen.len, 8);
    peer_skip(&p);
    end(l);
}

/* RFC 1122 s4.2.3.9: nobody has seen it stand; once it was accepted it does. */
static void icmp_ends_a_child_that_was_not_accepted(void **state)
{
    static const struct peer_error unreachable = { .type = 3, .code = 1 };
    struct sock *l = listening(5);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    peer_icmp(&p, &unreachable);
    struct sock *s = peer_accept(&p, l);
    peer_read(&p, s, 10);
    assert_int_equal(peer_read_result(s), -EHOSTUNREACH);
    assert_int_equal(peer_write_result(s), -EPIPE);
    sock_close(s);
    another(1);
    peer_send(&p, "S 0:10(10) win 1000 <mss 1000," COOKIE ">");
    peer_expect(&p, "S. 0:0(0) ack 11 <mss 1460>");
    s = peer_accept(&p, l);
    peer_icmp(&p, &unreachable);
    assert_string_equal(peer_state(s), "SYN-RECV");
    peer_linger_zero(s);
    sock_close(s);
    peer_expect(&p, "R. 1:1(0) ack 11");
    end(l);
}

/* s4.1.3: the MSS goes with the cookie; 40 bytes are left for options. */
static void text_fits_what_the_peer_said_last(void **state)
{
    know_the_peer();
    peer_use(&p, 1);
    struct sock *s = peer_tcp(&p);
    assert_int_equal(open_with(s, 2000), 960);
    peer_expect(&p, "S 0:960(960) <mss 1460,sackOK,wscale 7,FO 01020304>");
    assert_int_equal(sock_opened(s), -EINPROGRESS);
    assert_int_equal(open_with(s, 10), -EALREADY);
    peer_send(&p, "S. 0:0(0) ack 961 win 60000 <mss 1000>");
    peer_expect(&p, ". 961:961(0) ack 1");
    assert_int_equal(sock_opened(s), 0);
    assert_false(sock_opens(s, SOCK_FASTOPEN)); /* from now on the flag says nothing */
    assert_int_equal(peer_count(&p, "TcpExtTCPFastOpenActive"), 1);
    peer_linger_zero(s);
    sock_close(s);
    peer_skip(&p);
    peer_free(&p);
}

/* RFC 9293 s3.7.1 (MUST-16): IP's options take their part of the MSS. */
static void text_makes_room_for_ip_options(void **state)
{
    static const uint8_t alert[] = { 148, 4, 0, 0 };
    know_the_peer();
    peer_use(&p, 1);
    struct sock *s = peer_tcp(&p);
    assert_int_equal(sock_setopt(s, 0, 4, alert, sizeof alert), 0);
    assert_int_equal(open_with(s, 2000), 956);
    peer_expect(&p, "S 0:956(956) <mss 1460,sackOK,wscale 7,FO 01020304>");
    peer_linger_zero(s);
    sock_close(s);
    peer_free(&p);
}

static void a_refused_syn_with_text_tells_why(void **state)
{
    know_the_peer();
    peer_use(&p, 1);
    struct sock *s = peer_tcp(&p);
    assert_int_equal(open_with(s, 10), 10);
    peer_expect(&p, "S 0:10(10) <...>");
    peer_send(&p, "R. 0:0(0) ack 1 win 0");
    assert_int_equal(sock_opened(s), -ECONNREFUSED);
    assert_int_equal(sock_opened(s), -ECONNABORTED);
    sock_close(s);
    peer_free(&p);
}

/* Nothing leaves, and no timer runs, before the first text. */
static void a_connect_that_waits_for_text_is_silent(void **state)
{
    know_the_peer();
    peer_use(&p, 1);
    struct sock *s = peer_tcp(&p);
    set(s, FASTOPEN_CONNECT, 1);
    assert_int_equal(peer_connect_result(&p, s), 0);
    peer_wait(&p, 1000 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    assert_int_equal(sock_readiness(s), SOCK_OUT);
    assert_int_equal(peer_read_result(s), -EAGAIN);
    assert_true(sock_opens(s, 0));
    sock_close(s);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* Servers are remembered until sixty-four others were met since. */
static void the_server_that_was_not_met_for_longest_is_forgotten(void **state)
{
    know_the_peer();
    struct tcp_fastopen_cache *c = &p.st->tcp.fastopen;
    assert_int_equal(sizeof c->server / sizeof c->server[0], 64);
    for (uint32_t i = 1; i < 64; i++) {
        c->server[i].addr = ip4_addr(0x0a000000u + i);
        c->server[i].used = p.now + i;
    }
    assert_true(ip_eq(c->server[0].addr, ip4_addr(0xc0000201u)));
    c->server[0].used = p.now + 100; /* met again, later than the one at 1 */
    peer_wait(&p, 1 * USEC_PER_SEC);
    peer_use(&p, 1);
    struct tcb t = { .tcp = &p.st->tcp, .state = TCPS_SYN_SENT, .fast.text = 1 };
    t.slot.remote = ip4_addr(0x0b000000u);
    tcp_fastopen_unanswered(&t);
    assert_true(ip_eq(c->server[1].addr, ip4_addr(0x0b000000u)));
    assert_int_equal(c->server[1].lost, 1);
    assert_true(c->server[0].cookie.there);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_has_no_more_children_than_it_said),
        cmocka_unit_test(a_child_may_fill_the_window_of_its_syn),
        cmocka_unit_test(a_child_outlives_its_listener_once_it_is_accepted),
        cmocka_unit_test(a_child_that_nobody_answers_is_given_up),
        cmocka_unit_test(an_older_key_counts_and_is_replaced),
        cmocka_unit_test(a_listener_may_have_its_own_key),
        cmocka_unit_test(a_cookie_needs_no_key_to_be_set),
        cmocka_unit_test(icmp_ends_a_child_that_was_not_accepted),
        cmocka_unit_test(text_fits_what_the_peer_said_last),
        cmocka_unit_test(text_makes_room_for_ip_options),
        cmocka_unit_test(a_refused_syn_with_text_tells_why),
        cmocka_unit_test(a_connect_that_waits_for_text_is_silent),
        cmocka_unit_test(the_server_that_was_not_met_for_longest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
