/* The endpoints of TCP and their states, by FreeBSD's names, for scripts that ask the
 * system's listing of sockets (sockstat). */
#ifndef TAPIR_TOOLS_DRILL_STATES_H
#define TAPIR_TOOLS_DRILL_STATES_H

#include "tcp/tcp_demux.h"

struct tapir;

/* Tells `see` of every endpoint; `state` as TIME_WAIT. */
typedef void states_see(void *arg, const struct tcp_slot *endpoint, const char *state);
void states_each(const struct tapir *host, states_see *see, void *arg);

/* How many there are in a state; -1: there is no such state. */
int states_count(const struct tapir *host, const char *name);

#endif
