/* HTTP/1.1 over the socket calls: a server of files and handlers, and a client. Both
 * run on the calling thread's stack (tapir_use) and return when they are done; write
 * errors come back as results, so a program that writes to pipes ignores SIGPIPE
 * itself. Usable from C++. */
#ifndef TAPIR_HTTP_H
#define TAPIR_HTTP_H

#include "tapir/socket.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* --- server ---------------------------------------------------------------------- */

/* One request that a handler answers: what came, and what shall go. Strings and bytes
 * of the request are good until the handler's done(). */
struct tapir_http_call {
    const char *method; /* "GET"; a HEAD is answered as a GET, and the server leaves
                         * the body away */
    const char *path;   /* decoded, without dot segments; begins with '/' */
    const char *query;  /* what stands behind the '?', not decoded; NULL: no '?' */
    const void *body;   /* whole; NULL: there is none, or the handler's body() had it */
    size_t body_len;    /* bytes of it */

    int status;       /* 200 to 599; 0: 200. From 400 on, if nothing else is said, a
                       * page says what it means */
    const char *type; /* Content-Type; borrowed until done(); NULL: it is not told */

    /* The body's rest, behind what tapir_http_say() said: asked for whenever the client
     * has taken what was there. Bytes put to `at`; 0 at the end; -1: it cannot be
     * given, and the connection is broken so that the client knows. NULL: there is
     * none. */
    ssize_t (*read)(struct tapir_http_call *call, void *at, size_t room);
    uint64_t length; /* bytes that read() will give; 0: not known, so they go in chunks
                      * (RFC 9112 s7.1), to HTTP/1.0 until the connection ends */

    void *own; /* the handler's; NULL at first */
    void *ctx; /* of struct tapir_http_handler */
};

/* Answers what is asked of a path. It is called on the server's thread, which serves
 * nobody else meanwhile: it must not wait. */
struct tapir_http_handler {
    const char *path; /* "/hello"; one that ends in '/' has all below it, too */
    const char
        *methods; /* "GET, POST", where GET stands for HEAD, too; with others, 405
                   * says these. OPTIONS is answered by the server. NULL: "GET" */

    /* The request is there, with its body: sets the answer. */
    void (*answer)(struct tapir_http_call *call);

    /* Takes a piece of the body as it comes, which is not kept then. False: it is
     * refused, with call->status or else 413, and the connection closed. May be NULL.
     */
    bool (*body)(struct tapir_http_call *call, const void *at, size_t len);

    /* The answer is out, or will never be: frees call->own. Called once for each call,
     * whether answer() was or not. May be NULL. */
    void (*done)(struct tapir_http_call *call);
    void *ctx;
};

/* The value of the i-th field of that name, from 0; names have no case. NULL: there are
 * not so many. A list may be spread over several (RFC 9110 s5.3). */
const char *tapir_http_field(const struct tapir_http_call *call, const char *name,
                             size_t i);

/* Adds a field to the answer, and bytes to its body; both are copied. The fields that
 * frame the answer (Content-Length, Transfer-Encoding, Connection) are the server's, as
 * are Date and Server. False: no memory, or a field that may not be: one of those, no
 * token as a name (RFC 9110 s5.1), a control character in the value. Then the answer
 * becomes a 500. */
bool tapir_http_say_field(struct tapir_http_call *call, const char *name,
                          const char *value);
bool tapir_http_say(struct tapir_http_call *call, const void *at, size_t len);

/* What to serve and how. Zeros are defaults; times are microseconds; strings are
 * borrowed. */
struct tapir_http_server {
    const char *dir;  /* files below it are served; NULL: "." or, with handlers, none */
    const char *addr; /* address to listen on: "192.0.2.2"; NULL: all */
    uint16_t port;    /* 80 */
    const char *echo; /* a path: POST and PUT to it come back; NULL: none */
    const struct tapir_http_handler *handlers; /* paths that are no files; the first
                                                * that fits. Borrowed */
    size_t n_handlers;
    bool follow_links; /* symbolic links may lead out of dir */
    bool no_listing;   /* a directory without index.html is 404, not listed */
    bool status;       /* /tapir/status shows TCP's figures; with ?json as JSON */
    unsigned max_connections; /* 32768; further ones wait in the listen queue */
    unsigned max_requests;    /* of one connection; 0: any number */

