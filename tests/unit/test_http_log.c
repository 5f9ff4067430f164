/* Formats with nginx's variables, and the escapes that keep a client's text in its
 * line. */
#include "http/http_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char buf[2000];

#define SLICE(s)        \
    {                   \
        s, sizeof s - 1 \
    }

static const struct http_log_entry entry = {
    .remote_addr = SLICE("192.0.2.1"),
    .remote_port = 40000,
    .server_addr = SLICE("192.0.2.2"),
    .server_port = 80,
    .request = SLICE("GET /a?b HTTP/1.1"),
    .method = SLICE("GET"),
    .uri = SLICE("/a?b"),
    .host = SLICE("h"),
    .user_agent = SLICE("curl \"8\"\\\x7f\n\xc3"),
    .minor = 1,
    .status = 206,
    .bytes_sent = 1200,
    .body_sent = 1000,
    .request_length = 90,
    .request_time = 1234567,
    .now = 784111777500000,
    .connection = 7,
    .requests = 3,
    .piped = true,
    .rtt = 20000,
    .rttvar = 500,
    .cwnd = 10,
};

static const char *line(const char *format)
{
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_log_write(&t, format, &entry);
    return buf;
}

static void common_and_combined_are_what_they_have_always_been(void **state)
{
    assert_string_equal(line(http_log_format("common")),
                        "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] "
                        "\"GET /a?b HTTP/1.1\" 206 1000\n");
    assert_string_equal(line(http_log_format("combined")),
                        "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] "
                        "\"GET /a?b HTTP/1.1\" 206 1000 \"-\" "
                        "\"curl \\x228\\x22\\x5c\\x7f\\x0a\\xc3\"\n");
    assert_null(http_log_format("nginx"));
}

static void json_is_json(void **state)
{
    assert_string_equal(
        line(http_log_format("json")),
        "{\"time\":\"1994-11-06T08:49:37+00:00\",\"remote_addr\":\"192.0.2.1\","
        "\"remote_port\":40000,\"remote_user\":\"\",\"request\":\"GET /a?b HTTP/1.1\","
        "\"host\":\"h\",\"status\":206,\"bytes_sent\":1200,\"body_bytes_sent\":1000,"
        "\"request_length\":90,\"request_time\":1.234,\"http_referer\":\"\","
        "\"http_user_agent\":\"curl \\\"8\\\"\\\\\\u007f\\u000a\\u00c3\","
        "\"connection\":7,\"connection_requests\":3,\"pipe\":\"p\","
        "\"close_reason\":\"\",\"tcpinfo_rtt\":20000,\"tcpinfo_snd_cwnd\":10}\n");
}

static void every_variable_has_its_value(void **state)
{
    assert_string_equal(line("$remote_port $server_addr:$server_port $msec "
                             "$request_method $request_uri $server_protocol"),
                        "40000 192.0.2.2:80 784111777.500 GET /a?b HTTP/1.1\n");
    assert_string_equal(line("$bytes_sent $request_length $request_time $connection "
                             "$connection_requests $pipe $close_reason"),
                        "1200 90 1.234 7 3 p -\n");
    assert_string_equal(line("${tcpinfo_rtt}us $tcpinfo_rttvar $tcpinfo_snd_cwnd "
                             "$http_host $host"),
                        "20000us 500 10 h h\n");
}

/* As nginx has it: $http_host is the field, $host a name without port and case. */
static void the_host_has_no_port(void **state)
{
    static const struct {
        const char *field, *want;
    } row[] = {
        { "WWW.example.test:8080", "WWW.example.test:8080 www.example.test\n" },
        { "a:", "a: a\n" },
        { "[2001:DB8::1]:80", "[2001:DB8::1]:80 [2001:db8::1]\n" },
        { "[::1]", "[::1] [::1]\n" },
        { "", "- -\n" },
    };
    (void)state;

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_log_entry e = entry;
        struct text t;
        e.host = slice_of(row[i].field);
        text_init(&t, buf, sizeof buf);
        http_log_write(&t, "$http_host $host", &e);
        assert_string_equal(buf, row[i].want);
    }
}

static void a_line_that_does_not_fit_is_a_line(void **state)
{
    struct text t;

    text_init(&t, buf, 6);
    http_log_write(&t, "$request", &entry);
    assert_string_equal(buf, "GET \n");
}

static void what_is_no_variable_is_found(void **state)
{
    static const struct {
        const char *format, *unknown;
    } row[] = {
        { "", NULL },
        { "no variable", NULL },
        { "$status $pipe", NULL },
        { "${status}x", NULL },
        { "$status $statu", "$statu" },
        { "$statusx", "$statusx" },
        { "${status", "${status" },
        { "5$", "$" },
        { "$", "$" },
        { "$$status", "$$status" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const char *got = http_log_unknown(row[i].format);
        if (row[i].unknown)
            assert_string_equal(got, row[i].unknown);
        else
            assert_null(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_and_combined_are_what_they_have_always_been),
        cmocka_unit_test(json_is_json),
        cmocka_unit_test(every_variable_has_its_value),
        cmocka_unit_test(the_host_has_no_port),
        cmocka_unit_test(a_line_that_does_not_fit_is_a_line),
        cmocka_unit_test(what_is_no_variable_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
