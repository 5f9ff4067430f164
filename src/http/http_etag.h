/* Entity tags (RFC 9110 s8.8.3): names of one version of a file. */
#ifndef TAPIR_HTTP_ETAG_H
#define TAPIR_HTTP_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

enum { HTTP_ETAG_ROOM = 56 }; /* characters of one that is written here, and a NUL */

/* Takes the next tag of a list off *rest, quotes and "W/" included. False at the list's
 * end, and at what is no tag: then *rest is not empty. */
bool http_next_etag(struct http_slice *rest, struct http_slice *tag);

/* Is it exactly one tag? */
bool http_etag_is_valid(struct http_slice tag);

/* RFC 9110 s8.8.3.2: the same bytes, or only the same meaning. */
bool http_etags_match_strongly(struct http_slice a, struct http_slice b);
bool http_etags_match_weakly(struct http_slice a, struct http_slice b);

/* Writes the strong tag of a file: its inode, its size and when it was changed, in
 * nanoseconds. */
void http_write_etag(struct text *t, uint64_t inode, uint64_t size, int64_t changed);

#endif
