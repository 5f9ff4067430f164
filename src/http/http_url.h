/* A URL as a user types it, and as curl takes it: without a scheme it is http, one to
 * three slashes may follow the scheme, a host may be encoded, and a number is an IPv4
 * address in any of the ways that inet_aton() knows. */
#ifndef TAPIR_HTTP_URL_H
#define TAPIR_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

enum { HTTP_HOST_MAX = 253 }; /* characters of a host name (RFC 1035 s2.3.4) */

struct http_url {
    char host[HTTP_HOST_MAX + 1]; /* as typed, decoded, without the brackets of IPv6 */
    bool is_ip6;                  /* host was in brackets */
    uint16_t port;                /* 80 unless it was given */
    struct http_slice user;       /* as typed, encoded; no address: there is none */
    struct http_slice password;   /* the same; no address: there was no ':' */
    struct http_slice target;     /* path and query without fragment; may lack '/' */
    struct http_slice authority;  /* user, host and port, as typed */
    struct http_slice fragment;   /* with its '#'; or empty */
};

/* Splits a URL, whose slices lie in s. 0; -EPROTONOSUPPORT for another scheme; -EINVAL.
 * `why` is set to a few words for a person. */
int http_parse_url(const char *s, struct http_url *url, const char **why);

/* The URL in full: with a scheme, and a path. */
void http_write_url(struct text *t, const struct http_url *url);

/* The same without user and fragment, as others may see it. */
void http_write_referer(struct text *t, const struct http_url *url);

/* Is it the same host? Names have no case. */
bool http_same_host(const char *a, const char *b);

/* Do both belong to one origin (RFC 9110 s4.3.1)? What was meant for one of them, such
 * as credentials, is then no secret to the other. */
bool http_same_origin(const struct http_url *a, const struct http_url *b);

#endif
