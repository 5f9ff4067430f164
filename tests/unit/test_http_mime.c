#include "http/http_mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_last_extension_decides_without_regard_to_case(void **state)
{
    static const struct {
        const char *name, *type;
    } row[] = {
        { "index.html", "text/html; charset=utf-8" },
        { "A.HTM", "text/html; charset=utf-8" },
        { "dir.html/style.css", "text/css; charset=utf-8" },
        { "app.js", "text/javascript; charset=utf-8" },
        { "a.json", "application/json" },
        { "a.txt", "text/plain; charset=utf-8" },
        { "a.png", "image/png" },
        { "a.JPG", "image/jpeg" },
        { "a.svg", "image/svg+xml" },
        { "a.tar.gz", "application/gzip" },
        { "a.html.bin", "application/octet-stream" },
        { "a.", "application/octet-stream" },
        { "html", "application/octet-stream" },
        { ".html", "application/octet-stream" }, /* a hidden file, no extension */
        { "dir.html/a", "application/octet-stream" },
        { "", "application/octet-stream" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_string_equal(http_mime(row[i].name), row[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_extension_decides_without_regard_to_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
