/* Request targets and URLs (RFC 9112 s3.2, RFC 9110 s4.2.1, RFC 3986): from what a
 * client sent to a file name that cannot leave its directory, and from what a user
 * typed to host, port and target. */
#ifndef TAPIR_HTTP_URI_H
#define TAPIR_HTTP_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

enum { HTTP_HOST_MAX = 253 }; /* characters of a host name (RFC 1035 s2.3.4) */

/* Splits the target of a GET or HEAD, in origin-form or absolute-form, into the path
 * (begins with '/') and the query (empty, or begins with '?'). 0 or -400. */
int http_split_target(struct http_slice target, struct http_slice *path,
                      struct http_slice *query);

/* Decodes a path, once, into a relative file name: no dot segments, no empty ones, no
 * leading or trailing slash; "" is the directory itself. *slash: it ended in one, so a
 * directory is meant. 0; -400 for bad encodings, a NUL, or a path that climbs above its
 * root; -404 for a name no file can have; -414 when out is too small. */
int http_decode_path(struct http_slice path, char *out, size_t cap, bool *slash);

/* Writes a file name as the path of a URL: everything but letters, digits, '/' and
 * "-._~" percent-encoded. */
void http_encode_path(struct text *t, const char *name);

/* Writes a target as it may stand on the wire: octets that no URI has are encoded, the
 * rest stays as it is. */
void http_encode_target(struct text *t, struct http_slice target);

struct http_url {
    char host[HTTP_HOST_MAX + 1]; /* lower case, without the brackets of IPv6 */
    bool is_ip6;                  /* host was in brackets */
    uint16_t port;                /* 80 unless it was given */
    struct http_slice target;     /* path and query without fragment; may lack '/' */
};

/* Splits a URL that a user typed; without a scheme it is http. 0; -EPROTONOSUPPORT for
 * another scheme; -ENOTSUP for a user name in it, which is not built; -EINVAL. `why` is
 * set to a few words for a person. */
int http_parse_url(const char *s, struct http_url *url, const char **why);

#endif
