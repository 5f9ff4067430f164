/* How it works.
 *
 * One block holds a struct pkt and, behind it, its bytes, which are never cleared.
 * Blocks come from a pool of slabs for each of the two sizes (slab.h): the one freed
 * last first, while its bytes are still in the cache. As much free memory is kept as a
 * busy moment needs; what is beyond that, or was not needed for a while, goes back to
 * the kernel, so that a stack that was once flooded does not stay large.
 *
 * The limit counts bytes handed out, at their full size, since that is what a peer
 * can make us hold. */
#include "base/pkt.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
    KEEP_SMALL = 4 << 20, /* bytes of free packets kept */
    KEEP_LARGE = 8 << 20, /* of addresses; half of them are memory */
};

void pkt_pool_init_in(struct pkt_pool *pool, struct slab_set *set, size_t limit,
                      size_t reserve)
{
    *pool = (struct pkt_pool){ .limit = limit, .reserve = min_size(limit, reserve) };
    slab_init(&pool->small, set, sizeof(struct pkt) + PKT_SMALL, KEEP_SMALL);
    slab_init(&pool->large, set, sizeof(struct pkt) + PKT_LARGE, KEEP_LARGE);
}

void pkt_pool_init(struct pkt_pool *pool, size_t limit, size_t reserve)
{
    pkt_pool_init_in(pool, NULL, limit, reserve);
}

void pkt_pool_free(struct pkt_pool *pool)
{
    assert(pool->live == 0);
    slab_done(&pool->small);
    slab_done(&pool->large);
    pool->limit = pool->reserve = 0;
}

static struct slab_pool *slabs(struct pkt_pool *pool, uint32_t cap)
{
    return cap == PKT_SMALL ? &pool->small : &pool->large;
}

static struct pkt *pkt_within(struct pkt_pool *pool, size_t room, size_t limit)
{
    if (room > PKT_LARGE - PKT_HEADROOM)
        return NULL;
    uint32_t cap = room <= PKT_SMALL - PKT_HEADROOM ? PKT_SMALL : PKT_LARGE;
    if (pool->bytes + cap > limit)
        return NULL;
    struct pkt *p = slab_new(slabs(pool, cap));
    if (!p)
        return NULL;
    uint8_t *buf = (uint8_t *)(p + 1);
    *p = (struct pkt){
        .pool = pool, .buf = buf, .cap = cap, .data = buf + PKT_HEADROOM
    };
    pool->live++;
    pool->bytes += cap;
    return p;
}

struct pkt *pkt_new(struct pkt_pool *pool, size_t room)
{
    return pkt_within(pool, room, pool->limit - pool->reserve);
}

struct pkt *pkt_new_urgent(struct pkt_pool *pool, size_t room)
{
    return pkt_within(pool, room, pool->limit);
}

void pkt_free(struct pkt *p)
{
    if (!p)
        return;
    struct pkt_pool *pool = p->pool;
    assert(pool->live > 0 && pool->bytes >= p->cap);
    pool->live--;
    pool->bytes -= p->cap;
    slab_free(slabs(pool, p->cap), p);
}

size_t pkt_total(const struct pkt *p)
{
    size_t total = p->len;
    for (unsigned i = 0; i < p->n_text; i++)
        total += p->text[i].len;
    return total;
}

size_t pkt_flatten(const struct pkt *p, uint8_t *out, size_t room)
{
    size_t done = min_size(p->len, room);
    memcpy(out, p->data, done);
    for (unsigned i = 0; i < p->n_text; i++) {
        size_t n = min_size(p->text[i].len, room - done);
        if (n > 0)
            memcpy(out + done, p->text[i].at, n);
        done += n;
    }
    return done;
}

struct pkt *pkt_copy(struct pkt_pool *pool, const struct pkt *p)
{
    size_t total = pkt_total(p);
    struct pkt *copy = pkt_new(pool, total);
    if (!copy)
        return NULL;
    pkt_flatten(p, pkt_put(copy, total), total);
    copy->csum = p->csum;
    copy->csum_at = p->csum_at ? copy->data + (p->csum_at - p->data) : NULL;
    copy->csum_field = p->csum_field;
    copy->gso_size = p->gso_size;
    copy->seq = p->seq;
    copy->fin = p->fin;
    copy->at = p->at;
    return copy;
}

size_t rooms_fill(const struct room *to, size_t n, const uint8_t *at, size_t len)
{
    size_t done = 0;
    for (size_t i = 0; i < n && done < len; i++) {
        size_t part = min_size(to[i].len, len - done);
        if (to[i].at && part > 0)
            memcpy(to[i].at, at + done, part);
        done += part;
    }
    return done;
}

void pkt_queue_push(struct pkt_queue *q, struct pkt *p)
{
    p->next = NULL;
    if (q->tail)
        q->tail->next = p;
    else
        q->head = p;
    q->tail = p;
    q->n++;
}

struct pkt *pkt_queue_pop(struct pkt_queue *q)
{
    struct pkt *p = q->head;
    if (!p)
        return NULL;
    q->head = p->next;
    if (!q->head)
        q->tail = NULL;
    q->n--;
    p->next = NULL;
    return p;
}

void pkt_queue_clear(struct pkt_queue *q)
{
    struct pkt *p;
    while ((p = pkt_queue_pop(q)))
        pkt_free(p);
}
