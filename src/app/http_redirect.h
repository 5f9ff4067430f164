/* Following a Location (RFC 9110 s15.4). */
#ifndef TAPIR_APP_HTTP_REDIRECT_H
#define TAPIR_APP_HTTP_REDIRECT_H

#include "app/http_fetch.h"

/* After an answer: the fetch is to be done again, for the URL where it leads. False: it
 * leads nowhere, or (result->code) it may not be followed. */
bool http_redirect(struct http_fetch *f);

#endif
