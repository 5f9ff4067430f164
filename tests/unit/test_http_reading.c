/* Answers in a buffer, whole and byte by byte. */
#include "app/http_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct tapir_http_client client;
static struct tapir_http_result result;
static struct http_sending out;
static struct http_conn conn;
static struct http_fetch f;
static char body[1000], heads[1000], url[] = "http://192.0.2.2/a";

static bool on_head(void *ctx, const char *at, size_t len)
{
    strncat(heads, at, len);
    return true;
}

static bool on_body(void *ctx, const void *at, size_t len)
{
    strncat(body, at, len);
    return true;
}

static int end(void **state)
{
    free(f.location);
    free(f.trailers);
    f.location = f.trailers = NULL;
    return 0;
}

static int begin(void **state)
{
    end(state);
    client = (struct tapir_http_client){ .options = { .head_in = on_head,
                                                      .body = on_body } };
    result = (struct tapir_http_result){ .code = 0 };
    out = (struct http_sending){ .waits = true };
    conn.len = 0;
    body[0] = heads[0] = '\0';
    f = (struct http_fetch){ .client = &client,
                             .result = &result,
                             .conn = &conn,
                             .out = &out,
                             .method = "GET",
                             .text = url };
    http_reading_begin(&f);
    return 0;
}

/* Lets text come in steps, then, if the answer is not done, the end. */
static bool come(const char *text, size_t step)
{
    bool ok = true;

    for (size_t len = strlen(text); ok && len > 0;) {
        size_t n = len < step ? len : step;
        memcpy(conn.buf + conn.len, text, n);
        conn.len += n;
        text += n;
        len -= n;
        f.answered = true;
        ok = http_reading_take(&f);
    }
    if (ok && f.phase != ANSWER_DONE)
        ok = http_reading_end(&f);
    return ok;
}

