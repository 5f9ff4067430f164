/* RFC 9110 s8.8.3 */
#include "http/http_etag.h"

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

/* The list as it was read: each tag and a blank; '!' when something is left that is no
 * tag. */
static const char *read_list(const char *s)
{
    static char seen[200];
    struct http_slice rest = slice(s), tag;

    seen[0] = '\0';
    while (http_next_etag(&rest, &tag)) {
        strncat(seen, tag.at, tag.len);
        strcat(seen, " ");
    }
    if (rest.len > 0)
        strcat(seen, "!");
    return seen;
}

static void a_list_of_tags_is_cut_between_them(void **state)
{
    static const struct {
        const char *list, *want;
    } row[] = {
        { "\"a\"", "\"a\" " },
        { "\"a\",\"b\"", "\"a\" \"b\" " },
        { "\"a\" ,\t W/\"b\" ", "\"a\" W/\"b\" " },
        { ", \"a\",,\"b\",", "\"a\" \"b\" " },
        { "\"a,b\", \"\"", "\"a,b\" \"\" " },
        { "\"a\\\",\"b\"", "\"a\\\" \"b\" " }, /* no escapes in a tag */
        { "", "" },
        { "a", "!" },
        { "*", "!" },
        { "\"a", "!" },
        { "W/", "!" },
        { "w/\"a\"", "!" },
        { "W/a", "!" },
        { "\"a\" \"b\"", "!" },
        { "\"a b\"", "!" },
        { "\"a\", b", "\"a\" !" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_string_equal(read_list(row[i].list), row[i].want);
}

/* RFC 9110 s8.8.3.2, its table */
static void tags_are_compared_in_two_ways(void **state)
{
    static const struct {
        const char *a, *b;
        bool strongly, weakly;
    } row[] = {
        { "W/\"1\"", "W/\"1\"", false, true },
        { "W/\"1\"", "W/\"2\"", false, false },
        { "W/\"1\"", "\"1\"", false, true },
        { "\"1\"", "\"1\"", true, true },
        { "\"1\"", "\"1 \"", false, false },
        { "\"a\"", "\"A\"", false, false },
        { "", "", false, false },
        { "\"1\"", "", false, false },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_slice a = slice_of(row[i].a), b = slice_of(row[i].b);
        assert_int_equal(http_etags_match_strongly(a, b), row[i].strongly);
        assert_int_equal(http_etags_match_strongly(b, a), row[i].strongly);
        assert_int_equal(http_etags_match_weakly(a, b), row[i].weakly);
        assert_int_equal(http_etags_match_weakly(b, a), row[i].weakly);
    }
}

static void the_tag_of_a_file_is_a_strong_one_and_fits(void **state)
{
    char buf[56];
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_write_etag(&t, 18, 255, 4096);
    assert_string_equal(buf, "\"12-ff-1000\"");
    assert_true(http_etag_is_valid(slice_of(buf)));
    text_init(&t, buf, sizeof buf);
    http_write_etag(&t, UINT64_MAX, UINT64_MAX, -1);
    assert_false(t.cut);
    assert_true(http_etag_is_valid(slice_of(buf)));
    assert_false(http_etag_is_valid(slice_of("\"a\"x")));
    assert_false(http_etag_is_valid(slice_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_tags_is_cut_between_them),
        cmocka_unit_test(tags_are_compared_in_two_ways),
        cmocka_unit_test(the_tag_of_a_file_is_a_strong_one_and_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
