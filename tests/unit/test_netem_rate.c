/* The bottleneck: its rate, its queue, and CoDel in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/netem_rig.h"
#include "wire/tcp_wire.h"

static struct netem_rig r;

static void offer(uint32_t number, uint32_t len, usec now)
{
    assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, number, len), now), 0);
}

/* The next frame has this number and is due just then. */
static void expect(uint32_t number, usec at)
{
    struct pkt *p;

    assert_int_equal(netem_deadline(&r.netem), at);
    assert_null(netem_take(&r.netem, at - 1));
    p = netem_take(&r.netem, at);
    assert_non_null(p);
    assert_int_equal(rig_number(p), number);
    pkt_free(p);
}

/* A queue that never runs empty: how many bytes come out in so much time. */
static uint64_t bytes_in(usec time, const char *spec, enum rig_way way, uint32_t len)
{
    uint64_t bytes = 0;
    usec now = 0;

    rig_init(&r, spec, way, 1);
    for (int i = 0; i < 10; i++)
        offer(0, len, 0);
    while ((now = netem_deadline(&r.netem)) <= time) {
        struct pkt *p = netem_take(&r.netem, now);

        if (!p)
            continue;
        bytes += p->len;
        pkt_free(p);
        offer(0, len, now);
    }
    rig_free(&r);
    return bytes;
}

static void the_rate_is_kept_within_a_percent_in_both_directions(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        assert_in_range(bytes_in(10000000, "rate 10mbit", way, 1514), 12375000,
                        12625000);
        assert_in_range(bytes_in(10000000, "rate 10mbit", way, 60), 12375000, 12625000);
        assert_in_range(bytes_in(10000000, "rate 100kbit", way, 500), 123750, 126250);
        /* 12.112 us a frame: the fraction counts. */
        assert_in_range(bytes_in(1000000, "rate 1gbit", way, 1514), 124990000,
                        125010000);
    }
}

static void overhead_is_counted_with_every_frame(void **state)
{
    /* 1000 of 1250 bytes, and 1000 of 900, are the frame's own. */
    assert_in_range(bytes_in(10000000, "rate 10mbit 250", RIG_OUT, 1000), 9990000,
                    10010000);
    assert_in_range(bytes_in(10000000, "rate 9mbit -100", RIG_OUT, 1000), 12490000,
                    12510000);
}

static void a_frame_takes_its_bits_by_the_rate_then_the_delay(void **state)
{
    rig_init(&r, "rate 1mbit delay 20ms", RIG_OUT, 1);
    offer(1, 1000, 0);
    offer(2, 500, 0);
    offer(3, 1000, 100000); /* the link was idle */
    expect(1, 28000);
    expect(2, 32000);
    expect(3, 128000);
    rig_free(&r);
}

/* The frames that wait count, and that which is being sent; not those in flight. */
static void with_a_rate_the_limit_is_the_queues_length(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        rig_init(&r, "rate 10mbit delay 50ms limit 100", way, 1);
        for (uint32_t i = 0; i < 100; i++)
            offer(i, 1250, 0);
        assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, 0, 1250), 999),
                         -(int)DROP_NETEM_LIMIT - 1);
        offer(100, 1250, 1000);
        assert_true(netem_offer(&r.netem, rig_numbered(&r, 0, 1250), 1000) < 0);
        assert_int_equal(r.count.drop[DROP_NETEM_LIMIT], 2);
        for (uint32_t i = 0; i <= 100; i++)
            expect(i, 50000 + (i + 1) * 1000);
        rig_free(&r);
    }
}

/* One frame a millisecond, for two seconds on their way: far more than the limit. */
static void the_pipe_behind_a_rate_is_as_long_as_its_delay(void **state)
{
    rig_init(&r, "rate 10mbit delay 2s limit 5", RIG_IN, 1);
    for (uint32_t i = 0; i < 1000; i++)
        offer(i, 1250, i * 1000);
    assert_int_equal(netem_held(&r.netem), 1000);
    for (uint32_t i = 0; i < 1000; i++)
        expect(i, 2001000 + i * 1000);
    rig_free(&r);
}

