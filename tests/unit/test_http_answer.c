/* RFC 9110: conditions, ranges, codings, methods and what comes back, as a client of
 * the whole conversation sees them. */
#include "app/http_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/memory.h"
#include "harness/site.h"
#include "harness/talk.h"

#define GET(target, fields) "GET " target " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define THEN                "Sun, 06 Nov 1994 08:49:37 GMT"

static const char *body(void)
{
    return strstr(said.text, "\r\n\r\n") + 4;
}

/* The tag of what was said last. */
static const char *etag(void)
{
    static char tag[80];
    const char *at = strstr(said.text, "ETag: ") + 6;
    size_t n = strcspn(at, "\r");

    assert_true(n < sizeof tag);
    memcpy(tag, at, n);
    tag[n] = '\0';
    return tag;
}

static void ask(const char *target, const char *name, const char *value)
{
    char request[400];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n%s: %s\r\n\r\n",
             target, name, value);
    talk(request, false);
    assert_int_equal(said.end, SESSION_HEAD);
}

/* RFC 9110 s13.2.2, s15.4.5 and s15.5.13 */
static void what_the_client_has_is_not_sent_again(void **state)
{
    talk(GET("/a.txt", ""), false);
    ask("/a.txt", "If-None-Match", etag());
    assert_string_equal(statuses(), "304");
    assert_said("ETag: \"");
    assert_not_said("Content-");
    assert_string_equal(body(), "");
    ask("/a.txt", "If-None-Match", "\"x\"");
    assert_string_equal(statuses(), "200");
    ask("/a.txt", "If-Modified-Since", THEN);
    assert_string_equal(statuses(), "304");
    ask("/a.txt", "If-Match", "\"x\"");
    assert_string_equal(statuses(), "412");
    assert_said("<h1>Precondition Failed</h1>");
    ask("/a.txt", "If-Unmodified-Since", THEN);
    assert_string_equal(statuses(), "200");
    ask("/none", "If-Match", "*");
    assert_string_equal(statuses(), "404");
}

/* RFC 9110 s14.2, s15.3.7.1 and s15.5.17 */
static void a_range_is_a_part_of_the_file(void **state)
{
    ask("/a.txt", "Range", "bytes=1-3");
    assert_string_equal(statuses(), "206");
    assert_said("Content-Range: bytes 1-3/5\r\n");
    assert_said("Content-Length: 3\r\n");
    assert_string_equal(body(), "ell");
    ask("/a.txt", "Range", "bytes=-2");
    assert_string_equal(body(), "lo");
    ask("/a.txt", "Range", "bytes=5-");
    assert_string_equal(statuses(), "416");
    assert_said("Content-Range: bytes */5\r\n");
    ask("/a.txt", "Range", "lines=1-2");
    assert_string_equal(statuses(), "200");
    assert_string_equal(body(), "hello");
    ask("/big.bin", "Range", "bytes=70000-99999");
    assert_string_equal(statuses(), "206");
    for (size_t i = 0; i < 30000; i++)
        assert_int_equal(body()[i], site_byte(70000 + i));
}

static void a_range_is_for_get_alone(void **state)
{
    talk("HEAD /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-3\r\n\r\n", false);
    assert_string_equal(statuses(), "200");
    assert_said("Content-Length: 5\r\n");
}

static void a_range_of_another_version_is_the_whole(void **state)
{
    char tag[80];

    talk(GET("/a.txt", ""), false);
    strcpy(tag, etag());
    talk(GET("/a.txt", "Range: bytes=1-3\r\nIf-Range: \"x\"\r\n"), false);
    assert_string_equal(statuses(), "200");
    talk(GET("/a.txt", "Range: bytes=1-3\r\nIf-Range: " THEN "\r\n"), false);
    assert_string_equal(statuses(), "206");
}

/* The parts as they should be, of [from, from+len) each. */
static void assert_parts(const struct http_range *range, int n, size_t size)
{
    const char *boundary = strstr(said.text, "boundary=") + 9;
    int len = (int)strcspn(boundary, "\r");
    const char *at = body();
    char lines[300];

    for (int i = 0; i < n; i++) {
        int m = snprintf(lines, sizeof lines,
                         "%s--%.*s\r\nContent-Type: application/octet-stream\r\n"
                         "Content-Range: bytes %llu-%llu/%zu\r\n\r\n",
                         i ? "\r\n" : "", len, boundary,
                         (unsigned long long)range[i].from,
                         (unsigned long long)(range[i].from + range[i].len - 1), size);
        assert_memory_equal(at, lines, (size_t)m);
        at += m;
        for (uint64_t k = 0; k < range[i].len; k++)
            assert_int_equal(*at++, site_byte(range[i].from + k));
    }
    snprintf(lines, sizeof lines, "\r\n--%.*s--\r\n", len, boundary);
    assert_string_equal(at, lines);
    snprintf(lines, sizeof lines, "Content-Length: %td\r\n", at + strlen(at) - body());
    assert_said(lines);
}

