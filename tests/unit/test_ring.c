/* The byte ring. */
#include "base/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/memory.h"

static struct ring_pool pool;

static int setup(void **state)
{
    ring_pool_init(&pool, NULL);
    return 0;
}

/* Asserts that no ring of the test has memory left. */
static int teardown(void **state)
{
    ring_pool_done(&pool);
    return 0;
}

static uint8_t byte_of_stream(size_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

static void a_new_ring_has_room_but_no_memory(void **state)
{
    struct ring r;
    ring_init(&r, &pool, 10000);
    assert_int_equal(ring_room(&r), 10000);
    assert_null(r.buf);
    ring_drop(&r, 0);
    assert_int_equal(ring_write(&r, "", 0), 0);
    assert_null(r.buf);
    ring_free(&r);
}

static void what_is_written_is_read_at_any_offset(void **state)
{
    struct ring r;
    char out[4];
    ring_init(&r, &pool, 10000);
    assert_int_equal(ring_write(&r, "abcdef", 6), 6);
    ring_read_at(&r, 2, out, 3);
    assert_memory_equal(out, "cde", 3);
    ring_drop(&r, 2);
    ring_read_at(&r, 0, out, 4);
    assert_memory_equal(out, "cdef", 4);
    assert_int_equal(r.len, 4);
    ring_free(&r);
}

static void memory_doubles_from_4_kib_to_the_limits_power_of_two(void **state)
{
    static const struct {
        size_t write, cap;
    } row[] = {
        { 1, 4096 }, { 4095, 4096 }, { 1, 8192 }, { 4096, 16384 }, { 12000, 32768 }
    };
    static uint8_t zeros[12000];
    struct ring r;
    ring_init(&r, &pool, 20000);
    size_t took = 0;
    for (size_t i = 0; i < 5; i++) {
        took += ring_write(&r, zeros, row[i].write);
        assert_int_equal(r.cap, row[i].cap);
    }
    assert_int_equal(took, 20000);
    assert_int_equal(ring_room(&r), 0);
    assert_int_equal(ring_write(&r, zeros, 1), 0);
    ring_free(&r);
}

static void a_source_reads_into_its_rooms(void **state)
{
    static uint8_t zeros[4096];
    struct ring r;
    struct room to[2];
    uint8_t out[6];
    ring_init(&r, &pool, 4096);
    assert_int_equal(ring_rooms(&r, 10, to), 1); /* takes memory */
    assert_int_equal(to[0].len, 10);
    ring_write(&r, zeros, 4094);
    ring_drop(&r, 4090);
    assert_int_equal(ring_rooms(&r, 5000, to), 2); /* what fits */
    assert_int_equal(to[0].len, 2);
    assert_int_equal(to[1].len, 4090);
    memcpy(to[0].at, "ab", 2);
    memcpy(to[1].at, "cd", 2);
    ring_added(&r, 4); /* less than there was room for */
    assert_int_equal(r.len, 8);
    ring_read_at(&r, 4, out, 4);
    assert_memory_equal(out, "abcd", 4);
    assert_int_equal(ring_rooms(&r, 0, to), 0);
    r.limit = 8;
    assert_int_equal(ring_rooms(&r, 1, to), 0);
    ring_free(&r);
}

static void a_range_across_the_end_is_two_pieces(void **state)
{
    static uint8_t zeros[4096];
    struct ring r;
    struct piece piece[2];
    ring_init(&r, &pool, 4096);
    ring_write(&r, zeros, 4094);
    ring_drop(&r, 4000);
    assert_int_equal(ring_write(&r, "abcd", 4), 4);
    assert_int_equal(r.cap, 4096);
    assert_int_equal(ring_pieces(&r, 94, 4, piece), 2);
    assert_int_equal(piece[0].len, 2);
    assert_memory_equal(piece[0].at, "ab", 2);
    assert_int_equal(piece[1].len, 2);
    assert_memory_equal(piece[1].at, "cd", 2);
    assert_int_equal(ring_pieces(&r, 94, 2, piece), 1);
    assert_int_equal(ring_pieces(&r, 96, 2, piece), 1);
    assert_memory_equal(piece[0].at, "cd", 2);
    assert_int_equal(ring_pieces(&r, 98, 0, piece), 0);
    ring_free(&r);
}

static void an_empty_ring_gives_its_memory_back(void **state)
{
    struct ring r;
    ring_init(&r, &pool, 4096);
    ring_write(&r, "ab", 2);
    ring_trim(&r);
    assert_non_null(r.buf);
    ring_drop(&r, 2);
    ring_trim(&r);
    assert_null(r.buf);
    assert_int_equal(ring_room(&r), 4096);
    assert_int_equal(ring_write(&r, "cd", 2), 2);
    ring_free(&r);
}

static void a_limit_below_the_content_leaves_no_room(void **state)
{
    struct ring r;
    ring_init(&r, &pool, 100);
    ring_write(&r, "abcdef", 6);
    r.limit = 3;
    assert_int_equal(ring_room(&r), 0);
    assert_int_equal(ring_write(&r, "g", 1), 0);
    ring_free(&r);
}

/* A long stream in odd steps, growing, wrapping and draining, keeps every byte. */
static void a_stream_survives_growing_and_wrapping(void **state)
{
    uint8_t buf[3000];
    struct ring r;
    size_t in = 0, out = 0;
    uint32_t dice = 7;
    ring_init(&r, &pool, 50000);
    while (out < 1000000) {
        dice = dice * 1664525u + 1013904223u;
        size_t n = dice >> 16 & 2047;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_of_stream(in + i);
        in += ring_write(&r, buf, n);
        assert_int_equal(r.len, in - out);
        n = dice >> 5 & 2047;
        n = n < r.len ? n : r.len;
        ring_read_at(&r, r.len - n, buf, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(buf[i], byte_of_stream(in - n + i));
        ring_read_at(&r, 0, buf, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(buf[i], byte_of_stream(out + i));
        ring_drop(&r, n);
        out += n;
    }
    ring_free(&r);
}

/* 4, 16, 64 and 256 KiB are blocks; what is between them is a block of the next size,
 * what is larger has pages of its own. */
static void a_ring_lies_in_the_smallest_block_that_holds_it(void **state)
{
    static const struct {
        size_t write, cap;
        size_t used[4]; /* blocks of each size */
    } row[] = {
        { 4096, 4096, { 1, 0, 0, 0 } },     { 1, 8192, { 0, 1, 0, 0 } },
        { 12000, 16384, { 0, 1, 0, 0 } },   { 10000, 32768, { 0, 0, 1, 0 } },
        { 30000, 65536, { 0, 0, 1, 0 } },   { 60000, 131072, { 0, 0, 0, 1 } },
        { 140000, 262144, { 0, 0, 0, 1 } }, { 50000, 524288, { 0, 0, 0, 0 } },
    };
    static uint8_t zeros[140000];
    struct ring r;
    ring_init(&r, &pool, 1 << 20);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(ring_write(&r, zeros, row[i].write), row[i].write);
        assert_int_equal(r.cap, row[i].cap);
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(pool.of[j].used, row[i].used[j]);
    }
    ring_free(&r);
}

static void without_memory_a_ring_takes_what_it_has_room_for(void **state)
{
    static uint8_t zeros[5000];
    struct ring r;
    ring_init(&r, &pool, 10000);
    memory_ends_after(0);
    assert_int_equal(ring_write(&r, "a", 1), 0);
    memory_back();
    assert_int_equal(ring_write(&r, "a", 1), 1);
    memory_ends_after(0);
    assert_int_equal(ring_write(&r, zeros, 5000), 4095);
    assert_int_equal(memory_back(), 1);
    assert_int_equal(r.len, 4096);
    ring_free(&r);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_new_ring_has_room_but_no_memory),
        T(what_is_written_is_read_at_any_offset),
        T(memory_doubles_from_4_kib_to_the_limits_power_of_two),
        T(a_source_reads_into_its_rooms),
        T(a_range_across_the_end_is_two_pieces),
        T(an_empty_ring_gives_its_memory_back),
        T(a_limit_below_the_content_leaves_no_room),
        T(a_ring_lies_in_the_smallest_block_that_holds_it),
        T(without_memory_a_ring_takes_what_it_has_room_for),
        T(a_stream_survives_growing_and_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
