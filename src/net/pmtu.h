/* Path MTU discovery (RFC 1191): what is known of ways that are narrower than the
 * interface they begin at. */
#ifndef TAPIR_NET_PMTU_H
#define TAPIR_NET_PMTU_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "wire/addr.h"

struct net;
struct net_error;

enum {
    PMTU_WAYS = 4,  /* destinations that may share a set ... */
    PMTU_SETS = 64, /* ... and sets: 256 destinations at most */
};

struct pmtu {
    struct ip_addr dst;
    uint16_t mtu; /* largest IP packet; 0: the entry is free */
    bool locked;  /* the way is narrower still: packets may be cut on it */
    usec until;   /* forgotten then (RFC 1191 s6.3) */
};

struct pmtu_table {
    struct pmtu at[PMTU_SETS * PMTU_WAYS]; /* set by set */
    usec next;      /* when the first of them is forgotten; NEVER: there are none */
    uint32_t stamp; /* changes whenever an entry does; never 0 */
};

void pmtu_init(struct net *net);

/* What is known of the way to dst, or NULL: the interface's MTU holds. */
const struct pmtu *pmtu_find(struct net *net, struct ip_addr dst);

/* Takes what an ICMP error "fragmentation needed" (err->error -EMSGSIZE) tells, which
 * the caller has found to be about a packet of its own. False: it tells nothing that
 * can be believed, or nothing that was not known. */
bool pmtu_learn(struct net *net, const struct net_error *err);

/* Whoever keeps a size that depends on a path compares this with what it was. */
uint32_t pmtu_stamp(struct net *net);

#endif
