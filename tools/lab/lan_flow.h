/* Segments of a small network (lan.h) and the connections that they belong to. */
#ifndef TAPIR_LAB_LAN_FLOW_H
#define TAPIR_LAB_LAN_FLOW_H

#include "lan.h"
#include "wire/tcp_wire.h"

enum { LAN_FLOWS = 512 };

struct lan_end {
    uint8_t address[4];
    uint16_t port;
};

/* A connection: which end is which is decided by its SYN. */
struct lan_flow {
    struct lan_end end[2]; /* who opened it, and the other */
    struct seq base[2];    /* their initial numbers ... */
    bool known[2];         /* ... if they were seen */
};

struct lan_flows {
    struct lan_flow flow[LAN_FLOWS];
    int n;
    bool adopt; /* a segment without a SYN before it begins one, too */
};

struct lan_segment {
    struct lan_end from, to;
    int flow;            /* its connection, counted from 1; 0: it has none */
    bool answer;         /* from the end that did not open it */
    uint32_t first, ack; /* its first number and what it acknowledges, relative */
    size_t ip_len;       /* bytes of the IP header; of TCP's, text is what follows */
    size_t tcp_len;
    struct tcp_seg tcp; /* text points into the event */
};

/* None yet. In a record of what was elsewhere connections may have begun before. */
void lan_flows_init(struct lan_flows *flows, const struct lan *lan);

/* The first line of a segment's text, as far as it fits and can be printed. */
size_t lan_first_line(const struct lan_segment *s, char *out, size_t room);

/* Looks at an event; they come in order. False: it is no segment. */
bool lan_look(struct lan_flows *flows, const struct lan_event *e,
              struct lan_segment *out);

#endif
