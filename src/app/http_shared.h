/* Characters with several holders, none of whom changes them any more: an answer that
 * many connections send at once exists once. */
#ifndef TAPIR_APP_HTTP_SHARED_H
#define TAPIR_APP_HTTP_SHARED_H

#include <stddef.h>
#include <stdlib.h>

#include "base/list.h"

struct http_shared {
    size_t holders;
    char at[];
};

/* Room for n characters, held by the caller. NULL: no memory. */
static inline char *http_shared_new(size_t n)
{
    struct http_shared *s = malloc(sizeof *s + n);

    if (!s)
        return NULL;
    s->holders = 1;
    return s->at;
}

/* Has one holder more; returns it. */
static inline char *http_shared_hold(char *at)
{
    list_entry(at, struct http_shared, at)->holders++;
    return at;
}

/* Has one less, and is freed with the last. NULL is fine. */
static inline void http_shared_drop(char *at)
{
    struct http_shared *s = at ? list_entry(at, struct http_shared, at) : NULL;

    if (s && --s->holders == 0)
        free(s);
}

#endif
