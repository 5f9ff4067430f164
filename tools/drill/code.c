/* Each statement is evaluated while it is read, by recursive descent; a level of the
 * grammar is a function:
 *
 *     either (or) > both (and) > negation (not) > comparison > bits | ^ & >
 *     shifts > sums > products > signs > power of a value: number, string, name, ( )
 *
 * Both sides of `and` and `or` are evaluated: nothing here has side effects. Where the
 * first thing goes wrong, the reading ends. */
#include "code.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "info.h"

enum { VALUE_TEXT = 200, NAME_TEXT = 64, DEPTH_MAX = 32 };

struct value {
    bool is_text;
    double n;
    char text[VALUE_TEXT];
};

struct code_name {
    struct code_name *next;
    const char *name;
    struct value value;
};

struct reader {
    struct code *code;
    const char *begin, *at;
    char *why;
    size_t room;
    int depth;
    bool failed;
};

static struct value either(struct reader *r);

/* ---- characters ---- */

static void fail(struct reader *r, const char *what)
{
    if (r->failed)
        return;
    snprintf(r->why, r->room, "%s, in the code before '%.30s'", what, r->at);
    r->failed = true;
    r->at += strlen(r->at);
}

/* Blanks, comments, and ends of lines that a backslash or a bracket (depth) joins. */
static void skip(struct reader *r)
{
    for (;;) {
        if (*r->at == '#')
            r->at += strcspn(r->at, "\n");
        else if (*r->at == ' ' || *r->at == '\t' || *r->at == '\r')
            r->at++;
        else if (r->at[0] == '\\' && r->at[1] == '\n')
            r->at += 2;
        else if (*r->at == '\n' && r->depth > 0)
            r->at++;
        else
            return;
    }
}

static bool take(struct reader *r, const char *token)
{
    size_t n = strlen(token);

    skip(r);
    if (strncmp(r->at, token, n) != 0)
        return false;
    if (isalpha((unsigned char)token[0]) &&
        (isalnum((unsigned char)r->at[n]) || r->at[n] == '_'))
        return false;
    r->at += n;
    return true;
}

/* `token` and not one of its longer relatives: < and not << or <=. */
static bool take_alone(struct reader *r, char token, const char *not_before)
{
    skip(r);
    if (*r->at != token || (r->at[1] && strchr(not_before, r->at[1])))
        return false;
    r->at++;
    return true;
}

static void need(struct reader *r, const char *token)
{
    char what[40];

    if (take(r, token))
        return;
    snprintf(what, sizeof what, "'%s' is missing", token);
    fail(r, what);
}

/* ---- values ---- */

/* Towards zero, and down; what is too large has no fraction. */
static double truncated(double n)
{
    return n > -9e15 && n < 9e15 ? (double)(long long)n : n;
}

static double down(double n)
{
    return truncated(n) > n ? truncated(n) - 1 : truncated(n);
}

static struct value number(double n)
{
    return (struct value){ .n = n };
}

static bool is_true(const struct value *v)
{
    return v->is_text ? v->text[0] != '\0' : v->n != 0;
}

/* Whole numbers print as such. */
static void print_value(const struct value *v, char *out, size_t room)
{
    if (v->is_text)
        snprintf(out, room, "%s", v->text);
    else if (v->n == truncated(v->n))
        snprintf(out, room, "%.0f", v->n);
    else
        snprintf(out, room, "%g", v->n);
}

static long long whole(struct reader *r, const struct value *v)
{
    if (v->is_text || !(v->n > -9e18 && v->n < 9e18)) {
        fail(r, "this takes whole numbers");
        return 0;
    }
    return (long long)v->n;
}

static double amount(struct reader *r, const struct value *v)
{
    if (v->is_text)
        fail(r, "this takes numbers");
    return v->n;
}

static struct code_name *find_name(struct code *c, const char *name)
{
    struct code_name *n = c->names;

