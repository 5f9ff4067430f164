/* What a program answers by itself: conversations as in test_http_session, whose paths
 * are handlers'. */
#include "app/http_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "harness/talk.h"

#define GET(path, fields)  "GET " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static int begun, done; /* calls that were answered; that were told to be over */

/* --- the handlers ---------------------------------------------------------------- */

/* Says back what it sees. */
static void say_request(struct tapir_http_call *call)
{
    const char *a = tapir_http_field(call, "x-a", 0);
    const char *b = tapir_http_field(call, "X-A", 1);
    char line[200];
    int n = snprintf(line, sizeof line, "%s %s %s %s %s ", call->method, call->path,
                     call->query ? call->query : "-", a ? a : "-", b ? b : "-");

    begun++;
    assert_null(tapir_http_field(call, "X-A", 2));
    assert_ptr_equal(call->ctx, &begun);
    call->type = "text/plain";
    assert_true(tapir_http_say(call, line, (size_t)n));
    assert_true(tapir_http_say(call, call->body, call->body_len));
}

static void count_done(struct tapir_http_call *call)
{
    (void)call;
    done++;
}

/* A status and fields. */
static void say_status(struct tapir_http_call *call)
{
    call->status = atoi(call->query);
    assert_true(tapir_http_say_field(call, "Retry-After", "5"));
    assert_true(tapir_http_say_field(call, "Set-Cookie", "a=b;\tc"));
}

/* Says what may not be said; so nothing is. */
static void say_badly(struct tapir_http_call *call)
{
    assert_true(tapir_http_say(call, "hidden", 6));
    assert_false(tapir_http_say_field(call, call->query, "a\r\nEvil: b"));
}

/* 40,000 letters behind "begin ", however they are asked for. */
static ssize_t letters(struct tapir_http_call *call, void *at, size_t room)
{
    size_t *given = call->own;
    size_t n = room < 9999 ? room : 9999;

    n = n < 40000 - *given ? n : 40000 - *given;
    memset(at, 'a', n);
    *given += n;
    return (ssize_t)n;
}

static void stream(struct tapir_http_call *call)
{
    call->own = calloc(1, sizeof(size_t));
    call->length = call->query ? (uint64_t)atoi(call->query) : 0;
    call->read = letters;
    tapir_http_say(call, "begin ", 6);
}

static void free_own(struct tapir_http_call *call)
{
    free(call->own);
    done++;
}

/* Breaks behind one piece. */
static ssize_t one_piece(struct tapir_http_call *call, void *at, size_t room)
{
    if (call->own)
        return -1;
    call->own = call;
    memset(at, 'b', room);
    return (ssize_t)room;
}

static void break_off(struct tapir_http_call *call)
{
    call->read = one_piece;
}

/* Counts a body that it does not keep; refuses one of more than 100 bytes. */
static bool count(struct tapir_http_call *call, const void *at, size_t len)
{
    if (!call->own)
        call->own = calloc(1, sizeof(size_t));
    *(size_t *)call->own += len;
    assert_non_null(at);
    call->status = 403;
    return *(size_t *)call->own <= 100;
}

static void say_count(struct tapir_http_call *call)
{
    char line[20];
    int n = snprintf(line, sizeof line, "%zu", call->own ? *(size_t *)call->own : 0);

    call->status = 0;
    assert_null(call->body);
    tapir_http_say(call, line, (size_t)n);
}

static const struct tapir_http_handler handlers[] = {
    { .path = "/see",
      .methods = "GET, POST",
      .answer = say_request,
      .done = count_done,
      .ctx = &begun },
    { .path = "/below/",
      .methods = "BREW",
      .answer = say_request,
      .done = count_done,
      .ctx = &begun },
    { .path = "/status", .answer = say_status },
    { .path = "/badly", .answer = say_badly },
    { .path = "/stream", .answer = stream, .done = free_own },
    { .path = "/break", .answer = break_off },
    { .path = "/count",
      .methods = "POST",
      .answer = say_count,
      .body = count,
      .done = free_own },
};

static int up(void **state)
{
    int err = talk_up(state);

    site.handlers = handlers;
    site.n_handlers = sizeof handlers / sizeof *handlers;
    begun = done = 0;
    return err;
}

