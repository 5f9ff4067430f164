/* Real TAP devices in a network namespace of the test's own. The kernel's end is a
 * packet socket, which hands frames to the device and takes them from it as they are,
 * with the kernel's vnet header. Where namespaces or TAP are not permitted the tests
 * are skipped. */
#ifndef TAPIR_HARNESS_TAP_RIG_H
#define TAPIR_HARNESS_TAP_RIG_H

#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "edge/tap.h"
#include "net/net.h"

struct rig {
    struct tap tap;
    struct net net; /* for counters and pool: no stack is behind it */
    int peer;       /* packet socket on the device */
};

/* Group set-up: moves the process into a network namespace. */
int tap_rig_enter(void **state);

/* Skips the test unless TAP devices are permitted; rig_open() and device_make() begin
 * with it. */
void tap_rig_need(void);

/* 192.0.2.1/24 for the host, MTU 1500. */
struct port_setup tap_rig_how(const char *name, bool offload);
void rig_open(struct rig *r, const struct port_setup *how);
void rig_close(struct rig *r);

/* The packet socket of a rig whose tap somebody else has opened. */
void rig_peer(struct rig *r);

/* An Ethernet frame of the test's own EtherType, with `len` bytes behind the header,
 * each its offset. Its length. */
size_t plain_frame(uint8_t *b, size_t len);

/* An Ethernet frame with a TCP segment of `len` bytes whose checksum is left to the
 * device. Its length. */
size_t tcp_frame(uint8_t *b, size_t len);

/* What goes before such a frame that is to be cut every 1460 bytes. */
extern const struct virtio_net_hdr rig_super;

/* The kernel's side sends a frame towards the TAP descriptor, or takes the next one
 * that came from there (waits five seconds at most). */
void peer_send(struct rig *r, const struct virtio_net_hdr *vnet, const uint8_t *frame,
               size_t len);
size_t peer_recv(struct rig *r, struct virtio_net_hdr *vnet, uint8_t *frame);

/* tap_read() until a frame made here comes, five seconds at most. */
struct pkt *rig_read(struct rig *r);

/* A persistent device as another program would leave it: down, owned by root; its
 * descriptor. */
int device_make(const char *name, int mtu);
void device_delete(const char *name);
struct ifreq device_ask(const char *name, unsigned long request); /* SIOCGIF... */
void device_set_flags(const char *name, short flags);
uint32_t device_tso(const char *name); /* 1: segments may be handed over uncut */

#endif
