/* Fragments of IPv4 (RFC 791 s3.2): those that came wait here for the rest of their
 * datagram; what is larger than the way to its destination is cut here. */
#ifndef TAPIR_NET_FRAG_H
#define TAPIR_NET_FRAG_H

#include "base/heap.h"
#include "base/list.h"
#include "net/ip.h"
#include "net/route.h"
#include "wire/ip4_wire.h"

enum {
    FRAG_DATAGRAMS = 256, /* incomplete ones at most ... */
    FRAG_OF_SOURCE = 64,  /* ... and of one sender */
    FRAG_ID_SLOTS = 64,   /* counters of identifications (RFC 7739 s5.3's idea) */
};

struct frag_table {
    struct list all; /* struct frag.node, oldest first */
    size_t n;        /* datagrams in it */
    size_t bytes;    /* memory of their packets */
    uint16_t ids[FRAG_ID_SLOTS];
};

void frag_init(struct net *net);

/* Forgets all. */
void frag_clear(struct net *net);

/* A fragment came: p begins with the header that *ip was read from, and is trimmed.
 * Takes p. The whole datagram, its header that of the first fragment without the marks
 * of one; or NULL. */
struct pkt *frag_input(struct netif *nif, struct pkt *p, const struct ip4 *ip);

/* The deadline d, whose owner is DL_FRAG, is due: the datagram is given up. */
void frag_fire(struct net *net, struct deadline *d);

/* An identification for a datagram that is or may be cut. */
uint16_t frag_id(struct net *net, const struct ip4 *ip);

/* Sends p, which begins with its transport header, in pieces of at most `mtu` bytes;
 * `ip` is the header that they get, but for length, offset and identification. Takes p.
 * 0; -EAGAIN when the link took nothing; -ENOBUFS; what else neigh_output() says. */
int frag_output(struct net *net, const struct route_hop *hop, const struct ip4 *ip,
                struct pkt *p, uint16_t mtu);

#endif
