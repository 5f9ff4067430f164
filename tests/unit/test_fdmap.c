/* The map from descriptors to what they stand for. */
#include "edge/fdmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/memory.h"

static int thing[2000];

static void a_number_stands_for_what_was_put_there(void **state)
{
    struct fdmap m = { 0 };
    assert_null(fdmap_get(&m, 0));
    assert_null(fdmap_get(&m, SIZE_MAX));
    for (size_t i = 0; i < 2000; i++)
        assert_true(fdmap_put(&m, i, &thing[i]));
    assert_int_equal(m.n, 4);
    for (size_t i = 0; i < 2000; i++)
        assert_ptr_equal(fdmap_get(&m, i), &thing[i]);
    assert_null(fdmap_get(&m, 2000));
    assert_true(fdmap_put(&m, 7, &thing[8]));
    assert_ptr_equal(fdmap_get(&m, 7), &thing[8]);
    fdmap_done(&m);
    assert_null(fdmap_get(&m, 7));
}

static void a_part_lives_while_one_of_its_numbers_is_in_use(void **state)
{
    struct fdmap m = { 0 };
    fdmap_put(&m, 600, &thing[0]);
    fdmap_put(&m, 601, &thing[0]);
    fdmap_put(&m, 601, &thing[1]); /* once more is not one more */
    assert_null(m.part[0]);
    assert_non_null(m.part[1]);
    fdmap_clear(&m, 600);
    fdmap_clear(&m, 600);
    fdmap_clear(&m, 5);
    fdmap_clear(&m, 100000);
    assert_non_null(m.part[1]);
    fdmap_clear(&m, 601);
    assert_null(m.part[1]);
    fdmap_done(&m);
}

static void the_lowest_free_number_is_found(void **state)
{
    struct fdmap m = { 0 };
    assert_int_equal(fdmap_free_number(&m), 0);
    for (size_t i = 0; i < 1022; i++)
        fdmap_put(&m, i, &thing[i]);
    assert_int_equal(fdmap_free_number(&m), 1022);
    fdmap_clear(&m, 700);
    assert_int_equal(fdmap_free_number(&m), 700);
    fdmap_clear(&m, 3);
    assert_int_equal(fdmap_free_number(&m), 3);
    for (size_t i = 0; i < 511; i++)
        fdmap_clear(&m, i);
    assert_int_equal(fdmap_free_number(&m), 0);
    fdmap_done(&m);
}

static void without_memory_nothing_is_put(void **state)
{
    struct fdmap m = { 0 };
    for (unsigned n = 0; n < 2; n++) { /* the directory, then the part */
        memory_ends_after(n);
        assert_false(fdmap_put(&m, 3, &thing[0]));
        assert_int_equal(memory_back(), 1);
        assert_null(fdmap_get(&m, 3));
    }
    assert_true(fdmap_put(&m, 3, &thing[0]));
    fdmap_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_stands_for_what_was_put_there),
        cmocka_unit_test(a_part_lives_while_one_of_its_numbers_is_in_use),
        cmocka_unit_test(the_lowest_free_number_is_found),
        cmocka_unit_test(without_memory_nothing_is_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
