/* The neighbour cache: which station has which address on the link (RFC 826 now, RFC
 * 4861 for IPv6 later: the states are its). An entry with packets waiting asks, at most
 * once a second (RFC 1122 s2.3.2.1), and gives up after three; a stale one that is used
 * is probed by unicast first; entries that are not used age away. */
#ifndef TAPIR_NET_NEIGH_H
#define TAPIR_NET_NEIGH_H

#include "base/heap.h"
#include "base/list.h"
#include "base/pkt.h"
#include "net/netif.h"

enum neigh_state {
    NEIGH_INCOMPLETE, /* asked, no answer yet: packets wait */
    NEIGH_REACHABLE,  /* confirmed lately */
    NEIGH_STALE,      /* known, not confirmed lately: used, and probed when used */
    NEIGH_PROBE,      /* unicast probes are out; still used */
};

enum {
    NEIGH_QUEUE_MAX = 16,     /* packets that wait for one address ... */
    NEIGH_FRAGMENTS_MAX = 64, /* ... where they are pieces of one: 64 KiB of them */
    NEIGH_MAX = 512,          /* entries */
    NEIGH_TRIES = 3,          /* requests before giving up */
};

struct neigh {
    struct list node;         /* in net->neigh.all, most recently used first */
    struct deadline deadline; /* next request, or ageing */
    struct netif *nif;
    struct ip_addr addr;
    struct mac_addr mac; /* good unless INCOMPLETE */
    enum neigh_state state;
    uint8_t tries;            /* requests sent in this state */
    struct pkt_queue waiting; /* INCOMPLETE: IP packets that wait, oldest first */
};

struct neigh_table {
    struct list all; /* struct neigh.node */
    size_t n;
    usec reachable_time; /* how long a confirmation holds: 30 s */
    usec gc_stale_time;  /* unused entries go after this: 60 s more */
};

/* Sends the IP packet p to next_hop on nif: at once, or when its address is known.
 * Takes p. 0 (also when it waits) or as netif_output(). */
int neigh_output(struct net *net, struct netif *nif, struct ip_addr next_hop,
                 struct pkt *p);

/* Asks for addr, if it is not known: nothing waits for the answer. */
void neigh_ask(struct net *net, struct netif *nif, struct ip_addr addr);

/* Somebody said that addr is at mac. Makes an entry only if `create`. */
void neigh_learn(struct net *net, struct netif *nif, struct ip_addr addr,
                 struct mac_addr mac, bool create);

/* The transport saw forward progress with addr: its entry is reachable (RFC 4861
 * s7.3.1, the same for ARP by RFC 1122 s2.3.2.1). */
void neigh_confirm(struct net *net, struct ip_addr addr);

/* The transport hears nothing from beyond addr: its entry is stale, so that the next
 * packet has it asked for. */
void neigh_doubt(struct net *net, struct ip_addr addr);

/* The deadline of n is due. */
void neigh_fire(struct net *net, struct neigh *n);

void neigh_init(struct net *net);
void neigh_clear(struct net *net);

/* The entry of addr, or NULL; for listings and tests. */
struct neigh *neigh_find(struct net *net, struct ip_addr addr);

#endif
