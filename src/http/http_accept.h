/* Which of two forms of a file a client likes better (RFC 9110 s12.5.3). */
#ifndef TAPIR_HTTP_ACCEPT_H
#define TAPIR_HTTP_ACCEPT_H

#include "http/http_parse.h"

/* Is the file in this coding ("gzip") welcome, and no less than as it is? Not unless
 * Accept-Encoding says so: without the field anything would be, but what was not asked
 * for is seldom understood. */
bool http_accepts_coding(const struct http_head *head, const char *coding);

#endif
