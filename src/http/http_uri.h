/* URIs as text (RFC 3986): encoding what may not stand in them, removing dot segments,
 * and resolving a reference against the URI that it was found in. */
#ifndef TAPIR_HTTP_URI_H
#define TAPIR_HTTP_URI_H

#include "base/text.h"
#include "http/http_slice.h"

/* Writes a file name as the path of a URL: everything but letters, digits, '/' and
 * "-._~" percent-encoded. */
void http_encode_path(struct text *t, const char *name);

/* Writes a target as it may stand on the wire: blanks, controls, quotes and what is not
 * ASCII are encoded. The rest stays as it is, also the few others that no URI has
 * ("\\^`{|}"), since servers know them so, from browsers and curl. */
void http_encode_target(struct text *t, struct http_slice target);

/* The same of a path, without its dot segments (s5.2.4), if it begins with '/'. */
void http_write_path(struct text *t, struct http_slice path);

/* Writes what `reference` means where `base`, which has a scheme, is the URI at hand
 * (s5.2): where a Location leads to. An empty path behind an authority is "/" (RFC 9110
 * s4.2.3), a space in a query "+". */
void http_resolve(struct text *t, struct http_slice base, struct http_slice reference);

#endif
