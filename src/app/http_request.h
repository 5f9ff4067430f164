/* The head of a client's request, from its options and a URL. */
#ifndef TAPIR_APP_HTTP_REQUEST_H
#define TAPIR_APP_HTTP_REQUEST_H

#include <stddef.h>

#include "http/http_url.h"
#include "tapir/http.h"

/* The request as it goes on the wire, for the caller to free; NULL: no memory. The
 * user's fields replace ours of the same name; one without a value ("Name:") only
 * removes ours. */
char *http_request_new(const struct tapir_http_options *options,
                       const struct http_url *url, size_t *len);

#endif
