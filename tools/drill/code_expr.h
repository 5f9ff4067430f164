/* Values of %{ code }% and how they are read; between code.c (statements) and
 * code_expr.c (everything below). */
#ifndef TAPIR_TOOLS_DRILL_CODE_EXPR_H
#define TAPIR_TOOLS_DRILL_CODE_EXPR_H

#include "code.h"

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

/* Where the first thing goes wrong, the reading ends: nothing is left behind it. */
struct reader {
    struct code *code;
    const char *at;
    char *why; /* of `room` bytes */
    size_t room;
    int depth; /* of brackets and signs */
    bool failed;
};

void code_fail(struct reader *r, const char *what);

/* Blanks, comments, and ends of lines that a backslash or a bracket joins. */
void code_skip(struct reader *r);

/* Takes the token if it is the next one; a word only as a whole. Or fails. */
bool code_take(struct reader *r, const char *token);
void code_need(struct reader *r, const char *token);
bool code_take_name(struct reader *r, char name[NAME_TEXT]);

/* The variable, constant or field of this name, or fails. */
struct code_name *code_find(struct code *c, const char *name);
struct value code_look_up(struct reader *r, const char *name);

/* The next value: all of an expression. */
struct value code_value(struct reader *r);

struct value code_number(double n);
bool code_is_true(const struct value *v);
double code_amount(struct reader *r, const struct value *v); /* fails for a text */
void code_print(const struct value *v, char *out, size_t room);

#endif
