/* RFC 9112 s9: the conversation of one connection, bytes in and bytes out. Every one is
 * held several times: with input whole and split, with output taken whole and
 * in bits. */
#include "app/http_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "harness/memory.h"
#include "harness/site.h"
#include "harness/talk.h"

/* From the second time on the bytes are at hand (http_cache.h): talk() compares. */
static void a_file_that_is_kept_makes_the_same_answer(void **state)
{
    now = (int64_t)time(NULL) + 10;
    talk("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
         "HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
         "GET /empty.txt HTTP/1.1\r\nHost: a\r\n\r\n",
         false);
    assert_string_equal(statuses(), "200 200 200");
    assert_said("Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n");
    assert_said("Content-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n");
    assert_said("Content-Length: 0\r\n\r\n");
}

static void a_file_comes_with_its_head(void **state)
{
    talk("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("HTTP/1.1 200 OK\r\n" DATE
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "ETag: \"");
    assert_said("-5-ae1b981bc490a00\"\r\n"
                "Accept-Ranges: bytes\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(said.end, SESSION_HEAD);
}

static void a_large_file_comes_whole(void **state)
{
    const char *body;

    talk("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Content-Length: 100000\r\n");
    body = strstr(said.text, "\r\n\r\n") + 4;
    assert_int_equal(said.len, (size_t)(body - said.text) + 100000);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(body[i], site_byte(i));
}

/* RFC 9110 s9.3.2 */
static void head_says_what_get_would_without_the_body(void **state)
{
    talk("HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Content-Length: 5\r\n\r\n");
    assert_not_said("hello");
    talk("HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "404");
    assert_not_said("<html");
    assert_not_said("Content-Length: 0");
}

static void an_empty_file_is_an_answer_too(void **state)
{
    talk("GET /empty.txt HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("HTTP/1.1 200 OK\r\n");
    assert_said("Content-Length: 0\r\n\r\n");
    assert_int_equal(said.end, SESSION_HEAD);
}

static void targets_are_answered_with_their_status(void **state)
{
    static const struct {
        const char *target, *status;
    } row[] = {
        { "/", "200" },
        { "/index.html", "200" },
        { "/?query", "200" },
        { "/a%20b.txt", "200" },
        { "/sub/", "200" },
        { "/sub/c.txt", "200" },
        { "/sub/../a.txt", "200" },
        { "/in", "200" },
        { "http://other/a.txt", "200" },
        { "/sub", "301" },
        { "/none", "404" },
        { "/bare/", "200" },
        { "/up/", "403" },
        { "/a.txt/", "404" },
        { "/a.txt/b", "404" },
        { "/sub%2fc.txt", "404" },
        { "/..%5csecret", "404" },
        { "/out", "403" },
        { "/abs", "403" },
        { "/up/secret", "403" },
        { "/fifo", "403" },
        { "/../secret", "400" },
        { "/%2e%2e/secret", "400" },
        { "/a.txt%00", "400" },
        { "/%", "400" },
        { "*", "400" },
        { "a.txt", "400" },
        { "https://other/a.txt", "400" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char request[200];
        strcpy(request, "GET ");
        strcat(request, row[i].target);
        strcat(request, " HTTP/1.1\r\nHost: a\r\n\r\n");
        talk(request, false);
        if (strcmp(statuses(), row[i].status) != 0)
            fail_msg("%s: %s, want %s", row[i].target, statuses(), row[i].status);
        assert_not_said("secret");
    }
}

static void a_directory_without_slash_is_redirected_with_its_query(void **state)
{
    talk("GET /sub?a=b&c HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("HTTP/1.1 301 Moved Permanently\r\n");
    assert_said("Location: /sub/?a=b&c\r\n");
    talk("GET /sub%20dir HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Location: /sub%20dir/\r\n");
    /* never to another host */
    talk("GET //sub HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Location: /sub/\r\n");
    talk("GET /bare/..//sub HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Location: /sub/\r\n");
}

/* RFC 9110 s15.5.6, s15.6.2 */
static void methods_that_files_do_not_have_are_refused(void **state)
{
    talk("DELETE /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "405");
    assert_said("Allow: GET, HEAD, OPTIONS\r\n");
    talk("TRACE /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "405");
    talk("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "405");
    talk("get /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "501");
    assert_int_equal(said.end, SESSION_HEAD);
}

/* RFC 9112 s9.3.2 */
static void pipelined_requests_are_answered_in_order(void **state)
{
    talk("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
         "HEAD /sub/c.txt HTTP/1.1\r\nHost: a\r\n\r\n"
         "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
         "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n0\r\n\r\n"
         "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
         "GET /sub/c.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
         "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
         false);
    assert_string_equal(statuses(), "200 200 405 405 404 200");
    assert_int_equal(said.text[said.len - 1], 'c');
    assert_int_equal(said.end, SESSION_OVER);
}

static void a_bad_request_does_not_eat_the_answers_before_it(void **state)
{
    talk("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n"
         "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
         false);
    assert_string_equal(statuses(), "200 400");
    assert_said("hello");
    assert_said("Connection: close\r\n");
    assert_int_equal(said.end, SESSION_OVER);
}

/* RFC 9112 s9.3, s9.6 */
static void the_connection_lives_as_both_sides_say(void **state)
{
    static const struct {
        const char *request, *says;
        enum http_session_state end;
    } row[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL, SESSION_HEAD },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "Connection: close\r\n", SESSION_OVER },
        { "GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n", SESSION_OVER },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
          "Connection: keep-alive\r\n", SESSION_HEAD },
        { "GET /% HTTP/1.1\r\nHost: a\r\n\r\n", NULL, SESSION_HEAD },
        { "GET / HTTP/1.1\r\n\r\n", "Connection: close\r\n", SESSION_OVER },
        { "GET / HTTP/2.0\r\n\r\n", "Connection: close\r\n", SESSION_OVER },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        talk(row[i].request, false);
        assert_int_equal(said.end, row[i].end);
        if (row[i].says)
            assert_said(row[i].says);
        else
            assert_not_said("Connection:");
    }
}

static void a_server_that_stops_says_close(void **state)
{
    site.closing = true;
    talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("Connection: close\r\n");
    assert_int_equal(said.end, SESSION_OVER);
}

/* RFC 9112 s6: what cannot be framed ends the connection. */
static void bodies_that_cannot_be_framed_end_the_connection(void **state)
{
    static const struct {
        const char *fields, *status;
    } row[] = {
        { "Content-Length: x\r\n", "400" },
        { "Content-Length: 5\r\nContent-Length: 6\r\n", "400" },
        { "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400" },
        { "Transfer-Encoding: gzip, chunked\r\n", "501" },
        { "Transfer-Encoding: chunked, gzip\r\n", "400" },
        { "Content-Length: 1048577\r\n", "413" },
        { "Content-Length: 18446744073709551615\r\n", "413" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char request[200] = "POST / HTTP/1.1\r\nHost: a\r\n";
        strcat(request, row[i].fields);
        strcat(request, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        talk(request, false);
        assert_string_equal(statuses(), row[i].status);
        assert_int_equal(said.end, SESSION_OVER);
    }
}

static void a_bad_chunk_is_answered_once_with_400(void **state)
{
    talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz", false);
    assert_string_equal(statuses(), "400");
    assert_int_equal(said.end, SESSION_OVER);
}

static void a_chunked_body_beyond_the_limit_is_refused(void **state)
{
    size_t len = 1200000;
    char *in = malloc(len);
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\n"
                               "Transfer-Encoding: chunked\r\n\r\nffffff\r\n";

    memset(in, 'a', len);
    memcpy(in, head, sizeof head - 1);
    converse(in, len, 4096, 4096, false);
    assert_string_equal(statuses(), "413");
    assert_int_equal(said.end, SESSION_OVER);
    free(in);
}

/* RFC 9110 s15.5.14: its size says so, as a length would. */
static void a_chunk_beyond_the_limit_is_refused_before_it_comes(void **state)
{
    talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n",
         false);
    assert_string_equal(statuses(), "413");
    talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\na\r\n100000\r\n",
         false);
    assert_string_equal(statuses(), "413");
    talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "ffffffffffffffff\r\n",
         false);
    assert_string_equal(statuses(), "413");
    talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n",
         false);
    assert_string_equal(statuses(), "");
}

static void a_body_within_the_limit_is_thrown_away(void **state)
{
    static const char next[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 1048576\r\n\r\n";
    size_t len = sizeof head - 1 + 1048576 + sizeof next - 1;
    char *in = malloc(len);

    memset(in, 'a', len);
    memcpy(in, head, sizeof head - 1);
    memcpy(in + sizeof head - 1 + 1048576, next, sizeof next - 1);
    converse(in, len, 65536, 65536, false);
    assert_string_equal(statuses(), "405 200");
    free(in);
}

/* RFC 9110 s10.1.1 */
static void a_client_that_asks_before_its_body_is_answered_at_once(void **state)
{
    talk("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
         "Expect: 100-continue\r\n\r\n",
         false);
    assert_string_equal(statuses(), "405");
    assert_said("Connection: close\r\n");
    assert_int_equal(said.end, SESSION_OVER);
}

/* RFC 9112 s8 */
static void the_clients_end_is_no_reason_to_keep_silent(void **state)
{
    talk("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", true);
    assert_string_equal(statuses(), "200");
    assert_int_equal(said.end, SESSION_OVER);
    talk("GET /a.txt HTTP/1.1\r\nHo", true);
    assert_string_equal(statuses(), "400");
    talk("", true);
    assert_int_equal(said.len, 0);
    assert_int_equal(said.end, SESSION_OVER);
    talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", true);
    assert_int_equal(said.len, 0);
    assert_int_equal(said.end, SESSION_OVER);
}

/* RFC 9110 s15.5.9 */
static void who_is_too_late_hears_408_if_he_had_begun(void **state)
{
    static const struct {
        const char *in, *status;
    } row[] = {
        { "", "" },
        { "GET / HT", "408" },
        { "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "200" },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "408" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_session s;
        size_t room;
        said.len = 0;
        http_session_init(&s);
        memcpy(http_session_room(&s, &site, &room), row[i].in, strlen(row[i].in));
        if (*row[i].in)
            http_session_input(&s, &site, strlen(row[i].in), NOW);
        take_output(&s, 65536);
        http_session_expire(&s, &site, NOW);
        take_output(&s, 65536);
        said.text[said.len] = '\0';
        assert_string_equal(statuses(), row[i].status);
        assert_int_equal(s.state, SESSION_OVER);
        http_session_free(&s);
    }
}

static void a_conversation_that_waits_holds_no_buffer(void **state)
{
    static const char in[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_session s;
    size_t room;

    http_session_init(&s);
    memcpy(http_session_room(&s, &site, &room), in, sizeof in - 1);
    http_session_input(&s, &site, sizeof in - 1, NOW);
    assert_null(s.in);
    take_output(&s, 65536);
    assert_null(s.out);
    assert_int_equal(s.file, -1);
    http_session_free(&s);
}

/* What is left of one conversation's input is not another's. */
static void input_that_waits_has_a_buffer_of_its_own(void **state)
{
    static const char half[] = "GET /a.txt HTTP/1.1\r\nHo";
    static const char rest[] = "st: a\r\n\r\n";
    struct http_session a, b;
    size_t room;
    char *shared;

    said.len = 0;
    http_session_init(&a);
    http_session_init(&b);
    shared = http_session_room(&a, &site, &room);
    assert_int_equal(room, 16384);
    assert_ptr_equal(http_session_room(&b, &site, &room), shared);
    memcpy(shared, half, sizeof half - 1);
    http_session_input(&a, &site, sizeof half - 1, NOW);
    assert_non_null(a.in);
    assert_int_equal(a.in_cap, 2048);
    assert_ptr_not_equal(http_session_room(&a, &site, &room), shared);
    assert_int_equal(room, 2048 - (sizeof half - 1));
    memset(shared, 'x', 16384);
    memcpy(http_session_room(&a, &site, &room), rest, sizeof rest - 1);
    http_session_input(&a, &site, sizeof rest - 1, NOW);
    assert_null(a.in);
    take_output(&a, 65536);
    assert_memory_equal(said.text, "HTTP/1.1 200 OK\r\n", 17);
    http_session_free(&a);
    http_session_free(&b);
}

/* Half a head that cannot be kept ends the conversation; a next request that cannot is
 * not answered, the one before it is. */
static void without_memory_for_input_no_more_is_read(void **state)
{
    static const char half[] = "GET /a.txt HTTP/1.1\r\nHo";
    static const char two[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /";
    struct http_session s;
    size_t room;

    http_session_init(&s);
    memcpy(http_session_room(&s, &site, &room), half, sizeof half - 1);
    memory_ends_after(0);
    http_session_input(&s, &site, sizeof half - 1, NOW);
    assert_int_equal(memory_back(), 1);
    assert_int_equal(s.state, SESSION_OVER);
    http_session_free(&s);

    said.len = 0;
    http_session_init(&s);
    memcpy(http_session_room(&s, &site, &room), two, sizeof two - 1);
    memory_ends_after(2); /* the file and the answer's head */
    http_session_input(&s, &site, sizeof two - 1, NOW);
    assert_int_equal(memory_back(), 1);
    take_output(&s, 65536);
    assert_memory_equal(said.text, "HTTP/1.1 200 OK\r\n", 17);
    assert_int_equal(s.state, SESSION_OVER);
    http_session_free(&s);
}

static void a_file_that_shrinks_breaks_the_connection(void **state)
{
    static const char in[] = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_session s;
    char bytes[4096];
    ssize_t n;
    size_t room;

    http_session_init(&s);
    memcpy(http_session_room(&s, &site, &room), in, sizeof in - 1);
    http_session_input(&s, &site, sizeof in - 1, NOW);
    n = http_session_output(&s, bytes, sizeof bytes);
    assert_int_equal(n, 4096);
    http_session_sent(&s, &site, 4096, NOW);
    site_resize("big.bin", 1000);
    assert_int_equal(http_session_output(&s, bytes, sizeof bytes), -EIO);
    http_session_free(&s);
}

static void a_file_that_grows_is_sent_as_it_was_promised(void **state)
{
    static const char in[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_session s;
    size_t room;

    said.len = 0;
    http_session_init(&s);
    memcpy(http_session_room(&s, &site, &room), in, sizeof in - 1);
    http_session_input(&s, &site, sizeof in - 1, NOW);
    site_resize("a.txt", 50);
    take_output(&s, 65536);
    assert_memory_equal(said.text + said.len - 9, "\r\n\r\nhello", 9);
    http_session_free(&s);
}

#define WITH_SITE(test) cmocka_unit_test_setup_teardown(test, talk_up, talk_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SITE(a_file_comes_with_its_head),
        WITH_SITE(a_file_that_is_kept_makes_the_same_answer),
        WITH_SITE(a_large_file_comes_whole),
        WITH_SITE(head_says_what_get_would_without_the_body),
        WITH_SITE(an_empty_file_is_an_answer_too),
        WITH_SITE(targets_are_answered_with_their_status),
        WITH_SITE(a_directory_without_slash_is_redirected_with_its_query),
        WITH_SITE(methods_that_files_do_not_have_are_refused),
        WITH_SITE(pipelined_requests_are_answered_in_order),
        WITH_SITE(a_bad_request_does_not_eat_the_answers_before_it),
        WITH_SITE(the_connection_lives_as_both_sides_say),
        WITH_SITE(a_server_that_stops_says_close),
        WITH_SITE(bodies_that_cannot_be_framed_end_the_connection),
        WITH_SITE(a_bad_chunk_is_answered_once_with_400),
        WITH_SITE(a_chunked_body_beyond_the_limit_is_refused),
        WITH_SITE(a_chunk_beyond_the_limit_is_refused_before_it_comes),
        WITH_SITE(a_body_within_the_limit_is_thrown_away),
        WITH_SITE(a_client_that_asks_before_its_body_is_answered_at_once),
        WITH_SITE(the_clients_end_is_no_reason_to_keep_silent),
        WITH_SITE(who_is_too_late_hears_408_if_he_had_begun),
        WITH_SITE(a_conversation_that_waits_holds_no_buffer),
        WITH_SITE(input_that_waits_has_a_buffer_of_its_own),
        WITH_SITE(without_memory_for_input_no_more_is_read),
        WITH_SITE(a_file_that_shrinks_breaks_the_connection),
        WITH_SITE(a_file_that_grows_is_sent_as_it_was_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
