/* The far end of a simulated host's wire in the caller's hands: IP packets in and out,
 * no Ethernet, no ARP, no time on the wire. For whoever plays the network himself: a
 * script, a recorded trace, another program's clock.
 *
 *     raw_put() ──► host ──► raw_take()          raw_wait(), raw_run(): time goes on
 *
 * Virtual time begins at 0 and moves only in raw_wait(), raw_run() and the blocking
 * calls of the thread that made the simulation; that thread makes all of these calls.
 * What it waits for happens after everything else of the same moment: timers due then
 * have fired, and programs have run. Packets that leave are what a wire carries:
 * segments of the MSS, checksums complete. */
#ifndef TAPIR_EDGE_RAW_H
#define TAPIR_EDGE_RAW_H

#include "base/time.h"
#include "edge/tapir.h"

struct raw_packet {
    struct raw_packet *next; /* in the host's queue; NULL once taken */
    usec at;                 /* when the stack sent it */
    size_t len;              /* bytes of data */
    uint8_t data[];          /* from the IP header on */
};

/* Instead of sim_wire(): plugs host's interface in. Every address is at the other end,
 * and nothing is announced. 0, -EINVAL (not simulated), -EBUSY (it has a wire) or
 * -ENOMEM. */
int sim_wire_raw(struct tapir *host);

/* Sets the MTU of host's interface, for packets that are made after. 0 or -EINVAL. */
int raw_mtu(struct tapir *host, unsigned mtu);

/* A packet of at most 65535 bytes, also beyond the MTU, arrives now. All that the stack
 * itself does about it is done, and queued, on return; programs that it wakes run when
 * time may go on. 0, -EINVAL or -ENOBUFS. */
int raw_put(struct tapir *host, const void *ip, size_t len);

/* The oldest packet that left, which the caller frees; NULL: none. */
struct raw_packet *raw_take(struct tapir *host);

/* Lets virtual time go on, and programs run, until there is something to take: 0; or
 * until `until`: -ETIMEDOUT; -EDEADLK when that is NEVER and nothing can happen. */
int raw_wait(struct tapir *host, usec until);

/* Lets virtual time go on to exactly `until`, timers at their exact expiry; programs
 * run. With the present time, only those that can. */
void raw_run(struct tapir *host, usec until);

#endif
