/* RFC 9110 s13: conditions, in the order of s13.2.2. The file was changed on Sun, 06
 * Nov 1994 08:49:37 GMT, has the tag "a", and an hour has passed. */
#include "http/http_cond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#define THEN   "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

enum { CHANGED = 784111777, NOW = CHANGED + 3600 };

static struct http_head head;

static void parse(const char *method, const char *fields)
{
    static char s[600];
    int n = snprintf(s, sizeof s, "%s / HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);

    assert_int_equal(http_parse_request(s, (size_t)n, 0, &http_request_limits, &head),
                     n);
}

static const struct http_version *version(bool exists)
{
    static struct http_version v;

    v = (struct http_version){ exists, slice_of(exists ? "\"a\"" : ""), CHANGED };
    return &v;
}

struct row {
    const char *method, *fields;
    int want, want_none; /* where the file is; where there is none */
};

static const struct row rows[] = {
    { "GET", "", 0, 0 },
    /* 1: If-Match, compared strongly */
    { "GET", "If-Match: \"a\"\r\n", 0, 412 },
    { "GET", "If-Match: \"b\", \"a\"\r\n", 0, 412 },
    { "GET", "If-Match: \"b\"\r\nIf-Match: \"a\"\r\n", 0, 412 },
    { "GET", "If-Match: \"b\"\r\n", 412, 412 },
    { "GET", "If-Match: W/\"a\"\r\n", 412, 412 },
    { "GET", "If-Match: *\r\n", 0, 412 },
    { "GET", "If-Match: a\r\n", 412, 412 },
    { "GET", "If-Match:\r\n", 412, 412 },
    { "PUT", "If-Match: *\r\n", 0, 412 },
    /* 2: If-Unmodified-Since, only without If-Match */
    { "GET", "If-Unmodified-Since: " THEN "\r\n", 0, 412 },
    { "GET", "If-Unmodified-Since: " AFTER "\r\n", 0, 412 },
    { "GET", "If-Unmodified-Since: " BEFORE "\r\n", 412, 412 },
    { "GET", "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT\r\n", 412, 412 },
    { "GET", "If-Unmodified-Since: Sun Nov  6 08:49:36 1994\r\n", 412, 412 },
    { "GET", "If-Unmodified-Since: never\r\n", 0, 0 },
    { "GET", "If-Match: \"a\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", 0, 412 },
    { "GET", "If-Match: \"b\"\r\nIf-Unmodified-Since: " AFTER "\r\n", 412, 412 },
    /* 3: If-None-Match, compared weakly */
    { "GET", "If-None-Match: \"a\"\r\n", 304, 0 },
    { "HEAD", "If-None-Match: W/\"a\"\r\n", 304, 0 },
    { "GET", "If-None-Match: \"b\",W/\"a\"\r\n", 304, 0 },
    { "GET", "If-None-Match: \"b\"\r\n", 0, 0 },
    { "GET", "If-None-Match: *\r\n", 304, 0 },
    { "GET", "If-None-Match: a\r\n", 0, 0 },
    { "PUT", "If-None-Match: *\r\n", 412, 0 },
    { "POST", "If-None-Match: \"a\"\r\n", 412, 0 },
    /* 4: If-Modified-Since, only without If-None-Match, and to read */
    { "GET", "If-Modified-Since: " THEN "\r\n", 304, 0 },
    { "GET", "If-Modified-Since: " AFTER "\r\n", 304, 0 },
    { "HEAD", "If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", 304, 0 },
    { "GET", "If-Modified-Since: " BEFORE "\r\n", 0, 0 },
    { "GET", "If-Modified-Since: 0\r\n", 0, 0 },
    { "GET", "If-Modified-Since: " AFTER "\r\nIf-Modified-Since: " AFTER "\r\n", 0, 0 },
    { "POST", "If-Modified-Since: " AFTER "\r\n", 0, 0 },
    { "GET", "If-None-Match: \"b\"\r\nIf-Modified-Since: " AFTER "\r\n", 0, 0 },
    { "GET", "If-None-Match: \"a\"\r\nIf-Modified-Since: " BEFORE "\r\n", 304, 0 },
    /* the first outranks the third */
    { "GET", "If-Match: \"b\"\r\nIf-None-Match: \"a\"\r\n", 412, 412 },
    { "GET", "If-Match: \"a\"\r\nIf-None-Match: \"a\"\r\n", 304, 412 },
    { "GET", "If-Unmodified-Since: " THEN "\r\nIf-Modified-Since: " THEN "\r\n", 304,
      412 },
};

static void conditions_are_asked_in_their_order(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int got, none;
        parse(rows[i].method, rows[i].fields);
        got = http_precondition(&head, version(true), NOW);
        none = http_precondition(&head, version(false), NOW);
        if (got != rows[i].want || none != rows[i].want_none)
            fail_msg("%s %s: %d and %d", rows[i].method, rows[i].fields, got, none);
    }
}

/* RFC 9110 s13.1.5 */
static void a_range_is_obeyed_if_the_file_is_the_same(void **state)
{
    static const struct {
        const char *fields;
        bool want;
    } row[] = {
        { "", true },
        { "If-Range: \"a\"\r\n", true },
        { "If-Range: \"b\"\r\n", false },
        { "If-Range: W/\"a\"\r\n", false },
        { "If-Range: \"a\", \"b\"\r\n", false },
        { "If-Range: \"a\"\r\nIf-Range: \"a\"\r\n", false },
        { "If-Range: *\r\n", false },
        { "If-Range:\r\n", false },
        { "If-Range: " THEN "\r\n", true },
        { "If-Range: Sunday, 06-Nov-94 08:49:37 GMT\r\n", true },
        { "If-Range: " AFTER "\r\n", false },
        { "If-Range: " BEFORE "\r\n", false },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        parse("GET", row[i].fields);
        if (http_if_range(&head, version(true), NOW) != row[i].want)
            fail_msg("%s", row[i].fields);
    }
    assert_false(http_if_range(&head, version(false), NOW));
}

/* RFC 9110 s8.8.2.2: within the second of the change, a date does not tell versions
 * apart. */
static void a_date_of_this_very_second_is_a_weak_validator(void **state)
{
    parse("GET", "If-Range: " THEN "\r\n");
    assert_false(http_if_range(&head, version(true), CHANGED));
    assert_true(http_if_range(&head, version(true), CHANGED + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_asked_in_their_order),
        cmocka_unit_test(a_range_is_obeyed_if_the_file_is_the_same),
        cmocka_unit_test(a_date_of_this_very_second_is_a_weak_validator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