    while (n && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

static void set_name(struct code *c, const char *name, const struct value *v)
{
    struct code_name *n = find_name(c, name);

    if (!n) {
        n = arena_take(c->arena, sizeof *n);
        n->name = arena_text(c->arena, name, strlen(name));
        n->next = c->names;
        c->names = n;
    }
    n->value = *v;
}

/* ---- the innermost level ---- */

static bool take_name(struct reader *r, char name[NAME_TEXT])
{
    size_t n = 0;

    skip(r);
    if (!isalpha((unsigned char)*r->at) && *r->at != '_')
        return false;
    while (isalnum((unsigned char)r->at[n]) || r->at[n] == '_')
        n++;
    if (n >= NAME_TEXT) {
        fail(r, "the name is too long");
        return false;
    }
    memcpy(name, r->at, n);
    name[n] = '\0';
    r->at += n;
    return true;
}

static struct value look_up(struct reader *r, const char *name)
{
    const struct code_name *known = find_name(r->code, name);
    struct value v = { .n = 0 };
    char what[NAME_TEXT + 40];

    if (known)
        return known->value;
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0)
        return number(name[0] == 'T');
    if (info_constant(name, &v.n))
        return v;
    if (strncmp(name, "tcpi_", 5) == 0 && !r->code->has_info) {
        fail(r, "there is no connection to look at");
        return v;
    }
    if (r->code->has_info &&
        info_field(r->code->info, r->code->info_len, name, &v.n))
        return v;
    snprintf(what, sizeof what, "there is no %s", name);
    fail(r, what);
    return v;
}

static struct value string(struct reader *r)
{
    struct value v = { .is_text = true };
    char quote = *r->at++;
    size_t n = 0;

    while (*r->at && *r->at != quote && *r->at != '\n' && n + 1 < VALUE_TEXT)
        v.text[n++] = *r->at++;
    if (*r->at != quote)
        fail(r, "the string does not end, or is too long");
    else
        r->at++;
    return v;
}

/* abs(x) and its like. */
static struct value function(struct reader *r, const char *name)
{
    struct value v = either(r), other;
    bool less = strcmp(name, "min") == 0;

    if (strcmp(name, "abs") == 0) {
        v.n = amount(r, &v) < 0 ? -v.n : v.n;
    } else if (strcmp(name, "int") == 0) {
        v.n = truncated(amount(r, &v));
    } else if (strcmp(name, "float") == 0) {
        amount(r, &v);
    } else if (strcmp(name, "str") == 0) {
        char text[VALUE_TEXT];

        print_value(&v, text, sizeof text);
        memcpy(v.text, text, sizeof text);
        v.is_text = true;
    } else if (less || strcmp(name, "max") == 0) {
        while (take(r, ",")) {
            other = either(r);
            if ((amount(r, &v) > amount(r, &other)) == less)
                v = other;
        }
    } else {
        fail(r, "there is no such function");
    }
    r->depth--;
    need(r, ")");
    return v;
}

static struct value single(struct reader *r)
{
    char name[NAME_TEXT], *end;
    struct value v = { .n = 0 };

    skip(r);
    if (r->depth >= DEPTH_MAX) {
        fail(r, "this is nested too deeply");
    } else if (take(r, "(")) {
        r->depth++;
        v = either(r);
        r->depth--;
        need(r, ")");
    } else if (*r->at == '"' || *r->at == '\'') {
        v = string(r);
    } else if (take_name(r, name)) {
        if (!take(r, "("))
            return look_up(r, name);
        r->depth++;
        v = function(r, name);
    } else {
        v.n = r->at[0] == '0' && (r->at[1] | 32) == 'x'
                  ? (double)strtoull(r->at, &end, 16)
                  : strtod(r->at, &end);
        if (end == r->at || !(isdigit((unsigned char)*r->at) || *r->at == '.'))
            fail(r, "a value is missing");
        else
            r->at = end;
    }
    return v;
}

/* ---- operators ---- */

static struct value sign(struct reader *r)
{
    struct value v;
    char op;

