/* The page that stands for a directory without an index. */
#ifndef TAPIR_APP_HTTP_LISTING_H
#define TAPIR_APP_HTTP_LISTING_H

#include <stddef.h>

#include "app/http_files.h"

/* The listing of the directory of that name ("" for the root), for the caller to free.
 * Entries that are not served are not in it. 0, or negative errno. */
int http_listing_new(const struct http_files *files, const char *name, char **page,
                     size_t *len);

#endif
