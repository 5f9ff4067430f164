/* ARP (RFC 826, RFC 1122 s2.3.2, RFC 5227 for announcement and conflict). */
#ifndef TAPIR_NET_ARP_H
#define TAPIR_NET_ARP_H

#include "net/netif.h"

/* An ARP packet came; p begins with it. Takes p. */
void arp_input(struct netif *nif, struct pkt *p);

/* Asks who has target: by broadcast, or only the station `to`. */
void arp_request(struct netif *nif, struct ip_addr target, struct mac_addr to);

/* RFC 5227 s2.3: tells the link that nif's address is nif's. */
void arp_announce(struct netif *nif);

#endif
