/* How long a message's body is (RFC 9112 s6.3), and taking it off the stream as it
 * comes, piece by piece (s7.1 for chunks). */
#ifndef TAPIR_HTTP_BODY_H
#define TAPIR_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "http/http_parse.h"

enum http_framing {
    HTTP_BODY_NONE,    /* there is none */
    HTTP_BODY_LENGTH,  /* Content-Length says it */
    HTTP_BODY_CHUNKED, /* chunks say it */
    HTTP_BODY_CLOSE,   /* it ends with the connection */
};

enum http_chunk_state {
    CHUNK_SIZE,       /* digits of a chunk's size */
    CHUNK_BLANK,      /* blanks behind them */
    CHUNK_EXT,        /* what follows the ';': skipped */
    CHUNK_SIZE_LF,    /* the LF of that line */
    CHUNK_DATA,       /* `left` bytes of the chunk */
    CHUNK_DATA_CR,    /* the CR behind them */
    CHUNK_DATA_LF,    /* the LF behind them */
    CHUNK_TRAILER,    /* beginning of a trailer line, or the CR that ends all */
    CHUNK_NAME,       /* inside the name of a trailer: skipped */
    CHUNK_VALUE,      /* inside its value: skipped */
    CHUNK_TRAILER_LF, /* the LF of a trailer line */
    CHUNK_END_LF,     /* the LF that ends all */
    CHUNK_DONE,
};

struct http_body {
    enum http_framing framing;
    bool faulty;    /* the framing was doubtful: close after this message */
    bool strict;    /* a request's: nothing is read that has two readings */
    uint8_t digits; /* chunks: of this size */
    uint32_t line;  /* chunks: bytes of this size line, or of all trailers */
    uint64_t left;  /* bytes still to come: of the body, or of this chunk */
    enum http_chunk_state state;      /* chunks: where in the grammar */
    const struct http_limits *limits; /* chunks: borrowed */
    const struct http_field *fault;   /* borrowed: what an error is about; NULL */
};

/* Decides for a request. 0, or minus the status that answers it (400, 501); then the
 * connection cannot go on, since nobody knows where the next request begins. */
int http_request_body(const struct http_head *head, const struct http_limits *limits,
                      struct http_body *body);

/* Decides for a response; `to_head`: the request was HEAD. 0, or minus a fetch's exit
 * code (http_fail.h): GET_WEIRD for lengths that contradict themselves, GET_CODING for
 * a transfer coding that was not asked for. */
int http_response_body(const struct http_head *head, const struct http_limits *limits,
                       bool to_head, struct http_body *body);

/* Takes bytes off the front of [in, in+len): how many, with *out the body's bytes among
 * them (one piece, maybe empty); call again until it takes all or the body is done.
 * When the chunks are no chunks, or a trailer is no field, -EBADMSG. No call takes more
 * than trailers when it begins with them (state CHUNK_TRAILER and above). */
ssize_t http_body_read(struct http_body *body, const char *in, size_t len,
                       struct http_slice *out);

/* Has all of it come? Never for one that ends with the connection. */
bool http_body_done(const struct http_body *body);

#endif