/* RFC 9110 s14.6 */
static void several_ranges_are_parts_of_one_body(void **state)
{
    static const struct http_range range[] = { { 99990, 10 },
                                               { 0, 1 },
                                               { 500, 40000 } };

    ask("/big.bin", "Range", "bytes=-10,0-0,500-40499");
    assert_string_equal(statuses(), "206");
    assert_not_said("Content-Range: bytes 0-0/100000\r\nContent-Length");
    assert_parts(range, 3, 100000);
}

static void parts_of_a_file_at_hand_are_the_same(void **state)
{
    static const struct http_range range[] = { { 3, 2 }, { 0, 1 } };

    site_resize("big.bin", 2000);
    now = (int64_t)time(NULL) + 10;
    ask("/big.bin", "Range", "bytes=3-4,0-0");
    assert_parts(range, 2, 2000);
    ask("/big.bin", "Range", "bytes=3-4,0-0");
    assert_parts(range, 2, 2000);
}

static void without_memory_for_a_part_the_connection_ends(void **state)
{
    static const char in[] = GET("/big.bin", "Range: bytes=0-0,5-5\r\n");
    struct http_session s;
    char bytes[4096];
    size_t room;
    ssize_t n;

    http_session_init(&s);
    memcpy(http_session_room(&s, &site, &room), in, sizeof in - 1);
    http_session_input(&s, &site, sizeof in - 1, NOW);
    n = http_session_output(&s, bytes, sizeof bytes);
    assert_true(n > 0);
    memory_ends_after(0);
    http_session_sent(&s, &site, (size_t)n, NOW);
    memory_back();
    assert_int_equal(s.state, SESSION_OVER);
    http_session_free(&s);
}

/* A short request must not make a long answer. */
static void many_ranges_get_the_file_once(void **state)
{
    ask("/big.bin", "Range", "bytes=0-,0-,0-,0-,0-,0-,0-,0-");
    assert_string_equal(statuses(), "200");
    assert_said("Content-Length: 100000\r\n");
}

/* RFC 9110 s8.4.1.3 and s12.5.5 */
static void a_precompressed_file_goes_to_who_likes_it(void **state)
{
    ask("/page.html", "Accept-Encoding", "gzip");
    assert_said("Content-Encoding: gzip\r\n");
    assert_said("Vary: Accept-Encoding\r\n");
    assert_said("Content-Type: text/html; charset=utf-8\r\n");
    assert_string_equal(body(), "coded");
    ask("/page.html", "If-None-Match", "*");
    assert_string_equal(statuses(), "304");
    ask("/page.html", "Accept-Encoding", "gzip;q=0");
    assert_not_said("gzip");
    assert_string_equal(body(), "<p>plain</p>\n");
    ask("/a.txt", "Accept-Encoding", "gzip");
    assert_not_said("gzip");
    ask("/page.html.gz", "Accept-Encoding", "gzip");
    assert_not_said("Content-Encoding");
    assert_said("Content-Type: application/gzip\r\n");
}

/* RFC 9110 s12.5.5: what others get in another coding says so, from the file and from
 * what is kept of it. */
static void both_of_a_precompressed_file_say_that_there_are_two(void **state)
{
    now = (int64_t)time(NULL) + 10;
    for (int i = 0; i < 2; i++) {
        ask("/page.html", "Accept", "*/*");
        assert_said("Vary: Accept-Encoding\r\n");
        assert_string_equal(body(), "<p>plain</p>\n");
        ask("/page.html", "If-None-Match", "*");
        assert_said("Vary: Accept-Encoding\r\n");
        ask("/a.txt", "Accept", "*/*");
        assert_not_said("Vary");
        ask("/page.html.gz", "Accept", "*/*");
        assert_not_said("Vary");
    }
}

static void a_directory_without_index_is_listed(void **state)
{
    talk(GET("/bare/", ""), false);
    assert_string_equal(statuses(), "200");
    assert_said("<h1>/bare</h1>");
    site.no_listing = true;
    talk(GET("/bare/", ""), false);
    assert_string_equal(statuses(), "404");
}

