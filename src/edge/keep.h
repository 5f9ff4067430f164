/* What a room above the calls keeps for as long as a stack is up, since it may have no
 * variables of its own: the resolver of names. */
#ifndef TAPIR_EDGE_KEEP_H
#define TAPIR_EDGE_KEEP_H

#include <stdint.h>

/* This thread's stack's; made at the first call, from the servers of tapir_config.dns
 * (NULL: none were said) and the stack's seed, and dropped when the stack is freed.
 * NULL: there is no stack, or `make` gave none. */
void *keep_get(void *(*make)(const char *servers, uint64_t seed), void (*drop)(void *));

#endif
