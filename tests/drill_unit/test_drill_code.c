/* %{ code }%: the part of Python that scripts use. */
#include "../../tools/drill/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/drill/info.h"

static struct arena arena;
static char why[200];

static int free_arena(void **state)
{
    arena_free(&arena);
    return 0;
}

/* A connection with tcpi_state 1, tcpi_rto 200000, tcpi_snd_cwnd 10 and
 * tcpi_rcv_wscale 7. */
static uint8_t *connection(void)
{
    static uint8_t info[280];
    uint32_t rto = 200000, cwnd = 10;
    info[0] = 1;
    info[6] = 0x72;
    memcpy(info + 8, &rto, 4);
    memcpy(info + 80, &cwnd, 4);
    return info;
}

static bool run(struct code *c, const char *text)
{
    why[0] = '\0';
    return code_run(c, text, why, sizeof why);
}

static bool holds(const char *text)
{
    struct code c = {
        .arena = &arena, .has_info = true, .info = connection(), .info_len = 232
    };
    return run(&c, text);
}

static void what_is_true_holds(void **state)
{
    static const char *const row[] = {
        "assert 1",
        "assert 1 + 2 * 3 == 7",
        "assert (1 + 2) * 3 == 9",
        "assert 7 / 2 == 3.5 and 7 // 2 == 3 and -7 // 2 == -4 and -7 % 3 == 2",
        "assert 1 << 4 | 1 == 17",
        "assert -1 << 4 == -16 and -9 >> 1 == -5 and 3 << 62 == 3 * (1 << 62)",
        "assert 6 & 3 == 2",
        "assert not 0 and not (1 > 2)",
        "assert 0 or 1",
        "assert 1 <= 2 < 3 != 4",
        "assert not 1 < 2 < 2",
        "assert 0x20 == 32",
        "assert ~0 == -1",
        "assert 'a' + \"b\" == 'ab'",
        "assert 'x=%d of %s' % (3, 'y') == 'x=3 of y'",
        "assert abs(-3) == 3 and min(3, 1, 2) == 1 and max(1, 2) == 2",
        "assert int(2.7) == 2 and str(5) == '5'",
        "x = 3; x += 2; x -= 1; assert x == 4",
        "assert True != False",
        "# a comment\n assert 1 # another\n\n assert 2",
        "assert 1 == \\\n 1",
        "assert (1 ==\n 1)",
        "assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd",
        "assert 199000 <= tcpi_rto <= 201000, 'rto=%d' % tcpi_rto",
        "assert tcpi_state == TCP_ESTABLISHED",
        "assert tcpi_snd_wscale == 2 and tcpi_rcv_wscale == 7",
        "assert tcpi_rehash == 0",
        "",
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (!holds(row[i]))
            fail_msg("%s: %s", row[i], why);
}

static void what_is_not_is_told_with_its_value(void **state)
{
    static const struct {
        const char *text, *why;
    } row[] = {
        { "assert tcpi_snd_cwnd == 11, tcpi_snd_cwnd",
          "this does not hold: tcpi_snd_cwnd == 11: 10" },
        { "x = 1; assert x == 2; assert x == 3", "this does not hold: x == 2" },
        { "assert 2.5 == 2, 'is %d' % 2.5", "this does not hold: 2.5 == 2: is 2.5" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_false(holds(row[i].text));
        assert_string_equal(why, row[i].why);
    }
}

static void what_is_no_code_is_refused(void **state)
{
    static const char *const row[] = {
        "assert",         "assert 1 +",     "assert (1",        "assert 1 2",
        "import os",      "assert nosuch",  "assert tcpi_no",   "x",
        "assert 1 / 0",   "assert 'a' < 1", "assert 'a",        "assert 1 << 70",
        "assert 'a' * 2", "f(1)",           "assert nosuch(1)", "assert tcpi_rto(1)",
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_false(holds(row[i]));
        assert_true(why[0] != '\0');
    }
}

static void deep_nesting_is_refused(void **state)
{
    char text[2100] = "assert ";
    memset(text + 7, '(', 1000);
    assert_false(holds(text));
    memset(text + 7, '-', 2000);
    assert_false(holds(text));
}

static void without_a_connection_its_fields_are_not_there(void **state)
{
    struct code c = { .arena = &arena };
    assert_true(run(&c, "x = 1"));
    assert_true(run(&c, "assert x == 1"));
    assert_false(run(&c, "assert tcpi_rto == 0"));
    assert_non_null(strstr(why, "there is no connection to look at"));
}

/* Google's packetdrill is the measure: to it a script with FreeBSD's words is wrong. */
static void names_of_freebsd_are_there_when_admitted(void **state)
{
    struct code c = {
        .arena = &arena, .has_info = true, .info = connection(), .info_len = 232
    };
    assert_false(run(&c, "assert tcpi_state == TCPI_ESTABLISHED"));
    assert_non_null(strstr(why, "there is no TCPI_ESTABLISHED"));
    c.freebsd = true;
    assert_true(run(&c, "assert tcpi_state == TCPI_ESTABLISHED"));
    assert_true(run(&c, "assert TCPI_SYN_RECEIVED == 3 and TCPI_TIME_WAIT == 6"));
}

static void print_says_values(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct code c = { .arena = &arena, .out = out };
    assert_true(run(&c, "print('cwnd', 10); print(2.5)"));
    fclose(out);
    assert_string_equal(text, "cwnd 10\n2.5\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_true_holds),
        cmocka_unit_test(what_is_not_is_told_with_its_value),
        cmocka_unit_test(what_is_no_code_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(without_a_connection_its_fields_are_not_there),
        cmocka_unit_test(names_of_freebsd_are_there_when_admitted),
        cmocka_unit_test(print_says_values),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
