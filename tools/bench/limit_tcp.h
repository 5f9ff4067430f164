/* The least that a TCP can do: it is what a TAP device can carry when the stack above
 * it costs next to nothing. No checks, no text out of order, no timers, no congestion
 * control; it answers whoever writes to it, on four ports:
 *
 *   80    a GET with a canned answer of 1 KiB    5002  bytes as the window permits
 *   5001  acknowledges, discards                 5003  echoes
 *
 * 80 and 5003 keep no state: the answer to a segment follows from the segment. 5001 and
 * 5002 know one connection, the last that was opened. */
#ifndef TAPIR_TOOLS_LIMIT_TCP_H
#define TAPIR_TOOLS_LIMIT_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seq.h"

enum {
    LIMIT_VNET = 12, /* struct virtio_net_hdr_v1 in front of each frame */
    LIMIT_ETH = 14,
    LIMIT_IP = 20,
    LIMIT_TCP = 20,
    LIMIT_HEADERS = LIMIT_VNET + LIMIT_ETH + LIMIT_IP + LIMIT_TCP,
    LIMIT_SYN_OPTIONS = 8,
    LIMIT_MSS = 1460,
    LIMIT_FRAME = LIMIT_VNET + LIMIT_ETH + 65535, /* bytes of one read at most */
    LIMIT_FIN = 1,
    LIMIT_SYN = 2,
    LIMIT_RST = 4,
    LIMIT_PSH = 8,
    LIMIT_ACK = 16
};

/* A segment of the peer; turned round, one of ours. */
struct limit_seg {
    uint8_t mac[6], our_mac[6];
    uint8_t ip[4], our_ip[4];
    uint16_t port, our_port; /* port: the peer's */
    struct seq seq, ack;
    uint8_t flags;
    unsigned scale;      /* of a SYN: the window scale; 0 without one */
    uint32_t window;     /* as it stands in the header */
    const uint8_t *text; /* len bytes; NULL: zeros that need no sum */
    size_t len;
};

struct limit {
    bool offload;        /* the device cuts super-segments and sums */
    bool open;           /* there is a flow */
    struct limit_seg to; /* the flow's addresses and ports */
    struct seq una, nxt; /* as in RFC 9293: oldest unacknowledged, next to send */
    struct seq rcv;      /* next to receive */
    uint32_t window;     /* the peer's, in bytes */
    unsigned scale;      /* the peer's */
};

/* Reads a frame with its virtio header. False: it is no TCP over IPv4, or cut. */
bool limit_parse(const uint8_t *frame, size_t len, struct limit_seg *seg);

/* Writes all headers of a segment of ours, LIMIT_HEADERS bytes (SYN: and
 * LIMIT_SYN_OPTIONS); returns how many. Its text goes behind them. */
size_t limit_emit(const struct limit *l, const struct limit_seg *out, uint8_t *frame);

/* What the peer's segment does; true: *out is the answer. */
bool limit_input(struct limit *l, const struct limit_seg *in, struct limit_seg *out);

/* Is there window for a segment of the flow? Then *out is it, and it counts as sent. */
bool limit_next(struct limit *l, struct limit_seg *out);

/* Nothing has come for long: sends again from the oldest unacknowledged byte. */
void limit_stalled(struct limit *l);

#endif
