/* Sets of intervals of sequence numbers; every case also across the wrap. */
#include "base/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint32_t origins[] = { 1000, 0xffffffe0, 0x7fffffe0 };

/* Asserts that the set is exactly the n pairs of `want`, counted from `origin`. */
static void assert_set(const struct ranges *r, uint32_t origin, const uint32_t *want,
                       size_t n)
{
    assert_int_equal(r->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(r->at[i].from.n, origin + want[2 * i]);
        assert_int_equal(r->at[i].to.n, origin + want[2 * i + 1]);
    }
}

/* The set [10,20) [30,40) [50,60) from `origin` on. */
static void three(struct ranges *r, uint32_t origin)
{
    ranges_clear(r);
    for (uint32_t at = 10; at < 60; at += 20)
        assert_true(ranges_add(r, seq_at(origin + at), seq_at(origin + at + 10)));
}

static void adding_merges_what_overlaps_or_touches(void **state)
{
    static const struct {
        uint32_t from, to;
        size_t n;
        uint32_t want[8];
    } row[] = {
        { 0, 5, 4, { 0, 5, 10, 20, 30, 40, 50, 60 } },
        { 22, 28, 4, { 10, 20, 22, 28, 30, 40, 50, 60 } },
        { 70, 80, 4, { 10, 20, 30, 40, 50, 60, 70, 80 } },
        { 0, 10, 3, { 0, 20, 30, 40, 50, 60 } },   /* touches from the left */
        { 20, 25, 3, { 10, 25, 30, 40, 50, 60 } }, /* touches from the right */
        { 20, 30, 2, { 10, 40, 50, 60 } },         /* fills a hole */
        { 15, 35, 2, { 10, 40, 50, 60 } },
        { 12, 18, 3, { 10, 20, 30, 40, 50, 60 } }, /* is there already */
        { 0, 70, 1, { 0, 70 } },                   /* swallows all */
        { 20, 50, 1, { 10, 60 } },
        { 25, 25, 3, { 10, 20, 30, 40, 50, 60 } }, /* empty */
    };
    struct ranges r;
    (void)state;
    for (size_t o = 0; o < 3; o++) {
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
            three(&r, origins[o]);
            assert_true(ranges_add(&r, seq_at(origins[o] + row[i].from),
                                   seq_at(origins[o] + row[i].to)));
            assert_set(&r, origins[o], row[i].want, row[i].n);
        }
    }
}

static void removing_cuts_and_splits(void **state)
{
    static const struct {
        uint32_t from, to;
        size_t n;
        uint32_t want[8];
    } row[] = {
        { 0, 10, 3, { 10, 20, 30, 40, 50, 60 } },
        { 20, 30, 3, { 10, 20, 30, 40, 50, 60 } },
        { 15, 15, 3, { 10, 20, 30, 40, 50, 60 } },
        { 12, 18, 4, { 10, 12, 18, 20, 30, 40, 50, 60 } }, /* splits */
        { 5, 15, 3, { 15, 20, 30, 40, 50, 60 } },
        { 15, 25, 3, { 10, 15, 30, 40, 50, 60 } },
        { 10, 20, 2, { 30, 40, 50, 60 } },
        { 15, 55, 2, { 10, 15, 55, 60 } },
        { 0, 99, 0, { 0 } },
    };
    struct ranges r;
    (void)state;
    for (size_t o = 0; o < 3; o++) {
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
            three(&r, origins[o]);
            assert_true(ranges_remove(&r, seq_at(origins[o] + row[i].from),
                                      seq_at(origins[o] + row[i].to)));
            assert_set(&r, origins[o], row[i].want, row[i].n);
        }
    }
}

