/* The copies come from a pool of the link's own, so that a leak in the stack under test
 * shows in its pool and a leak in the test in this one. */
#include "harness/wirelink.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "base/list.h"

static int wirelink_send(struct link *link, const struct pkt *p)
{
    struct wirelink *w = list_entry(link, struct wirelink, link);

    if (w->takes == 0)
        return -EAGAIN;
    if (w->takes != SIZE_MAX)
        w->takes--;
    struct pkt *copy = pkt_copy(&w->pool, p);
    assert(copy);
    pkt_queue_push(&w->sent, copy);
    return 0;
}

void wirelink_init(struct wirelink *w, uint32_t caps)
{
    *w = (struct wirelink){ .link = { .send = wirelink_send, .caps = caps },
                            .takes = SIZE_MAX };
    pkt_pool_init(&w->pool, (size_t)256 << 20, 0);
}

void wirelink_clear(struct wirelink *w)
{
    pkt_queue_clear(&w->sent);
}

void wirelink_free(struct wirelink *w)
{
    wirelink_clear(w);
    pkt_pool_free(&w->pool);
}

struct pkt *wirelink_pop(struct wirelink *w)
{
    return pkt_queue_pop(&w->sent);
}
