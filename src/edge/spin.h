/* How long the driver looks at the device again and again before it sleeps. */
#ifndef TAPIR_EDGE_SPIN_H
#define TAPIR_EDGE_SPIN_H

#include <stdbool.h>

#include "base/time.h"

struct spin {
    bool alone;   /* there is one processor: looking keeps the peer from its work */
    usec usual_8; /* eight times how long a wait took of late */
};

void spin_init(struct spin *s);

/* How long to look now, of `most` (net.core.busy_poll). 0: sleep at once. */
usec spin_time(const struct spin *s, usec most);

/* Looked for `looked`, and waited for `waited` in all, until something came. */
void spin_waited(struct spin *s, usec looked, usec waited);

#endif
