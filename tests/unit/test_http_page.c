/* Pages whose length nobody knows before. */
#include "app/http_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/memory.h"

static void write_letters(void *ctx, struct text *t)
{
    for (size_t i = 0; i < *(size_t *)ctx && !t->cut; i++)
        text_char(t, 'a');
}

static int make(size_t n)
{
    char *page;
    size_t len;
    int err = http_page_new(write_letters, &n, &page, &len);

    if (err < 0)
        return err;
    assert_int_equal(len, n);
    assert_int_equal(strspn(page, "a"), n);
    free(page);
    return 0;
}

static void a_page_grows_until_it_fits(void **state)
{
    assert_int_equal(make(0), 0);
    assert_int_equal(make(32767), 0);
    assert_int_equal(make(32768), 0);
    assert_int_equal(make(1000000), 0);
}

static void a_page_beyond_eight_mebibytes_is_none(void **state)
{
    assert_int_equal(make(8388607), 0);
    assert_int_equal(make(8388608), -EFBIG);
}

static void without_memory_there_is_no_page(void **state)
{
    memory_ends_after(1);
    assert_int_equal(make(32768), -ENOMEM);
    memory_back();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_grows_until_it_fits),
        cmocka_unit_test(a_page_beyond_eight_mebibytes_is_none),
        cmocka_unit_test(without_memory_there_is_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
