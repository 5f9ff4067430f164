/* An array that doubles, sorted when the first percentile is asked. */
#include "samples.h"

#include <stdlib.h>

enum { FIRST_ROOM = 4096 };

static bool grow(struct samples *s)
{
    size_t room = s->room ? 2 * s->room : FIRST_ROOM;
    uint32_t *at = realloc(s->at, room * sizeof *at);
    if (!at)
        return false;
    s->at = at;
    s->room = room;
    return true;
}

bool samples_add(struct samples *s, int64_t ns)
{
    if (s->n == s->room && !grow(s))
        return false;
    s->at[s->n++] = ns < 0 ? 0 : ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    s->sorted = false;
    return true;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int64_t samples_percentile(struct samples *s, unsigned permille)
{
    if (s->n == 0)
        return 0;
    if (!s->sorted)
        qsort(s->at, s->n, sizeof *s->at, ascending);
    s->sorted = true;
    size_t rank = (s->n * permille + 999) / 1000;
    return s->at[rank == 0 ? 0 : rank > s->n ? s->n - 1 : rank - 1];
}

void samples_clear(struct samples *s)
{
    s->n = 0;
    s->sorted = false;
}

void samples_free(struct samples *s)
{
    free(s->at);
    *s = (struct samples){ 0 };
}
