/* Options of IPPROTO_TCP: level 6. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer.h"

enum { STREAM = 1 };

static int setup(void **state)
{
    static struct peer p;
    peer_init(&p);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    peer_free(*state);
    return 0;
}

static struct sock *new_sock(struct peer *p, int type, int protocol)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->st->socks, 2, type, protocol, &s), 0);
    return s;
}

static int set(struct sock *s, int level, int name, int value)
{
    return sock_setopt(s, level, name, &value, sizeof value);
}

static int get(struct sock *s, int level, int name)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, level, name, &value, &len), 0);
    assert_int_equal(len, 4);
    return value;
}

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_congestion_controller_goes_by_name),
        T(maxseg_is_announced_and_told),
        T(tcp_info_begins_with_the_state),
        T(a_listener_tells_how_many_wait),
        T(nodelay_takes_effect_at_once),
        T(cork_holds_small_segments_until_it_is_taken_off),
        T(keepalive_options_take_effect_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
