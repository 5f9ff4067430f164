/* A lab's sheet: a file of sections, whose text is indented.
 *
 *     title What a handshake costs
 *     predict
 *       text
 *     run
 *       experiments, one a line (experiment.h)
 *     see
 *       text
 *     questions
 *       text
 *     answers
 *       for questions whose answer is a number: the question's, and the experiment that
 *       gives it: "2 close how=fin framing=length" */
#ifndef TAPIR_LAB_SHEET_H
#define TAPIR_LAB_SHEET_H

#include <stdbool.h>

enum { SHEET_RUNS = 64 };

struct sheet {
    char *text; /* the file; what follows points into it */
    const char *title;
    char *predict, *see, *questions; /* NULL: there is none */
    const char *run[SHEET_RUNS];
    unsigned runs;
    const char *answer[SHEET_RUNS];
    unsigned answers;
};

/* Reads a file. 0; negative errno; -EINVAL: it is no sheet. */
int sheet_read(const char *path, struct sheet *sheet);
void sheet_free(struct sheet *sheet);

/* The experiment that answers a question ("2"); NULL: there is none. */
const char *sheet_answer(const struct sheet *sheet, const char *question);

#endif
