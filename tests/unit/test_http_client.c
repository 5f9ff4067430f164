/* The client against a scripted server, between two hosts in virtual time
 * (harness/web.h). The rows are RFC 9112 s6.3, s7.1 and s8 from the side of a client,
 * with curl's exit codes. */
#include "tapir/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/web.h"

/* --- tests ----------------------------------------------------------------------- */

static void answers_end_where_their_framing_says(void **state)
{
    static const struct {
        const char *answer;
        int code, status;
        const char *body;
    } row[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello" },
        { "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nhello", 0, 404, "hello" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 200, "" },
        { "HTTP/1.1 200 OK\r\n\r\nhello", 0, 200, "hello" },
        { "HTTP/1.0 200 OK\r\n\r\n", 0, 200, "" },
        { "HTTP/1.1 204 No\r\n\r\n", 0, 204, "" },
        { "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", 0, 304, "" },
        { "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 0, 200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
          0, 200, "hello" },
        { "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
          0, 200, "hello" },
        /* 18: less came than was promised; what came is handed over */
        { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", 18, 200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 18, 200,
          "hel" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 18,
          200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
          18, 200, "hello" },
        /* 56: it cannot be read on */
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 56, 200, "" },
        { "HTTP/1.1 200 OK\r\nContent-Le", 18, 0, "" },
        { "HTTP/1.1 100 Go\r\n\r\n", 52, 100, "" },
        /* 1 and 8: no HTTP/1 */
        { "hello", 1, 0, "" }, /* curl: HTTP/0.9 when not allowed */
        { "HTTP/2 200 OK\r\n\r\n", 1, 0, "" },
        { "HTTP/1.2 200 OK\r\n\r\n", 1, 0, "" },
        { "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello", 8, 200, "" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello", 61, 200, "" },
        { "HTTP/1.1 101 x\r\n\r\n", 8, 101, "" },
        /* 52: nothing at all */
        { "", 52, 0, "" },
    };

    for (size_t step = 0; step < 2; step++) {
        for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
            web_clean(NULL);
            web.script[0].step = step;
            web_fetch(row[i].answer);
            if (web.result[0].code != row[i].code)
                fail_msg("row %zu: %d, want %d: %s", i, web.result[0].code, row[i].code,
                         web.result[0].error.what);
            assert_int_equal(web.result[0].status, row[i].status);
            assert_string_equal(web.body, row[i].body);
            assert_int_equal(web.result[0].body, strlen(row[i].body));
        }
    }
}

static void a_request_names_what_it_wants(void **state)
{
    static const char *const fields[] = { "X: y" };

    web.options.headers = fields;
    web.options.n_headers = 1;
    web_fetch("HTTP/1.1 204 No\r\n\r\n");
    assert_string_equal(web.requests,
                        "GET /a HTTP/1.1\r\nHost: 192.0.2.2\r\n"
                        "User-Agent: tapir\r\nAccept: */*\r\nX: y\r\n\r\n");
}

