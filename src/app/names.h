/* From a host's name to its addresses: what the user said (--resolve), literal
 * addresses, localhost, the hosts file, and the name servers (dns.h), in this order. */
#ifndef TAPIR_APP_NAMES_H
#define TAPIR_APP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/endpoint.h"
#include "base/time.h"

struct names {
    const char *const *resolve; /* "HOST:PORT:ADDRESS" each; HOST may be "*" */
    size_t n_resolve;
    const char *hosts; /* path of the hosts file */
    usec deadline;     /* of tapir_now(), for name servers; NEVER */
    int family;        /* AF_INET, AF_INET6; AF_UNSPEC: both */
};

enum { NAMES_FOUND = 48, NAMES_CANONICAL = 1024 };

struct names_found {
    size_t n;
    struct names_address {
        int family;    /* AF_INET, AF_INET6 */
        uint8_t b[16]; /* the first 4, or all */
    } at[NAMES_FOUND];
    char canonical[NAMES_CANONICAL]; /* the name behind all aliases */
    const char *source;              /* a few words on where it stood */
};

/* Finds all addresses of the family (AF_UNSPEC: of both) by all but --resolve. 0;
 * -ETIME when no name server answered, or not until the deadline; -ENOENT when the name
 * stands nowhere, or only in the DNS and no server is known; -EAFNOSUPPORT when only
 * the other family's is known; -ENODATA when the name servers know the name, but no
 * such address; else why they could not be asked, or what went wrong there (dns_ask()).
 */
int names_find(const char *hosts, const char *host, int family, usec deadline,
               struct names_found *out);

/* The same without the name servers. */
int names_local(const char *hosts, const char *host, int family,
                struct names_found *out);

/* The same of literal addresses alone: -ENOENT when it is none. */
int names_numeric(const char *host, int family, struct names_found *out);

/* Finds the addresses for connections to the port, at least one, to be tried in this
 * order. Results as names_find(). */
int names_lookup(const struct names *names, const char *host, uint16_t port,
                 struct names_found *out);

/* One of them, for a socket call. */
union endpoint names_at(const struct names_found *found, size_t i, uint16_t port);

/* Puts first what this stack is more likely to reach. */
void names_order(struct names_found *found);

/* Does this stack know the family at all? */
bool names_has_family(int family);

/* Where to listen for all: every address of this host, of both families where the stack
 * has both. */
union endpoint names_any(uint16_t port);

/* Is it "HOST:PORT:ADDRESS[,ADDRESS]"? One of IPv6 may stand in brackets. */
bool names_resolve_is_valid(const char *entry);

/* Why names_find() found nothing, in a sentence for the user. */
const char *names_trouble(int err);

#endif
