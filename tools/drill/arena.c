/* Each piece is a block of its own in a list: there are a few hundred of them, and none
 * is ever freed alone. */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

void *arena_take(struct arena *a, size_t size)
{
    struct arena_block *b = calloc(1, sizeof *b + size);

    if (!b) {
        fputs("tapir: no memory for the script\n", stderr);
        exit(1);
    }
    b->next = a->blocks;
    a->blocks = b;
    return b->data;
}

char *arena_text(struct arena *a, const char *text, size_t n)
{
    char *copy = arena_take(a, n + 1);

    memcpy(copy, text, n);
    return copy;
}

void arena_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
}
