/* The lab's own root, exponential and logarithm. */
#include "../../tools/lab/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool near(double a, double b)
{
    double apart = 1e-9 * (b < 0 ? -b : b) + 1e-12;

    return a - b <= apart && b - a <= apart;
}

static void roots_are_roots(void **state)
{
    assert_true(near(square_root(2), 1.41421356237309505));
    assert_true(near(square_root(1e6), 1000));
    assert_true(near(square_root(1e-6), 0.001));
}

static void e_has_its_powers(void **state)
{
    assert_true(near(exponential(0), 1));
    assert_true(near(exponential(1), 2.71828182845904524));
    assert_true(near(exponential(-3), 0.0497870683678639));
    assert_true(near(exponential(20), 485165195.40979));
}

static void logarithms_take_them_back(void **state)
{
    assert_true(near(logarithm(1), 0));
    assert_true(near(logarithm(2), 0.693147180559945));
    assert_true(near(logarithm(0.0001), -9.21034037197618));
    assert_true(near(logarithm(12345), 9.42100640177928));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_roots),
        cmocka_unit_test(e_has_its_powers),
        cmocka_unit_test(logarithms_take_them_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
