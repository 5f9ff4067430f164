/* The data of a call, in one piece or in several. What a script sends is zeros, unless
 * it has a string there; what it receives is compared with zeros. So each byte is
 * checked without a word about it. */
#ifndef TAPIR_TOOLS_DRILL_PIECES_H
#define TAPIR_TOOLS_DRILL_PIECES_H

#include "calls.h"

enum { PIECES_MAX = 64 };

struct pieces {
    struct iovec iov[PIECES_MAX];        /* iov_base NULL: the script has NULL */
    const struct expr *text[PIECES_MAX]; /* what the script has there */
    int n;
};

/* One piece of `count` bytes for "...", NULL or a string; fails the call. */
void pieces_add(struct calling *c, struct pieces *p, const struct expr *text,
                long long count);

/* [{..., 100}, {..., 200}] */
void pieces_make(struct calling *c, const struct expr *list, struct pieces *p);

/* Fills them with what is no zero, so that it is seen what arrives. */
void pieces_prepare(struct pieces *p);

/* The first `len` bytes are what was sent, or the call fails. */
void pieces_check(struct calling *c, const struct pieces *p, long long len);

void pieces_free(struct pieces *p);

#endif
