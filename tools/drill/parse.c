/* The grammar, from the top:
 *
 *     script   options [shell] event... [shell]
 *     options  --NAME[=VALUE]...
 *     event    time (packet | call | shell | code)
 *     time     T | +T | T~T | +T~+T | *
 *     packet   parse_packet.c      call  [...T] NAME(arguments) = result, parse_call.c
 *
 * Recursive descent with one token of look-ahead. */
#include "parse.h"

#include <stdio.h>
#include <string.h>

void parse_next(struct parser *p)
{
    if (p->failed)
        return;
    lex_next(&p->lexer, &p->token);
    if (p->token.kind == TOKEN_BAD)
        parse_refuse(p, p->token.text);
}

void parse_refuse(struct parser *p, const char *what)
{
    if (p->failed)
        return;
    p->failed = true;
    p->error->line = p->token.line;
    p->error->column = p->token.column;
    snprintf(p->error->text, sizeof p->error->text, "%s", what);
    p->token.kind = TOKEN_END;
}

void parse_fail(struct parser *p, const char *expected)
{
    char what[160];

    if (p->token.kind == TOKEN_END)
        snprintf(what, sizeof what, "expected %s, and there is the end", expected);
    else
        snprintf(what, sizeof what, "expected %s, and there is '%.40s'", expected,
                 p->token.text);
    parse_refuse(p, what);
}

/* ---- single tokens ---- */

bool parse_is(const struct parser *p, enum token_kind kind)
{
    return p->token.kind == kind;
}

bool parse_is_char(const struct parser *p, char c)
{
    return p->token.kind == TOKEN_CHAR && p->token.text[0] == c;
}

bool parse_is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && strcmp(p->token.text, word) == 0;
}

bool parse_take_char(struct parser *p, char c)
{
    if (!parse_is_char(p, c))
        return false;
    parse_next(p);
    return true;
}

bool parse_take_word(struct parser *p, const char *word)
{
    if (!parse_is_word(p, word))
        return false;
    parse_next(p);
    return true;
}

void parse_char(struct parser *p, char c)
{
    char expected[8];

    if (parse_take_char(p, c))
        return;
    snprintf(expected, sizeof expected, "'%c'", c);
    parse_fail(p, expected);
}

long long parse_number(struct parser *p, const char *what, long long min, long long max)
{
    long long n = p->token.number;
    char expected[80];

    if (!parse_is(p, TOKEN_INTEGER) || n < min || n > max) {
        snprintf(expected, sizeof expected, "%s, %lld to %lld", what, min, max);
        parse_fail(p, expected);
        return min;
    }
    parse_next(p);
    return n;
}

usec parse_time(struct parser *p)
{
    double seconds = p->token.decimal;

    if (!parse_is(p, TOKEN_INTEGER) && !parse_is(p, TOKEN_DECIMAL)) {
        parse_fail(p, "a time in seconds");
        return 0;
    }
    if (seconds < 0 || seconds > 1e9) {
        parse_refuse(p, "a time is 0 to 1000000000 seconds");
        return 0;
    }
    parse_next(p);
    return (usec)(seconds * 1e6 + 0.5);
}

/* ---- events ---- */

static struct when parse_when(struct parser *p)
{
    struct when w = { .kind = WHEN_ANY };
    bool relative;

    if (parse_take_char(p, '*'))
        return w;
    relative = parse_take_char(p, '+');
    w.kind = relative ? WHEN_AFTER : WHEN_AT;
    w.from = w.to = parse_time(p);
    if (!parse_take_char(p, '~'))
        return w;
    if (relative)
        parse_char(p, '+');
    w.kind = relative ? WHEN_WITHIN_NEXT : WHEN_WITHIN;
    w.to = parse_time(p);
    if (w.to < w.from)
        parse_refuse(p, "the range of times ends before it begins");
    return w;
}

static void parse_action(struct parser *p, struct event *e)
{
    if (parse_is_char(p, '<') || parse_is_char(p, '>')) {
        e->kind = EVENT_PACKET;
        e->packet = parse_packet(p);
    } else if (parse_is(p, TOKEN_ELLIPSIS) || parse_is(p, TOKEN_WORD)) {
        e->kind = EVENT_CALL;
        e->call = parse_call(p);
    } else if (parse_is(p, TOKEN_SHELL) || parse_is(p, TOKEN_CODE)) {
        e->kind = parse_is(p, TOKEN_SHELL) ? EVENT_SHELL : EVENT_CODE;
        e->text = p->token.text;
        parse_next(p);
    } else {
        parse_fail(p, "a packet, a call, `a command` or %{ code }%");
    }
}

static struct event *parse_event(struct parser *p)
{
    struct event *e = arena_take(p->arena, sizeof *e);
    struct token first = p->token;
    bool sent;

    e->line = p->token.line;
    e->when = parse_when(p);
    parse_action(p, e);
    if (p->failed || e->when.kind == WHEN_AT || e->when.kind == WHEN_AFTER)
        return e;
    sent = e->kind == EVENT_PACKET && e->packet->outbound;
    if (!sent) {
        p->token = first;
        parse_refuse(p, "only a packet that is sent may have a range of times, or *");
    }
    return e;
}

/* ---- the head ---- */

static void parse_define(struct parser *p, const struct setting *s)
{
    struct define *d = arena_take(p->arena, sizeof *d);
    const char *equals = s->value ? strchr(s->value, '=') : NULL;

    if (!equals) {
        parse_refuse(p, "--define takes NAME=VALUE");
        return;
    }
    d->name = arena_text(p->arena, s->value, (size_t)(equals - s->value));
    d->value = equals + 1;
    if (define_find(p->lexer.defines, d->name))
        return; /* what the caller defines wins */
    d->next = p->lexer.defines;
    p->lexer.defines = d;
}

static void parse_settings(struct parser *p)
{
    struct setting **end = &p->script->settings;

    while (parse_is(p, TOKEN_OPTION)) {
        struct setting *s = arena_take(p->arena, sizeof *s);
        struct token value;

        s->line = p->token.line;
        s->column = p->token.column;
        s->name = p->token.text;
        if (lex_value(&p->lexer, &value))
            s->value = value.text;
        if (strcmp(s->name, "define") == 0)
            parse_define(p, s);
        *end = s;
        end = &s->next;
        parse_next(p);
    }
}

/* A shell command without a time. */
static const char *parse_bare_shell(struct parser *p)
{
    const char *text = p->token.text;

    if (!parse_is(p, TOKEN_SHELL))
        return NULL;
    parse_next(p);
    return text;
}

int script_parse(struct script *out, struct arena *arena, const char *text, size_t len,
                 struct script_error *error)
{
    struct parser p = { .arena = arena, .script = out, .error = error };
    struct event **end = &out->events;

    lex_init(&p.lexer, text, len, arena);
    p.lexer.defines = out->defines;
    parse_next(&p);
    parse_settings(&p);
    out->init_line = p.token.line;
    out->init = parse_bare_shell(&p);
    while (!parse_is(&p, TOKEN_END) && !parse_is(&p, TOKEN_SHELL)) {
        *end = parse_event(&p);
        end = &(*end)->next;
    }
    out->cleanup = parse_bare_shell(&p);
    if (!parse_is(&p, TOKEN_END))
        parse_fail(&p, "the end of the script");
    if (!p.failed && !out->events)
        parse_fail(&p, "an event: a time, and what happens then");
    return p.failed ? -EINVAL : 0;
}
