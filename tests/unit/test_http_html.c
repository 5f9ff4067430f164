/* The listing of a directory, and text in HTML. */
#include "http/http_html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static char buf[2000];
static struct text t;

static void a_name_is_text_wherever_it_stands(void **state)
{
    text_init(&t, buf, sizeof buf);
    http_write_escaped(&t, "a<b>&\"c\"'d'");
    assert_string_equal(buf, "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;");
}

static void a_listing_has_a_row_for_each_entry(void **state)
{
    text_init(&t, buf, sizeof buf);
    http_listing_begin(&t, "a<b");
    http_listing_row(&t, &(struct http_listed){ "x\"<y", false, 123, 784111777 });
    http_listing_row(&t, &(struct http_listed){ "c:d", true, 4096, 784111777 });
    http_listing_end(&t);
    assert_false(t.cut);
    assert_non_null(strstr(buf, "<h1>/a&lt;b</h1>"));
    assert_non_null(strstr(buf, "<link rel=\"icon\" href=\"data:,\">"));
    assert_non_null(strstr(buf, "<a href=\"../\">../</a>"));
    assert_non_null(strstr(buf, "<tr><td><a href=\"x%22%3Cy\">x&quot;&lt;y</a></td>"
                                "<td>123</td><td>1994-11-06 08:49:37</td></tr>\n"));
    assert_non_null(strstr(buf, "<tr><td><a href=\"c%3Ad/\">c:d/</a></td>"
                                "<td></td><td>1994-11-06 08:49:37</td></tr>\n"));
}

static void the_root_has_no_parent(void **state)
{
    text_init(&t, buf, sizeof buf);
    http_listing_begin(&t, "");
    http_listing_end(&t);
    assert_null(strstr(buf, "../"));
    assert_non_null(strstr(buf, "<title>/</title>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_text_wherever_it_stands),
        cmocka_unit_test(a_listing_has_a_row_for_each_entry),
        cmocka_unit_test(the_root_has_no_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
