#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/netem_rig.h"
#include "wire/tcp_wire.h"

static void without_a_fault_a_frame_comes_out_at_once(void **state)
{
    struct netem_rig w;
    struct pkt *p;

    rig_init(&w, "", RIG_IN, 1);
    assert_true(netem_deadline(&w.netem) == INT64_MAX);
    assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 42, 60), 1000), 0);
    assert_int_equal(netem_deadline(&w.netem), 1000);
    p = netem_take(&w.netem, 1000);
    assert_non_null(p);
    assert_int_equal(rig_number(p), 42);
    assert_int_equal(p->len, 60);
    assert_null(netem_take(&w.netem, 1000));
    pkt_free(p);
    rig_free(&w);
}

static void delay_holds_every_frame_exactly_that_long_in_both_directions(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig w;

        rig_init(&w, "delay 20ms", way, 1);
        for (usec i = 0; i < 100; i++)
            assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 0, 60), i * 1000),
                             0);
        for (usec i = 0; i < 100; i++) {
            assert_int_equal(netem_deadline(&w.netem), 20000 + i * 1000);
            assert_int_equal(rig_drain(&w, 20000 + i * 1000 - 1), 0);
            assert_int_equal(rig_drain(&w, 20000 + i * 1000), 1);
        }
        assert_int_equal(w.netem.passed, 100);
        rig_free(&w);
    }
}

static void a_fault_for_one_direction_leaves_the_other_alone(void **state)
{
    struct netem_rig in, out;

    rig_init(&in, "in:delay 20ms in:loss 100%", RIG_IN, 1);
    rig_init(&out, "in:delay 20ms in:loss 100%", RIG_OUT, 1);
    netem_offer(&in.netem, rig_numbered(&in, 0, 60), 0);
    netem_offer(&out.netem, rig_numbered(&out, 0, 60), 0);
    assert_int_equal(rig_drain(&in, 1000000), 0);
    assert_int_equal(rig_drain(&out, 0), 1);
    rig_free(&in);
    rig_free(&out);
}

static void jitter_spreads_the_delay_evenly_within_its_bounds(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        unsigned fifth[5] = { 0 };
        struct netem_rig w;

        rig_init(&w, "delay 20ms 5ms", way, 1);
        for (usec i = 0; i < 1000; i++) {
            usec late;

            netem_offer(&w.netem, rig_numbered(&w, 0, 60), i * 100000);
            late = netem_deadline(&w.netem) - i * 100000;
            assert_in_range(late, 15000, 25000);
            fifth[(late - 15000) / 2001]++;
            assert_int_equal(rig_drain(&w, i * 100000 + 25000), 1);
        }
        /* 200 expected in each, standard deviation 13. */
        for (int i = 0; i < 5; i++)
            assert_in_range(fifth[i], 150, 250);
        rig_free(&w);
    }
}

static void jitter_keeps_the_order_of_frames(void **state)
{
    struct netem_rig w;
    usec last = 0;

    rig_init(&w, "delay 20ms 20ms", RIG_OUT, 7);
    for (int i = 0; i < 200; i++)
        netem_offer(&w.netem, rig_numbered(&w, (uint32_t)i, 60), i * 100);
    for (int i = 0; i < 200; i++) {
        usec at = netem_deadline(&w.netem);
        struct pkt *p = netem_take(&w.netem, at);

        assert_true(at >= last && at >= i * 100 && at <= 40000 + i * 100);
        assert_int_equal(rig_number(p), i);
        last = at;
        pkt_free(p);
    }
    rig_free(&w);
}

static void jitter_above_the_delay_never_delivers_before_the_offer(void **state)
{
    struct netem_rig w;

    rig_init(&w, "delay 1ms 10ms", RIG_IN, 3);
    for (usec i = 0; i < 200; i++) {
        netem_offer(&w.netem, rig_numbered(&w, 0, 60), i * 50000);
        assert_in_range(netem_deadline(&w.netem), i * 50000, i * 50000 + 11000);
        assert_int_equal(rig_drain(&w, i * 50000 + 11000), 1);
    }
    rig_free(&w);
}

