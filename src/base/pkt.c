/* How it works.
 *
 * One allocation holds a struct pkt and, behind it, its bytes. Freed packets go to the
 * pool's list of their size and come back from there, most recently used first, while
 * their bytes are still in the cache; the bytes are never cleared. A list keeps at most
 * what a busy moment needs; beyond that memory goes back to libc, so that a stack that
 * was once flooded does not stay large.
 *
 * The limit counts bytes handed out, at their full size, since that is what a peer
 * can make us hold. */
#include "base/pkt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    KEEP_SMALL = 2048, /* free small packets kept: 4 MiB */
    KEEP_LARGE = 64,   /* free large ones: 4 MiB */
};

void pkt_pool_init(struct pkt_pool *pool, size_t limit, size_t reserve)
{
    *pool = (struct pkt_pool){ .limit = limit, .reserve = min_size(limit, reserve) };
}

static void free_list(struct pkt *p)
{
    while (p) {
        struct pkt *next = p->next;
        free(p);
        p = next;
    }
}

void pkt_pool_free(struct pkt_pool *pool)
{
    assert(pool->live == 0);
    free_list(pool->small);
    free_list(pool->large);
    *pool = (struct pkt_pool){ 0 };
}

/* A packet of `cap` bytes from its free list, else from libc; or NULL. */
static struct pkt *take(struct pkt_pool *pool, uint32_t cap)
{
    struct pkt **list = cap == PKT_SMALL ? &pool->small : &pool->large;
    size_t *n_free = cap == PKT_SMALL ? &pool->small_free : &pool->large_free;
    struct pkt *p = *list;
    if (!p)
        return malloc(sizeof(struct pkt) + cap);
    *list = p->next;
    (*n_free)--;
    return p;
}

static struct pkt *pkt_within(struct pkt_pool *pool, size_t room, size_t limit)
{
    if (room > PKT_LARGE - PKT_HEADROOM)
        return NULL;
    uint32_t cap = room <= PKT_SMALL - PKT_HEADROOM ? PKT_SMALL : PKT_LARGE;
    if (pool->bytes + cap > limit)
        return NULL;
    struct pkt *p = take(pool, cap);
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

/* Puts p on a free list of `n` packets unless that is long enough. */
static void keep(struct pkt **list, size_t *n, size_t most, struct pkt *p)
{
    if (*n >= most) {
        free(p);
        return;
    }
    p->next = *list;
    *list = p;
    (*n)++;
}

void pkt_free(struct pkt *p)
{
    if (!p)
        return;
    struct pkt_pool *pool = p->pool;
    assert(pool->live > 0 && pool->bytes >= p->cap);
    pool->live--;
    pool->bytes -= p->cap;
    if (p->cap == PKT_SMALL)
        keep(&pool->small, &pool->small_free, KEEP_SMALL, p);
    else
        keep(&pool->large, &pool->large_free, KEEP_LARGE, p);
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
