/* Where send calls end in text that is not sent yet: a segment that ends there gets PSH
 * (RFC 9293 s3.9.1.2), as it would where each call said PUSH. What was sent knows it by
 * its record (tcp_sent.h).
 *
 * Only so many ends are remembered. Of a writer that is further ahead the newest one
 * takes the place of the one before, as if two calls had been one: the segments in
 * between go without PSH, and since more text follows them at once nobody waits. Ends
 * of records (MSG_EOR) stay as long as there are others to forget. */
#ifndef TAPIR_TCP_PUSH_H
#define TAPIR_TCP_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seq.h"

enum { PUSH_ENDS = 16 };

struct push_ends {
    struct seq at[PUSH_ENDS]; /* oldest first, each beyond the one before */
    bool record[PUSH_ENDS];   /* it ends a record: what follows shares no segment */
    uint8_t n;
};

/* A send call ended at `end`, beyond all that are known. */
void push_mark(struct push_ends *p, struct seq end);

/* The newest call, if it ended at `end`, ends a record. */
void push_end_record(struct push_ends *p, struct seq end);

/* How far it is from `from` to the end of its record; UINT32_MAX: none is known. */
uint32_t push_record(const struct push_ends *p, struct seq from);

/* What lies up to nxt is sent. */
void push_sent(struct push_ends *p, struct seq nxt);

/* Does a send call end there? */
bool push_at(const struct push_ends *p, struct seq end);

/* Of `len` bytes from `from` on, in segments of `size`: how many there are up to the
 * first segment that ends where a call does. */
uint32_t push_first(const struct push_ends *p, struct seq from, uint32_t len,
                    uint32_t size);

#endif
