/* The controllers that are built in, and the table of controllers by name. */
#ifndef TAPIR_TCP_CC_H
#define TAPIR_TCP_CC_H

#include "tapir/cc.h"

enum { CC_MAX = 16 };

extern const struct cc_ops cc_reno;  /* RFC 5681, byte counting by RFC 3465 with L=2 */
extern const struct cc_ops cc_cubic; /* RFC 9438 */

struct cc_table {
    const struct cc_ops *at[CC_MAX];
    unsigned n;
};

/* Reno and CUBIC. */
void cc_table_init(struct cc_table *t);

/* 0, -EEXIST or -ENOSPC. `ops` is borrowed for the life of the stack. */
int cc_add(struct cc_table *t, const struct cc_ops *ops);

/* NULL when there is none of that name. */
const struct cc_ops *cc_find(const struct cc_table *t, const char *name);

/* Starts a controller with a window of `initial_window` bytes. */
void cc_start(struct cc *cc, const struct cc_ops *ops, uint32_t mss,
              uint32_t initial_window);

/* RFC 6928 s2 for segments = 10: min(segments * mss, max(2 * mss, 14600)) in that case;
 * segments * mss for any other number. */
uint32_t cc_initial_window(uint32_t mss, uint32_t segments);

#endif
