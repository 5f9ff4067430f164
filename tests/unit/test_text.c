/* Bounded strings. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_text_is_built_piece_by_piece(void **state)
{
    char buf[64];
    struct text t;
    (void)state;
    text_init(&t, buf, sizeof buf);
    assert_string_equal(buf, "");
    text_put(&t, "seq ");
    text_u64(&t, 0);
    text_char(&t, ':');
    text_i64(&t, -17);
    text_putn(&t, " abcdef", 4);
    assert_string_equal(buf, "seq 0:-17 abc");
    assert_int_equal(t.len, 13);
    assert_false(t.cut);
}

static void numbers_are_written_whole_and_filled(void **state)
{
    char buf[200];
    struct text t;
    (void)state;
    text_init(&t, buf, sizeof buf);
    text_u64(&t, UINT64_MAX);
    text_char(&t, ' ');
    text_i64(&t, INT64_MIN);
    text_char(&t, ' ');
    text_u64_width(&t, 42, 6);
    text_char(&t, ' ');
    text_u64_width(&t, 1234567, 6);
    text_char(&t, ' ');
    text_hex(&t, 0xbeef, 4);
    text_char(&t, ' ');
    text_hex(&t, 10, 2);
    text_char(&t, ' ');
    text_hex(&t, 0, 0);
    assert_string_equal(buf, "18446744073709551615 -9223372036854775808 000042 1234567 "
                             "beef 0a 0");
}

static void what_does_not_fit_is_cut_and_remembered(void **state)
{
    char buf[6];
    struct text t;
    (void)state;
    text_init(&t, buf, sizeof buf);
    text_put(&t, "12345");
    assert_false(t.cut);
    text_put(&t, "");
    assert_false(t.cut);
    text_char(&t, '6');
    assert_true(t.cut);
    assert_string_equal(buf, "12345");
}

static void nothing_follows_a_cut(void **state)
{
    char buf[6];
    struct text t;
    (void)state;
    text_init(&t, buf, sizeof buf);
    text_put(&t, "123");
    text_put(&t, "abcdef");
    assert_string_equal(buf, "123ab");
    text_init(&t, buf, 1);
    text_char(&t, 'x');
    assert_string_equal(buf, "");
    assert_true(t.cut);
}

static void only_whole_decimal_numbers_are_parsed(void **state)
{
    static const struct {
        const char *in;
        uint64_t max;
        bool ok;
        uint64_t want;
    } row[] = {
        { "0", 10, true, 0 },
        { "10", 10, true, 10 },
        { "11", 10, false, 0 },
        { "007", 10, true, 7 },
        { "5", 3, false, 0 },
        { "65535", 65535, true, 65535 },
        { "65536", 65535, false, 0 },
        { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },
        { "99999999999999999999999", UINT64_MAX, false, 0 },
        { "", 10, false, 0 },
        { "-1", 10, false, 0 },
        { "+1", 10, false, 0 },
        { " 1", 10, false, 0 },
        { "1 ", 10, false, 0 },
        { "1x", 10, false, 0 },
        { "0x1", 10, false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint64_t got = 0;
        assert_int_equal(text_parse_u64(row[i].in, row[i].max, &got), row[i].ok);
        assert_int_equal(got, row[i].want);
    }
}

static void a_hex_digit_has_a_value_in_either_case_and_nothing_else_has(void **state)
{
    static const struct {
        char c;
        int value;
    } row[] = { { '0', 0 },  { '9', 9 },  { 'a', 10 }, { 'f', 15 }, { 'A', 10 },
                { 'F', 15 }, { '/', -1 }, { ':', -1 }, { '@', -1 }, { 'G', -1 },
                { '`', -1 }, { 'g', -1 }, { 0, -1 } };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(text_hex_digit(row[i].c), row[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_built_piece_by_piece),
        cmocka_unit_test(numbers_are_written_whole_and_filled),
        cmocka_unit_test(what_does_not_fit_is_cut_and_remembered),
        cmocka_unit_test(nothing_follows_a_cut),
        cmocka_unit_test(only_whole_decimal_numbers_are_parsed),
        cmocka_unit_test(a_hex_digit_has_a_value_in_either_case_and_nothing_else_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
