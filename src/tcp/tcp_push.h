/* Where send calls end in text that is not sent yet: a segment that ends there gets PSH
 * (RFC 9293 s3.9.1.2), as it would where each call said PUSH. What was sent knows it by
 * its record (tcp_sent.h).
 *
 * Only so many ends are remembered. Of a writer that is further ahead the newest one
 * takes the place of the one before, as if two calls had been one: the segments in
 * between go without PSH, and since more text follows them at once nobody waits. */
#ifndef TAPIR_TCP_PUSH_H
#define TAPIR_TCP_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seq.h"

enum { PUSH_ENDS = 16 };

struct push_ends {
    struct seq at[PUSH_ENDS]; /* oldest first, each beyond the one before */
    uint8_t n;
};

/* A send call ended at `end`, beyond all that are known. */
void push_mark(struct push_ends *p, struct seq end);

/* What lies up to nxt is sent. */
void push_sent(struct push_ends *p, struct seq nxt);

/* Does a send call end there? */
bool push_at(const struct push_ends *p, struct seq end);

/* Of `len` bytes from `from` on, in segments of `size`: how many there are up to the
 * first segment that ends where a call does. */
uint32_t push_first(const struct push_ends *p, struct seq from, uint32_t len,
                    uint32_t size);

#endif
