/* A map from small numbers (descriptors) to pointers, in parts of a page each: a part
 * exists while one of its numbers is in use, so memory follows the numbers that are
 * open, and goes back when they are closed. */
#ifndef TAPIR_EDGE_FDMAP_H
#define TAPIR_EDGE_FDMAP_H

#include <stdbool.h>
#include <stddef.h>

enum { FDMAP_PART = 511 }; /* numbers in a part: it is a page, with its count */

struct fdmap_part {
    void *at[FDMAP_PART]; /* NULL: not in use */
    size_t used;
};

struct fdmap {
    struct fdmap_part **part; /* n of them; NULL: none of its numbers is in use */
    size_t n;
};

/* What the number stands for; NULL when it is not in use. */
void *fdmap_get(const struct fdmap *m, size_t number);

/* Sets what it stands for (not NULL). False: no memory; never when it was in use. */
bool fdmap_put(struct fdmap *m, size_t number, void *what);

void fdmap_clear(struct fdmap *m, size_t number);

/* The lowest number that is not in use. */
size_t fdmap_free_number(const struct fdmap *m);

/* Forgets all numbers. */
void fdmap_done(struct fdmap *m);

#endif
