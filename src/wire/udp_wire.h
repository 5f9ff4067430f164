/* UDP headers (RFC 768). */
#ifndef TAPIR_WIRE_UDP_H
#define TAPIR_WIRE_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "base/drop.h"

enum { UDP_LEN = 8 };

struct udp_header {
    uint16_t src_port, dst_port;
    uint16_t len;   /* header and text */
    uint16_t cksum; /* 0: the sender made none */
};

/* 0, or -(reason)-1 when b is shorter than its header or than its length field. */
int udp_parse(const uint8_t *b, size_t len, struct udp_header *out);

/* Writes UDP_LEN bytes, the checksum as given. */
void udp_emit(uint8_t *b, const struct udp_header *h);

#endif