static void a_frame_that_overtakes_does_not_pass_the_bottleneck(void **state)
{
    rig_init(&r, "rate 10mbit delay 20ms reorder 100% gap 3", RIG_OUT, 1);
    for (uint32_t i = 0; i < 4; i++)
        offer(i, 1250, 0);
    while (netem_deadline(&r.netem) < 3000)
        assert_null(netem_take(&r.netem, netem_deadline(&r.netem)));
    expect(2, 3000);
    while (netem_deadline(&r.netem) < 21000)
        assert_null(netem_take(&r.netem, netem_deadline(&r.netem)));
    expect(0, 21000);
    expect(1, 22000);
    expect(3, 24000);
    rig_free(&r);
}

static void a_frame_that_is_held_does_not_hold_the_bottleneck(void **state)
{
    rig_init(&r, "rate 10mbit hold any:1 1s", RIG_OUT, 1);
    for (uint32_t i = 0; i < 3; i++)
        offer(i, 1250, 0);
    while (netem_deadline(&r.netem) < 2000)
        assert_null(netem_take(&r.netem, netem_deadline(&r.netem)));
    expect(1, 2000);
    expect(2, 3000);
    expect(0, 1001000);
    rig_free(&r);
}

/* Asked late, the emulator delivers what was due meanwhile, as if it had been asked. */
static void being_asked_late_changes_nothing_of_what_is_delivered(void **state)
{
    uint32_t often[2000], seldom[2000], n[2] = { 0 };

    for (int k = 0; k < 2; k++) {
        rig_init(&r, "rate 9mbit limit 60 codel delay 5ms", RIG_OUT, 1);
        for (uint32_t i = 0; i < 2000; i++) {
            struct pkt *p;

            netem_offer(&r.netem, rig_numbered(&r, i, 1250), i * 1000);
            while ((k == 0 || i % 50 == 49) &&
                   (p = netem_take(&r.netem, i * 1000)) != NULL) {
                (k ? seldom : often)[n[k]++] = rig_number(p);
                pkt_free(p);
            }
        }
        assert_true(r.count.drop[DROP_NETEM_CODEL] > 3);
        rig_free(&r);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(often, seldom, n[0] * sizeof often[0]);
}

/* A sender that keeps a window of frames in flight, one more a round trip, and halves
 * it once a round trip when a frame is lost or marked. */
struct sender {
    uint64_t window; /* in thousandths of a frame */
    unsigned flying, lost;
    usec now, halved; /* when the window last was */
    uint32_t next;
    bool ect;
};

static void answer(struct sender *s, bool trouble)
{
    if (!trouble) {
        s->window += 1000000 / s->window;
    } else if (s->now - s->halved > 60000) {
        s->window = s->window / 2 < 2000 ? 2000 : s->window / 2;
        s->halved = s->now;
    }
}

/* It learns at once of what is dropped; where the queue settles does not depend on it.
 */
static void lost_one(void *ctx, enum drop why)
{
    struct sender *s = ctx;

    s->flying--;
    s->lost++;
    answer(s, true);
}

static void fill_window(struct sender *s)
{
    while (s->flying < s->window / 1000) {
        struct rig_segment seg = { TCP_ACK, 1460, 1000, s->next++, s->ect ? 2 : 0 };

        s->flying++;
        if (netem_offer(&r.netem, rig_tcp(&r, seg), s->now) < 0)
            lost_one(s, DROP_NETEM_LIMIT);
    }
}

struct result {
    uint64_t waited; /* usec that frames waited on average, after the first 5 s */
    uint64_t bytes;  /* in 25 s after those */
    unsigned lost, marked;
};

/* 30 seconds over 10mbit and 40 ms. */
static struct result settle(const char *spec, enum rig_way way, bool ect)
{
    struct sender s = { .window = 10000, .ect = ect, .halved = -1000000 };
    struct result result = { 0 };
    uint64_t n = 0;

    rig_init(&r, spec, way, 1);
    r.netem.late = lost_one;
    r.netem.ctx = &s;
    fill_window(&s);
    while ((s.now = netem_deadline(&r.netem)) < 30000000) {
        struct pkt *p = netem_take(&r.netem, s.now);

        if (p) {
            s.flying--;
            answer(&s, (p->data[15] & 3) == 3);
            result.bytes += s.now > 5000000 ? p->len : 0;
            pkt_free(p);
        }
        fill_window(&s);
        if (s.now > 5000000) {
            result.waited += r.netem.waiting.n * 1211;
            n++;
        }
    }
    result.waited /= n;
    result.lost = s.lost;
    result.marked = (unsigned)r.count.n[COUNT_NetemEcnMarked];
    rig_free(&r);
    return result;
}

/* RFC 8289 s4.3: the standing queue is kept about the target, the link busy. */
static void codel_keeps_the_standing_queue_near_the_target(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct result tail = settle("rate 10mbit delay 40ms limit 200", way, false);
        struct result codel = settle("rate 10mbit delay 40ms limit 200 codel", way,
                                     false);

        assert_in_range(tail.waited, 60000, 250000);
        assert_in_range(codel.waited, 1000, 12000);
        assert_in_range(codel.bytes, 25000000, 31300000);
        assert_in_range(codel.lost, 5, 500);
        assert_int_equal(codel.marked, 0);
    }
}

