/* URLs as users type them. */
#include "http/http_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

static void assert_slice(struct http_slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("got '%.*s', want '%s'", (int)s.len, s.at, want);
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
        { "http://Example.COM:8080/a?b#c", 0, "Example.COM", 8080, "/a?b" },
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
        { "http://", -EINVAL, NULL, 0, NULL },
        { "", -EINVAL, NULL, 0, NULL },
        { "http:/a/b", 0, "a", 80, "/b" },
        { "http:///a/b", 0, "a", 80, "/b" },
        { "http:////a/b", -EINVAL, NULL, 0, NULL },
        { "http:81/b", 0, "http", 81, "/b" },
        { "http://%65x.%43om/", 0, "ex.Com", 80, "/" },
        { "http://a%/", -EINVAL, NULL, 0, NULL },
        { "http://a%00/", -EINVAL, NULL, 0, NULL },
        { "http://a%2fb/", -EINVAL, NULL, 0, NULL },
        { "http://127.1/", 0, "127.0.0.1", 80, "/" },
        { "http://0x7f.1/", 0, "127.0.0.1", 80, "/" },
        { "http://0177.0.0.1/", 0, "127.0.0.1", 80, "/" },
        { "http://2130706433/", 0, "127.0.0.1", 80, "/" },
        { "http://0/", 0, "0.0.0.0", 80, "/" },
        { "http://4294967295", 0, "255.255.255.255", 80, "" },
        { "http://4294967296", 0, "4294967296", 80, "" }, /* a name */
        { "http://1.2.3.256", 0, "1.2.3.256", 80, "" },
        { "http://1.2.3.4.5", 0, "1.2.3.4.5", 80, "" },
        { "http://1.2.3.", 0, "1.2.3.", 80, "" },
        { "http://08.1", 0, "08.1", 80, "" },
        { "http://0x/", 0, "0x", 80, "/" },
        { "http://256.1", 0, "256.1", 80, "" },
        { "http://u:p@a:81/b", 0, "a", 81, "/b" },
        { "http://u@[::1]:81/b@c", 0, "::1", 81, "/b@c" },
        { "http://@a/", 0, "a", 80, "/" },
        { "http://u@", -EINVAL, NULL, 0, NULL },
        { "http://[::g]/", -EINVAL, NULL, 0, NULL },
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

static void the_last_at_ends_the_user(void **state)
{
    static const struct {
        const char *url, *user, *password; /* NULL: there is none */
    } row[] = {
        { "http://a/", NULL, NULL },
        { "http://u@a/", "u", NULL },
        { "http://u:p@a/", "u", "p" },
        { "http://u:p:q@a/", "u", "p:q" },
        { "http://u:@a/", "u", "" },
        { "http://:p@a/", "", "p" },
        { "http://u%40x:p@q@a/", "u%40x", "p@q" },
        { "http://@a", NULL, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_url url;
        const char *why;
        assert_int_equal(http_parse_url(row[i].url, &url, &why), 0);
        assert_string_equal(url.host, "a");
        assert_int_equal(url.user.at != NULL, row[i].user != NULL);
        assert_int_equal(url.password.at != NULL, row[i].password != NULL);
        if (row[i].user)
            assert_slice(url.user, row[i].user);
        if (row[i].password)
            assert_slice(url.password, row[i].password);
    }
}

/* RFC 9110 s4.3.1 */
static void an_origin_is_host_and_port(void **state)
{
    static const struct {
        const char *url;
        bool same;
    } row[] = {
        { "http://EXAMPLE.com:80/x", true },  { "http://u@example.com", true },
        { "http://example.com:81/", false },  { "http://example.com./", false },
        { "http://www.example.com/", false },
    };
    struct http_url base, url;
    const char *why;

    assert_int_equal(http_parse_url("http://example.com/", &base, &why), 0);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(http_parse_url(row[i].url, &url, &why), 0);
        assert_int_equal(http_same_origin(&base, &url), row[i].same);
    }
}

/* What a Location is resolved against, and -w's url_effective. */
static void a_url_is_written_in_full(void **state)
{
    static const struct {
        const char *url, *want;
    } row[] = {
        { "a", "http://a/" },
        { "http://A/b?c#d", "http://A/b?c#d" },
        { "http:/u:p@a?c", "http://u:p@a/?c" },
        { "a#d", "http://a/#d" },
        { "[::1]:81/", "http://[::1]:81/" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_url url;
        const char *why;
        char buf[64];
        struct text t;
        assert_int_equal(http_parse_url(row[i].url, &url, &why), 0);
        text_init(&t, buf, sizeof buf);
        http_write_url(&t, &url);
        assert_string_equal(buf, row[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_written_in_full),
        cmocka_unit_test(a_url_is_host_port_and_target),
        cmocka_unit_test(a_host_name_beyond_253_characters_is_refused),
        cmocka_unit_test(the_last_at_ends_the_user),
        cmocka_unit_test(an_origin_is_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
