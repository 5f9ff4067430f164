/* What a client has to send: heads of requests, and the body of the last one, as it
 * lies ready or is read in pieces, whole or in chunks. No I/O: who sends asks for the
 * next bytes and says how many went. */
#ifndef TAPIR_APP_HTTP_SENDING_H
#define TAPIR_APP_HTTP_SENDING_H

#include <stdbool.h>

#include "http/http_slice.h"
#include "tapir/http.h"

enum { SENDING_PIECE = 65536 }; /* bytes that are read at once */

struct http_sending {
    char *heads;             /* owned; NULL: none */
    size_t heads_len;        /* bytes of them ... */
    size_t heads_sent;       /* ... and how many went */
    bool waits;              /* the body waits for a 100 (RFC 9110 s10.1.1) */
    bool ended;              /* nothing more of the body goes */
    bool chunked;            /* it goes in chunks */
    uint64_t left;           /* bytes of it to come; in chunks: 0 is its end */
    uint64_t body_sent;      /* bytes of it that went, chunks' sizes and all */
    struct http_slice piece; /* of the body, to be sent next */
    char *room;              /* owned: what was read, with a chunk's size and end */
    const struct tapir_http_options *source; /* where the body comes from */
};

/* Takes `heads`, from malloc(). `body`: the options' body follows them. -ENOMEM. */
int http_sending_begin(struct http_sending *s, const struct tapir_http_options *o,
                       char *heads, size_t len, bool body);

/* Another head goes behind those; there is no body. -ENOMEM. */
int http_sending_add(struct http_sending *s, const char *head, size_t len);

/* What goes next; it is empty when nothing can go now, or all went. -EIO: the body
 * cannot be read. */
int http_sending_next(struct http_sending *s, struct http_slice *out);

/* n bytes of that went. */
void http_sending_went(struct http_sending *s, size_t n);

/* Did all of it go? */
bool http_sending_done(const struct http_sending *s);

void http_sending_free(struct http_sending *s);

#endif
