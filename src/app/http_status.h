/* The status page: what TCP knows of each connection of the server, as a page for
 * people or as JSON. */
#ifndef TAPIR_APP_HTTP_STATUS_H
#define TAPIR_APP_HTTP_STATUS_H

#include "app/http_access.h"
#include "tapir/http.h"

#define HTTP_STATUS_PATH "/tapir/status"

/* In this order: the beginning, with what the server did so far; a row for each
 * connection, `index` counted from 0 and `doing` one word; the end. */
void http_status_begin(struct text *t, bool json, const struct tapir_http_stats *stats);
void http_status_row(struct text *t, bool json, size_t index,
                     const struct http_access *access, const char *doing);
void http_status_end(struct text *t, bool json);

#endif
