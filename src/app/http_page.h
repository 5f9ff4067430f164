/* A page of any length: written into room that grows until it fits. */
#ifndef TAPIR_APP_HTTP_PAGE_H
#define TAPIR_APP_HTTP_PAGE_H

#include <stddef.h>

#include "base/text.h"

/* What `write` writes, for the caller to free; it may be asked several times, and can
 * stop once the text is cut. 0; -ENOMEM; -EFBIG for more than 8 MiB. */
int http_page_new(void (*write)(void *ctx, struct text *t), void *ctx, char **page,
                  size_t *len);

#endif
