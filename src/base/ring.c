/* How it works.
 *
 *     head                                   head
 *     v                                      v
 *     [..bytes........]      or      [es....]byt]     (wrapped: two pieces)
 *
 * The capacity is a power of two, so that a place is `(head + offset) & (cap - 1)` and
 * any range is one piece or two. It starts at 4 KiB and doubles, up to the power of two
 * that holds the limit; growing lays the bytes out from the start again. Its memory is
 * a block of the smallest of four sizes that holds it. */
#include "base/ring.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/pages.h"

enum {
    RING_FIRST = 4096, /* bytes of the first allocation */
    RING_STEP = 4,     /* from one size of block to the next */
    KEEP = 2 << 20,    /* bytes of free blocks kept, of each size */
};

void ring_pool_init(struct ring_pool *pool, struct slab_set *set)
{
    size_t size = RING_FIRST;

    for (size_t i = 0; i < RING_SIZES; i++, size *= RING_STEP)
        slab_init(&pool->of[i], set, size, KEEP);
}

void ring_pool_done(struct ring_pool *pool)
{
    for (size_t i = 0; i < RING_SIZES; i++)
        slab_done(&pool->of[i]);
}

/* Where `cap` bytes come from; NULL: from pages. */
static struct slab_pool *slabs(struct ring_pool *pool, size_t cap)
{
    for (size_t i = 0; i < RING_SIZES; i++)
        if (cap <= pool->of[i].size)
            return &pool->of[i];
    return NULL;
}

static uint8_t *memory_new(struct ring_pool *pool, size_t cap)
{
    struct slab_pool *from = slabs(pool, cap);
    return from ? slab_new(from) : pages_new(cap);
}

static void memory_free(struct ring_pool *pool, uint8_t *at, size_t cap)
{
    struct slab_pool *from = slabs(pool, cap);
    if (from)
        slab_free(from, at);
    else
        pages_free(at, cap);
}

void ring_init(struct ring *r, struct ring_pool *pool, size_t limit)
{
    *r = (struct ring){ .pool = pool, .limit = limit };
}

void ring_free(struct ring *r)
{
    memory_free(r->pool, r->buf, r->cap);
    ring_init(r, r->pool, r->limit);
}

/* Makes room for `need` bytes; when there is no memory the ring stays as it is. */
static void ring_grow(struct ring *r, size_t need)
{
    size_t cap = r->cap ? r->cap : RING_FIRST;
    while (cap < need)
        cap *= 2;
    uint8_t *buf = memory_new(r->pool, cap);
    if (!buf)
        return;
    ring_read_at(r, 0, buf, r->len);
    memory_free(r->pool, r->buf, r->cap);
    r->buf = buf;
    r->cap = cap;
    r->head = 0;
}

int ring_rooms(struct ring *r, size_t len, struct room out[2])
{
    size_t n = min_size(len, ring_room(r));
    if (n > 0 && r->len + n > r->cap)
        ring_grow(r, r->len + n);
    n = min_size(n, r->cap - r->len);
    if (n == 0)
        return 0;
    size_t tail = (r->head + r->len) & (r->cap - 1);
    size_t first = min_size(n, r->cap - tail);
    out[0] = (struct room){ r->buf + tail, first };
    out[1] = (struct room){ r->buf, n - first };
    return first < n ? 2 : 1;
}

void ring_added(struct ring *r, size_t n)
{
    assert(n <= r->cap - r->len);
    r->len += n;
}

size_t ring_write(struct ring *r, const void *at, size_t len)
{
    struct room to[2];
    size_t done = 0;
    int n = ring_rooms(r, len, to);

    for (int i = 0; i < n; i++) {
        memcpy(to[i].at, (const uint8_t *)at + done, to[i].len);
        done += to[i].len;
    }
    ring_added(r, done);
    return done;
}

int ring_pieces(const struct ring *r, size_t offset, size_t len, struct piece out[2])
{
    assert(offset <= r->len && len <= r->len - offset);
    if (len == 0)
        return 0;
    size_t from = (r->head + offset) & (r->cap - 1);
    size_t first = min_size(len, r->cap - from);
    out[0] = (struct piece){ r->buf + from, first };
    if (first == len)
        return 1;
    out[1] = (struct piece){ r->buf, len - first };
    return 2;
}

void ring_read_at(const struct ring *r, size_t offset, void *out, size_t len)
{
    struct piece piece[2];
    uint8_t *to = out;
    int n = ring_pieces(r, offset, len, piece);
    for (int i = 0; i < n; i++) {
        memcpy(to, piece[i].at, piece[i].len);
        to += piece[i].len;
    }
}

void ring_drop(struct ring *r, size_t n)
{
    assert(n <= r->len);
    r->len -= n;
    /* An empty ring starts over: its next bytes lie in one piece, in warm memory. */
    r->head = r->len == 0 ? 0 : (r->head + n) & (r->cap - 1);
}

void ring_trim(struct ring *r)
{
    if (r->len == 0)
        ring_free(r);
}
