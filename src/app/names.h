/* From a host's name to its address: what the user said (--resolve), literal
 * addresses, localhost, and the hosts file, in this order. A resolver that asks the
 * network is not built yet. */
#ifndef TAPIR_APP_NAMES_H
#define TAPIR_APP_NAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names {
    const char *const *resolve; /* "HOST:PORT:ADDRESS" each; HOST may be "*" */
    size_t n_resolve;
    const char *hosts; /* path of the hosts file */
};

/* Finds the address. 0 and, in *source, a few words on where it stood; -ENOENT when the
 * name stands nowhere; -EAFNOSUPPORT when only an IPv6 address is known. */
int names_lookup(const struct names *names, const char *host, uint16_t port,
                 struct in_addr *out, const char **source);

/* Is it "HOST:PORT:ADDRESS" with an IPv4 address? */
bool names_resolve_is_valid(const char *entry);

#endif
