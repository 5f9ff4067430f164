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

/* What becomes of a packet that is larger than the way, in Linux's words for
 * IP_MTU_DISCOVER (IP_PMTUDISC_...). */
enum ip_df {
    IP_DF_DO,    /* refused, -EMSGSIZE; don't-fragment is set on all others */
    IP_DF_WANT,  /* cut here; don't-fragment is set on what need not be */
    IP_DF_DONT,  /* cut here or on the way: don't-fragment is never set */
    IP_DF_PROBE, /* as DO, but only the interface's MTU counts, not the path's */
};

/* How a packet is to be sent. */
struct ip_out {
    struct ip_addr src; /* 0.0.0.0: the route's */
    struct ip_addr dst;
    uint8_t proto;
    uint8_t tos; /* 0 */
    uint8_t ttl; /* 0: the default, 64 */
    enum ip_df df;
};

/* IPv4 packet at p->data. Takes p. What goes up: *out is filled, data is the transport
 * header, the IP header stands in front of it; that is p, or a whole datagram of which
 * p was the last fragment to come. NULL: nothing does (dropped, counted; or it waits
 * for the rest). ip4.c */
struct pkt *ip4_input(struct netif *nif, struct pkt *p, struct ip_info *out);

/* Sends p, which begins with a transport header. Where p->csum
 * is PARTIAL the checksum field already holds the pseudo-header's sum. Takes p.
 * 0, -ENETUNREACH, -EHOSTUNREACH, -EMSGSIZE, -EAGAIN, -ENETDOWN. ip4.c */
int ip_output(struct net *net, const struct ip_out *how, struct pkt *p);

/* The largest IP packet towards dst (the outgoing netif's MTU), 0 without a route. */
uint16_t ip_mtu(struct net *net, struct ip_addr dst);

#endif
