/* Any frame as one line of text, without a newline:
 *   "192.0.2.1:40000 > 192.0.2.2:80: S 1:1(0) win 64240 <mss 1460,...>"
 *   "arp who-has 192.0.2.2 tell 192.0.2.1"
 *   "192.0.2.1 > 192.0.2.2: icmp echo request id 7 seq 1, 64 bytes"
 * Malformed input prints what can be said of it and never fails. */
#ifndef TAPIR_WIRE_DUMP_H
#define TAPIR_WIRE_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "wire/addr.h"
#include "wire/tcp_wire.h"

/* What a formatter needs to know of a frame to place it. */
struct dump_info {
    bool is_ip;  /* addresses and proto are good */
    bool is_tcp; /* ports and seg are good */
    struct ip_addr src, dst;
    uint8_t proto;
    uint16_t ip_header_len;  /* 20 without options */
    uint16_t tcp_header_len; /* 20 without options */
    struct tcp_seg seg;      /* text points into the frame */
};

/* Looks into a frame that begins with its Ethernet header. */
void dump_look(const uint8_t *frame, size_t len, struct dump_info *out);

/* Prints it with absolute sequence numbers. */
void dump_frame(struct text *t, const uint8_t *frame, size_t len);

#endif
