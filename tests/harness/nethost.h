/* A host for tests of the network layer: 192.0.2.2/24, station 02:00:00:00:00:02, on a
 * link that records. Its peer, of which only frames exist, is 192.0.2.1, station
 * 02:00:00:00:00:01. Frames are written in hex, blanks between as one likes. */
#ifndef TAPIR_TESTS_NETHOST_H
#define TAPIR_TESTS_NETHOST_H

#include "harness/wirelink.h"
#include "net/net.h"
#include "wire/ip4_wire.h"

enum { NETHOST_EVENTS = 64 };

struct nethost {
    struct net net;
    struct netif nif;
    struct wirelink wire;
    enum trace_kind event[NETHOST_EVENTS]; /* trace, in order; the first of them */
    size_t n_events;                       /* all */
};

/* cmocka's setup and teardown; the announcement is taken off the wire. Teardown asserts
 * that no packet is left anywhere. */
int nethost_setup(void **state);
int nethost_teardown(void **state);

/* How often the trace told of this. */
size_t nethost_events(const struct nethost *h, enum trace_kind kind);

/* A packet with these bytes. */
struct pkt *nethost_hex(struct nethost *h, const char *hex);

/* A packet with a good IPv4 header before these bytes; *ip says all of the header but
 * the total length. */
struct pkt *nethost_ip4(struct nethost *h, const struct ip4 *ip, const char *hex);

/* The peer's address is known and confirmed. */
void nethost_know_peer(struct nethost *h);

/* The next frame on the wire has exactly these bytes / there is none. */
void assert_frame(struct nethost *h, const char *hex);
void assert_silence(struct nethost *h);

/* p begins with these bytes. */
void assert_bytes(const uint8_t *at, size_t len, const char *hex);

/* Text to address. */
struct ip_addr nethost_ip(const char *text);

#endif
