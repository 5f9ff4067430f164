/* Ethernet II frames (RFC 894). */
#ifndef TAPIR_WIRE_ETH_H
#define TAPIR_WIRE_ETH_H

#include <stddef.h>

#include "wire/addr.h"

enum { ETH_LEN = 14, ETH_IP4 = 0x0800, ETH_ARP = 0x0806, ETH_IP6 = 0x86dd };

struct eth {
    struct mac_addr dst, src;
    uint16_t type; /* EtherType; below 1536 it is an 802.3 length */
};

/* False when len is below ETH_LEN. */
bool eth_parse(const uint8_t *b, size_t len, struct eth *out);

/* Writes ETH_LEN bytes. */
void eth_emit(uint8_t *b, const struct eth *h);

#endif
