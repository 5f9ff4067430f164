/* What is answered: from a request's head to the bytes of the answer, in the session
 * that it belongs to. How they get in and out is the session's business. */
#ifndef TAPIR_APP_HTTP_ANSWER_H
#define TAPIR_APP_HTTP_ANSWER_H

#include "app/http_session.h"
#include "http/http_target.h"

enum http_method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_OPTIONS,
    METHOD_POST,
    METHOD_PUT,
    METHOD_OTHER,   /* known, and nothing here has it */
    METHOD_UNKNOWN, /* RFC 9110 s9.1: 501 */
};

enum http_method http_method_of(struct http_slice method);

/* Makes the answer to a request whose body needs no look. */
void http_answer_request(struct http_session *s, struct http_site *site,
                         const struct http_head *head,
                         const struct http_target *target);

/* The next of the parts, or of a handler's pieces, when the one before is out. False:
 * there is none, or no memory for it (then `out` is missing and the answer cannot be
 * finished). */
bool http_answer_next_part(struct http_session *s);

/* Forgets the answer, and what of the request it was made of. */
void http_answer_drop(struct http_session *s);

#endif
