/* A private network namespace for this process: the place where a TAP device can be
 * made without root, and where nothing of the host is touched. */
#ifndef TAPIR_EDGE_NS_H
#define TAPIR_EDGE_NS_H

#include "tapir/socket.h"

/* Moves this (single-threaded) process into a new network namespace, and into a new
 * user namespace where the rights ask for it; loopback is up. 0, or negative errno with
 * *error filled; then the process may have changed its namespaces and should end. */
int ns_enter(struct tapir_error *error);

/* The reading of an errno that unshare(2) gave for a user namespace: cause and fix. For
 * the doctor, who tries in a child. */
void ns_explain(struct tapir_error *error, int err);

#endif
