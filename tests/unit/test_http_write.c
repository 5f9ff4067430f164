#include "http/http_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char buf[1024];
static struct text t;

static int start(void **state)
{
    text_init(&t, buf, sizeof buf);
    return 0;
}

static void a_response_head_is_its_lines_in_order(void **state)
{
    http_write_status(&t, 200);
    http_write_date(&t, "Date", 784111777);
    http_write_field(&t, "Content-Type", "text/plain");
    http_write_number(&t, "Content-Length", 18446744073709551615u);
    http_write_end(&t);
    assert_string_equal(buf, "HTTP/1.1 200 OK\r\n"
                             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                             "Content-Type: text/plain\r\n"
                             "Content-Length: 18446744073709551615\r\n"
                             "\r\n");
    assert_false(t.cut);
}

/* RFC 9110 s5.5: what comes from outside must not begin a new line. */
static void a_value_cannot_add_a_line(void **state)
{
    http_write_field(&t, "Location", "/a\r\nSet-Cookie: b\x7f");
    assert_string_equal(buf, "Location: /a  Set-Cookie: b \r\n");
}

static void a_field_is_one_line_with_a_name(void **state)
{
    assert_true(http_field_is_valid("A: b"));
    assert_true(http_field_is_valid("A:"));
    assert_false(http_field_is_valid("A"));
    assert_false(http_field_is_valid(""));
    assert_false(http_field_is_valid(": b"));
    assert_false(http_field_is_valid("A: b\r\nC: d"));
    assert_false(http_field_is_valid("A: b\n"));
}

/* RFC 9112 s7.1 */
static void a_chunk_has_its_size_before_it(void **state)
{
    http_write_chunk(&t, 11);
    text_put(&t, "hello world");
    http_write_end(&t);
    http_write_last_chunk(&t);
    assert_string_equal(buf, "b\r\nhello world\r\n0\r\n\r\n");
    assert_int_equal(start(NULL), 0);
    http_write_chunk(&t, UINT64_MAX);
    assert_string_equal(buf, "ffffffffffffffff\r\n");
}

/* RFC 9110 s15 */
static void every_status_that_is_sent_has_its_reason(void **state)
{
    static const struct {
        int status;
        const char *reason;
    } row[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 304, "Not Modified" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 301, "Moved Permanently" },
        { 400, "Bad Request" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
        { 299, "Unknown" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_string_equal(http_reason(row[i].status), row[i].reason);
}

static void check_request(const char *text, const char *want)
{
    struct http_url url;
    const char *why;

    text_init(&t, buf, sizeof buf);
    assert_int_equal(http_parse_url(text, &url, &why), 0);
    http_write_request(&t, "GET", &url, 1);
    http_write_host(&t, &url);
    assert_string_equal(buf, want);
}

/* RFC 9112 s3.2.1 and RFC 9110 s7.2 */
static void a_request_names_target_and_host_and_no_fragment(void **state)
{
    check_request("http://a", "GET / HTTP/1.1\r\nHost: a\r\n");
    check_request("http://a?b", "GET /?b HTTP/1.1\r\nHost: a\r\n");
    check_request("http://a:80/b?c#d", "GET /b?c HTTP/1.1\r\nHost: a\r\n");
    check_request("http://a:81/\xc3\xa4", "GET /%C3%A4 HTTP/1.1\r\nHost: a:81\r\n");
    check_request("http://[::1]:81/", "GET / HTTP/1.1\r\nHost: [::1]:81\r\n");
}

static void an_error_page_names_the_status(void **state)
{
    http_write_page(&t, 404);
    assert_string_equal(buf,
                        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                        "<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
                        "<p>There is no such file.</p></html>\n");
}

static void a_head_that_does_not_fit_says_so(void **state)
{
    text_init(&t, buf, 16);
    http_write_status(&t, 200);
    assert_true(t.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_response_head_is_its_lines_in_order, start),
        cmocka_unit_test_setup(a_value_cannot_add_a_line, start),
        cmocka_unit_test(a_field_is_one_line_with_a_name),
        cmocka_unit_test_setup(a_chunk_has_its_size_before_it, start),
        cmocka_unit_test_setup(every_status_that_is_sent_has_its_reason, start),
        cmocka_unit_test_setup(a_request_names_target_and_host_and_no_fragment, start),
        cmocka_unit_test_setup(an_error_page_names_the_status, start),
        cmocka_unit_test_setup(a_head_that_does_not_fit_says_so, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
