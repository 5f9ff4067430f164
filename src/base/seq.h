/* Sequence numbers (RFC 9293 s3.4): points on a circle of 2^32. They are a struct, so
 * that `a < b` does not compile; order is asked through these functions and holds while
 * the two points are less than 2^31 apart. `.n` is read here and in wire/ only. */
#ifndef TAPIR_BASE_SEQ_H
#define TAPIR_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct seq {
    uint32_t n; /* the number on the wire, host order */
};

static inline struct seq seq_at(uint32_t n)
{
    return (struct seq){ n };
}

static inline struct seq seq_add(struct seq a, uint32_t len)
{
    return (struct seq){ a.n + len };
}

static inline struct seq seq_sub(struct seq a, uint32_t len)
{
    return (struct seq){ a.n - len };
}

/* How far a lies beyond b; negative when it lies before. */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
    return (int32_t)(a.n - b.n);
}

/* The length of [from, to), where it is known that from <= to. */
static inline uint32_t seq_len(struct seq from, struct seq to)
{
    return to.n - from.n;
}

static inline bool seq_eq(struct seq a, struct seq b)
{
    return a.n == b.n;
}

static inline bool seq_lt(struct seq a, struct seq b)
{
    return seq_diff(a, b) < 0;
}

static inline bool seq_leq(struct seq a, struct seq b)
{
    return seq_diff(a, b) <= 0;
}

/* Is a in [from, from + len)? */
static inline bool seq_within(struct seq a, struct seq from, uint32_t len)
{
    return a.n - from.n < len;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
    return seq_lt(a, b) ? a : b;
}

static inline struct seq seq_max(struct seq a, struct seq b)
{
    return seq_lt(a, b) ? b : a;
}

#endif
