/* Pools of equal blocks. */
#include "base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/memory.h"

enum { MANY = 440 };

static void blocks_are_disjoint_aligned_and_keep_their_bytes(void **state)
{
    struct slab_pool pool;
    uint8_t *at[MANY];

    slab_init(&pool, NULL, 1000, 0);
    assert_int_equal(pool.size, 1008);
    assert_int_equal(pool.slab_bytes, 65536);
    assert_int_equal(pool.per_slab, 64);
    for (size_t i = 0; i < MANY; i++) {
        at[i] = slab_new(&pool);
        assert_int_equal((uintptr_t)at[i] % 16, 0);
        memset(at[i], (int)i, 1000);
    }
    assert_int_equal(pool.used, 440);
    assert_int_equal(pool.n_slabs, 7);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(at[i][0], i % 256);
        assert_int_equal(at[i][999], i % 256);
        slab_free(&pool, at[i]);
    }
    assert_int_equal(pool.used, 0);
    slab_done(&pool);
}

static void the_block_freed_last_comes_first(void **state)
{
    struct slab_pool pool;
    slab_init(&pool, NULL, 64, 0);
    void *a = slab_new(&pool), *b = slab_new(&pool), *c = slab_new(&pool);
    slab_free(&pool, a);
    slab_free(&pool, b);
    assert_ptr_equal(slab_new(&pool), b);
    assert_ptr_equal(slab_new(&pool), a);
    slab_free(&pool, a);
    slab_free(&pool, b);
    slab_free(&pool, c);
    slab_free(&pool, NULL);
    slab_done(&pool);
}

static void a_zero_block_is_zero_after_use(void **state)
{
    struct slab_pool pool;
    slab_init(&pool, NULL, 96, 0);
    uint8_t *a = slab_new(&pool);
    memset(a, 0xff, 96);
    slab_free(&pool, a);
    uint8_t *b = slab_new_zero(&pool);
    assert_ptr_equal(b, a);
    for (size_t i = 0; i < 96; i++)
        assert_int_equal(b[i], 0);
    slab_free(&pool, b);
    slab_done(&pool);
}

/* Of two slabs that are partly used the one that was full last is filled again, so the
 * other can run empty. */
static void the_fuller_slab_is_filled_first(void **state)
{
    struct slab_pool pool;
    void *at[200];

    slab_init(&pool, NULL, 1000, 0);
    for (size_t i = 0; i < 128; i++)
        at[i] = slab_new(&pool);
    for (size_t i = 0; i < 60; i++)
        slab_free(&pool, at[i]); /* the first slab holds four */
    slab_free(&pool, at[64]);
    assert_ptr_equal(slab_new(&pool), at[64]);
    assert_int_equal(pool.n_slabs, 2);
    for (size_t i = 60; i < 128; i++)
        slab_free(&pool, at[i]);
    slab_done(&pool);
}

static void fill(struct slab_pool *pool, void **at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = slab_new(pool);
}

static void clear(struct slab_pool *pool, void **at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slab_free(pool, at[i]);
}

static void no_more_empty_slabs_are_kept_than_asked_for(void **state)
{
    struct slab_pool pool;
    void *at[MANY];

    slab_init(&pool, NULL, 1000, 200000); /* three slabs and some */
    fill(&pool, at, MANY);
    clear(&pool, at, MANY);
    assert_int_equal(pool.n_slabs, 3);
    assert_int_equal(pool.n_empty, 3);
    slab_done(&pool);
    slab_init(&pool, NULL, 1000, 0);
    fill(&pool, at, MANY);
    clear(&pool, at, MANY);
    assert_int_equal(pool.n_slabs, 1);
    slab_done(&pool);
}

static void a_trim_gives_back_what_was_not_needed_since_the_last_one(void **state)
{
    struct slab_set set;
    struct slab_pool pool, other;
    void *at[MANY];

    slab_set_init(&set);
    slab_init(&pool, &set, 1000, 1 << 20);
    slab_init(&other, &set, 16, 1 << 20);
    fill(&pool, at, MANY);
    clear(&pool, at, MANY);
    assert_int_equal(pool.n_slabs, 7);
    assert_int_equal(set.spare, 7);
    slab_set_trim(&set); /* all were in use since the beginning */
    assert_int_equal(pool.n_slabs, 7);
    fill(&pool, at, 150); /* three slabs are needed once more */
    clear(&pool, at, 150);
    slab_set_trim(&set);
    assert_int_equal(pool.n_slabs, 3);
    assert_int_equal(set.spare, 3);
    slab_set_trim(&set); /* nothing was needed */
    assert_int_equal(pool.n_slabs, 0);
    assert_int_equal(set.spare, 0);
    slab_done(&pool);
    slab_done(&other);
}

