/* Packets and their pool. */
#include "base/pkt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_new_packet_is_empty_with_headroom(void **state)
{
    struct pkt_pool pool;
    (void)state;
    pkt_pool_init(&pool, 10000, 0);
    struct pkt *p = pkt_new(&pool, 1500);
    assert_int_equal(p->len, 0);
    assert_int_equal(p->data - p->buf, 128);
    assert_int_equal(p->cap, 2048);
    assert_int_equal(pkt_tailroom(p), 1920);
    assert_int_equal(p->csum, PKT_CSUM_FULL);
    assert_int_equal(p->n_text, 0);
    assert_int_equal(p->gso_size, 0);
    assert_int_equal(pool.live, 1);
    assert_int_equal(pool.bytes, 2048);
    pkt_free(p);
    assert_int_equal(pool.live, 0);
    assert_int_equal(pool.bytes, 0);
    pkt_pool_free(&pool);
}

static void the_room_asked_for_chooses_the_size(void **state)
{
    static const struct {
        size_t room;
        uint32_t cap; /* 0: refused */
    } row[] = {
        { 0, 2048 },      { 1920, 2048 }, { 1921, 65792 },
        { 65549, 65792 }, /* the longest IPv4 packet and its Ethernet header */
        { 65664, 65792 }, { 65665, 0 },   { SIZE_MAX, 0 },
    };
    struct pkt_pool pool;
    (void)state;
    pkt_pool_init(&pool, 1000000, 0);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct pkt *p = pkt_new(&pool, row[i].room);
        assert_int_equal(p ? p->cap : 0, row[i].cap);
        if (p)
            assert_true(pkt_tailroom(p) >= row[i].room);
        pkt_free(p);
    }
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

