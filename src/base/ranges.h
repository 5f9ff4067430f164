/* A sorted set of disjoint, non-touching intervals [from, to) of sequence numbers: what
 * has come out of order, the holes of a datagram. All points of one set lie within 2^31
 * of one another. Fixed capacity: adding an interval that would need one more than
 * RANGES_MAX is refused. */
#ifndef TAPIR_BASE_RANGES_H
#define TAPIR_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seq.h"

enum { RANGES_MAX = 32 };

struct range {
    struct seq from, to; /* [from, to), never empty */
};

struct ranges {
    struct range at[RANGES_MAX]; /* in order */
    size_t n;                    /* in use */
};

void ranges_clear(struct ranges *r);

/* Adds [from, to), merging what overlaps or touches. False (and nothing changed) when
 * there is no room for one more; an empty interval is fine and changes nothing. */
bool ranges_add(struct ranges *r, struct seq from, struct seq to);

/* Removes [from, to), splitting where it must. False when a split found no room; then
 * nothing changed. */
bool ranges_remove(struct ranges *r, struct seq from, struct seq to);

/* Removes everything before `to`. */
void ranges_remove_before(struct ranges *r, struct seq to);

/* The interval that holds `at`, or NULL. */
const struct range *ranges_find(const struct ranges *r, struct seq at);

/* Is all of [from, to) in the set? */
bool ranges_cover(const struct ranges *r, struct seq from, struct seq to);

/* The sum of the lengths. */
uint32_t ranges_total(const struct ranges *r);

#endif