/* Light use leaves a slab of which few pages are in memory. */
static void a_slab_that_was_hardly_touched_stays(void **state)
{
    struct slab_set set;
    struct slab_pool pool;
    void *at[MANY];

    slab_set_init(&set);
    slab_init(&pool, &set, 1000, 1 << 20);
    fill(&pool, at, 16);
    clear(&pool, at, 16);
    assert_int_equal(set.spare, 0);
    slab_set_trim(&set);
    slab_set_trim(&set);
    assert_int_equal(pool.n_slabs, 1);
    fill(&pool, at, 17); /* beyond 16 KiB */
    clear(&pool, at, 17);
    assert_int_equal(set.spare, 1);
    slab_set_trim(&set);
    slab_set_trim(&set);
    assert_int_equal(pool.n_slabs, 0);
    slab_done(&pool);
}

static void a_pool_that_goes_takes_its_spare_slabs_out_of_the_set(void **state)
{
    struct slab_set set;
    struct slab_pool pool;
    void *at[MANY];

    slab_set_init(&set);
    slab_init(&pool, &set, 1000, 1 << 20);
    fill(&pool, at, MANY);
    clear(&pool, at, MANY);
    slab_done(&pool);
    assert_int_equal(set.spare, 0);
    assert_true(list_empty(&set.pools));
}

static void a_block_larger_than_a_slab_has_one_of_its_own(void **state)
{
    struct slab_pool pool;
    uint8_t *at[3];

    slab_init(&pool, NULL, 70000, 0);
    assert_int_equal(pool.slab_bytes, 131072);
    assert_int_equal(pool.per_slab, 1);
    for (size_t i = 0; i < 3; i++) {
        at[i] = slab_new(&pool);
        memset(at[i], 1, 70000);
    }
    assert_int_equal(pool.n_slabs, 3);
    slab_free(&pool, at[1]);
    assert_int_equal(pool.n_empty, 1);
    assert_ptr_equal(slab_new(&pool), at[1]);
    for (size_t i = 0; i < 3; i++)
        slab_free(&pool, at[i]);
    assert_int_equal(pool.n_slabs, 1);
    slab_done(&pool);
}

static void without_memory_there_is_no_block_and_nothing_is_lost(void **state)
{
    struct slab_pool pool;
    void *at[65];

    slab_init(&pool, NULL, 1000, 0);
    fill(&pool, at, 64); /* the slab is full */
    memory_ends_after(0);
    at[64] = slab_new(&pool);
    assert_int_equal(memory_back(), 1);
    assert_null(at[64]);
    assert_int_equal(pool.used, 64);
    assert_int_equal(pool.n_slabs, 1);
    clear(&pool, at, 65);
    slab_done(&pool);
}

static void reserved_blocks_are_had_without_memory(void **state)
{
    struct slab_pool pool;
    void *at[65];

    slab_init(&pool, NULL, 1000, 0);
    assert_true(slab_reserve(&pool, 2));
    assert_int_equal(pool.n_slabs, 1);
    fill(&pool, at, 63); /* one is left: a second slab is needed for two */
    memory_ends_after(0);
    assert_true(slab_reserve(&pool, 1));
    assert_false(slab_reserve(&pool, 2));
    memory_back();
    assert_true(slab_reserve(&pool, 2));
    assert_int_equal(pool.n_slabs, 2);
    memory_ends_after(0);
    at[63] = slab_new(&pool);
    at[64] = slab_new(&pool);
    assert_int_equal(memory_back(), 0);
    assert_non_null(at[63]);
    assert_non_null(at[64]);
    clear(&pool, at, 65);
    slab_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_disjoint_aligned_and_keep_their_bytes),
        cmocka_unit_test(the_block_freed_last_comes_first),
        cmocka_unit_test(a_zero_block_is_zero_after_use),
        cmocka_unit_test(the_fuller_slab_is_filled_first),
        cmocka_unit_test(no_more_empty_slabs_are_kept_than_asked_for),
        cmocka_unit_test(a_trim_gives_back_what_was_not_needed_since_the_last_one),
        cmocka_unit_test(a_slab_that_was_hardly_touched_stays),
        cmocka_unit_test(a_pool_that_goes_takes_its_spare_slabs_out_of_the_set),
        cmocka_unit_test(a_block_larger_than_a_slab_has_one_of_its_own),
        cmocka_unit_test(reserved_blocks_are_had_without_memory),
        cmocka_unit_test(without_memory_there_is_no_block_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
