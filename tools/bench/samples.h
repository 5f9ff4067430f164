/* Latencies of one run. All are kept, so a percentile is one of them and no estimate:
 * a second of a busy server gives some 100,000, which are 400 KB. */
#ifndef TAPIR_TOOLS_SAMPLES_H
#define TAPIR_TOOLS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct samples {
    uint32_t *at; /* nanoseconds; at most 4.29 s each */
    size_t n, room;
    bool sorted;
};

/* False: there is no memory; the sample is not kept. */
bool samples_add(struct samples *s, int64_t ns);

/* The nearest rank: the least sample that at least `permille` of 1000 samples do not
 * exceed. 0 when there is none. */
int64_t samples_percentile(struct samples *s, unsigned permille);

/* Forgets the samples, keeps the memory. */
void samples_clear(struct samples *s);
void samples_free(struct samples *s);

#endif
