/* What an answer's head says: the rest is tested where answers are made. */
#include "app/http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "app/http_shared.h"
#include "harness/talk.h"

static struct http_session s;

static int up(void **state)
{
    http_session_init(&s);
    s.now = NOW;
    s.minor = 1;
    return 0;
}

static struct http_kept kept;

static int down(void **state)
{
    http_session_free(&s);
    http_shared_drop(kept.reply);
    kept.reply = NULL;
    return 0;
}

static void assert_out(const char *want)
{
    assert_int_equal(s.out_len, strlen(want));
    assert_memory_equal(s.out, want, s.out_len);
}

static void head_and_body_are_one_piece(void **state)
{
    http_reply_make(&s, &(struct answer){ .status = 200, .type = "x/y", .length = 2 },
                    (struct http_slice){ "ab", 2 });
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Type: x/y\r\n"
               "Content-Length: 2\r\n\r\nab");
    assert_int_equal(s.out_head, s.out_len - 2);
    assert_int_equal(s.status, 200);
}

/* RFC 9110 s9.3.2 */
static void a_head_is_answered_without_the_body(void **state)
{
    s.to_head = true;
    http_reply_make(&s, &(struct answer){ .status = 200, .length = 2 },
                    (struct http_slice){ "ab", 2 });
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 2\r\n\r\n");
}

/* RFC 9112 s6.1, s6.3; RFC 9110 s8.6: one way to tell the end, and none where there is
 * no body. */
static void the_bodys_end_is_told_in_one_way(void **state)
{
    static const struct {
        struct answer reply;
        const char *want;
    } row[] = {
        { { .status = 200, .chunked = true },
          "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n" },
        { { .status = 200, .until_close = true }, "HTTP/1.1 200 OK\r\n" DATE "\r\n" },
        { { .status = 204 }, "HTTP/1.1 204 No Content\r\n" DATE "\r\n" },
        { { .status = 304 }, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        http_reply_make(&s, &row[i].reply, (struct http_slice){ NULL, 0 });
        assert_out(row[i].want);
        http_shared_drop(s.out);
    }
    s.out = NULL;
}

static void long_fields_have_room(void **state)
{
    char *fields = malloc(40001);

    memset(fields, 'x', 40000);
    memcpy(fields, "X: ", 3);
    memcpy(fields + 39998, "\r\n", 3);
    http_reply_make(&s, &(struct answer){ .status = 200, .fields = fields },
                    (struct http_slice){ NULL, 0 });
    assert_memory_equal(s.out + s.out_len - 25, "xx\r\nContent-Length: 0\r\n\r\n", 25);
    free(fields);
}

/* RFC 9110 s15.5.6: the page of a 405 comes with what it must say. */
static void a_page_says_what_the_status_means(void **state)
{
    http_reply_page(&s, &(struct answer){ .status = 405, .allow = "GET" });
    s.out[s.out_len - 1] = '\0';
    assert_non_null(strstr(s.out, "Allow: GET\r\n"));
    assert_non_null(strstr(s.out, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(s.out, "<h1>Method Not Allowed</h1>"));
}

static void an_interim_answer_is_a_line(void **state)
{
    http_reply_continue(&s);
    assert_out("HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(s.state, SESSION_ANSWER);
}

/* A client like s gets a kept file, at that second. */
static void answer_kept(struct http_session *to, int64_t at)
{
    const struct answer file = { .status = 200, .length = 5, .kept = &kept };

    *to = s;
    to->now = at;
    http_reply_make(to, &file, (struct http_slice){ "hello", 5 });
}

/* RFC 9110 s6.6.1: Date is that of the answer, not of the file's first one. */
static void all_who_get_a_kept_file_within_a_second_hold_one_answer(void **state)
{
    struct http_session other, later;

    answer_kept(&s, NOW);
    answer_kept(&other, NOW);
    answer_kept(&later, NOW + 1);
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n\r\nhello");
    assert_ptr_equal(s.out, other.out);
    assert_ptr_not_equal(s.out, later.out);
    assert_int_equal(later.out_len, s.out_len);
    assert_memory_not_equal(s.out, later.out, s.out_len);
    http_session_free(&other);
    http_session_free(&later);
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n\r\nhello");
}

/* RFC 9110 s9.3.2 */
static void a_head_is_answered_with_the_head_of_the_kept_answer(void **state)
{
    struct http_session other;

    answer_kept(&other, NOW);
    s.to_head = true;
    answer_kept(&s, NOW);
    assert_ptr_equal(s.out, other.out);
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n\r\n");
    http_session_free(&other);
}

/* RFC 9112 s9.6, and s9.3 for HTTP/1.0 */
static void only_who_stays_gets_the_kept_answer(void **state)
{
    struct http_session stays;

    answer_kept(&stays, NOW);
    s.last = true;
    answer_kept(&s, NOW);
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n"
               "Connection: close\r\n\r\nhello");
    http_session_free(&s);
    s.last = false;
    s.minor = 0;
    answer_kept(&s, NOW);
    assert_out("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n"
               "Connection: keep-alive\r\n\r\nhello");
    http_session_free(&stays);
}

#define REPLY(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLY(head_and_body_are_one_piece),
        REPLY(a_head_is_answered_without_the_body),
        REPLY(the_bodys_end_is_told_in_one_way),
        REPLY(long_fields_have_room),
        REPLY(a_page_says_what_the_status_means),
        REPLY(an_interim_answer_is_a_line),
        REPLY(all_who_get_a_kept_file_within_a_second_hold_one_answer),
        REPLY(a_head_is_answered_with_the_head_of_the_kept_answer),
        REPLY(only_who_stays_gets_the_kept_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
