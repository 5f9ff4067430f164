/* The link emulator: one direction of a link that is not perfect. Words and meanings
 * are those of Linux's netem (tc-netem(8)); what differs is said here. Works in any
 * time: frames are offered with `now`, come out in the order of their delivery times.
 * Seeded; the same seed and frames give the same fate.
 *
 * SPEC  := { [in:|out:] FAULT }       without a prefix: both directions
 * FAULT := one of
 *
 *     delay TIME [JITTER [CORR]] [distribution uniform|normal|pareto|paretonormal]
 *         TIME: 20ms 1s 500us. Jitter alone keeps frames in order, unlike Linux's: one
 *         that follows closely waits for the one in front, so under load most are late
 *     loss [random] PERCENT [CORR]
 *         5% 0.5%; CORR is a percentage
 *     loss gemodel P [R [1-H [1-K]]]
 *         bursts (Gilbert, Elliott)
 *     reorder PERCENT [CORR] [gap N]
 *         the frame does not wait for the delay and overtakes; where there is next to
 *         no delay (below 100us) it is held back by 1ms instead. gap N: N-1 frames in
 *         between are never picked
 *     duplicate PERCENT [CORR]
 *     corrupt PERCENT [CORR]
 *         one bit of an IP packet is turned over; ARP, which has no checksum, is left
 *     rate RATE [OVERHEAD]
 *         10mbit 1gbit 100kbit; 64kbps is bytes, as in tc. Counts Ethernet frames, each
 *         with OVERHEAD bytes more
 *     limit FRAMES
 *         (1000) with `rate`: the length of the queue in front of the bottleneck, the
 *         frame being sent included, while frames on the way behind it do not count;
 *         without: frames in flight. Tail drop
 *     codel [target TIME] [interval TIME]
 *         (5ms 100ms) RFC 8289 in that queue
 *     ecn
 *         what codel (without it: loss) would drop is marked CE instead, where the
 *         packet is ECN-capable
 *     mtu BYTES
 *         longer IP packets vanish, and nobody is told
 *     drop KIND:WHICH
 *     twice KIND:WHICH
 *     hold KIND:WHICH TIME
 *         a script. KIND is syn synack ack data fin rst any; WHICH is N[,N...] with
 *         ranges N-N, or `each`: the first of every connection. hold: that much later
 *         than its turn. hold and twice for one frame: it goes on, and its copy is
 *         held, an old duplicate
 *
 * A prefix is for one FAULT and may stand in front of a script's KIND as well; a later
 * FAULT of the same word replaces an earlier one, but scripts add up. A word of netem
 * that is not built (slot ...) is refused with its name.
 *
 * A frame meets the script first, then the MTU, loss, duplication, corruption (each
 * copy by itself), the queue and the rate, the delay. The script counts what is
 * offered, so that "the second data segment" does not depend on the seed. */
#ifndef TAPIR_EDGE_NETEM_H
#define TAPIR_EDGE_NETEM_H

#include "base/count.h"
#include "base/pkt.h"
#include "base/time.h"
#include "edge/netem_chance.h"
#include "edge/netem_codel.h"
#include "edge/netem_queue.h"
#include "edge/netem_script.h"

struct netem_config {
    usec delay, jitter;
    enum netem_spread spread;
    double delay_correlation; /* of jitter, 0 to 1 */
    struct netem_chance loss;
    struct netem_burst burst; /* loss in its place */
    struct netem_chance reorder, duplicate, corrupt;
    uint32_t gap;     /* reorder: one frame in so many at most; 0, 1: any */
    uint64_t rate;    /* bits a second; 0: without end */
    int32_t overhead; /* bytes a frame, for the rate */
    uint32_t limit;   /* frames at most; 0: the default */
    struct netem_codel codel;
    bool ecn;
    uint32_t mtu; /* bytes of an IP packet; 0: any */
    struct netem_script script;
    bool on; /* anything at all is asked for */
};

struct netem_spec {
    struct netem_config in, out;
};

/* The dice; the order is part of what a seed means. */
enum netem_die { DIE_LOSS, DIE_DELAY, DIE_REORDER, DIE_DUPLICATE, DIE_CORRUPT, DIE_N };

struct netem {
    struct netem_config config;
    struct netem_dice dice[DIE_N];
    struct netem_memory memory;
    bool bad;           /* burst loss: the state of the link */
    uint32_t passed_by; /* reorder: frames since the last one that was picked */

    struct netem_queue waiting; /* in front of the bottleneck, by arrival */
    usec free_at;               /* when the bottleneck has sent what it is sending */
    uint64_t bits_left;         /* what that rounds away: microbits, below the rate */
    struct netem_codel_state codel;

    struct netem_queue flying; /* by delivery */
    usec last;                 /* latest delivery of those in order */
    bool overtaking; /* a frame may be delivered before one that left earlier */

    struct counters *count;         /* drops and faults go here */
    uint64_t offered, lost, passed; /* frames; lost: dropped for any reason. A copy is
                                     * one more that is lost or passed */

    /* Told of what is dropped when its offering is over, or is a copy; may be NULL. */
    void (*late)(void *ctx, enum drop why);
    void *ctx;
};

/* 0, or -EINVAL with a sentence in `why`. */
int netem_parse(const char *spec, struct netem_spec *out, char *why, size_t room);

void netem_init(struct netem *n, const struct netem_config *config, uint64_t seed,
                struct counters *count);
void netem_free(struct netem *n); /* frees what is held */

/* A frame enters. Takes p (contiguous, borrowing nothing; a copy comes from its pool).
 * 0: it is held; else -(reason)-1, reason being an enum drop: it was dropped, counted.
 */
int netem_offer(struct netem *n, struct pkt *p, usec now);

/* The next frame that is due, the caller's from now on; NULL. */
struct pkt *netem_take(struct netem *n, usec now);

/* When to ask netem_take() again: no frame is due before; NEVER. */
usec netem_deadline(const struct netem *n);

/* Frames that are held. */
static inline size_t netem_held(const struct netem *n)
{
    return n->waiting.n + n->flying.n;
}

#endif
