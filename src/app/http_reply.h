/* From an answer as a value (http_head.h) to its bytes: the head, and what of the body
 * is at hand. */
#ifndef TAPIR_APP_HTTP_REPLY_H
#define TAPIR_APP_HTTP_REPLY_H

#include "app/http_head.h"

/* Makes s->out of the answer's head and, unless a HEAD is answered, its body, or what
 * of it does not come later. */
void http_reply_make(struct http_session *s, const struct answer *a,
                     struct http_slice body);

/* With a page that says what the status means as its body. */
void http_reply_page(struct http_session *s, struct answer *a);

/* Nothing but that page. */
void http_reply_status(struct http_session *s, int status);

/* "100 Continue": the answer comes later. */
void http_reply_continue(struct http_session *s);

/* Nothing but these characters is s->out; without memory, nothing is. */
void http_reply_put(struct http_session *s, const char *at, size_t len);

#endif
