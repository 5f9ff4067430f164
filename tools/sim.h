/* tapir sim, in three files: the command (cmd_sim.c), the programs of the two hosts
 * (sim_flow.c), what is told of them (sim_report.c). */
#ifndef TAPIR_TOOLS_SIM_H
#define TAPIR_TOOLS_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tapir/sim.h"

struct options;

enum { SIM_FLOWS = 64, SIM_PORT = 5001, SIM_CC_NAME = 16 };

/* One connection from host a to host b, or with -R from b to a. */
struct sim_flow {
    struct simulation *run;
    unsigned i;                    /* its number, from 0; its port is SIM_PORT + i */
    const char *cc;                /* asked for its sender; NULL: the host's */
    char cc_name[SIM_CC_NAME + 1]; /* which it has; "" before it connects */
    int fd;                        /* the sender's; -1 before and after */
    int64_t start;                 /* when it connects, microseconds */
    int64_t end;                   /* when the receiver had all, or the time was up */
    uint64_t written;              /* bytes that the socket has taken */
    uint64_t received;    /* bytes that the reader got, until the time was up */
    uint32_t retrans;     /* segments sent again */
    uint32_t rtt, rttvar; /* microseconds, at the end */
    uint32_t min_rtt;
    uint64_t delivered_segs; /* segments of text sent, first and again */
    bool done;
    char error[64]; /* why it failed; "" */
};

struct simulation {
    struct sim *sim;
    struct tapir *a, *b;
    long long n;               /* flows */
    double seconds;            /* of sending, where no size is given */
    uint64_t size;             /* bytes a flow; 0: for `seconds` */
    double stagger;            /* seconds between two starts */
    double interval;           /* seconds between two rows of the CSV */
    const char *cc[SIM_FLOWS]; /* what the flows take in turn */
    unsigned n_cc;
    bool reverse, json;
    const char *csv_path;
    FILE *csv; /* NULL: not wanted */
    const char *netem;
    uint64_t seed;
    struct sim_flow flow[SIM_FLOWS];
};

/* Starts the programs on both hosts. 0 or negative errno. */
int sim_flows_start(struct simulation *run);

/* Until when a flow without a size sends. */
int64_t sim_flow_until(const struct simulation *run, const struct sim_flow *flow);

/* The row of a flow at this moment; the header comes first. */
void sim_csv_header(FILE *csv);
void sim_csv_row(struct simulation *run, const struct sim_flow *flow);

/* The table, or with --json one object, on stdout. */
void sim_report(const struct simulation *run);

#endif