/* --- the tests ------------------------------------------------------------------- */

static void a_handler_sees_the_request_and_answers_it(void **state)
{
    talk(GET("/see?q=%20", "X-A: 1\r\nX-B: 2\r\nx-a:\r\n"), false);
    assert_said("Content-Type: text/plain\r\nContent-Length: 18\r\n\r\n"
                "GET /see q=%20 1  ");
    talk(POST("/s%65e", "Content-Length: 3\r\n") "abc" GET("/a.txt", ""), false);
    assert_said("\r\n\r\nPOST /see - - - abcHTTP/1.1 200 OK\r\n");
    assert_said("hello");
    talk(
        POST("/see", "Transfer-Encoding: chunked\r\n") "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        false);
    assert_said("POST /see - - - abc");
    assert_int_equal(begun, done);
    assert_int_equal(done, 12);
}

/* RFC 9110 s9.3.2 */
static void a_head_is_answered_as_a_get(void **state)
{
    talk("HEAD /see HTTP/1.1\r\nHost: a\r\n\r\n" GET("/see", ""), false);
    assert_string_equal(statuses(), "200 200");
    assert_said("Content-Length: 16\r\n\r\nHTTP/1.1 200 OK\r\n");
    assert_not_said("HEAD /see");
}

static void a_path_is_a_handlers_or_a_files(void **state)
{
    talk("BREW /below/a/../b/ HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("BREW /below/b/ - - -");
    talk("BREW /below/ HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_said("BREW /below/ - - -");
    talk(GET("/below", "") GET("/see/", "") GET("/seen", "") GET("/a.txt", ""), false);
    assert_string_equal(statuses(), "404 404 404 200");
    talk(GET("http://other/see", ""), false);
    assert_said("GET /see - - -");
}

/* RFC 9110 s15.5.6, s9.3.7, s9.1 */
static void other_methods_are_told_which_there_are(void **state)
{
    talk("PUT /see HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"
         "OPTIONS /see HTTP/1.1\r\nHost: a\r\n\r\n",
         false);
    assert_string_equal(statuses(), "405 200");
    assert_said("Allow: GET, POST, OPTIONS\r\n");
    talk("BREW /see HTTP/1.1\r\nHost: a\r\n\r\n", false);
    assert_string_equal(statuses(), "501");
    assert_int_equal(begun, 0);
}

static void status_and_fields_are_the_handlers(void **state)
{
    talk(GET("/status?503", ""), false);
    assert_said("HTTP/1.1 503 Service Unavailable\r\n" DATE
                "Retry-After: 5\r\nSet-Cookie: a=b;\tc\r\nContent-Type: text/html");
    assert_said("<h1>Service Unavailable</h1>");
    talk(GET("/status?204", "") GET("/status?304", "") GET("/status?201", ""), false);
    assert_string_equal(statuses(), "204 304 201");
    assert_said("HTTP/1.1 204 No Content\r\n" DATE "Retry-After: 5\r\n"
                "Set-Cookie: a=b;\tc\r\n\r\n");
    talk(GET("/status?199", "") GET("/status?600", ""), false);
    assert_string_equal(statuses(), "500 500");
}

/* No answer is split by what a handler passes on, and none frames itself. */
static void what_may_not_be_said_becomes_a_500(void **state)
{
    static const char *const names[] = {
        "X",          "Content-Length", "transfer-encoding",
        "Connection", "Date",           "Server",
        "",           "A%20B",          "A:"
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char request[100];
        snprintf(request, sizeof request, GET("/badly?%s", ""), names[i]);
        talk(request, false);
        assert_string_equal(statuses(), "500");
        assert_not_said("Evil");
        assert_not_said("hidden");
    }
}

/* RFC 9112 s7.1 and s6.3 */
static void a_body_of_unknown_length_goes_in_chunks(void **state)
{
    size_t len = 0;
    const char *at;

    talk(GET("/stream", "") GET("/a.txt", ""), false);
    assert_said("Transfer-Encoding: chunked\r\n\r\n6\r\nbegin \r\n270f\r\na");
    assert_said("a\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    for (at = strstr(said.text, "270f"); *at && *at != 'H'; at++)
        len += *at == 'a';
    assert_int_equal(len, 40000);
    talk("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false);
    assert_said("Connection: close\r\n\r\nbegin aaaa");
    assert_not_said("Transfer-Encoding");
    assert_int_equal(said.len,
                     (size_t)(strstr(said.text, "begin") - said.text) + 40006);
    assert_int_equal(said.end, SESSION_OVER);
    assert_int_equal(done, 8);
}

static void a_body_of_known_length_goes_as_it_is(void **state)
{
    talk(GET("/stream?40000", "")
             GET("/stream?20000", "") "HEAD /stream?7 HTTP/1.1\r\nHost: a\r\n\r\n",
         false);
    assert_string_equal(statuses(), "200 200 200");
    assert_said("Content-Length: 40006\r\n\r\nbegin a");
    assert_said("aHTTP/1.1 200 OK\r\n");
    assert_said("Content-Length: 20006\r\n\r\nbegin a");
    assert_said("Content-Length: 13\r\n\r\n");
    assert_not_said("chunked");
}

/* Takes what there is until nothing can be given: bytes. */
static size_t take_until_broken(struct http_session *s)
{
    char bytes[1000];
    size_t len = 0;
    ssize_t n;

    while ((n = http_session_output(s, bytes, sizeof bytes)) > 0) {
        http_session_sent(s, &site, (size_t)n, now);
        len += (size_t)n;
    }
    assert_int_equal(s->state, SESSION_ANSWER);
    return len;
}

/* The client must not take for whole what is not. */
static void a_body_that_breaks_off_breaks_the_connection(void **state)
{
    static const char *const requests[] = { GET("/break", ""),
                                            GET("/stream?40001", "") };

    for (size_t i = 0; i < 2; i++) {
        struct http_session s;
        size_t room;

        http_session_init(&s);
        memcpy(http_session_room(&s, &site, &room), requests[i], strlen(requests[i]));
        http_session_input(&s, &site, strlen(requests[i]), now);
        assert_true(take_until_broken(&s) > 16384);
        http_session_break(&s, &site, "cut short");
        http_session_free(&s);
    }
}

static void a_body_may_be_taken_as_it_comes(void **state)
{
    char long_one[300] = POST("/count", "Content-Length: 101\r\n");
    size_t len = strlen(long_one);

    talk(POST("/count", "Content-Length: 10\r\n") "0123456789", false);
    assert_said("\r\n\r\n10");
    talk(POST("/count", "Content-Length: 0\r\n"), false);
    assert_said("\r\n\r\n0");
    memset(long_one + len, 'a', 101);
    talk(long_one, false);
    assert_string_equal(statuses(), "403");
    assert_int_equal(said.end, SESSION_OVER);
    assert_int_equal(done, 12);
}

/* Also where the client goes before his body has come. */
static void every_call_is_over_once(void **state)
{
    talk(POST("/see", "Content-Length: 10\r\n") "half", true);
    assert_int_equal(begun, 0);
    assert_int_equal(done, 4);
}

/* RFC 9110 s10.1.1 */
static void who_asks_first_is_told_to_go_on(void **state)
{
    talk(POST("/see", "Content-Length: 1\r\nExpect: 100-continue\r\n"), false);
    assert_string_equal(statuses(), "100");
    assert_int_equal(said.end, SESSION_BODY);
}

#define WITH_HANDLERS(test) cmocka_unit_test_setup_teardown(test, up, talk_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HANDLERS(a_handler_sees_the_request_and_answers_it),
        WITH_HANDLERS(a_head_is_answered_as_a_get),
        WITH_HANDLERS(a_path_is_a_handlers_or_a_files),
        WITH_HANDLERS(other_methods_are_told_which_there_are),
        WITH_HANDLERS(status_and_fields_are_the_handlers),
        WITH_HANDLERS(what_may_not_be_said_becomes_a_500),
        WITH_HANDLERS(a_body_of_unknown_length_goes_in_chunks),
        WITH_HANDLERS(a_body_of_known_length_goes_as_it_is),
        WITH_HANDLERS(a_body_that_breaks_off_breaks_the_connection),
        WITH_HANDLERS(a_body_may_be_taken_as_it_comes),
        WITH_HANDLERS(every_call_is_over_once),
        WITH_HANDLERS(who_asks_first_is_told_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
