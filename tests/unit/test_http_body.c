/* RFC 9112 s6 and s7.1: how long a body is, and taking it off the stream. */
#include "http/http_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "harness/guarded.h"

static struct http_head head;
static struct http_body body;

static int request_body(const char *version, const char *fields)
{
    char s[512];

    snprintf(s, sizeof s, "POST / HTTP/%s\r\nHost: a\r\n%s\r\n", version, fields);
    assert_true(http_parse_request(s, strlen(s), 0, &http_request_limits, &head) > 0);
    return http_request_body(&head, &http_request_limits, &body);
}

static int response_body(const char *line, const char *fields, bool to_head)
{
    char s[512];
    size_t len;

    snprintf(s, sizeof s, "HTTP/%s\r\n%s\r\n", line, fields);
    len = strlen(s);
    assert_true(http_parse_response(s, &len, 0, &http_response_limits, &head) > 0);
    return http_response_body(&head, &http_response_limits, to_head, &body);
}

/* RFC 9112 s6.3, from the side of a server. */
static void a_request_says_its_length_in_one_way_or_is_refused(void **state)
{
    static const struct {
        const char *version, *fields;
        int want;
        enum http_framing framing;
        uint64_t left;
    } row[] = {
        { "1.1", "", 0, HTTP_BODY_NONE, 0 },
        { "1.1", "Content-Length: 0\r\n", 0, HTTP_BODY_NONE, 0 },
        { "1.1", "Content-Length: 5\r\n", 0, HTTP_BODY_LENGTH, 5 },
        { "1.0", "content-length: 007\r\n", 0, HTTP_BODY_LENGTH, 7 },
        { "1.1", "Content-Length: 18446744073709551615\r\n", 0, HTTP_BODY_LENGTH,
          18446744073709551615u },
        { "1.1", "Content-Length: 18446744073709551616\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 99999999999999999999\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 5\r\nContent-Length: 5\r\n", 0, HTTP_BODY_LENGTH, 5 },
        { "1.1", "Content-Length: 5, 5\r\n", 0, HTTP_BODY_LENGTH, 5 },
        { "1.1", "Content-Length: 5\r\nContent-Length: 6\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 5, 6\r\n", -400, 0, 0 },
        { "1.1", "Content-Length:\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: -1\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: +1\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 0x1\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 1 2\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 1.0\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: chunked\r\n", 0, HTTP_BODY_CHUNKED, 0 },
        { "1.1", "Transfer-Encoding: ChunKed\r\n", 0, HTTP_BODY_CHUNKED, 0 },
        { "1.1", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: chunked, chunked\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: chunked, gzip\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding:\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: gzip, chunked\r\n", -501, 0, 0 },
        { "1.1", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", -501, 0,
          0 },
        { "1.1", "Transfer-Encoding: xchunked\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: gzip\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: identity\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: chunked;q=1\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: ,chunked\r\n", -400, 0, 0 },
        { "1.1", "Transfer-Encoding: chunked,\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: 5,\r\n", -400, 0, 0 },
        { "1.1", "Content-Length: , 5\r\n", -400, 0, 0 },
        { "1.0", "Transfer-Encoding: chunked\r\n", -400, 0, 0 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int got = request_body(row[i].version, row[i].fields);
        if (got != row[i].want)
            fail_msg("row %zu: %d, want %d", i, got, row[i].want);
        if (got < 0)
            continue;
        assert_int_equal(body.framing, row[i].framing);
        assert_true(body.left == row[i].left);
    }
}

/* RFC 9112 s6.3, from the side of a client, in its order. */
static void a_response_says_its_length_or_ends_with_the_connection(void **state)
{
    static const struct {
        const char *line, *fields;
        bool to_head;
        int want;
        enum http_framing framing;
        bool faulty;
    } row[] = {
        { "1.1 200 OK", "Content-Length: 9\r\n", true, 0, HTTP_BODY_NONE, false },
        { "1.1 204 x", "Content-Length: 9\r\n", false, 0, HTTP_BODY_NONE, false },
        { "1.1 304 x", "Content-Length: 9\r\n", false, 0, HTTP_BODY_NONE, false },
        { "1.1 100 x", "Content-Length: 9\r\n", false, 0, HTTP_BODY_NONE, false },
        { "1.1 200 OK", "Content-Length: 9\r\n", false, 0, HTTP_BODY_LENGTH, false },
        { "1.1 404 x", "", false, 0, HTTP_BODY_CLOSE, false },
        { "1.1 200 OK", "Transfer-Encoding: chunked\r\n", false, 0, HTTP_BODY_CHUNKED,
          false },
        { "1.1 200 OK", "Transfer-Encoding: chunked\r\nContent-Length: 9\r\n", false, 0,
          HTTP_BODY_CHUNKED, true },
        { "1.0 200 OK", "Transfer-Encoding: chunked\r\n", false, 0, HTTP_BODY_CHUNKED,
          true },
        { "1.1 200 OK", "Transfer-Encoding: gzip, chunked\r\n", false, -61, 0, 0 },
        { "1.1 200 OK", "Transfer-Encoding: gzip\r\n", false, -61, 0, 0 },
        { "1.1 200 OK", "Transfer-Encoding: identity\r\nContent-Length: 9\r\n", false,
          0, HTTP_BODY_LENGTH, false },
        { "1.1 200 OK", "Content-Length: x\r\n", false, -8, 0, 0 },
        { "1.1 200 OK", "Content-Length: 5, 18446744073709551616\r\n", false, 0,
          HTTP_BODY_CLOSE, true },
        { "1.1 200 OK", "Content-Length: 1\r\nContent-Length: 2\r\n", false, -8, 0, 0 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int got = response_body(row[i].line, row[i].fields, row[i].to_head);
        if (got != row[i].want)
            fail_msg("row %zu: %d, want %d", i, got, row[i].want);
        if (got < 0)
            continue;
        assert_int_equal(body.framing, row[i].framing);
        assert_int_equal(body.faulty, row[i].faulty);
    }
}

/* Feeds s in pieces of `step`. Bytes used, or -EBADMSG; the body goes to out. */
static ssize_t feed(const char *s, size_t len, size_t step, char *out, size_t *out_len)
{
    size_t used = 0;

    *out_len = 0;
    while (used < len && !http_body_done(&body)) {
        size_t n = len - used < step ? len - used : step;
        const char *at = guarded(s + used, n);
        while (n > 0 && !http_body_done(&body)) {
            struct http_slice data;
            ssize_t took = http_body_read(&body, at, n, &data);
            if (took < 0)
                return took;
            memcpy(out + *out_len, data.at, data.len);
            *out_len += data.len;
            used += (size_t)took;
            at += took;
            n -= (size_t)took;
        }
    }
    return (ssize_t)used;
}

static void chunked(void)
{
    body = (struct http_body){ .framing = HTTP_BODY_CHUNKED,
                               .limits = &http_request_limits,
                               .strict = true };
}

/* RFC 9112 s7.1 */
static void chunks_give_the_same_body_however_they_are_split(void **state)
{
    static const struct {
        const char *text;
        ssize_t want; /* bytes used; -1: all */
        const char *data;
    } row[] = {
        { "0\r\n\r\n", -1, "" },
        { "5\r\nhello\r\n0\r\n\r\n", -1, "hello" },
        { "5\r\nhello\r\n0\r\n\r\nHTTP/1.1", 15, "hello" },
        { "1\r\na\r\n1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n", -1, "a\n\r" },
        { "A\r\n0123456789\r\na\r\n0123456789\r\n00\r\n\r\n", -1,
          "01234567890123456789" },
        { "000005\r\nhello\r\n0\r\n\r\n", -1, "hello" },
        { "5;name=\"value\"\r\nhello\r\n0;x\r\n\r\n", -1, "hello" },
        { "5 \t;x\r\nhello\r\n0;\r\n\r\n", -1, "hello" },
        { "5 \r\nhello", -EBADMSG, "" },
        { "5 x\r\nhello", -EBADMSG, "" },
        { "5;x\ry\r\nhello", -EBADMSG, "" },
        { "5;x\001\r\nhello", -EBADMSG, "" },
        { "5\r\nhello\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n", -1, "hello" },
        { "5\r\nhel", -1, "hel" }, /* not over: more is waited for */
        { "5\nhello\r\n0\r\n\r\n", -EBADMSG, "" },
        { "\r\n", -EBADMSG, "" },
        { ";x\r\n", -EBADMSG, "" },
        { "-1\r\n", -EBADMSG, "" },
        { "+1\r\na\r\n", -EBADMSG, "" },
        { "0x5\r\nhello", -EBADMSG, "" },
        { " 5\r\nhello", -EBADMSG, "" },
        { "g\r\n", -EBADMSG, "" },
        { "5\r\nhelloX\r\n", -EBADMSG, "hello" },
        { "5\r\nhello\n0\r\n\r\n", -EBADMSG, "hello" },
        { "5\r\rhello", -EBADMSG, "" },
        { "5;a\nb\r\nhello", -EBADMSG, "" },
        { "0\r\n\n", -EBADMSG, "" },
        { "0\r\nA: b\n\r\n", -EBADMSG, "" },
        { "0\r\n\rx", -EBADMSG, "" },
        { "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", -EBADMSG, "" },
        { "0\r\nA\r\n\r\n", -EBADMSG, "" },
        { "0\r\nA : b\r\n\r\n", -EBADMSG, "" },
        { "0\r\n: b\r\n\r\n", -EBADMSG, "" },
        { "0\r\nA: b\r\n c\r\n\r\n", -EBADMSG, "" },
        { "0\r\nA: b\001\r\n\r\n", -EBADMSG, "" },
        { "00000000000000005\r\nhello", -EBADMSG, "" },
        { "0000000000000005\r\nhello\r\n0\r\n\r\n", -1, "hello" },
        { "fffffffffffffffff\r\n", -EBADMSG, "" },
        { "10000000000000000\r\n", -EBADMSG, "" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t len = strlen(row[i].text), got_len;
        ssize_t want = row[i].want == -1 ? (ssize_t)len : row[i].want;
        char got[64];
        for (size_t step = 1; step <= len; step++) {
            chunked();
            if (feed(row[i].text, len, step, got, &got_len) != want)
                fail_msg("row %zu, step %zu: %s", i, step, row[i].text);
            assert_int_equal(got_len, strlen(row[i].data));
            assert_memory_equal(got, row[i].data, got_len);
        }
    }
}

/* Blanks behind a size are nobody's grammar, and old servers' habit. */
static void a_response_may_have_blanks_behind_a_chunks_size(void **state)
{
    static const char text[] = "5  \r\nhello\r\n0 \r\n\r\n";
    size_t got_len;
    char got[64];

    body = (struct http_body){ .framing = HTTP_BODY_CHUNKED,
                               .limits = &http_response_limits };
    assert_int_equal(feed(text, sizeof text - 1, 1, got, &got_len), 18);
    assert_true(http_body_done(&body));
    assert_int_equal(got_len, 5);
}

static void endless_extensions_and_trailers_are_refused(void **state)
{
    static char line[9000], out[16];
    size_t out_len;

    memset(line, 'a', sizeof line);
    memcpy(line, "5;", 2);
    chunked();
    assert_int_equal(feed(line, 4096, 100, out, &out_len), 4096);
    chunked();
    assert_int_equal(feed(line, 4097, 100, out, &out_len), -EBADMSG);
    memset(line, '0', 5000);
    chunked();
    assert_int_equal(feed(line, 5000, 100, out, &out_len), -EBADMSG);
    memset(line, 'a', sizeof line);
    memcpy(line, "0\r\nA:", 5);
    chunked();
    assert_int_equal(feed(line, 8195, 100, out, &out_len), 8195);
    chunked();
    assert_int_equal(feed(line, 8196, 100, out, &out_len), -EBADMSG);
}

static void a_counted_body_takes_its_bytes_and_no_more(void **state)
{
    char out[16];
    size_t out_len;

    body = (struct http_body){ .framing = HTTP_BODY_LENGTH, .left = 5 };
    assert_false(http_body_done(&body));
    assert_int_equal(feed("helloGET", 8, 3, out, &out_len), 5);
    assert_true(http_body_done(&body));
    assert_memory_equal(out, "hello", 5);
}

static void a_body_that_ends_with_the_connection_takes_everything(void **state)
{
    char out[16];
    size_t out_len;

    body = (struct http_body){ .framing = HTTP_BODY_CLOSE };
    assert_int_equal(feed("hello", 5, 2, out, &out_len), 5);
    assert_int_equal(out_len, 5);
    assert_false(http_body_done(&body));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_says_its_length_in_one_way_or_is_refused),
        cmocka_unit_test(a_response_says_its_length_or_ends_with_the_connection),
        cmocka_unit_test(chunks_give_the_same_body_however_they_are_split),
        cmocka_unit_test(a_response_may_have_blanks_behind_a_chunks_size),
        cmocka_unit_test(endless_extensions_and_trailers_are_refused),
        cmocka_unit_test(a_counted_body_takes_its_bytes_and_no_more),
        cmocka_unit_test(a_body_that_ends_with_the_connection_takes_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
