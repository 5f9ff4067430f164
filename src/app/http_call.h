/* A handler's call (tapir/http.h): a request that a program answers, in the session
 * that it belongs to. */
#ifndef TAPIR_APP_HTTP_CALL_H
#define TAPIR_APP_HTTP_CALL_H

#include "app/http_session.h"
#include "http/http_target.h"
#include "tapir/http.h"

/* The handler of the target's path, whatever the method; NULL: it is a file's. */
const struct tapir_http_handler *http_call_handler(const struct http_site *site,
                                                   const struct http_target *target);

/* A call of the handler that has the path and the method, with copies of what it may
 * ask: 0; -ENOENT: there is none; -ENOMEM. */
int http_call_new(const struct http_site *site, const struct http_head *head,
                  const struct http_target *target, struct http_call **call);

/* Tells the handler that it is over. NULL is fine. */
void http_call_free(struct http_call *c);

/* A piece of the request's body. 0, or minus the status that refuses it. */
int http_call_take(struct http_call *c, struct http_slice data);

/* The request of s->call is whole: makes the answer's head, and the first piece of its
 * body. */
void http_call_answer(struct http_session *s);

/* The next piece, when the one before is out. False: there is none, or no memory for it
 * (then s->out is missing). One that the handler cannot give leaves nothing to send. */
bool http_call_next(struct http_session *s);

#endif
