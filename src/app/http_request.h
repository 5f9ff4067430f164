/* The head of a client's request. */
#ifndef TAPIR_APP_HTTP_REQUEST_H
#define TAPIR_APP_HTTP_REQUEST_H

#include <stddef.h>

#include "http/http_url.h"
#include "tapir/http.h"

struct http_ask {
    const struct tapir_http_options *options;
    const struct http_url *url;   /* what is asked for */
    const struct http_url *first; /* what the user named: a Location led from there */
    const char *method;
    const char *referer; /* NULL or "": none */
    bool http10;         /* ask as HTTP/1.0 */
    bool body;           /* the options' body follows */
    bool expects;        /* ask for 100 (Continue) before it */
};

/* The method that the options mean. */
const char *http_request_method(const struct tapir_http_options *options);

/* Have they a body to send? */
bool http_request_has_body(const struct tapir_http_options *options);

/* Does it go in chunks: is its length not known, or does the user ask for it? */
bool http_request_is_chunked(const struct tapir_http_options *options);

/* Can the server find the body's end? Not in HTTP/1.0 with chunks, nor where the length
 * is not known and the user will have no chunks. */
bool http_request_is_framed(const struct tapir_http_options *options, bool http10);

/* Is 100 (Continue) worth waiting for before the body, or does the user ask for it? Not
 * in HTTP/1.0. */
bool http_request_expects(const struct tapir_http_options *options);

/* The head as it goes on the wire, for the caller to free; NULL: with *len 0 no memory,
 * else it has so many bytes that no server would read them. The user's fields replace
 * ours of the same name; one without a value ("Name:") only removes ours. What is
 * secret, or meant for one host, goes to the first URL's origin only. */
char *http_request_new(const struct http_ask *ask, size_t *len);

#endif
