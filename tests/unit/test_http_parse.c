/* RFC 9112 s2 to s5: heads. Every case is read whole, then as it would come in segments
 * of one byte, each time from memory that ends at the last byte given. */
#include "http/http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "harness/guarded.h"

static struct http_head head;

static int parse_at(const char *s, size_t len, size_t seen, int request)
{
    struct http_limits limits = request ? http_request_limits : http_response_limits;
    char *at = guarded(s, len);
    return request ? http_parse_request(at, len, seen, &limits, &head)
                   : http_parse_response(at, &len, seen, &limits, &head);
}

/* What the first complete (or wrong) prefix of s gives when each byte comes alone. */
static int parse_bytewise(const char *s, size_t len, int request)
{
    int n = -EAGAIN;
    size_t seen = 0;

    for (size_t i = 0; i <= len && n == -EAGAIN; i++) {
        n = parse_at(s, i, seen, request);
        seen = i;
    }
    return n;
}

static int parse(const char *s, size_t len, int request)
{
    int bytewise = parse_bytewise(s, len, request);
    int whole = parse_at(s, len, 0, request);

    assert_int_equal(bytewise, whole);
    return whole;
}

static int request(const char *s)
{
    return parse(s, strlen(s), 1);
}

static int response(const char *s)
{
    return parse(s, strlen(s), 0);
}

static void assert_slice(struct http_slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("got '%.*s', want '%s'", (int)s.len, s.at, want);
}

static void a_request_head_becomes_method_target_version_and_fields(void **state)
{
    const char *s = "GET /a%20b?c=d HTTP/1.1\r\n"
                    "Host: 192.0.2.2:8080\r\n"
                    "X-Blank: \t two words \t\r\n"
                    "X-Empty:\r\n"
                    "\r\n"
                    "the next message";

    assert_int_equal(parse_at(s, strlen(s), 0, 1), 83);
    assert_slice(head.method, "GET");
    assert_slice(head.target, "/a%20b?c=d");
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.n_fields, 3);
    assert_slice(head.field[0].name, "Host");
    assert_slice(head.field[0].value, "192.0.2.2:8080");
    assert_slice(head.field[1].value, "two words");
    assert_slice(head.field[2].value, "");
}

#define EMPTY_4 "\r\n\r\n\r\n\r\n"

