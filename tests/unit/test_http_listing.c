/* The page of a directory: harness/site.h has the directory. */
#include "app/http_listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/site.h"

static struct http_files files;

static int up(void **state)
{
    return http_files_open(&files, site_up());
}

static int down(void **state)
{
    http_files_close(&files);
    site_down();
    return 0;
}

static char *page;
static size_t len;

/* Every way in is listed, sorted; what is not served (a FIFO, links that lead out) is
 * not. */
static void a_listing_has_what_is_served(void **state)
{
    static const char *const names[] = {
        ">a b.txt<",      ">a.txt<", ">bare/<",      ">big.bin<",
        ">empty.txt<",    ">in<",    ">index.html<", ">page.html<",
        ">page.html.gz<", ">sub/<",  ">sub dir/<",
    };
    static const char *const missing[] = {
        "fifo", "out", "abs", "up", "secret", "../"
    };

    assert_int_equal(http_listing_new(&files, "", &page, &len), 0);
    assert_int_equal(len, strlen(page));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strstr(page, names[i]))
            fail_msg("%s is missing", names[i]);
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strstr(page, missing[i]))
            fail_msg("%s is there", missing[i]);
    assert_true(strstr(page, ">a.txt<") < strstr(page, ">bare/<"));
    assert_non_null(strstr(page, ">100000</td><td>1994-11-06 08:49:37</td>"));
    free(page);
}

static void a_listing_knows_its_parent(void **state)
{
    assert_int_equal(http_listing_new(&files, "sub", &page, &len), 0);
    assert_non_null(strstr(page, "<a href=\"../\">"));
    assert_non_null(strstr(page, ">c.txt<"));
    free(page);
}

static void what_is_no_directory_below_is_not_listed(void **state)
{
    assert_int_equal(http_listing_new(&files, "none", &page, &len), -ENOENT);
    assert_int_equal(http_listing_new(&files, "a.txt", &page, &len), -ENOTDIR);
    assert_int_equal(http_listing_new(&files, "up", &page, &len), -EACCES);
}

#define WITH_SITE(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SITE(a_listing_has_what_is_served),
        WITH_SITE(a_listing_knows_its_parent),
        WITH_SITE(what_is_no_directory_below_is_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
