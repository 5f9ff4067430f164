/* Characters with several holders, none of whom changes them any more: an answer that
 * many connections send at once exists once. */
#ifndef TAPIR_APP_HTTP_SHARED_H
#define TAPIR_APP_HTTP_SHARED_H

#include <stddef.h>
#include <stdlib.h>

/* In front of them. */
struct http_shared {
    size_t holders;
};

static inline struct http_shared *http_shared_of(char *at)
{
    return (struct http_shared *)(void *)at - 1;
}

/* Room for n characters, held by the caller. NULL: no memory. */
static inline char *http_shared_new(size_t n)
{
    struct http_shared *s = malloc(sizeof *s + n);

    if (s)
        s->holders = 1;
    return s ? (char *)(s + 1) : NULL;
}

/* Has one holder more; returns it. */
static inline char *http_shared_hold(char *at)
{
    http_shared_of(at)->holders++;
    return at;
}

/* Has one less, and is freed with the last. NULL is fine. */
static inline void http_shared_drop(char *at)
{
    if (at && --http_shared_of(at)->holders == 0)
        free(http_shared_of(at));
}

#endif
