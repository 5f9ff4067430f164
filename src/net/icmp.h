/* ICMP (RFC 792, RFC 1122 s3.2.2): echo is answered here; errors and echo replies are
 * returned to the stack, which knows the transports. */
#ifndef TAPIR_NET_ICMP_H
#define TAPIR_NET_ICMP_H

#include "net/ip.h"

/* An error about a packet that this host sent: from ICMP, or from the neighbour cache.
 * Whom it concerns is told by the packet that it quotes. */
struct net_error {
    struct ip_addr src, dst; /* of our packet */
    uint8_t proto;
    uint16_t src_port, dst_port; /* TCP and UDP; ICMP echo: id in src_port */
    struct seq seq;              /* TCP: its sequence number */
    uint16_t total_len;          /* its length, with the IP header */
    int error;                   /* -ECONNREFUSED, -EHOSTUNREACH, ... as on Linux */
    bool hard;              /* RFC 1122 s4.2.3.9: ends a connection that is opening */
    uint16_t mtu;           /* fragmentation needed: next-hop MTU, 0 from old routers */
    bool redirect;          /* it is no error: dst is reached better ... */
    struct ip_addr gateway; /* ... by this gateway */
};

enum icmp_found {
    ICMP_TAKEN, /* answered or dropped: p is gone */
    ICMP_REPLY, /* an echo reply: p is still the caller's, data at the ICMP header */
    ICMP_ERROR, /* *err is filled: p is gone */
};

enum icmp_found icmp_input(struct net *net, const struct ip_info *ip, struct pkt *p,
                           struct net_error *err);

/* Fills whom an error concerns (all but error, hard and mtu) from the packet of ours
 * that begins at b; false when that cannot be told. */
bool net_error_quote(struct net_error *err, const uint8_t *b, size_t len);

/* Answers p with an error that quotes it, unless RFC 1122 s3.2.2 forbids or the rate
 * limit (net.ipv4.icmp_ratelimit's idea: a bucket) is spent. Borrows p, whose data is
 * the transport header with the IP header in front. */
void icmp_send_error(struct net *net, const struct ip_info *ip, const struct pkt *p,
                     uint8_t type, uint8_t code);

/* Sends an echo request with this data; how->proto is ICMP. As ip_output();
 * -ENOBUFS. */
int icmp_send_echo(struct net *net, const struct ip_out *how, uint16_t id, uint16_t seq,
                   struct piece data);

#endif
