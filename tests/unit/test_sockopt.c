/* Options by Linux's numbers, in Linux's layouts and ranges. Levels: 1 is SOL_SOCKET, 6
 * is IPPROTO_TCP. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer.h"

enum { STREAM = 1, DATAGRAM = 2, ICMP = 1 };

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

static void numbers_have_linuxs_defaults(void **state)
{
    static const struct {
        int level, name, value;
    } row[] = {
        { 1, 2, 0 },       /* SO_REUSEADDR */
        { 1, 3, 1 },       /* SO_TYPE */
        { 1, 4, 0 },       /* SO_ERROR */
        { 1, 9, 0 },       /* SO_KEEPALIVE */
        { 1, 30, 0 },      /* SO_ACCEPTCONN */
        { 1, 38, 6 },      /* SO_PROTOCOL */
        { 1, 39, 2 },      /* SO_DOMAIN */
        { 6, 1, 0 },       /* TCP_NODELAY */
        { 6, 2, 536 },     /* TCP_MAXSEG */
        { 6, 3, 0 },       /* TCP_CORK */
        { 6, 4, 7200 },    /* TCP_KEEPIDLE */
        { 6, 5, 75 },      /* TCP_KEEPINTVL */
        { 6, 6, 9 },       /* TCP_KEEPCNT */
        { 1, 7, 1048576 }, /* SO_SNDBUF: tcp_wmem's default */
        { 1, 8, 1048576 }, /* SO_RCVBUF: tcp_rmem's default */
    };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(get(s, row[i].level, row[i].name), row[i].value);
    sock_close(s);
}

static void what_is_set_is_told_before_and_after_connecting(void **state)
{
    static const struct {
        int level, name, value, told;
    } row[] = {
        { 1, 2, 5, 1 },     { 1, 2, 0, 0 },         { 1, 9, 1, 1 },
        { 6, 1, 7, 1 },     { 6, 3, 1, 1 },         { 6, 3, 0, 0 },
        { 6, 4, 1, 1 },     { 6, 4, 32767, 32767 }, { 6, 5, 30, 30 },
        { 6, 6, 127, 127 }, { 1, 8, 5000, 10000 },  { 1, 7, 5000, 10000 },
    };
    struct peer *p = *state;
    struct sock *s[3] = { new_sock(p, STREAM, 0), peer_establish(p, "<mss 1460>"),
                          peer_listen(p, 81) };
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < ARRAY_LEN(row); i++) {
            assert_int_equal(set(s[k], row[i].level, row[i].name, row[i].value), 0);
            assert_int_equal(get(s[k], row[i].level, row[i].name), row[i].told);
        }
    for (int k = 0; k < 3; k++)
        sock_close(s[k]);
}

static void values_out_of_range_are_invalid(void **state)
{
    static const struct {
        int name, value;
    } row[] = { { 4, 0 }, { 4, 32768 }, { 4, -1 }, { 5, 0 },  { 5, 32768 },
                { 6, 0 }, { 6, 128 },   { 2, 87 }, { 2, -1 }, { 2, 32768 } };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(set(s, 6, row[i].name, row[i].value), -EINVAL);
    sock_close(s);
}

static void what_can_only_be_read_cannot_be_set(void **state)
{
    static const struct {
        int level, name;
    } row[] = { { 1, 3 }, { 1, 4 }, { 1, 30 }, { 1, 38 }, { 1, 39 }, { 6, 11 } };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(set(s, row[i].level, row[i].name, 1), -ENOPROTOOPT);
    sock_close(s);
}

static void what_is_not_built_is_no_option(void **state)
{
    static const struct {
        int level, name;
    } row[] = {
        { 1, 0 },  { 1, 1 },   { 1, 6 },  { 1, 10 },  { 1, 12 }, { 1, 15 }, { 1, 18 },
        { 1, 25 }, { 1, 36 },  { 6, 0 },  { 6, 7 },   { 6, 8 },  { 6, 9 },  { 6, 10 },
        { 6, 12 }, { 6, 14 },  { 6, 18 }, { 6, 23 },  { 0, 3 },  { 0, 8 },  { 41, 26 },
        { 17, 1 }, { 257, 3 }, { -1, 1 }, { 1, 258 },
    };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        int value = 1;
        size_t len = sizeof value;
        assert_int_equal(set(s, row[i].level, row[i].name, 1), -ENOPROTOOPT);
        assert_int_equal(sock_getopt(s, row[i].level, row[i].name, &value, &len),
                         -ENOPROTOOPT);
    }
    sock_close(s);
}

static void datagram_sockets_have_no_tcp_options(void **state)
{
    static const int protocol[] = { 17, ICMP };
    for (size_t i = 0; i < ARRAY_LEN(protocol); i++) {
        struct sock *s = new_sock(*state, DATAGRAM, protocol[i]);
        assert_int_equal(set(s, 6, 1, 1), -ENOPROTOOPT);
        assert_int_equal(get(s, 1, 3), 2);
        assert_int_equal(get(s, 1, 38), protocol[i]);
        assert_int_equal(get(s, 1, 7), 212992);
        assert_int_equal(get(s, 1, 8), 212992);
        assert_int_equal(set(s, 1, 8, 3000), 0);
        assert_int_equal(get(s, 1, 8), 6000);
        assert_int_equal(set(s, 1, 9, 1), 0);
        sock_close(s);
    }
}

