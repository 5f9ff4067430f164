#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/netem_units.h"

static void times_have_a_unit_and_may_have_a_fraction(void **state)
{
    static const struct {
        const char *text;
        int64_t usec;
    } row[] = {
        { "20ms", 20000 },   { "20msec", 20000 },     { "1s", 1000000 },
        { "1sec", 1000000 }, { "500us", 500 },        { "500usec", 500 },
        { "1.5ms", 1500 },   { "0.25s", 250000 },     { "0ms", 0 },
        { "1.ms", 1000 },    { "3600s", 3600000000 },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        usec is = -1;

        assert_true(netem_read_time(row[i].text, &is));
        assert_int_equal(is, row[i].usec);
    }
}

static void percentages_are_shares_of_one(void **state)
{
    double is;

    assert_true(netem_read_percent("50%", &is) && is == 0.5);
    assert_true(netem_read_percent("100%", &is) && is == 1);
    assert_true(netem_read_percent("0%", &is) && is == 0);
    assert_true(netem_read_percent("0.5%", &is) && is > 0.00499999 && is < 0.00500001);
}

static void rates_are_bits_or_bytes_as_in_tc(void **state)
{
    static const struct {
        const char *text;
        uint64_t rate;
    } row[] = {
        { "8bit", 8 },
        { "100kbit", 100000 },
        { "10mbit", 10000000 },
        { "10Mbit", 10000000 },
        { "1gbit", 1000000000 },
        { "1.5mbit", 1500000 },
        { "1tbit", 1000000000000 },
        { "1kibit", 1024 },
        { "1mibit", 1048576 },
        { "1bps", 8 },
        { "64kbps", 512000 },
        { "10MBps", 80000000 },
        { "1gbps", 8000000000 },
        { "1gibit", 1073741824 },
        { "1kibps", 8192 },
        { "1mibps", 8388608 },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint64_t is = 0;

        assert_true(netem_read_rate(row[i].text, &is));
        assert_true(is == row[i].rate);
    }
}

static void what_is_no_quantity_is_refused(void **state)
{
    static const char *const text[] = { "",       "5",     "ms",    "%",       "-1ms",
                                        "+1ms",   "1e3ms", "0x1ms", "1.2.3ms", "101%",
                                        "1 %",    "inf",   "nan%",  "3601s",   "mbit",
                                        "10",     "7bit",  "2tbit", "0mbit",   "1mbitt",
                                        "100.1%", "5%%",   "1h",    ".5ms" };

    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        uint64_t rate;
        double share;
        usec time;

        assert_false(netem_read_time(text[i], &time));
        assert_false(netem_read_percent(text[i], &share));
        assert_false(netem_read_rate(text[i], &rate));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_have_a_unit_and_may_have_a_fraction),
        cmocka_unit_test(percentages_are_shares_of_one),
        cmocka_unit_test(rates_are_bits_or_bytes_as_in_tc),
        cmocka_unit_test(what_is_no_quantity_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