static void a_freed_packet_is_used_again(void **state)
{
    struct pkt_pool pool;
    (void)state;
    pkt_pool_init(&pool, 1000000, 0);
    struct pkt *small = pkt_new(&pool, 1), *large = pkt_new(&pool, 9000);
    small->gso_size = 1460;
    small->fin = true;
    pkt_put(small, 10);
    pkt_free(small);
    pkt_free(large);
    assert_int_equal(pool.small.n_empty, 1);
    assert_int_equal(pool.large.n_empty, 1);
    struct pkt *again = pkt_new(&pool, 1);
    assert_ptr_equal(again, small);
    assert_int_equal(again->gso_size, 0);
    assert_int_equal(again->len, 0);
    assert_false(again->fin);
    assert_int_equal(pool.small.n_empty, 0);
    pkt_free(again);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

static void at_most_64_large_packets_are_kept(void **state)
{
    struct pkt_pool pool;
    struct pkt *p[80];
    (void)state;
    pkt_pool_init(&pool, 100000000, 0);
    for (int i = 0; i < 80; i++)
        p[i] = pkt_new(&pool, 60000);
    for (int i = 0; i < 80; i++)
        pkt_free(p[i]);
    assert_int_equal(pool.large.n_slabs, 64);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

static void the_limit_holds_and_the_reserve_is_for_the_urgent(void **state)
{
    struct pkt_pool pool;
    (void)state;
    pkt_pool_init(&pool, 3 * 2048, 2048);
    struct pkt *a = pkt_new(&pool, 1), *b = pkt_new(&pool, 1);
    assert_non_null(b);
    assert_null(pkt_new(&pool, 1));
    struct pkt *ack = pkt_new_urgent(&pool, 1);
    assert_non_null(ack);
    assert_null(pkt_new_urgent(&pool, 1));
    assert_int_equal(pool.live, 3);
    pkt_free(a);
    pkt_free(b);
    pkt_free(ack);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

static void headers_are_pushed_and_pulled(void **state)
{
    struct pkt_pool pool;
    (void)state;
    pkt_pool_init(&pool, 10000, 0);
    struct pkt *p = pkt_new(&pool, 100);
    memcpy(pkt_put(p, 4), "text", 4);
    memcpy(pkt_push(p, 2), "ip", 2);
    assert_int_equal(p->len, 6);
    assert_memory_equal(p->data, "iptext", 6);
    pkt_pull(p, 2);
    assert_memory_equal(p->data, "text", 4);
    pkt_trim(p, 9);
    assert_int_equal(p->len, 4);
    pkt_trim(p, 3);
    assert_int_equal(p->len, 3);
    assert_int_equal(pkt_tailroom(p), 1917);
    pkt_free(p);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

static void a_copy_borrows_nothing_and_keeps_what_is_known(void **state)
{
    struct pkt_pool here, there;
    char text[] = "onetwo";
    (void)state;
    pkt_pool_init(&here, 100000, 0);
    pkt_pool_init(&there, 100000, 0);
    struct pkt *p = pkt_new(&here, 100);
    memcpy(pkt_put(p, 8), "iptcphdr", 8);
    p->text[0] = (struct piece){ (uint8_t *)text, 3 };
    p->text[1] = (struct piece){ (uint8_t *)text + 3, 3 };
    p->n_text = 2;
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data + 2;
    p->csum_field = 16;
    p->gso_size = 3;
    p->seq = seq_at(77);
    p->fin = true;
    p->at = 1234;
    assert_int_equal(pkt_total(p), 14);
    struct pkt *copy = pkt_copy(&there, p);
    memset(text, 'x', 6);
    pkt_free(p);
    assert_memory_equal(copy->data, "iptcphdronetwo", 14);
    assert_int_equal(copy->len, 14);
    assert_int_equal(copy->n_text, 0);
    assert_ptr_equal(copy->pool, &there);
    assert_int_equal(copy->csum, PKT_CSUM_PARTIAL);
    assert_ptr_equal(copy->csum_at, copy->data + 2);
    assert_int_equal(copy->csum_field, 16);
    assert_int_equal(copy->gso_size, 3);
    assert_int_equal(copy->seq.n, 77);
    assert_true(copy->fin);
    assert_int_equal(copy->at, 1234);
    assert_int_equal(copy->data - copy->buf, 128);
    pkt_free(copy);
    assert_int_equal(here.live + there.live, 0);
    pkt_pool_free(&here);
    pkt_pool_free(&there);
}

static void a_copy_fails_when_its_pool_is_exhausted(void **state)
{
    struct pkt_pool here, there;
    (void)state;
    pkt_pool_init(&here, 100000, 0);
    pkt_pool_init(&there, 2047, 0);
    struct pkt *p = pkt_new(&here, 100);
    assert_null(pkt_copy(&there, p));
    pkt_free(p);
    assert_int_equal(here.live + there.live, 0);
    pkt_pool_free(&here);
    pkt_pool_free(&there);
}

static void flatten_stops_where_the_room_ends(void **state)
{
    struct pkt_pool pool;
    uint8_t out[8];
    (void)state;
    pkt_pool_init(&pool, 10000, 0);
    struct pkt *p = pkt_new(&pool, 100);
    memcpy(pkt_put(p, 3), "abc", 3);
    p->text[0] = (struct piece){ (const uint8_t *)"defg", 4 };
    p->n_text = 1;
    assert_int_equal(pkt_flatten(p, out, 8), 7);
    assert_memory_equal(out, "abcdefg", 7);
    assert_int_equal(pkt_flatten(p, out, 5), 5);
    assert_int_equal(pkt_flatten(p, out, 2), 2);
    assert_int_equal(pkt_flatten(p, out, 0), 0);
    pkt_free(p);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

static void a_queue_is_first_in_first_out(void **state)
{
    struct pkt_pool pool;
    struct pkt_queue q = { 0 };
    (void)state;
    pkt_pool_init(&pool, 10000, 0);
    struct pkt *a = pkt_new(&pool, 1), *b = pkt_new(&pool, 1), *c = pkt_new(&pool, 1);
    assert_null(pkt_queue_pop(&q));
    pkt_queue_push(&q, a);
    pkt_queue_push(&q, b);
    assert_ptr_equal(pkt_queue_pop(&q), a);
    pkt_queue_push(&q, c);
    assert_int_equal(q.n, 2);
    assert_ptr_equal(pkt_queue_pop(&q), b);
    assert_ptr_equal(pkt_queue_pop(&q), c);
    assert_null(pkt_queue_pop(&q));
    pkt_queue_push(&q, a);
    pkt_queue_push(&q, b);
    pkt_queue_push(&q, c);
    pkt_queue_clear(&q);
    assert_int_equal(q.n, 0);
    assert_null(q.head);
    assert_null(q.tail);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_packet_is_empty_with_headroom),
        cmocka_unit_test(the_room_asked_for_chooses_the_size),
        cmocka_unit_test(a_freed_packet_is_used_again),
        cmocka_unit_test(at_most_64_large_packets_are_kept),
        cmocka_unit_test(the_limit_holds_and_the_reserve_is_for_the_urgent),
        cmocka_unit_test(headers_are_pushed_and_pulled),
        cmocka_unit_test(a_copy_borrows_nothing_and_keeps_what_is_known),
        cmocka_unit_test(a_copy_fails_when_its_pool_is_exhausted),
        cmocka_unit_test(flatten_stops_where_the_room_ends),
        cmocka_unit_test(a_queue_is_first_in_first_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
