/* The network layer's state, and what all transports share: time of the current event,
 * packet pool, deadlines, random numbers, counters, the trace sink. One per stack. */
#ifndef TAPIR_NET_NET_H
#define TAPIR_NET_NET_H

#include "base/count.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/pkt.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/trace.h"
#include "base/watch.h"
#include "net/frag.h"
#include "net/icmp.h"
#include "net/ip.h"
#include "net/neigh.h"
#include "net/netif.h"
#include "net/pmtu.h"
#include "net/redirect.h"
#include "net/route.h"

/* What a struct deadline is embedded in; the stack dispatches on it. */
enum deadline_owner { DL_NEIGH, DL_TCB, DL_HALF_OPEN, DL_TIME_WAIT, DL_TRIM, DL_FRAG };

enum {
    NET_ERRORS_MAX = 32, /* undelivered errors that the neighbour cache may leave */
    LOOPBACK_MAX = 256,  /* packets in the loopback queue */
    ICMP_BURST = 50,     /* RFC 1812 s4.3.2.8's idea: bucket of ICMP errors ... */
    ICMP_RATE = 1000,    /* ... and how many a second refill it (icmp_msgs_per_sec) */
};

/* Tunables, under Linux's names. */
struct net_config {
    uint8_t ip_default_ttl;       /* net.ipv4.ip_default_ttl: 64 */
    bool ip_no_pmtu_disc;         /* net.ipv4.ip_no_pmtu_disc: 0 */
    usec mtu_expires;             /* net.ipv4.route.mtu_expires: 600 s */
    uint32_t min_pmtu;            /* net.ipv4.route.min_pmtu: 552 */
    bool accept_redirects;        /* net.ipv4.conf.all.accept_redirects: 1 */
    usec redirect_expires;        /* net.ipv4.route.gc_timeout: 300 s */
    bool icmp_echo_ignore_all;    /* net.ipv4.icmp_echo_ignore_all: 0 */
    uint32_t icmp_msgs_per_sec;   /* net.ipv4.icmp_msgs_per_sec: 1000 */
    uint32_t icmp_msgs_burst;     /* net.ipv4.icmp_msgs_burst: 50 */
    uint32_t ipfrag_high_thresh;  /* net.ipv4.ipfrag_high_thresh: 4 MiB of packets */
    usec ipfrag_time;             /* net.ipv4.ipfrag_time: 30 s */
    uint16_t port_low, port_high; /* net.ipv4.ip_local_port_range: 32768 60999 */
    usec busy_poll; /* net.core.busy_poll: 100 us, for who reads the device */
};

struct net {
    usec now;   /* time of the current event; set by the stack only */
    usec epoch; /* real time at stack time 0; 0 in virtual time */
    struct net_config config;
    struct slab_set slabs; /* the stack's pools of blocks, packets included */
    struct pkt_pool pool;
    struct heap heap; /* every deadline of the stack */
    struct rng rng;
    struct siphash_key secret; /* for hash tables, ports and ISNs */
    struct counters count;
    struct trace trace;
    struct list woken;    /* struct watch.node: sockets something happened to */
    struct netif *netifs; /* list; the loopback first */
    struct netif loopback;
    struct route_table routes;
    struct neigh_table neigh;
    struct frag_table frags;
    struct pmtu_table pmtu;
    struct redirect_table redirects;
    struct pkt_queue loop; /* IP packets to ourselves, after the current event */
    struct net_error errors[NET_ERRORS_MAX]; /* ring: from neighbours that failed */
    size_t errors_head, errors_n;
    uint16_t ip_id;       /* next identification */
    uint32_t icmp_tokens; /* errors that may be sent now */
    usec icmp_refilled;   /* when tokens were last added */
};

struct net_setup {
    uint64_t seed;
    usec epoch;
    size_t pool_limit; /* bytes of packets at most */
    struct trace trace;
};

void net_init(struct net *net, const struct net_setup *setup);

/* Drops what waits, frees tables, asserts an empty pool. */
void net_free(struct net *net);

/* Adds nif (the caller's memory, fields name link mac mtu set) and its route; up, and
 * its address announced, unless it is unplugged. 0 or negative errno. */
int net_add_netif(struct net *net, struct netif *nif, struct ip_addr addr,
                  unsigned prefix);

/* Is this one of our own unicast addresses (127/8 too)? */
bool net_is_local(const struct net *net, struct ip_addr a);

/* Is this a broadcast address, limited or of a subnet of ours? */
bool net_is_broadcast(const struct net *net, struct ip_addr a);

/* The only way a packet dies before its journey's end: counts, traces, frees. p may be
 * NULL (a packet that could not even be made). */
void net_drop(struct net *net, struct pkt *p, enum drop why);

/* A sentence for the trace. */
void net_note(struct net *net, const char *text);

/* An error for the transports, taken by the stack after the event. Oldest is
 * overwritten when nobody takes them. */
void net_report_error(struct net *net, const struct net_error *err);
bool net_take_error(struct net *net, struct net_error *out);

/* Frame on nif: Ethernet, ARP, IP. Takes p; what goes up, as ip4_input(). ether.c */
struct pkt *ether_input(struct netif *nif, struct pkt *p, struct ip_info *out);

/* Puts the Ethernet header on and sends. Takes p. As netif_output(). ether.c */
int ether_output(struct netif *nif, struct mac_addr dst, uint16_t type, struct pkt *p);

#endif
