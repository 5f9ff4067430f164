/* A script as a tree: what it says, nothing of what it means. All of it is in one
 * arena. */
#ifndef TAPIR_TOOLS_DRILL_SCRIPT_H
#define TAPIR_TOOLS_DRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"
#include "lex.h"
#include "packet.h"

enum when_kind {
    WHEN_AT,          /* 0.1 */
    WHEN_AFTER,       /* +0.1, behind the event before */
    WHEN_WITHIN,      /* 0.1~0.2 */
    WHEN_WITHIN_NEXT, /* +0.1~+0.2 */
    WHEN_ANY,         /* * */
};

struct when {
    enum when_kind kind;
    usec from, to; /* `to` of the two ranges */
};

enum expr_kind {
    EXPR_ANY,    /* ... */
    EXPR_NUMBER, /* 3, 0x20 */
    EXPR_WORD,   /* SOCK_STREAM */
    EXPR_STRING, /* "cubic" */
    EXPR_OR,     /* parts, joined by | */
    EXPR_LIST,   /* [ parts ] */
    EXPR_STRUCT, /* { parts }, mostly with names */
    EXPR_CALL,   /* text(parts): htons(8080), inet_addr("192.0.2.1") */
};

/* An argument of a call, or its result. */
struct expr {
    enum expr_kind kind;
    const char *name; /* what it is called in a struct: "fd" of fd=3; else NULL */
    const char *text; /* WORD, STRING, CALL */
    size_t len;       /* of a STRING */
    bool open;        /* STRING: more follows ("abc"...) */
    long long number;
    const struct expr *parts; /* of OR, LIST, STRUCT, CALL: the first */
    struct expr *next;        /* the next part, or argument */
};

struct call_line {
    const char *name;
    const struct expr *args; /* the first; NULL: none */
    size_t n_args;
    const struct expr *result;
    const char *error; /* "EPIPE" behind the result, or NULL */
    bool waits;        /* +0...0.2 read(): runs beside the script */
    usec until;        /* ... and returns then, counted as its `when` */
};

enum event_kind { EVENT_PACKET, EVENT_CALL, EVENT_SHELL, EVENT_CODE };

struct event {
    struct event *next;
    int line;
    struct when when;
    enum event_kind kind;
    const struct packet *packet;  /* EVENT_PACKET */
    const struct call_line *call; /* EVENT_CALL */
    const char *text;             /* EVENT_SHELL, EVENT_CODE */
};

/* An option at the head of the script, or of the program. */
struct setting {
    struct setting *next;
    int line, column;
    const char *name, *value; /* value: NULL without "=" */
};

struct script {
    const char *file;             /* the caller's, and the two next ones, too */
    const struct define *defines; /* they go before those of the script */
    bool freebsd; /* the caller's: what FreeBSD's packetdrill alone can read, too */
    struct setting *settings; /* in their order */
    const char *init;         /* the shell command before all, or NULL */
    int init_line;
    const char *cleanup; /* the one behind all, or NULL */
    struct event *events;
};

/* Where a script is no script, and why. */
struct script_error {
    int line, column;
    char text[160];
};

/* Reads `len` characters at `text` into *out, whose first three fields are set. 0, or
 * -EINVAL and *error. */
int script_parse(struct script *out, struct arena *arena, const char *text, size_t len,
                 struct script_error *error);

#endif
