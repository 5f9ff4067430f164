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

/* --- answers that are cut --------------------------------------------------------- */

#define TWO(head, body) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" head "\r\n" body

/* The second of three is cut: it ends, or is reset, in the middle. */
static void cut_second(const char *cut, bool reset)
{
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { ANSWER("a"), cut },
                                         .ahead = 3,
                                         .reset = reset };
}

/* What was handed over is not handed over twice. */
static void an_answer_that_is_cut_is_asked_again(void **state)
{
    for (int reset = 0; reset < 2; reset++) {
        three(state);
        cut_second(TWO("", "b"), reset);
        web.script[1] = (struct web_script){ .answer = { TWO("", "bB"), ANSWER("c") },
                                             .hold = true };
        web_run();
        assert_string_equal(web.body, "abBc");
        assert_string_equal(web.heads, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
                                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                                       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
        assert_int_equal(web.n_requests, 5);
        for (int i = 0; i < 3; i++)
            assert_int_equal(web.result[i].code, 0);
        assert_int_equal(web.result[1].body, 2);
        assert_int_equal(web.result[0].connects, 1);
        assert_int_equal(web.result[1].connects, 1);
        assert_int_equal(web.result[2].connects, 0);
    }
}

static void a_head_that_is_cut_is_not_handed_over(void **state)
{
    (void)state;
    cut_second("HTTP/1.1 200 O", false);
    web.script[1] = (struct web_script){ .answer = { ANSWER("b"), ANSWER("c") },
                                         .hold = true };
    run_well(5, 2);
    assert_null(strstr(web.heads, "200 OHTTP"));
}

static void chunks_that_are_cut_are_known_by_their_tag(void **state)
{
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    (void)state;
    cut_second(CHUNKED "ETag: \"1\"\r\n\r\n2\r\nb", true);
    web.script[1] = (struct web_script){
        .answer = { CHUNKED "ETag: \"1\"\r\n\r\n1\r\nb\r\n2\r\nBB\r\n0\r\n\r\n",
                    ANSWER("c") },
        .hold = true
    };
    web_run();
    assert_int_equal(web.result[1].code, 0);
    assert_string_equal(web.body, "abBBc");
}

/* Nothing says that the second one would be the same, so it is not asked for. */
static void chunks_without_a_name_are_an_error_as_before(void **state)
{
    (void)state;
    cut_second(CHUNKED "\r\n2\r\nb", true);
    web.script[1] = (struct web_script){ .answer = { ANSWER("c") }, .hold = true };
    web_run();
    assert_int_equal(web.result[1].code, 56);
    assert_int_equal(web.result[2].code, 0);
    assert_string_equal(web.body, "abc");
}

static void a_second_answer_that_is_another_one_is_an_error_as_before(void **state)
{
    static const char *const other[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"1\"\r\n\r\nxyz",
        TWO("ETag: \"2\"\r\n", "xy"),
        TWO("ETag: \"1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "xy"),
        "HTTP/1.1 404 No\r\nContent-Length: 2\r\nETag: \"1\"\r\n\r\nxy",
    };

    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        three(state);
        cut_second(TWO("ETag: \"1\"\r\n", "b"), false);
        web.n_scripts = 3;
        web.script[1] = (struct web_script){ .answer = { other[i] }, .hold = true };
        web.script[2] = (struct web_script){ .answer = { ANSWER("c") }, .hold = true };
        web_run();
        assert_int_equal(web.result[1].code, 18);
        assert_int_equal(web.result[2].code, 0);
        assert_string_equal(web.body, "abc");
    }
}

static bool forget(void *ctx)
{
    (void)ctx;
    web.body[1] = '\0';
    return true;
}

static void an_answer_whose_beginning_can_be_taken_back_begins_anew(void **state)
{
    (void)state;
    web.options.anew = forget;
    cut_second(TWO("", "b"), true);
    web.script[1] = (struct web_script){ .answer = { ANSWER("x"), ANSWER("c") },
                                         .hold = true };
    web_run();
    assert_int_equal(web.result[1].code, 0);
    assert_string_equal(web.body, "axc");
}

static void one_that_is_cut_alone_has_failed(void **state)
{
    (void)state;
    cut_second(TWO("", "b"), false);
    web.n_scripts = 3;
    web.script[1] = (struct web_script){ .answer = { TWO("", "b") } };
    web.script[2] = (struct web_script){ .answer = { ANSWER("c") }, .hold = true };
    web_run();
    assert_int_equal(web.result[1].code, 18);
    assert_int_equal(web.result[2].code, 0);
    assert_string_equal(web.body, "abc");
    assert_int_equal(web.n_requests, 5);
}

static int times(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what))) {
        text++;
        n++;
    }
    return n;
}

/* RFC 9112 s9.3.2: not to a server that lost what was sent ahead. One that ends in
 * order is trusted again after the next answer. */
static void a_server_that_resets_is_not_sent_ahead_any_more(void **state)
{
    for (int reset = 0; reset < 2; reset++) {
        three(state);
        web.urls[3] = "http://192.0.2.2/d";
        web.n_scripts = 2;
        web.script[0] = (struct web_script){ .answer = { ANSWER("a") },
                                             .ahead = 4,
                                             .reset = reset };
        web.script[1] = (struct web_script){
            .answer = { ANSWER("b"), ANSWER("c"), ANSWER("d") }, .hold = true
        };
        web_run();
        assert_string_equal(web.body, "abcd");
        /* b, and then d unless it was a reset */
        assert_int_equal(times(web.talk, "sent ahead"), reset ? 1 : 2);
    }
}

/* --- others ---------------------------------------------------------------------- */

/* -f: what nobody wants is read to its end, if it is short. */
static void a_refused_answer_does_not_end_the_pipeline(void **state)
{
    (void)state;
    web.options.fail = true;
    web.n_scripts = 1;
    web.script[0] = (struct web_script){
        .answer = { ANSWER("a"), "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
                    ANSWER("c") },
        .ahead = 3,
        .hold = true
    };
    web_run();
    assert_int_equal(web.result[1].code, 22);
    assert_int_equal(web.result[2].code, 0);
    assert_true(web.result[2].reused);
    assert_string_equal(web.body, "ac");
    assert_int_equal(web.n_requests, 3);
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
        THREE(an_answer_that_is_cut_is_asked_again),
        THREE(a_head_that_is_cut_is_not_handed_over),
        THREE(chunks_that_are_cut_are_known_by_their_tag),
        THREE(chunks_without_a_name_are_an_error_as_before),
        THREE(a_second_answer_that_is_another_one_is_an_error_as_before),
        THREE(an_answer_whose_beginning_can_be_taken_back_begins_anew),
        THREE(one_that_is_cut_alone_has_failed),
        THREE(a_server_that_resets_is_not_sent_ahead_any_more),
        THREE(a_refused_answer_does_not_end_the_pipeline),
        THREE(another_origin_ends_the_pipeline),
        THREE(a_redirect_is_followed_beside_the_pipeline),
        THREE(an_unsafe_method_is_asked_one_by_one_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
