/* The head of an HTTP answer (RFC 9112 s4, s5), as far as a load generator needs it. It
 * knows no chunks: the files that the bench asks for have a Content-Length. */
#ifndef TAPIR_TOOLS_ANSWER_H
#define TAPIR_TOOLS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
    unsigned status;
    uint64_t length; /* of the body */
};

/* Reads the head in text[0..len). Returns its
 * length with the empty line, 0 if it is not whole yet, -1 if it is no answer with a
 * Content-Length. */
int answer_parse(char *text, size_t len, struct answer *a);

#endif