    /* Of one request. Whoever sends more hears 414, 431, 431 and 413. */
    size_t max_line;     /* bytes of its first line; 8192 */
    size_t max_head;     /* bytes of its head; 16384 */
    unsigned max_fields; /* lines of its head; 128, and 2048 at most */
    uint64_t max_body;   /* bytes of its body; 16 MiB */

    int64_t head_timeout; /* for a whole head; 30 s */
    int64_t body_timeout; /* for a whole body; 60 s */
    int64_t idle_timeout; /* between two requests of a connection; 60 s */
    int64_t send_timeout; /* in which the client takes nothing, or less than 500 bytes a
                           * second; 60 s */
    int stop_fd;          /* readable: stop in order; 0 or below: none */

    /* May be NULL; called with ctx. */
    bool (*stopped)(void *ctx);  /* asked when a wait of 100 ms ends: stop in order? */
    void (*ready)(void *ctx);    /* connections are accepted from now on */
    int64_t (*clock)(void *ctx); /* seconds since 1970 for Date; NULL: time() */
    void (*log)(void *ctx, const char *line, size_t len); /* a request was answered */
    void *ctx;

    const char *log_format; /* "common", "combined", "json", or nginx's variables in a
                             * string: "$remote_addr $status"; NULL: "common" */
};

/* What it did. */
struct tapir_http_stats {
    uint64_t connections, requests; /* accepted; answered */
    uint64_t bytes;                 /* sent: heads and bodies */
};

/* Serves until it is told to stop, then finishes the answers that are under way (three
 * seconds at most). 0; -1 with errno when it could not begin, with *error filled.
 * `stats` and `error` may be NULL. */
int tapir_http_serve(const struct tapir_http_server *server,
                     struct tapir_http_stats *stats, struct tapir_error *error);

/* --- client ---------------------------------------------------------------------- */

/* How to fetch. Zeros are defaults; times are microseconds; strings are borrowed. */
struct tapir_http_options {
    bool head;              /* HEAD instead of GET; no body is expected */
    bool http10;            /* ask as HTTP/1.0 */
    bool fail;              /* a status of 400 or more is an error (22) */
    bool follow;            /* go where a Location leads */
    int max_redirects;      /* so often; 0: 50; -1: never, the first one is too many */
    const char *method;     /* instead of GET, HEAD, POST or PUT */
    const char *target;     /* instead of the URL's path and query */
    bool path_as_is;        /* dot segments stay in the path */
    const char *user;       /* "name:password", for the first URL's origin alone */
    const char *bearer;     /* a token (RFC 6750), for the same */
    const char *range;      /* "0-99,200-": these bytes only */
    uint64_t resume;        /* from this byte on; 0: all. Else than so it is error 33 */
    const char *user_agent; /* "tapir" */
    const char *referer;
    bool auto_referer; /* where a Location leads to, it is the URL that led there */
    const char *const *headers; /* further fields, "Name: value" each; "Name:" removes
                                 * ours, "Name;" is sent without a value */
    size_t n_headers;
    const char *const *resolve; /* "HOST:PORT:ADDRESS" each, before all other names */
    size_t n_resolve;
    const char *hosts;       /* "/etc/hosts" */
    int family;              /* AF_INET or AF_INET6 addresses only; 0: both */
    int64_t connect_timeout; /* 0: as long as the stack tries */
    int64_t max_time;        /* for all of a fetch; 0: no limit */
    uint64_t max_size;       /* of the body, more is error 63; 0: no limit */
    bool ignore_length;      /* the body ends with the connection, whatever is said */
    int64_t time_cond; /* seconds since 1970: a body that is not newer is for nobody; 0:
                        * any */
    bool older;        /* one that is not older, instead */

    /* A body to send: bytes that lie ready, or read() in pieces. */
    const void *data; /* a form's, with POST; NULL: none */
    size_t data_len;
    bool upload;               /* what read() gives, with PUT */
    uint64_t upload_len;       /* bytes of it; UINT64_MAX: not known, sent as chunks */
    const char *content_range; /* it is a part: "bytes 5-9/10"; NULL: all */
    /* Bytes read into `at`, 0 at the end, -1: that failed (26). */
    ssize_t (*read)(void *ctx, void *at, size_t room);
    bool (*rewind)(void *ctx); /* it must be sent once more: from the beginning */

