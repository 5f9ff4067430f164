/* How it works.
 *
 * An array in the order of the circle; since all points lie within 2^31 of one another
 * the order is total. The sets are short (a handful of holes), so a linear walk beats
 * anything cleverer. Intervals never touch: adding merges neighbours, and [a, b) with
 * [b, c) is one interval.
 *
 *     add    |---|   |--|    |-----|        the new interval swallows the middle ones
 *              +--------+                   and takes the ends of the outer ones
 *            |----------|    |-----| */
#include "base/ranges.h"

#include <string.h>

void ranges_clear(struct ranges *r)
{
    r->n = 0;
}

/* Puts `with` (0 to 2 intervals) in the place of [i, j); there is room for them. */
static void splice(struct ranges *r, size_t i, size_t j, const struct range *with,
                   size_t n)
{
    memmove(&r->at[i + n], &r->at[j], (r->n - j) * sizeof r->at[0]);
    if (n > 0)
        memcpy(&r->at[i], with, n * sizeof r->at[0]);
    r->n = r->n - (j - i) + n;
}

bool ranges_add(struct ranges *r, struct seq from, struct seq to)
{
    size_t i = 0;
    if (seq_leq(to, from))
        return true;
    while (i < r->n && seq_lt(r->at[i].to, from))
        i++;
    size_t j = i;
    while (j < r->n && seq_leq(r->at[j].from, to))
        j++;
    if (i == j && r->n == RANGES_MAX)
        return false;
    struct range merged = { from, to };
    if (i < j) {
        merged.from = seq_min(from, r->at[i].from);
        merged.to = seq_max(to, r->at[j - 1].to);
    }
    splice(r, i, j, &merged, 1);
    return true;
}

bool ranges_remove(struct ranges *r, struct seq from, struct seq to)
{
    size_t i = 0;
    if (seq_leq(to, from))
        return true;
    while (i < r->n && seq_leq(r->at[i].to, from))
        i++;
    size_t j = i;
    while (j < r->n && seq_lt(r->at[j].from, to))
        j++;
    if (i == j)
        return true;
    struct range left[2];
    size_t n = 0;
    if (seq_lt(r->at[i].from, from))
        left[n++] = (struct range){ r->at[i].from, from };
    if (seq_lt(to, r->at[j - 1].to))
        left[n++] = (struct range){ to, r->at[j - 1].to };
    if (r->n - (j - i) + n > RANGES_MAX)
        return false;
    splice(r, i, j, left, n);
    return true;
}

void ranges_remove_before(struct ranges *r, struct seq to)
{
    size_t i = 0;
    while (i < r->n && seq_leq(r->at[i].to, to))
        i++;
    splice(r, 0, i, NULL, 0);
    if (r->n > 0)
        r->at[0].from = seq_max(r->at[0].from, to);
}

const struct range *ranges_find(const struct ranges *r, struct seq at)
{
    for (size_t i = 0; i < r->n && seq_leq(r->at[i].from, at); i++) {
        if (seq_lt(at, r->at[i].to))
            return &r->at[i];
    }
    return NULL;
}

bool ranges_cover(const struct ranges *r, struct seq from, struct seq to)
{
    if (seq_leq(to, from))
        return true;
    const struct range *in = ranges_find(r, from);
    return in && seq_leq(to, in->to);
}

uint32_t ranges_total(const struct ranges *r)
{
    uint32_t total = 0;
    for (size_t i = 0; i < r->n; i++)
        total += seq_len(r->at[i].from, r->at[i].to);
    return total;
}
