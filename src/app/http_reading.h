/* Taking an answer out of a connection's buffer, as far as it has come: interim heads,
 * the head, the body. What it says is noted in the fetch and its result. */
#ifndef TAPIR_APP_HTTP_READING_H
#define TAPIR_APP_HTTP_READING_H

#include "app/http_fetch.h"

/* Before the first byte of an answer. */
void http_reading_begin(struct http_fetch *f);

/* Takes what the buffer has, up to the answer's end; f->phase says how far it is.
 * False: the fetch has failed. */
bool http_reading_take(struct http_fetch *f);

/* The stream has ended there. True: that was the end of the body. */
bool http_reading_end(struct http_fetch *f);

/* The answer was cut (f->cut). Can it come once more, without a byte handed over twice?
 */
bool http_reading_anew(struct http_fetch *f);

#endif
