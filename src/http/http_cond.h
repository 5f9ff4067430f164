/* Conditional requests (RFC 9110 s13): shall the method be carried out at all, and
 * shall a range be. */
#ifndef TAPIR_HTTP_COND_H
#define TAPIR_HTTP_COND_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http_parse.h"

/* What is there now, against which conditions are held. */
struct http_version {
    bool exists;            /* else the rest says nothing */
    struct http_slice etag; /* with its quotes; empty: none */
    int64_t mtime;          /* last change, seconds since 1970 */
};

/* The conditions in the order of s13.2.2, to be asked where the answer would be a 2xx
 * without them. 0: go on; 304; 412. `now` is seconds since 1970. */
int http_precondition(const struct http_head *head, const struct http_version *version,
                      int64_t now);

/* Is a Range to be obeyed, as far as If-Range says (s13.1.5)? True without one. */
bool http_if_range(const struct http_head *head, const struct http_version *version,
                   int64_t now);

#endif
