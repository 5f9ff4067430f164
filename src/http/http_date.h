/* Dates as HTTP writes them (RFC 9110 s5.6.7), from and to seconds since 1970:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT       IMF-fixdate, the one that is written
 *     Sunday, 06-Nov-94 08:49:37 GMT      RFC 850
 *     Sun Nov  6 08:49:37 1994            C's asctime()
 */
#ifndef TAPIR_HTTP_DATE_H
#define TAPIR_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/http_slice.h"

/* Years 1 to 9999 can be written; what lies outside is written as the nearest that
 * can. */
void http_date_print(struct text *t, int64_t seconds);

/* As access logs have it: "06/Nov/1994:08:49:37 +0000". */
void http_date_print_log(struct text *t, int64_t seconds);

/* As machines like it (RFC 3339): "1994-11-06T08:49:37+00:00". */
void http_date_print_iso(struct text *t, int64_t seconds);

/* Exactly one of the three forms, of an existing day; false otherwise. `now` tells the
 * century where a year has two digits. */
bool http_date_parse(struct http_slice s, int64_t now, int64_t *seconds);

#endif
