/* UDP (RFC 768, RFC 1122 s4.1). A struct udp_port is one bound (perhaps connected)
 * endpoint; the socket layer owns it. */
#ifndef TAPIR_UDP_UDP_H
#define TAPIR_UDP_UDP_H

#include <sys/types.h>

#include "base/watch.h"
#include "net/net.h"

struct udp_port {
    struct list node; /* in udp->ports while bound */
    struct watch watch;
    struct udp *udp;
    struct ip_addr local, remote; /* 0.0.0.0 where not bound or not connected */
    uint16_t local_port, remote_port;
    struct pkt_queue rcv; /* datagrams, IP and UDP headers parsed off */
    size_t rcv_bytes;     /* text bytes queued, plus a fixed cost each */
    size_t rcv_limit;     /* SO_RCVBUF */
    struct ip_options ip; /* how its datagrams are sent */
    uint32_t arrived;     /* datagrams that ever were queued */
    uint32_t drops;       /* datagrams that found no room */
    int error;            /* pending -errno from ICMP, or 0 */
    bool reuse_addr;
    bool local_from_route; /* udp_connect() chose `local`: dissolving takes it back */
};

struct udp {
    struct net *net;
    struct list ports; /* bound ports */
};

struct udp_peer {
    struct ip_addr addr;
    uint16_t port;
};

/* What udp_receive() tells of a datagram beside its text. */
struct udp_datagram {
    struct udp_peer from;
    struct ip_heard ip;
    size_t len; /* the whole, also where less was copied */
};

void udp_init(struct udp *udp, struct net *net);
struct udp_port *udp_new(struct udp *udp); /* NULL: no memory */
void udp_free(struct udp_port *port);      /* unbinds, drops what is queued */

/* Port 0 asks for an ephemeral one. 0, -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL
 * (already). */
int udp_bind(struct udp_port *port, struct ip_addr local, uint16_t local_port);

/* Port 0 with address 0.0.0.0 dissolves the association. Binds if it must. */
int udp_connect(struct udp_port *port, struct ip_addr remote, uint16_t remote_port);

/* Sends a datagram; `to` NULL: the connected peer; `ask` NULL: it asks for nothing.
 * len, -EDESTADDRREQ, -EMSGSIZE, or as ip_take_ask() and ip_output(). */
ssize_t udp_send(struct udp_port *port, const struct piece *text, size_t n,
                 const struct udp_peer *to, const struct ip_ask *ask);

/* The next datagram, cut to the n rooms; *what may be NULL. -EAGAIN, or a pending
 * error. `peek` leaves it in the queue. */
ssize_t udp_receive(struct udp_port *port, const struct room *to, size_t n,
                    struct udp_datagram *what, bool peek);

/* Bytes of the datagram that udp_receive() would give; 0 also without one. */
size_t udp_next_len(const struct udp_port *port);

/* A datagram came. Takes p. */
void udp_input(struct udp *udp, const struct ip_info *ip, struct pkt *p);

/* An ICMP error quotes one of our datagrams: a connected port gets it, and the path's
 * MTU is learned from it. */
void udp_error(struct udp *udp, const struct net_error *err);

#endif
