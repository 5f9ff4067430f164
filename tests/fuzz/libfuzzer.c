/* The face that libFuzzer and AFL++'s driver call. The first argument, or else
 * TAPIR_FUZZ, names the harness; it is kept in the environment for the processes that
 * libFuzzer starts itself (-merge=1). */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz *fuzz;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("TAPIR_FUZZ");

    if (*argc > 1 && fuzz_find((*argv)[1])) {
        name = (*argv)[1];
        setenv("TAPIR_FUZZ", name, 1);
        (*argv)[1] = (*argv)[0];
        (*argv)++;
        (*argc)--;
    }
    fuzz = name ? fuzz_find(name) : NULL;
    if (!fuzz) {
        fprintf(stderr, "usage: libfuzzer NAME [DIR...]\n");
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz->run(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    return 0;
}
