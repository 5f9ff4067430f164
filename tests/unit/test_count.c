/* The counters. */
#include "base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void counters_have_the_names_of_nstat(void **state)
{
    (void)state;
    assert_string_equal(count_name(COUNT_IpInReceives), "IpInReceives");
    assert_string_equal(count_name(COUNT_TcpRetransSegs), "TcpRetransSegs");
    assert_string_equal(count_name(COUNT_TcpExtTCPTimeouts), "TcpExtTCPTimeouts");
    assert_string_equal(count_name(COUNT_N), "?");
}

static void counters_count_one_by_one_and_by_number(void **state)
{
    struct counters c = { 0 };
    (void)state;
    count(&c, COUNT_TcpInSegs);
    count_n(&c, COUNT_TcpInSegs, 44);
    assert_int_equal(c.n[COUNT_TcpInSegs], 45);
    assert_int_equal(c.n[COUNT_TcpOutSegs], 0);
}

static void no_two_counters_share_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_N; i++) {
        for (int j = 0; j < i; j++)
            assert_int_not_equal(
                strcmp(count_name((enum count)i), count_name((enum count)j)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_have_the_names_of_nstat),
        cmocka_unit_test(counters_count_one_by_one_and_by_number),
        cmocka_unit_test(no_two_counters_share_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
