/* RFC 9112 s3.2: what a request is for, and which file that is. */
#include "http/http_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "harness/guarded.h"

static struct http_head head;

static void assert_slice(struct http_slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("got '%.*s', want '%s'", (int)s.len, s.at, want);
}

static struct http_slice slice(const char *s)
{
    return (struct http_slice){ guarded(s, strlen(s)), strlen(s) };
}

static int parse(const char *method, const char *target, struct http_target *out)
{
    static char s[300];
    int n = snprintf(s, sizeof s, "%s %s HTTP/1.1\r\nHost: h:81\r\n\r\n", method,
                     target);

    assert_int_equal(http_parse_request(s, (size_t)n, 0, &http_request_limits, &head),
                     n);
    head.target = slice(target);
    return http_parse_target(&head, out);
}

static void each_method_has_its_forms(void **state)
{
    static const struct {
        const char *method, *target;
        int want; /* negative, or the form */
        const char *host, *path, *query;
    } row[] = {
        { "GET", "/", HTTP_FORM_ORIGIN, "h:81", "/", "" },
        { "GET", "/a/b?c=d?e", HTTP_FORM_ORIGIN, "h:81", "/a/b", "?c=d?e" },
        { "GET", "/?", HTTP_FORM_ORIGIN, "h:81", "/", "?" },
        { "GET", "//x/y", HTTP_FORM_ORIGIN, "h:81", "//x/y", "" },
        { "OPTIONS", "/a", HTTP_FORM_ORIGIN, "h:81", "/a", "" },
        /* RFC 9112 s3.2.2: the target's host, not Host's */
        { "GET", "http://host/a?b", HTTP_FORM_ABSOLUTE, "host", "/a", "?b" },
        { "GET", "HTTP://host:80/a", HTTP_FORM_ABSOLUTE, "host:80", "/a", "" },
        { "GET", "http://[::1]:8/a", HTTP_FORM_ABSOLUTE, "[::1]:8", "/a", "" },
        { "GET", "http://host", HTTP_FORM_ABSOLUTE, "host", "/", "" },
        { "GET", "http://host?q", HTTP_FORM_ABSOLUTE, "host", "/", "?q" },
        { "GET", "http:///a", -400, NULL, NULL, NULL },
        { "GET", "http://", -400, NULL, NULL, NULL },
        { "GET", "http://:80/a", -400, NULL, NULL, NULL },
        { "GET", "http://u@host/a", -400, NULL, NULL, NULL },
        { "GET", "http://u:p@host/a", -400, NULL, NULL, NULL },
        { "GET", "http://host:x/a", -400, NULL, NULL, NULL },
        { "GET", "https://host/a", -400, NULL, NULL, NULL },
        { "GET", "ftp://host/a", -400, NULL, NULL, NULL },
        { "GET", "host:80", -400, NULL, NULL, NULL },
        { "GET", "a/b", -400, NULL, NULL, NULL },
        { "GET", "?q", -400, NULL, NULL, NULL },
        { "GET", "\\a", -400, NULL, NULL, NULL },
        /* RFC 9112 s3.2.3 */
        { "CONNECT", "host:80", HTTP_FORM_AUTHORITY, "host:80", "", "" },
        { "CONNECT", "[::1]:80", HTTP_FORM_AUTHORITY, "[::1]:80", "", "" },
        { "CONNECT", "host", -400, NULL, NULL, NULL },
        { "CONNECT", "host:", -400, NULL, NULL, NULL },
        { "CONNECT", ":80", -400, NULL, NULL, NULL },
        { "CONNECT", "/", -400, NULL, NULL, NULL },
        { "CONNECT", "http://host:80/", -400, NULL, NULL, NULL },
        /* RFC 9112 s3.2.4 */
        { "OPTIONS", "*", HTTP_FORM_ASTERISK, "h:81", "", "" },
        { "OPTIONS", "http://host", HTTP_FORM_ASTERISK, "host", "/", "" },
        { "OPTIONS", "http://host/", HTTP_FORM_ABSOLUTE, "host", "/", "" },
        { "OPTIONS", "http://host?", HTTP_FORM_ABSOLUTE, "host", "/", "?" },
        { "OPTIONS", "**", -400, NULL, NULL, NULL },
        { "GET", "*", -400, NULL, NULL, NULL },
        { "options", "*", -400, NULL, NULL, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_target target;
        int got = parse(row[i].method, row[i].target, &target);
        if (got != (row[i].want < 0 ? row[i].want : 0))
            fail_msg("%s %s: %d", row[i].method, row[i].target, got);
        if (got < 0)
            continue;
        assert_int_equal(target.form, row[i].want);
        assert_slice(target.host, row[i].host);
        assert_slice(target.path, row[i].path);
        assert_slice(target.query, row[i].query);
    }
}

static void a_path_becomes_a_name_below_its_directory_or_is_refused(void **state)
{
    static const struct {
        const char *path;
        int want;
        const char *name;
        bool slash;
    } row[] = {
        { "/", 0, "", true },
        { "/a", 0, "a", false },
        { "/a/", 0, "a", true },
        { "/a/b.txt", 0, "a/b.txt", false },
        { "//a///b//", 0, "a/b", true },
        { "/.", 0, "", true },
        { "/./a/./b", 0, "a/b", false },
        { "/a/.", 0, "a", true },
        { "/a/b/../c", 0, "a/c", false },
        { "/a/..", 0, "", true },
        { "/a/b/..", 0, "a", true },
        { "/...", 0, "...", false },
        { "/.hidden", 0, ".hidden", false },
        { "/..a/b..", 0, "..a/b..", false },
        { "/..", -400, NULL, false },
        { "/../a", -400, NULL, false },
        { "/a/../../b", -400, NULL, false },
        { "/%2e%2e/a", -400, NULL, false },
        { "/%2E./a", -400, NULL, false },
        { "/a/%2e%2e/b", 0, "b", false },
        { "/a/%2e", 0, "a", true },
        /* decoded once */
        { "/%252e%252e/a", 0, "%2e%2e/a", false },
        { "/a%20b%C3%a4", 0, "a b\xc3\xa4", false },
        { "/%41%7e", 0, "A~", false },
        /* an encoded slash is part of a name that no file has */
        { "/..%2fa", -404, NULL, false },
        { "/a%2Fb", -404, NULL, false },
        { "/..\\..\\a", 0, "..\\..\\a", false },
        { "/..%5c..%5ca", 0, "..\\..\\a", false },
        { "/a%00", -400, NULL, false },
        { "/a%00.txt/..", -400, NULL, false },
        { "/%", -400, NULL, false },
        { "/%4", -400, NULL, false },
        { "/%4/", -400, NULL, false },
        { "/%gg", -400, NULL, false },
        { "/%-1", -400, NULL, false },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char name[64];
        bool slash;
        int got = http_decode_path(slice(row[i].path), name, sizeof name, &slash);
        if (got != row[i].want)
            fail_msg("%s: %d, want %d", row[i].path, got, row[i].want);
        if (got < 0)
            continue;
        assert_string_equal(name, row[i].name);
        if (slash != row[i].slash)
            fail_msg("%s: slash %d", row[i].path, slash);
    }
}

static void a_path_longer_than_the_room_is_too_long(void **state)
{
    char name[8];
    bool slash;

    assert_int_equal(http_decode_path(slice("/abc/def"), name, 8, &slash), 0);
    assert_string_equal(name, "abc/def");
    assert_int_equal(http_decode_path(slice("/abc/defg"), name, 8, &slash), -414);
    assert_int_equal(http_decode_path(slice("/abcdefg/h"), name, 8, &slash), -414);
    assert_int_equal(http_decode_path(slice("/abcdefgh"), name, 8, &slash), -414);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_has_its_forms),
        cmocka_unit_test(a_path_becomes_a_name_below_its_directory_or_is_refused),
        cmocka_unit_test(a_path_longer_than_the_room_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
