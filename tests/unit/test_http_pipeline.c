/* RFC 9112 s9.3.2: requests sent ahead, their answers, and what a close leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/web.h"

#define ANSWER(c) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" c
#define LAST(c)   "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n" c

static int three(void **state)
{
    web_clean(state);
    web.pipeline = true;
    web.urls[0] = "http://192.0.2.2/a";
    web.urls[1] = "http://192.0.2.2/b";
    web.urls[2] = "http://192.0.2.2/c";
    return 0;
}

/* Plays, and expects the three answers. */
static void run_well(int requests, unsigned connects)
{
    unsigned n = 0;

    web_run();
    assert_string_equal(web.body, "abc");
    assert_int_equal(web.n_begun, 3);
    assert_int_equal(web.n_requests, requests);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(web.result[i].code, 0);
        n += web.result[i].connects;
    }
    assert_int_equal(n, connects);
}

static void all_are_asked_for_before_the_first_answer(void **state)
{
    web.n_scripts = 1;
    web.script[0] = (struct web_script){
        .answer = { ANSWER("a"), ANSWER("b"), ANSWER("c") }, .ahead = 3, .hold = true
    };
    run_well(3, 1);
    assert_non_null(strstr(web.requests, "GET /c "));
    assert_true(web.result[2].reused);
    assert_memory_equal(&web.result[2].local, &web.result[0].local,
                        sizeof(struct sockaddr_in));
}

static void answers_in_one_piece_are_told_apart(void **state)
{
    web.n_scripts = 1;
    web.script[0] = (struct web_script){
        .answer = { ANSWER("a") ANSWER("b") ANSWER("c") }, .ahead = 3, .hold = true
    };
    run_well(3, 1);
    /* They came in the round trip that the first one took. */
    assert_true(web.result[1].end < 1000 && web.result[2].end < 1000);
}

static void what_a_close_leaves_unanswered_is_asked_again(void **state)
{
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { LAST("a") }, .ahead = 3 };
    web.script[1] = (struct web_script){ .answer = { ANSWER("b"), ANSWER("c") },
                                         .hold = true };
    run_well(5, 2);
}

static void a_close_without_a_word_is_the_same(void **state)
{
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { ANSWER("a") }, .ahead = 3 };
    web.script[1] = (struct web_script){ .answer = { ANSWER("b"), ANSWER("c") },
                                         .hold = true };
    run_well(5, 2);
}

static void a_pipeline_that_is_never_answered_is_tried_one_by_one(void **state)
{
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { "" } };
    web.script[1] = (struct web_script){
        .answer = { ANSWER("a"), ANSWER("b"), ANSWER("c") }, .hold = true
    };
    run_well(4, 2);
}

static void a_server_that_always_closes_is_asked_one_at_a_time(void **state)
{
    web.n_scripts = 3;
    web.script[0] = (struct web_script){ .answer = { LAST("a") } };
    web.script[1] = (struct web_script){ .answer = { LAST("b") } };
    web.script[2] = (struct web_script){ .answer = { LAST("c") } };
    run_well(3, 3);
}

static void one_that_is_lost_alone_has_failed_and_the_others_go_on(void **state)
{
    web.n_scripts = 3;
    web.script[0] = (struct web_script){ .answer = { "" } };
    web.script[1] = (struct web_script){ .answer = { "" } };
    web.script[2] = (struct web_script){ .answer = { ANSWER("b"), ANSWER("c") },
                                         .hold = true };
    web_run();
    assert_int_equal(web.result[0].code, 52);
    assert_int_equal(web.result[1].code, 0);
    assert_int_equal(web.result[2].code, 0);
    assert_string_equal(web.body, "bc");
}

static void an_answer_that_is_cut_is_an_error_and_not_repeated(void **state)
{
    web.n_scripts = 2;
    web.script[0] = (struct web_script){
        .answer = { ANSWER("a"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nb" },
        .ahead = 3
    };
    web.script[1] = (struct web_script){ .answer = { ANSWER("c") }, .hold = true };
    web_run();
    assert_int_equal(web.result[1].code, 18);
    assert_int_equal(web.result[2].code, 0);
    assert_string_equal(web.body, "abc");
    assert_int_equal(web.n_requests, 4);
}

static void another_origin_ends_the_pipeline(void **state)
{
    static const char *const resolve[] = { "*:80:192.0.2.2" };

    web.options.resolve = resolve;
    web.options.n_resolve = 1;
    web.urls[1] = "http://other.test/b";
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { ANSWER("a"), ANSWER("c") },
                                         .hold = true };
    web.script[1] = (struct web_script){ .answer = { ANSWER("b") }, .hold = true };
    run_well(3, 2);
}

static void a_redirect_is_followed_beside_the_pipeline(void **state)
{
    web.options.follow = true;
    web.n_scripts = 2;
    web.script[0] = (struct web_script){
        .answer = { "HTTP/1.1 302 x\r\nLocation: /d\r\nContent-Length: 0\r\n\r\n",
                    ANSWER("b"), ANSWER("c") },
        .ahead = 3,
        .hold = true
    };
    web.script[1] = (struct web_script){ .answer = { ANSWER("a") }, .hold = true };
    run_well(4, 2);
    assert_int_equal(web.result[0].redirects, 1);
}

/* RFC 9110 s9.2.2: what may change something is not sent ahead, nor twice. */
static void an_unsafe_method_is_asked_one_by_one_and_once(void **state)
{
    web.options.method = "DELETE";
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { ANSWER("a"), "" } };
    web.script[1] = (struct web_script){ .answer = { ANSWER("c") }, .hold = true };
    web_run();
    assert_int_equal(web.result[0].code, 0);
    assert_int_equal(web.result[1].code, 52);
    assert_int_equal(web.result[2].code, 0);
    assert_int_equal(web.n_requests, 3);
}

#define THREE(test) cmocka_unit_test_setup(test, three)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREE(all_are_asked_for_before_the_first_answer),
        THREE(answers_in_one_piece_are_told_apart),
        THREE(what_a_close_leaves_unanswered_is_asked_again),
        THREE(a_close_without_a_word_is_the_same),
        THREE(a_pipeline_that_is_never_answered_is_tried_one_by_one),
        THREE(a_server_that_always_closes_is_asked_one_at_a_time),
        THREE(one_that_is_lost_alone_has_failed_and_the_others_go_on),
        THREE(an_answer_that_is_cut_is_an_error_and_not_repeated),
        THREE(another_origin_ends_the_pipeline),
        THREE(a_redirect_is_followed_beside_the_pipeline),
        THREE(an_unsafe_method_is_asked_one_by_one_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
