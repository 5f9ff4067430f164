/* Options of SOL_SOCKET: level 1. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/option.h"

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

static void so_error_of_a_datagram_socket_is_its_own(void **state)
{
    struct sock *u = new_sock(*state, DATAGRAM, 17);
    u->udp->error = -ECONNREFUSED;
    assert_int_equal(get(u, 1, 4), ECONNREFUSED);
    assert_int_equal(get(u, 1, 4), 0);
    sock_close(u);
}

/* socket(7), SO_RCVLOWAT: poll(2) says IN from so much on, or when no more can come. */
static void rcvlowat_bounds_what_is_readable(void **state)
{
    enum { IN = 1 };
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(set(s, 1, 18, 100), 0);
    peer_send(p, "P. 1:100(99) ack 1 win 65535");
    assert_int_equal(sock_readiness(s) & IN, 0);
    peer_send(p, "P. 100:101(1) ack 1 win 65535");
    assert_int_equal(sock_readiness(s) & IN, IN);
    peer_read(p, s, 50);
    assert_int_equal(sock_readiness(s) & IN, 0);
    peer_send(p, "F. 101:101(0) ack 1 win 65535");
    assert_int_equal(sock_readiness(s) & IN, IN);
    sock_close(s);
    peer_skip(p);
}

static void rcvlowat_is_half_the_buffer_at_most(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0), *u = new_sock(*state, DATAGRAM, 17);
    assert_int_equal(set(s, 1, 18, -1), 0);
    assert_int_equal(get(s, 1, 18), 524288);
    assert_int_equal(set(u, 1, 18, -1), 0);
    assert_int_equal(get(u, 1, 18), 2147483647);
    sock_close(s);
    sock_close(u);
}

/* Linux's SK_MEMINFO_VARS: nine numbers. */
static void meminfo_tells_what_is_held_and_allowed(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    uint32_t v[10];
    size_t len = sizeof v;
    peer_write(p, s, 10);
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    assert_int_equal(sock_getopt(s, 1, 55, v, &len), 0);
    assert_int_equal(len, 36);
    assert_true(v[0] >= 10);         /* receive memory */
    assert_int_equal(v[1], 1048576); /* SO_RCVBUF */
    assert_int_equal(v[3], 1048576); /* SO_SNDBUF */
    assert_true(v[5] >= 10);         /* send queue */
    sock_close(s);
    peer_skip(p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(buffer_sizes_are_doubled_and_bounded),
        T(linger_is_two_numbers),
        T(timeouts_are_a_timeval),
        T(so_error_of_a_datagram_socket_is_its_own),
        T(rcvlowat_bounds_what_is_readable),
        T(rcvlowat_is_half_the_buffer_at_most),
        T(meminfo_tells_what_is_held_and_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
