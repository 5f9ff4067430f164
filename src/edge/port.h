/* A port: where frames of the outside come in and go out. Two kinds are built: a TAP
 * device (tap.h) and a stream socket with a length before each frame (stream.h). Who
 * drives one reads it when poll(2) says so and sends through its link; it never blocks.
 *
 *     union { struct port; struct tap; struct stream }     each begins with its port */
#ifndef TAPIR_EDGE_PORT_H
#define TAPIR_EDGE_PORT_H

#include "net/netif.h"
#include "tapir/socket.h"

struct port;

struct port_ops {
    /* Reads one frame into a packet of pool: 1 and *out; 0 when there is none now;
     * -ENOBUFS when the pool is exhausted (the frame stays); -ENETDOWN when the port
     * is dead. */
    int (*read)(struct port *port, struct pkt_pool *pool, struct pkt **out);

    /* As a poll(2) of the device that reads what it finds: sets `ahead` when read() has
     * something to give. Needs no lock where nobody else reads meanwhile. NULL: never.
     */
    void (*look)(struct port *port);
    void (*flush)(struct port *port); /* tries to finish the begun frame; NULL: never */
    void (*close)(struct port *port);
};

struct port {
    struct link link; /* first: send() finds the rest */
    const struct port_ops *ops;
    struct net *net; /* its counters have the drops; set before the first frame */
    char name[16];   /* of the interface: "tap0", "fd3" */
    uint16_t mtu;    /* longer frames are dropped when they come */
    int fd;          /* poll(2) it for POLLIN; -1 when closed */
    int door;        /* one more to poll for POLLIN, with `knocked` as the answer; -1 */
    bool knocked;    /* the door was ready: the next read looks */
    bool pending;    /* a frame is begun: poll for POLLOUT, then flush */
    bool ahead;      /* look() has read for the next read(): do not sleep */
    bool arrived;    /* a peer has come; for the owner, who may announce itself */
    bool dead;       /* gone for good: do not poll */
    char why[160];   /* what made it dead, a sentence */
};

enum port_kind { PORT_TAP, PORT_FD, PORT_UNIX };

struct port_setup {
    enum port_kind kind;
    const char *name;         /* the TAP device, or the socket's path; borrowed */
    int fd;                   /* PORT_FD */
    bool offload;             /* wanted, where the port can */
    struct ip_addr host_addr; /* for a device made here: the kernel's side; 0.0.0.0 */
    unsigned host_prefix;
    unsigned mtu;
};

/* Reads "tap:NAME", "fd:N" or "unix:PATH" into kind, name and fd. 0; -ENOENT when it is
 * another kind of link; -EINVAL with *error. */
int port_parse(const char *link, struct port_setup *out, struct tapir_error *error);

/* Opens it; NULL and errno with *error filled: what, cause, fix. */
struct port *port_open(const struct port_setup *setup, struct tapir_error *error);

/* Leaves the outside as it was, closes, frees; packets it holds go back to their pool.
 * NULL is fine. */
void port_close(struct port *port);

/* It is gone for good: says why, as printf. */
void port_die(struct port *port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
