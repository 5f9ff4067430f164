/* The steps of a fetch, for who puts them in another order (http_pipeline.c). */
#ifndef TAPIR_APP_HTTP_CLIENT_H
#define TAPIR_APP_HTTP_CLIENT_H

#include "app/http_fetch.h"

/* Begins a fetch of one URL. */
void fetch_begin(struct http_fetch *f, struct tapir_http_client *client,
                 const char *url, struct tapir_http_result *result);

/* Steps 1 to 3: where does it go? */
bool fetch_locate(struct http_fetch *f);

/* Step 4: a connection in f->conn; `fresh`: none that was used before. */
bool fetch_connect(struct http_fetch *f, bool fresh);

/* Does this connection lead to where it goes? Then that is f->to. */
bool fetch_leads(struct http_fetch *f, const struct http_conn *conn);

/* It has a connection: notes both ends, and how it came to it (", kept"). */
void fetch_connected(struct http_fetch *f, const char *how);

/* The head of its request, for the caller to free; NULL: failed. */
char *fetch_head(struct http_fetch *f, size_t *len);

/* There is no head: no memory (len 0), or it is too long. False. */
bool fetch_no_head(struct http_fetch *f, size_t len);

/* After an answer: tells it. */
void fetch_read(struct http_fetch *f);

/* Step 7: its connection is kept, if the server agrees, or closed. */
void fetch_close(struct http_fetch *f, bool keep);

/* Steps 4 to 6 on a connection of its own, once more where that is due. */
bool fetch_exchange(struct http_fetch *f);

/* Does its request change nothing at the server, so that it may be sent twice? */
bool fetch_is_safe(const struct http_fetch *f);

/* The rest, when an answer was read: follows where it leads. */
void fetch_follow(struct http_fetch *f, bool ok, bool keep);

/* Ends it: the result is complete. */
void fetch_end(struct http_fetch *f);

#endif
