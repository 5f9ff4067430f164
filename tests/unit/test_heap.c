/* The heap of deadlines: order, ties, lazy moves, room. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/memory.h"

static void an_empty_heap_has_no_deadline(void **state)
{
    struct heap h;
    (void)state;
    heap_init(&h);
    assert_int_equal(heap_next(&h), INT64_MAX);
    assert_null(heap_pop(&h, INT64_MAX));
    heap_free(&h);
}

static void deadlines_surface_in_order_of_time(void **state)
{
    static const usec at[] = { 50, 10, 40, 20, 30 };
    static const int surfaces[] = { 1, 3, 4, 2, 0 };
    struct heap h;
    struct deadline d[5];
    (void)state;
    heap_init(&h);
    assert_true(heap_reserve(&h, 5));
    for (int i = 0; i < 5; i++) {
        deadline_init(&d[i], 7);
        heap_set(&h, &d[i], at[i]);
    }
    assert_int_equal(heap_next(&h), 10);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(heap_pop(&h, 100), &d[surfaces[i]]);
    assert_null(heap_pop(&h, 100));
    assert_int_equal(d[0].at, INT64_MAX);
    assert_int_equal(d[0].slot, 0);
    assert_int_equal(d[0].owner, 7);
    heap_free(&h);
}

static void pop_gives_only_what_is_due(void **state)
{
    struct heap h;
    struct deadline d;
    (void)state;
    heap_init(&h);
    deadline_init(&d, 0);
    heap_set(&h, &d, 100);
    assert_null(heap_pop(&h, 99));
    assert_ptr_equal(heap_pop(&h, 100), &d);
    heap_free(&h);
}

static void what_lies_too_early_is_not_due(void **state)
{
    struct heap h;
    struct deadline moved, other;
    (void)state;
    heap_init(&h);
    deadline_init(&moved, 0);
    deadline_init(&other, 0);
    heap_set(&h, &moved, 100);
    heap_set(&h, &other, 300);
    heap_set(&h, &moved, 200);
    assert_false(heap_due(&h, 99));
    assert_false(heap_due(&h, 150));
    assert_true(heap_due(&h, 200));
    assert_ptr_equal(heap_pop(&h, 200), &moved);
    assert_false(heap_due(&h, 299));
    heap_set(&h, &other, INT64_MAX);
    assert_false(heap_due(&h, 1000));
    heap_free(&h);
}

static void deadlines_that_fall_together_surface_in_the_order_of_arming(void **state)
{
    struct heap h;
    struct deadline d[20];
    (void)state;
    heap_init(&h);
    for (int i = 0; i < 20; i++) {
        deadline_init(&d[i], 0);
        heap_set(&h, &d[i], 1000 - i);
    }
    /* By two ways to the same moment: later (lazily) and earlier (at once). */
    for (int i = 0; i < 20; i++)
        heap_set(&h, &d[i], i % 2 ? 500 : 2000);
    for (int i = 0; i < 20; i++)
        heap_set(&h, &d[i], 700);
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(heap_pop(&h, 700), &d[i]);
    heap_free(&h);
}

static void a_deadline_that_is_armed_again_takes_its_turn_anew(void **state)
{
    struct heap h;
    struct deadline a, b;
    (void)state;
    heap_init(&h);
    deadline_init(&a, 0);
    deadline_init(&b, 0);
    heap_set(&h, &a, 10);
    heap_set(&h, &b, 10);
    heap_set(&h, &a, NEVER);
    heap_set(&h, &a, 10);
    assert_ptr_equal(heap_pop(&h, 10), &b);
    assert_ptr_equal(heap_pop(&h, 10), &a);
    heap_free(&h);
}

static void a_deadline_that_moves_later_stays_in_place_until_it_surfaces(void **state)
{
    struct heap h;
    struct deadline a, b;
    (void)state;
    heap_init(&h);
    deadline_init(&a, 0);
    deadline_init(&b, 0);
    heap_set(&h, &a, 10);
    heap_set(&h, &b, 20);
    heap_set(&h, &a, 30);
    assert_ptr_equal(h.at[0].of, &a);
    assert_int_equal(h.at[a.slot - 1].key, 10);
    assert_int_equal(heap_next(&h), 20);
    assert_ptr_equal(h.at[0].of, &b);
    assert_int_equal(h.at[a.slot - 1].key, 30);
    heap_free(&h);
}

static void a_disarmed_deadline_is_never_reported(void **state)
{
    struct heap h;
    struct deadline a, b;
    (void)state;
    heap_init(&h);
    deadline_init(&a, 0);
    deadline_init(&b, 0);
    heap_set(&h, &a, 10);
    heap_set(&h, &b, 20);
    heap_set(&h, &a, NEVER);
    assert_int_equal(heap_next(&h), 20);
    heap_set(&h, &b, NEVER);
    assert_int_equal(heap_next(&h), INT64_MAX);
    assert_null(heap_pop(&h, INT64_MAX));
    assert_int_equal(h.n, 0);
    heap_set(&h, &a, 5);
    assert_int_equal(heap_next(&h), 5);
    heap_free(&h);
}

