/* Byte ranges (RFC 9110 s14): what a client wants of a file, how it comes, and what a
 * client makes of it. */
#ifndef TAPIR_HTTP_RANGE_H
#define TAPIR_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

enum {
    HTTP_RANGES_MAX = 16,    /* in one request; with more, the whole file comes */
    HTTP_BOUNDARY_ROOM = 32, /* characters of a boundary, and a NUL */
    HTTP_PART_ROOM = 192 +
                     64 /* what stands before a part, with the type's characters */
};

struct http_range {
    uint64_t from; /* first byte */
    uint64_t len;  /* bytes, one at least */
};

/* Reads a Range against a file of `size` bytes. How many of out[HTTP_RANGES_MAX] it
 * makes, in the order asked; 0 when the field is to be ignored: another unit, nonsense,
 * or ranges that are many or overlap (s14.2); -416 when none of them lies in the file.
 */
int http_parse_ranges(struct http_slice value, uint64_t size, struct http_range *out);

/* "Content-Range: bytes 0-4/10" and its CRLF; without a range (NULL) the size alone, as
 * a 416 tells it. */
void http_write_content_range(struct text *t, const struct http_range *range,
                              uint64_t size);

/* A boundary for multipart/byteranges (s14.6), which no file has by accident. */
void http_write_boundary(struct text *t, uint64_t chance);

/* What goes before each part's bytes, and what ends them all. */
struct http_parts {
    const char *boundary;
    const char *type; /* Content-Type of the file */
    uint64_t size;    /* of the file */
    int n;            /* ranges */
    const struct http_range *range;
};

void http_write_part(struct text *t, const struct http_parts *parts, int i);
void http_write_parts_end(struct text *t, const struct http_parts *parts);

/* Bytes of all of it: the answer's Content-Length. */
uint64_t http_parts_length(const struct http_parts *parts);

/* What a 206 says it is. */
struct http_content_range {
    uint64_t from, to; /* first and last byte */
    uint64_t size;     /* of the whole; UINT64_MAX: "*" */
};

/* Reads a Content-Range of bytes; false for what is none, also for that of a 416. */
bool http_parse_content_range(struct http_slice value, struct http_content_range *out);

#endif
