/* HTML that a file server makes itself: the listing of a directory. What comes from
 * file names is escaped, so a name is text wherever it stands. */
#ifndef TAPIR_HTTP_HTML_H
#define TAPIR_HTTP_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Writes s as text of a page, or as an attribute's value. */
void http_write_escaped(struct text *t, const char *s);

struct http_listed {
    const char *name; /* in its directory */
    bool is_dir;
    uint64_t size; /* bytes */
    int64_t mtime; /* seconds since 1970 */
};

/* The page in order: its beginning, with the directory's name ("" for the root), a row
 * for each entry, its end. */
void http_listing_begin(struct text *t, const char *dir);
void http_listing_row(struct text *t, const struct http_listed *entry);
void http_listing_end(struct text *t);

#endif
