/* One direction of a link with an emulator in it, and frames to send over it. */
#ifndef TAPIR_TESTS_NETEM_RIG_H
#define TAPIR_TESTS_NETEM_RIG_H

#include "edge/netem.h"

enum rig_way { RIG_IN, RIG_OUT };

struct netem_rig {
    struct pkt_pool pool;
    struct counters count;
    struct netem netem;
};

/* `spec` as --netem; the emulator is that of `way`. */
void rig_init(struct netem_rig *r, const char *spec, enum rig_way way, uint64_t seed);

/* Frees what is held; fails the test when a packet is left in the pool. */
void rig_free(struct netem_rig *r);

/* A TCP segment between the same two hosts. */
struct rig_segment {
    uint8_t flags;
    uint16_t text_len, port; /* port: the client's, which names the connection */
    uint32_t seq;
    uint8_t tos;
};

/* It as a frame, with all checksums. */
struct pkt *rig_tcp(struct netem_rig *r, struct rig_segment s);

/* A frame of `len` bytes that is no IP, with a number to know it by. */
struct pkt *rig_numbered(struct netem_rig *r, uint32_t number, uint32_t len);

uint32_t rig_number(const struct pkt *p);

/* Takes what is due; how many frames. */
unsigned rig_drain(struct netem_rig *r, usec now);

#endif
