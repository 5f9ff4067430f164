/* The next deadline counts from the last byte, so that a client which stops is left a
 * `timeout` after it stopped. What the socket's buffer swallows at first counts as
 * taken: a client that never reads is found out with the second deadline. */
#include "app/http_pace.h"

void http_pace_begin(struct http_pace *p, usec now)
{
    *p = (struct http_pace){ .since = now, .taken_at = now };
}

usec http_pace_renew(struct http_pace *p, usec timeout, usec now)
{
    usec next = p->taken_at + timeout;

    if (next <= now || p->taken < HTTP_PACE * (now - p->since) / USEC_PER_SEC)
        return 0;
    p->since = now;
    p->taken = 0;
    return next;
}
