/* Routes: longest prefix wins. A network may have several gateways, the preferred one
 * first: the next takes over while one answers nobody (RFC 1122 s3.3.1.2, s3.3.1.5). */
#ifndef TAPIR_NET_ROUTE_H
#define TAPIR_NET_ROUTE_H

#include "net/netif.h"

enum {
    ROUTES_MAX = 32,
    GATEWAYS_MAX = 4, /* that one interface is given */
    ROUTES_KEPT = 16, /* destinations whose way is kept */
};

struct route {
    struct ip_addr dst;     /* network */
    uint8_t prefix;         /* its length */
    struct ip_addr gateway; /* 0.0.0.0: the destination is on the link */
    struct netif *nif;
    bool dead;   /* the gateway answers nobody, and there is another one */
    usec ask_at; /* dead: it is asked again by what is sent then */
};

/* Where a packet goes. */
struct route_hop {
    struct netif *nif;
    struct ip_addr next_hop; /* gateway or the destination itself */
    struct ip_addr src;      /* source address to use when the caller has none */
};

/* What was found for a destination. */
struct route_kept {
    struct ip_addr dst;
    struct route_hop hop; /* without nif: nothing is kept here */
};

struct route_table {
    struct route at[ROUTES_MAX]; /* longest prefix first, then as they were added */
    size_t n;
    size_t n_dead; /* of them */
    struct route_kept kept[ROUTES_KEPT];
};

/* 0, -ENOSPC, or -EEXIST for the same destination and prefix by the same gateway. */
int route_add(struct net *net, const struct route *r);

/* The addresses of this host have changed: what is kept may be wrong. */
void route_forget(struct net *net);

/* 0 or -ENETUNREACH. Own addresses and 127/8 lead to the loopback. Gateways that are
 * dead may be asked for by this. */
int route_lookup(struct net *net, struct ip_addr dst, struct route_hop *out);

/* The neighbour cache has found that this gateway answers nobody, or that it is there.
 */
void route_gateway_fails(struct net *net, struct ip_addr gateway);
void route_gateway_answers(struct net *net, struct ip_addr gateway);

#endif
