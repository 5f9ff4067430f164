#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_up.h"

/* Requirements of the RFCs beside 9293 that no test of a single file shows whole. The
 * controller is Reno, segments have 1000 bytes, the path takes 100 ms. */

static struct peer p;

static void start(void)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_congestion_control", "reno");
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* n segments of 100 bytes are out, too small for IsLost() to count in bytes. */
static struct sock *sending_small(unsigned n)
{
    start();
    struct sock *s = peer_up_sack(&p);
    peer_option(s, 6, 1, 1); /* IPPROTO_TCP, TCP_NODELAY */
    for (unsigned i = 0; i < n; i++)
        peer_write(&p, s, 100);
    peer_skip(&p);
    peer_wait(&p, 100 * MS);
    return s;
}

/* --- RFC 6675 --- */

/* RFC 6675 s5: two, and two, are not three. */
static void a_cumulative_ack_begins_the_count_of_duplicates_anew(void **state)
{
    struct sock *s = sending_small(8);
    peer_ack(&p, 1, "<sack 101:201>");
    peer_ack(&p, 1, "<sack 101:301>");
    peer_ack(&p, 301, "");
    peer_ack(&p, 301, "<sack 401:501>");
    peer_ack(&p, 301, "<sack 401:601>");
    peer_expect_nothing(&p);
    peer_ack(&p, 301, "<sack 401:701>");
    peer_expect(&p, "P. 301:401(100) ack 1");
    end(s);
}

/* RFC 6675 s2, s5: an ACK that moves on and sacks something new is the
 * first of three. */
static void a_cumulative_ack_that_sacks_something_new_is_a_duplicate(void **state)
{
    struct sock *s = sending_small(8);
    peer_ack(&p, 101, "<sack 201:301>");
    peer_ack(&p, 101, "<sack 201:401>");
    peer_expect_nothing(&p);
    peer_ack(&p, 101, "<sack 201:501>");
    peer_expect(&p, "P. 101:201(100) ack 1");
    end(s);
}

/* RFC 2883 s4: a block below the ACK tells of a duplicate, of nothing new. */
static void a_block_below_the_ack_does_not_count(void **state)
{
    struct sock *s = sending_small(8);
    peer_ack(&p, 201, "<sack 101:201>");
    peer_ack(&p, 201, "<sack 301:401>");
    peer_ack(&p, 201, "<sack 301:501>");
    peer_expect_nothing(&p);
    peer_ack(&p, 201, "<sack 301:601>");
    peer_expect(&p, "P. 201:301(100) ack 1");
    end(s);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(a_cumulative_ack_begins_the_count_of_duplicates_anew),
        T(a_cumulative_ack_that_sacks_something_new_is_a_duplicate),
        T(a_block_below_the_ack_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#undef T
}
