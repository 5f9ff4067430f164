/* The gates: what pages take in virtual time lies where the formulae say. */
#include "../../tools/lab/experiment.h"
#include "../../tools/lab/page.h"
#include "../../tools/lab/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    uint64_t rate;
    int64_t rtt;
    uint64_t size;
    unsigned objects, connections;
} setting[] = {
    { 10000000, 100000, 20000, 10, 4 }, { 10000000, 100000, 2000, 10, 4 },
    { 2000000, 40000, 20000, 10, 4 },   { 50000000, 200000, 200000, 6, 3 },
    { 10000000, 100000, 5000, 30, 6 },  { 100000000, 10000, 50000, 12, 6 },
    { 1000000, 20000, 10000, 8, 2 },    { 100000000, 300000, 1000, 20, 6 },
    { 20000000, 60000, 100000, 5, 5 },  { 512000, 150000, 3000, 12, 4 },
};

static void gate(const char *name)
{
    const struct strategy *how = strategy_find(name);
    unsigned outside = 0;

    for (size_t i = 0; i < sizeof setting / sizeof *setting; i++) {
        struct page_setup s = { .page = 8192,
                                .size = setting[i].size,
                                .objects = setting[i].objects,
                                .connections = setting[i].connections,
                                .rtt = setting[i].rtt,
                                .rate = setting[i].rate,
                                .window = 10,
                                .seed = 1 };
        struct record r = { 0 };
        struct prediction p;
        assert_true(path_simulate(how, &s, &r));
        predict(how, &s, &r, &p);
        double off = prediction_off(&p, record_seconds(&r));
        printf(
            "%-10s %9llu bit/s %3lld ms %2u x %6llu B  %.3f to %.3f: %.3f, %+.2f%%\n",
            name, (unsigned long long)s.rate, (long long)s.rtt / 1000, s.objects,
            (unsigned long long)s.size, p.low, p.high, record_seconds(&r), off);
        outside += off > p.gate || off < -p.gate;
        assert_int_equal(r.lanes, p.connections);
        record_free(&r);
    }
    assert_int_equal(outside, 0);
}

static void a_single_object_is_within_three_per_cent(void **state)
{
    gate("single");
}

static void a_serial_page_is_within_three_per_cent(void **state)
{
    gate("serial");
}

static void a_parallel_page_is_between_its_bounds(void **state)
{
    gate("parallel");
}

static void a_kept_connection_is_within_three_per_cent(void **state)
{
    gate("keepalive");
}

static void several_kept_connections_are_within_fifteen_per_cent(void **state)
{
    gate("kparallel");
}

static void a_pipeline_is_within_three_per_cent(void **state)
{
    gate("pipelined");
}

/* On a live link there is no wire to ask: what TCP has counted must be the same. */
static void tcp_counts_as_many_bytes_as_the_wire_carried(void **state)
{
    for (const struct strategy *how = strategies; how->name; how++) {
        struct page_setup s = { .page = 8192,
                                .size = 20000,
                                .objects = 5,
                                .connections = 3,
                                .rtt = 20000,
                                .rate = 10000000,
                                .window = 10,
                                .seed = 1 };
        struct record r = { 0 };
        assert_true(path_simulate(how, &s, &r));
        uint64_t wire = record_bytes(&r);
        r.down.frames = r.down.bytes = 0;
        assert_int_equal(record_bytes(&r), wire);
        record_free(&r);
    }
}

/* Sizes at which some bytes decide on one more round trip, from a random search. */
static void an_answer_that_nearly_fits_a_window_is_within_three_per_cent(void **state)
{
    static const char *const row[] = {
        "page strategy=keepalive page=10008 objects=3 size=17238 iw=4 rate=100",
        "page strategy=keepalive page=4128 objects=2 size=25902 iw=3 rate=20",
        "page strategy=keepalive page=8597 objects=5 size=57815 rtt=60 rate=1000",
        "page strategy=pipelined page=1361 objects=4 size=20186 iw=2 rate=20",
        "page strategy=pipelined page=4132 objects=15 size=5690 iw=2 rtt=20 rate=1000",
        "page strategy=pipelined page=1358 objects=7 size=1320 iw=2 rtt=300 rate=100",
        "page strategy=kparallel page=897 objects=3 size=3820 rtt=18 rate=1.76",
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct experiment e;
        struct figure f;
        assert_true(experiment_run(row[i], &e, &f));
        double off = figure_off(&f);
        printf("%-76s %+.2f%%\n", row[i], off);
        assert_true(off > -3 && off < 3);
    }
}

/* Six slow starts put half a second of traffic into the queue. */
static void what_waits_in_the_queue_is_not_taken_for_lost(void **state)
{
    struct page_setup s = { .page = 8192,
                            .size = 20000,
                            .objects = 12,
                            .connections = 6,
                            .rtt = 20000,
                            .rate = 2000000,
                            .window = 10,
                            .seed = 1 };
    struct record r = { 0 };
    assert_true(path_simulate(strategy_find("parallel"), &s, &r));
    assert_int_equal(r.retransmits, 0);
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_object_is_within_three_per_cent),
        cmocka_unit_test(a_serial_page_is_within_three_per_cent),
        cmocka_unit_test(a_parallel_page_is_between_its_bounds),
        cmocka_unit_test(a_kept_connection_is_within_three_per_cent),
        cmocka_unit_test(several_kept_connections_are_within_fifteen_per_cent),
        cmocka_unit_test(a_pipeline_is_within_three_per_cent),
        cmocka_unit_test(tcp_counts_as_many_bytes_as_the_wire_carried),
        cmocka_unit_test(an_answer_that_nearly_fits_a_window_is_within_three_per_cent),
        cmocka_unit_test(what_waits_in_the_queue_is_not_taken_for_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
