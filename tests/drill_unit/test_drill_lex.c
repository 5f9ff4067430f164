/* A script's text as tokens. */
#include "../../tools/drill/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int free_arena(void **state)
{
    arena_free(&arena);
    return 0;
}

static struct lexer lexer(const char *text)
{
    struct lexer l;
    lex_init(&l, text, strlen(text), &arena);
    return l;
}

/* The kinds of all tokens: w i d s ` c o . for words, integers, decimals, strings,
 * shell, code, options and ellipses; characters as they are; ! for what is none. */
static const char *kinds(const char *text)
{
    static const char letters[] = "?wids`co.";
    static char out[64];
    struct lexer l = lexer(text);
    struct token t;
    size_t n = 0;
    for (lex_next(&l, &t); t.kind != TOKEN_END && n < 63; lex_next(&l, &t)) {
        out[n++] = t.kind == TOKEN_BAD    ? '!'
                   : t.kind == TOKEN_CHAR ? t.text[0]
                                          : letters[t.kind];
        if (t.kind == TOKEN_BAD)
            break;
    }
    out[n] = '\0';
    return out;
}

static void the_longest_token_wins(void **state)
{
    static const struct {
        const char *text, *kinds;
    } row[] = {
        { "+0...0.2 accept(3, ..., ...) = 4", "+i.dw(i,.,.)=i" },
        { "+.1 < S. 0:0(0) ack 1 win 257", "+d<w.i:i(i)wiwi" },
        { "0.100~0.200 > . 1:1(0)", "d~d>.i:i(i)" },
        { "FO 10ab 1a 0x1f 0xzz", "wwwiw" },
        { "-1 - -.5", "i-d" },
        { "\"a b\" `ls` %{ x }% --name ...", "s`co." },
        { "O_RDWR|O_NONBLOCK", "w|w" },
        { "99999999999999999999", "w" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_string_equal(kinds(row[i].text), row[i].kinds);
}

static void a_token_has_its_value_and_its_place(void **state)
{
    struct lexer l = lexer("1\n  0x20 -7 .25 \"a\\x01\\n\\\"\"");
    struct token t;
    lex_next(&l, &t);
    assert_int_equal(t.number, 1);
    lex_next(&l, &t);
    assert_int_equal(t.number, 32);
    assert_int_equal(t.line, 2);
    assert_int_equal(t.column, 3);
    lex_next(&l, &t);
    assert_int_equal(t.number, -7);
    lex_next(&l, &t);
    assert_true(t.decimal == 0.25);
    lex_next(&l, &t);
    assert_int_equal(t.len, 4);
    assert_memory_equal(t.text, "a\x01\n\"", 5);
    lex_next(&l, &t);
    assert_int_equal(t.kind, TOKEN_END);
}

static void comments_and_branches_not_taken_are_left_out(void **state)
{
    static const struct define standard = { NULL, "STANDARD", "1" };
    static const char text[] =
        "1 // 2\n/* 3\n4 */ 5\n#ifdef STANDARD\n6\n#else\n7\n#endif\n"
        "#ifdef OTHER\n8\n#ifdef STANDARD\n9\n#endif\n#else\n10\n"
        "#endif\n#ifndef OTHER\n11\n#endif\n12";
    static const int want[] = { 1, 5, 6, 10, 11, 12 };
    struct lexer l = lexer(text);
    struct token t;
    l.defines = &standard;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        lex_next(&l, &t);
        assert_int_equal(t.number, want[i]);
    }
    assert_int_equal(t.line, 20);
    lex_next(&l, &t);
    assert_int_equal(t.kind, TOKEN_END);
}

static void what_is_defined_stands_for_its_word(void **state)
{
    static const struct define number = { NULL, "N", "0x10" };
    static const struct define text   = { &number, "CC", "\"reno\"" };
    static const struct define shell  = { &text, "SETUP", "`sysctl x=1`" };
    struct lexer l = lexer("N CC SETUP NN");
    struct token t;
    l.defines = &shell;
    lex_next(&l, &t);
    assert_int_equal(t.kind, TOKEN_INTEGER);
    assert_int_equal(t.number, 16);
    lex_next(&l, &t);
    assert_int_equal(t.kind, TOKEN_STRING);
    assert_string_equal(t.text, "reno");
    lex_next(&l, &t);
    assert_int_equal(t.kind, TOKEN_SHELL);
    assert_string_equal(t.text, "sysctl x=1");
    lex_next(&l, &t);
    assert_int_equal(t.kind, TOKEN_WORD);
}

static void what_does_not_end_is_no_token(void **state)
{
    static const char *const row[] = { "\"abc", "`abc", "%{ abc }", "\"a\\\"" };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_string_equal(kinds(row[i]), "!");
    assert_string_equal(kinds("1 /* never"), "i");
}

static void the_value_of_an_option_is_taken_as_it_is(void **state)
{
    struct lexer l = lexer("--local_ip=fd00::1 --define=A=\"b c\" --flag x");
    struct token t, value;
    lex_next(&l, &t);
    assert_string_equal(t.text, "local_ip");
    assert_true(lex_value(&l, &value));
    assert_string_equal(value.text, "fd00::1");
    lex_next(&l, &t);
    assert_true(lex_value(&l, &value));
    assert_string_equal(value.text, "A=\"b c\"");
    lex_next(&l, &t);
    assert_string_equal(t.text, "flag");
    assert_false(lex_value(&l, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_token_wins),
        cmocka_unit_test(a_token_has_its_value_and_its_place),
        cmocka_unit_test(comments_and_branches_not_taken_are_left_out),
        cmocka_unit_test(what_is_defined_stands_for_its_word),
        cmocka_unit_test(what_does_not_end_is_no_token),
        cmocka_unit_test(the_value_of_an_option_is_taken_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
