/* How the bytes of answers get from a session into its socket. */
#ifndef TAPIR_APP_HTTP_OUTPUT_H
#define TAPIR_APP_HTTP_OUTPUT_H

#include "app/http_session.h"

enum { HTTP_OUTPUT_ROOM = 256 * 1024 }; /* bytes of the buffer */

/* What a connection's socket took so far. */
struct http_output {
    char *buffer;   /* borrowed, of HTTP_OUTPUT_ROOM bytes; good for one call */
    size_t piece;   /* bytes of a file to read for one send */
    bool long_file; /* the file behind the head at hand goes by sendfile */
};

void http_output_init(struct http_output *o, char *buffer);

/* Offers fd, without waiting, what comes next in SESSION_ANSWER: *n bytes. How many it
 * took; -1 with errno: EIO if the file has become shorter than was promised, and only
 * breaking the connection can tell the client. The session is not yet told. */
ssize_t http_output_send(struct http_output *o, int fd, const struct http_session *s,
                         size_t *n);

#endif
