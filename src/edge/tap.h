/* A TAP device as a port. With IFF_VNET_HDR checksums and TCP super-segments of up to
 * 64 KiB, outwards up to four times that, cross it in one system call each way where
 * offload is on; an inherited device without that header carries frames alone. */
#ifndef TAPIR_EDGE_TAP_H
#define TAPIR_EDGE_TAP_H

#include "edge/port.h"

struct tap {
    struct port port;  /* first; its fd is non-blocking */
    unsigned header;   /* bytes of vnet header before a frame: 12, or 0 for none */
    bool offload;      /* checksum and TSO, both ways */
    bool made;         /* this process made the device: it goes away on close */
    bool blocking;     /* inherited so: the flag is the opener's too, and put back */
    int header_before; /* length of the vnet header to put back on close */
    struct pkt *spare; /* the next frame is read into it, of the reader's pool; NULL */
    ssize_t filled;    /* with port.ahead: bytes in the spare, or negative errno */
};

/* Opens the device `name`, makes it (with host address, up, a long queue) if it is
 * missing. One that stands keeps its host side. 0, or negative errno with *error
 * filled: what, cause, fix. */
int tap_open(struct tap *t, const struct port_setup *setup, struct tapir_error *error);

/* The same with a descriptor that somebody else has attached to a device and left to
 * this process. The device has IFF_NO_PI, which cannot be asked: in
 * TUNGETIFF's answer its bit says something else, too. The host side is its owner's.
 * Where it fails the descriptor is
 * as it was. */
int tap_adopt(struct tap *t, const struct port_setup *setup, struct tapir_error *error);

/* The link's send(), and struct port_ops's; tap_frames.c. */
int tap_send(struct link *link, const struct pkt *p);
int tap_read(struct port *port, struct pkt_pool *pool, struct pkt **out);
void tap_look(struct port *port);

/* Restores offload flags on a device that outlives us, closes, and gives the packet
 * that it reads into back to the pool: call it before the pool is freed. */
void tap_close(struct port *port);

#endif
