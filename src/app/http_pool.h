/* A client's connections, and those of them that wait for their next request. */
#ifndef TAPIR_APP_HTTP_POOL_H
#define TAPIR_APP_HTTP_POOL_H

#include "app/endpoint.h"
#include "base/time.h"
#include "http/http_url.h"

enum {
    CONN_BUFFER = 320 * 1024, /* holds the largest head ... */
    CONN_READ = 128 * 1024,   /* ... and makes long reads, so many bytes at once */
    POOL_MAX = 16,            /* connections that wait */
};

struct http_conn {
    struct http_conn *next; /* in the pool: the one that has waited longer */
    int fd;
    unsigned number;              /* of those that the client has opened, from 0 */
    union endpoint peer;          /* its other end */
    char host[HTTP_HOST_MAX + 1]; /* the name it was opened for */
    unsigned answers;             /* that came so far; 0: it is new */
    bool http10;                  /* one of them was of HTTP/1.0 */
    size_t len;                   /* bytes in buf */
    char buf[CONN_BUFFER];        /* what came and is not used yet */
};

struct http_pool {
    struct http_conn *idle; /* the one that was used last comes first */
    unsigned opened;        /* connections so far */
};

/* Connects; NULL with *err (see dial.h), which is -ENOMEM without memory. */
struct http_conn *http_pool_open(struct http_pool *pool, const char *host,
                                 const union endpoint *to, usec deadline, int *err);

/* One that was opened for the same, is open and silent; it is the caller's then. NULL:
 * there is none. Closes those that are not sound any more. */
struct http_conn *http_pool_take(struct http_pool *pool, const char *host,
                                 const union endpoint *to);

/* It waits for its next request. Takes conn. */
void http_pool_put(struct http_pool *pool, struct http_conn *conn);

/* Closes it; conn may be NULL. */
void http_conn_close(struct http_conn *conn);

/* Closes all that wait. */
void http_pool_clear(struct http_pool *pool);

#endif
