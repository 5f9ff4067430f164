/* What the programs of `make bench` have in common: the clock and how they fail. */
#ifndef TAPIR_TOOLS_BENCH_H
#define TAPIR_TOOLS_BENCH_H

#include <stdint.h>

#define BENCH_SECOND INT64_C(1000000000)

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t bench_now(void);

/* What went wrong, why, and what mends it (cause and fix may be NULL), on stderr; 1. */
int bench_fail(const char *what, const char *cause, const char *fix);

#endif
