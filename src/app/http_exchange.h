/* A request and its answer on a connection that stands. */
#ifndef TAPIR_APP_HTTP_EXCHANGE_H
#define TAPIR_APP_HTTP_EXCHANGE_H

#include "app/http_fetch.h"

/* Sends f->out on f->conn and reads one answer to its end. False: the fetch has failed,
 * and the connection is of no use any more. */
bool http_exchange(struct http_fetch *f);

/* May the connection carry another request after that? */
bool http_exchange_persists(const struct http_fetch *f);

#endif
