/* How it works
 *
 * A binary heap in an array: the children of the item at i are at 2i+1 and 2i+2, and
 * none is before its parent. The array doubles when it is full and is kept until the
 * emulator ends, so after a while a frame costs no allocation. An empty queue is all
 * zeros. */
#include "edge/netem_queue.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

static bool before(const struct netem_item *a, const struct netem_item *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static bool grow(struct netem_queue *q)
{
    size_t cap = q->cap ? q->cap * 2 : FIRST_CAP;
    struct netem_item *item = realloc(q->item, cap * sizeof *item);

    if (!item)
        return false;
    q->item = item;
    q->cap = cap;
    return true;
}

bool netem_queue_push(struct netem_queue *q, struct pkt *p, usec at, usec hold)
{
    struct netem_item fresh = { at, q->pushed, p, hold };
    size_t i;

    if (q->n == q->cap && !grow(q))
        return false;
    q->pushed++;
    q->bytes += p->len;
    for (i = q->n++; i > 0; i = (i - 1) / 2) {
        if (!before(&fresh, &q->item[(i - 1) / 2]))
            break;
        q->item[i] = q->item[(i - 1) / 2];
    }
    q->item[i] = fresh;
    return true;
}

struct netem_item netem_queue_pop(struct netem_queue *q)
{
    struct netem_item first = q->item[0];
    struct netem_item last = q->item[--q->n];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < q->n) {
        if (child + 1 < q->n && before(&q->item[child + 1], &q->item[child]))
            child++;
        if (!before(&q->item[child], &last))
            break;
        q->item[i] = q->item[child];
        i = child;
    }
    q->item[i] = last;
    q->bytes -= first.p->len;
    return first;
}

void netem_queue_free(struct netem_queue *q)
{
    for (size_t i = 0; i < q->n; i++)
        pkt_free(q->item[i].p);
    free(q->item);
    memset(q, 0, sizeof *q);
}
