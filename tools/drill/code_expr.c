/* Expressions are evaluated while they are read, by recursive descent; a level of the
 * grammar is a function:
 *
 *     value (or) > both (and) > negation (not) > comparison > bits | ^ & >
 *     shifts > sums > products > signs > single: number, string, name, f( ), ( )
 *
 * Both sides of `and` and `or` are evaluated: nothing here has side effects. */
#include "code_expr.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "info.h"

/* ---- characters ---- */

void code_fail(struct reader *r, const char *what)
{
    if (r->failed)
        return;
    snprintf(r->why, r->room, "%s, in the code before '%.30s'", what, r->at);
    r->failed = true;
    r->at += strlen(r->at);
}

/* Blanks, comments, and ends of lines that a backslash or a bracket (depth) joins. */
void code_skip(struct reader *r)
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

bool code_take(struct reader *r, const char *token)
{
    size_t n = strlen(token);

    code_skip(r);
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
    code_skip(r);
    if (*r->at != token || (r->at[1] && strchr(not_before, r->at[1])))
        return false;
    r->at++;
    return true;
}

void code_need(struct reader *r, const char *token)
{
    char what[40];

    if (code_take(r, token))
        return;
    snprintf(what, sizeof what, "'%s' is missing", token);
    code_fail(r, what);
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

struct value code_number(double n)
{
    return (struct value){ .n = n };
}

bool code_is_true(const struct value *v)
{
    return v->is_text ? v->text[0] != '\0' : v->n != 0;
}

/* Whole numbers print as such. */
void code_print(const struct value *v, char *out, size_t room)
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
        code_fail(r, "this takes whole numbers");
        return 0;
    }
    return (long long)v->n;
}

double code_amount(struct reader *r, const struct value *v)
{
    if (v->is_text)
        code_fail(r, "this takes numbers");
    return v->n;
}

struct code_name *code_find(struct code *c, const char *name)
{
    struct code_name *n = c->names;

    while (n && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

/* ---- the innermost level ---- */

bool code_take_name(struct reader *r, char name[NAME_TEXT])
{
    size_t n = 0;

    code_skip(r);
    if (!isalpha((unsigned char)*r->at) && *r->at != '_')
        return false;
    while (isalnum((unsigned char)r->at[n]) || r->at[n] == '_')
        n++;
    if (n >= NAME_TEXT) {
        code_fail(r, "the name is too long");
        return false;
    }
    memcpy(name, r->at, n);
    name[n] = '\0';
    r->at += n;
    return true;
}

struct value code_look_up(struct reader *r, const char *name)
{
    const struct code_name *known = code_find(r->code, name);
    struct value v = { .n = 0 };
    char what[NAME_TEXT + 40];

    if (known)
        return known->value;
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0)
        return code_number(name[0] == 'T');
    if (info_constant(name, &v.n) || (r->code->freebsd && info_freebsd(name, &v.n)))
        return v;
    if (strncmp(name, "tcpi_", 5) == 0 && !r->code->has_info) {
        code_fail(r, "there is no connection to look at");
        return v;
    }
    if (r->code->has_info && info_field(r->code->info, r->code->info_len, name, &v.n))
        return v;
    snprintf(what, sizeof what, "there is no %s", name);
    code_fail(r, what);
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
        code_fail(r, "the string does not end, or is too long");
    else
        r->at++;
    return v;
}

/* abs(x) and its like. */
static struct value function(struct reader *r, const char *name)
{
    struct value v = code_value(r), other;
    bool less = strcmp(name, "min") == 0;

    if (strcmp(name, "abs") == 0) {
        v.n = code_amount(r, &v) < 0 ? -v.n : v.n;
    } else if (strcmp(name, "int") == 0) {
        v.n = truncated(code_amount(r, &v));
    } else if (strcmp(name, "float") == 0) {
        code_amount(r, &v);
    } else if (strcmp(name, "str") == 0) {
        char text[VALUE_TEXT];

        code_print(&v, text, sizeof text);
        memcpy(v.text, text, sizeof text);
        v.is_text = true;
    } else if (less || strcmp(name, "max") == 0) {
        while (code_take(r, ",")) {
            other = code_value(r);
            if ((code_amount(r, &v) > code_amount(r, &other)) == less)
                v = other;
        }
    } else {
        code_fail(r, "there is no such function");
    }
    r->depth--;
    code_need(r, ")");
    return v;
}

static struct value single(struct reader *r)
{
    char name[NAME_TEXT], *end;
    struct value v = { .n = 0 };

