/* RFC 3986: URIs as text. */
#include "http/http_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/guarded.h"

static struct http_slice slice(const char *s)
{
    return (struct http_slice){ guarded(s, strlen(s)), strlen(s) };
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
    assert_string_equal(buf, "/a%20b?c=%C3%A4&d|e");
}

static void a_path_loses_its_dot_segments(void **state)
{
    static const struct {
        const char *path, *want;
    } row[] = {
        { "/a/b/c/./../../g", "/a/g" }, /* RFC 3986 s5.2.4 */
        { "/", "/" },
        { "/.", "/" },
        { "/..", "/" },
        { "/../../a", "/a" },
        { "/a/..", "/" },
        { "/a/b/..", "/a/" },
        { "/a/./", "/a/" },
        { "/a//../b", "/a/b" },
        { "//a/../b", "//b" },
        { "/...", "/..." },
        { "/%2e%2E/a/%2e", "/a/" },
        { "/.%2e/a", "/a" },
        { "/%2e%2e%2e", "/%2e%2e%2e" },
        { "/a b/\xc3\xa4", "/a%20b/%C3%A4" },
        { "../a", "../a" }, /* no path of a URL with a host */
        { "", "" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char buf[64] = "x";
        struct text t;
        text_init(&t, buf, sizeof buf);
        text_put(&t, "x");
        http_write_path(&t, slice(row[i].path));
        assert_int_equal(buf[0], 'x');
        assert_string_equal(buf + 1, row[i].want);
    }
}

/* RFC 3986 s5.4.1 and s5.4.2, and what servers send. */
static void a_reference_is_resolved_against_its_base(void **state)
{
    static const struct {
        const char *reference, *want;
    } row[] = {
        { "g:h", "g:h" },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g/" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q#s" },
        { "g#s", "http://a/b/c/g#s" },
        { "g?y#s", "http://a/b/c/g?y#s" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y#s" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/./x", "http://a/b/c/g#s/./x" },
        { "g#s/../x", "http://a/b/c/g#s/../x" },
        { "http:g", "http:g" },
        { "http://h:81/x/../y?z", "http://h:81/y?z" },
        { "a b?\xc3\xa4", "http://a/b/c/a%20b?%C3%A4" },
        { "?", "http://a/b/c/d;p?" },
        { "1:2", "http://a/b/c/1:2" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char buf[64];
        struct text t;
        text_init(&t, buf, sizeof buf);
        http_resolve(&t, slice_of("http://a/b/c/d;p?q"), slice(row[i].reference));
        if (strcmp(buf, row[i].want) != 0)
            fail_msg("'%s': %s, want %s", row[i].reference, buf, row[i].want);
    }
}

static void a_base_without_path_has_a_root(void **state)
{
    char buf[64];
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_resolve(&t, slice_of("http://a"), slice("g"));
    assert_string_equal(buf, "http://a/g");
    text_init(&t, buf, sizeof buf);
    http_resolve(&t, slice_of("http://a?q"), slice(""));
    assert_string_equal(buf, "http://a?q");
    text_init(&t, buf, 10);
    http_resolve(&t, slice_of("http://a"), slice("../../../gggggggg/.."));
    assert_true(t.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_encoded_so_that_they_cannot_add_a_line_or_a_host),
        cmocka_unit_test(a_path_loses_its_dot_segments),
        cmocka_unit_test(a_reference_is_resolved_against_its_base),
        cmocka_unit_test(a_base_without_path_has_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
