/* Memory that is freed all at once: what a script's text becomes lives as long as the
 * script. */
#ifndef TAPIR_TOOLS_DRILL_ARENA_H
#define TAPIR_TOOLS_DRILL_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *blocks; /* NULL: nothing was taken yet */
};

/* Zeroed, aligned for anything. The program ends when there is no memory: a script is
 * small. */
void *arena_take(struct arena *a, size_t size);

/* A copy of n characters, with a NUL behind them. */
char *arena_text(struct arena *a, const char *text, size_t n);

void arena_free(struct arena *a);

#endif
