/* The name that was probably meant: of those tried, the one that is the fewest letters
 * away from a misspelt word, two at most.
 *
 *     struct nearest n = { .word = "--lnik" };
 *     nearest_try(&n, "--link");
 *     n.best is "--link" */
#ifndef TAPIR_TOOLS_NEAREST_H
#define TAPIR_TOOLS_NEAREST_H

struct nearest {
    const char *word;
    const char *best;  /* NULL: none is near */
    unsigned distance; /* of the best */
};

/* Keeps `name` (borrowed) if it is nearer than what was tried before. */
void nearest_try(struct nearest *n, const char *name);

#endif
