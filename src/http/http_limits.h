/* What a reader of messages puts up with. Whoever sends more is refused with the status
 * that names the part (RFC 9110 s15, RFC 6585 s5); a reader without limits could be
 * made to hold any amount of memory. */
#ifndef TAPIR_HTTP_LIMITS_H
#define TAPIR_HTTP_LIMITS_H

#include <stddef.h>

enum {
    HTTP_FIELDS_MAX = 2048, /* field lines that a struct http_head has room for */
    HTTP_METHOD_MAX = 32,   /* characters of a method; RFC 9112 s3: beyond, 501 */
};

struct http_limits {
    size_t line;        /* bytes of a start line, of responses also of a field line */
    size_t head;        /* bytes of a whole head */
    size_t fields;      /* field lines in it; HTTP_FIELDS_MAX at most */
    size_t empty_lines; /* before a request line */
    size_t chunk_line;  /* bytes of a chunk's size line, extensions included */
    size_t trailers;    /* bytes of all trailer lines of a body together */
};

/* The defaults, for what a server reads and for what a client reads. */
extern const struct http_limits http_request_limits;
extern const struct http_limits http_response_limits;

#endif
