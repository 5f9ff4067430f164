/* The receive queue. Numbers are relative to BASE, close to the wrap; byte n of the
 * stream is text_byte(n). What is out of order is written as FROM-TO, with F behind it
 * where a FIN follows. */
#include "tcp/tcp_rcvq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

#define BASE 0xffffff00u /* 256 before the wrap */

enum { HEADERS = 54, LIMIT = 64 << 20 };

struct queue {
    struct pkt_pool pool;
    struct rcvq q;
    size_t limit;
    struct range dup;  /* what the last insert() or join() said of duplicates */
    uint32_t appended; /* where the text in order ends: RCV.NXT */
    uint32_t was_read;
    bool fin;
};

static uint8_t text_byte(uint32_t n)
{
    return (uint8_t)(n * 7 + (n >> 8) * 13 + 5);
}

static struct seq at(uint32_t n)
{
    return seq_at(BASE + n);
}

static struct queue *queue_new(void)
{
    static struct queue f;
    f = (struct queue){ .limit = LIMIT };
    pkt_pool_init(&f.pool, 64 << 20, 0);
    rcvq_init(&f.q);
    return &f;
}

static void queue_free(struct queue *f)
{
    rcvq_clear(&f->q);
    assert_int_equal(f->q.len, 0);
    assert_int_equal(f->q.ofo_len, 0);
    assert_int_equal(f->q.held, 0);
    assert_int_equal(f->pool.live, 0);
    pkt_pool_free(&f->pool);
}

/* [from, to) in a packet with 54 bytes of headers before it. */
static struct tcp_seg segment(struct queue *f, uint32_t from, uint32_t to, bool fin)
{
    struct pkt *p = pkt_new(&f->pool, HEADERS + to - from);
    assert_non_null(p);
    pkt_put(p, HEADERS);
    pkt_pull(p, HEADERS);
    uint8_t *text = pkt_put(p, to - from);
    for (uint32_t n = from; n < to; n++)
        text[n - from] = text_byte(n);
    return (struct tcp_seg){ .seq = at(from),
                             .flags = fin ? TCP_ACK | TCP_FIN : TCP_ACK,
                             .pkt = p,
                             .text = text,
                             .text_len = to - from };
}

static bool append(struct queue *f, uint32_t len)
{
    struct tcp_seg seg = segment(f, f->appended, f->appended + len, false);
    bool kept = rcvq_append(&f->q, &seg);
    pkt_free(seg.pkt);
    f->appended += kept ? len : 0;
    return kept;
}

static bool put(struct queue *f, struct tcp_seg seg)
{
    bool fresh = rcvq_insert(&f->q, &seg, f->limit, &f->dup) == RCVQ_KEPT;
    pkt_free(seg.pkt);
    return fresh;
}

static bool insert(struct queue *f, uint32_t from, uint32_t to)
{
    return put(f, segment(f, from, to, false));
}

static bool insert_fin(struct queue *f, uint32_t from, uint32_t to)
{
    return put(f, segment(f, from, to, true));
}

static void join(struct queue *f)
{
    f->appended = rcvq_join(&f->q, at(f->appended), &f->fin, &f->dup).n - BASE;
}

static void read_text(struct queue *f, uint32_t n)
{
    static uint8_t buf[100000];
    assert_int_equal(rcvq_read(&f->q, &(struct room){ buf, n }, 1, false), n);
    for (uint32_t i = 0; i < n; i++, f->was_read++)
        if (buf[i] != text_byte(f->was_read))
            fail_msg("byte %u is wrong", f->was_read);
}

#define assert_out_of_order(f, text) assert_out_of_order_at(f, text, __FILE__, __LINE__)
static void assert_out_of_order_at(const struct queue *f, const char *want,
                                   const char *file, int line)
{
    char got[500] = "";
    uint32_t total = 0;
    size_t len = 0;
    for (const struct pkt *p = f->q.ofo; p; p = p->next) {
        uint32_t from = p->seq.n - BASE;
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%u-%u%s",
                                len ? " " : "", from, from + p->len, p->fin ? "F" : "");
        total += p->len;
        for (uint32_t i = 0; i < p->len; i++)
            _assert_int_equal(p->data[i], text_byte(from + i), file, line);
    }
    _assert_string_equal(got, want, file, line);
    _assert_int_equal(f->q.ofo_len, total, file, line);
}

