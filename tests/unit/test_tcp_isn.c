/* Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 s5.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tcp/tcp_demux.h"

struct world {
    struct net net;
    struct tcp tcp;
};

static struct world *world(uint64_t key)
{
    static struct world w;
    w = (struct world){ .net.secret.k = { key, 2 } };
    w.tcp.net = &w.net;
    return &w;
}

static struct tcp_slot tuple(void)
{
    return (struct tcp_slot){ .local = ip4_addr(0xc0000202u),
                              .remote = ip4_addr(0xc0000201u),
                              .local_port = 80,
                              .remote_port = 40000 };
}

/* RFC 6528 s3 (SHLD-isn-formula), RFC 9293 s3.4.1 (MUST-8, SHLD-1): a clock of four
 * microseconds. */
static void the_number_grows_by_one_every_four_microseconds(void **state)
{
    struct tcp_slot slot = tuple();
    (void)state;
    struct world *w = world(1);
    uint32_t first = tcp_isn(&w->tcp, &slot).n;
    w->net.now = 3;
    assert_int_equal(tcp_isn(&w->tcp, &slot).n - first, 0);
    w->net.now = 4;
    assert_int_equal(tcp_isn(&w->tcp, &slot).n - first, 1);
    w->net.now = 4000000;
    assert_int_equal(tcp_isn(&w->tcp, &slot).n - first, 1000000);
    w->net.now = 4ll << 32; /* it wraps after 4.77 hours */
    assert_int_equal(tcp_isn(&w->tcp, &slot).n - first, 0);
}

/* Bug class 23: the same number after a restart. */
static void a_restart_goes_on_where_real_time_is(void **state)
{
    struct tcp_slot slot = tuple();
    (void)state;
    struct world *w = world(1);
    uint32_t first = tcp_isn(&w->tcp, &slot).n;
    w->net.epoch = 1000000;
    assert_int_equal(tcp_isn(&w->tcp, &slot).n - first, 250000);
    w->net.now = 8;
    assert_int_equal(tcp_isn(&w->tcp, &slot).n - first, 250002);
}

/* RFC 9293 s3.4.1 (MUST-9). RFC 6528 s3 (MUST-isn-secret): F() of all four, and of a
 * key. */
static void every_part_of_the_four_tuple_and_the_key_changes_it(void **state)
{
    (void)state;
    struct tcp_slot slot[6];
    uint32_t isn[7], offset[7];
    for (int i = 0; i < 6; i++)
        slot[i] = tuple();
    slot[1].local = ip4_addr(0xc0000203u);
    slot[2].remote = ip4_addr(0xc0000203u);
    slot[3].local_port = 81;
    slot[4].remote_port = 40001;
    slot[5].local_port = 40000; /* both ports swapped */
    slot[5].remote_port = 80;
    for (int i = 0; i < 6; i++) {
        isn[i] = tcp_isn(&world(1)->tcp, &slot[i]).n;
        offset[i] = tcp_ts_offset(&world(1)->tcp, &slot[i]);
        assert_int_equal(tcp_isn(&world(1)->tcp, &slot[i]).n, isn[i]);
    }
    isn[6] = tcp_isn(&world(9)->tcp, &slot[0]).n;
    offset[6] = tcp_ts_offset(&world(9)->tcp, &slot[0]);
    for (int i = 0; i < 7; i++) {
        assert_int_not_equal(isn[i], offset[i]);
        for (int j = 0; j < i; j++) {
            assert_int_not_equal(isn[i], isn[j]);
            assert_int_not_equal(offset[i], offset[j]);
        }
    }
}

/* RFC 7323 s5.4, s7 (SHLD-ts-offset): an offset does not move with time; the clock
 * does. */
static void a_timestamp_offset_stays(void **state)
{
    struct tcp_slot slot = tuple();
    (void)state;
    struct world *w = world(1);
    uint32_t first = tcp_ts_offset(&w->tcp, &slot);
    w->net.now = 123456789;
    w->net.epoch = 5000000;
    assert_int_equal(tcp_ts_offset(&w->tcp, &slot), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_grows_by_one_every_four_microseconds),
        cmocka_unit_test(a_restart_goes_on_where_real_time_is),
        cmocka_unit_test(every_part_of_the_four_tuple_and_the_key_changes_it),
        cmocka_unit_test(a_timestamp_offset_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
