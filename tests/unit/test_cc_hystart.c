/* When a queue begins to grow: trains of ACKs and delay, without a connection. Segments
 * are 1000 bytes, the path takes 100 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tcp/cc.h"

enum { TRAIN = 1, DELAY = 2 };

static struct cc cc;
static struct hystart h;
static struct cc_ack ack;

/* A window of so many segments, all of it out; 100 ms is the smallest round trip. */
static void begin(uint8_t hystart, uint32_t segments)
{
    cc = (struct cc){ .mss = 1000, .cwnd = segments * 1000 };
    h = (struct hystart){ 0 };
    ack = (struct cc_ack){
        .now = 1000000, .min_rtt = 100000, .nxt = segments * 1000, .hystart = hystart
    };
}

/* The next segment is acknowledged, so long after the last one, with this sample. */
static bool next(int64_t after, int64_t rtt)
{
    ack.now += after;
    ack.rtt = rtt;
    ack.una += 1000;
    return hystart_ends(&h, &cc, &ack);
}

/* Above by an eighth, 12.5 ms; the first eight samples of a round decide nothing. */
static void the_ninth_sample_of_a_round_tells_of_delay(void **state)
{
    static const struct {
        int64_t rtt;
        bool ends;
    } row[] = { { 112500, false }, { 112501, true }, { 100000, false } };
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        begin(DELAY, 20);
        for (int k = 0; k < 8; k++)
            assert_false(next(5000, row[i].rtt));
        assert_int_equal(next(5000, row[i].rtt), row[i].ends);
    }
}

/* Short and long paths: 4 and 16 ms. */
static void the_delay_has_bounds(void **state)
{
    static const struct {
        int64_t min_rtt, rtt;
        bool ends;
    } row[] = { { 1000, 5000, false },
                { 1000, 5001, true },
                { 400000, 416000, false },
                { 400000, 416001, true } };
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        bool ends = false;

        begin(DELAY, 20);
        ack.min_rtt = row[i].min_rtt;
        for (int k = 0; k < 9; k++)
            ends = next(5000, row[i].rtt);
        assert_int_equal(ends, row[i].ends);
    }
}

static void one_short_sample_clears_its_round(void **state)
{
    (void)state;
    begin(DELAY, 20);
    for (int k = 0; k < 20; k++)
        assert_false(next(5000, k == 7 ? 101000 : 150000));
}

/* What was sent after the round began begins the next one. */
static void samples_are_counted_anew_in_each_round(void **state)
{
    (void)state;
    begin(DELAY, 16);
    ack.una = 8000;
    for (int k = 0; k < 8; k++)
        assert_false(next(5000, 150000));
    ack.nxt = 40000;
    for (int k = 0; k < 8; k++)
        assert_false(next(5000, 150000));
    assert_true(next(5000, 150000));
}

/* Half of the smallest round trip, 50 ms, without a gap of more than 2 ms. */
static void a_train_of_acks_fills_half_a_round_trip(void **state)
{
    (void)state;
    begin(TRAIN, 100);
    assert_false(next(0, 100000));
    for (int k = 0; k < 25; k++)
        assert_false(next(2000, 100000));
    assert_true(next(1, 100000));
}

static void a_gap_ends_a_train(void **state)
{
    (void)state;
    begin(TRAIN, 100);
    assert_false(next(0, 100000));
    for (int k = 0; k < 10; k++)
        assert_false(next(2000, 100000));
    for (int k = 0; k < 50; k++)
        assert_false(next(2001, 100000));
}

static void neither_is_looked_for_where_it_is_off_or_the_window_is_small(void **state)
{
    static const struct {
        uint8_t hystart;
        uint32_t segments;
        bool ends;
    } row[] = { { 0, 20, false },
                { DELAY, 15, false },
                { DELAY, 16, true },
                { TRAIN, 20, false } };
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        bool ends = false;

        begin(row[i].hystart, row[i].segments);
        for (int k = 0; k < 9; k++)
            ends = next(5000, 200000);
        assert_int_equal(ends, row[i].ends);
    }
}

static void an_ack_without_a_sample_tells_nothing(void **state)
{
    (void)state;
    begin(TRAIN | DELAY, 20);
    for (int k = 0; k < 20; k++)
        assert_false(next(5000, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ninth_sample_of_a_round_tells_of_delay),
        cmocka_unit_test(the_delay_has_bounds),
        cmocka_unit_test(one_short_sample_clears_its_round),
        cmocka_unit_test(samples_are_counted_anew_in_each_round),
        cmocka_unit_test(a_train_of_acks_fills_half_a_round_trip),
        cmocka_unit_test(a_gap_ends_a_train),
        cmocka_unit_test(neither_is_looked_for_where_it_is_off_or_the_window_is_small),
        cmocka_unit_test(an_ack_without_a_sample_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