static void a_removed_deadline_is_out_at_once(void **state)
{
    struct heap h;
    struct deadline d[9];
    (void)state;
    heap_init(&h);
    assert_true(heap_reserve(&h, 9));
    for (int i = 0; i < 9; i++) {
        deadline_init(&d[i], 0);
        heap_set(&h, &d[i], i);
    }
    heap_remove(&h, &d[4]);
    heap_remove(&h, &d[4]);
    assert_int_equal(h.n, 8);
    assert_int_equal(h.reserved, 8);
    assert_int_equal(d[4].at, INT64_MAX);
    for (int i = 0; i < 9; i++) {
        if (i != 4)
            assert_ptr_equal(heap_pop(&h, 100), &d[i]);
    }
    heap_free(&h);
}

/* The last of the array, which takes the place, may belong further up:
 *
 *              1                    1
 *         10      2      =>      4     2
 *       20  30  3   4          10 30  3            (20 is removed) */
static void what_takes_the_place_of_a_removed_one_may_rise(void **state)
{
    static const usec at[] = { 1, 10, 2, 20, 30, 3, 4 };
    static const int surfaces[] = { 0, 2, 5, 6, 1, 4 };
    struct heap h;
    struct deadline d[7];
    (void)state;
    heap_init(&h);
    for (int i = 0; i < 7; i++) {
        deadline_init(&d[i], 0);
        heap_set(&h, &d[i], at[i]);
    }
    heap_remove(&h, &d[3]);
    assert_ptr_equal(h.at[1].of, &d[6]);
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(heap_pop(&h, 100), &d[surfaces[i]]);
    heap_free(&h);
}

/* Owners reserve one place each when they are made, long before they arm. */
static void reserved_places_add_up_while_nothing_is_armed(void **state)
{
    struct heap h;
    (void)state;
    heap_init(&h);
    for (int i = 0; i < 1000; i++)
        assert_true(heap_reserve(&h, 1));
    assert_true(h.cap >= 1000);
    heap_free(&h);
}

static usec least(const struct deadline *d, int n)
{
    usec at = INT64_MAX;
    for (int i = 0; i < n; i++)
        at = d[i].at < at ? d[i].at : at;
    return at;
}

/* Ten thousand random changes beside a list that is searched from end to end. */
static void the_heap_agrees_with_a_plain_list(void **state)
{
    enum { N = 100 };
    struct heap h;
    struct deadline d[N];
    uint32_t dice = 1;
    (void)state;
    heap_init(&h);
    for (int i = 0; i < N; i++)
        deadline_init(&d[i], 0);
    for (int i = 0; i < 10000; i++) {
        dice = dice * 1664525u + 1013904223u;
        struct deadline *any = &d[dice >> 8 & 63];
        usec at = (usec)(dice >> 16 & 1023);
        heap_set(&h, any, at < 100 ? INT64_MAX : at);
        assert_true(h.n <= N);
        if (i % 3 == 0)
            assert_int_equal(heap_next(&h), least(d, N));
        if (i % 50 == 0) {
            usec first = least(d, N);
            struct deadline *due = heap_pop(&h, 200);
            assert_int_equal(due != NULL, first <= 200);
        }
    }
    heap_free(&h);
}

/* Deadlines that came in a crowd leave a small array behind. */
static void the_array_shrinks_when_its_owners_are_gone(void **state)
{
    static struct deadline d[10000];
    struct heap h;
    (void)state;
    heap_init(&h);
    for (size_t i = 0; i < 10000; i++) {
        assert_true(heap_reserve(&h, 1));
        deadline_init(&d[i], 0);
        heap_set(&h, &d[i], (usec)(20000 - i));
    }
    assert_int_equal(h.cap, 16384);
    for (size_t i = 10; i < 10000; i++)
        heap_remove(&h, &d[i]);
    assert_int_equal(h.cap, 128);
    assert_int_equal(heap_next(&h), 19991);
    for (size_t i = 10; i-- > 0;)
        assert_ptr_equal(heap_pop(&h, 20000), &d[i]);
    heap_free(&h);
}

/* A place that is reserved stays, armed or not. */
static void the_array_does_not_shrink_below_what_is_reserved(void **state)
{
    static struct deadline d[3000];
    struct heap h;
    (void)state;
    heap_init(&h);
    assert_true(heap_reserve(&h, 3000));
    for (size_t i = 0; i < 3000; i++)
        deadline_init(&d[i], 0);
    for (size_t i = 0; i < 900; i++)
        heap_remove(&h, &d[i]);
    assert_int_equal(h.cap, 4096);
    memory_ends_after(0);
    for (size_t i = 900; i < 3000; i++)
        heap_set(&h, &d[i], 5);
    assert_int_equal(memory_back(), 0);
    assert_int_equal(h.n, 2100);
    heap_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_deadline),
        cmocka_unit_test(deadlines_surface_in_order_of_time),
        cmocka_unit_test(pop_gives_only_what_is_due),
        cmocka_unit_test(what_lies_too_early_is_not_due),
        cmocka_unit_test(deadlines_that_fall_together_surface_in_the_order_of_arming),
        cmocka_unit_test(a_deadline_that_is_armed_again_takes_its_turn_anew),
        cmocka_unit_test(a_deadline_that_moves_later_stays_in_place_until_it_surfaces),
        cmocka_unit_test(a_disarmed_deadline_is_never_reported),
        cmocka_unit_test(a_removed_deadline_is_out_at_once),
        cmocka_unit_test(what_takes_the_place_of_a_removed_one_may_rise),
        cmocka_unit_test(the_array_shrinks_when_its_owners_are_gone),
        cmocka_unit_test(the_array_does_not_shrink_below_what_is_reserved),
        cmocka_unit_test(reserved_places_add_up_while_nothing_is_armed),
        cmocka_unit_test(the_heap_agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
