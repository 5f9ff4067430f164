/* A socket of the script, and how its numbers go together with those on the wire: the
 * stack chooses its initial sequence number, its ports and where its timestamps begin,
 * the script has numbers of its own. Behind the SYNs a script counts from the initial
 * numbers.
 *
 * One socket is under test at a time: the one that was made, connected or connected to
 * last. Packets of others pass unseen. */
#ifndef TAPIR_TOOLS_DRILL_FLOW_H
#define TAPIR_TOOLS_DRILL_FLOW_H

#include "packet.h"

enum flow_state {
    FLOW_NEW,          /* socket() */
    FLOW_LISTENING,    /* listen() */
    FLOW_CONNECTING,   /* connect(); the script has no SYN yet */
    FLOW_SYN_SENT,     /* the script waits for our SYN, or had it */
    FLOW_SYN_ACKED,    /* it answered with SYN and ACK */
    FLOW_ARRIVED,      /* a packet came for a listener, or for nobody */
    FLOW_SYN_ACK_SENT, /* our SYN and ACK was seen */
    FLOW_ACCEPTABLE,   /* it was acknowledged */
};

/* Timestamps that stand for each other. */
struct flow_stamp {
    uint32_t script, wire;
};

enum { FLOW_STAMPS = 256 }; /* the oldest are forgotten */

struct flow {
    struct flow *next;
    enum flow_state state;
    enum packet_kind kind; /* PACKET_TCP or PACKET_UDP */
    int script_fd, fd; /* its descriptor in the script, and the real one; -1: none */
    uint16_t local_port, remote_port; /* 0: not known yet */
    uint32_t local_isn, remote_isn;   /* on the wire */
    uint32_t script_isn;              /* what the script calls local_isn */
    bool stamped;                     /* stamp[0] is the first one */
    size_t n_stamps;                  /* ever */
    struct flow_stamp first, stamp[FLOW_STAMPS];
};

/* Turns a packet that comes in from the script's numbers into the wire's, ports
 * included. NULL, or why that cannot be. `scaled`: an echoed timestamp that was never
 * sent is counted on from the first one. */
const char *flow_to_wire(const struct flow *f, struct packet *p, bool scaled);

/* A packet that goes out is this socket's? A SYN may tell a port that was not known. */
bool flow_owns(const struct flow *f, const struct packet *p);

/* Turns a packet that goes out from the wire's numbers into the script's. */
void flow_to_script(const struct flow *f, struct packet *p);

/* Notes which timestamp of the script stands for the actual one, and turns that into
 * the script's; `actual` is otherwise in the script's numbers. */
void flow_stamp(struct flow *f, const struct packet *wanted, struct packet *actual);

#endif
