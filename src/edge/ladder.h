/* The ladder: packets, states and socket calls as text between two lifelines (the
 * figure of every TCP lecture), at most 100 columns. This host is on the left, its peer
 * on the right:
 *
 *       time 192.0.2.2:40000                                       192.0.2.1:80
 *            *  CLOSED -> SYN-SENT                                            |
 *   0.000000 |--- S 0:0(0) win 64240 <mss 1460,sackOK> ----------- 20+28+0 -->|
 *   0.020000 |<-- S. 0:0(0) ack 1 win 65535 <mss 1460> ----------- 20+24+0 ---|
 *
 * A connection's numbers (also its timestamps) count from its first; sizes are those of
 * IP header, TCP header and text. One struct a stack. */
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
    uint32_t local_ts, remote_ts; /* first timestamps seen */
    bool local_ts_known, remote_ts_known;
    uint64_t used; /* when last used: the oldest slot is reused */
};

/* A retransmission that was told of; its segments are marked as they leave. */
struct ladder_rexmit {
    bool waiting; /* the fields below are good */
    bool marked;  /* at least one segment was */
    int64_t at;   /* when it was told */
    struct trace_rexmit event;
};

/* A drop that was told of; the frame that leaves next is the one that died. */
struct ladder_lost {
    bool waiting; /* the fields below are good */
    int64_t at;   /* when it was told */
    struct trace_drop event;
};

struct ladder {
    FILE *out;
    bool explained;          /* the legend was printed */
    bool headed;             /* the lifelines' heads were printed */
    struct trace_tuple head; /* for whom */
    uint64_t events;
    struct ladder_rexmit rexmit;
    struct ladder_lost lost;
    struct ladder_flow flow[LADDER_FLOWS];
    struct pkt_pool pool; /* for one scratch packet: super-segments are cut */
    struct pkt *scratch;
};

int ladder_init(struct ladder *l, FILE *out); /* 0 or -ENOMEM */
void ladder_event(struct ladder *l, const struct trace_event *event);
void ladder_free(struct ladder *l);

#endif
