/* How it works.
 *
 * A connection has a struct cc by value; struct cc_ops says what is done with it. The
 * controllers are found by name in the stack's table, where a program may add its own.
 *
 * What all window-based controllers share lies here too: the initial window and slow
 * start. */
#include "tcp/cc.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

void cc_table_init(struct cc_table *t)
{
    *t = (struct cc_table){ 0 };
    cc_add(t, &cc_reno);
    cc_add(t, &cc_cubic);
}

int cc_add(struct cc_table *t, const struct cc_ops *ops)
{
    if (cc_find(t, ops->name))
        return -EEXIST;
    if (t->n == CC_MAX)
        return -ENOSPC;
    t->at[t->n++] = ops;
    return 0;
}

const struct cc_ops *cc_find(const struct cc_table *t, const char *name)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (strcmp(t->at[i]->name, name) == 0)
            return t->at[i];
    }
    return NULL;
}

/* RFC 5681 s3.1 (SHLD-cc-ssthresh-high). */
void cc_start(struct cc *cc, const struct cc_ops *ops, uint32_t mss,
              uint32_t initial_window)
{
    *cc = (struct cc){
        .ops = ops, .mss = mss, .cwnd = initial_window, .ssthresh = CC_INFINITE
    };
    ops->init(cc);
}

uint32_t cc_initial_window(uint32_t mss, uint32_t segments)
{
    uint64_t window = (uint64_t)segments * mss;
    /* Deviates from RFC 5681 s3.1 (MUST-cc-initial, four segments at most) by RFC 6928
     * s2: ten segments, but fewer of those that are longer than Ethernet's. */
    if (segments == 10 && window > max_u32(2 * mss, 14600))
        window = max_u32(2 * mss, 14600);
    return window < CC_CWND_MAX ? (uint32_t)window : CC_CWND_MAX;
}

uint32_t cc_halved(const struct cc *cc, uint32_t flight)
{
    /* RFC 5681 s3.1, equation 4 (MUST-cc-ssthresh), s3.2 (MUST-cc-ssthresh-fast). */
    return max_u32(flight / 2, 2 * cc->mss);
}

void cc_grow(struct cc *cc, uint32_t bytes)
{
    uint32_t room = cc->cwnd < CC_CWND_MAX ? CC_CWND_MAX - cc->cwnd : 0;
    cc->cwnd += min_u32(bytes, room);
}

uint32_t cc_slow_start(struct cc *cc, uint32_t acked, bool after_rto)
{
    /* RFC 9293 s3.8.2 (MUST-19), RFC 5681 s3.1 (MUST-cc-used, SHLD-cc-slow-start).
     * Deviates from RFC 5681 s3.1 (MUST-cc-slow-start, a segment an acknowledgment) and
     * RFC 3465 s2.2 (two) as Linux does: all that is acknowledged counts, because one
     * acknowledgment from a device that merges segments stands for dozens. s2.3: after
     * a time-out, where it may cover text that left the network long ago, it is one
     * segment. */
    uint32_t counts = after_rto ? min_u32(acked, cc->mss) : acked;
    uint32_t room = cc->ssthresh - cc->cwnd;
    uint32_t grow = min_u32(counts, room);
    cc_grow(cc, grow);
    return grow == room ? counts - grow : 0;
}

uint32_t cc_restart_window(const struct cc *cc, uint32_t initial_window)
{
    /* RFC 5681 s4.1 (SHLD-cc-idle): RW = min(IW, cwnd). */
    return min_u32(initial_window, cc->cwnd);
}
