/* How an answer's connection ends: what theory says of it, and what a client of the
 * stack makes of it. */

#include "../../tools/lab/theory_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

/* A segment of 1000 bytes takes a millisecond. */
static const struct theory_path plain = {
    .rtt = 0.1, .rate = 8e6, .mss = 1000, .window = 10
};

/* RFC 9112 s6.3, s8: what ends early is known where the length is. */
static void a_body_that_ends_with_its_connection_is_never_short(void **state)
{
    static const struct {
        enum theory_way way;
        int length, chunked, close;
    } row[] = {
        { WAY_FIN, 18, 18, 0 },     { WAY_LINGER, 56, 56, 56 },
        { WAY_UNREAD, 56, 56, 56 }, { WAY_STAGED, 18, 18, 0 },
        { WAY_HALF, 18, 18, 0 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct theory_close c = { row[i].way, FRAMING_LENGTH, 9000, 4000, 0 };
        assert_int_equal(theory_close_code(&plain, &c), row[i].length);
        c.framing = FRAMING_CHUNKED;
        assert_int_equal(theory_close_code(&plain, &c), row[i].chunked);
        c.framing = FRAMING_CLOSE;
        assert_int_equal(theory_close_code(&plain, &c), row[i].close);
        assert_true(near(theory_close_got(&plain, &c), 4000, 0));
    }
}

/* Ten segments at once; after R + tau two with each ACK, which come tau apart. */
static void a_reset_loses_what_slow_start_had_not_sent(void **state)
{
    static const struct {
        double pause, got;
    } row[] = { { 0, 10000 },      { 0.1009, 10000 }, { 0.1011, 12000 },
                { 0.1021, 14000 }, { 0.15, 30000 },   { 0.25, 70000 } };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct theory_close c = { WAY_UNREAD, FRAMING_LENGTH, 1e6, 1e6, row[i].pause };
        assert_true(near(theory_close_got(&plain, &c), row[i].got, 0));
    }
}

/* Formula 20. */
static void who_reads_later_loses_more_often(void **state)
{
    assert_true(near(theory_close_chance(&plain, 0.2, 0.4), 0.75, 1e-9));
    assert_true(near(theory_close_chance(&plain, 0.05, 0.4), 1, 1e-9));
    assert_true(near(theory_close_chance(&plain, 0.6, 0.4), 0, 1e-9));
}

static void what_curl_would_say(void **state)
{
    static const struct {
        const char *line;
        int code;
    } row[] = {
        { "close how=fin", 0 },
        { "close how=fin framing=chunked", 0 },
        { "close how=fin framing=close", 0 },
        { "close how=fin cut=5000", 18 },
        { "close how=fin cut=5000 framing=chunked", 18 },
        { "close how=fin cut=5000 framing=close", 0 },
        { "close how=linger cut=5000", 56 },
        { "close how=linger cut=5000 framing=chunked", 56 },
        { "close how=linger cut=5000 framing=close", 56 },
        { "close how=unread size=1000", 0 },
        { "close how=unread size=1000 framing=chunked", 0 },
        { "close how=unread size=1000 framing=close", 56 },
        { "close how=staged size=100000 framing=close", 0 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal((int)measure(row[i].line), row[i].code);
}

/* 20042 bytes with the head; ten segments of 1448 leave. */
static void ten_segments_come_through(void **state)
{
    assert_true(near(measure("close how=unread show=lost"), 5562, 0));
    assert_true(near(measure("close how=linger show=lost"), 5562, 0));
    assert_true(near(measure("close how=unread show=lost iw=3"), 15698, 0));
    assert_true(near(measure("close how=staged show=lost"), 0, 0));
    assert_true(near(measure("close how=half show=lost"), 0, 0));
}

static void a_late_reader_loses_what_its_window_did_not_hold(void **state)
{
    assert_true(near(measure("close how=unread size=12000 window=8000 pause=200 "
                             "delay=400 show=chance"),
                     0.75, 1e-9));
    assert_true(near(measure("close how=staged size=12000 window=8000 pause=200 "
                             "delay=400 show=chance"),
                     0, 1e-9));
}

static void the_picture_tells_a_reset_from_a_staged_close(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("close how=unread size=1000 view=1", &e, &f));
    assert_non_null(strstr(e.view, "|  close(), with text unread\n"));
    assert_non_null(strstr(e.view, "|<-- [1] R. ---"));
    free(e.view);
    assert_true(experiment_run("close how=staged size=1000 view=1", &e, &f));
    assert_non_null(strstr(e.view, "|  shutdown(SHUT_WR)\n"));
    assert_non_null(strstr(e.view, "|  read() to the end, close()\n"));
    assert_null(strstr(e.view, "] R"));
    free(e.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_ends_with_its_connection_is_never_short),
        cmocka_unit_test(a_reset_loses_what_slow_start_had_not_sent),
        cmocka_unit_test(who_reads_later_loses_more_often),
        cmocka_unit_test(what_curl_would_say),
        cmocka_unit_test(ten_segments_come_through),
        cmocka_unit_test(a_late_reader_loses_what_its_window_did_not_hold),
        cmocka_unit_test(the_picture_tells_a_reset_from_a_staged_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
