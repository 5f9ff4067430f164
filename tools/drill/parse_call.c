/* Calls:
 *
 *     call     [...T] NAME(argument, ...) = result [ERRNO [(note)]] [(note)]
 *     argument ... | number | word | "text" | argument | argument
 *              | [ argument, ... ] | { name=argument, ... } | word(argument, ...)
 *
 * Structs are not told apart here: { fd=3, events=POLLIN } is a list of parts with
 * names, and the call knows what it wants. A note is for people. */
#include <string.h>

#include "base/bytes.h"
#include "parse.h"

enum { DEPTH_MAX = 8 }; /* lists within lists */

static struct expr *parse_expr(struct parser *p, int depth);

static struct expr *new_expr(struct parser *p, enum expr_kind kind)
{
    struct expr *e = arena_take(p->arena, sizeof *e);

    e->kind = kind;
    e->text = p->token.text;
    e->len = p->token.len;
    e->number = p->token.number;
    return e;
}

/* Parts up to the closing character, which is taken. */
static const struct expr *parse_parts(struct parser *p, char close, int depth)
{
    struct expr *first = NULL, **end = &first;

    if (parse_take_char(p, close))
        return NULL;
    do {
        *end = parse_expr(p, depth);
        end = &(*end)->next;
    } while (parse_take_char(p, ','));
    parse_char(p, close);
    return first;
}

/* "a" "b" is "ab"; "a"... begins with "a". */
static struct expr *parse_string(struct parser *p)
{
    struct expr *e = new_expr(p, EXPR_STRING);

    parse_next(p);
    while (parse_is(p, TOKEN_STRING)) {
        char *joined = arena_take(p->arena, e->len + p->token.len + 1);

        memcpy(joined, e->text, e->len);
        memcpy(joined + e->len, p->token.text, p->token.len);
        e->text = joined;
        e->len += p->token.len;
        parse_next(p);
    }
    e->open = parse_is(p, TOKEN_ELLIPSIS);
    if (e->open)
        parse_next(p);
    return e;
}

/* A word; its call with arguments; or the name of what follows "=". */
static struct expr *parse_word(struct parser *p, int depth)
{
    struct expr *e = new_expr(p, EXPR_WORD), *value;

    parse_next(p);
    if (parse_take_char(p, '(')) {
        e->kind = EXPR_CALL;
        e->parts = parse_parts(p, ')', depth + 1);
    }
    if (!parse_take_char(p, '='))
        return e;
    value = parse_expr(p, depth);
    value->name = e->text;
    return value;
}

static struct expr *parse_single(struct parser *p, int depth)
{
    struct expr *e;
    char open = p->token.text[0];

    if (depth > DEPTH_MAX)
        parse_refuse(p, "this is nested too deeply");
    if (parse_is(p, TOKEN_STRING))
        return parse_string(p);
    if (parse_is(p, TOKEN_WORD))
        return parse_word(p, depth);
    e = new_expr(p, parse_is(p, TOKEN_ELLIPSIS) ? EXPR_ANY : EXPR_NUMBER);
    if (parse_is_char(p, '[') || parse_is_char(p, '{')) {
        e->kind = open == '[' ? EXPR_LIST : EXPR_STRUCT;
        parse_next(p);
        e->parts = parse_parts(p, open == '[' ? ']' : '}', depth + 1);
    } else if (parse_is(p, TOKEN_INTEGER) || parse_is(p, TOKEN_ELLIPSIS)) {
        parse_next(p);
    } else {
        parse_fail(p, "an argument");
    }
    return e;
}

static struct expr *parse_expr(struct parser *p, int depth)
{
    struct expr *first = parse_single(p, depth), *last = first, *either;

    if (!parse_is_char(p, '|'))
        return first;
    either = new_expr(p, EXPR_OR);
    either->parts = first;
    either->name = first->name; /* events=POLLIN|POLLOUT */
    first->name = NULL;
    while (parse_take_char(p, '|')) {
        last->next = parse_single(p, depth);
        last = last->next;
    }
    return either;
}

/* "(Operation now in progress)" */
static void skip_note(struct parser *p)
{
    if (!parse_take_char(p, '('))
        return;
    while (!parse_is_char(p, ')') && !parse_is(p, TOKEN_END))
        parse_next(p);
    parse_char(p, ')');
}

const struct call_line *parse_call(struct parser *p)
{
    struct call_line *c = arena_take(p->arena, sizeof *c);

    c->waits = parse_is(p, TOKEN_ELLIPSIS);
    if (c->waits) {
        parse_next(p);
        c->until = parse_time(p);
    }
    if (!parse_is(p, TOKEN_WORD))
        parse_fail(p, "the name of a call");
    c->name = p->token.text;
    parse_next(p);
    parse_char(p, '(');
    c->args = parse_parts(p, ')', 0);
    for (const struct expr *e = c->args; e; e = e->next)
        c->n_args++;
    parse_char(p, '=');
    c->result = parse_expr(p, 0);
    if (parse_is(p, TOKEN_WORD)) {
        c->error = p->token.text;
        parse_next(p);
    }
    skip_note(p);
    return c;
}
