/* TCP_USER_TIMEOUT (RFC 9293 s3.8.3, RFC 5482), level 6, number 18, milliseconds: how
 * long text may stay unacknowledged. As on Linux it is counted from the first
 * repetition on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

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
    peer_free(&p);
    return 0;
}

static int error_of(struct sock *s)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, 1, 4, &value, &len), 0);
    return value;
}

/* RFC 9293 s3.8.3 (MUST-21): sent again after 300 and 900 ms; 1000 ms after the first
 * of those it is over, and no later. */
static void text_that_is_not_acknowledged_ends_the_connection(void **state)
{
    struct sock *s = peer_up(&p);
    peer_option(s, 6, 18, 1000);
    peer_write(&p, s, 1000);
    peer_expect(&p, "P. 1:1001(1000) ack 1");
    peer_expect_after(&p, 300 * MS, "P. 1:1001(1000) ack 1");
    peer_expect_after(&p, 600 * MS, "P. 1:1001(1000) ack 1");
    peer_expect_after(&p, 400 * MS, "R. 1001:1001(0) ack 1");
    assert_int_equal(error_of(s), ETIMEDOUT);
    sock_close(s);
}

static void an_acknowledgment_begins_it_anew(void **state)
{
    struct sock *s = peer_up(&p);
    peer_option(s, 6, 18, 500);
    peer_write(&p, s, 2000);
    peer_expect(&p, ". 1:1001(1000) ack 1");
    peer_expect(&p, "P. 1001:2001(1000) ack 1");
    peer_expect_after(&p, 300 * MS, ". 1:1001(1000) ack 1");
    peer_wait(&p, 400 * MS);
    peer_ack(&p, 1001, "");
    peer_wait(&p, 200 * MS);
    assert_int_equal(error_of(s), 0);
    sock_close(s);
    peer_skip(&p);
}

/* It takes the place of tcp_retries2, in both directions. */
static void it_may_last_longer_than_the_tries(void **state)
{
    peer_sysctl(&p, "net.ipv4.tcp_retries2", "1");
    struct sock *s = peer_up(&p);
    peer_option(s, 6, 18, 10000);
    peer_write(&p, s, 1000);
    peer_wait(&p, 10200 * MS);
    assert_int_equal(error_of(s), 0);
    peer_wait(&p, 100 * MS);
    assert_int_equal(error_of(s), ETIMEDOUT);
    sock_close(s);
    peer_skip(&p);
}

/* tcp(7): also where text is not sent because of a window of zero, though each probe is
 * answered. The first one leaves after 300 ms. */
static void a_window_that_stays_shut_ends_the_connection(void **state)
{
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_option(s, 6, 18, 1000);
    peer_write(&p, s, 1000);
    peer_expect_after(&p, 300 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 600 * MS, ". 0:0(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 1 win 0");
    peer_expect_after(&p, 400 * MS, "R. 1:1(0) ack 1");
    assert_int_equal(error_of(s), ETIMEDOUT);
    sock_close(s);
}

/* As on Linux, a SYN's is counted from the first one on. */
static void a_syn_has_it_beside_its_tries(void **state)
{
    struct sock *s = peer_tcp(&p);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    peer_option(s, 6, 18, 1500);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_expect_after(&p, SEC, "S 0:0(0) <...>");
    peer_wait(&p, 499 * MS);
    assert_int_equal(error_of(s), 0);
    peer_wait(&p, MS);
    assert_int_equal(error_of(s), ETIMEDOUT);
    peer_expect_nothing(&p);
    sock_close(s);
}

/* The SYN got through the second time; text has a time of its own. 3 s is the RTO after
 * a lost SYN (RFC 6298 s5.7). */
static void what_the_handshake_took_does_not_count(void **state)
{
    struct sock *s = peer_tcp(&p);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    peer_option(s, 6, 18, 2500);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_expect_after(&p, SEC, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000>");
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 1");
    peer_expect_after(&p, 3 * SEC, "P. 1:11(10) ack 1");
    peer_expect_after(&p, 2500 * MS, "R. 11:11(0) ack 1");
    assert_int_equal(error_of(s), ETIMEDOUT);
    sock_close(s);
}

/* As on Linux: it takes the place of TCP_KEEPCNT. */
static void probes_of_an_idle_peer_end_with_it(void **state)
{
    struct sock *s = peer_up(&p);
    peer_option(s, 6, 4, 10);
    peer_option(s, 6, 5, 5);
    peer_option(s, 6, 6, 9);
    peer_option(s, 6, 18, 12000);
    peer_option(s, 1, 9, 1);
    peer_expect_after(&p, 10 * SEC, ". 0:0(0) ack 1");
    peer_expect_after(&p, 5 * SEC, "R. 1:1(0) ack 1");
    assert_int_equal(error_of(s), ETIMEDOUT);
    sock_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(text_that_is_not_acknowledged_ends_the_connection),
        T(an_acknowledgment_begins_it_anew),
        T(it_may_last_longer_than_the_tries),
        T(a_window_that_stays_shut_ends_the_connection),
        T(a_syn_has_it_beside_its_tries),
        T(what_the_handshake_took_does_not_count),
        T(probes_of_an_idle_peer_end_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