static void head_takes_no_body_whatever_the_length_says(void **state)
{
    web.options.head = true;
    web.script[0].hold = true;
    web_fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(web.result[0].code, 0);
    assert_string_equal(web.heads, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_memory_equal(web.requests, "HEAD /a ", 8);
}

static void an_answer_with_a_length_ends_without_the_servers_close(void **state)
{
    web.script[0].hold = true;
    web_fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(web.result[0].code, 0);
    assert_true(web.result[0].at[TAPIR_HTTP_CLOSE] < 1000000);
}

static void with_fail_an_error_status_is_22_and_has_no_body(void **state)
{
    web.options.fail = true;
    web_fetch("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(web.result[0].code, 22);
    assert_string_equal(web.result[0].error.what,
                        "(22) The requested URL returned error: 404");
    assert_string_equal(web.body, "");
}

static void a_body_that_cannot_be_written_is_23(void **state)
{
    web.refuse_body = true;
    web_fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(web.result[0].code, 23);
}

static void a_reset_is_56(void **state)
{
    web.script[0].reset = true;
    web_fetch("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
    assert_int_equal(web.result[0].code, 56);
    assert_string_equal(web.result[0].error.what,
                        "(56) Recv failure: Connection reset by peer");
    assert_string_equal(web.body, "hello");
}

static void the_time_allowed_is_for_all_of_a_fetch(void **state)
{
    web.options.max_time = 3500000;
    web.script[0].step = 1;
    web.script[0].pause = 1000000;
    web_fetch("HTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(web.result[0].code, 28);
    assert_string_equal(web.result[0].error.what,
                        "(28) Operation timed out after 3500 milliseconds with 0 "
                        "bytes received");
}

static void failures_before_the_connection_have_their_codes(void **state)
{
    static const struct {
        const char *url;
        int code;
        const char *what;
    } row[] = {
        { "ftp://192.0.2.2/", 1, "(1) Protocol not supported: ftp://192.0.2.2/" },
        { "http://a b/", 3, "(3) URL rejected: http://a b/" },
        { "http://nobody.test/", 6, "(6) Could not resolve host: nobody.test" },
        { "http://[::1]/", 6, "(6) Could not resolve host: ::1" },
        { "http://192.0.2.2:81/", 7,
          "(7) Failed to connect to 192.0.2.2 port 81: Connection refused" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        web.urls[0] = row[i].url;
        web_run();
        assert_int_equal(web.result[0].code, row[i].code);
        assert_string_equal(web.result[0].error.what, row[i].what);
        assert_int_not_equal(web.result[0].error.cause[0], '\0');
        assert_int_equal(web.result[0].at[TAPIR_HTTP_SEND], -1);
    }
}

static void a_host_that_does_not_answer_is_28_after_the_time_allowed(void **state)
{
    web.options.connect_timeout = 200000;
    web.urls[0] = "http://192.0.2.9/";
    web_run();
    assert_int_equal(web.result[0].code, 28);
    assert_string_equal(web.result[0].error.what,
                        "(28) Connection to 192.0.2.9 port 80 timed out after 200 ms");
}

static void a_name_given_by_the_user_leads_to_its_address(void **state)
{
    static const char *const resolve[] = { "www.example.test:80:192.0.2.2" };

    web.options.resolve = resolve;
    web.options.n_resolve = 1;
    web.n_scripts = 1;
    web.script[0].answer[0] = "HTTP/1.1 204 No\r\n\r\n";
    web.urls[0] = "http://WWW.example.test/";
    web_run();
    assert_int_equal(web.result[0].code, 0);
    assert_non_null(strstr(web.requests, "Host: WWW.example.test\r\n"));
    assert_string_equal(web.last_url, "http://WWW.example.test/");
}

/* As curl: its chunks could not be understood, nor a 100 be sent. */
static void who_answers_as_http10_is_asked_so(void **state)
{
    web.n_scripts = 1;
    web.script[0].answer[0] = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                              "Content-Length: 0\r\n\r\n";
    web.script[0].answer[1] = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    web.urls[0] = web.urls[1] = "http://192.0.2.2/";
    web_run();
    assert_non_null(strstr(web.requests, "GET / HTTP/1.1\r\n"));
    assert_non_null(strstr(web.requests, "GET / HTTP/1.0\r\n"));
    assert_int_equal(web.result[1].code, 0);
}

/* The first address is nobody's: what is left of the time is for the second. */
static void all_addresses_of_a_name_are_tried(void **state)
{
    static const char *const resolve[] = { "two.test:80:192.0.2.9,192.0.2.2" };

    web.options.resolve = resolve;
    web.options.n_resolve = 1;
    web.options.connect_timeout = 1000000;
    web.urls[0] = web.urls[1] = "http://two.test/";
    web.n_scripts = 1;
    web.script[0].answer[0] = web.script[0].answer[1] =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    web.script[0].hold = true;
    web_run();
    assert_int_equal(web.result[0].code, 0);
    assert_in_range(web.result[0].at[TAPIR_HTTP_CONNECT], 500000, 550000);
    assert_int_equal(web.result[1].code, 0);
    assert_int_equal(web.result[1].connects, 0); /* the second one's is kept */
    assert_string_equal(web.body, "hellohello");
}

/* No server answers at the address of --dns. */
static void a_look_up_obeys_the_time_allowed(void **state)
{
    web.urls[0] = "http://nobody.test/";
    web.config.dns = "192.0.2.9";
    web.options.max_time = 400000;
    web_run();
    assert_int_equal(web.result[0].code, 28);
    assert_string_equal(web.result[0].error.what,
                        "(28) Resolving timed out after 400 milliseconds");
    web_clean(NULL);
    web.urls[0] = "http://nobody.test/";
    web.config.dns = "192.0.2.9";
    web.options.connect_timeout = 300000;
    web_run();
    assert_int_equal(web.result[0].code, 28);
    assert_int_equal(web.result[0].end, 300000);
}

static void the_seven_steps_are_told_in_order(void **state)
{
    static const char *const steps[] = { "* 1 host name  192.0.2.2",
                                         "* 2 address    192.0.2.2, an address already",
                                         "* 3 port       80",
                                         "* 4 connect    192.0.2.1:",
                                         "> GET /a HTTP/1.1\n> Host: 192.0.2.2\n",
                                         "> \n* 5 send       GET, 68 bytes",
                                         "< HTTP/1.1 200 OK\n< Content-Length: 5\n< \n",
                                         "* 6 read       200, body of 5 bytes",
                                         "* 7 close " };
    const char *at = web.talk;

    web.script[0].hold = true;
    web_fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *found = strstr(at, steps[i]);
        if (!found)
            fail_msg("'%s' is missing in:\n%s", steps[i], web.talk);
        at = found;
    }
    for (int i = 1; i < 7; i++)
        assert_true(web.result[0].at[i] >= web.result[0].at[i - 1]);
    /* The wire is 10 ms long: there and back for the SYN, there and back for the text;
     * ARP comes before. */
    assert_true(web.result[0].at[TAPIR_HTTP_CONNECT] >= 20000);
    assert_true(web.result[0].at[TAPIR_HTTP_READ] >= 40000);
}

/* RFC 9112 s9.3 */
static void one_connection_serves_several_fetches(void **state)
{
    web.n_scripts = 1;
    web.script[0] = (struct web_script){
        .answer = { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "1\r\nb\r\n0\r\n\r\n",
                    "HTTP/1.1 204 No\r\n\r\n" },
        .hold = true,
    };
    web.urls[0] = web.urls[1] = web.urls[2] = "http://192.0.2.2/a";
    web_run();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(web.result[i].code, 0);
        assert_int_equal(web.result[i].reused, i > 0);
    }
    assert_string_equal(web.body, "ab");
    assert_int_equal(web.n_requests, 3);
}

static void a_connection_that_may_not_be_kept_is_not(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\n\r\na",
        /* bytes behind the answer: whose are they? */
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
        /* two lengths */
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\na\r\n0\r\n\r\n"),
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        web_clean(NULL);
        web.n_scripts = 2;
        web.script[0].answer[0] = web.script[1].answer[0] = answers[i];
        web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
        web_run();
        assert_int_equal(web.result[1].code, 0);
        assert_false(web.result[1].reused);
        assert_string_equal(web.body, "aa");
    }
}

static void an_http10_server_that_keeps_alive_is_believed(void **state)
{
    web.n_scripts = 1;
    web.script[0] = (struct web_script){
        .answer = { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive"
                    "\r\n\r\na",
                    "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb" },
    };
    web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
    web_run();
    assert_true(web.result[1].reused);
    assert_string_equal(web.body, "ab");
}

/* RFC 9112 s9.3.1: the server closed while the connection was idle. */
static void a_connection_closed_while_idle_is_not_used_again(void **state)
{
    web.n_scripts = 2;
    web.script[0].answer[0] = web.script[1].answer[0] =
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[1].code, 0);
    assert_false(web.result[1].reused);
    assert_int_equal(web.n_requests, 2);
}

/* The server takes the second request and closes without a word: the request is made
 * again, once. */
static void a_request_lost_on_a_kept_connection_is_made_again(void **state)
{
    web.n_scripts = 2;
    web.script[0].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    web.script[0].answer[1] = "";
    web.script[1].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
    web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[1].code, 0);
    assert_false(web.result[1].reused);
    assert_string_equal(web.body, "ab");
    assert_int_equal(web.n_requests, 3);
}

