/* The record of what was sent. A record is written as FROM-TO:STATE, with f for flying,
 * s for sacked, l for lost, and *N behind it when it was sent N times; numbers are
 * relative to BASE, which lies close to the wrap. */
#include "tcp/tcp_sent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/memory.h"

#include "base/rng.h"

#define BASE 0xfffffe00u /* 512 before the wrap */

struct board {
    struct slab_pool pool;
    struct sent_list list;
};

static struct seq at(uint32_t n)
{
    return seq_at(BASE + n);
}

static struct board *board_new(void)
{
    static struct board b;
    slab_init(&b.pool, NULL, sizeof(struct sent), 0);
    sent_init(&b.list, &b.pool);
    return &b;
}

static void board_free(struct board *b)
{
    sent_clear(&b->list);
    for (int i = 0; i < 3; i++)
        assert_int_equal(b->list.bytes[i], 0);
    slab_done(&b->pool);
}

/* `n` records of 100, one a microsecond. */
static struct board *board_of(unsigned n)
{
    struct board *b = board_new();
    for (uint32_t i = 0; i < n; i++)
        assert_true(sent_add(&b->list, at(i * 100), at(i * 100 + 100), i + 1));
    return b;
}

static struct sent_news ack(struct board *b, uint32_t una)
{
    struct sent_news news = { .sent_at = NEVER };
    sent_ack(&b->list, at(una), &news);
    return news;
}

static struct sent_news sack(struct board *b, uint32_t from, uint32_t to)
{
    struct sent_news news = { .sent_at = NEVER };
    sent_sack(&b->list, at(from), at(to), &news);
    return news;
}

#define assert_board(b, text) assert_board_at(b, text, __FILE__, __LINE__)
static void assert_board_at(const struct board *b, const char *want, const char *file,
                            int line)
{
    char got[1000] = "";
    uint32_t bytes[3] = { 0 };
    size_t len = 0;

    list_each (node, &b->list.all) {
        const struct sent *s = list_entry(node, struct sent, node);
        bytes[s->state] += s->to.n - s->from.n;
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%u-%u:%c",
                                len ? " " : "", s->from.n - BASE, s->to.n - BASE,
                                "fsl"[s->state]);
        if (s->tries > 1)
            len += (size_t)snprintf(got + len, sizeof got - len, "*%u", s->tries);
    }
    _assert_string_equal(got, want, file, line);
    for (int i = 0; i < 3; i++)
        _assert_int_equal(b->list.bytes[i], bytes[i], file, line);
}

/* --- sending --- */

static void what_is_sent_is_flying(void **state)
{
    struct board *b = board_of(2);
    (void)state;
    assert_board(b, "0-100:f 100-200:f");
    assert_int_equal(b->list.bytes[0], 200);
    board_free(b);
}

static void what_is_sent_at_one_moment_is_one_record(void **state)
{
    struct board *b = board_new();
    (void)state;
    sent_add(&b->list, at(0), at(100), 7);
    sent_add(&b->list, at(100), at(150), 7);
    sent_add(&b->list, at(150), at(200), 8);
    assert_board(b, "0-150:f 150-200:f");
    board_free(b);
}

static void a_record_that_is_sacked_or_was_sent_again_does_not_grow(void **state)
{
    struct board *b = board_of(1);
    (void)state;
    sack(b, 0, 100);
    sent_add(&b->list, at(100), at(200), 1);
    assert_board(b, "0-100:s 100-200:f");
    sent_mark_all_lost(&b->list);
    sent_again(&b->list, at(100), at(200), 5);
    sent_add(&b->list, at(200), at(300), 5);
    assert_board(b, "0-100:l 100-200:f*2 200-300:f");
    board_free(b);
}

static void a_record_with_which_a_call_ends_does_not_grow_and_keeps_its_end(
    void **state)
{
    struct board *b = board_new();
    (void)state;
    sent_add(&b->list, at(0), at(100), 7);
    sent_push(&b->list);
    sent_add(&b->list, at(100), at(200), 7);
    assert_board(b, "0-100:f 100-200:f");
    sack(b, 0, 50);
    assert_board(b, "0-50:s 50-100:f 100-200:f");
    assert_false(list_entry(b->list.all.next, struct sent, node)->push);
    assert_true(list_entry(b->list.all.next->next, struct sent, node)->push);
    board_free(b);
}

/* --- acknowledgments --- */