#define assert_blocks(f, max, text) assert_blocks_at(f, max, text, __FILE__, __LINE__)
static void assert_blocks_at(const struct queue *f, unsigned max, const char *want,
                             const char *file, int line)
{
    char got[200] = "";
    struct range r[8];
    size_t len = 0;
    unsigned n = rcvq_blocks(&f->q, r, max);
    for (unsigned i = 0; i < n; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%u-%u", len ? " " : "",
                                r[i].from.n - BASE, r[i].to.n - BASE);
    _assert_string_equal(got, want, file, line);
}

/* --- in order --- */

static void text_in_order_is_read_as_it_came(void **state)
{
    struct queue *f = queue_new();
    uint8_t peeked[5];
    (void)state;
    append(f, 1448);
    append(f, 10);
    append(f, 1448);
    assert_int_equal(rcvq_read(&f->q, &(struct room){ peeked, 5 }, 1, true), 5);
    assert_int_equal(peeked[4], text_byte(4));
    assert_int_equal(f->q.len, 2906);
    read_text(f, 1);
    read_text(f, 1450);
    read_text(f, 1455);
    assert_int_equal(f->q.len, 0);
    assert_int_equal(f->pool.live, 0);
    queue_free(f);
}

static void a_large_segment_is_kept_without_a_copy(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    struct tcp_seg seg = segment(f, 0, 1448, false);
    const struct pkt *p = seg.pkt;
    assert_true(rcvq_append(&f->q, &seg));
    assert_null(seg.pkt);
    assert_ptr_equal(f->q.text.head, p);
    assert_int_equal(f->pool.live, 1);
    queue_free(f);
}

/* Bug class 9: buffers that one-byte segments exhaust, in order and in pairs swapped.
 */
static void ten_thousand_segments_of_a_byte_hold_little_memory(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_true(append(f, 1));
    for (uint32_t i = 5000; i < 10000; i += 2) {
        assert_true(insert(f, i + 1, i + 2));
        assert_true(append(f, 1));
        join(f);
    }
    assert_int_equal(f->q.len, 10000);
    assert_in_range(f->q.held, 10000, 20000);
    assert_int_equal(f->pool.bytes, f->q.held);
    read_text(f, 10000);
    queue_free(f);
}

static void small_text_goes_behind_a_packet_that_has_room(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    append(f, 1000);
    append(f, 300);
    append(f, 300);
    assert_int_equal(f->pool.live, 1);
    read_text(f, 1600);
    queue_free(f);
}

/* A large packet that carries little is copied, also across several small ones. */
static void little_text_in_a_large_packet_is_copied(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    struct pkt *p = pkt_new(&f->pool, 60000);
    uint8_t *text = pkt_put(p, 5000);
    for (uint32_t n = 0; n < 5000; n++)
        text[n] = text_byte(n);
    struct tcp_seg seg = { .seq = at(0), .pkt = p, .text = text, .text_len = 5000 };
    assert_true(rcvq_append(&f->q, &seg));
    assert_ptr_equal(seg.pkt, p);
    pkt_free(p);
    assert_in_range(f->q.held, 5000, 8192);
    read_text(f, 5000);
    queue_free(f);
}

static void without_memory_nothing_is_taken(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    append(f, 1900);
    struct tcp_seg seg = segment(f, 1900, 2200, false);
    f->pool.limit = f->pool.bytes;
    assert_false(rcvq_append(&f->q, &seg));
    assert_int_equal(f->q.len, 1900);
    seg.seq = at(3000);
    assert_int_equal(rcvq_insert(&f->q, &seg, LIMIT, &f->dup), RCVQ_FULL);
    assert_out_of_order(f, "");
    pkt_free(seg.pkt);
    read_text(f, 1900);
    queue_free(f);
}

static void discarded_text_is_not_read(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    append(f, 1448);
    append(f, 1448);
    rcvq_discard(&f->q, 1500);
    f->was_read = 1500;
    read_text(f, 100);
    rcvq_discard(&f->q, 5000);
    assert_int_equal(f->q.len, 0);
    assert_int_equal(f->pool.live, 0);
    queue_free(f);
}

