/* How it works.
 *
 * A binary heap in an array, ordered by (key, order). Each deadline knows its place
 * (slot - 1), so any of them can be moved or taken out without a search.
 *
 * `at` is the truth, `key` is where the deadline lies. The invariant is key <= at:
 *
 *     earlier      at and key are set, it moves up now
 *     later        only at is set; it lies too early, which harms nobody
 *     disarmed     at = NEVER, which is just very much later
 *
 * When a deadline with key < at surfaces it is moved down to where it belongs, or taken
 * out if it is disarmed. At most one such move is paid for any number of changes, and
 * since every other key is a lower bound too, a top with key == at is the earliest.
 *
 * Room: the array has a place for every deadline whose owner lives (`reserved`), so
 * arming takes no memory. It doubles when it is too small and halves when a quarter of
 * it would do. */
#include "base/heap.h"

#include <assert.h>
#include <string.h>

#include "base/pages.h"

enum {
    HEAP_FIRST = 128, /* places in the first array: most of a page */
    HEAP_SPARSE = 4,  /* shrinks when this part of it would do */
};

void heap_init(struct heap *h)
{
    *h = (struct heap){ 0 };
}

static size_t array_bytes(size_t cap)
{
    return cap * sizeof(struct heap_place);
}

void heap_free(struct heap *h)
{
    pages_free(h->at, array_bytes(h->cap));
    heap_init(h);
}

/* False: no memory, it stays as it is. */
static bool resize(struct heap *h, size_t cap)
{
    struct heap_place *at = pages_new(array_bytes(cap));
    if (!at)
        return false;
    if (h->n > 0)
        memcpy(at, h->at, array_bytes(h->n));
    pages_free(h->at, array_bytes(h->cap));
    h->at = at;
    h->cap = cap;
    return true;
}

static bool grow(struct heap *h, size_t need)
{
    size_t cap = h->cap ? h->cap : HEAP_FIRST;
    while (cap < need)
        cap *= 2;
    return cap == h->cap || resize(h, cap);
}

static size_t needed(const struct heap *h)
{
    return h->n > h->reserved ? h->n : h->reserved;
}

bool heap_reserve(struct heap *h, size_t n)
{
    if (!grow(h, needed(h) + n))
        return false;
    h->reserved += n;
    return true;
}

void deadline_init(struct deadline *d, uint8_t owner)
{
    *d = (struct deadline){ .at = NEVER, .owner = owner, .holds = true };
}

static bool before(const struct heap_place *a, const struct heap_place *b)
{
    return a->key < b->key || (a->key == b->key && a->order < b->order);
}

static void place(struct heap *h, struct heap_place p, size_t i)
{
    h->at[i] = p;
    p.of->slot = (uint32_t)i + 1;
}

static void sift_up(struct heap *h, struct heap_place p, size_t i)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (!before(&p, &h->at[parent]))
            break;
        place(h, h->at[parent], i);
        i = parent;
    }
    place(h, p, i);
}

static void sift_down(struct heap *h, struct heap_place p, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && before(&h->at[child + 1], &h->at[child]))
            child++;
        if (!before(&h->at[child], &p))
            break;
        place(h, h->at[child], i);
        i = child;
    }
    place(h, p, i);
}

static void take_out(struct heap *h, struct deadline *d)
{
    size_t i = d->slot - 1u;
    struct heap_place last = h->at[--h->n];
    d->slot = 0;
    if (last.of == d)
        return;
    if (before(&last, &h->at[i]))
        sift_up(h, last, i);
    else
        sift_down(h, last, i);
}

static void insert(struct heap *h, struct deadline *d)
{
    /* Growing here is for an owner that forgot to reserve. */
    bool room = h->n < h->cap || grow(h, h->n + 1);
    assert(room);
    (void)room;
    sift_up(h, (struct heap_place){ d->at, h->armed++, d }, h->n++);
}

/* Moves the armed d, which lies in the heap. */
static void move(struct heap *h, struct deadline *d, bool rearmed)
{
    struct heap_place p = h->at[d->slot - 1u];

    /* A new order is a later one: among equal keys it may have to sink. */
    if (rearmed) {
        p.order = h->armed++;
        sift_down(h, p, d->slot - 1u);
    }
    if (d->at < p.key) {
        p.key = d->at;
        sift_up(h, p, d->slot - 1u);
    }
}

void heap_set(struct heap *h, struct deadline *d, usec at)
{
    bool rearmed = d->at == NEVER && at != NEVER;
    d->at = at;
    if (d->slot != 0)
        move(h, d, rearmed);
    else if (rearmed)
        insert(h, d);
}

void heap_remove(struct heap *h, struct deadline *d)
{
    if (d->slot != 0)
        take_out(h, d);
    d->at = NEVER;
    if (d->holds && h->reserved > 0)
        h->reserved--;
    d->holds = false;
    if (h->cap > HEAP_FIRST && needed(h) < h->cap / HEAP_SPARSE)
        resize(h, h->cap / 2);
}

/* Puts the top, which lies too early, where it belongs. */
static void settle(struct heap *h)
{
    struct heap_place top = h->at[0];

    if (top.of->at == NEVER) {
        take_out(h, top.of);
        return;
    }
    top.key = top.of->at;
    sift_down(h, top, 0);
}

usec heap_next(struct heap *h)
{
    while (h->n > 0 && h->at[0].key != h->at[0].of->at)
        settle(h);
    return h->n > 0 ? h->at[0].key : NEVER;
}

bool heap_due(struct heap *h, usec now)
{
    while (h->n > 0 && h->at[0].key <= now) {
        if (h->at[0].key == h->at[0].of->at)
            return true;
        settle(h);
    }
    return false;
}

struct deadline *heap_pop(struct heap *h, usec now)
{
    if (!heap_due(h, now))
        return NULL;
    struct deadline *due = h->at[0].of;
    take_out(h, due);
    due->at = NEVER;
    return due;
}