static void a_short_value_is_invalid_and_a_long_one_cut(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0);
    uint8_t bytes[64] = { 1 };
    size_t len = 2;
    assert_int_equal(sock_setopt(s, 6, 1, bytes, 3), -EINVAL);
    assert_int_equal(sock_setopt(s, 6, 1, bytes, 8), 0);
    assert_int_equal(sock_setopt(s, 1, 13, bytes, 7), -EINVAL);
    assert_int_equal(sock_setopt(s, 1, 20, bytes, 15), -EINVAL);
    assert_int_equal(sock_setopt(s, 6, 13, bytes, 0), -EINVAL);
    assert_int_equal(sock_getopt(s, 6, 1, bytes, &len), 0);
    assert_int_equal(len, 2);
    len = 64;
    assert_int_equal(sock_getopt(s, 6, 1, bytes, &len), 0);
    assert_int_equal(len, 4);
    sock_close(s);
}

/* Linux: SOCK_MIN_SNDBUF 4608, SOCK_MIN_RCVBUF 2304; a negative number is very much;
 * the most is ours: tcp_wmem's and tcp_rmem's third number. */
static void buffer_sizes_are_doubled_and_bounded(void **state)
{
    static const struct {
        int name, value, told;
    } row[] = {
        { 7, 0, 4608 },     { 7, 2304, 4608 },       { 7, 2305, 4610 },
        { 8, 0, 2304 },     { 8, 1152, 2304 },       { 8, 1153, 2306 },
        { 7, -1, 4194304 }, { 7, 1 << 30, 4194304 }, { 8, 1 << 30, 6291456 },
        { 8, -1, 6291456 },
    };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        assert_int_equal(set(s, 1, row[i].name, row[i].value), 0);
        assert_int_equal(get(s, 1, row[i].name), row[i].told);
    }
    sock_close(s);
}

static void linger_is_two_numbers(void **state)
{
    static const int on[2] = { 1, 30 }, off[2] = { 0, 99 }, forever[2] = { 1, -1 };
    struct sock *s = new_sock(*state, STREAM, 0);
    int got[2];
    size_t len = sizeof got;
    assert_int_equal(sock_setopt(s, 1, 13, on, sizeof on), 0);
    assert_int_equal(sock_getopt(s, 1, 13, got, &len), 0);
    assert_int_equal(len, 8);
    assert_memory_equal(got, on, sizeof on);
    assert_int_equal(sock_setopt(s, 1, 13, off, sizeof off), 0);
    assert_int_equal(sock_getopt(s, 1, 13, got, &len), 0);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], 30);
    assert_int_equal(sock_setopt(s, 1, 13, forever, sizeof forever), 0);
    assert_int_equal(s->linger_sec, 2147483647);
    sock_close(s);
}

static void timeouts_are_a_timeval(void **state)
{
    static const struct {
        int64_t sec, usec;
        int result;
        int64_t timeout;
    } row[] = {
        { 2, 500000, 0, 2500000 }, { 0, 0, 0, 0 },      { 0, 1, 0, 1 },
        { 1, 1000000, -EDOM, 0 },  { 1, -1, -EDOM, 0 }, { -5, 0, 0, 1 },
        { INT64_MAX, 0, 0, 0 },
    };
    static const int name[] = { 20, 21 };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < ARRAY_LEN(row); i++) {
            int64_t value[2] = { row[i].sec, row[i].usec };
            s->rcv_timeout = s->snd_timeout = 0;
            assert_int_equal(sock_setopt(s, 1, name[k], value, 16), row[i].result);
            assert_int_equal(k ? s->snd_timeout : s->rcv_timeout, row[i].timeout);
            assert_int_equal(k ? s->rcv_timeout : s->snd_timeout, 0);
        }
    int64_t got[2];
    size_t len = sizeof got;
    s->rcv_timeout = 3000007;
    assert_int_equal(sock_getopt(s, 1, 20, got, &len), 0);
    assert_int_equal(len, 16);
    assert_int_equal(got[0], 3);
    assert_int_equal(got[1], 7);
    sock_close(s);
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

static void so_error_of_a_datagram_socket_is_its_own(void **state)
{
    struct sock *u = new_sock(*state, DATAGRAM, 17);
    u->udp->error = -ECONNREFUSED;
    assert_int_equal(get(u, 1, 4), ECONNREFUSED);
    assert_int_equal(get(u, 1, 4), 0);
    sock_close(u);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(numbers_have_linuxs_defaults),
        T(what_is_set_is_told_before_and_after_connecting),
        T(values_out_of_range_are_invalid),
        T(what_can_only_be_read_cannot_be_set),
        T(what_is_not_built_is_no_option),
        T(datagram_sockets_have_no_tcp_options),
        T(a_short_value_is_invalid_and_a_long_one_cut),
        T(buffer_sizes_are_doubled_and_bounded),
        T(linger_is_two_numbers),
        T(timeouts_are_a_timeval),
        T(the_congestion_controller_goes_by_name),
        T(maxseg_is_announced_and_told),
        T(tcp_info_begins_with_the_state),
        T(a_listener_tells_how_many_wait),
        T(nodelay_takes_effect_at_once),
        T(cork_holds_small_segments_until_it_is_taken_off),
        T(keepalive_options_take_effect_at_once),
        T(so_error_of_a_datagram_socket_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
