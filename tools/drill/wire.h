/* Packets as bytes: from the form that scripts have (packet.h) to an IP packet, and
 * back. Numbers are taken as they are; flow.h turns the script's into the wire's. */
#ifndef TAPIR_TOOLS_DRILL_WIRE_H
#define TAPIR_TOOLS_DRILL_WIRE_H

#include "packet.h"
#include "wire/addr.h"

enum { WIRE_MAX = 65535 };

struct ends {
    struct ip_addr src, dst;
};

/* Writes an IP packet of at most WIRE_MAX bytes, payload zeros, checksums right. What
 * an ICMP message quotes goes the other way: from dst to src, with the packet's ports
 * the other way round. Its length; 0: it would be longer than that. */
size_t wire_emit(uint8_t *out, const struct packet *p, const struct ends *ends);

/* Takes an IP packet apart; window, TOS and TTL are all known then. NULL, or what is
 * wrong with it: every checksum is verified, and the payload is zeros. */
const char *wire_read(const uint8_t *b, size_t len, struct packet *out,
                      struct ends *ends);

#endif
