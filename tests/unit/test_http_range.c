/* RFC 9110 s14: byte ranges. */
#include "http/http_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "harness/guarded.h"

static struct http_slice slice(const char *s)
{
    return (struct http_slice){ guarded(s, strlen(s)), strlen(s) };
}

/* "0+5 9+1", or the number that is no count of ranges. */
static const char *ranges(const char *value, uint64_t size)
{
    static char seen[400];
    struct http_range range[16];
    int n = http_parse_ranges(slice(value), size, range);
    size_t len = 0;

    if (n <= 0) {
        snprintf(seen, sizeof seen, "%d", n);
        return seen;
    }
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(seen + len, sizeof seen - len, "%s%llu+%llu",
                                i ? " " : "", (unsigned long long)range[i].from,
                                (unsigned long long)range[i].len);
    return seen;
}

static void ranges_are_cut_to_the_file_or_refused(void **state)
{
    static const struct {
        const char *value;
        uint64_t size;
        const char *want;
    } row[] = {
        { "bytes=0-4", 10, "0+5" },
        { "bytes=0-0", 10, "0+1" },
        { "Bytes=9-9", 10, "9+1" },
        { "bytes=0-9", 10, "0+10" },
        { "bytes=0-99", 10, "0+10" },
        { "bytes=5-", 10, "5+5" },
        { "bytes=0-", 10, "0+10" },
        { "bytes=-3", 10, "7+3" },
        { "bytes=-10", 10, "0+10" },
        { "bytes=-99", 10, "0+10" },
        { "bytes= 1-2 , 4-5 ", 10, "1+2 4+2" },
        { "bytes=4-5,,1-2,", 10, "4+2 1+2" },
        { "bytes=-1,0-0", 10, "9+1 0+1" },
        { "bytes=0-1,20-30", 10, "0+2" },
        /* none lies in the file */
        { "bytes=10-", 10, "-416" },
        { "bytes=10-20,30-40", 10, "-416" },
        { "bytes=-0", 10, "-416" },
        { "bytes=0-0", 0, "-416" },
        { "bytes=0-", 0, "-416" },
        { "bytes=-5", 0, "0" },
        /* ignored */
        { "", 10, "0" },
        { "bytes", 10, "0" },
        { "bytes=", 10, "0" },
        { "bytes=,", 10, "0" },
        { "bytes=-", 10, "0" },
        { "bytes=5-4", 10, "0" },
        { "bytes=a-b", 10, "0" },
        { "bytes=1-2x", 10, "0" },
        { "bytes=1", 10, "0" },
        { "bytes=1--2", 10, "0" },
        { "bytes=--2", 10, "0" },
        { "bytes=+1-2", 10, "0" },
        { "bytes=1 - 2", 10, "0" },
        { "bytes=0-1,x", 10, "0" },
        { "bytes =0-1", 10, "0" },
        { "lines=0-1", 10, "0" },
        /* nothing wraps */
        { "bytes=0-18446744073709551615", 10, "0+10" },
        { "bytes=0-18446744073709551616", 10, "0+10" },
        { "bytes=18446744073709551615-", 10, "-416" },
        { "bytes=18446744073709551616-18446744073709551617", 10, "-416" },
        { "bytes=-18446744073709551616", 10, "0+10" },
        { "bytes=99999999999999999999999-0", 10, "0" },
        { "bytes=0-", UINT64_MAX, "0+18446744073709551615" },
        { "bytes=1-,0-0", UINT64_MAX, "1+18446744073709551614 0+1" },
        /* bombs */
        { "bytes=0-4,2-6", 10, "0+5 2+5" },
        { "bytes=0-4,2-6,3-7", 10, "0" },
        { "bytes=0-,0-,0-", 10, "0" },
        { "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,"
          "14-14,15-15",
          99, "0+1 1+1 2+1 3+1 4+1 5+1 6+1 7+1 8+1 9+1 10+1 11+1 12+1 13+1 14+1 15+1" },
        { "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,"
          "14-14,15-15,16-16",
          99, "0" },
        { "bytes=99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-,99-",
          10, "0" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (strcmp(ranges(row[i].value, row[i].size), row[i].want) != 0)
            fail_msg("%s: %s, want %s", row[i].value, ranges(row[i].value, row[i].size),
                     row[i].want);
}

static void a_part_of_a_file_says_which(void **state)
{
    char buf[100];
    struct text t;

    text_init(&t, buf, sizeof buf);
    http_write_content_range(&t, &(struct http_range){ 7, 3 }, 10);
    http_write_content_range(&t, NULL, 10);
    assert_string_equal(buf, "Content-Range: bytes 7-9/10\r\n"
                             "Content-Range: bytes */10\r\n");
}

/* RFC 9110 s14.6 */
static void several_parts_have_a_boundary_and_a_length(void **state)
{
    static const struct http_range range[] = { { 0, 1 }, { 8, 2 } };
    static const struct http_parts parts = { "tapir-00000000000000ff", "text/plain", 10,
                                             2, range };
    char buf[400], boundary[32];
    struct text t;

    text_init(&t, boundary, sizeof boundary);
    http_write_boundary(&t, 255);
    assert_string_equal(boundary, "tapir-00000000000000ff");
    text_init(&t, buf, sizeof buf);
    http_write_part(&t, &parts, 0);
    text_put(&t, "a");
    http_write_part(&t, &parts, 1);
    text_put(&t, "ij");
    http_write_parts_end(&t, &parts);
    assert_string_equal(buf, "--tapir-00000000000000ff\r\n"
                             "Content-Type: text/plain\r\n"
                             "Content-Range: bytes 0-0/10\r\n"
                             "\r\n"
                             "a\r\n"
                             "--tapir-00000000000000ff\r\n"
                             "Content-Type: text/plain\r\n"
                             "Content-Range: bytes 8-9/10\r\n"
                             "\r\n"
                             "ij\r\n"
                             "--tapir-00000000000000ff--\r\n");
    assert_true(http_parts_length(&parts) == strlen(buf));
}

static void what_a_206_says_is_read_or_refused(void **state)
{
    static const struct {
        const char *value;
        bool ok;
        uint64_t from, to, size;
    } row[] = {
        { "bytes 0-4/10", true, 0, 4, 10 },
        { "Bytes  5-9/10", true, 5, 9, 10 },
        { "bytes 5-9/*", true, 5, 9, UINT64_MAX },
        { "bytes 0-18446744073709551613/18446744073709551614", true, 0,
          18446744073709551613u, 18446744073709551614u },
        { "bytes */10", false, 0, 0, 0 },
        { "bytes 5-4/10", false, 0, 0, 0 },
        { "bytes 5-10/10", false, 0, 0, 0 },
        { "bytes 5-9", false, 0, 0, 0 },
        { "bytes 5-9/", false, 0, 0, 0 },
        { "bytes 5-/10", false, 0, 0, 0 },
        { "bytes 5-9/10x", false, 0, 0, 0 },
        { "bytes=5-9/10", false, 0, 0, 0 },
        { "bytes", false, 0, 0, 0 },
        { "lines 5-9/10", false, 0, 0, 0 },
        { "", false, 0, 0, 0 },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct http_content_range got;
        if (http_parse_content_range(slice(row[i].value), &got) != row[i].ok)
            fail_msg("%s", row[i].value);
        if (!row[i].ok)
            continue;
        assert_true(got.from == row[i].from && got.to == row[i].to);
        assert_true(got.size == row[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_cut_to_the_file_or_refused),
        cmocka_unit_test(a_part_of_a_file_says_which),
        cmocka_unit_test(several_parts_have_a_boundary_and_a_length),
        cmocka_unit_test(what_a_206_says_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
