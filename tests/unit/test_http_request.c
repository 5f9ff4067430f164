#include "app/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static void check(const struct tapir_http_options *o, const char *url_text,
                  const char *want)
{
    struct http_url url;
    const char *why;
    size_t len;
    char *got;

    assert_int_equal(http_parse_url(url_text, &url, &why), 0);
    got = http_request_new(&(struct http_ask){ .options = o,
                                               .url = &url,
                                               .first = &url,
                                               .method = http_request_method(o),
                                               .referer = o->referer,
                                               .http10 = o->http10,
                                               .body = http_request_has_body(o),
                                               .expects = http_request_expects(o) },
                           &len);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(got, want, len);
    free(got);
}

static void a_request_is_target_host_agent_and_accept(void **state)
{
    struct tapir_http_options o = { .user_agent = "x" };

    check(&o, "http://a:81/b?c#d",
          "GET /b?c HTTP/1.1\r\nHost: a:81\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n");
    o.head = true;
    check(&o, "http://a",
          "HEAD / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n");
}

static void fields_of_the_user_replace_ours_or_remove_them(void **state)
{
    static const char *const fields[] = { "accept: text/html", "User-Agent:", "A: b",
                                          "Accepted: no", "host: c" };
    struct tapir_http_options o = { .user_agent = "x",
                                    .headers = fields,
                                    .n_headers = 5 };

    check(&o, "http://a/",
          "GET / HTTP/1.1\r\nhost: c\r\naccept: text/html\r\nA: b\r\n"
          "Accepted: no\r\n\r\n");
}

/* As curl has it, so that what is sent can be compared. */
static void the_users_connection_field_is_the_last_of_his(void **state)
{
    static const char *const fields[] = { "A: b", "Connection: close", "C: d" };
    struct tapir_http_options o = { .headers = fields, .n_headers = 3 };

    check(&o, "http://a/",
          "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nA: b\r\nC: d\r\n"
          "Connection: close\r\n\r\n");
}

/* RFC 7617 */
static void credentials_of_the_url_are_sent_unless_the_user_sends_his(void **state)
{
    static const char *const fields[] = { "Authorization: x" };
    struct tapir_http_options o = { .user_agent = "x", .headers = fields };

    check(&o, "http://Aladdin:open%20sesame@a/",
          "GET / HTTP/1.1\r\nHost: a\r\n"
          "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
          "User-Agent: x\r\nAccept: */*\r\n\r\n");
    o.user = "a:b"; /* what the user says goes before the URL */
    check(&o, "http://Aladdin:open%20sesame@a/",
          "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n"
          "User-Agent: x\r\nAccept: */*\r\n\r\n");
    o.n_headers = 1;
    check(&o, "http://Aladdin:open%20sesame@a/",
          "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nAccept: */*\r\n"
          "Authorization: x\r\n\r\n");
}

#define AGENT "User-Agent: x\r\nAccept: */*\r\n"

static void a_body_is_described_behind_the_users_fields(void **state)
{
    static const char *const fields[] = { "A: b", "Transfer-Encoding: chunked" };
    struct tapir_http_options o = { .user_agent = "x",
                                    .data = "k=v",
                                    .data_len = 3,
                                    .headers = fields,
                                    .n_headers = 1 };

    check(&o, "http://a",
          "POST / HTTP/1.1\r\nHost: a\r\n" AGENT "A: b\r\nContent-Length: 3\r\n"
          "Content-Type: application/x-www-form-urlencoded\r\n\r\n");
    o.n_headers = 2; /* RFC 9112 s6.2: then there is no length */
    check(&o, "http://a",
          "POST / HTTP/1.1\r\nHost: a\r\n" AGENT
          "A: b\r\nTransfer-Encoding: chunked\r\n"
          "Content-Type: application/x-www-form-urlencoded\r\n\r\n");
    o = (struct tapir_http_options){ .user_agent = "x",
                                     .upload = true,
                                     .upload_len = 7 };
    check(&o, "http://a/f",
          "PUT /f HTTP/1.1\r\nHost: a\r\n" AGENT "Content-Length: 7\r\n\r\n");
    o.upload_len = UINT64_MAX;
    check(&o, "http://a/f",
          "PUT /f HTTP/1.1\r\nHost: a\r\n" AGENT "Transfer-Encoding: chunked\r\n"
          "Expect: 100-continue\r\n\r\n");
}

/* RFC 9110 s10.1.1 */
static void a_large_body_is_asked_for_unless_the_user_or_the_version_says_no(
    void **state)
{
    static const char *const no[] = { "Expect:" }, *const yes[] = {
        "Expect: 100-Continue"
    };
    struct tapir_http_options o = { .data = "", .data_len = 1 << 20 };

    assert_false(http_request_expects(&o));
    o.data_len++;
    assert_true(http_request_expects(&o));
    o.n_headers = 1;
    o.headers = no;
    assert_false(http_request_expects(&o));
    o.headers = yes;
    o.data_len = 1;
    assert_true(http_request_expects(&o));
}

static void what_the_user_asks_for_is_in_it(void **state)
{
    static const char *const fields[] = { "Empty;", "Gone:" };
    struct tapir_http_options o = { .user_agent = "x",
                                    .method = "PURGE",
                                    .http10 = true,
                                    .range = "0-4",
                                    .referer = "http://b/",
                                    .headers = fields,
                                    .n_headers = 2,
                                    .user = "Aladdin:open sesame" };

    check(&o, "http://a",
          "PURGE / HTTP/1.0\r\nHost: a\r\n"
          "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\nRange: "
          "bytes=0-4\r\n" AGENT "Referer: http://b/\r\nEmpty:\r\n\r\n");
    o = (struct tapir_http_options){ .user_agent = "", .resume = 5 };
    check(&o, "http://a",
          "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=5-\r\nAccept: */*\r\n\r\n");
}

static void a_target_that_grows_by_encoding_fits(void **state)
{
    struct tapir_http_options o = { .user_agent = "x" };
    static char url_text[4000] = "http://a/";
    struct http_url url;
    const char *why;
    size_t len;
    char *got;

    memset(url_text + 9, '\xc3', 3900);
    assert_int_equal(http_parse_url(url_text, &url, &why), 0);
    got = http_request_new(
        &(struct http_ask){
            .options = &o, .url = &url, .first = &url, .method = "GET" },
        &len);
    assert_true(len > 3 * 3900);
    assert_memory_equal(got + len - 4, "\r\n\r\n", 4);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_target_host_agent_and_accept),
        cmocka_unit_test(fields_of_the_user_replace_ours_or_remove_them),
        cmocka_unit_test(the_users_connection_field_is_the_last_of_his),
        cmocka_unit_test(credentials_of_the_url_are_sent_unless_the_user_sends_his),
        cmocka_unit_test(a_body_is_described_behind_the_users_fields),
        cmocka_unit_test(
            a_large_body_is_asked_for_unless_the_user_or_the_version_says_no),
        cmocka_unit_test(what_the_user_asks_for_is_in_it),
        cmocka_unit_test(a_target_that_grows_by_encoding_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