static void requests_are_accepted_or_answered_with_a_status(void **state)
{
    static const struct {
        const char *text;
        int want; /* 1: accepted */
    } row[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1 },
        { "GET / HTTP/1.0\r\n\r\n", 1 },
        { "G!#$%&'*+-.^_`|~9 / HTTP/1.0\r\n\r\n", 1 },
        { "GET / HTTP/1.9\r\nHost: a\r\n\r\n", 1 }, /* RFC 9110 s2.5 */
        { "\r\nGET / HTTP/1.0\r\n\r\n", 1 },        /* RFC 9112 s2.2 */
        { EMPTY_4 EMPTY_4 "GET / HTTP/1.0\r\n\r\n", 1 },
        { EMPTY_4 EMPTY_4 "\r\nGET / HTTP/1.0\r\n\r\n", -400 }, /* not for ever */
        { "\rGET / HTTP/1.0\r\n\r\n", -400 },
        { "\nGET / HTTP/1.0\r\n\r\n", -400 },
        { " GET / HTTP/1.0\r\n\r\n", -400 },
        { "GET  / HTTP/1.0\r\n\r\n", -400 },
        { "GET /  HTTP/1.0\r\n\r\n", -400 },
        { "GET / HTTP/1.0 \r\n\r\n", -400 },
        { "GET\t/ HTTP/1.0\r\n\r\n", -400 },
        { "GET /a b HTTP/1.0\r\n\r\n", -400 },
        { "GET /a\tb HTTP/1.0\r\n\r\n", -400 },
        { "GET /a#b HTTP/1.0\r\n\r\n", -400 },
        { "GET /a\x7f HTTP/1.0\r\n\r\n", -400 },
        { "GET /\xc3\xa4 HTTP/1.0\r\n\r\n", 1 }, /* a file name, as typed */
        { "GET /\r\n", -400 },                   /* HTTP/0.9, told at once */
        { "GET /\r\n\r\n", -400 },
        { "GET / HTTP/2.0\r\n", -505 }, /* the same */
        { "SSH-2.0-x\r\n", -400 },
        { "GET / HTTP/2.0\r\nA\n", -505 }, /* the first fault counts */
        { "GET\r\n\r\n", -400 },
        { "GET / http/1.1\r\nHost: a\r\n\r\n", -400 },
        { "GET / HTTP/1.10\r\nHost: a\r\n\r\n", -400 },
        { "GET / HTTP/1\r\n\r\n", -400 },
        { "GET / HTTP/01.1\r\nHost: a\r\n\r\n", -400 },
        { "GET / HTTP/2.0\r\nHost: a\r\n\r\n", -505 },
        { "GET / HTTP/0.9\r\n\r\n", -505 },
        { "PRI * HTTP/2.0\r\n\r\n", -505 },
        { "\x16\x03\x01\x02", -400 }, /* a TLS hello is told at its first byte */
        { "{\"json\": 1}", -400 },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ / HTTP/1.0\r\n\r\n", -501 },
        /* RFC 9112 s2.2: lines end in CRLF; a bare LF would be read in two ways. */
        { "GET / HTTP/1.0\n\n", -400 },
        { "GET / HTTP/1.0\nA: b\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA: b\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA: b\r\n\n", -400 },
        { "GET / HTTP/1.0\rA: b\r\n\r\n", -400 },
        /* RFC 9112 s5.1, s5.2 and RFC 9110 s5.5 */
        { "GET / HTTP/1.0\r\nA : b\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\n: b\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA b: c\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\n A: b\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA: b\rc\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA: b\x01\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nA: b\tc\xff\r\n\r\n", 1 },
        { "GET / HTTP/1.0\r\n\xe4: b\r\n\r\n", -400 },
        /* RFC 9112 s3.2: Host */
        { "GET / HTTP/1.1\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nhOsT:\r\n\r\n", 1 },
        { "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", -400 },
        { "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 1 },
        { "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 1 },
        { "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: []\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: [v1.x]\r\n\r\n", 1 },
        { "GET / HTTP/1.1\r\nHost: [a b]\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a%41\r\n\r\n", 1 },
        { "GET / HTTP/1.1\r\nHost: a%4\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a%\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", 1 },
        { "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", -400 },
        { "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 1 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int got = request(row[i].text);
        int want = row[i].want > 0 ? (int)strlen(row[i].text) : row[i].want;
        if (got != want)
            fail_msg("row %zu: %d, want %d: %s", i, got, want, row[i].text);
    }
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    static const char whole[] = "GET /a HTTP/1.0\r\nName: value\r\n\r\n";

    for (size_t i = 0; i < sizeof whole - 1; i++) {
        char s[sizeof whole];
        memcpy(s, whole, sizeof s);
        s[i] = '\0';
        int n = parse(s, sizeof s - 1, 1);
        /* Where it breaks the end of the head, more is waited for. */
        if (n != -400 && n != -EAGAIN)
            fail_msg("NUL at %zu: %d", i, n);
    }
}

/* RFC 9112 s3: 414 for the target, 431 (RFC 6585 s5) for the rest. */
static void heads_beyond_the_limits_are_told_which_part_is_too_long(void **state)
{
    size_t n = 20000;
    char *s = malloc(n);

    memset(s, 'a', n);
    memcpy(s, "GET /", 5);
    assert_int_equal(parse_at(s, 8192, 0, 1), -EAGAIN);
    assert_int_equal(parse_at(s, 8193, 0, 1), -414);
    memcpy(s, "GET / HTTP/1.0\r\nA: ", 19);
    assert_int_equal(parse_at(s, 16383, 0, 1), -EAGAIN);
    assert_int_equal(parse_at(s, 16384, 0, 1), -431);
    memcpy(s + 16380, "\r\n\r\n", 4);
    assert_int_equal(parse_at(s, 16384, 0, 1), 16384);
    memcpy(s + 16380, "a\r\n\r\n", 5);
    assert_int_equal(parse_at(s, 16385, 0, 1), -431);
    free(s);
}

/* What lies beyond the limit changes nothing, however much of it has come; the empty
 * line in front (RFC 9112 s2.2) does not count. */
static void heads_at_the_limits_are_judged_the_same_in_pieces_and_whole(void **state)
{
    size_t n = 308000;
    char *s = malloc(n);

    memset(s, 'a', n);
    memcpy(s, "\r\nGET / HTTP/1.0\r\nA: ", 21);
    memcpy(s + 16382, "\r\n\r\n", 4);
    assert_int_equal(parse_at(s, 16385, 0, 1), -EAGAIN);
    assert_int_equal(parse_at(s, 16386, 16385, 1), 16386);
    memcpy(s + 16382, "aaaa\n\r\n", 7);
    assert_int_equal(parse_at(s, 16386, 0, 1), -431);
    assert_int_equal(parse_at(s, 16389, 0, 1), -431);
    memcpy(s, "HTTP/1.1 200 OK\r\nA: ", 20);
    memcpy(s + 16382, "aaaaaaa", 7);
    for (size_t i = 1; i < 8; i++)
        memcpy(s + i * 40000, "\r\nA: ", 5);
    memcpy(s + 307196, "\r\n\r\n", 4);
    assert_int_equal(parse_at(s, 307200, 0, 0), 307200);
    memcpy(s + 307196, "a\r\n\r\n", 5);
    assert_int_equal(parse_at(s, 307200, 0, 0), -56);
    assert_int_equal(parse_at(s, 307201, 0, 0), -56);
    free(s);
}

static void the_field_after_the_last_is_too_many(void **state)
{
    char s[1024] = "GET / HTTP/1.0\r\n";
    size_t len = strlen(s);

    for (int i = 0; i < 128; i++, len += 4)
        memcpy(s + len, "A:\r\n", 4);
    memcpy(s + len, "\r\n", 2);
    assert_int_equal(parse_at(s, len + 2, 0, 1), (int)len + 2);
    memcpy(s + len, "A:\r\n\r\n", 6);
    assert_int_equal(parse_at(s, len + 6, 0, 1), -431);
}

/* Each limit is the reader's to choose. */
static void limits_are_the_readers(void **state)
{
    static const struct http_limits small = { 20, 40, 2, 0, 10, 10 };
    static const struct {
        const char *text;
        int want; /* 1: accepted */
    } row[] = {
        { "GET /abcd HTTP/1.0\r\n\r\n", 1 }, /* 18 characters and their end */
        { "GET /abcde HTTP/1.0\r\nA:\r\n\r\n", -414 },
        { "GET / HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n", 1 },
        { "GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\n\r\n", -431 },
        { "GET / HTTP/1.0\r\nA: 0123456789012345678\r\n\r\n", -431 },
        { "\r\nGET / HTTP/1.0\r\n\r\n", -400 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t len = strlen(row[i].text);
        int want = row[i].want > 0 ? (int)len : row[i].want;
        assert_int_equal(
            http_parse_request(guarded(row[i].text, len), len, 0, &small, &head), want);
    }
}

static void responses_are_read_leniently_or_refused(void **state)
{
    static const struct {
        const char *text;
        int status; /* negative: a fetch's exit code */
        const char *reason;
    } row[] = {
        { "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 200, "OK" },
        { "HTTP/1.0 404 Not Found\r\n\r\n", 404, "Not Found" },
        { "HTTP/1.1 200 \r\n\r\n", 200, "" },
        { "HTTP/1.1 200\r\n\r\n", 200, "" },
        { "HTTP/1.1 999 x\r\n\r\n", 999, "x" },
        { "HTTP/1.1 200 OK\nA: b\n\n", 200, "OK" },
        { "HTTP/1.1 099 x\r\n\r\n", -1, NULL },
        { "HTTP/1.1 20 x\r\n\r\n", -1, NULL },
        { "HTTP/1.1 2000 x\r\n\r\n", -1, NULL },
        { "HTTP/1.1  200 x\r\n\r\n", -1, NULL },
        { "HTTP/1.2 200 x\r\n\r\n", -1, NULL },
        { "HTTP/2.0 200 x\r\n\r\n", -1, NULL },
        { "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", 200, "OK" },
        { "HTTP/1.1 200 OK\r\nA \r\n\r\n", -8, NULL },
        { "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", -8, NULL },
        { "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n", 200, "OK" },
        { "HTTP/1.1 -20 x\r\n\r\n", -1, NULL },
        { "HTTP/1.1\r\n\r\n", -1, NULL },
        { "http/1.1 200 OK\r\n\r\n", -1, NULL },
        { "\r\nHTTP/1.1 200 OK\r\n\r\n", -1, NULL },
        { "HTTP/1.1 200 OK\r\nno field\r\n\r\n", -8, NULL },
        { "ICY 200 OK\r\n\r\n", -1, NULL },
        { "<html>", -1, NULL },
        { "SSH-2.0-x\r\n", -1, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int got = response(row[i].text);
        if (row[i].status < 0) {
            assert_int_equal(got, row[i].status);
            continue;
        }
        assert_int_equal(got, (int)strlen(row[i].text));
        assert_int_equal(head.status, row[i].status);
        assert_slice(head.reason, row[i].reason);
    }
}

/* RFC 9112 s5.2 */
static void a_folded_line_of_a_response_is_one_value(void **state)
{
    assert_true(response("HTTP/1.1 200 OK\r\nA: b\r\n\t  c\n d\r\nD: e\r\n\r\n") > 0);
    assert_int_equal(head.n_fields, 2);
    assert_slice(head.field[0].value, "b c d");
    assert_slice(head.field[1].value, "e");
    assert_int_equal(response("HTTP/1.1 200 OK\r\n A: b\r\n\r\n"), 24);
    assert_slice(head.reason, "OK A: b");
}

static void a_response_head_beyond_300_kib_is_refused(void **state)
{
    char *s = malloc(320000);

    memset(s, 'a', 320000);
    memcpy(s, "HTTP/1.1 200 OK\r\nA: ", 20);
    assert_int_equal(parse_at(s, 307199, 0, 0), -EAGAIN);
    assert_int_equal(parse_at(s, 307200, 0, 0), -56);
    memcpy(s + 17 + 102399, "\r\n\r\n", 4); /* a line of 102399 */
    assert_int_equal(parse_at(s, 102420, 0, 0), 102420);
    memcpy(s + 17 + 102399, "a\r\n\r\n", 5); /* one more */
    assert_int_equal(parse_at(s, 102421, 0, 0), -100);
    free(s);
}

/* What stands before it may be shown. */
static void the_line_that_is_none_is_told(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\nc\r\nD: e\r\n\r\n";

    assert_int_equal(response(text), -8);
    assert_int_equal(*head.faulty, 'c');
    assert_true(response("HTTP/1.1 200 OK\r\nA: b\r\n\r\n") > 0);
    assert_null(head.faulty);
}

/* RFC 9112 s9.3; Connection is a list, maybe in several lines, without case. */
static void persistence_follows_version_and_connection(void **state)
{
    static const struct {
        const char *text;
        bool persists;
    } row[] = {
        { "HTTP/1.1 200 OK\r\n\r\n", true },
        { "HTTP/1.0 200 OK\r\n\r\n", false },
        { "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false },
        { "HTTP/1.1 200 OK\r\nconnection: a, CLOSE ,b\r\n\r\n", false },
        { "HTTP/1.1 200 OK\r\nConnection: a\r\nConnection: close\r\n\r\n", false },
        { "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n\r\n", false },
        { "HTTP/1.1 200 OK\r\nConnection: closed\r\n\r\n", true },
        { "HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\n\r\n", false },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_true(response(row[i].text) > 0);
        assert_int_equal(http_persists(&head), row[i].persists);
    }
}

/* RFC 9110 s10.1.1 */
static void what_a_request_expects_is_known_or_refused(void **state)
{
    static const struct {
        const char *text;
        int want;
    } row[] = {
        { "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n", 100 },
        { "PUT / HTTP/1.1\r\nHost: a\r\nExpect: , 100-continue\r\n\r\n", 100 },
        { "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\n\r\n", -417 },
        { "PUT / HTTP/1.1\r\nHost: a\r\nExpect: x=1\r\n\r\n", -417 },
        { "PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 0 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_true(request(row[i].text) > 0);
        assert_int_equal(http_expects(&head), row[i].want);
    }
}

static void a_field_that_is_no_list_stands_alone_or_says_nothing(void **state)
{
    assert_true(request("GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n") > 0);
    assert_slice(http_single_field(&head, "b"), "2");
    assert_null(http_single_field(&head, "A").at);
    assert_null(http_single_field(&head, "C").at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_head_becomes_method_target_version_and_fields),
        cmocka_unit_test(requests_are_accepted_or_answered_with_a_status),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(heads_beyond_the_limits_are_told_which_part_is_too_long),
        cmocka_unit_test(heads_at_the_limits_are_judged_the_same_in_pieces_and_whole),
        cmocka_unit_test(the_field_after_the_last_is_too_many),
        cmocka_unit_test(limits_are_the_readers),
        cmocka_unit_test(what_a_request_expects_is_known_or_refused),
        cmocka_unit_test(a_field_that_is_no_list_stands_alone_or_says_nothing),
        cmocka_unit_test(responses_are_read_leniently_or_refused),
        cmocka_unit_test(a_folded_line_of_a_response_is_one_value),
        cmocka_unit_test(a_response_head_beyond_300_kib_is_refused),
        cmocka_unit_test(the_line_that_is_none_is_told),
        cmocka_unit_test(persistence_follows_version_and_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
