/* A script's text as tokens, each with its place. Comments of C and C++ are left out;
 * so are the parts between #ifdef NAME and #endif whose NAME is not defined. A word
 * that is defined (NAME=VALUE) becomes its value. */
#ifndef TAPIR_TOOLS_DRILL_LEX_H
#define TAPIR_TOOLS_DRILL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,     /* socket, S, SOL_TCP, 1a2b (a blob of hexadecimal digits) */
    TOKEN_INTEGER,  /* 100, -1, 0x20 */
    TOKEN_DECIMAL,  /* 0.1, .25 */
    TOKEN_STRING,   /* "...": what is between the quotes, escapes resolved */
    TOKEN_SHELL,    /* `...` */
    TOKEN_CODE,     /* %{ ... }% */
    TOKEN_OPTION,   /* --name: its name */
    TOKEN_ELLIPSIS, /* ... */
    TOKEN_CHAR,     /* any other character: text is that one */
    TOKEN_BAD,      /* no token: text says what is wrong */
};

struct token {
    enum token_kind kind;
    int line, column; /* from 1 on */
    const char *text; /* as written, without what encloses it; ends with a NUL */
    size_t len;       /* of text: a string may have NULs in it */
    long long number; /* INTEGER */
    double decimal;   /* DECIMAL and INTEGER */
};

/* NAME=VALUE pairs; a value is "a string", `shell`, a number or a word. */
struct define {
    const struct define *next;
    const char *name, *value;
};

const char *define_find(const struct define *defines, const char *name);

struct lexer {
    const char *at, *end; /* what is left */
    const char *line_at;  /* where the line began */
    int line;
    struct arena *arena; /* of the tokens' texts */
    const struct define *defines;
};

/* `len` characters at `text`, which outlive the lexer. */
void lex_init(struct lexer *l, const char *text, size_t len, struct arena *arena);

void lex_next(struct lexer *l, struct token *out);

/* Behind an option: "=" and what stands from there to the next blank, as a WORD; it may
 * be an address or a path. False: there is no "=". */
bool lex_value(struct lexer *l, struct token *out);

#endif
