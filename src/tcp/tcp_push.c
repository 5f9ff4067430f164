/* A short sorted list. It is empty or has one entry unless the writer is ahead of the
 * network by several calls. */
#include "tcp/tcp_push.h"

#include <assert.h>
#include <string.h>

void push_mark(struct push_ends *p, struct seq end)
{
    assert(p->n == 0 || seq_lt(p->at[p->n - 1], end));
    if (p->n == PUSH_ENDS)
        p->n--;
    p->at[p->n++] = end;
}

void push_sent(struct push_ends *p, struct seq nxt)
{
    uint8_t sent = 0;

    while (sent < p->n && seq_leq(p->at[sent], nxt))
        sent++;
    if (sent == 0)
        return;
    p->n = (uint8_t)(p->n - sent);
    memmove(p->at, p->at + sent, p->n * sizeof p->at[0]);
}

bool push_at(const struct push_ends *p, struct seq end)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (seq_eq(p->at[i], end))
            return true;
    return false;
}

uint32_t push_first(const struct push_ends *p, struct seq from, uint32_t len,
                    uint32_t size)
{
    for (uint8_t i = 0; i < p->n; i++) {
        uint32_t upto = seq_len(from, p->at[i]);
        if (upto >= len)
            break;
        if (upto % size == 0)
            return upto;
    }
    return len;
}
