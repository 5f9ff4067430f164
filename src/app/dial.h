/* A client's connection with deadlines: connecting and waiting take no longer than
 * until a moment of tapir_now(). Results are negative errno; -ETIME is the deadline
 * (-ETIMEDOUT is the stack's own: the peer did not answer). */
#ifndef TAPIR_APP_DIAL_H
#define TAPIR_APP_DIAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "app/endpoint.h"
#include "base/time.h"

/* A connected descriptor, non-blocking and without Nagle's delay; the caller
 * closes it. */
int dial_connect(const union endpoint *to, usec deadline);

/* Until one of the events of poll(2) may be there: 0. */
int dial_wait(int fd, short events, usec deadline);

/* What goes without waiting: bytes; -EAGAIN: nothing. */
ssize_t dial_send(int fd, const char *at, size_t len);

/* What there is: bytes; 0 at the end of the stream; -EAGAIN: nothing yet. */
ssize_t dial_receive(int fd, char *at, size_t room);

/* Is it still open, with nothing to read? What an idle connection must be to be used
 * again. */
bool dial_is_quiet(int fd);

#endif
