/* Pictures of records made by hand. */
#include "../../tools/lab/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void two_rounds_and_a_close(struct page_run *run)
{
    struct record *r = &run->record;

    run->how = strategy_find("keepalive");
    assert_true(record_init(r, 2, 25000));
    unsigned lane = record_lane(r, 1000);
    r->lane[lane].open = 101000;
    unsigned fetch = record_ask(r, lane, 0, 101000);
    record_arrival(r, fetch, 201000, 1448);
    record_arrival(r, fetch, 211000, 1448);
    record_arrival(r, fetch, 301000, 1448);
    record_arrival(r, fetch, 311000, 1448);
    r->lane[lane].near_first = true;
    r->lane[lane].fin = 311000;
    r->lane[lane].closed = 411000;
    run->done = true;
}

static const char *text_of(const struct page_run *run)
{
    static char text[8192];
    FILE *out = fmemopen(text, sizeof text, "w");

    waterfall_text(out, run);
    fclose(out);
    return text;
}

static void a_silence_begins_a_round(void **state)
{
    struct page_run run = { 0 };
    two_rounds_and_a_close(&run);
    const struct record_fetch *f = &run.record.fetch[0];
    assert_int_equal(f->rounds, 2);
    assert_int_equal(f->round[0].bytes, 2896);
    assert_int_equal(f->round[1].first, 301000);
    assert_true(record_seconds(&run.record) > 0.3099);
    assert_true(record_seconds(&run.record) < 0.3101);
    record_free(&run.record);
}

static void a_lane_is_drawn_from_its_syn_to_time_wait(void **state)
{
    struct page_run run = { 0 };
    two_rounds_and_a_close(&run);
    const char *row = strchr(text_of(&run), '|');
    assert_non_null(row);
    row++;
    size_t n = 0, columns = strcspn(row, "|");
    char seen[16] = "";
    for (const char *at = row; at < row + columns && n < sizeof seen - 1; at++)
        if (n == 0 || seen[n - 1] != *at)
            seen[n++] = *at;
    assert_string_equal(seen, "sr1.2Fw");
    assert_int_equal(columns, 72);
    record_free(&run.record);
}

/* RFC 5681 s3.1: a window grows with what is acknowledged, so an answer of three
 * windows has three rounds; their bytes are all of head and body. */
static void the_rounds_of_a_page_hold_all_its_bytes(void **state)
{
    struct page_setup s = { .page = 100000,
                            .connections = 1,
                            .rtt = 100000,
                            .rate = 1000000000,
                            .window = 10,
                            .seed = 1 };
    struct record r = { 0 };
    assert_true(path_simulate(strategy_find("serial"), &s, &r));
    assert_int_equal(r.fetch[0].rounds, 3);
    assert_int_equal(r.fetch[0].round[0].bytes, 14480);
    assert_int_equal(r.fetch[0].round[1].bytes, 28960);
    uint64_t sum = 0;
    for (unsigned i = 0; i < r.fetch[0].rounds; i++)
        sum += r.fetch[0].round[i].bytes;
    assert_int_equal(sum, r.fetch[0].head + 100000);
    record_free(&r);
}

static void who_closes_first_has_time_wait(void **state)
{
    struct page_setup s = { .page = 1000,
                            .size = 1000,
                            .objects = 2,
                            .connections = 1,
                            .rtt = 10000,
                            .rate = 10000000,
                            .window = 10,
                            .seed = 1 };
    struct record r = { 0 };
    assert_true(path_simulate(strategy_find("serial"), &s, &r));
    assert_int_equal(r.lanes, 3);
    assert_false(r.lane[0].near_first);
    record_free(&r);
    assert_true(path_simulate(strategy_find("keepalive"), &s, &r));
    assert_int_equal(r.lanes, 1);
    assert_true(r.lane[0].near_first);
    assert_int_equal(r.lane[0].requests, 3);
    record_free(&r);
}

static void a_page_comes_whole_through_loss(void **state)
{
    struct page_setup s = { .page = 8192,
                            .size = 20000,
                            .objects = 10,
                            .connections = 4,
                            .rtt = 40000,
                            .rate = 10000000,
                            .window = 10,
                            .loss = 5,
                            .seed = 7 };
    for (const struct strategy *how = strategies; how->name; how++) {
        struct record r = { 0 };
        assert_true(path_simulate(how, &s, &r));
        for (unsigned i = 0; i < r.fetches; i++)
            assert_int_equal(r.fetch[i].body, r.fetch[i].object ? 20000 : 8192);
        assert_int_equal(r.fetches, how->alone ? 1 : 11);
        assert_true(how->alone || r.retransmits > 0);
        record_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silence_begins_a_round),
        cmocka_unit_test(a_lane_is_drawn_from_its_syn_to_time_wait),
        cmocka_unit_test(the_rounds_of_a_page_hold_all_its_bytes),
        cmocka_unit_test(who_closes_first_has_time_wait),
        cmocka_unit_test(a_page_comes_whole_through_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
