/* Lines of an access log, in a format of nginx's variables: "$remote_addr $status". */
#ifndef TAPIR_HTTP_LOG_H
#define TAPIR_HTTP_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

/* All that a line can tell of one request. */
struct http_log_entry {
    struct http_slice remote_addr; /* the client's address */
    uint64_t remote_port;
    struct http_slice server_addr; /* ours */
    uint64_t server_port;
    struct http_slice remote_user; /* of its credentials */
    struct http_slice request;     /* its first line, without the end */
    struct http_slice method, uri; /* of it; empty where it was no request */
    struct http_slice host;        /* that it was for */
    struct http_slice referer, user_agent;
    int minor;               /* of HTTP/1.minor */
    uint64_t status;         /* of the answer */
    uint64_t bytes_sent;     /* head and body */
    uint64_t body_sent;      /* body */
    uint64_t request_length; /* bytes of the request, head and body */
    int64_t request_time;    /* from its first byte to our last, microseconds */
    int64_t now;             /* microseconds since 1970 */
    uint64_t connection;     /* its number */
    uint64_t requests;       /* of the connection so far, this one included */
    bool piped;              /* it came before the answer to the last one was out */
    struct http_slice close_reason; /* why the connection ends; empty: it lives */
    uint64_t rtt, rttvar;           /* of TCP, microseconds */
    uint64_t cwnd;                  /* of TCP, segments */
};

/* The format behind "common", "combined" or "json"; NULL for any other name. */
const char *http_log_format(const char *name);

/* The first variable in a format that there is not, at its '$'; NULL: all are known. */
const char *http_log_unknown(const char *format);

/* Writes a line and its end. What a client sent is escaped: as in a JSON string where
 * the format begins with '{', else as nginx does it; so it cannot begin a line. */
void http_log_write(struct text *t, const char *format,
                    const struct http_log_entry *entry);

#endif
