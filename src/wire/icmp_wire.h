/* ICMP for IPv4 (RFC 792, RFC 1191 for the next-hop MTU). */
#ifndef TAPIR_WIRE_ICMP_H
#define TAPIR_WIRE_ICMP_H

#include <stddef.h>

#include "base/drop.h"
#include "wire/addr.h"

enum {
    ICMP_LEN = 8,
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12,
    /* codes of ICMP_UNREACHABLE */
    ICMP_NET = 0,
    ICMP_HOST = 1,
    ICMP_PROTOCOL = 2,
    ICMP_PORT = 3,
    ICMP_FRAG_NEEDED = 4,
    /* code of ICMP_TIME_EXCEEDED: the rest of a datagram did not come */
    ICMP_REASSEMBLY = 1,
};

struct icmp {
    uint8_t type, code;
    uint16_t id, seq;       /* echo and echo reply */
    uint16_t mtu;           /* fragmentation needed: next-hop MTU, else 0 */
    struct ip_addr gateway; /* redirect: where to send instead */
};

/* Header of a message of len bytes; the checksum covers all of them. 0, or -(reason)-1
 * where reason is an enum drop. */
int icmp_parse(const uint8_t *b, size_t len, struct icmp *out);

/* Writes ICMP_LEN bytes before len - ICMP_LEN bytes of payload that already stand
 * behind them, and the checksum over all. */
void icmp_emit(uint8_t *b, size_t len, const struct icmp *h);

#endif
