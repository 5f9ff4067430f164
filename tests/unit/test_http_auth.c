/* RFC 7617, and RFC 4648 s10 for the vectors of base64. */
#include "http/http_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/guarded.h"

static char buf[200];

static const char *basic(const char *user, const char *password, bool encoded)
{
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_write_basic(&t, slice_of(user), slice_of(password), encoded);
    return buf;
}

static void name_and_password_become_base64(void **state)
{
    /* RFC 7617 s2 */
    assert_string_equal(basic("Aladdin", "open sesame", false),
                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_string_equal(basic("", "", false), "Basic Og==");
    assert_string_equal(basic("a", "", false), "Basic YTo=");
    assert_string_equal(basic("a", "b", false), "Basic YTpi");
    assert_string_equal(basic("\xff\xfe", "\xfd", false), "Basic //46/Q==");
}

static void those_of_a_url_are_decoded_first(void **state)
{
    assert_string_equal(basic("Al%61ddin", "open%20sesame", true),
                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_string_equal(basic("%", "%6", true), "Basic JTolNg==");
    assert_string_equal(basic("%41", "", false), "Basic JTQxOg==");
}

static void credentials_are_read_back_or_refused(void **state)
{
    static const struct {
        const char *value;
        const char *user, *password; /* NULL: refused */
    } row[] = {
        { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" },
        { "bASIC   YTpi", "a", "b" },
        { "Basic YTpiOmM=", "a", "b:c" },
        { "Basic Og==", "", "" },
        { "Basic YTo", NULL, NULL },  /* no padding */
        { "Basic YTp=", NULL, NULL }, /* bits behind the end */
        { "Basic YQ==", NULL, NULL }, /* no colon */
        { "Basic YToKYg==", NULL, NULL },
        { "Basic YT*i", NULL, NULL },
        { "Basic Y===", NULL, NULL },
        { "Basic ", NULL, NULL },
        { "Basic", NULL, NULL },
        { "Bearer YTpi", NULL, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t len = strlen(row[i].value);
        struct http_slice value = { guarded(row[i].value, len), len };
        struct http_slice user, password;
        bool ok = http_parse_basic(value, buf, sizeof buf, &user, &password);
        if (ok != (row[i].user != NULL))
            fail_msg("%s: %d", row[i].value, ok);
        if (!ok)
            continue;
        assert_true(slice_is(user, row[i].user));
        assert_true(slice_is(password, row[i].password));
    }
}

static void credentials_that_do_not_fit_are_refused(void **state)
{
    struct http_slice user, password;

    assert_true(http_parse_basic(slice_of("Basic YTpi"), buf, 3, &user, &password));
    assert_false(http_parse_basic(slice_of("Basic YTpi"), buf, 2, &user, &password));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_password_become_base64),
        cmocka_unit_test(those_of_a_url_are_decoded_first),
        cmocka_unit_test(credentials_are_read_back_or_refused),
        cmocka_unit_test(credentials_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
