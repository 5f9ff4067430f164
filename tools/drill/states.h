/* How many endpoints of TCP are in a state, for scripts that ask the system's listing
 * of sockets (FreeBSD's sockstat). */
#ifndef TAPIR_TOOLS_DRILL_STATES_H
#define TAPIR_TOOLS_DRILL_STATES_H

struct tapir;

/* By FreeBSD's name, as TIME_WAIT; -1: there is no such state. */
int states_count(const struct tapir *host, const char *name);

#endif
