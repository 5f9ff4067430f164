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
        assert_true(c->loss > 0.0099999 && c->loss < 0.0100001);
        assert_int_equal(c->limit, 100);
        assert_int_equal(c->n_drop, 0);
    }
}

static void a_prefix_is_for_one_fault_in_one_direction(void **state)
{
    struct netem_spec s = parsed("in:delay 1s out:loss 50% limit 7");

    assert_int_equal(s.in.delay, 1000000);
    assert_int_equal(s.out.delay, 0);
    assert_true(s.in.loss == 0);
    assert_true(s.out.loss == 0.5);
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

static void times_have_a_unit_and_may_have_a_fraction(void **state)
{
    static const struct {
        const char *text;
        int64_t usec;
    } row[] = {
        { "delay 20ms", 20000 }, { "delay 20msec", 20000 },
        { "delay 1s", 1000000 }, { "delay 1sec", 1000000 },
        { "delay 500us", 500 },  { "delay 500usec", 500 },
        { "delay 1.5ms", 1500 }, { "delay 0.25s", 250000 },
        { "delay 0ms", 0 },      { "delay 3600s", 3600000000 },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(parsed(row[i].text).in.delay, row[i].usec);
}

static void a_script_has_a_row_for_each_frame_it_names(void **state)
{
    struct netem_spec s = parsed("drop in:data:2,5 drop synack:each out:drop fin:1");

    assert_int_equal(s.in.n_drop, 3);
    assert_int_equal(s.in.drop[0].what, NETEM_DATA);
    assert_int_equal(s.in.drop[0].nth, 2);
    assert_int_equal(s.in.drop[1].what, NETEM_DATA);
    assert_int_equal(s.in.drop[1].nth, 5);
    assert_int_equal(s.in.drop[2].what, NETEM_SYNACK);
    assert_int_equal(s.in.drop[2].nth, 0);
    assert_int_equal(s.out.n_drop, 2);
    assert_int_equal(s.out.drop[0].what, NETEM_SYNACK);
    assert_int_equal(s.out.drop[1].what, NETEM_FIN);
    assert_int_equal(s.out.drop[1].nth, 1);
}

static void every_kind_of_frame_has_its_word(void **state)
{
    static const struct {
        const char *text;
        enum netem_what what;
    } row[] = {
        { "drop any:1", NETEM_ANY }, { "drop syn:1", NETEM_SYN },
        { "drop ack:1", NETEM_ACK }, { "drop synack:1", NETEM_SYNACK },
        { "drop fin:1", NETEM_FIN }, { "drop data:1", NETEM_DATA },
        { "drop rst:1", NETEM_RST },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(parsed(row[i].text).out.drop[0].what, row[i].what);
}

static void what_is_not_understood_is_refused_with_its_word(void **state)
{
    static const struct {
        const char *text, *quoted;
    } row[] = {
        { "duplicate 1%", "'duplicate' is not built yet" },
        { "delay 10ms reorder 5%", "'reorder' is not built yet" },
        { "corrupt 0.1%", "'corrupt' is not built yet" },
        { "rate 10mbit", "'rate' is not built yet" },
        { "out:slot 1ms", "'slot' is not built yet" },
        { "loss gemodel 1% 10%", "'gemodel' is not built yet" },
        { "loss 5% 25%", "correlation ('25%') is not built yet" },
        { "delay 10ms 2ms 25%", "correlation ('25%') is not built yet" },
        { "delay 10ms distribution normal", "'distribution' is not built yet" },
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
        { "limit", "a number of frames is missing" },
        { "limit 0", "'0' is no number of frames" },
        { "limit 1000001", "'1000001' is no number of frames" },
        { "limit ten", "'ten' is no number of frames" },
        { "drop", "a kind of frame is missing" },
        { "drop data", "'data' lacks which of them" },
        { "drop psh:1", "'psh:1' begins with no kind of frame" },
        { "drop data:0", "'0' is no frame number" },
        { "drop data:1,,2", "'' is no frame number" },
        { "drop data:", "'' is no frame number" },
        { "drop data:every", "'every' is no frame number" },
        { "drop any:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16 frames" },
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
        cmocka_unit_test(times_have_a_unit_and_may_have_a_fraction),
        cmocka_unit_test(a_script_has_a_row_for_each_frame_it_names),
        cmocka_unit_test(every_kind_of_frame_has_its_word),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_word),
        cmocka_unit_test(a_long_word_and_a_small_buffer_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
