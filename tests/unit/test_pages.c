/* Memory in whole pages. */
#include "base/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static bool all_zero(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != 0)
            return false;
    return true;
}

static void pages_are_zero_and_can_be_written(void **state)
{
    uint8_t *at = pages_new(10000);
    assert_non_null(at);
    assert_int_equal((uintptr_t)at % 4096, 0);
    assert_true(all_zero(at, 12288));
    memset(at, 0xff, 12288);
    pages_free(at, 10000);
}

static void pages_that_are_given_back_are_gone(void **state)
{
    unsigned char there[4];
    uint8_t *at = pages_new(4 * 4096);
    memset(at, 1, 4 * 4096);
    assert_int_equal(mincore(at, 4 * 4096, there), 0);
    pages_free(at, 3 * 4096 + 1); /* the fourth page only in part, and yet */
    assert_int_equal(mincore(at, 4096, there), -1);
    assert_int_equal(mincore(at + 3 * 4096, 4096, there), -1);
}

static void aligned_pages_begin_at_a_multiple_of_their_size(void **state)
{
    void *at[9];
    for (size_t i = 0; i < 9; i++) {
        /* A page between them, so that the next one is off its place. */
        at[i] = i % 2 ? pages_new(4096) : pages_new_aligned(65536);
        assert_non_null(at[i]);
        if (i % 2 == 0) {
            assert_int_equal((uintptr_t)at[i] % 65536, 0);
            memset(at[i], 1, 65536);
        }
    }
    for (size_t i = 0; i < 9; i++)
        pages_free(at[i], i % 2 ? 4096 : 65536);
}

static void nothing_and_too_much_are_refused(void **state)
{
    assert_null(pages_new(0));
    assert_null(pages_new(SIZE_MAX));
    assert_null(pages_new((size_t)1 << 62));
    pages_free(NULL, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zero_and_can_be_written),
        cmocka_unit_test(pages_that_are_given_back_are_gone),
        cmocka_unit_test(aligned_pages_begin_at_a_multiple_of_their_size),
        cmocka_unit_test(nothing_and_too_much_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
