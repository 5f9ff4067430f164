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
#include "http/http_body.h"
#include "http/http_parse.h"

enum { HTTP_INPUT = 16384 }; /* bytes read at once */

/* What all conversations of one server share. */
struct http_site {
    struct http_files files;
    bool closing;           /* every answer is its connection's last */
    uint64_t requests;      /* answered */
    char input[HTTP_INPUT]; /* where input arrives; good until the next call */
};

enum http_session_state {
    SESSION_HEAD,   /* a request's head is awaited: input */
    SESSION_BODY,   /* its body is being thrown away: input */
    SESSION_ANSWER, /* the answer goes out: output */
    SESSION_OVER,   /* nothing more will be said */
};

struct http_session {
    enum http_session_state state;
    bool eof;              /* the client has sent its end */
    bool last;             /* this answer is the connection's last */
    bool to_head;          /* it answers a HEAD: no body */
    int64_t now;           /* of the event at hand: seconds since 1970 */
    int minor;             /* the request's HTTP/1.minor */
    uint64_t requests;     /* heads that were understood or refused */
    char *in;              /* input not used yet, owned; NULL when there is none */
    size_t in_len;         /* bytes in it */
    size_t in_cap;         /* its room */
    size_t in_seen;        /* bytes known to hold no whole head */
    struct http_body body; /* of the request */
    uint64_t discarded;    /* bytes of it thrown away */
    char *out;          /* the answer's head, with its page; NULL when there is none */
    size_t out_len;     /* bytes in it */
    size_t out_sent;    /* of them sent */
    int file;           /* what follows `out`; -1: nothing */
    uint64_t file_at;   /* next byte of it to send */
    uint64_t file_left; /* bytes still to send */
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

#endif