    /* Called with ctx while a fetch runs; each may be NULL. */
    /* A head as it came; also trailers, which do not begin with "HTTP/". */
    bool (*head_in)(void *ctx, const char *at, size_t len);
    bool (*body)(void *ctx, const void *at, size_t len); /* a piece of the body */
    /* An answer was cut, and comes once more: what was handed over of it is forgotten.
     * False, or NULL: it cannot be; then it is left out of the second answer, if that
     * says that it is the same. In a pipeline only. */
    bool (*anew)(void *ctx);
    void (*talk)(void *ctx, char mark, const char *line); /* as curl -v: * > < */
    void *ctx; /* a callback that returns false ends the fetch (23) */
};

/* The seven steps of a fetch, in order: indices of at[]. */
enum tapir_http_step {
    TAPIR_HTTP_HOST,    /* the host's name is taken from the URL */
    TAPIR_HTTP_ADDRESS, /* its address is looked up */
    TAPIR_HTTP_PORT,    /* the port is taken from the URL */
    TAPIR_HTTP_CONNECT, /* the connection is made, or one is used again */
    TAPIR_HTTP_SEND,    /* the request is sent */
    TAPIR_HTTP_READ,    /* the answer is read */
    TAPIR_HTTP_CLOSE,   /* the connection is closed, or kept */
    TAPIR_HTTP_STEPS
};

/* What TCP knows of the connection after the answer, from TCP_INFO. */
struct tapir_http_tcp {
    int state;                 /* a number of TCP_INFO: 1 is established; 0: none */
    int64_t srtt, rttvar, rto; /* microseconds */
    uint32_t cwnd_max;         /* segments, the largest that was seen */
    uint32_t retrans;          /* segments sent again */
    uint32_t dupacks;          /* copies of our text that the peer told of (DSACK) */
    uint32_t segs_out, segs_in;
};

struct tapir_http_result {
    int code;          /* curl's exit code; 0: done */
    int status;        /* of the answer; 0: there was none */
    int minor;         /* of its HTTP/1.minor */
    uint64_t body;     /* bytes of the body that came */
    uint64_t sent;     /* bytes of our body that went */
    uint64_t heads;    /* bytes of all heads that came */
    uint64_t requests; /* bytes of all heads that went */
    unsigned fields;   /* in the last head */
    unsigned connects, redirects;
    bool reused;          /* an earlier fetch's connection was used */
    const char *method;   /* of the last request */
    const char *url;      /* of the last request; good until the client's next fetch */
    const char *location; /* where it leads, if that was not followed; or NULL */
    const char *referer;  /* that was sent; the same; or NULL */
    const char *type;     /* Content-Type; or NULL */
    int64_t retry_after;  /* that the server asks for; microseconds, 0: it does not */
    struct sockaddr_storage local, remote; /* of the connection */
    int64_t at[TAPIR_HTTP_STEPS]; /* when each step was done, since the beginning;
                                   * -1: it was not reached */
    int64_t first_byte;           /* when the answer began; -1: never */
    int64_t redirect_time; /* when the last request began; 0: the first is the last */
    int64_t end;           /* when all was over */
    struct tapir_http_tcp tcp;
    struct tapir_error error; /* what, cause and fix, when code is not 0 */
};

struct tapir_http_client;

/* A client, and the connections that it keeps. NULL: no memory. The options are
 * borrowed, callbacks and all. One thread at a time uses it. */
struct tapir_http_client *tapir_http_client_new(
    const struct tapir_http_options *options);

/* Other options, from the next fetch on; connections are kept. */
void tapir_http_client_set(struct tapir_http_client *client,
                           const struct tapir_http_options *options);

/* Closes the kept connections. */
void tapir_http_client_free(struct tapir_http_client *client);

/* Fetches one URL. `keep`: another fetch follows, so the connection stays open if the
 * server agrees. Returns result->code. */
int tapir_http_get(struct tapir_http_client *client, const char *url, bool keep,
                   struct tapir_http_result *result);

/* Of one of several fetches, before its answer is read and when it is over; with ctx.
 */
struct tapir_http_turn {
    void (*begin)(void *ctx, size_t i);
    void (*end)(void *ctx, size_t i, const struct tapir_http_result *result);
};

/* Fetches n URLs, in order, and asks for the next ones before the last one's answer has
 * come where that is safe: GET and HEAD, of one origin, on one connection (RFC 9112
 * s9.3.2). What a close leaves unanswered, or in the middle, is asked again, at first
 * one by one. The code of the last fetch that failed; 0: none. */
int tapir_http_pipeline(struct tapir_http_client *client, const char *const *urls,
                        size_t n, const struct tapir_http_turn *turn);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
