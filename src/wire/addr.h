/* Addresses as every layer above the wire sees them. An IP address is 16 bytes, IPv4 as
 * ::ffff:a.b.c.d (RFC 4291 s2.5.5.2), so that one type and one comparison serve both
 * families. */
#ifndef TAPIR_WIRE_ADDR_H
#define TAPIR_WIRE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct mac_addr {
    uint8_t b[6];
};

struct ip_addr {
    uint8_t b[16];
};

enum { ADDR_TEXT = 46 }; /* room for any address as text, NUL included */

extern const struct mac_addr mac_broadcast;
extern const struct ip_addr ip_any4; /* 0.0.0.0 */

bool mac_eq(struct mac_addr a, struct mac_addr b);
bool mac_is_multicast(struct mac_addr a); /* broadcast too */

/* An IPv4 address from its number in host order (0xc0000202 is 192.0.2.2). */
struct ip_addr ip4_addr(uint32_t n);

/* The number in host order of an address that ip_is4(). */
uint32_t ip4_num(struct ip_addr a);

bool ip_is4(struct ip_addr a);
bool ip_eq(struct ip_addr a, struct ip_addr b);
bool ip_is_any(struct ip_addr a);       /* 0.0.0.0 or :: */
bool ip_is_loopback(struct ip_addr a);  /* 127/8 or ::1 */
bool ip_is_multicast(struct ip_addr a); /* 224/4 or ff00::/8 */
bool ip_is_limited_broadcast(struct ip_addr a);

/* Are a and b the same in their first `prefix` bits (of 32 for IPv4, else of 128)? */
bool ip_same_net(struct ip_addr a, struct ip_addr b, unsigned prefix);

/* The all-ones host address of a's subnet. */
struct ip_addr ip4_subnet_broadcast(struct ip_addr a, unsigned prefix);

/* Text to value; the whole string must be one. IPv4 is four decimal numbers without
 * leading zeros (RFC 6943 s3.1.1: no ambiguous forms); IPv6 text is refused until IPv6
 * is built. "A/P" needs its prefix. MAC: six hex pairs and colons. */
bool ip_parse(const char *s, struct ip_addr *out);
bool ip_parse_prefix(const char *s, struct ip_addr *out, unsigned *prefix);
bool mac_parse(const char *s, struct mac_addr *out);

/* "A[,A...]": how many addresses, `room` at most, or -1. */
int ip_parse_list(const char *s, struct ip_addr *out, int room);

void ip_print(struct text *t, struct ip_addr a);
void mac_print(struct text *t, struct mac_addr a);

#endif