static void a_request_of_more_than_1_mib_is_not_sent(void **state)
{
    static char field[1048577] = "A: ";
    static const char *const fields[] = { field };
    (void)state;

    memset(field + 3, 'b', sizeof field - 4);
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        web_clean(NULL);
        web.pipeline = pipeline;
        web.n_scripts = 1;
        web.options.headers = fields;
        web.options.n_headers = 1;
        web.urls[0] = "http://192.0.2.2/a";
        web_run();
        assert_int_equal(web.result[0].code, 100);
        assert_int_equal(web.n_requests, 0);
    }
}

/* RFC 9110 s15.5.9: the server had given the connection up before the request came. */
static void a_408_on_a_kept_connection_is_no_answer(void **state)
{
    web.n_scripts = 2;
    web.script[0].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    web.script[0].answer[1] =
        "HTTP/1.1 408 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    web.script[1].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
    web.urls[0] = web.urls[1] = "http://192.0.2.2/";
    web_run();
    assert_int_equal(web.result[1].code, 0);
    assert_int_equal(web.result[1].status, 200);
    assert_string_equal(web.body, "ab");
    web_clean(NULL);
    web_fetch("HTTP/1.1 408 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(web.result[0].status, 408); /* on a new one it is */
}

static void a_request_lost_on_a_new_connection_is_not(void **state)
{
    web.n_scripts = 2;
    web.script[0].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    web.script[0].answer[1] = "";
    web.script[1].answer[0] = "";
    web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[1].code, 52);
    assert_int_equal(web.n_requests, 3);
}

