#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "edge/explain.h"

static void what_failed_ends_with_the_error_by_name_and_in_words(void **state)
{
    struct tapir_error e;

    assert_int_equal(explain(&e, -EPERM, "cannot attach to tap0"), -EPERM);
    assert_string_equal(e.what,
                        "cannot attach to tap0: EPERM (Operation not permitted)");
    assert_string_equal(e.cause, "");
    assert_string_equal(e.fix, "");
}

static void cause_and_fix_are_formatted(void **state)
{
    struct tapir_error e;

    explain(&e, -EBUSY, "cannot attach");
    explain_cause(&e, "%s is held by process %d", "tap0", 7);
    explain_fix(&e, "kill %d", 7);
    assert_string_equal(e.cause, "tap0 is held by process 7");
    assert_string_equal(e.fix, "kill 7");
}

static void a_text_that_is_too_long_is_cut(void **state)
{
    struct tapir_error e;
    char text[500];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    explain(&e, -EINVAL, text);
    explain_cause(&e, "%s", text);
    explain_fix(&e, "%s", text);
    assert_int_equal(strlen(e.what), 159);
    assert_int_equal(strlen(e.cause), 199);
    assert_int_equal(strlen(e.fix), 239);
}

static void nobody_has_to_listen(void **state)
{
    assert_int_equal(explain(NULL, -ENOENT, "cannot"), -ENOENT);
    explain_cause(NULL, "%s", "because");
    explain_fix(NULL, "%s", "do");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_ends_with_the_error_by_name_and_in_words),
        cmocka_unit_test(cause_and_fix_are_formatted),
        cmocka_unit_test(a_text_that_is_too_long_is_cut),
        cmocka_unit_test(nobody_has_to_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
