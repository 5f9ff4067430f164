/* RFC 9110 s12.5.3 */
#include "http/http_accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static void a_coding_is_sent_where_it_is_welcome(void **state)
{
    static const struct {
        const char *fields;
        bool want;
    } row[] = {
        { "", false },
        { "Accept-Encoding: gzip\r\n", true },
        { "Accept-Encoding: br, GZIP;q=0.5\r\n", true },
        { "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true },
        { "Accept-Encoding: gzip ; q=0.001\r\n", true },
        { "Accept-Encoding: gzip;q=1.000\r\n", true },
        { "Accept-Encoding: *\r\n", true },
        { "Accept-Encoding: *;q=0.1\r\n", true },
        { "Accept-Encoding:\r\n", false },
        { "Accept-Encoding: identity\r\n", false },
        { "Accept-Encoding: gzip;q=0\r\n", false },
        { "Accept-Encoding: gzip;q=0.000, *\r\n", false },
        { "Accept-Encoding: *;q=0\r\n", false },
        { "Accept-Encoding: gzip;q=0.5, identity\r\n", false },
        { "Accept-Encoding: gzip;q=0.5, identity;q=0.4\r\n", true },
        { "Accept-Encoding: gzipped, x\r\n", false },
        /* what cannot be read is not welcome */
        { "Accept-Encoding: gzip;q=\r\n", false },
        { "Accept-Encoding: gzip;q=2\r\n", false },
        { "Accept-Encoding: gzip;q=1.001\r\n", false },
        { "Accept-Encoding: gzip;q=0.0001\r\n", false },
        { "Accept-Encoding: gzip;q=-1\r\n", false },
        { "Accept-Encoding: gzip;q=0,5\r\n", false },
        { "Accept-Encoding: gzip;x=1\r\n", false },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_head head;
        char s[300];
        int n = snprintf(s, sizeof s, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n",
                         row[i].fields);
        assert_int_equal(
            http_parse_request(s, (size_t)n, 0, &http_request_limits, &head), n);
        if (http_accepts_coding(&head, "gzip") != row[i].want)
            fail_msg("%s", row[i].fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coding_is_sent_where_it_is_welcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
