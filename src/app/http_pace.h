/* How fast a client takes its answer. An answer's deadline cannot be one for all, since
 * a large file over an honest slow line takes hours; nor can each byte move it, since
 * one byte now and then would hold a descriptor for ever. So it is renewed when it
 * comes, for who has earned it. */
#ifndef TAPIR_APP_HTTP_PACE_H
#define TAPIR_APP_HTTP_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum { HTTP_PACE = 500 }; /* bytes a second that a client must take */

struct http_pace {
    usec since;    /* when the answer began, or its deadline was renewed */
    usec taken_at; /* when something was taken last; the answer's begin at first */
    int64_t taken; /* bytes since `since` */
};

/* An answer begins. */
void http_pace_begin(struct http_pace *p, usec now);

/* n bytes of it were taken. */
static inline void http_pace_took(struct http_pace *p, size_t n, usec now)
{
    p->taken += (int64_t)n;
    p->taken_at = now;
}

/* Its deadline has come, `timeout` after the last one: the next, or 0 when the client
 * took nothing for so long, or less than HTTP_PACE since then. */
usec http_pace_renew(struct http_pace *p, usec timeout, usec now);

#endif
