/* Routes: longest prefix wins. */
#ifndef TAPIR_NET_ROUTE_H
#define TAPIR_NET_ROUTE_H

#include "net/netif.h"

enum { ROUTES_MAX = 32 };

struct route {
    struct ip_addr dst;     /* network */
    uint8_t prefix;         /* its length */
    struct ip_addr gateway; /* 0.0.0.0: the destination is on the link */
    struct netif *nif;
};

struct route_table {
    struct route at[ROUTES_MAX]; /* longest prefix first */
    size_t n;
};

/* Where a packet goes. */
struct route_hop {
    struct netif *nif;
    struct ip_addr next_hop; /* gateway or the destination itself */
    struct ip_addr src;      /* source address to use when the caller has none */
};

/* 0, -ENOSPC, or -EEXIST for the same destination and prefix. */
int route_add(struct net *net, const struct route *r);

/* 0 or -ENETUNREACH. Own addresses and 127/8 lead to the loopback. */
int route_lookup(struct net *net, struct ip_addr dst, struct route_hop *out);

#endif
