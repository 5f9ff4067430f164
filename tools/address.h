/* Hosts as users write them: an address, or a name. */
#ifndef TAPIR_TOOLS_ADDRESS_H
#define TAPIR_TOOLS_ADDRESS_H

#include "app/endpoint.h"

struct options;

/* Fills *to, whose port stays. The family is AF_INET, or AF_UNSPEC for what the link
 * has. The stack must be up, since a name server may be asked; one that is the COMMAND
 * is waited for. On failure the user was told and false comes back. */
bool find_host(struct options *o, const char *host, int family, union endpoint *to);

/* Takes "HOST" or "HOST:PORT" apart, an IPv6 address in brackets where a port follows;
 * *port stays where none is given. False: that is no port, and the user was told. */
bool read_host_port(const char *text, char *host, size_t cap, uint16_t *port);

/* A connection failed with `err`: what, cause, fix. */
void tell_connect(const char *host, const union endpoint *to, int err);

#endif
