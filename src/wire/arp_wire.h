/* ARP packets for IPv4 over Ethernet (RFC 826). */
#ifndef TAPIR_WIRE_ARP_H
#define TAPIR_WIRE_ARP_H

#include <stddef.h>

#include "wire/addr.h"

enum { ARP_LEN = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
    uint16_t op; /* ARP_REQUEST, ARP_REPLY or whatever came */
    struct mac_addr sender_mac, target_mac;
    struct ip_addr sender_ip, target_ip;
};

/* False for anything but Ethernet and IPv4 with their lengths. */
bool arp_parse(const uint8_t *b, size_t len, struct arp *out);

/* Writes ARP_LEN bytes. */
void arp_emit(uint8_t *b, const struct arp *a);

#endif
