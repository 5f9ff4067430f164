/* How it works.
 *
 *     part:  [0] ──► page of numbers    0 .. 510
 *            [1] ──► NULL             511 .. 1021     (none in use)
 *            [2] ──► page of numbers 1022 .. 1532
 *
 * The directory grows and stays: eight bytes for 511 numbers. */
#include "edge/fdmap.h"

#include <stdlib.h>

#include "base/pages.h"

_Static_assert(sizeof(struct fdmap_part) <= PAGE_BYTES, "a part is a page");

static struct fdmap_part *part_of(const struct fdmap *m, size_t number)
{
    size_t i = number / FDMAP_PART;
    return i < m->n ? m->part[i] : NULL;
}

void *fdmap_get(const struct fdmap *m, size_t number)
{
    const struct fdmap_part *part = part_of(m, number);
    return part ? part->at[number % FDMAP_PART] : NULL;
}

static bool grow(struct fdmap *m, size_t n)
{
    struct fdmap_part **part = realloc(m->part, n * sizeof(struct fdmap_part *));

    if (!part)
        return false;
    m->part = part;
    while (m->n < n)
        part[m->n++] = NULL;
    return true;
}

bool fdmap_put(struct fdmap *m, size_t number, void *what)
{
    size_t i = number / FDMAP_PART;

    if (i >= m->n && !grow(m, i + 1))
        return false;
    if (!m->part[i])
        m->part[i] = pages_new(sizeof(struct fdmap_part));
    if (!m->part[i])
        return false;
    m->part[i]->used += m->part[i]->at[number % FDMAP_PART] == NULL;
    m->part[i]->at[number % FDMAP_PART] = what;
    return true;
}

void fdmap_clear(struct fdmap *m, size_t number)
{
    struct fdmap_part *part = part_of(m, number);

    if (!part || !part->at[number % FDMAP_PART])
        return;
    part->at[number % FDMAP_PART] = NULL;
    if (--part->used > 0)
        return;
    pages_free(part, sizeof *part);
    m->part[number / FDMAP_PART] = NULL;
}

size_t fdmap_free_number(const struct fdmap *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct fdmap_part *part = m->part[i];
        size_t at = 0;

        if (part && part->used == FDMAP_PART)
            continue;
        while (part && part->at[at])
            at++;
        return i * FDMAP_PART + at;
    }
    return m->n * FDMAP_PART;
}

void fdmap_done(struct fdmap *m)
{
    for (size_t i = 0; i < m->n; i++)
        pages_free(m->part[i], sizeof(struct fdmap_part));
    free(m->part);
    *m = (struct fdmap){ 0 };
}
