/* A TAP device as a link, with IFF_VNET_HDR: checksums and TCP super-segments of up to
 * 64 KiB cross it in one system call each way where offload is on. */
#ifndef TAPIR_EDGE_TAP_H
#define TAPIR_EDGE_TAP_H

#include "net/netif.h"
#include "tapir/socket.h"

struct stack;

struct tap {
    struct link link; /* first: send() finds the rest */
    struct netif nif;
    int fd;            /* non-blocking; -1 when closed */
    bool offload;      /* checksum and TSO, both ways */
    bool made;         /* this process made the device: it goes away on close */
    bool dead;         /* the device was deleted */
    struct pkt *spare; /* what the next frame is read into, of the stack's pool; NULL */
};

struct tap_setup {
    const char *name; /* "tap0" */
    bool offload;
    struct ip_addr host_addr; /* for a device made here: the kernel's side */
    unsigned host_prefix;
    unsigned mtu;
};

/* Opens the device, makes it (with host address, up, a queue of 1000) if it is missing.
 * One that stands keeps its host side. Fills in nif's link, name and mtu; MAC and
 * addresses are the caller's. 0, or negative errno with *error filled: what,
 * cause, fix. */
int tap_open(struct tap *t, const struct tap_setup *setup, struct tapir_error *error);

/* Reads one frame into a packet of pool: 1 and *out; 0 when there is none now;
 * -ENOBUFS when the pool is exhausted (the frame stays); -ENETDOWN when the device is
 * gone for good (t->dead). */
int tap_read(struct tap *t, struct pkt_pool *pool, struct pkt **out);

/* Restores offload flags on a device that outlives us, closes, and gives the packet
 * that it reads into back to the pool: call it before the stack is freed. */
void tap_close(struct tap *t);

#endif