/* --- out of order --- */

/* RFC 9293 s3.10.7.4 (SHLD-31): each row inserts up to four segments. */
static void what_comes_out_of_order_is_kept_once(void **state)
{
    static const struct {
        uint32_t seg[4][2];
        const char *after;
        bool fresh;            /* of the last one */
        uint32_t dup_from, to; /* of the last one */
    } row[] = {
        { { { 10, 20 } }, "10-20", true, 0, 0 },
        { { { 30, 40 }, { 10, 20 } }, "10-20 30-40", true, 0, 0 },
        { { { 10, 20 }, { 20, 30 } }, "10-30", true, 0, 0 },
        { { { 10, 20 }, { 10, 20 } }, "10-20", false, 10, 20 },
        { { { 10, 20 }, { 12, 18 } }, "10-20", false, 12, 18 },
        { { { 10, 20 }, { 15, 25 } }, "10-25", true, 15, 20 },
        { { { 10, 20 }, { 5, 15 } }, "5-10 10-20", true, 10, 15 },
        { { { 10, 20 }, { 5, 25 } }, "5-25", true, 10, 20 },
        { { { 10, 20 }, { 30, 40 }, { 5, 45 } }, "5-45", true, 10, 20 },
        { { { 10, 20 }, { 30, 40 }, { 15, 35 } }, "10-30 30-40", true, 15, 20 },
        /* known from two packets that touch: nothing is new */
        { { { 20, 30 }, { 10, 20 }, { 15, 25 } }, "10-20 20-30", false, 15, 25 },
        { { { 50, 51 }, { 10, 11 }, { 30, 31 }, { 9, 60 } }, "9-60", true, 10, 11 },
        { { { 20, 30 }, { 10, 20 }, { 5, 35 } }, "5-35", true, 10, 30 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct queue *f = queue_new();
        bool fresh = false;
        for (int j = 0; j < 4 && row[i].seg[j][1]; j++)
            fresh = insert(f, row[i].seg[j][0], row[i].seg[j][1]);
        assert_out_of_order(f, row[i].after);
        assert_int_equal(fresh, row[i].fresh);
        assert_int_equal(f->dup.to.n - f->dup.from.n, row[i].to - row[i].dup_from);
        if (row[i].to)
            assert_int_equal(f->dup.from.n, BASE + row[i].dup_from);
        queue_free(f);
    }
}

static void a_filled_hole_joins_what_lies_behind_it(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert(f, 200, 300);
    insert(f, 300, 1800);
    insert(f, 1900, 2000);
    join(f);
    assert_int_equal(f->appended, 0);
    append(f, 200);
    join(f);
    assert_int_equal(f->appended, 1800);
    assert_out_of_order(f, "1900-2000");
    append(f, 150); /* reaches into what is held */
    join(f);
    assert_int_equal(f->appended, 2000);
    assert_out_of_order(f, "");
    assert_int_equal(f->q.len, 2000);
    read_text(f, 2000);
    queue_free(f);
}

static void text_that_was_overtaken_is_forgotten_when_it_joins(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert(f, 100, 200);
    insert(f, 300, 400);
    append(f, 500);
    join(f);
    assert_int_equal(f->appended, 500);
    assert_out_of_order(f, "");
    assert_int_equal(f->q.len, 500);
    read_text(f, 500);
    assert_int_equal(f->pool.live, 0);
    queue_free(f);
}

/* RFC 2018 s8 (MAY-sack-renege). The limit is on buffers held; the highest goes. */
static void memory_is_bounded_by_throwing_the_highest_away(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    f->limit = 5 * 2048;
    for (uint32_t i = 1; i <= 5; i++)
        assert_true(insert(f, i * 1000, i * 1000 + 600));
    insert(f, 500, 600);
    assert_out_of_order(f, "500-600 1000-1600 2000-2600 3000-3600 4000-4600");
    insert(f, 9000, 9100);
    assert_out_of_order(f, "500-600 1000-1600 2000-2600 3000-3600 4000-4600");
    queue_free(f);
}

/* --- FIN --- */

/* Bug class 14: a FIN among what is out of order. */
static void a_fin_out_of_order_is_told_when_it_joins(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert_fin(f, 100, 200);
    assert_out_of_order(f, "100-200F");
    append(f, 100);
    join(f);
    assert_true(f->fin);
    assert_int_equal(f->appended, 200);
    queue_free(f);
}

static void a_fin_alone_out_of_order_is_kept_once(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    assert_true(insert_fin(f, 200, 200));
    assert_out_of_order(f, "200-200F");
    assert_false(insert_fin(f, 200, 200));
    assert_out_of_order(f, "200-200F");
    insert(f, 100, 200);
    append(f, 100);
    join(f);
    assert_true(f->fin);
    assert_int_equal(f->appended, 200);
    assert_out_of_order(f, "");
    queue_free(f);
}

static void a_fin_joins_the_text_that_is_held_before_it(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert(f, 100, 200);
    assert_true(insert_fin(f, 200, 200));
    assert_false(insert_fin(f, 200, 200));
    assert_false(insert_fin(f, 100, 200));
    assert_out_of_order(f, "100-200F");
    insert(f, 300, 400);
    assert_true(insert_fin(f, 350, 400)); /* its text is known, its FIN is not */
    assert_out_of_order(f, "100-200F 300-400F");
    insert(f, 250, 400); /* takes its place, without the FIN that was there */
    assert_out_of_order(f, "100-200F 250-400F");
    queue_free(f);
}

static void a_fin_in_the_middle_of_text_is_not_believed(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert(f, 100, 200);
    assert_false(insert_fin(f, 150, 150));
    assert_false(insert_fin(f, 120, 150));
    assert_out_of_order(f, "100-200");
    queue_free(f);
}

static void behind_the_fin_nothing_is_kept(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert_fin(f, 100, 200);
    insert(f, 300, 400);
    append(f, 100);
    join(f);
    assert_true(f->fin);
    rcvq_forget_ofo(&f->q);
    assert_out_of_order(f, "");
    assert_blocks(f, 4, "");
    queue_free(f);
}

/* --- SACK --- */

/* RFC 2018 s4: the block with the latest arrival first, then those before it. */
static void blocks_are_told_latest_first(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    assert_blocks(f, 4, "");
    insert(f, 100, 200);
    assert_blocks(f, 4, "100-200");
    insert(f, 500, 600);
    assert_blocks(f, 4, "500-600 100-200");
    insert(f, 300, 400);
    assert_blocks(f, 4, "300-400 500-600 100-200");
    insert(f, 200, 250);
    assert_blocks(f, 4, "100-250 300-400 500-600");
    assert_blocks(f, 3, "100-250 300-400 500-600");
    assert_blocks(f, 2, "100-250 300-400");
    assert_blocks(f, 1, "100-250");
    assert_blocks(f, 0, "");
    insert(f, 700, 800);
    insert(f, 900, 950);
    assert_blocks(f, 4, "900-950 700-800 100-250 300-400");
    append(f, 100);
    join(f);
    assert_blocks(f, 4, "900-950 700-800 300-400");
    queue_free(f);
}

static void a_long_run_does_not_push_the_other_blocks_out(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert(f, 100, 200);
    insert(f, 300, 400);
    for (uint32_t i = 0; i < 20; i++)
        insert(f, 1000 + i * 100, 1100 + i * 100);
    assert_blocks(f, 4, "1000-3000 300-400 100-200");
    queue_free(f);
}

/* RFC 2883 s4 (2): behind a duplicate stands the block that holds it. */
static void a_duplicate_moves_its_block_to_the_front(void **state)
{
    struct queue *f = queue_new();
    (void)state;
    insert(f, 100, 200);
    insert(f, 300, 400);
    insert(f, 120, 150);
    assert_blocks(f, 4, "100-200 300-400");
    queue_free(f);
}

/* --- against a naive model --- */

enum { STREAM = 60000, STREAMS = 40 };

static bool held[STREAM + 1]; /* byte n came; [STREAM]: the FIN */

/* What the steps of SEGMENT ARRIVES do with [from, to). */
static void arrive(struct queue *f, uint32_t from, uint32_t to, bool fin)
{
    if (to + fin <= f->appended)
        return;
    if (from < f->appended)
        from = f->appended;
    for (uint32_t n = from; n < to + fin; n++)
        held[n] = true;
    if (from > f->appended) {
        put(f, segment(f, from, to, fin));
        return;
    }
    if (to > from)
        append(f, to - from);
    f->fin = fin;
    if (!fin)
        join(f);
    if (f->fin)
        rcvq_forget_ofo(&f->q);
}

static void compare(const struct queue *f)
{
    uint32_t n = f->appended, total = 0;
    size_t buffers = 0;
    assert_true(n == STREAM || !held[n]);
    for (const struct pkt *p = f->q.ofo; p; p = p->next) {
        for (; n < p->seq.n - BASE; n++)
            assert_false(held[n]);
        for (uint32_t i = 0; i < p->len; i++, n++)
            assert_true(held[n] && p->data[i] == text_byte(n));
        total += p->len;
        buffers += p->cap;
    }
    for (; n < STREAM; n++)
        assert_false(held[n]);
    assert_int_equal(total, f->q.ofo_len);
    for (const struct pkt *p = f->q.text.head; p; p = p->next)
        buffers += p->cap;
    assert_int_equal(buffers, f->q.held);
    assert_int_equal(f->q.len, f->appended - f->was_read);
}

static void one_stream(struct rng *r)
{
    struct queue *f = queue_new();
    memset(held, 0, sizeof held);
    for (int round = 0; !f->fin; round++) {
        uint32_t most = rng_below(r, 2) ? 20 : 3000;
        uint32_t from = f->appended + (uint32_t)rng_below(r, 9000);
        if (rng_below(r, 3) == 0)
            from = f->appended - (uint32_t)rng_below(r, f->appended / 8 + 1);
        from = from < STREAM ? from : STREAM;
        uint32_t to = from + (uint32_t)rng_below(r, most);
        to = to < STREAM ? to : STREAM;
        if (to == STREAM || to > from)
            arrive(f, from, to, to == STREAM);
        if (rng_below(r, 4) == 0)
            read_text(f, (uint32_t)rng_below(r, f->q.len + 1));
        if (round % 8 == 0)
            compare(f);
    }
    assert_int_equal(f->appended, STREAM);
    compare(f);
    read_text(f, f->q.len);
    assert_int_equal(f->was_read, STREAM);
    assert_int_equal(f->pool.live, 0);
    queue_free(f);
}

static void random_segments_match_a_byte_map_across_the_wrap(void **state)
{
    struct rng r;
    (void)state;
    rng_seed(&r, 7);
    for (int i = 0; i < STREAMS; i++)
        one_stream(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_in_order_is_read_as_it_came),
        cmocka_unit_test(a_large_segment_is_kept_without_a_copy),
        cmocka_unit_test(ten_thousand_segments_of_a_byte_hold_little_memory),
        cmocka_unit_test(small_text_goes_behind_a_packet_that_has_room),
        cmocka_unit_test(little_text_in_a_large_packet_is_copied),
        cmocka_unit_test(without_memory_nothing_is_taken),
        cmocka_unit_test(discarded_text_is_not_read),
        cmocka_unit_test(what_comes_out_of_order_is_kept_once),
        cmocka_unit_test(a_filled_hole_joins_what_lies_behind_it),
        cmocka_unit_test(text_that_was_overtaken_is_forgotten_when_it_joins),
        cmocka_unit_test(memory_is_bounded_by_throwing_the_highest_away),
        cmocka_unit_test(a_fin_out_of_order_is_told_when_it_joins),
        cmocka_unit_test(a_fin_alone_out_of_order_is_kept_once),
        cmocka_unit_test(a_fin_joins_the_text_that_is_held_before_it),
        cmocka_unit_test(a_fin_in_the_middle_of_text_is_not_believed),
        cmocka_unit_test(behind_the_fin_nothing_is_kept),
        cmocka_unit_test(blocks_are_told_latest_first),
        cmocka_unit_test(a_long_run_does_not_push_the_other_blocks_out),
        cmocka_unit_test(a_duplicate_moves_its_block_to_the_front),
        cmocka_unit_test(random_segments_match_a_byte_map_across_the_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
