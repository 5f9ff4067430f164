/* The table of drop reasons. */
#include "base/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void reasons_have_their_names_and_sentences(void **state)
{
    (void)state;
    assert_string_equal(drop_name(DROP_ETH_SHORT), "EthShort");
    assert_string_equal(drop_name(DROP_TCP_CKSUM), "TcpCsumError");
    assert_string_equal(drop_text(DROP_TCP_CKSUM), "TCP checksum is wrong");
}

static void a_number_that_is_no_reason_has_no_name(void **state)
{
    (void)state;
    assert_string_equal(drop_name(DROP_N), "?");
    assert_string_equal(drop_text((enum drop)4000000000u), "?");
}

/* stack_counter() finds a reason by its name. */
static void no_two_reasons_share_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < DROP_N; i++) {
        assert_true(drop_name((enum drop)i)[0] != '\0');
        assert_true(drop_text((enum drop)i)[0] != '\0');
        for (int j = 0; j < i; j++)
            assert_int_not_equal(
                strcmp(drop_name((enum drop)i), drop_name((enum drop)j)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_have_their_names_and_sentences),
        cmocka_unit_test(a_number_that_is_no_reason_has_no_name),
        cmocka_unit_test(no_two_reasons_share_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
