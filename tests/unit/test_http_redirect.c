/* RFC 9110 s15.4: where a Location leads, and what becomes of the request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "harness/web.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static int follow(void **state)
{
    web_clean(state);
    web.options.follow = true;
    web.n_scripts = 1;
    web.script[0].hold = true;
    return 0;
}

static const char *to(const char *where, int status)
{
    static char text[200];

    snprintf(text, sizeof text,
             "HTTP/1.1 %d x\r\nLocation: %s\r\nContent-Length: 2\r\n\r\nno", status,
             where);
    return text;
}

/* What the second request begins with. */
static void check_second(const char *want)
{
    const char *second = strstr(web.requests + 1, " HTTP/1.1\r\n");

    assert_non_null(second);
    if (!strstr(second, want))
        fail_msg("'%s' is not in the second of:\n%s", want, web.requests);
}

static void a_location_is_resolved_and_asked_for(void **state)
{
    static const struct {
        const char *where, *want, *url;
    } row[] = {
        { "/b", "GET /b HTTP/1.1\r\nHost: 192.0.2.2\r\n", "http://192.0.2.2/b" },
        { "b?c#d", "GET /x/b?c HTTP/1.1\r\n", "http://192.0.2.2/x/b?c#d" },
        { "../../b", "GET /b HTTP/1.1\r\n", "http://192.0.2.2/b" },
        { "?q", "GET /x/a?q HTTP/1.1\r\n", "http://192.0.2.2/x/a?q" },
        { "//192.0.2.2/c", "GET /c HTTP/1.1\r\n", "http://192.0.2.2/c" },
        { "HTTP://192.0.2.2/c d", "GET /c%20d HTTP/1.1\r\n", "http://192.0.2.2/c%20d" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        follow(NULL);
        web.script[0].answer[1] = OK;
        web.script[0].answer[0] = to(row[i].where, 302);
        web.urls[0] = "http://192.0.2.2/x/a";
        web_run();
        assert_int_equal(web.result[0].code, 0);
        assert_int_equal(web.result[0].redirects, 1);
        assert_string_equal(web.body, "hello");
        check_second(row[i].want);
        assert_string_equal(web.last_url, row[i].url);
    }
}

static void without_follow_the_redirect_is_the_answer(void **state)
{
    web.options.follow = false;
    web_fetch(to("/b", 302));
    assert_int_equal(web.result[0].status, 302);
    assert_string_equal(web.body, "no");
}

static void method_and_body_change_as_the_status_says(void **state)
{
    static const struct {
        int status;
        const char *method, *want;
        bool body;
    } row[] = {
        { 301, NULL, "GET /b ", false },     { 302, NULL, "GET /b ", false },
        { 303, NULL, "GET /b ", false },     { 307, NULL, "POST /b ", true },
        { 308, NULL, "POST /b ", true },     { 303, "QUERY", "QUERY /b ", false },
        { 307, "QUERY", "QUERY /b ", true },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        follow(NULL);
        web.options.data = "k=v";
        web.options.data_len = 3;
        web.options.method = row[i].method;
        web.script[0].answer[1] = OK;
        web_fetch(to("/b", row[i].status));
        check_second(row[i].want);
        assert_int_equal(strstr(strstr(web.requests, row[i].want), "k=v") != NULL,
                         row[i].body);
    }
}

static void head_stays_head(void **state)
{
    web.options.head = true;
    web.script[0].answer[1] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    web_fetch("HTTP/1.1 303 x\r\nLocation: /b\r\n\r\n");
    check_second("HEAD /b ");
}

static void redirects_come_to_an_end(void **state)
{
    web.options.max_redirects = 2;
    web.script[0].answer[1] = web.script[0].answer[2] = to("/a", 302);
    web_fetch(to("/a", 302));
    assert_int_equal(web.result[0].code, 47);
    assert_int_equal(web.n_requests, 3);
    assert_string_equal(web.result[0].error.what,
                        "(47) Maximum (2) redirects followed");
    follow(NULL);
    web.options.max_redirects = -1;
    web_fetch(to("/a", 302));
    assert_int_equal(web.result[0].code, 47);
    assert_int_equal(web.n_requests, 1);
}

static void they_do_not_lead_out_of_http(void **state)
{
    static const char *const where[] = { "file:///etc/passwd", "https://192.0.2.2/",
                                         "file:etc", "javascript:x" };

    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        follow(NULL);
        web_fetch(to(where[i], 302));
        assert_int_equal(web.result[0].code, 1);
        assert_int_equal(web.n_requests, 1);
    }
}

/* RFC 9110 s15.4: what is secret stays with the origin that it was meant for. */
static void credentials_are_for_the_first_origin(void **state)
{
    static const char *const fields[] = { "Cookie: c", "Host: named.test", "X: y" };
    static const char *const resolve[] = { "*:80:192.0.2.2" };
    const char *second;

    web.options.user = "Aladdin:open sesame";
    web.options.headers = fields;
    web.options.n_headers = 3;
    web.options.resolve = resolve;
    web.options.n_resolve = 1;
    web.n_scripts = 2;
    web.script[1] = (struct web_script){ .answer = { OK }, .hold = true };
    web.script[0].answer[0] = to("http://other.test/b", 302);
    web.urls[0] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[0].code, 0);
    second = strstr(web.requests, "GET /b ");
    assert_non_null(strstr(web.requests, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_null(strstr(second, "Authorization"));
    assert_null(strstr(second, "Cookie"));
    assert_non_null(strstr(second, "Host: other.test\r\n"));
    assert_non_null(strstr(second, "X: y\r\n"));
    /* The same origin hears them again. */
    follow(NULL);
    web.options.user = "Aladdin:open sesame";
    web.script[0].answer[1] = OK;
    web_fetch(to("/b", 302));
    assert_non_null(strstr(strstr(web.requests, "GET /b "), "Authorization: Basic"));
}

#define FOLLOW(test) cmocka_unit_test_setup(test, follow)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLLOW(a_location_is_resolved_and_asked_for),
        FOLLOW(without_follow_the_redirect_is_the_answer),
        FOLLOW(method_and_body_change_as_the_status_says),
        FOLLOW(head_stays_head),
        FOLLOW(redirects_come_to_an_end),
        FOLLOW(they_do_not_lead_out_of_http),
        FOLLOW(credentials_are_for_the_first_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
