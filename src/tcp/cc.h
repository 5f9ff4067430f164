/* The controllers that are built in, and the table of controllers by name. */
#ifndef TAPIR_TCP_CC_H
#define TAPIR_TCP_CC_H

#include "tapir/cc.h"

enum {
    CC_MAX = 16,           /* controllers in a table */
    CC_CWND_MAX = 1 << 30, /* bytes: no receive window is larger (RFC 7323 s2.3) */
};

extern const struct cc_ops cc_reno;  /* RFC 5681, byte counting by RFC 3465 */
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

/* --- what controllers share ------------------------------------------------------ */

/* Half of what is in flight, two segments at least. */
uint32_t cc_halved(const struct cc *cc, uint32_t flight);

/* Adds to cwnd, up to CC_CWND_MAX. */
void cc_grow(struct cc *cc, uint32_t bytes);

/* Slow start, while cwnd < ssthresh: opens cwnd, not beyond ssthresh. The bytes of
 * `acked` that are left over when ssthresh is reached, for congestion avoidance. */
uint32_t cc_slow_start(struct cc *cc, uint32_t acked, bool after_rto);

/* Hybrid slow start, of one connection; zeroes to begin with. cc_hystart.c */
struct hystart {
    int64_t began, last; /* this round, and its last ACK of a train: microseconds */
    int64_t rtt;         /* its smallest sample, microseconds */
    uint32_t end;        /* SND.NXT when it began */
    uint8_t samples;     /* so many, SAMPLES at most */
};

/* An ACK came in slow start: should it end, where the window is? */
bool hystart_ends(struct hystart *h, const struct cc *cc, const struct cc_ack *ack);

/* The window to begin again with after a pause. */
uint32_t cc_restart_window(const struct cc *cc, uint32_t initial_window);

#endif
