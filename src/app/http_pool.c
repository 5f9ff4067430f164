/* A list, newest first: what was used last is the least likely to be closed by its
 * server. Whatever a connection that waits has to say, an end or a byte that nobody
 * asked for, makes it useless (RFC 9112 s9.3): it is looked at just before it is used
 * again. */
#include "app/http_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/dial.h"
#include "tapir/socket.h"

struct http_conn *http_pool_open(struct http_pool *pool, const char *host,
                                 const union endpoint *to, usec deadline, int *err)
{
    struct http_conn *conn = malloc(sizeof *conn);
    size_t len = strlen(host);

    *err = -ENOMEM;
    if (!conn)
        return NULL;
    memset(conn, 0, offsetof(struct http_conn, buf));
    memcpy(conn->host, host, len + 1);
    conn->peer = *to;
    conn->fd = dial_connect(to, deadline);
    if (conn->fd < 0) {
        *err = conn->fd;
        free(conn);
        return NULL;
    }
    conn->number = pool->opened++;
    return conn;
}

void http_conn_close(struct http_conn *conn)
{
    if (!conn)
        return;
    tapir_close(conn->fd);
    free(conn);
}

static bool leads_to(const struct http_conn *conn, const char *host,
                     const union endpoint *to)
{
    return http_same_host(conn->host, host) && endpoint_same(&conn->peer, to);
}

struct http_conn *http_pool_take(struct http_pool *pool, const char *host,
                                 const union endpoint *to)
{
    struct http_conn **at = &pool->idle, *conn;

    while ((conn = *at)) {
        if (!leads_to(conn, host, to)) {
            at = &conn->next;
            continue;
        }
        *at = conn->next;
        if (dial_is_quiet(conn->fd))
            return conn;
        http_conn_close(conn);
    }
    return NULL;
}

void http_pool_put(struct http_pool *pool, struct http_conn *conn)
{
    struct http_conn **at = &pool->idle, *oldest;

    conn->next = pool->idle;
    pool->idle = conn;
    for (unsigned n = 0; *at && n < POOL_MAX; n++)
        at = &(*at)->next;
    oldest = *at;
    *at = NULL;
    http_conn_close(oldest);
}

void http_pool_clear(struct http_pool *pool)
{
    struct http_conn *conn;

    while ((conn = pool->idle)) {
        pool->idle = conn->next;
        http_conn_close(conn);
    }
}
