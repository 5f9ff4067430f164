/* The clock, and errors in the form that all of Tapir has: what, cause, fix. */
#include "bench.h"

#include <stdio.h>
#include <time.h>

int64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * BENCH_SECOND + t.tv_nsec;
}

int bench_fail(const char *what, const char *cause, const char *fix)
{
    fprintf(stderr, "%s\n", what);
    if (cause)
        fprintf(stderr, "  cause: %s\n", cause);
    if (fix)
        fprintf(stderr, "  fix:   %s\n", fix);
    return 1;
}
