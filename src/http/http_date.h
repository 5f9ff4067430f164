/* Dates as HTTP writes them (RFC 9110 s5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT", from
 * and to seconds since 1970. */
#ifndef TAPIR_HTTP_DATE_H
#define TAPIR_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

/* Years 1 to 9999 can be written; what lies outside is written as the nearest that
 * can. */
void http_date_print(struct text *t, int64_t seconds);

/* Exactly an IMF-fixdate of an existing day; false otherwise. */
bool http_date_parse(struct http_slice s, int64_t *seconds);

#endif
