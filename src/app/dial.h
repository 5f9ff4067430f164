/* A client's connection with deadlines: connect, send and receive wait no longer than
 * until a moment of tapir_now(). Results are negative errno; -ETIME is the deadline
 * (-ETIMEDOUT is the stack's own: the peer did not answer). */
#ifndef TAPIR_APP_DIAL_H
#define TAPIR_APP_DIAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/time.h"

/* A connected descriptor, non-blocking and without Nagle's delay; the caller
 * closes it. */
int dial_connect(const struct sockaddr_in *to, usec deadline);

/* All of it: 0. */
int dial_send(int fd, const char *at, size_t len, usec deadline);

/* What there is: bytes; 0 at the end of the stream. */
ssize_t dial_receive(int fd, char *at, size_t room, usec deadline);

/* Is it still open, with nothing to read? What an idle connection must be to be used
 * again. */
bool dial_is_quiet(int fd);

#endif
