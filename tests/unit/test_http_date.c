/* RFC 9110 s5.6.7: IMF-fixdate there and back, the older forms back. */
#include "http/http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "harness/guarded.h"

static const struct {
    int64_t seconds;
    const char *text;
} known[] = {
    { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* the RFC's example */
    { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
    { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
    { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
    { 951868800, "Wed, 01 Mar 2000 00:00:00 GMT" },
    { 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" }, /* not a leap year */
    { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
    { 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
    { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
    { -62135596800, "Mon, 01 Jan 0001 00:00:00 GMT" },
};

static void known_moments_are_written_and_read_back(void **state)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char buf[32];
        struct text t;
        int64_t back;
        text_init(&t, buf, sizeof buf);
        http_date_print(&t, known[i].seconds);
        assert_string_equal(buf, known[i].text);
        assert_true(http_date_parse(slice_of(buf), 0, &back));
        assert_true(back == known[i].seconds);
    }
}

static void every_day_of_four_centuries_agrees_with_the_c_library(void **state)
{
    for (int64_t day = -25567; day < 120530; day++) {
        char buf[32], want[32];
        struct text t;
        time_t at = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        int64_t back;
        gmtime_r(&at, &tm);
        strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        text_init(&t, buf, sizeof buf);
        http_date_print(&t, at);
        assert_string_equal(buf, want);
        assert_true(http_date_parse(slice_of(buf), 0, &back));
        assert_true(back == at);
    }
}

static void moments_without_a_four_digit_year_are_written_as_the_nearest(void **state)
{
    char buf[32];
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_date_print(&t, INT64_MAX);
    assert_string_equal(buf, "Fri, 31 Dec 9999 23:59:59 GMT");
    text_init(&t, buf, sizeof buf);
    http_date_print(&t, INT64_MIN);
    assert_string_equal(buf, "Mon, 01 Jan 0001 00:00:00 GMT");
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const row[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
        "Sun, 06 Nom 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Wed, 30 Feb 2000 00:00:00 GMT",
        "Thu, 29 Feb 2100 00:00:00 GMT",
        "Sat, 00 Jan 2000 00:00:00 GMT",
        "Sat, 01 Jan 0000 00:00:00 GMT",
        "Sun, 06 Nov  994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sunday, 6-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Monday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Someday, 06-Nov-94 08:49:37 GMT",
        ", 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov x6 08:49:37 1994",
        "Mon Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 94",
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t len = strlen(row[i]);
        int64_t seconds;
        if (http_date_parse((struct http_slice){ guarded(row[i], len), len }, 0,
                            &seconds))
            fail_msg("'%s' was read as a date", row[i]);
    }
}

static void the_older_forms_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t now, want;
    } row[] = {
        { "Sunday, 06-Nov-94 08:49:37 GMT", 0, 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 1700000000, 784111777 },
        { "Sun Nov  6 08:49:37 1994", 0, 784111777 },
        { "Sat Nov 26 08:49:37 1994", 0, 785839777 },
        /* 2026: "76" is 50 years ahead, "77" would be 51 */
        { "Wednesday, 01-Jan-76 00:00:00 GMT", 1780000000, 3345062400 },
        { "Saturday, 01-Jan-77 00:00:00 GMT", 1780000000, 220924800 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t len = strlen(row[i].text);
        int64_t got = 0;
        if (!http_date_parse((struct http_slice){ guarded(row[i].text, len), len },
                             row[i].now, &got) ||
            got != row[i].want)
            fail_msg("row %zu: %lld", i, (long long)got);
    }
}

static void logs_have_forms_of_their_own(void **state)
{
    char buf[40];
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_date_print_log(&t, 784111777);
    assert_string_equal(buf, "06/Nov/1994:08:49:37 +0000");
    text_init(&t, buf, sizeof buf);
    http_date_print_iso(&t, 784111777);
    assert_string_equal(buf, "1994-11-06T08:49:37+00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_written_and_read_back),
        cmocka_unit_test(every_day_of_four_centuries_agrees_with_the_c_library),
        cmocka_unit_test(moments_without_a_four_digit_year_are_written_as_the_nearest),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(the_older_forms_are_read),
        cmocka_unit_test(logs_have_forms_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
