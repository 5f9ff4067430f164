/* The IP layer's face: what came, and what is to be sent. */
#ifndef TAPIR_NET_IP_H
#define TAPIR_NET_IP_H

#include "net/netif.h"
#include "wire/ip4_wire.h"

struct route_hop;

/* What IP found out about a packet that is for this host. */
struct ip_info {
    struct netif *nif; /* where it came in */
    struct ip_addr src, dst;
    uint8_t proto, tos, ttl;
    bool broadcast;      /* dst is a broadcast or multicast address */
    uint16_t header_len; /* of the IP header, still in front of pkt->data */
};

/* What becomes of a packet that is larger than its way, in Linux's words and numbers
 * for IP_MTU_DISCOVER (IP_PMTUDISC_...). The way's MTU is the interface's, or what path
 * MTU discovery found (net/pmtu.h). */
enum ip_df {
    IP_DF_DONT,  /* cut here or on the way: don't-fragment is never set */
    IP_DF_WANT,  /* cut here; don't-fragment is set on what need not be */
    IP_DF_DO,    /* refused, -EMSGSIZE; don't-fragment is set on all others */
    IP_DF_PROBE, /* as DO, but only the interface's MTU counts, not the path's */
};

/* What a socket asks for all of its packets: IP_TOS, IP_TTL, IP_MTU_DISCOVER,
 * IP_OPTIONS. */
struct ip_options {
    uint8_t tos;                   /* 0 */
    uint8_t ttl;                   /* 0: net.ipv4.ip_default_ttl */
    uint8_t n_list;                /* bytes of IP's options, a multiple of four; 0 */
    uint8_t list[IP4_OPTIONS_MAX]; /* as ip4_options_read() leaves them */
    enum ip_df df;
};

/* What one packet asks for instead of its socket's options. */
struct ip_ask {
    struct ip_addr src; /* 0.0.0.0: as usual */
    int nif;            /* index of the interface that it leaves by; -1: any */
    int tos, ttl;       /* -1: as usual */
};

/* What a receiver may ask about a packet that came. */
struct ip_heard {
    struct ip_addr dst;   /* as in its header */
    struct ip_addr local; /* our address: dst, or the interface's for a broadcast */
    int nif;              /* index of the interface it came in by */
    uint8_t tos, ttl;
    uint8_t n_list; /* bytes of its options */
    uint8_t list[IP4_OPTIONS_MAX];
};

/* How a packet is to be sent. */
struct ip_out {
    struct ip_addr src; /* 0.0.0.0: the route's */
    struct ip_addr dst;
    uint8_t proto;
    struct ip_options opt;
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

/* Takes what a packet asks for into the way that it goes and its options; NULL: it asks
 * for nothing. 0; -EINVAL: src is none of our addresses; -ENODEV: there is no such
 * interface; -ENETUNREACH: the way leaves by another one. ip4.c */
int ip_take_ask(const struct net *net, const struct ip_ask *ask, struct route_hop *hop,
                struct ip_options *opt);

/* Of p, at its transport header. ip4.c */
struct ip_heard ip_heard(const struct ip_info *ip, const struct pkt *p);

/* What a new socket begins with (net.ipv4.ip_no_pmtu_disc). */
struct ip_options ip_options_default(const struct net *net);

/* The largest IP packet towards dst that the outgoing interface takes (its MTU); 0
 * without a route. */
uint16_t ip_mtu(struct net *net, struct ip_addr dst);

/* The transport hears nothing from dst: is its gateway still there (RFC 1122 s3.3.1.4)?
 * A station on the link is asked for by itself. ip4.c */
void ip_doubt(struct net *net, struct ip_addr dst);

/* The largest that gets there whole, as far as is known: RFC 1191's path MTU. */
uint16_t ip_path_mtu(struct net *net, struct ip_addr dst);

#endif