    skip(r);
    op = *r->at;
    if (!op || !strchr("-+~", op))
        return single(r);
    r->at++;
    if (++r->depth >= DEPTH_MAX)
        fail(r, "this is nested too deeply");
    v = sign(r);
    r->depth--;
    if (op == '~')
        return number((double)~whole(r, &v));
    v.n = op == '-' ? -amount(r, &v) : amount(r, &v);
    return v;
}

/* 'cwnd=%d' % tcpi_snd_cwnd, or with several values in brackets. */
static struct value format(struct reader *r, const struct value *pattern)
{
    struct value out = { .is_text = true };
    bool many = take(r, "(");
    size_t n = 0;

    r->depth += many;
    for (const char *p = pattern->text; *p && n + 1 < VALUE_TEXT; p++) {
        struct value v;

        if (*p != '%' || p[1] == '%') {
            out.text[n++] = *p;
            p += *p == '%';
            continue;
        }
        p += strcspn(p + 1, "dsfuixXgr");
        p += *p != '\0' && p[1] != '\0';
        v = many ? either(r) : sign(r);
        print_value(&v, out.text + n, VALUE_TEXT - n);
        n += strlen(out.text + n);
        if (many)
            take(r, ",");
    }
    r->depth -= many;
    if (many)
        need(r, ")");
    return out;
}

static struct value product(struct reader *r)
{
    struct value v = sign(r), w;
    char op;

    for (;;) {
        skip(r);
        op = *r->at;
        if (!op || !strchr("*/%", op) || r->at[1] == '=')
            return v;
        r->at++;
        if (op == '/' && take(r, "/"))
            op = 'd';
        if (op == '%' && v.is_text) {
            v = format(r, &v);
            continue;
        }
        w = sign(r);
        if (op != '*' && amount(r, &w) == 0)
            fail(r, "this divides by zero");
        else if (op == '*')
            v = number(amount(r, &v) * w.n);
        else if (op == '/')
            v = number(amount(r, &v) / w.n);
        else
            v = number(op == 'd' ? down(amount(r, &v) / w.n)
                                 : v.n - w.n * down(amount(r, &v) / w.n));
    }
}

static struct value sum(struct reader *r)
{
    struct value v = product(r), w;

    for (;;) {
        bool plus = take_alone(r, '+', "=");

        if (!plus && !take_alone(r, '-', "="))
            return v;
        w = product(r);
        if (plus && v.is_text && w.is_text)
            strncat(v.text, w.text, VALUE_TEXT - 1 - strlen(v.text));
        else
            v = number(amount(r, &v) + (plus ? amount(r, &w) : -amount(r, &w)));
    }
}

static struct value bits(struct reader *r)
{
    struct value v = sum(r), w;
    bool left, right;

    while ((left = take(r, "<<")) || (right = take(r, ">>"))) {
        w = sum(r);
        if (whole(r, &w) < 0 || w.n > 62)
            fail(r, "this shifts too far");
        else
            v = number(left ? (double)(whole(r, &v) << whole(r, &w))
                            : (double)(whole(r, &v) >> whole(r, &w)));
    }
    return v;
}

static struct value bit_and(struct reader *r)
{
    struct value v = bits(r), w;

    while (take_alone(r, '&', "=")) {
        w = bits(r);
        v = number((double)(whole(r, &v) & whole(r, &w)));
    }
    return v;
}

static struct value bit_or(struct reader *r)
{
    struct value v = bit_and(r), w;
    bool or;

    while ((or = take_alone(r, '|', "=")) || take_alone(r, '^', "=")) {
        w = bit_and(r);
        v = number((double)(or ? whole(r, &v) | whole(r, &w)
                               : whole(r, &v) ^ whole(r, &w)));
    }
    return v;
}

/* <0, 0, >0. */
static int order(struct reader *r, const struct value *a, const struct value *b)
{
    if (a->is_text != b->is_text) {
        fail(r, "a number is compared with a text");
        return 0;
    }
    if (a->is_text)
        return strcmp(a->text, b->text);
    return (a->n > b->n) - (a->n < b->n);
}

/* a <= b < c is both a <= b and b < c. */
static struct value comparison(struct reader *r)
{
    static const char *const ops[] = { "==", "!=", "<=", ">=", "<", ">" };
    struct value left = bit_or(r), right;
    bool compared = false, holds = true;

