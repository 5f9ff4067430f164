/* Hosts as users write them: an IPv4 address, or a name. */
#ifndef TAPIR_TOOLS_ADDRESS_H
#define TAPIR_TOOLS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

struct options;

/* Fills *to. The stack must be up, since a name server may be asked; one that is the
 * COMMAND is waited for. On failure the user was told and false comes back. */
bool find_host(struct options *o, const char *host, struct sockaddr_in *to);

/* "HOST" or "HOST:PORT"; *to keeps its port where none is given. */
bool find_host_port(struct options *o, const char *text, struct sockaddr_in *to);

/* A connection failed with `err`: what, cause, fix. */
void tell_connect(const char *host, const struct sockaddr_in *to, int err);

#endif
