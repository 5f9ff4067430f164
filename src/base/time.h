/* Time: microseconds since the stack began, as a value that callers pass in. Nothing
 * below edge asks a clock. */
#ifndef TAPIR_BASE_TIME_H
#define TAPIR_BASE_TIME_H

#include <stdint.h>

typedef int64_t usec;

#define NEVER INT64_MAX

#define USEC_PER_MS  ((usec)1000)
#define USEC_PER_SEC ((usec)1000000)

static inline usec usec_min(usec a, usec b)
{
    return a < b ? a : b;
}

static inline usec usec_max(usec a, usec b)
{
    return a > b ? a : b;
}

#endif