static void codel_marks_where_both_sides_speak_ecn(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct result ecn = settle("rate 10mbit delay 40ms limit 200 codel ecn", way,
                                   true);
        struct result deaf = settle("rate 10mbit delay 40ms limit 200 codel ecn", way,
                                    false);

        assert_int_equal(ecn.lost, 0);
        assert_in_range(ecn.marked, 5, 500);
        assert_in_range(ecn.waited, 1000, 15000);
        assert_int_equal(deaf.marked, 0);
        assert_in_range(deaf.lost, 5, 500);
    }
}

static void codels_target_is_obeyed(void **state)
{
    struct result low = settle("rate 10mbit delay 40ms limit 200 codel target 2ms",
                               RIG_OUT, false);
    struct result high = settle("rate 10mbit delay 40ms limit 200 codel target 40ms",
                                RIG_OUT, false);

    assert_true(low.waited * 3 < high.waited);
}

/* With codel `ecn` is codel's: what loss takes is lost. */
static void loss_beside_codel_is_never_marked(void **state)
{
    struct rig_segment s = { TCP_ACK, 9, 1000, 1, 2 };

    rig_init(&r, "rate 10mbit loss 100% codel ecn", RIG_OUT, 1);
    assert_int_equal(netem_offer(&r.netem, rig_tcp(&r, s), 0),
                     -(int)DROP_NETEM_LOSS - 1);
    rig_free(&r);
}

/* A hundred thousand frames in flight at once. */
static void a_long_queue_is_no_slow_one(void **state)
{
    rig_init(&r, "delay 1s limit 100000", RIG_OUT, 1);
    for (uint32_t i = 0; i < 100000; i++)
        offer(i, 60, i);
    assert_true(netem_offer(&r.netem, rig_numbered(&r, 0, 60), 100000) < 0);
    for (uint32_t i = 0; i < 100000; i++) {
        struct pkt *p = netem_take(&r.netem, 1000000 + i);

        assert_int_equal(rig_number(p), i);
        pkt_free(p);
    }
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_kept_within_a_percent_in_both_directions),
        cmocka_unit_test(overhead_is_counted_with_every_frame),
        cmocka_unit_test(a_frame_takes_its_bits_by_the_rate_then_the_delay),
        cmocka_unit_test(with_a_rate_the_limit_is_the_queues_length),
        cmocka_unit_test(the_pipe_behind_a_rate_is_as_long_as_its_delay),
        cmocka_unit_test(a_frame_that_overtakes_does_not_pass_the_bottleneck),
        cmocka_unit_test(a_frame_that_is_held_does_not_hold_the_bottleneck),
        cmocka_unit_test(being_asked_late_changes_nothing_of_what_is_delivered),
        cmocka_unit_test(codel_keeps_the_standing_queue_near_the_target),
        cmocka_unit_test(codel_marks_where_both_sides_speak_ecn),
        cmocka_unit_test(codels_target_is_obeyed),
        cmocka_unit_test(loss_beside_codel_is_never_marked),
        cmocka_unit_test(a_long_queue_is_no_slow_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
