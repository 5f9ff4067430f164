/* Statements, each done as soon as it is read; code_expr.c reads what is in them. */
#include "code.h"

#include <string.h>

#include "base/bytes.h"
#include "code_expr.h"

static void set_name(struct code *c, const char *name, const struct value *v)
{
    struct code_name *n = code_find(c, name);

    if (!n) {
        n = arena_take(c->arena, sizeof *n);
        n->name = arena_text(c->arena, name, strlen(name));
        n->next = c->names;
        c->names = n;
    }
    n->value = *v;
}

static void assertion(struct reader *r)
{
    const char *begin = r->at;
    struct value holds = code_value(r), told = { .is_text = true };
    char text[VALUE_TEXT] = "";

    if (code_take(r, ",")) {
        told = code_value(r);
        code_print(&told, text, sizeof text);
    }
    if (r->failed || code_is_true(&holds))
        return;
    r->failed = true;
    begin += strspn(begin, " \t");
    snprintf(r->why, r->room, "this does not hold: %.*s%s%s",
             (int)strcspn(begin, ",\n;"), begin, text[0] ? ": " : "", text);
    r->at += strlen(r->at);
}

/* print(a, b), or without the brackets. */
static void print_statement(struct reader *r)
{
    bool brackets = code_take(r, "(");
    char text[VALUE_TEXT];
    const char *between = "";

    r->depth += brackets;
    do {
        struct value v = code_value(r);

        code_print(&v, text, sizeof text);
        if (r->code->out && !r->failed)
            fprintf(r->code->out, "%s%s", between, text);
        between = " ";
    } while (code_take(r, ","));
    r->depth -= brackets;
    if (brackets)
        code_need(r, ")");
    if (r->code->out && !r->failed)
        fputc('\n', r->code->out);
}

static void assignment(struct reader *r, const char *name)
{
    static const char *const ops[] = { "=", "+=", "-=", "*=" };
    struct value v, old;
    size_t i = 0;

    while (i < ARRAY_LEN(ops) && !code_take(r, ops[i]))
        i++;
    if (i == ARRAY_LEN(ops)) {
        code_fail(r, "a statement is assert, print or name = value");
        return;
    }
    if (i > 0)
        old = code_look_up(r, name);
    v = code_value(r);
    if (i > 0)
        v = code_number(i == 1   ? code_amount(r, &old) + code_amount(r, &v)
                        : i == 2 ? code_amount(r, &old) - code_amount(r, &v)
                                 : code_amount(r, &old) * code_amount(r, &v));
    if (!r->failed)
        set_name(r->code, name, &v);
}

static void statement(struct reader *r)
{
    char name[NAME_TEXT];

    if (code_take(r, "assert"))
        assertion(r);
    else if (code_take(r, "print"))
        print_statement(r);
    else if (code_take_name(r, name))
        assignment(r, name);
    else
        code_fail(r, "a statement is assert, print or name = value");
}

bool code_run(struct code *c, const char *text, char *why, size_t room)
{
    struct reader r = { .code = c, .at = text, .why = why, .room = room };

    for (;;) {
        code_skip(&r);
        if (*r.at == ';' || *r.at == '\n') {
            r.at++;
            continue;
        }
        if (!*r.at)
            return !r.failed;
        statement(&r);
        code_skip(&r);
        if (*r.at && *r.at != ';' && *r.at != '\n')
            code_fail(&r, "the statement does not end here");
    }
}