static void an_acknowledgment_forgets_whole_records_and_cuts_one(void **state)
{
    struct board *b = board_of(3);
    (void)state;
    assert_int_equal(ack(b, 0).delivered, 0);
    assert_board(b, "0-100:f 100-200:f 200-300:f");
    assert_int_equal(ack(b, 1).delivered, 1);
    assert_board(b, "1-100:f 100-200:f 200-300:f");
    assert_int_equal(ack(b, 100).delivered, 99);
    assert_board(b, "100-200:f 200-300:f");
    assert_int_equal(ack(b, 250).delivered, 150);
    assert_board(b, "250-300:f");
    assert_int_equal(ack(b, 300).delivered, 50);
    assert_board(b, "");
    assert_null(sent_head(&b->list));
    board_free(b);
}

static void what_was_sacked_before_is_not_delivered_twice(void **state)
{
    struct board *b = board_of(3);
    (void)state;
    assert_int_equal(sack(b, 100, 200).delivered, 100);
    assert_int_equal(sack(b, 100, 200).delivered, 0);
    assert_int_equal(ack(b, 300).delivered, 200);
    board_free(b);
}

/* RFC 6298 s3 (MUST-rto-karn): Karn's rule. */
static void a_sample_comes_from_the_oldest_that_was_sent_once(void **state)
{
    struct board *b = board_of(3);
    (void)state;
    struct sent_news news = ack(b, 300);
    assert_int_equal(news.sent_at, 1);
    assert_false(news.resent);
    board_free(b);

    b = board_of(3);
    news = sack(b, 100, 300);
    assert_int_equal(news.sent_at, 2);
    board_free(b);

    b = board_of(3);
    sent_mark_head_lost(&b->list, 100);
    sent_again(&b->list, at(0), at(100), 9);
    news = ack(b, 100);
    assert_true(news.sent_at == NEVER);
    assert_true(news.resent);
    news = ack(b, 200);
    assert_int_equal(news.sent_at, 2);
    assert_false(news.resent);
    board_free(b);
}

/* --- SACK --- */

/* RFC 6675 s4 Update() (SHLD-rec-scoreboard), s5 (MUST-rec-update): each row on a board
 * of 0-100 100-200 200-300. */
