/* Frames made from lines of text, for tests of what reads frames: dump, captures, the
 * ladder. We are 192.0.2.2 and a peer is 192.0.2.1. */
#ifndef TAPIR_TESTS_FRAME_H
#define TAPIR_TESTS_FRAME_H

#include "base/pkt.h"

/* A connection's ports, and who sends. */
struct frame_from {
    bool us;
    uint16_t our_port, peer_port;
};

/* A whole frame with the segment of `line` (segtext.h; numbers are absolute), with all
 * checksums. Its text is 'a', 'b', ... over and over. */
struct pkt *frame_tcp(struct pkt_pool *pool, struct frame_from from, const char *line);

/* The same as a super-segment: text in pieces of `size`, a partial checksum. */
struct pkt *frame_tcp_gso(struct pkt_pool *pool, struct frame_from from,
                          const char *line, uint16_t size);

/* An ARP request: who has 192.0.2.1, tell 192.0.2.2; or the other way round. */
struct pkt *frame_arp(struct pkt_pool *pool, bool us);

#endif
