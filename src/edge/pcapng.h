/* Captures as pcapng (draft-ietf-opsawg-pcapng): one section, nanosecond time stamps,
 * direction in epb_flags. A super-segment is written as the segments that a wire would
 * carry, unless `raw`. */
#ifndef TAPIR_EDGE_PCAPNG_H
#define TAPIR_EDGE_PCAPNG_H

#include <stdio.h>

#include "net/netif.h"

struct pcapng {
    FILE *out;
    bool close_it; /* out is ours to close */
    bool raw;
    bool live;            /* somebody reads along (a pipe): flush after every frame */
    int error;            /* of the first write that failed: nothing more is written */
    int64_t epoch;        /* added to each time: microseconds of real time at time 0 */
    struct pkt_pool pool; /* for one scratch packet */
    struct pkt *scratch;
};

/* file "-" is stdout. 0 or negative errno. */
int pcapng_open(struct pcapng *p, const char *file, const char *if_name, bool raw,
                int64_t epoch);

/* Names one more interface: they count from 0, the first is pcapng_open()'s. */
void pcapng_interface(struct pcapng *p, const char *if_name);

/* A frame on interface 0, or on another. */
void pcapng_frame(struct pcapng *p, const struct pkt *frame, bool out, usec at);
void pcapng_frame_at(struct pcapng *p, uint32_t interface, const struct pkt *frame,
                     bool out, usec at);

/* 0, or the error of the first write that failed. */
int pcapng_close(struct pcapng *p);

#endif
