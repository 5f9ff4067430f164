#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/netem_codel.h"

static const struct netem_codel config = { true, 5000, 100000 };

/* A frame each millisecond for `ms`, all of which waited for `waited`: when the hits
 * were, in ms. How many there were. */
static unsigned hits(struct netem_codel_state *s, unsigned ms, usec waited,
                     unsigned *at)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ms; i++)
        if (netem_codel_hits(s, &config, 1000000 + i * 1000, waited, 100000) && n < 16)
            at[n++] = i;
    return n;
}

/* RFC 8289 s4: a frame is dropped when the waiting time was above the target for an
 * interval, the next ones after interval / sqrt(n). */
static void a_standing_queue_is_hit_after_an_interval_and_then_ever_sooner(void **state)
{
    /* 100, then 100 + 100 = 200, + 70.7, + 57.7, + 50, + 44.7, + 40.8 ms */
    static const unsigned want[] = { 100, 200, 271, 329, 379, 424, 464 };
    struct netem_codel_state s = { 0 };
    unsigned at[16];

    assert_int_equal(hits(&s, 480, 20000, at), 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(at[i], want[i]);
}

static void waiting_below_the_target_is_never_hit(void **state)
{
    struct netem_codel_state s = { 0 };
    unsigned at[16];

    assert_int_equal(hits(&s, 10000, 4999, at), 0);
    assert_int_equal(hits(&s, 10000, 0, at), 0);
}

static void a_queue_that_is_gone_within_the_interval_is_left_alone(void **state)
{
    struct netem_codel_state s = { 0 };

    for (usec i = 0; i < 1000; i++) {
        usec waited = i % 90 == 0 ? 1000 : 50000;

        assert_false(netem_codel_hits(&s, &config, 1000000 + i * 1000, waited, 100000));
    }
}

/* RFC 8289 s4.1: a link that would run dry is not made to. */
static void the_last_frame_of_a_queue_is_never_hit(void **state)
{
    struct netem_codel_state s = { 0 };

    for (usec i = 0; i < 1000; i++)
        assert_false(netem_codel_hits(&s, &config, 1000000 + i * 1000, 50000, 1514));
    for (usec i = 0; i < 99; i++)
        assert_false(netem_codel_hits(&s, &config, 2000000 + i * 1000, 50000, 1515));
    assert_false(netem_codel_hits(&s, &config, 2099000, 50000, 1515));
    assert_true(netem_codel_hits(&s, &config, 2100000, 50000, 1515));
}

static void one_good_frame_ends_the_dropping(void **state)
{
    struct netem_codel_state s = { 0 };
    unsigned at[16];

    assert_int_equal(hits(&s, 150, 20000, at), 1);
    assert_true(s.dropping);
    assert_false(netem_codel_hits(&s, &config, 1150000, 1000, 100000));
    assert_false(s.dropping);
    /* What follows has an interval of its own. */
    for (usec i = 0; i < 100; i++)
        assert_false(netem_codel_hits(&s, &config, 1151000 + i * 1000, 20000, 100000));
    assert_true(netem_codel_hits(&s, &config, 1251000, 20000, 100000));
}

/* RFC 8289 s5.5: soon after an episode the next one begins near its rate. */
static void an_episode_soon_after_another_starts_at_its_pace(void **state)
{
    struct netem_codel_state s = { 0 };
    unsigned at[16];
    usec now;

    assert_int_equal(hits(&s, 480, 20000, at), 7);
    netem_codel_hits(&s, &config, 1480000, 0, 100000);
    for (now = 1481000; !netem_codel_hits(&s, &config, now, 20000, 100000);)
        now += 1000;
    assert_int_equal(now, 1581000);
    /* Six more than at its beginning: 100 / sqrt(6) = 40.8. */
    for (now += 1000; !netem_codel_hits(&s, &config, now, 20000, 100000);)
        now += 1000;
    assert_int_equal(now, 1622000);
}

static void long_after_an_episode_the_pace_is_forgotten(void **state)
{
    struct netem_codel_state s = { 0 };
    unsigned at[16];
    usec now;

    assert_int_equal(hits(&s, 480, 20000, at), 7);
    netem_codel_hits(&s, &config, 1480000, 0, 100000);
    for (now = 9000000; !netem_codel_hits(&s, &config, now, 20000, 100000);)
        now += 1000;
    for (now += 1000; !netem_codel_hits(&s, &config, now, 20000, 100000);)
        now += 1000;
    assert_int_equal(now, 9200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_standing_queue_is_hit_after_an_interval_and_then_ever_sooner),
        cmocka_unit_test(waiting_below_the_target_is_never_hit),
        cmocka_unit_test(a_queue_that_is_gone_within_the_interval_is_left_alone),
        cmocka_unit_test(the_last_frame_of_a_queue_is_never_hit),
        cmocka_unit_test(one_good_frame_ends_the_dropping),
        cmocka_unit_test(an_episode_soon_after_another_starts_at_its_pace),
        cmocka_unit_test(long_after_an_episode_the_pace_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
