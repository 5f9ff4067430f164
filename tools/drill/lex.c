/* Tokens are found by their first character; the longest one wins: 10 is a number, 10ab
 * a word, 0...0.2 a number, an ellipsis and a number. A token's text is copied, so that
 * it ends with a NUL. */
#include "lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *define_find(const struct define *defines, const char *name)
{
    for (const struct define *d = defines; d; d = d->next)
        if (strcmp(d->name, name) == 0)
            return d->value;
    return NULL;
}

void lex_init(struct lexer *l, const char *text, size_t len, struct arena *arena)
{
    *l = (struct lexer){
        .at = text, .end = text + len, .line_at = text, .line = 1, .arena = arena
    };
}

/* ---- characters ---- */

/* The character n places on; NUL behind the end. */
static char look(const struct lexer *l, size_t n)
{
    return n < (size_t)(l->end - l->at) ? l->at[n] : '\0';
}

static bool looks_at(const struct lexer *l, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(l->end - l->at) >= n && memcmp(l->at, word, n) == 0;
}

static void step(struct lexer *l, size_t n)
{
    for (; n > 0 && l->at < l->end; n--) {
        if (*l->at++ != '\n')
            continue;
        l->line++;
        l->line_at = l->at;
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- what is left out ---- */

static void skip_line(struct lexer *l)
{
    while (l->at < l->end && *l->at != '\n')
        step(l, 1);
}

static bool skip_comment(struct lexer *l)
{
    if (looks_at(l, "//")) {
        skip_line(l);
        return true;
    }
    if (!looks_at(l, "/*"))
        return false;
    step(l, 2);
    while (l->at < l->end && !looks_at(l, "*/"))
        step(l, 1);
    step(l, 2);
    return true;
}

/* Is the condition of this line (its "#" is next) true? */
static bool condition_holds(struct lexer *l)
{
    bool negated = looks_at(l, "#ifndef");
    size_t n = 0;

    step(l, negated ? 7 : 6);
    while (look(l, 0) == ' ' || look(l, 0) == '\t')
        step(l, 1);
    while (is_word(look(l, n)))
        n++;
    return !define_find(l->defines, arena_text(l->arena, l->at, n)) == negated;
}

/* From behind a condition that is false to its #else or #endif. */
static void skip_branch(struct lexer *l)
{
    int depth = 1;

    while (l->at < l->end && depth > 0) {
        skip_line(l);
        step(l, 1);
        if (looks_at(l, "#if"))
            depth++;
        else if (looks_at(l, "#endif") || (depth == 1 && looks_at(l, "#else")))
            depth--;
    }
    skip_line(l);
}

static bool skip_directive(struct lexer *l)
{
    if (l->at != l->line_at || look(l, 0) != '#')
        return false;
    if (looks_at(l, "#if")) {
        if (!condition_holds(l))
            skip_branch(l);
    } else if (looks_at(l, "#else")) {
        skip_branch(l); /* the branch before it was true */
    }
    skip_line(l);
    return true;
}

static void skip(struct lexer *l)
{
    for (;;) {
        if (is_blank(look(l, 0)) && l->at < l->end)
            step(l, 1);
        else if (!skip_comment(l) && !skip_directive(l))
            return;
    }
}

/* ---- tokens ---- */

/* Takes n characters as the token's text. */
static void take(struct lexer *l, struct token *t, enum token_kind kind, size_t n)
{
    t->kind = kind;
    t->text = arena_text(l->arena, l->at, n);
    t->len = n;
    step(l, n);
}

static void bad(struct token *t, const char *what)
{
    t->kind = TOKEN_BAD;
    t->text = what;
    t->len = strlen(what);
}

static void take_integer(struct lexer *l, struct token *t, size_t n, int base)
{
    take(l, t, TOKEN_INTEGER, n);
    errno = 0;
    t->number = strtoll(t->text, NULL, base);
    if (base == 16 && errno == ERANGE) {
        errno = 0;
        t->number = (long long)strtoull(t->text, NULL, base);
    }
    t->decimal = (double)t->number;
    if (errno == ERANGE) /* a blob of digits, then */
        t->kind = TOKEN_WORD;
}

/* A number begins here: a digit, a point or a minus before digits. */
static void lex_number(struct lexer *l, struct token *t)
{
    size_t n = look(l, 0) == '-', digits;

    if (look(l, 0) == '0' && look(l, 1) == 'x') {
        for (n = 2; isxdigit((unsigned char)look(l, n)); n++)
            continue;
        if (n > 2 && !is_word(look(l, n))) {
            take_integer(l, t, n, 16);
            return;
        }
        n = 0;
    }
    while (is_digit(look(l, n)))
        n++;
    digits = n;
    if (look(l, n) == '.' && is_digit(look(l, n + 1))) {
        for (n++; is_digit(look(l, n)); n++)
            continue;
        take(l, t, TOKEN_DECIMAL, n);
        t->decimal = strtod(t->text, NULL);
        return;
    }
    while (is_word(look(l, n)))
        n++;
    if (n == digits)
        take_integer(l, t, n, 10);
    else
        take(l, t, TOKEN_WORD, n);
}

/* What is defined stands for its word. */
static void replace(struct lexer *l, struct token *t, const char *value)
{
    size_t n = strlen(value);
    char first = value[0], *end;

    t->text = value;
    t->len = n;
    if (n >= 2 && (first == '"' || first == '`') && value[n - 1] == first) {
        t->kind = first == '"' ? TOKEN_STRING : TOKEN_SHELL;
        t->text = arena_text(l->arena, value + 1, n - 2);
        t->len = n - 2;
        return;
    }
    t->number = strtoll(value, &end, 0);
    if (n > 0 && *end == '\0')
        t->kind = TOKEN_INTEGER;
    t->decimal = (double)t->number;
}

static void lex_word(struct lexer *l, struct token *t)
{
    const char *value;
    size_t n = 0;

    while (is_word(look(l, n)))
        n++;
    take(l, t, TOKEN_WORD, n);
    value = define_find(l->defines, t->text);
    if (value)
        replace(l, t, value);
}

static int hex_digits(const char *s, size_t n)
{
    char digits[3] = { 0 };

    if (n < 2 || !isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]))
        return -1;
    memcpy(digits, s, 2);
    return (int)strtol(digits, NULL, 16);
}

