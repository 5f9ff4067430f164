/* The random generator. */
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The first numbers of the published generators. */
static void the_sequence_of_xoshiro256(void **state)
{
    struct rng r = { { 1, 2, 3, 4 } };
    (void)state;
    assert_int_equal(rng_next(&r), 11520);
    assert_int_equal(rng_next(&r), 0);
    assert_int_equal(rng_next(&r), 1509978240);
    assert_int_equal(rng_next(&r), 1215971899390074240);
}

static void the_seed_is_spread_by_splitmix64(void **state)
{
    struct rng r;
    (void)state;
    rng_seed(&r, 1234567);
    assert_int_equal(r.s[0], 6457827717110365317u);
    assert_int_equal(r.s[1], 3203168211198807973u);
    assert_int_equal(r.s[2], 9817491932198370423u);
    assert_int_equal(r.s[3], 4593380528125082431u);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
    struct rng a, b, c;
    (void)state;
    rng_seed(&a, 0);
    rng_seed(&b, 0);
    rng_seed(&c, 1);
    uint64_t first = rng_next(&a);
    assert_int_equal(first, rng_next(&b));
    assert_int_not_equal(first, rng_next(&c));
    assert_int_not_equal(first, 0);
}

static void below_stays_below_and_reaches_everything(void **state)
{
    static const uint64_t bounds[] = { 1, 2, 3, 10, 0x8000000000000001u };
    struct rng r;
    unsigned hit[10] = { 0 };
    (void)state;
    rng_seed(&r, 42);
    for (int b = 0; b < 5; b++) {
        for (int i = 0; i < 1000; i++)
            assert_true(rng_below(&r, bounds[b]) < bounds[b]);
    }
    for (int i = 0; i < 10000; i++)
        hit[rng_below(&r, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(hit[i], 850, 1150);
}

/* Of 2^64 numbers 2^63 - 1 are over when they are dealt out to 2^63 + 1: the first six
 * of this sequence are below that and are not used; the seventh is
 * 16172922978634559625. */
static void numbers_that_would_make_some_likelier_are_not_used(void **state)
{
    struct rng r = { { 1, 2, 3, 4 } };
    (void)state;
    assert_int_equal(rng_below(&r, 0x8000000000000001u), 6949550941779783816);
}

static void keys_differ_from_draw_to_draw(void **state)
{
    struct rng r;
    (void)state;
    rng_seed(&r, 5);
    struct siphash_key a = rng_key(&r), b = rng_key(&r);
    assert_int_not_equal(a.k[0], b.k[0]);
    assert_int_not_equal(a.k[0], a.k[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_of_xoshiro256),
        cmocka_unit_test(the_seed_is_spread_by_splitmix64),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(below_stays_below_and_reaches_everything),
        cmocka_unit_test(numbers_that_would_make_some_likelier_are_not_used),
        cmocka_unit_test(keys_differ_from_draw_to_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
