/* Round-trip time and retransmission time-out. */
#include "tcp/tcp_rtt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 6298 s2.1 (SHLD-rto-initial). */
static void before_the_first_sample_the_time_out_is_one_second(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    assert_int_equal(rtt_rto(&r, 0), 1000000);
    assert_int_equal(r.srtt, 0);
    assert_int_equal(r.min_rtt, 0);
    rtt_init(&r, 3000000, 200000, 120000000);
    assert_int_equal(rtt_rto(&r, 0), 3000000);
    rtt_init(&r, 1, 200000, 120000000);
    assert_int_equal(rtt_rto(&r, 0), 200000);
}

/* RFC 6298 s2.2 (MUST-rto-first). */
static void the_first_sample_sets_everything(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    rtt_sample(&r, 400000);
    assert_int_equal(r.srtt, 400000);
    assert_int_equal(r.rttvar, 200000);
    assert_int_equal(r.rto, 1200000);
    assert_int_equal(r.min_rtt, 400000);
    assert_int_equal(r.last, 400000);
}

/* RFC 6298 s2.3 (MUST-rto-next, MUST-rto-order, SHLD-rto-gains, MUST-rto-computed): the
 * variation is taken against the old SRTT. */
static void later_samples_are_smoothed(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    rtt_sample(&r, 1000000);
    rtt_sample(&r, 2000000);
    assert_int_equal(r.rttvar, 625000);
    assert_int_equal(r.srtt, 1125000);
    assert_int_equal(r.rto, 3625000);
    rtt_sample(&r, 325000);
    assert_int_equal(r.rttvar, 668750);
    assert_int_equal(r.srtt, 1025000);
    assert_int_equal(r.rto, 3700000);
}

/* RFC 6298 s1 (MUST-rto-bound): SRTT + 4 RTTVAR at least, however the path jumps; our
 * own minimum does not stand in for it. */
static void no_time_out_is_shorter_than_the_rules_make_it(void **state)
{
    static const struct {
        int64_t sample, rto;
    } row[] = {
        { 100000, 300000 },  /* 100000 + 4 * 50000 */
        { 900000, 1150000 }, /* 200000 + 4 * 237500 */
        { 100000, 1000000 }, /* 187500 + 4 * 203125 */
        { 500000, 1148438 }, /* 226563 + 4 * 230469 */
    };
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 1000, 120000000);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        rtt_sample(&r, row[i].sample);
        assert_in_range(r.rto, row[i].rto - 4, row[i].rto + 4);
    }
}

/* RFC 6298 s4 (MUST-rto-granularity). A steady path of 300 ms: a delayed ACK must not
 * look like a loss. */
static void the_variation_counts_as_rto_min_at_least(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    for (int i = 0; i < 100; i++)
        rtt_sample(&r, 300000);
    assert_int_equal(r.srtt, 300000);
    assert_int_equal(r.rto, 500000);
}

/* RFC 6298 s2.4 and s2.5. */
static void the_time_out_stays_between_its_bounds(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 1000000, 60000000);
    rtt_sample(&r, 50);
    assert_int_equal(r.rto, 1000050);
    rtt_sample(&r, 90000000);
    assert_int_equal(r.rto, 60000000);
}

static void a_sample_of_nothing_counts_as_a_microsecond(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    rtt_sample(&r, 0);
    assert_int_equal(r.srtt, 1);
    assert_int_equal(r.min_rtt, 1);
    assert_int_equal(r.rto, 200001);
}

static void the_smallest_sample_is_remembered(void **state)
{
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    rtt_sample(&r, 900);
    rtt_sample(&r, 300);
    rtt_sample(&r, 700);
    assert_int_equal(r.min_rtt, 300);
    assert_int_equal(r.last, 700);
}

/* RFC 9293 s3.8.2 (MUST-19). RFC 6298 s5.5 (MUST-rto-double): doubled each time, up to
 * the most. */
static void backing_off_doubles_up_to_rto_max(void **state)
{
    static const struct {
        unsigned backoff;
        usec rto;
    } row[] = {
        { 0, 1000000 },
        { 1, 2000000 },
        { 2, 4000000 },
        { 6, 64000000 },
        { 7, 120000000 },
        { 8, 120000000 },
        { 4000000000u, 120000000 },
    };
    struct rtt r;
    (void)state;
    rtt_init(&r, 0, 200000, 120000000);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(rtt_rto(&r, row[i].backoff), row[i].rto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_sample_the_time_out_is_one_second),
        cmocka_unit_test(the_first_sample_sets_everything),
        cmocka_unit_test(later_samples_are_smoothed),
        cmocka_unit_test(no_time_out_is_shorter_than_the_rules_make_it),
        cmocka_unit_test(the_variation_counts_as_rto_min_at_least),
        cmocka_unit_test(the_time_out_stays_between_its_bounds),
        cmocka_unit_test(a_sample_of_nothing_counts_as_a_microsecond),
        cmocka_unit_test(the_smallest_sample_is_remembered),
        cmocka_unit_test(backing_off_doubles_up_to_rto_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
