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

/* Is the target one whose requests come back? */
bool http_is_echo(const struct http_site *site, const struct http_target *target);

/* Makes the answer to a request whose body needs no look. */
void http_answer_request(struct http_session *s, struct http_site *site,
                         const struct http_head *head,
                         const struct http_target *target);

/* A page that says what a status means. */
void http_answer_status(struct http_session *s, int status);

/* What came back: the body in s->kept. */
void http_answer_echo(struct http_session *s);

/* "100 Continue": the answer comes later. */
void http_answer_continue(struct http_session *s);

/* The next of the parts, when the one before is out. False: there is none, or no
 * memory for it (then `out` is missing and the answer cannot be finished). */
bool http_answer_next_part(struct http_session *s);

/* Forgets the answer, and what of the request it was made of. */
void http_answer_drop(struct http_session *s);

#endif
