/* Hosts as users write them: an IPv4 address, or a name. */
#ifndef TAPIR_TOOLS_ADDRESS_H
#define TAPIR_TOOLS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

/* Fills *to; the stack must be up, since a server may be asked. On failure the user was
 * told and false comes back. */
bool find_host(const char *host, struct sockaddr_in *to);

/* "HOST" or "HOST:PORT"; *to keeps its port where none is given. */
bool find_host_port(const char *text, struct sockaddr_in *to);

/* A connection failed with `err`: what, cause, fix. */
void tell_connect(const char *host, const struct sockaddr_in *to, int err);

#endif