/* \n, \t, \xHH, and any other character for itself. */
static void resolve_escapes(struct token *t)
{
    char *to = (char *)t->text, *from = to, *end = to + t->len;

    while (from < end) {
        int byte;

        if (*from != '\\' || from + 1 == end) {
            *to++ = *from++;
            continue;
        }
        byte = from[1] == 'x' ? hex_digits(from + 2, (size_t)(end - from - 2)) : -1;
        if (byte >= 0) {
            *to++ = (char)byte;
            from += 4;
            continue;
        }
        *to++ = (char)(from[1] == 'n' ? '\n' : from[1] == 't' ? '\t' : from[1]);
        from += 2;
    }
    t->len = (size_t)(to - t->text);
    *to = '\0';
}

/* Between two quotes of one kind; a backslash protects the character behind it. */
static void lex_quoted(struct lexer *l, struct token *t, enum token_kind kind)
{
    char quote = look(l, 0);
    size_t n = 1;

    while (l->at + n < l->end && l->at[n] != quote)
        n += l->at[n] == '\\' ? 2 : 1;
    if (l->at + n >= l->end) {
        bad(t, quote == '"' ? "the string does not end" : "the command does not end");
        return;
    }
    step(l, 1);
    take(l, t, kind, n - 1);
    step(l, 1);
    if (kind == TOKEN_STRING)
        resolve_escapes(t);
}

static void lex_code(struct lexer *l, struct token *t)
{
    size_t n = 2;

    while (l->at + n + 1 < l->end && !(l->at[n] == '}' && l->at[n + 1] == '%'))
        n++;
    if (l->at + n + 1 >= l->end) {
        bad(t, "the code does not end with }%");
        return;
    }
    step(l, 2);
    take(l, t, TOKEN_CODE, n - 2);
    step(l, 2);
}

static void lex_option(struct lexer *l, struct token *t)
{
    size_t n = 0;

    step(l, 2);
    while (is_word(look(l, n)) || (look(l, n) == '-' && is_word(look(l, n + 1))))
        n++;
    take(l, t, TOKEN_OPTION, n);
}

static bool number_begins(const struct lexer *l)
{
    char c = look(l, 0), next = look(l, 1);

    return is_digit(c) || (c == '.' && is_digit(next)) ||
           (c == '-' && (is_digit(next) || (next == '.' && is_digit(look(l, 2)))));
}

void lex_next(struct lexer *l, struct token *out)
{
    char c;

    skip(l);
    *out = (struct token){ .kind = TOKEN_END, .text = "" };
    out->line = l->line;
    out->column = (int)(l->at - l->line_at) + 1;
    if (l->at >= l->end)
        return;
    c = look(l, 0);
    if (number_begins(l))
        lex_number(l, out);
    else if (is_word(c))
        lex_word(l, out);
    else if (c == '"')
        lex_quoted(l, out, TOKEN_STRING);
    else if (c == '`')
        lex_quoted(l, out, TOKEN_SHELL);
    else if (looks_at(l, "%{"))
        lex_code(l, out);
    else if (looks_at(l, "..."))
        take(l, out, TOKEN_ELLIPSIS, 3);
    else if (looks_at(l, "--") && isalpha((unsigned char)look(l, 2)))
        lex_option(l, out);
    else
        take(l, out, TOKEN_CHAR, 1);
}

bool lex_value(struct lexer *l, struct token *out)
{
    size_t n = 0;
    char quote = '\0';

    if (look(l, 0) != '=')
        return false;
    step(l, 1);
    *out = (struct token){ .line = l->line };
    out->column = (int)(l->at - l->line_at) + 1;
    for (; l->at + n < l->end && (quote || !is_blank(l->at[n])); n++) {
        if (l->at[n] == quote)
            quote = '\0';
        else if (!quote && (l->at[n] == '"' || l->at[n] == '`'))
            quote = l->at[n];
    }
    take(l, out, TOKEN_WORD, n);
    return true;
}
