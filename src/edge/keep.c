/* One thing a stack, made under its lock, so that two threads that ask at once get the
 * same. */
#include "edge/keep.h"

#include "edge/bsd.h"

void *keep_get(void *(*make)(const char *servers, uint64_t seed), void (*drop)(void *))
{
    struct tapir *t = bsd_current();

    if (!t)
        return NULL;
    pthread_mutex_lock(&t->lock);
    if (!t->kept)
        t->kept = make(t->dns, t->seed);
    t->drop_kept = drop;
    pthread_mutex_unlock(&t->lock);
    return t->kept;
}
