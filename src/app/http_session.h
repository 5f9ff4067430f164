/* One connection's conversation with the file server, without the connection: bytes of
 * requests go in, bytes of answers come out, in order. The socket, the clock and the
 * deadlines are the server's. */
#ifndef TAPIR_APP_HTTP_SESSION_H
#define TAPIR_APP_HTTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/http_files.h"
#include "base/text.h"
#include "http/http_body.h"
#include "http/http_parse.h"
#include "http/http_range.h"

enum { HTTP_INPUT = 16384 }; /* bytes read at once */

struct http_call;
struct http_session;
struct tapir_http_handler;

/* What all conversations of one server share. */
struct http_site {
    struct http_files files;
    struct http_limits limits; /* of a request */
    uint64_t max_body;         /* bytes of a request's body */
    uint64_t max_requests;     /* of one connection; 0: any number */
    const char *echo;          /* POST and PUT to this path come back; NULL: none */
    const struct tapir_http_handler *handlers; /* paths that a program answers ... */
    size_t n_handlers;                         /* ... the first that fits */
    bool no_listing;                           /* a directory without index is 404 */
    bool closing;           /* every answer is its connection's last */
    uint64_t requests;      /* answered */
    char input[HTTP_INPUT]; /* where input arrives; good until the next call */

    /* An access log: called with ctx when an answer is out, or has failed. NULL: none.
     */
    void (*answered)(void *ctx, const struct http_session *s);

    /* The status page: writes it, in JSON or for people. NULL: there is none. */
    void (*status)(void *ctx, struct text *t, bool json);
    void *ctx;
};

enum http_session_state {
    SESSION_HEAD,   /* a request's head is awaited: input */
    SESSION_BODY,   /* its body is being taken: input */
    SESSION_ANSWER, /* the answer goes out: output */
    SESSION_OVER,   /* nothing more will be said */
};

/* Of a request, for the log: copies, in one allocation. */
struct http_noted {
    struct http_slice line, method, uri, host, referer, user_agent, user;
    char room[];
};

/* The parts of a file that are still to be sent, after the one at hand. */
struct http_parts_left {
    struct http_parts parts;
    struct http_range range[HTTP_RANGES_MAX];
    char boundary[HTTP_BOUNDARY_ROOM];
    int next; /* index of the part after the one at hand; n: the end; beyond: nothing */
};

struct http_session {
    enum http_session_state state;
    bool eof;                 /* the client has sent its end */
    bool last;                /* this answer is the connection's last */
    bool to_head;             /* it answers a HEAD: no body */
    bool interim;             /* it is a 100, and the body is still to come */
    bool piped;               /* the request came before the last answer was out */
    int status;               /* of the answer */
    const char *why;          /* why the connection ends with it; NULL: it lives */
    int64_t now;              /* of the event at hand: seconds since 1970 */
    int minor;                /* the request's HTTP/1.minor */
    uint64_t requests;        /* heads that were understood or refused */
    struct http_noted *noted; /* owned; NULL: no log, no request, or no memory */

    char *in;       /* input not used yet, owned; NULL when there is none */
    size_t in_len;  /* bytes in it */
    size_t in_cap;  /* its room */
    size_t in_seen; /* bytes known to hold no whole head */

    struct http_body body;  /* of the request */
    uint64_t head_taken;    /* bytes of its head */
    uint64_t body_taken;    /* bytes of its body, chunks and all */
    uint64_t data_taken;    /* of them data */
    struct http_call *call; /* the handler's that answers it, owned; NULL: a file's */

    char *out;          /* the answer's head, with its page (http_shared.h); or NULL */
    size_t out_len;     /* bytes in it */
    size_t out_head;    /* of them the head's */
    size_t out_sent;    /* of them sent */
    int file;           /* what follows `out`; -1: nothing */
    uint64_t file_at;   /* next byte of it to send */
    uint64_t file_left; /* bytes still to send */
    struct http_parts_left *parts; /* what follows them, owned; NULL: nothing */
    uint64_t sent;                 /* bytes of the answer */
};

void http_session_init(struct http_session *s);
void http_session_free(struct http_session *s);

/* Where the next input goes, in SESSION_HEAD and SESSION_BODY: *room bytes, at least
 * one. NULL: no memory. Nothing need come. */
char *http_session_room(struct http_session *s, struct http_site *site, size_t *room);

/* n bytes stand there; 0: the client's end. `now` is seconds since 1970. */
void http_session_input(struct http_session *s, struct http_site *site, size_t n,
                        int64_t now);

/* The next bytes of the answer, in SESSION_ANSWER: copied to `at`, how many (at least
 * one); they count as sent when http_session_sent() says so. -EIO: the file has become
 * shorter than was promised, and only breaking the connection can tell the client. */
ssize_t http_session_output(const struct http_session *s, char *at, size_t room);

/* n of them were sent. */
void http_session_sent(struct http_session *s, struct http_site *site, size_t n,
                       int64_t now);

/* The client took too long: 408 if a request had begun, else it is over. */
void http_session_expire(struct http_session *s, struct http_site *site, int64_t now);

/* The connection broke: an answer that was under way is told to the log, with why. */
void http_session_break(struct http_session *s, struct http_site *site,
                        const char *why);

#endif
