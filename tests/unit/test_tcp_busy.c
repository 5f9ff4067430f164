/* How long the sender was busy, and with what: TCP_INFO's three times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/peer.h"
#include "harness/peer_up.h"

static struct peer p;

static int setup(void **state)
{
    peer_init(&p);
    return 0;
}

static int teardown(void **state)
{
    peer_skip(&p);
    peer_free(&p);
    return 0;
}

struct times {
    uint64_t busy, rwnd, sndbuf; /* microseconds */
};

/* tcpi_busy_time and the two behind it. */
static struct times times_of(struct sock *s)
{
    uint8_t info[248];
    size_t len = sizeof info;
    struct times t;
    assert_int_equal(sock_getopt(s, 6, 11, info, &len), 0);
    memcpy(&t, info + 168, sizeof t);
    return t;
}

static void assert_times(struct sock *s, uint64_t busy, uint64_t rwnd, uint64_t sndbuf)
{
    struct times t = times_of(s);
    assert_int_equal(t.busy, busy);
    assert_int_equal(t.rwnd, rwnd);
    assert_int_equal(t.sndbuf, sndbuf);
}

static void busy_is_from_the_first_byte_to_the_last_ack(void **state)
{
    struct sock *s = peer_up(&p);
    peer_wait(&p, 50 * MS);
    peer_write(&p, s, 1000);
    peer_wait(&p, 100 * MS);
    assert_times(s, 100000, 0, 0);
    peer_ack(&p, 1001, "");
    peer_wait(&p, 50 * MS);
    assert_times(s, 100000, 0, 0);
    sock_close(s);
}

static void a_full_window_is_the_peers_time(void **state)
{
    struct sock *s = peer_up_win(&p, "<mss 1000>", 2000);
    peer_write(&p, s, 5000);
    peer_wait(&p, 100 * MS);
    assert_times(s, 100000, 100000, 0);
    peer_ack(&p, 2001, "");
    peer_wait(&p, 50 * MS); /* the rest is on its way */
    assert_times(s, 150000, 100000, 0);
    sock_close(s);
}

static void a_refused_user_is_the_send_buffers_time(void **state)
{
    static const uint8_t text[9000];
    const struct piece piece = { text, sizeof text };
    struct sock *s = peer_up(&p);
    peer_option(s, 1, 7, 2304); /* SO_SNDBUF: 4608 */
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 4608);
    peer_wait(&p, 10 * MS);
    assert_times(s, 10000, 0, 10000);
    sock_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(busy_is_from_the_first_byte_to_the_last_ack),
        T(a_full_window_is_the_peers_time),
        T(a_refused_user_is_the_send_buffers_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
