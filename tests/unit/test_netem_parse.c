#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "edge/netem.h"

static struct netem_spec parsed(const char *text)
{
    struct netem_spec spec;
    char why[160] = "";

    assert_int_equal(netem_parse(text, &spec, why, sizeof why), 0);
    assert_string_equal(why, "");
    return spec;
}

static void a_fault_without_prefix_is_for_both_directions(void **state)
{
    struct netem_spec s = parsed("delay 50ms 5ms loss 1% limit 100");

    for (int i = 0; i < 2; i++) {
        const struct netem_config *c = i ? &s.in : &s.out;

        assert_true(c->on);
        assert_int_equal(c->delay, 50000);
        assert_int_equal(c->jitter, 5000);
        assert_true(c->loss.share > 0.0099999 && c->loss.share < 0.0100001);
        assert_int_equal(c->limit, 100);
        assert_int_equal(c->script.n, 0);
    }
}

static void a_prefix_is_for_one_fault_in_one_direction(void **state)
{
    struct netem_spec s = parsed("in:delay 1s out:loss 50% limit 7");

    assert_int_equal(s.in.delay, 1000000);
    assert_int_equal(s.out.delay, 0);
    assert_true(s.in.loss.share == 0);
    assert_true(s.out.loss.share == 0.5);
    assert_int_equal(s.in.limit, 7);
    assert_int_equal(s.out.limit, 7);
}

static void a_direction_without_a_fault_is_off(void **state)
{
    struct netem_spec s = parsed("in:loss 1%");

    assert_true(s.in.on);
    assert_false(s.out.on);
    s = parsed("");
    assert_false(s.in.on);
    assert_false(s.out.on);
}

static void a_script_has_a_row_for_each_frame_it_names(void **state)
{
    struct netem_spec s = parsed("drop in:data:2,5 drop synack:each out:drop fin:1");

    assert_int_equal(s.in.script.n, 3);
    assert_int_equal(s.in.script.row[0].kind, NETEM_DATA);
    assert_int_equal(s.in.script.row[0].first, 2);
    assert_int_equal(s.in.script.row[1].kind, NETEM_DATA);
    assert_int_equal(s.in.script.row[1].first, 5);
    assert_int_equal(s.in.script.row[2].kind, NETEM_SYNACK);
    assert_int_equal(s.in.script.row[2].first, 0);
    assert_int_equal(s.out.script.n, 2);
    assert_int_equal(s.out.script.row[0].kind, NETEM_SYNACK);
    assert_int_equal(s.out.script.row[1].kind, NETEM_FIN);
    assert_int_equal(s.out.script.row[1].first, 1);
}

static void a_script_knows_ranges_copies_and_holds(void **state)
{
    struct netem_spec s = parsed("out:twice data:2-5,9 hold in:ack:3 300ms");
    const struct netem_row *row = s.out.script.row;

    assert_int_equal(s.out.script.n, 2);
    assert_int_equal(row[0].deed, NETEM_TWICE);
    assert_int_equal(row[0].first, 2);
    assert_int_equal(row[0].last, 5);
    assert_int_equal(row[1].first, 9);
    assert_int_equal(row[1].last, 9);
    assert_int_equal(s.in.script.n, 1);
    row = s.in.script.row;
    assert_int_equal(row[0].deed, NETEM_HOLD);
    assert_int_equal(row[0].kind, NETEM_ACK);
    assert_int_equal(row[0].first, 3);
    assert_int_equal(row[0].hold, 300000);
}

static bool near(double is, double wanted)
{
    return is > wanted - 1e-9 && is < wanted + 1e-9;
}

static void every_fault_of_netem_is_read_with_what_it_may_have(void **state)
{
    struct netem_spec s = parsed(
        "delay 20ms 5ms 25% distribution pareto loss random 5% 30% "
        "reorder 2% 50% gap 5 duplicate 1% 10% corrupt 0.5% 20% "
        "rate 10mbit -14 limit 100 codel target 10ms interval "
        "200ms ecn mtu 1400");
    const struct netem_config *c = &s.in;

    assert_memory_equal(&s.in, &s.out, sizeof s.in);
    assert_int_equal(c->spread, NETEM_PARETO);
    assert_true(near(c->delay_correlation, 0.25));
    assert_true(near(c->loss.share, 0.05) && near(c->loss.correlation, 0.3));
    assert_true(near(c->reorder.share, 0.02) && near(c->reorder.correlation, 0.5));
    assert_int_equal(c->gap, 5);
    assert_true(near(c->duplicate.share, 0.01) && near(c->duplicate.correlation, 0.1));
    assert_true(near(c->corrupt.share, 0.005) && near(c->corrupt.correlation, 0.2));
    assert_true(c->rate == 10000000);
    assert_int_equal(c->overhead, -14);
    assert_true(c->codel.on && c->ecn);
    assert_int_equal(c->codel.target, 10000);
    assert_int_equal(c->codel.interval, 200000);
    assert_int_equal(c->mtu, 1400);
}

