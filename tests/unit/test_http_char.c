#include "http/http_char.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* Those of the class are `visible`, and the octets in [from, to]; no others. */
static void assert_class(unsigned class, const char *visible, int from, int to)
{
    for (int c = 0; c < 256; c++) {
        bool within = (c >= from && c <= to) || (c && strchr(visible, c));
        assert_int_equal(char_is((char)c, class), within);
    }
}

/* RFC 9110 s5.6.2 */
static void a_token_is_of_letters_digits_and_fifteen_others(void **state)
{
    assert_class(CHAR_TOKEN, LETTERS DIGITS "!#$%&'*+-.^_`|~", -1, -1);
}

/* RFC 9110 s5.5 */
static void a_value_has_all_but_the_controls_and_of_them_the_tab(void **state)
{
    assert_class(CHAR_VALUE, LETTERS DIGITS " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\t",
                 0x80, 0xff);
}

static void the_controls_are_thirty_three(void **state)
{
    assert_class(CHAR_CONTROL, "\x7f", 0, 0x1f);
}

/* RFC 3986 s2.3 */
static void an_unreserved_character_is_a_letter_a_digit_or_one_of_four(void **state)
{
    assert_class(CHAR_UNRESERVED, LETTERS DIGITS "-._~", -1, -1);
}

/* RFC 3986 s3.2.2, but for the percent sign, which is not itself, and the comma */
static void a_registered_name_has_the_delimiters_but_the_comma_too(void **state)
{
    assert_class(CHAR_REG_NAME, LETTERS DIGITS "-._~!$&'()*+;=", -1, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_of_letters_digits_and_fifteen_others),
        cmocka_unit_test(a_value_has_all_but_the_controls_and_of_them_the_tab),
        cmocka_unit_test(the_controls_are_thirty_three),
        cmocka_unit_test(an_unreserved_character_is_a_letter_a_digit_or_one_of_four),
        cmocka_unit_test(a_registered_name_has_the_delimiters_but_the_comma_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
