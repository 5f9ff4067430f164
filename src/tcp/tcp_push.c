/* A short sorted list. It is empty or has one entry unless the writer is ahead of the
 * network by several calls. */
#include "tcp/tcp_push.h"

#include <assert.h>
#include <string.h>

static void forget(struct push_ends *p, unsigned first, unsigned n)
{
    unsigned after = p->n - first - n;

    memmove(p->at + first, p->at + first + n, after * sizeof p->at[0]);
    memmove(p->record + first, p->record + first + n, after * sizeof p->record[0]);
    p->n = (uint8_t)(p->n - n);
}

/* The newest end that is no record's, or else the newest. */
static unsigned least_missed(const struct push_ends *p)
{
    for (unsigned i = p->n; i > 0; i--)
        if (!p->record[i - 1])
            return i - 1;
    return p->n - 1u;
}

void push_mark(struct push_ends *p, struct seq end)
{
    assert(p->n == 0 || seq_lt(p->at[p->n - 1], end));
    if (p->n == PUSH_ENDS)
        forget(p, least_missed(p), 1);
    p->record[p->n] = false;
    p->at[p->n++] = end;
}

void push_end_record(struct push_ends *p, struct seq end)
{
    if (p->n > 0 && seq_eq(p->at[p->n - 1], end))
        p->record[p->n - 1] = true;
}

uint32_t push_record(const struct push_ends *p, struct seq from)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->record[i])
            return seq_len(from, p->at[i]);
    return UINT32_MAX;
}

void push_sent(struct push_ends *p, struct seq nxt)
{
    unsigned sent = 0;

    while (sent < p->n && seq_leq(p->at[sent], nxt))
        sent++;
    if (sent > 0)
        forget(p, 0, sent);
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