    code_skip(r);
    if (r->depth >= DEPTH_MAX) {
        code_fail(r, "this is nested too deeply");
    } else if (code_take(r, "(")) {
        r->depth++;
        v = code_value(r);
        r->depth--;
        code_need(r, ")");
    } else if (*r->at == '"' || *r->at == '\'') {
        v = string(r);
    } else if (code_take_name(r, name)) {
        if (!code_take(r, "("))
            return code_look_up(r, name);
        r->depth++;
        v = function(r, name);
    } else {
        v.n = r->at[0] == '0' && (r->at[1] | 32) == 'x'
                  ? (double)strtoull(r->at, &end, 16)
                  : strtod(r->at, &end);
        if (end == r->at || !(isdigit((unsigned char)*r->at) || *r->at == '.'))
            code_fail(r, "a value is missing");
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

    code_skip(r);
    op = *r->at;
    if (!op || !strchr("-+~", op))
        return single(r);
    r->at++;
    if (++r->depth >= DEPTH_MAX)
        code_fail(r, "this is nested too deeply");
    v = sign(r);
    r->depth--;
    if (op == '~')
        return code_number((double)~whole(r, &v));
    v.n = op == '-' ? -code_amount(r, &v) : code_amount(r, &v);
    return v;
}

/* 'cwnd=%d' % tcpi_snd_cwnd, or with several values in brackets. */
static struct value format(struct reader *r, const struct value *pattern)
{
    struct value out = { .is_text = true };
    bool many = code_take(r, "(");
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
        v = many ? code_value(r) : sign(r);
        code_print(&v, out.text + n, VALUE_TEXT - n);
        n += strlen(out.text + n);
        if (many)
            code_take(r, ",");
    }
    r->depth -= many;
    if (many)
        code_need(r, ")");
    return out;
}

static struct value product(struct reader *r)
{
    struct value v = sign(r), w;
    char op;

    for (;;) {
        code_skip(r);
        op = *r->at;
        if (!op || !strchr("*/%", op) || r->at[1] == '=')
            return v;
        r->at++;
        if (op == '/' && code_take(r, "/"))
            op = 'd';
        if (op == '%' && v.is_text) {
            v = format(r, &v);
            continue;
        }
        w = sign(r);
        if (op != '*' && code_amount(r, &w) == 0)
            code_fail(r, "this divides by zero");
        else if (op == '*')
            v = code_number(code_amount(r, &v) * w.n);
        else if (op == '/')
            v = code_number(code_amount(r, &v) / w.n);
        else
            v = code_number(op == 'd' ? down(code_amount(r, &v) / w.n)
                                      : v.n - w.n * down(code_amount(r, &v) / w.n));
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
            v = code_number(code_amount(r, &v) +
                            (plus ? code_amount(r, &w) : -code_amount(r, &w)));
    }
}

static struct value bits(struct reader *r)
{
    struct value v = sum(r), w;
    bool left, right;

    while ((left = code_take(r, "<<")) || (right = code_take(r, ">>"))) {
        w = sum(r);
        long long n = whole(r, &v), by = whole(r, &w);
        if (by < 0 || by > 62)
            code_fail(r, "this shifts too far");
        else
            v = code_number(left ? (double)n * (double)(1LL << by) : (double)(n >> by));
    }
    return v;
}

static struct value bit_and(struct reader *r)
{
    struct value v = bits(r), w;

    while (take_alone(r, '&', "=")) {
        w = bits(r);
        v = code_number((double)(whole(r, &v) & whole(r, &w)));
    }
    return v;
}

static struct value bit_or(struct reader *r)
{
    struct value v = bit_and(r), w;
    bool or ;

    while ((or = take_alone(r, '|', "=")) || take_alone(r, '^', "=")) {
        w = bit_and(r);
        v = code_number(
            (double)(or ? whole(r, &v) | whole(r, &w) : whole(r, &v) ^ whole(r, &w)));
    }
    return v;
}

/* <0, 0, >0. */
static int order(struct reader *r, const struct value *a, const struct value *b)
{
    if (a->is_text != b->is_text) {
        code_fail(r, "a number is compared with a text");
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

        while (i < ARRAY_LEN(ops) && !code_take(r, ops[i]))
            i++;
        if (i == ARRAY_LEN(ops))
            return compared ? code_number(holds) : left;
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

    while (code_take(r, "not")) {
        negated = !negated;
        any = true;
    }
    v = comparison(r);
    return any ? code_number(code_is_true(&v) != negated) : v;
}

static struct value both(struct reader *r)
{
    struct value v = negation(r), w;

    while (code_take(r, "and")) {
        w = negation(r);
        if (code_is_true(&v))
            v = w;
    }
    return v;
}

struct value code_value(struct reader *r)
{
    struct value v = both(r), w;

    while (code_take(r, "or")) {
        w = both(r);
        if (!code_is_true(&v))
            v = w;
    }
    return v;
}
