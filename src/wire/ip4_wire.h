/* IPv4 headers (RFC 791). */
#ifndef TAPIR_WIRE_IP4_H
#define TAPIR_WIRE_IP4_H

#include <stddef.h>

#include "base/drop.h"
#include "wire/addr.h"

enum {
    IP4_LEN = 20,
    IP4_OPTIONS_MAX = 40, /* bytes behind it */
    IP_PROTO_ICMP = 1,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_ECN_MASK = 3,
};

struct ip4 {
    struct ip_addr src, dst;
    uint16_t total_len;   /* header and payload; 0 in a frame larger than 65535 */
    uint16_t id;          /* identification */
    uint16_t frag_offset; /* in bytes */
    uint8_t header_len;   /* 20 to 60 */
    uint8_t tos;          /* DSCP and ECN */
    uint8_t ttl, proto;
    bool dont_fragment, more_fragments;
    bool source_route;      /* parse: a source-route option is among the options */
    const uint8_t *options; /* emit: what stands behind the header, ... */
    uint8_t n_options;      /* ... bytes, a multiple of four */
};

/* Checks everything that RFC 1122 s3.2.1 asks of a header: version, lengths, checksum,
 * options well-formed. 0, or -(reason)-1 where reason is an enum drop. */
int ip4_parse(const uint8_t *b, size_t len, struct ip4 *out);

/* Writes 20 bytes and the options, with the checksum; header_len and source_route are
 * ignored. */
void ip4_emit(uint8_t *b, const struct ip4 *h);

/* Reads a list of options that a user gives, n bytes of IP4_OPTIONS_MAX: to `out`,
 * filled up with zeros to a multiple of four. How many; -EINVAL where it is malformed;
 * -EPERM for those that are not sent. */
int ip4_options_read(const uint8_t *list, size_t n, uint8_t *out);

/* Those of the n bytes of (good) options that each fragment has (RFC 791 s3.1: the
 * copied flag), to `out`, filled up. How many. */
size_t ip4_options_copied(const uint8_t *list, size_t n, uint8_t *out);

/* The sum of TCP's or UDP's pseudo-header (RFC 9293 s3.1), not folded; `len` is the
 * length of transport header and text. */
uint64_t ip_pseudo_sum(struct ip_addr src, struct ip_addr dst, uint8_t proto,
                       size_t len);

#endif