static void removing_before_a_point_trims_the_first_that_is_left(void **state)
{
    static const struct {
        uint32_t to;
        size_t n;
        uint32_t want[6];
    } row[] = {
        { 0, 3, { 10, 20, 30, 40, 50, 60 } },  { 10, 3, { 10, 20, 30, 40, 50, 60 } },
        { 15, 3, { 15, 20, 30, 40, 50, 60 } }, { 20, 2, { 30, 40, 50, 60 } },
        { 35, 2, { 35, 40, 50, 60 } },         { 60, 0, { 0 } },
    };
    struct ranges r;
    (void)state;
    for (size_t o = 0; o < 3; o++) {
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
            three(&r, origins[o]);
            ranges_remove_before(&r, seq_at(origins[o] + row[i].to));
            assert_set(&r, origins[o], row[i].want, row[i].n);
        }
    }
}

static void find_and_cover_know_the_edges(void **state)
{
    struct ranges r;
    (void)state;
    for (size_t o = 0; o < 3; o++) {
        uint32_t at = origins[o];
        three(&r, at);
        assert_null(ranges_find(&r, seq_at(at + 9)));
        assert_ptr_equal(ranges_find(&r, seq_at(at + 10)), &r.at[0]);
        assert_ptr_equal(ranges_find(&r, seq_at(at + 39)), &r.at[1]);
        assert_null(ranges_find(&r, seq_at(at + 40)));
        assert_null(ranges_find(&r, seq_at(at + 60)));
        assert_true(ranges_cover(&r, seq_at(at + 10), seq_at(at + 20)));
        assert_false(ranges_cover(&r, seq_at(at + 10), seq_at(at + 21)));
        assert_false(ranges_cover(&r, seq_at(at + 9), seq_at(at + 20)));
        assert_true(ranges_cover(&r, seq_at(at + 9), seq_at(at + 9)));
        assert_int_equal(ranges_total(&r), 30);
    }
}

static void a_full_set_refuses_one_more_but_merges(void **state)
{
    struct ranges r;
    (void)state;
    ranges_clear(&r);
    for (uint32_t i = 0; i < 32; i++)
        assert_true(ranges_add(&r, seq_at(i * 10), seq_at(i * 10 + 5)));
    assert_false(ranges_add(&r, seq_at(400), seq_at(401)));
    assert_false(ranges_remove(&r, seq_at(1), seq_at(2)));
    assert_int_equal(r.n, 32);
    assert_int_equal(ranges_total(&r), 160);
    assert_true(ranges_add(&r, seq_at(5), seq_at(10)));
    assert_int_equal(r.n, 31);
    assert_true(ranges_add(&r, seq_at(400), seq_at(401)));
    assert_int_equal(r.n, 32);
}

/* Random adds and removes beside a plain array of flags. */
static void the_set_agrees_with_an_array_of_flags(void **state)
{
    static bool flag[64];
    struct ranges r;
    uint32_t dice = 3, origin = 0xffffffe0;
    (void)state;
    ranges_clear(&r);
    for (int step = 0; step < 5000; step++) {
        dice = dice * 1664525u + 1013904223u;
        uint32_t from = dice >> 26, len = dice >> 20 & 15;
        uint32_t to = from + len < 64 ? from + len : 64;
        bool add = dice >> 19 & 1;
        if (add)
            assert_true(ranges_add(&r, seq_at(origin + from), seq_at(origin + to)));
        else
            assert_true(ranges_remove(&r, seq_at(origin + from), seq_at(origin + to)));
        for (uint32_t i = from; i < to; i++)
            flag[i] = add;
        uint32_t total = 0;
        for (uint32_t i = 0; i < 64; i++) {
            total += flag[i];
            assert_int_equal(ranges_find(&r, seq_at(origin + i)) != NULL, flag[i]);
        }
        assert_int_equal(ranges_total(&r), total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_merges_what_overlaps_or_touches),
        cmocka_unit_test(removing_cuts_and_splits),
        cmocka_unit_test(removing_before_a_point_trims_the_first_that_is_left),
        cmocka_unit_test(find_and_cover_know_the_edges),
        cmocka_unit_test(a_full_set_refuses_one_more_but_merges),
        cmocka_unit_test(the_set_agrees_with_an_array_of_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