static void a_sack_block_turns_what_it_covers(void **state)
{
    static const struct {
        uint32_t from, to, delivered;
        const char *after;
    } row[] = {
        { 100, 200, 100, "0-100:f 100-200:s 200-300:f" }, /* exactly one */
        { 150, 200, 50, "0-100:f 100-150:f 150-200:s 200-300:f" },
        { 100, 150, 50, "0-100:f 100-150:s 150-200:f 200-300:f" },
        { 120, 180, 60, "0-100:f 100-120:f 120-180:s 180-200:f 200-300:f" },
        { 50, 250, 200, "0-50:f 50-100:s 100-200:s 200-250:s 250-300:f" },
        { 0, 300, 300, "0-100:s 100-200:s 200-300:s" },
        { 299, 300, 1, "0-100:f 100-200:f 200-299:f 299-300:s" },
        { 0, 1, 1, "0-1:s 1-100:f 100-200:f 200-300:f" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct board *b = board_of(3);
        assert_int_equal(sack(b, row[i].from, row[i].to).delivered, row[i].delivered);
        assert_board(b, row[i].after);
        board_free(b);
    }
}

static void the_highest_sacked_is_the_end_of_the_last_block(void **state)
{
    struct board *b = board_of(4);
    (void)state;
    assert_int_equal(sent_high_sacked(&b->list, at(0)).n, BASE);
    sack(b, 200, 250);
    sack(b, 50, 100);
    assert_int_equal(sent_high_sacked(&b->list, at(0)).n, BASE + 250);
    board_free(b);
}

/* --- losses --- */

/* RFC 6675 s4 IsLost() (SHLD-rec-islost): more than (DupThresh - 1) segments of bytes,
 * or DupThresh separate blocks, above it. Segments are 100 here: 200 bytes, 3 blocks.
 */
static void lost_is_what_enough_is_sacked_above(void **state)
{
    static const struct {
        uint32_t block[3][2];
        bool marked;
        const char *after;
    } row[] = {
        /* two segments are not more than two */
        { { { 100, 300 } }, false, "0-100:f 100-200:s 200-300:s 300-400:f 400-500:f" },
        { { { 100, 301 } },
          true,
          "0-100:l 100-200:s 200-300:s 300-301:s 301-400:f 400-500:f" },
        { { { 200, 500 } }, true, "0-100:l 100-200:l 200-300:s 300-400:s 400-500:s" },
        /* three blocks of a byte each are enough, two are not */
        { { { 110, 111 }, { 210, 211 } },
          false,
          "0-100:f 100-110:f 110-111:s 111-200:f 200-210:f 210-211:s 211-300:f "
          "300-400:f 400-500:f" },
        { { { 210, 211 }, { 310, 311 }, { 410, 411 } },
          true,
          "0-100:l 100-200:l 200-210:l 210-211:s 211-300:f 300-310:f 310-311:s "
          "311-400:f 400-410:f 410-411:s 411-500:f" },
        /* blocks that touch are one */
        { { { 200, 250 }, { 250, 270 }, { 270, 290 } },
          false,
          "0-100:f 100-200:f 200-250:s 250-270:s 270-290:s 290-300:f 300-400:f "
          "400-500:f" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct board *b = board_of(5);
        for (int j = 0; j < 3 && row[i].block[j][1]; j++)
            sack(b, row[i].block[j][0], row[i].block[j][1]);
        assert_int_equal(sent_mark_lost(&b->list, 200, 3), row[i].marked);
        assert_board(b, row[i].after);
        assert_false(sent_mark_lost(&b->list, 200, 3));
        board_free(b);
    }
}

/* RFC 6675 s5 (MUST-rec-once): HighRxt; a retransmission that is lost waits for
 * the timer. */
static void what_was_sent_again_is_not_marked_once_more(void **state)
{
    struct board *b = board_of(5);
    (void)state;
    sack(b, 200, 500);
    sent_mark_lost(&b->list, 200, 3);
    sent_again(&b->list, at(0), at(100), 10);
    assert_false(sent_mark_lost(&b->list, 200, 3));
    assert_board(b, "0-100:f*2 100-200:l 200-300:s 300-400:s 400-500:s");
    board_free(b);
}

static void the_head_is_lost_as_far_as_asked(void **state)
{
    struct board *b = board_of(2);
    (void)state;
    sent_mark_head_lost(&b->list, 30);
    assert_board(b, "0-30:l 30-100:f 100-200:f");
    sent_mark_head_lost(&b->list, 30);
    assert_board(b, "0-30:l 30-100:f 100-200:f");
    assert_int_equal(sent_first_lost(&b->list)->from.n, BASE);
    board_free(b);

    b = board_of(2);
    sent_mark_head_lost(&b->list, 500);
    assert_board(b, "0-100:l 100-200:f");
    board_free(b);

    b = board_of(2);
    sack(b, 0, 50);
    sent_mark_head_lost(&b->list, 50);
    assert_board(b, "0-50:s 50-100:f 100-200:f");
    board_free(b);

    b = board_new();
    sent_mark_head_lost(&b->list, 50);
    assert_board(b, "");
    board_free(b);
}

/* RFC 6675 s4 NextSeg() (3). */
static void the_oldest_hole_is_below_something_sacked_and_was_sent_once(void **state)
{
    struct board *b = board_of(4);
    (void)state;
    sent_mark_hole_lost(&b->list, 60);
    assert_board(b, "0-100:f 100-200:f 200-300:f 300-400:f");
    sack(b, 200, 300);
    sent_mark_hole_lost(&b->list, 60);
    assert_board(b, "0-60:l 60-100:f 100-200:f 200-300:s 300-400:f");
    sent_again(&b->list, at(0), at(60), 9);
    sent_mark_hole_lost(&b->list, 60);
    assert_board(b, "0-60:f*2 60-100:l 100-200:f 200-300:s 300-400:f");
    board_free(b);
}

/* RFC 6298 s5.4; RFC 2018 s8 for what is sacked. */
static void a_time_out_loses_what_flies_and_keeps_what_is_sacked(void **state)
{
    struct board *b = board_of(3);
    (void)state;
    sack(b, 100, 200);
    sent_mark_all_lost(&b->list);
    assert_board(b, "0-100:l 100-200:s 200-300:l");
    board_free(b);
}

/* RFC 2018 s8: the peer acknowledges up to what it said it held: it threw that away. */
static void a_sacked_head_at_a_time_out_means_that_the_peer_reneged(void **state)
{
    struct board *b = board_of(4);
    (void)state;
    sack(b, 100, 200);
    sack(b, 300, 400);
    ack(b, 100);
    sent_mark_all_lost(&b->list);
    assert_board(b, "100-200:l 200-300:l 300-400:l");
    board_free(b);
}

static void lost_text_goes_again_from_the_front_in_parts(void **state)
{
    struct board *b = board_of(2);
    (void)state;
    sent_mark_all_lost(&b->list);
    sent_again(&b->list, at(0), at(40), 20);
    assert_board(b, "0-40:f*2 40-100:l 100-200:l");
    assert_int_equal(sent_head(&b->list)->at, 20);
    assert_int_equal(sent_first_lost(&b->list)->from.n, BASE + 40);
    sent_again(&b->list, at(40), at(100), 21);
    sent_again(&b->list, at(100), at(200), 22);
    assert_board(b, "0-40:f*2 40-100:f*2 100-200:f*2");
    assert_null(sent_first_lost(&b->list));
    sent_mark_all_lost(&b->list);
    sent_again(&b->list, at(0), at(40), 30);
    assert_board(b, "0-40:f*3 40-100:l*2 100-200:l*2");
    board_free(b);
}

/* --- memory --- */

static void records_are_used_again(void **state)
{
    struct board *b = board_of(1000);
    (void)state;
    for (int i = 0; i < 50; i++) {
        sent_clear(&b->list);
        for (uint32_t j = 0; j < 1000; j++)
            sent_add(&b->list, at(j * 10), at(j * 10 + 10), j);
    }
    assert_int_equal(b->pool.n_slabs, 1);
    assert_int_equal(b->pool.used, 1000);
    ack(b, 5000);
    assert_int_equal(b->pool.used, 500);
    board_free(b);
}

static void a_reservation_covers_a_record_and_a_split(void **state)
{
    struct board *b = board_new();
    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        assert_true(sent_reserve(&b->list));
        memory_ends_after(0);
        assert_true(sent_add(&b->list, at(i * 10), at(i * 10 + 10), i));
        sent_sack(&b->list, at(i * 10), at(i * 10 + 5), &(struct sent_news){ 0 });
        assert_int_equal(memory_back(), 0);
    }
    assert_int_equal(b->pool.used, 4000);
    board_free(b);
}

/* --- against a naive model --- */

enum { MODEL_MAX = 3000, ROUNDS = 100000 };

/* A number of the sequence space each. */
struct model {
    uint32_t una, nxt; /* relative to BASE, counted without wrapping */
    uint8_t state[MODEL_MAX], tries[MODEL_MAX]; /* from una on */
};

static struct model model;

static uint32_t model_len(void)
{
    return model.nxt - model.una;
}

static uint32_t pick(struct rng *r, uint32_t n)
{
    return (uint32_t)rng_below(r, n);
}

static void model_ack(struct board *b, struct rng *r)
{
    uint32_t n = pick(r, model_len() / 2 + 2), fresh = 0;
    if (n > model_len())
        n = model_len();
    for (uint32_t i = 0; i < n; i++)
        fresh += model.state[i] != SENT_SACKED;
    memmove(model.state, model.state + n, model_len() - n);
    memmove(model.tries, model.tries + n, model_len() - n);
    model.una += n;
    assert_int_equal(ack(b, model.una).delivered, fresh);
}

static void model_sack(struct board *b, struct rng *r)
{
    if (model_len() == 0)
        return;
    uint32_t from = pick(r, model_len()), fresh = 0;
    uint32_t to = from + 1 + pick(r, model_len() - from);
    for (uint32_t i = from; i < to; i++) {
        fresh += model.state[i] != SENT_SACKED;
        model.state[i] = SENT_SACKED;
    }
    assert_int_equal(sack(b, model.una + from, model.una + to).delivered, fresh);
}

static void model_lost(struct board *b, struct rng *r)
{
    uint32_t bytes = pick(r, 300), above = 0, runs = 0;
    unsigned blocks = 1 + pick(r, 4);
    bool marked = false;
    for (uint32_t i = model_len(); i-- > 0;) {
        if (model.state[i] == SENT_SACKED) {
            above++;
            runs += i + 1 == model_len() || model.state[i + 1] != SENT_SACKED;
        } else if (model.state[i] == SENT_FLYING && model.tries[i] == 1 &&
                   (above > bytes || runs >= blocks)) {
            model.state[i] = SENT_LOST;
            marked = true;
        }
    }
    assert_int_equal(sent_mark_lost(&b->list, bytes, blocks), marked);
}

static void model_time_out(struct board *b)
{
    bool reneged = model_len() && model.state[0] == SENT_SACKED;
    for (uint32_t i = 0; i < model_len(); i++)
        if (model.state[i] == SENT_FLYING || reneged)
            model.state[i] = SENT_LOST;
    sent_mark_all_lost(&b->list);
}

static void model_again(struct board *b, struct rng *r)
{
    const struct sent *lost = sent_first_lost(&b->list);
    uint32_t first = 0;
    while (first < model_len() && model.state[first] != SENT_LOST)
        first++;
    assert_int_equal(lost != NULL, first < model_len());
    if (!lost)
        return;
    assert_int_equal(lost->from.n, BASE + model.una + first);
    uint32_t n = 1 + pick(r, lost->to.n - lost->from.n);
    for (uint32_t i = first; i < first + n; i++) {
        model.state[i] = SENT_FLYING;
        model.tries[i]++;
    }
    sent_again(&b->list, lost->from, seq_add(lost->from, n), r->s[0] & 0xffff);
}

static void model_send(struct board *b, struct rng *r, usec now)
{
    uint32_t n = 1 + pick(r, 200);
    if (model_len() + n > MODEL_MAX)
        return;
    memset(model.state + model_len(), SENT_FLYING, n);
    memset(model.tries + model_len(), 1, n);
    sent_add(&b->list, at(model.nxt), at(model.nxt + n), now / 3);
    model.nxt += n;
}

static void model_compare(const struct board *b)
{
    uint32_t i = 0, bytes[3] = { 0 };
    list_each (node, &b->list.all) {
        const struct sent *s = list_entry(node, struct sent, node);
        assert_int_equal(s->from.n, BASE + model.una + i);
        assert_int_not_equal(s->to.n, s->from.n);
        for (uint32_t n = s->to.n - s->from.n; n > 0; n--, i++) {
            if (s->state != model.state[i] || s->tries != model.tries[i])
                fail_msg("number %u differs", model.una + i);
            bytes[s->state]++;
        }
    }
    assert_int_equal(i, model_len());
    assert_memory_equal(bytes, b->list.bytes, sizeof bytes);
}

static void random_operations_match_a_naive_model_across_the_wrap(void **state)
{
    struct board *b = board_new();
    struct rng r;
    (void)state;
    rng_seed(&r, 1);
    memset(&model, 0, sizeof model);
    for (usec now = 0; now < ROUNDS; now++) {
        uint32_t what = pick(&r, 16);
        if (what < 6)
            model_send(b, &r, now);
        else if (what < 8)
            model_ack(b, &r);
        else if (what < 11)
            model_sack(b, &r);
        else if (what < 12)
            model_lost(b, &r);
        else if (what < 15)
            model_again(b, &r);
        else if (pick(&r, 4) == 0)
            model_time_out(b);
        if (now % 8 == 0)
            model_compare(b);
    }
    assert_true(model.una > 1000000);
    model_compare(b);
    board_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_is_flying),
        cmocka_unit_test(what_is_sent_at_one_moment_is_one_record),
        cmocka_unit_test(a_record_that_is_sacked_or_was_sent_again_does_not_grow),
        cmocka_unit_test(
            a_record_with_which_a_call_ends_does_not_grow_and_keeps_its_end),
        cmocka_unit_test(an_acknowledgment_forgets_whole_records_and_cuts_one),
        cmocka_unit_test(what_was_sacked_before_is_not_delivered_twice),
        cmocka_unit_test(a_sample_comes_from_the_oldest_that_was_sent_once),
        cmocka_unit_test(a_sack_block_turns_what_it_covers),
        cmocka_unit_test(the_highest_sacked_is_the_end_of_the_last_block),
        cmocka_unit_test(lost_is_what_enough_is_sacked_above),
        cmocka_unit_test(what_was_sent_again_is_not_marked_once_more),
        cmocka_unit_test(the_head_is_lost_as_far_as_asked),
        cmocka_unit_test(the_oldest_hole_is_below_something_sacked_and_was_sent_once),
        cmocka_unit_test(a_time_out_loses_what_flies_and_keeps_what_is_sacked),
        cmocka_unit_test(a_sacked_head_at_a_time_out_means_that_the_peer_reneged),
        cmocka_unit_test(lost_text_goes_again_from_the_front_in_parts),
        cmocka_unit_test(records_are_used_again),
        cmocka_unit_test(a_reservation_covers_a_record_and_a_split),
        cmocka_unit_test(random_operations_match_a_naive_model_across_the_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