static void what_is_left_out_has_the_value_of_tc(void **state)
{
    struct netem_spec s = parsed("delay 20ms 5ms loss gemodel 1% rate 1mbit codel");

    assert_int_equal(s.in.spread, NETEM_UNIFORM);
    assert_true(s.in.burst.on && near(s.in.burst.to_bad, 0.01));
    assert_true(near(s.in.burst.to_good, 0.99));
    assert_true(near(s.in.burst.bad_loss, 1) && near(s.in.burst.good_loss, 0));
    assert_int_equal(s.in.codel.target, 5000);
    assert_int_equal(s.in.codel.interval, 100000);
    s = parsed("loss gemodel 1% 10% 70% 0.1%");
    assert_true(near(s.in.burst.to_good, 0.1));
    assert_true(near(s.in.burst.bad_loss, 0.7) && near(s.in.burst.good_loss, 0.001));
}

static void a_later_fault_of_the_same_word_replaces_the_earlier_one(void **state)
{
    struct netem_spec s = parsed("delay 20ms 5ms 25% distribution normal in:delay 1ms "
                                 "loss gemodel 1% loss 2% reorder 1% gap 5 reorder 3%");

    assert_int_equal(s.in.delay, 1000);
    assert_int_equal(s.in.jitter, 0);
    assert_int_equal(s.out.jitter, 5000);
    assert_int_equal(s.out.spread, NETEM_NORMAL);
    assert_false(s.in.burst.on);
    assert_true(near(s.in.loss.share, 0.02));
    assert_int_equal(s.in.gap, 0);
}

static void what_one_direction_can_use_is_no_error_in_the_other(void **state)
{
    struct netem_spec s = parsed("in:loss 5% ecn out:rate 1mbit codel");

    assert_true(s.in.ecn && s.out.ecn && s.out.codel.on);
    assert_int_equal(s.in.rate, 0);
}

