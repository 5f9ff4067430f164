/* Kept connections and a server that waits for so long (formula 19): which part of the
 * visits finds its connection open, what it costs to hold them, and what those lose
 * that come as it closes. Pauses between visits are exponential, as those of a Poisson
 * process are. */
#ifndef TAPIR_LAB_THEORY_IDLE_H
#define TAPIR_LAB_THEORY_IDLE_H

#include <stdbool.h>

struct theory_idle {
    double pause;    /* T: mean seconds from an answer to the next request */
    double timeout;  /* tau: seconds that the server waits after an answer */
    double exchange; /* x: seconds from a request to its answer on a kept connection */
    double connect;  /* k: seconds that a new connection takes more */
    bool silent;     /* the client is not told that the server closes; else by FIN */
};

/* The parts of all visits: on the kept connection; on it, but in vain. The rest have
 * seen that it is closed. */
double theory_idle_reuse(const struct theory_idle *i);
double theory_idle_stale(const struct theory_idle *i);

/* Seconds: what a visit in vain loses before it begins anew; a visit's mean. */
double theory_idle_cost(const struct theory_idle *i);
double theory_idle_wait(const struct theory_idle *i);

/* The part of the time that the server has a connection for a client. */
double theory_idle_held(const struct theory_idle *i);

#endif
