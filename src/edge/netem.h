/* The link emulator: one direction of a link that is not perfect. Words as of Linux's
 * netem. Works in any time: frames are offered with `now`, come out in the order of
 * their delivery times. Seeded; the same seed and frames give the same fate.
 *
 * SPEC  := { [in:|out:] FAULT }          without a prefix: both directions
 * FAULT := delay TIME [JITTER]           TIME: 20ms 1s 500us; uniform +- JITTER
 *        | loss PERCENT                  5% 0.5%
 *        | limit PACKETS                 frames in flight at most (1000)
 *        | drop [in:|out:]KIND:N[,N...]  the Nth frame of a KIND is dropped; KIND is
 *        | drop [in:|out:]KIND:each      syn synack ack data fin rst any; `each`: the
 *                                        first of every connection ("every SYN-ACK
 *                                        once")
 * A prefix is for one FAULT; a later FAULT of the same word replaces an earlier one,
 * but drops add up. A word of netem that is not built yet (duplicate, reorder, corrupt,
 * rate ...) is refused with its name. With jitter frames keep their order.
 *
 * A frame meets the script first, then loss, then the limit: the script counts what is
 * offered, so that "the second data segment" does not depend on the seed. */
#ifndef TAPIR_EDGE_NETEM_H
#define TAPIR_EDGE_NETEM_H

#include "base/count.h"
#include "base/pkt.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/time.h"

enum { NETEM_DROPS = 16, NETEM_SEEN = 4096 };

enum netem_what {
    NETEM_ANY,
    NETEM_SYN,
    NETEM_SYNACK,
    NETEM_ACK,
    NETEM_DATA,
    NETEM_FIN,
    NETEM_RST
};

struct netem_drop {
    enum netem_what what;
    uint32_t nth;  /* from 1; 0: the first of every connection */
    uint32_t seen; /* frames of this kind so far */
};

struct netem_config {
    usec delay, jitter;
    double loss;    /* probability, 0 to 1 */
    uint32_t limit; /* frames held at most */
    struct netem_drop drop[NETEM_DROPS];
    unsigned n_drop;
    bool on; /* anything at all is asked for */
};

struct netem_spec {
    struct netem_config in, out;
};

struct netem {
    struct netem_config config;
    struct rng rng;
    struct pkt_queue held;          /* in order of delivery (pkt.at) */
    usec last;                      /* delivery time of the last one */
    struct counters *count;         /* drops go here */
    uint64_t offered, lost, passed; /* frames; lost: by any of the three reasons */
    struct siphash_key key;         /* for each_seen */
    uint32_t each_seen[NETEM_SEEN]; /* hashes of connections already hit by `each` */
};

/* 0, or -EINVAL with a sentence in `why`. */
int netem_parse(const char *spec, struct netem_spec *out, char *why, size_t room);

void netem_init(struct netem *n, const struct netem_config *config, uint64_t seed,
                struct counters *count);
void netem_free(struct netem *n); /* frees what is held */

/* A frame enters. Takes p (contiguous, borrowing nothing). 0: it is held; else
 * -(reason)-1, reason being an enum drop: it was dropped, counted. */
int netem_offer(struct netem *n, struct pkt *p, usec now);

/* The next frame that is due, the caller's from now on; NULL. */
struct pkt *netem_take(struct netem *n, usec now);

/* When the next one is due, or NEVER. */
usec netem_deadline(const struct netem *n);

#endif