/* RFC 9110 s9.3.7 */
static void options_tells_what_there_is(void **state)
{
    site.echo = "/echo";
    talk("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Allow: GET, HEAD, OPTIONS\r\nContent-Length: 0\r\n\r\n");
    talk("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Allow: POST, PUT, OPTIONS\r\n");
    talk("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "405");
    assert_said("Allow: POST, PUT, OPTIONS\r\n");
}

static void a_body_to_echo_comes_back(void **state)
{
    site.echo = "/echo";
    talk("POST /echo?x HTTP/1.1\r\nHost: a\r\nContent-Type: text/x\r\n"
         "Content-Length: 5\r\n\r\nhello"
         "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\nwo\r\n3;x\r\nrld\r\n0\r\nA: b\r\n\r\n"
         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
         "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n"
         "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
         false);
    assert_string_equal(statuses(), "200 200 200 411 405");
    assert_said("Content-Type: text/x\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1");
    assert_said("Content-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\n"
                "worldHTTP/1.1");
    assert_said("Content-Length: 0\r\n\r\nHTTP/1.1 411");
    assert_int_equal(said.end, SESSION_HEAD);
}

static void a_body_to_echo_is_bounded(void **state)
{
    site.echo = "/echo";
    site.max_body = 4;
    talk("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", false);
    assert_string_equal(statuses(), "413");
    talk("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n0\r\n\r\n",
         false);
    assert_string_equal(statuses(), "413");
    assert_int_equal(said.end, SESSION_OVER);
}

/* RFC 9110 s10.1.1 */
static void who_asks_is_told_to_go_on(void **state)
{
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: a\r\n"
                               "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    static const char whole[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\n"
        "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";

    site.echo = "/echo";
    converse(head, sizeof head - 1, 1000, 1000, false);
    assert_string_equal(said.text, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(said.end, SESSION_BODY);
    converse(head, sizeof head - 1, 1, 1, false);
    assert_string_equal(said.text, "HTTP/1.1 100 Continue\r\n\r\n");
    converse(whole, sizeof whole - 1, 1000, 1000, false);
    assert_string_equal(statuses(), "200"); /* the body was there already */
    talk("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
         false);
    assert_string_equal(statuses(), "200");
    talk("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", false);
    assert_string_equal(statuses(), "417");
}

static void on_status(void *ctx, struct text *t, bool json)
{
    text_put(t, json ? "json" : "page");
}

static void what_the_server_does_is_told_to_people_and_machines(void **state)
{
    ask("/tapir/status", "X", "x");
    assert_string_equal(statuses(), "404");
    site.status = on_status;
    ask("/tapir/status", "X", "x");
    assert_said("Cache-Control: no-store\r\nContent-Type: text/html; charset=utf-8\r\n"
                "Content-Length: 4\r\n\r\npage");
    ask("/tapir/status?json", "X", "x");
    assert_said("Content-Type: application/json\r\nContent-Length: 4\r\n\r\njson");
    ask("/tapir/status", "Accept", "text/x, application/json");
    assert_said("\r\n\r\njson");
}

/* RFC 9112 s3 asks for lines of 8000 octets; none of them names a file. */
static void a_path_longer_than_any_file_is_not_found(void **state)
{
    static char request[8100] = "GET /";

    memset(request + 5, 'a', 7980);
    strcpy(request + 5 + 7980, " HTTP/1.1\r\nHost: a\r\n\r\n");
    converse(request, strlen(request), 9000, 9000, false);
    assert_string_equal(statuses(), "404");
    assert_int_equal(said.end, SESSION_HEAD);
}

static void a_connection_has_its_last_request(void **state)
{
    site.max_requests = 2;
    talk(GET("/a.txt", "") GET("/a.txt", "") GET("/a.txt", ""), false);
    assert_string_equal(statuses(), "200 200");
    assert_said("Connection: close\r\n");
    assert_int_equal(said.end, SESSION_OVER);
}

#define WITH_SITE(test) cmocka_unit_test_setup_teardown(test, talk_up, talk_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SITE(what_the_client_has_is_not_sent_again),
        WITH_SITE(a_range_is_a_part_of_the_file),
        WITH_SITE(a_range_is_for_get_alone),
        WITH_SITE(a_range_of_another_version_is_the_whole),
        WITH_SITE(several_ranges_are_parts_of_one_body),
        WITH_SITE(parts_of_a_file_at_hand_are_the_same),
        WITH_SITE(without_memory_for_a_part_the_connection_ends),
        WITH_SITE(many_ranges_get_the_file_once),
        WITH_SITE(a_precompressed_file_goes_to_who_likes_it),
        WITH_SITE(both_of_a_precompressed_file_say_that_there_are_two),
        WITH_SITE(a_directory_without_index_is_listed),
        WITH_SITE(options_tells_what_there_is),
        WITH_SITE(a_body_to_echo_comes_back),
        WITH_SITE(a_body_to_echo_is_bounded),
        WITH_SITE(who_asks_is_told_to_go_on),
        WITH_SITE(what_the_server_does_is_told_to_people_and_machines),
        WITH_SITE(a_path_longer_than_any_file_is_not_found),
        WITH_SITE(a_connection_has_its_last_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