static void every_kind_of_frame_has_its_word(void **state)
{
    static const struct {
        const char *text;
        enum netem_kind kind;
    } row[] = {
        { "drop any:1", NETEM_ANY }, { "drop syn:1", NETEM_SYN },
        { "drop ack:1", NETEM_ACK }, { "drop synack:1", NETEM_SYNACK },
        { "drop fin:1", NETEM_FIN }, { "drop data:1", NETEM_DATA },
        { "drop rst:1", NETEM_RST },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(parsed(row[i].text).out.script.row[0].kind, row[i].kind);
}

static void what_is_not_understood_is_refused_with_its_word(void **state)
{
    static const struct {
        const char *text, *quoted;
    } row[] = {
        { "out:slot 1ms", "netem's 'slot' is not built" },
        { "loss state 1%", "'state' is not built" },
        { "seed 7", "netem's 'seed' is the option --seed" },
        { "delay 10ms gap 5", "'gap' belongs to reorder" },
        { "distribution normal", "'distribution' belongs to jitter" },
        { "delay 10ms distribution normal", "a distribution is that of jitter" },
        { "delay 10ms 1ms distribution gauss", "'gauss' is no distribution" },
        { "delay 10ms 2ms 101%", "'101%' is no percentage" },
        { "dealy 10ms", "'dealy' is no fault" },
        { "in:", "'' is no fault" },
        { "5ms", "'5ms' is no fault" },
        { "delay", "a time is missing" },
        { "delay 20", "'20' is no time" },
        { "delay ms", "'ms' is no time" },
        { "delay -1ms", "'-1ms' is no time" },
        { "delay 1.2.3ms", "'1.2.3ms' is no time" },
        { "delay 0x10ms", "'0x10ms' is no time" },
        { "delay 3601s", "'3601s' is no time" },
        { "delay 1e3ms", "'1e3ms' is no time" },
        { "delay 5ms 3", "jitter: '3' is no time" },
        { "loss", "a percentage is missing" },
        { "loss 5", "'5' is no percentage" },
        { "loss 101%", "'101%' is no percentage" },
        { "loss %", "'%' is no percentage" },
        { "loss 5% 101%", "'101%' is no percentage" },
        { "loss gemodel", "a percentage is missing" },
        { "loss gemodel 1% 10% 50% 5", "'5' is no percentage" },
        { "loss random", "a percentage is missing" },
        { "reorder", "a percentage is missing" },
        { "reorder 5% gap 0", "gap: '0' is no number from 1 to" },
        { "duplicate 5", "duplicate: '5' is no percentage" },
        { "corrupt x", "corrupt: 'x' is no percentage" },
        { "rate", "a rate is missing" },
        { "rate 10", "'10' is no rate" },
        { "rate 10mbit 1001", "'1001' is no overhead" },
        { "rate 10mbit -1001", "'-1001' is no overhead" },
        { "rate 10mbit 20 48", "cells ('48') are not built" },
        { "limit", "limit: a number is missing" },
        { "limit 0", "'0' is no number from 1 to 1000000" },
        { "limit 1000001", "'1000001' is no number" },
        { "limit ten", "'ten' is no number" },
        { "codel", "without a rate there is no queue" },
        { "in:codel out:rate 1mbit", "without a rate there is no queue" },
        { "rate 1mbit codel target", "a time is missing" },
        { "rate 1mbit codel interval 0ms", "above 0" },
        { "ecn", "nothing would be dropped" },
        { "delay 10ms ecn", "nothing would be dropped" },
        { "in:ecn out:loss 5%", "nothing would be dropped" },
        { "mtu", "mtu: a number is missing" },
        { "mtu 67", "67 is below the 68 bytes" },
        { "mtu 65536", "'65536' is no number" },
        { "mtu 1400 icmp", "'icmp' is no fault" },
        { "drop", "a kind of frame is missing" },
        { "drop data", "'data' lacks which of them" },
        { "drop psh:1", "'psh:1' begins with no kind of frame" },
        { "drop data:0", "'0' is no frame number" },
        { "drop data:1,,2", "'' is no frame number" },
        { "drop data:", "'' is no frame number" },
        { "drop data:every", "'every' is no frame number" },
        { "drop data:5-2", "'5-2' is no frame number" },
        { "drop data:0-2", "'0-2' is no frame number" },
        { "drop data:1-", "'1-' is no frame number" },
        { "drop data:1-2-3", "'1-2-3' is no frame number" },
        { "drop any:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
          "more than 16 numbers" },
        { "twice", "twice: a kind of frame is missing" },
        { "twice psh:1", "twice: 'psh:1' begins with no kind" },
        { "hold ack:3", "hold: a time is missing" },
        { "hold ack:3 later", "hold: 'later' is no time" },
        { "hold 300ms ack:3", "hold: '300ms' begins with no kind" },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct netem_spec spec;
        char why[160] = "";

        assert_int_equal(netem_parse(row[i].text, &spec, why, sizeof why), -EINVAL);
        if (!strstr(why, row[i].quoted))
            fail_msg("'%s' gave: %s", row[i].text, why);
    }
}

static void a_long_word_and_a_small_buffer_are_survived(void **state)
{
    struct netem_spec spec;
    char word[500], why[8];

    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    assert_int_equal(netem_parse(word, &spec, why, sizeof why), -EINVAL);
    assert_int_equal(strlen(why), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_without_prefix_is_for_both_directions),
        cmocka_unit_test(a_prefix_is_for_one_fault_in_one_direction),
        cmocka_unit_test(a_direction_without_a_fault_is_off),
        cmocka_unit_test(a_script_has_a_row_for_each_frame_it_names),
        cmocka_unit_test(a_script_knows_ranges_copies_and_holds),
        cmocka_unit_test(every_fault_of_netem_is_read_with_what_it_may_have),
        cmocka_unit_test(what_is_left_out_has_the_value_of_tc),
        cmocka_unit_test(a_later_fault_of_the_same_word_replaces_the_earlier_one),
        cmocka_unit_test(what_one_direction_can_use_is_no_error_in_the_other),
        cmocka_unit_test(every_kind_of_frame_has_its_word),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_word),
        cmocka_unit_test(a_long_word_and_a_small_buffer_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
