/* A line of the access log: what a conversation knows of a request, and what the
 * connection knows of itself. */
#ifndef TAPIR_APP_HTTP_ACCESS_H
#define TAPIR_APP_HTTP_ACCESS_H

#include <stdint.h>

#include "app/endpoint.h"
#include "app/http_session.h"
#include "base/text.h"
#include "base/time.h"

/* Of a connection. */
struct http_access {
    int fd;
    union endpoint peer; /* who is at the other end */
    uint64_t number;     /* connections are counted from 1 */
    usec began;          /* when the request at hand did, of tapir_now() */
};

/* Writes the line in a format of http_log.h; `now` is seconds since 1970. */
void http_access_write(struct text *t, const char *format,
                       const struct http_access *access, const struct http_session *s,
                       int64_t now);

#endif