static void an_answer_is_the_same_in_any_pieces(void **state)
{
    static const struct {
        const char *text;
        int code, status;
        const char *body;
        size_t left; /* bytes behind it */
    } row[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 200, "hi", 0 },
        { "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0,
          200, "hi", 0 },
        { CHUNKED "2\r\nhi\r\n0\r\nA: b\r\n\r\n", 0, 200, "hi", 0 },
        { "HTTP/1.1 200 OK\r\n\r\nhi", 0, 200, "hi", 0 },
        { "HTTP/1.1 304 x\r\nContent-Length: 2\r\n\r\n", 0, 304, "", 0 },
        { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", 18, 200, "hi", 0 },
        { CHUNKED "2\r\nhi\r\n", 18, 200, "hi", 0 },
        { CHUNKED "2\r\nhix", 56, 200, "hi", 0 },
        { "HTTP/1.1 20", 18, 0, "", 11 },
        { "HTTP/1.1 100 x\r\n\r\nhello", 8, 100, "", 0 }, /* it spoke HTTP before */
        { "hello", 1, 0, "", 0 },
        { CHUNKED "2\nhi\n0\nA: b\n\n", 0, 200, "hi", 0 },
        { CHUNKED "2\r\nhi\r\n0\r\nA: \1\r\n\r\n", 8, 200, "hi", 0 },
        { "HTTP/1.1 101 x\r\n\r\n", 8, 101, "", 0 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        for (size_t step = 1; step < 9; step++) {
            begin(NULL);
            assert_int_equal(come(row[i].text, step), row[i].code == 0);
            assert_int_equal(result.code, row[i].code);
            assert_int_equal(result.status, row[i].status);
            assert_string_equal(body, row[i].body);
            if (row[i].code == 0)
                assert_int_equal(conn.len, row[i].left);
        }
    }
}

static void what_follows_an_answer_stays_in_the_buffer(void **state)
{
    assert_true(come("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1", 1000));
    assert_string_equal(body, "hi");
    assert_int_equal(conn.len, 8);
    assert_memory_equal(conn.buf, "HTTP/1.1", 8);
}

static void a_100_lets_the_body_go(void **state)
{
    assert_false(come("HTTP/1.1 102 x\r\n\r\n", 1000));
    assert_true(out.waits);
    begin(NULL);
    assert_false(come("HTTP/1.1 100 x\r\n\r\n", 1000));
    assert_false(out.waits);
}

static void what_a_head_says_is_noted(void **state)
{
    assert_true(come("HTTP/1.0 503 Busy\r\nContent-Type: text/plain\r\n"
                     "Retry-After: 7\r\nContent-Length: 0\r\n\r\n",
                     1000));
    assert_int_equal(result.minor, 0);
    assert_int_equal(result.fields, 3);
    assert_string_equal(result.type, "text/plain");
    assert_int_equal(result.retry_after, 7000000);
    assert_int_equal(result.heads, strlen(heads));
    assert_false(f.persists);
}

/* RFC 9110 s10.2.3: a date; and one long past. */
static void a_date_to_retry_after_is_taken_against_the_answers_own(void **state)
{
    assert_true(come("HTTP/1.1 503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
                     "Content-Length: 0\r\n\r\n",
                     1000));
    assert_int_equal(result.retry_after, 60000000);
    begin(NULL);
    assert_true(come("HTTP/1.1 503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "Retry-After: Sun, 06 Nov 1994 08:48:37 GMT\r\n"
                     "Content-Length: 0\r\n\r\n",
                     1000));
    assert_int_equal(result.retry_after, 0);
}

static void a_location_is_resolved_and_its_body_swallowed_if_it_is_followed(
    void **state)
{
    static const char text[] =
        "HTTP/1.1 302 x\r\nLocation: b?c\r\nContent-Length: 2\r\n\r\nno";

    assert_true(come(text, 1000));
    assert_string_equal(f.location, "http://192.0.2.2/b?c");
    assert_string_equal(body, "no");
    begin(NULL);
    client.options.follow = true;
    assert_true(come(text, 1000));
    assert_string_equal(body, "");
}

/* RFC 9110 s14.4 and s15.3.7 */
static void a_resumed_file_goes_on_where_it_ends_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *body;
    } row[] = {
        { "HTTP/1.1 206 x\r\nContent-Range: bytes 3-4/5\r\nContent-Length: 2\r\n\r\nlo",
          0, "lo" },
        { "HTTP/1.1 206 x\r\nContent-Range: bytes 2-4/5\r\nContent-Length: "
          "3\r\n\r\nllo",
          33, "" },
        { "HTTP/1.1 206 x\r\nContent-Length: 3\r\n\r\nllo", 33, "" },
        { "HTTP/1.1 200 x\r\nContent-Range: bytes 3-\r\n\r\nlo", 0, "lo" },
        { "HTTP/1.1 206 x\r\nContent-Range: 3\r\n\r\nlo", 0, "lo" },
        { "HTTP/1.1 206 x\r\nContent-Range: bytes\r\n\r\nlo", 33, "" },
        { "HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\nhello", 33, "" },
        { "HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\nhel", 0, "" }, /* it is there */
        { "HTTP/1.1 416 x\r\nContent-Length: 2\r\n\r\nno", 0, "" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        begin(NULL);
        client.options.resume = 3;
        assert_int_equal(come(row[i].text, 1000), row[i].code == 0);
        assert_int_equal(result.code, row[i].code);
        assert_string_equal(body, row[i].body);
    }
}

/* What stands before the line that says it. */
static void of_a_head_that_contradicts_itself_a_part_is_shown(void **state)
{
    static const struct {
        const char *line;
        int code;
    } row[] = {
        { "Content-Length: -1\r\n", 8 }, { "Content-Length: 1, 2\r\n", 8 },
        { "Content-Length: 1x\r\n", 8 }, { "Transfer-Encoding: chunked, gzip\r\n", 61 },
        { "no field\r\n", 8 },
    };
    char text[200];

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        snprintf(text, sizeof text, "HTTP/1.1 200 x\r\nA: b\r\n%sC: d\r\n\r\nhello",
                 row[i].line);
        begin(NULL);
        assert_false(come(text, 1000));
        assert_int_equal(result.code, row[i].code);
        assert_string_equal(heads, "HTTP/1.1 200 x\r\nA: b\r\n");
        assert_string_equal(body, "");
    }
}