    for (;;) {
        size_t i = 0;
        int o;

        while (i < ARRAY_LEN(ops) && !take(r, ops[i]))
            i++;
        if (i == ARRAY_LEN(ops))
            return compared ? number(holds) : left;
        right = bit_or(r);
        o = order(r, &left, &right);
        holds = holds && (i == 0   ? o == 0
                          : i == 1 ? o != 0
                          : i == 2 ? o <= 0
                          : i == 3 ? o >= 0
                          : i == 4 ? o < 0
                                   : o > 0);
        compared = true;
        left = right;
    }
}

static struct value negation(struct reader *r)
{
    bool negated = false, any = false;
    struct value v;

    while (take(r, "not")) {
        negated = !negated;
        any = true;
    }
    v = comparison(r);
    return any ? number(is_true(&v) != negated) : v;
}

static struct value both(struct reader *r)
{
    struct value v = negation(r), w;

    while (take(r, "and")) {
        w = negation(r);
        if (is_true(&v))
            v = w;
    }
    return v;
}

static struct value either(struct reader *r)
{
    struct value v = both(r), w;

    while (take(r, "or")) {
        w = both(r);
        if (!is_true(&v))
            v = w;
    }
    return v;
}

/* ---- statements ---- */

static void assertion(struct reader *r)
{
    const char *begin = r->at;
    struct value holds = either(r), told = { .is_text = true };
    char text[VALUE_TEXT] = "";

    if (take(r, ",")) {
        told = either(r);
        print_value(&told, text, sizeof text);
    }
    if (r->failed || is_true(&holds))
        return;
    r->failed = true;
    begin += strspn(begin, " \t");
    snprintf(r->why, r->room, "this does not hold: %.*s%s%s", (int)strcspn(begin, ",\n;"),
             begin, text[0] ? ": " : "", text);
    r->at += strlen(r->at);
}

static void print_statement(struct reader *r)
{
    struct value v = either(r);
    char text[VALUE_TEXT];

    for (;;) {
        print_value(&v, text, sizeof text);
        if (r->code->out && !r->failed)
            fputs(text, r->code->out);
        if (!take(r, ","))
            break;
        v = either(r);
        if (r->code->out && !r->failed)
            fputc(' ', r->code->out);
    }
    if (r->code->out && !r->failed)
        fputc('\n', r->code->out);
}

static void assignment(struct reader *r, const char *name)
{
    static const char *const ops[] = { "=", "+=", "-=", "*=" };
    struct value v, old;
    size_t i = 0;

    while (i < ARRAY_LEN(ops) && !take(r, ops[i]))
        i++;
    if (i == ARRAY_LEN(ops)) {
        fail(r, "a statement is assert, print or name = value");
        return;
    }
    if (i > 0)
        old = look_up(r, name);
    v = either(r);
    if (i > 0)
        v = number(i == 1   ? amount(r, &old) + amount(r, &v)
                   : i == 2 ? amount(r, &old) - amount(r, &v)
                            : amount(r, &old) * amount(r, &v));
    if (!r->failed)
        set_name(r->code, name, &v);
}

static void statement(struct reader *r)
{
    char name[NAME_TEXT];

    if (take(r, "assert"))
        assertion(r);
    else if (take(r, "print"))
        print_statement(r);
    else if (take_name(r, name))
        assignment(r, name);
    else
        fail(r, "a statement is assert, print or name = value");
}

bool code_run(struct code *c, const char *text, char *why, size_t room)
{
    struct reader r = { .code = c, .begin = text, .at = text, .why = why, .room = room };

    for (;;) {
        skip(&r);
        if (*r.at == ';' || *r.at == '\n') {
            r.at++;
            continue;
        }
        if (!*r.at)
            return !r.failed;
        statement(&r);
        skip(&r);
        if (*r.at && *r.at != ';' && *r.at != '\n')
            fail(&r, "the statement does not end here");
    }
}
