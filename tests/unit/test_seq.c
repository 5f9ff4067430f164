/* Sequence numbers (RFC 9293 s3.4), on both sides of the wrap and of the sign. */
#include "base/seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void order_holds_across_the_wrap(void **state)
{
    static const struct {
        uint32_t a, b;
        int32_t diff; /* a - b */
    } row[] = {
        { 0, 0, 0 },
        { 1, 0, 1 },
        { 0, 1, -1 },
        { 0, 0xffffffff, 1 },
        { 0xffffffff, 0, -1 },
        { 5, 0xfffffffb, 10 },
        { 0xfffffff0, 0x10, -32 },
        { 0x80000000, 0x7fffffff, 1 },
        { 0x7fffffff, 0x80000000, -1 },
        { 0x7fffffff, 0, 0x7fffffff },
        { 0, 0x7fffffff, -0x7fffffff },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct seq a = seq_at(row[i].a), b = seq_at(row[i].b);
        assert_int_equal(seq_diff(a, b), row[i].diff);
        assert_int_equal(seq_lt(a, b), row[i].diff < 0);
        assert_int_equal(seq_leq(a, b), row[i].diff <= 0);
        assert_int_equal(seq_eq(a, b), row[i].diff == 0);
        assert_int_equal(seq_min(a, b).n, row[i].diff < 0 ? row[i].a : row[i].b);
        assert_int_equal(seq_max(a, b).n, row[i].diff < 0 ? row[i].b : row[i].a);
    }
}

static void adding_and_subtracting_wrap(void **state)
{
    (void)state;
    assert_int_equal(seq_add(seq_at(0xfffffffe), 3).n, 1);
    assert_int_equal(seq_sub(seq_at(1), 3).n, 0xfffffffe);
    assert_int_equal(seq_len(seq_at(0xfffffff0), seq_at(0x10)), 0x20);
    assert_int_equal(seq_len(seq_at(7), seq_at(7)), 0);
}

static void within_includes_the_first_and_not_the_last(void **state)
{
    static const struct {
        uint32_t at, from, len;
        bool in;
    } row[] = {
        { 10, 10, 0, false },
        { 10, 10, 1, true },
        { 9, 10, 5, false },
        { 14, 10, 5, true },
        { 15, 10, 5, false },
        { 0xfffffff0, 0xfffffff0, 32, true },
        { 0x0f, 0xfffffff0, 32, true },
        { 0x10, 0xfffffff0, 32, false },
        { 0xffffffef, 0xfffffff0, 32, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(seq_within(seq_at(row[i].at), seq_at(row[i].from), row[i].len),
                         row[i].in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_holds_across_the_wrap),
        cmocka_unit_test(adding_and_subtracting_wrap),
        cmocka_unit_test(within_includes_the_first_and_not_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