/* 304 is no redirect; where the connection ends anyhow, no body is waited for. */
static void what_leads_elsewhere_is_not_waited_for(void **state)
{
    client.options.follow = true;
    assert_true(come("HTTP/1.1 302 x\r\nLocation: b\r\nConnection: close\r\n"
                     "Content-Length: 9\r\n\r\n",
                     1000));
    assert_string_equal(f.location, "http://192.0.2.2/b");
    begin(NULL);
    client.options.follow = true;
    assert_true(come("HTTP/1.1 304 x\r\nLocation: b\r\n\r\n", 1000));
    assert_null(f.location);
}

/* An empty one is none, and one that is repeated is one. */
static void two_locations_are_an_error(void **state)
{
    client.options.follow = true;
    assert_false(come("HTTP/1.1 302 x\r\nLocation: a\r\nLocation: b\r\n\r\n", 1000));
    assert_int_equal(result.code, 8);
    assert_string_equal(heads, "HTTP/1.1 302 x\r\nLocation: a\r\n");
    begin(NULL);
    assert_true(come(
        "HTTP/1.1 302 x\r\nLocation:\r\nLocation: a\r\nLocation: a\r\n\r\n", 1000));
    assert_string_equal(f.location, "http://192.0.2.2/a");
}

/* RFC 9112 s7.1.2: fields behind the chunks are no body. */
static void trailers_are_shown_line_by_line(void **state)
{
    for (size_t step = 1; step < 9; step++) {
        begin(NULL);
        assert_true(come(CHUNKED "2\r\nhi\r\n0\r\nA: b\nC: d\r\n\r\n", step));
        assert_string_equal(body, "hi");
        assert_string_equal(heads, CHUNKED "A: b\r\nC: d\r\n");
    }
}

/* RFC 9110 s13.1.3, for servers that do not know it; some get the weekday wrong. */
static void what_is_not_newer_is_swallowed(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nLast-Modified: Mon, 06 Nov 1994 "
                               "08:49:37 GMT\r\nContent-Length: 2\r\n\r\nhi";

    client.options.time_cond = 784111777;
    assert_true(come(text, 1000));
    assert_string_equal(body, "");
    assert_int_equal(result.status, 304);
    begin(NULL);
    client.options.time_cond = 784111776;
    assert_true(come(text, 1000));
    assert_string_equal(body, "hi");
    begin(NULL);
    client.options.time_cond = 784111776;
    client.options.older = true;
    assert_true(come(text, 1000));
    assert_string_equal(body, "");
}

static void a_body_larger_than_is_allowed_is_63(void **state)
{
    client.options.max_size = 2;
    assert_true(come("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1000));
    begin(NULL);
    client.options.max_size = 2;
    assert_false(come("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi!", 1000));
    assert_int_equal(result.code, 63);
    assert_string_equal(body, "");
    begin(NULL);
    client.options.max_size = 2;
    assert_false(come("HTTP/1.1 200 OK\r\n\r\nhi!", 1000));
    assert_int_equal(result.code, 63);
    assert_string_equal(body, "hi");
}

/* RFC 9112 s9.3: what was asked as HTTP/1.0 persists only if the server says so. */
static void asked_as_http10_a_connection_ends(void **state)
{
    f.http10 = true;
    assert_true(come("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1000));
    assert_false(f.persists);
    begin(NULL);
    f.http10 = true;
    assert_true(come("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
                     "Content-Length: 0\r\n\r\n",
                     1000));
    assert_true(f.persists);
}

#define READ(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READ(an_answer_is_the_same_in_any_pieces),
        READ(what_follows_an_answer_stays_in_the_buffer),
        READ(a_100_lets_the_body_go),
        READ(what_a_head_says_is_noted),
        READ(a_date_to_retry_after_is_taken_against_the_answers_own),
        READ(a_location_is_resolved_and_its_body_swallowed_if_it_is_followed),
        READ(a_resumed_file_goes_on_where_it_ends_or_not_at_all),
        READ(of_a_head_that_contradicts_itself_a_part_is_shown),
        READ(what_leads_elsewhere_is_not_waited_for),
        READ(two_locations_are_an_error),
        READ(trailers_are_shown_line_by_line),
        READ(what_is_not_newer_is_swallowed),
        READ(a_body_larger_than_is_allowed_is_63),
        READ(asked_as_http10_a_connection_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
