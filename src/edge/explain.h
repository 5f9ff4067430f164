/* Errors for a person: what failed, why, and what mends it. */
#ifndef TAPIR_EDGE_EXPLAIN_H
#define TAPIR_EDGE_EXPLAIN_H

#include "tapir/socket.h"

/* Fills *e (unless it is NULL) with "what: ENAME (sentence)" and empty cause and fix.
 * err is negative errno; it is returned, so that a caller can pass it on. */
int explain(struct tapir_error *e, int err, const char *what);

/* As printf, into the cause and into the fix. e may be NULL. */
void explain_cause(struct tapir_error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void explain_fix(struct tapir_error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
