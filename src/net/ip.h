/* The IP layer's face: what came, and what is to be sent. */
#ifndef TAPIR_NET_IP_H
#define TAPIR_NET_IP_H

#include "net/netif.h"

/* What IP found out about a packet that is for this host. */
struct ip_info {
    struct netif *nif; /* where it came in */
    struct ip_addr src, dst;
    uint8_t proto, tos, ttl;
    bool broadcast;      /* dst is a broadcast or multicast address */
    uint16_t header_len; /* of the IP header, still in front of pkt->data */
};

/* How a packet is to be sent. */
struct ip_out {
    struct ip_addr src; /* 0.0.0.0: the route's */
    struct ip_addr dst;
    uint8_t proto;
    uint8_t tos; /* 0 */
    uint8_t ttl; /* 0: the default, 64 */
};

/* IPv4 packet at p->data. True: *out is filled, p's data is the transport header and p
 * is still the caller's. False: p was taken (dropped, counted). ip4.c */
bool ip4_input(struct netif *nif, struct pkt *p, struct ip_info *out);

/* Sends p, which begins with a transport header, with don't-fragment set. Where p->csum
 * is PARTIAL the checksum field already holds the pseudo-header's sum. Takes p.
 * 0, -ENETUNREACH, -EHOSTUNREACH, -EMSGSIZE, -EAGAIN, -ENETDOWN. ip4.c */
int ip_output(struct net *net, const struct ip_out *how, struct pkt *p);

/* The largest IP packet towards dst (the outgoing netif's MTU), 0 without a route. */
uint16_t ip_mtu(struct net *net, struct ip_addr dst);

#endif
