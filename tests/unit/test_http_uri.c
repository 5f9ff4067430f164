/* RFC 9112 s3.2, RFC 3986: from a target to a name that cannot leave its directory. */
#include "http/http_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "harness/guarded.h"

static void assert_slice(struct http_slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("got '%.*s', want '%s'", (int)s.len, s.at, want);
}

static struct http_slice slice(const char *s)
{
    return (struct http_slice){ guarded(s, strlen(s)), strlen(s) };
}

static void a_target_is_a_path_and_a_query_or_bad(void **state)
{
    static const struct {
        const char *target;
        int want;
        const char *path, *query;
    } row[] = {
        { "/", 0, "/", "" },
        { "/a/b?c=d?e", 0, "/a/b", "?c=d?e" },
        { "/?", 0, "/", "?" },
        { "http://host/a?b", 0, "/a", "?b" },
        { "HTTP://host:80/a", 0, "/a", "" },
        { "http://host", 0, "/", "" },
        { "http://host?q", 0, "/", "?q" },
        { "http:///a", -400, NULL, NULL },
        { "https://host/a", -400, NULL, NULL },
        { "*", -400, NULL, NULL },
        { "host:80", -400, NULL, NULL },
        { "a/b", -400, NULL, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_slice path, query;
        assert_int_equal(http_split_target(slice(row[i].target), &path, &query),
                         row[i].want);
        if (row[i].want < 0)
            continue;
        assert_slice(path, row[i].path);
        assert_slice(query, row[i].query);
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

static void names_are_encoded_so_that_they_cannot_add_a_line_or_a_host(void **state)
{
    char buf[128];
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_encode_path(&t, "a b/c\r\nd%?#\xc3\xa4<\"-._~");
    assert_string_equal(buf, "a%20b/c%0D%0Ad%25%3F%23%C3%A4%3C%22-._~");
    text_init(&t, buf, sizeof buf);
    http_encode_target(&t, slice_of("/a%20b?c=\xc3\xa4&d|e"));
    assert_string_equal(buf, "/a%20b?c=%C3%A4&d%7Ce");
}

static void a_url_is_host_port_and_target(void **state)
{
    static const struct {
        const char *url;
        int want;
        const char *host;
        uint16_t port;
        const char *target;
    } row[] = {
        { "http://192.0.2.1/", 0, "192.0.2.1", 80, "/" },
        { "http://Example.COM:8080/a?b#c", 0, "example.com", 8080, "/a?b" },
        { "HTTP://a", 0, "a", 80, "" },
        { "http://a?q", 0, "a", 80, "?q" },
        { "http://a#f", 0, "a", 80, "" },
        { "http://a:", 0, "a", 80, "" },
        { "http://a:65535/", 0, "a", 65535, "/" },
        { "a:81/b", 0, "a", 81, "/b" },
        { "a/b://c", 0, "a", 80, "/b://c" },
        { "http://[::1]:8080/x", 0, "::1", 8080, "/x" },
        { "http://[::1]", 0, "::1", 80, "" },
        { "https://a/", -EPROTONOSUPPORT, NULL, 0, NULL },
        { "ftp://a/", -EPROTONOSUPPORT, NULL, 0, NULL },
        { "http://u:p@a/", -ENOTSUP, NULL, 0, NULL },
        { "http://", -EINVAL, NULL, 0, NULL },
        { "", -EINVAL, NULL, 0, NULL },
        { "http:///a", -EINVAL, NULL, 0, NULL },
        { "http://:80/", -EINVAL, NULL, 0, NULL },
        { "http://a:65536/", -EINVAL, NULL, 0, NULL },
        { "http://a:-1/", -EINVAL, NULL, 0, NULL },
        { "http://a:8x/", -EINVAL, NULL, 0, NULL },
        { "http://a b/", -EINVAL, NULL, 0, NULL },
        { "http://a/b c", -EINVAL, NULL, 0, NULL },
        { "http://a/\r\nX: y", -EINVAL, NULL, 0, NULL },
        { "http://a%20b/", -EINVAL, NULL, 0, NULL },
        { "http://[::1/", -EINVAL, NULL, 0, NULL },
        { "http://[::1]x/", -EINVAL, NULL, 0, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_url url;
        const char *why = NULL;
        int got = http_parse_url(row[i].url, &url, &why);
        if (got != row[i].want)
            fail_msg("%s: %d, want %d", row[i].url, got, row[i].want);
        if (got < 0) {
            assert_non_null(why);
            continue;
        }
        assert_string_equal(url.host, row[i].host);
        assert_int_equal(url.port, row[i].port);
        assert_slice(url.target, row[i].target);
    }
}

static void a_host_name_beyond_253_characters_is_refused(void **state)
{
    char s[300] = "http://";
    struct http_url url;
    const char *why;

    memset(s + 7, 'a', 253);
    assert_int_equal(http_parse_url(s, &url, &why), 0);
    s[7 + 253] = 'a';
    assert_int_equal(http_parse_url(s, &url, &why), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_a_path_and_a_query_or_bad),
        cmocka_unit_test(a_path_becomes_a_name_below_its_directory_or_is_refused),
        cmocka_unit_test(a_path_longer_than_the_room_is_too_long),
        cmocka_unit_test(names_are_encoded_so_that_they_cannot_add_a_line_or_a_host),
        cmocka_unit_test(a_url_is_host_port_and_target),
        cmocka_unit_test(a_host_name_beyond_253_characters_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
