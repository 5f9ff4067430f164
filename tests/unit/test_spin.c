#include "edge/spin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>

/* One that has had short waits for long, on a machine with room for the peer. */
static struct spin busy(void)
{
    struct spin s;

    spin_init(&s);
    s.alone = false;
    for (int i = 0; i < 100; i++)
        spin_waited(&s, 0, 10);
    return s;
}

static void at_first_it_sleeps(void **state)
{
    struct spin s;

    spin_init(&s);
    assert_int_equal(spin_time(&s, 100), 0);
}

static void after_some_short_waits_it_looks_before_it_sleeps(void **state)
{
    struct spin s;
    int waits = 0;

    spin_init(&s);
    s.alone = false;
    while (spin_time(&s, 100) == 0) {
        spin_waited(&s, 0, 40);
        waits++;
    }
    assert_int_equal(spin_time(&s, 100), 100);
    assert_int_equal(waits, 21);
}

static void one_long_wait_and_it_sleeps_at_once(void **state)
{
    struct spin s = busy();

    assert_int_equal(spin_time(&s, 100), 100);
    spin_waited(&s, 0, 1000000);
    assert_int_equal(spin_time(&s, 100), 0);
}

static void what_came_while_it_looked_keeps_it_looking(void **state)
{
    struct spin s = busy();

    for (int i = 0; i < 1000; i++) {
        assert_int_equal(spin_time(&s, 100), 100);
        spin_waited(&s, 100, 60);
    }
}

/* The peer may be waiting for the processor that we look on. */
static void having_looked_in_vain_it_sleeps_for_long(void **state)
{
    struct spin s = busy();
    int waits = 0;

    spin_waited(&s, 100, 105);
    while (spin_time(&s, 100) == 0) {
        spin_waited(&s, 0, 5);
        waits++;
    }
    assert_int_equal(waits, 18);
}

/* net.core.busy_poll = 0 */
static void it_need_not_look_at_all(void **state)
{
    struct spin s = busy();

    assert_int_equal(spin_time(&s, 0), 0);
    for (int i = 0; i < 1000; i++)
        spin_waited(&s, 0, 0);
    assert_int_equal(spin_time(&s, 0), 0);
}

static void with_one_processor_it_never_looks(void **state)
{
    struct spin s = busy();
    cpu_set_t before, one;

    s.alone = true;
    assert_int_equal(spin_time(&s, 100), 0);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    spin_init(&s);
    assert_true(s.alone);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_first_it_sleeps),
        cmocka_unit_test(after_some_short_waits_it_looks_before_it_sleeps),
        cmocka_unit_test(one_long_wait_and_it_sleeps_at_once),
        cmocka_unit_test(what_came_while_it_looked_keeps_it_looking),
        cmocka_unit_test(having_looked_in_vain_it_sleeps_for_long),
        cmocka_unit_test(it_need_not_look_at_all),
        cmocka_unit_test(with_one_processor_it_never_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
