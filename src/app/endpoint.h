/* An address and a port, of IPv4 or of IPv6, as the socket calls take them. IPv6 is
 * there on the kernel's sockets alone. */
#ifndef TAPIR_APP_ENDPOINT_H
#define TAPIR_APP_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum { ENDPOINT_TEXT = INET6_ADDRSTRLEN + 8 }; /* "[ADDRESS]:65535" and a NUL */

union endpoint {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

/* Of 4 or 16 bytes in network order; the family is AF_INET or AF_INET6. */
union endpoint endpoint_of(int family, const void *address, uint16_t port);

/* Reads an address without a port; false when it is none. */
bool endpoint_parse(const char *address, uint16_t port, union endpoint *out);

/* What the calls want to be told. */
socklen_t endpoint_len(const union endpoint *e);

uint16_t endpoint_port(const union endpoint *e);

bool endpoint_same(const union endpoint *a, const union endpoint *b);

/* "192.0.2.1", "2001:db8::1"; "" where there is none. An IPv4 address as an IPv6 socket
 * sees it (::ffff:192.0.2.1) is shown as one. Returns room, which has ENDPOINT_TEXT
 * bytes. */
const char *endpoint_host(const union endpoint *e, char *room);

/* "192.0.2.1:80", "[2001:db8::1]:80". */
const char *endpoint_print(const union endpoint *e, char *room);

#endif
