#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "edge/netem_queue.h"
#include "harness/memory.h"

static struct pkt_pool pool;
static struct netem_queue queue;

static int setup(void **state)
{
    pkt_pool_init(&pool, 512 << 20, 0);
    queue = (struct netem_queue){ 0 };
    return 0;
}

static int teardown(void **state)
{
    netem_queue_free(&queue);
    assert_int_equal(pool.live, 0);
    pkt_pool_free(&pool);
    return 0;
}

static struct pkt *frame(uint32_t number)
{
    struct pkt *p = pkt_new(&pool, 100);

    assert_non_null(p);
    p->seq = seq_at(number);
    p->len = 60;
    return p;
}

static void push(uint32_t number, usec at)
{
    assert_true(netem_queue_push(&queue, frame(number), at, 0));
}

/* The number of the earliest frame, which is taken out. */
static uint32_t pop(void)
{
    struct netem_item item = netem_queue_pop(&queue);
    uint32_t number = item.p->seq.n;

    pkt_free(item.p);
    return number;
}

static void an_empty_queue_has_no_first(void **state)
{
    assert_null(netem_queue_first(&queue));
    push(1, 5);
    assert_int_equal(netem_queue_first(&queue)->at, 5);
    assert_int_equal(pop(), 1);
    assert_null(netem_queue_first(&queue));
}

static void frames_come_out_by_their_time(void **state)
{
    push(3, 30);
    push(1, 10);
    push(4, 40);
    push(2, 20);
    for (uint32_t i = 1; i <= 4; i++) {
        assert_int_equal(netem_queue_first(&queue)->at, i * 10);
        assert_int_equal(pop(), i);
    }
}

static void frames_of_one_time_come_out_as_they_were_pushed(void **state)
{
    for (uint32_t i = 0; i < 1000; i++)
        push(i, 7);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(pop(), i);
}

static void it_knows_how_many_bytes_it_has(void **state)
{
    for (uint32_t i = 0; i < 10; i++)
        push(i, i);
    assert_int_equal(queue.n, 10);
    assert_int_equal(queue.bytes, 600);
    pop();
    assert_int_equal(queue.bytes, 540);
}

static void what_a_script_adds_stays_with_the_frame(void **state)
{
    struct netem_item item;

    assert_true(netem_queue_push(&queue, frame(1), 5, 300));
    item = netem_queue_pop(&queue);
    assert_int_equal(item.hold, 300);
    pkt_free(item.p);
}

static void twenty_thousand_in_any_order_come_out_sorted(void **state)
{
    struct rng rng;
    usec last = -1;
    uint64_t order = 0;

    rng_seed(&rng, 1);
    for (uint32_t i = 0; i < 20000; i++)
        push(i, (usec)rng_below(&rng, 1000));
    for (uint32_t i = 0; i < 20000; i++) {
        const struct netem_item *first = netem_queue_first(&queue);

        assert_true(first->at > last || (first->at == last && first->order > order));
        last = first->at;
        order = first->order;
        pop();
    }
    assert_int_equal(queue.bytes, 0);
}

static void a_frame_that_finds_no_memory_stays_the_callers(void **state)
{
    struct pkt *p = frame(1);

    memory_ends_after(0);
    assert_false(netem_queue_push(&queue, p, 1, 0));
    assert_int_equal(memory_back(), 1);
    assert_int_equal(queue.n, 0);
    assert_int_equal(queue.bytes, 0);
    pkt_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_queue_has_no_first, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_come_out_by_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_of_one_time_come_out_as_they_were_pushed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(it_knows_how_many_bytes_it_has, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_script_adds_stays_with_the_frame, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(twenty_thousand_in_any_order_come_out_sorted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_that_finds_no_memory_stays_the_callers,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
