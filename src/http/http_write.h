/* Heads of messages, and the small pages that explain an error, into bounded text. What
 * comes from outside cannot add a line: control characters in a value become spaces. */
#ifndef TAPIR_HTTP_WRITE_H
#define TAPIR_HTTP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_url.h"

/* "Not Found" for 404; "Unknown" for what no RFC 9110 names. */
const char *http_reason(int status);

/* "HTTP/1.1 200 OK" and its CRLF. */
void http_write_status(struct text *t, int status);

/* "name: value" and its CRLF. */
void http_write_field(struct text *t, const char *name, const char *value);
void http_write_number(struct text *t, const char *name, uint64_t n);
void http_write_date(struct text *t, const char *name, int64_t seconds);

/* May a user's own line be one of a head: "Name: value" without anything that would end
 * the line or the head? */
bool http_field_is_valid(const char *line);

/* The empty line that ends a head. */
void http_write_end(struct text *t);

/* "GET /a HTTP/1.1": the target as it is, but encoded. */
void http_write_start(struct text *t, const char *method, struct http_slice target,
                      int minor);

/* The request line of HTTP/1.minor for a URL, whose target is never empty. */
void http_write_request(struct text *t, const char *method, const struct http_url *url,
                        int minor);

/* Its Host; the port is named unless it is 80. */
void http_write_host(struct text *t, const struct http_url *url);

/* What stands before a chunk of n bytes; behind it comes http_write_end(). */
void http_write_chunk(struct text *t, uint64_t n);

/* The last chunk, and the end of all. */
void http_write_last_chunk(struct text *t);

/* An HTML page that says what `status` means. */
void http_write_page(struct text *t, int status);

#endif
