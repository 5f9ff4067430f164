/* A network interface, and the link under it: the first of the core's three tables of
 * function pointers. A netif belongs to one net; the link belongs to whoever made it
 * (edge) and outlives the netif. */
#ifndef TAPIR_NET_NETIF_H
#define TAPIR_NET_NETIF_H

#include "base/pkt.h"
#include "wire/addr.h"

struct net;

enum {
    LINK_CSUM = 1,        /* completes partial checksums */
    LINK_TSO = 2,         /* cuts TCP super-segments (gso_size) itself */
    LINK_SHORT_QUEUE = 4, /* what comes in waits in a queue of 500 frames or so, and
                           * is lost where that is full */
    LINK_BIG = 8,         /* takes super-segments beyond 65535 bytes, whose IPv4 total
                           * length is 0 (BIG TCP); may turn out not to */
};

struct link {
    /* Sends one frame. Borrows p: the link copies what it must keep. 0: taken, or
     * dropped with a counted reason; 1: taken, and full with it, but for the rest of a
     * super-segment; -EAGAIN: nothing was taken. After the last two the owner of the
     * link calls stack_unblock() when it can take more. Never calls back. */
    int (*send)(struct link *link, const struct pkt *p);
    uint32_t caps; /* LINK_CSUM | ... */
};

struct netif {
    struct net *net;
    struct netif *next; /* in net->netifs */
    struct link *link;  /* borrowed; NULL for the loopback */
    char name[16];      /* "tap0", "lo" */
    int index;          /* 0 is the loopback */
    struct mac_addr mac;
    uint16_t mtu;        /* largest IP packet, bytes */
    struct ip_addr addr; /* own address; 0.0.0.0 when none */
    uint8_t prefix;      /* its prefix length */
    usec defend_after;   /* RFC 5227 s2.4: the next conflict is answered from then on */
    bool up;             /* false: the device is down or gone */
    bool unplugged;      /* set before it is added: its cable, and `up`, come later */
    bool noarp;          /* one station is at the other end, `far`, and has every
                          * address: nobody is asked */
    struct mac_addr far; /* noarp: that station */
    bool blocked;        /* the link is full and has not called back */
    uint64_t in_frames, in_bytes, out_frames, out_bytes; /* device frames, not wire */
};

/* The largest super-segment, as an IP packet: what the header's total length can say,
 * and with LINK_BIG. */
enum { NETIF_GSO_MAX = 65535, NETIF_BIG_MAX = 262144 };

/* Hands a complete frame to the link: a super-segment that the link cannot cut is cut
 * (gso.h), a partial checksum that it cannot complete is completed. Takes p. 0, -EAGAIN
 * (nothing was sent; one beyond NETIF_GSO_MAX: perhaps less would have been) or
 * -ENETDOWN. */
int netif_output(struct netif *nif, struct pkt *p);

#endif