static unsigned lost_of_1000(enum rig_way way, const char *spec, uint64_t seed)
{
    struct netem_rig w;
    unsigned lost = 0;

    rig_init(&w, spec, way, seed);
    for (int i = 0; i < 1000; i++) {
        int err = netem_offer(&w.netem, rig_numbered(&w, 0, 60), i);

        assert_true(err == 0 || err == -(int)DROP_NETEM_LOSS - 1);
        lost += err < 0;
        assert_int_equal(rig_drain(&w, i), err == 0 ? 1 : 0);
    }
    assert_int_equal(w.netem.offered, 1000);
    assert_int_equal(w.netem.lost, lost);
    assert_int_equal(w.netem.passed, 1000 - lost);
    assert_int_equal(w.count.drop[DROP_NETEM_LOSS], lost);
    rig_free(&w);
    return lost;
}

static void loss_takes_its_share_in_both_directions(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        assert_int_equal(lost_of_1000(way, "loss 0%", 1), 0);
        assert_int_equal(lost_of_1000(way, "loss 100%", 1), 1000);
        /* 100 expected, standard deviation 9.5: five of them either way. */
        for (uint64_t seed = 1; seed <= 50; seed++)
            assert_in_range(lost_of_1000(way, "loss 10%", seed), 53, 147);
    }
}

static void the_seed_decides_the_fate_of_every_frame(void **state)
{
    assert_int_equal(lost_of_1000(RIG_IN, "loss 10%", 1), 104);
    assert_int_equal(lost_of_1000(RIG_OUT, "loss 10%", 1), 104);
    assert_int_equal(lost_of_1000(RIG_IN, "loss 10%", 2), 85);
}

static void the_limit_counts_frames_in_flight(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig w;

        rig_init(&w, "delay 10ms limit 10", way, 1);
        for (int i = 0; i < 10; i++)
            assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 0, 60), i), 0);
        assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 0, 60), 10),
                         -(int)DROP_NETEM_LIMIT - 1);
        assert_int_equal(w.count.drop[DROP_NETEM_LIMIT], 1);
        assert_int_equal(rig_drain(&w, 10000), 1);
        assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 0, 60), 10000), 0);
        assert_int_equal(rig_drain(&w, 20000), 10);
        rig_free(&w);
    }
}

static void the_limit_is_1000_when_none_is_given(void **state)
{
    struct netem_rig w;

    rig_init(&w, "delay 10ms", RIG_IN, 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 0, 60), 0), 0);
    assert_true(netem_offer(&w.netem, rig_numbered(&w, 0, 60), 0) < 0);
    rig_free(&w);
}

static void the_script_counts_what_is_offered_not_what_loss_leaves(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct netem_rig w;

        rig_init(&w, "loss 50% drop data:5", RIG_IN, seed);
        for (int i = 1; i <= 10; i++) {
            struct rig_segment s = { TCP_ACK, 100, 1000, (uint32_t)i * 100, 0 };
            int err = netem_offer(&w.netem, rig_tcp(&w, s), 0);

            assert_int_equal(err == -(int)DROP_NETEM_SCRIPT - 1, i == 5);
        }
        rig_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_a_frame_comes_out_at_once),
        cmocka_unit_test(delay_holds_every_frame_exactly_that_long_in_both_directions),
        cmocka_unit_test(a_fault_for_one_direction_leaves_the_other_alone),
        cmocka_unit_test(jitter_spreads_the_delay_evenly_within_its_bounds),
        cmocka_unit_test(jitter_keeps_the_order_of_frames),
        cmocka_unit_test(jitter_above_the_delay_never_delivers_before_the_offer),
        cmocka_unit_test(loss_takes_its_share_in_both_directions),
        cmocka_unit_test(the_seed_decides_the_fate_of_every_frame),
        cmocka_unit_test(the_limit_counts_frames_in_flight),
        cmocka_unit_test(the_limit_is_1000_when_none_is_given),
        cmocka_unit_test(the_script_counts_what_is_offered_not_what_loss_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
