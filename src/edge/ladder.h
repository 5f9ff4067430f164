/* The ladder: packets, states and socket calls as text, two lifelines side by side (the
 * figure of every TCP lecture), at most 100 columns:
 *
 *      time   192.0.2.1:40000                                        192.0.2.2:80
 *   0.000000  |--- S 0:0(0) win 64240 <mss 1460,sackOK,...> ------------>|
 *                                                              LISTEN -> SYN-RECV
 * A connection's numbers are relative to its first. One struct a stack. */
#ifndef TAPIR_EDGE_LADDER_H
#define TAPIR_EDGE_LADDER_H

#include <stdio.h>

#include "base/pkt.h"
#include "tapir/trace.h"
#include "wire/dump.h"

enum { LADDER_FLOWS = 64 };

struct ladder_flow {
    struct trace_tuple tuple;           /* from this stack's side */
    struct seq local_base, remote_base; /* initial sequence numbers seen */
    bool local_known, remote_known;
    uint64_t used; /* when last used: the oldest slot is reused */
};

struct ladder {
    FILE *out;
    bool headed;             /* the lifelines' heads were printed */
    struct trace_tuple head; /* for whom */
    uint64_t events;
    struct ladder_flow flow[LADDER_FLOWS];
    struct pkt_pool pool; /* for one scratch packet: super-segments are cut */
    struct pkt *scratch;
};

int ladder_init(struct ladder *l, FILE *out); /* 0 or -ENOMEM */
void ladder_event(struct ladder *l, const struct trace_event *event);
void ladder_free(struct ladder *l);

#endif
