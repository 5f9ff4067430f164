/* "Something happened to this": a connection, a listener or a datagram port embeds a
 * watch; the code that changes it calls watch_wake(), and the watch goes, once, onto
 * the stack's list of things to look at. What happened is not recorded: the reader
 * computes readiness from the object's state, so it is never stale. */
#ifndef TAPIR_BASE_WATCH_H
#define TAPIR_BASE_WATCH_H

#include "base/list.h"

struct watch {
    struct list node; /* in the stack's list of woken watches, or unlinked */
    void *owner;      /* struct sock that holds this object; NULL: nobody looks */
};

static inline void watch_init(struct watch *w)
{
    list_init(&w->node);
    w->owner = NULL;
}

static inline void watch_wake(struct list *woken, struct watch *w)
{
    if (w->owner && !list_linked(&w->node))
        list_add_tail(woken, &w->node);
}

#endif
