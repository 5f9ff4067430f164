/* What a request is for: its target in one of four forms (RFC 9112 s3.2), the host it
 * means, and the file name that its path is, which cannot leave its directory. */
#ifndef TAPIR_HTTP_TARGET_H
#define TAPIR_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http_parse.h"
#include "http/http_slice.h"

enum http_form {
    HTTP_FORM_ORIGIN,    /* "/path?query" */
    HTTP_FORM_ABSOLUTE,  /* "http://host/path?query" */
    HTTP_FORM_AUTHORITY, /* "host:port", of CONNECT */
    HTTP_FORM_ASTERISK,  /* "*", of OPTIONS: the server itself */
};

struct http_target {
    enum http_form form;
    struct http_slice host;  /* of the target, else of Host; may have a port; may be
                              * without address in HTTP/1.0 */
    struct http_slice path;  /* begins with '/'; empty in the last two forms */
    struct http_slice query; /* empty, or begins with '?' */
};

/* Reads head->target in the form that head->method may have. 0 or -400. */
int http_parse_target(const struct http_head *head, struct http_target *target);

/* Decodes a path, once, into a relative file name: no dot segments, no empty ones, no
 * leading or trailing slash; "" is the directory itself. *slash: it ended in one, so a
 * directory is meant. 0; -400 for bad encodings, a NUL, or a path that climbs above its
 * root; -404 for a name no file can have; -414 when out is too small. */
int http_decode_path(struct http_slice path, char *out, size_t cap, bool *slash);

#endif
