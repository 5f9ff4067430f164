/* Basic credentials (RFC 7617): a name and a password, in base64. */
#ifndef TAPIR_HTTP_AUTH_H
#define TAPIR_HTTP_AUTH_H

#include <stdbool.h>

#include "base/text.h"
#include "http/http_slice.h"

/* Writes "Basic " and both. `encoded`: they come from a URL, and what is
 * percent-encoded there is decoded first. */
void http_write_basic(struct text *t, struct http_slice user,
                      struct http_slice password, bool encoded);

/* Reads an Authorization of that kind; the slices lie in out. False when it is none,
 * has control characters in it, or does not fit. */
bool http_parse_basic(struct http_slice value, char *out, size_t cap,
                      struct http_slice *user, struct http_slice *password);

#endif
