/* Between the parts of the parser (parse.c, parse_packet.c, parse_call.c): one token of
 * look-ahead and the first error. After an error there is nothing but the end, so that
 * nobody has to ask in between. */
#ifndef TAPIR_TOOLS_DRILL_PARSE_H
#define TAPIR_TOOLS_DRILL_PARSE_H

#include <errno.h>

#include "script.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct arena *arena;
    struct script *script;
    struct script_error *error;
    bool failed;
};

/* Moves to the next token. */
void parse_next(struct parser *p);

/* The script is wrong at the next token. Only the first error counts. */
void parse_fail(struct parser *p, const char *expected);

/* The same, with a sentence of its own. */
void parse_refuse(struct parser *p, const char *what);

bool parse_is(const struct parser *p, enum token_kind kind);
bool parse_is_char(const struct parser *p, char c);
bool parse_is_word(const struct parser *p, const char *word);

/* Takes the next token if it is this one. */
bool parse_take_char(struct parser *p, char c);
bool parse_take_word(struct parser *p, const char *word);

/* Takes it, or fails. */
void parse_char(struct parser *p, char c);

/* A whole number from min to max, or fails: "expected a window, 0 to 65535". */
long long parse_number(struct parser *p, const char *what, long long min,
                       long long max);

/* A time in seconds, in microseconds. */
usec parse_time(struct parser *p);

const struct packet *parse_packet(struct parser *p);
const struct call_line *parse_call(struct parser *p);

#endif