static void another_host_name_gets_a_connection_of_its_own(void **state)
{
    static const char *const resolve[] = { "*:80:192.0.2.2" };

    web.options.resolve = resolve;
    web.options.n_resolve = 1;
    web.n_scripts = 2;
    web.script[0].answer[0] = web.script[1].answer[0] =
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    web.script[0].hold = web.script[1].hold = true;
    web.urls[0] = "http://one.test/";
    web.urls[1] = "http://two.test/";
    web_run();
    assert_int_equal(web.result[1].code, 0);
    assert_false(web.result[1].reused);
}

#define FRESH(test) cmocka_unit_test_setup(test, web_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(answers_end_where_their_framing_says),
        FRESH(a_request_names_what_it_wants),
        FRESH(head_takes_no_body_whatever_the_length_says),
        FRESH(an_answer_with_a_length_ends_without_the_servers_close),
        FRESH(with_fail_an_error_status_is_22_and_has_no_body),
        FRESH(a_body_that_cannot_be_written_is_23),
        FRESH(a_reset_is_56),
        FRESH(the_time_allowed_is_for_all_of_a_fetch),
        FRESH(failures_before_the_connection_have_their_codes),
        FRESH(a_host_that_does_not_answer_is_28_after_the_time_allowed),
        FRESH(a_name_given_by_the_user_leads_to_its_address),
        FRESH(who_answers_as_http10_is_asked_so),
        FRESH(all_addresses_of_a_name_are_tried),
        FRESH(a_look_up_obeys_the_time_allowed),
        FRESH(the_seven_steps_are_told_in_order),
        FRESH(one_connection_serves_several_fetches),
        FRESH(a_connection_that_may_not_be_kept_is_not),
        FRESH(an_http10_server_that_keeps_alive_is_believed),
        FRESH(a_connection_closed_while_idle_is_not_used_again),
        FRESH(a_request_lost_on_a_kept_connection_is_made_again),
        FRESH(a_request_of_more_than_1_mib_is_not_sent),
        FRESH(a_408_on_a_kept_connection_is_no_answer),
        FRESH(a_request_lost_on_a_new_connection_is_not),
        FRESH(another_host_name_gets_a_connection_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
