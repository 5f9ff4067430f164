/* A cable between two ports in real time, with the link emulator in it: what comes in
 * at one end goes out at the other. No stack is involved; frames are not looked at. */
#ifndef TAPIR_EDGE_BRIDGE_H
#define TAPIR_EDGE_BRIDGE_H

#include "edge/clock.h"
#include "edge/netem.h"
#include "edge/pcapng.h"
#include "edge/port.h"
#include "net/net.h"

/* One direction. */
struct bridge_way {
    struct port *from, *to;
    struct netem netem; /* in use where its config is on */
    struct pkt *stuck;  /* `to` had no room for it: goes first; NULL */
    struct net net;     /* for the drops of this direction alone */
    uint64_t in_frames, in_bytes, out_frames, out_bytes;
};

struct bridge {
    struct bridge_way way[2]; /* from port 0 to port 1, and back */
    struct port *port[2];
    struct pkt_pool pool;
    struct clock clock;
    struct pcapng *pcap; /* interface 0 is port 0, 1 is port 1; NULL: no capture */
    bool starved;        /* no packet for the next frame: wait a little */
    usec delivered;      /* when a frame went out last */
    usec late;           /* by how much sleep is too long, mostly at most ... */
    usec usual;          /* ... and mostly about */
    usec woke_late;      /* how long ago what ended the last sleep came in */
    usec turned;         /* when the last turn was */
};

/* Takes the ports over. Frames from port 0 to port 1 meet spec->out, those back
 * spec->in. */
void bridge_init(struct bridge *b, struct port *first, struct port *second,
                 const struct netem_spec *spec, uint64_t seed);

/* Forgets what is under way and closes the ports. */
void bridge_free(struct bridge *b);

/* Takes what has come, delivers what is due. True when a frame moved. */
bool bridge_turn(struct bridge *b, usec now);

/* When something is due by itself, or NEVER. */
usec bridge_deadline(const struct bridge *b);

/* Carries frames until stop_fd is readable or `until` (of b->clock): 0. -ENETDOWN when
 * a port has died. */
int bridge_run(struct bridge *b, int stop_fd, usec until);

#endif
