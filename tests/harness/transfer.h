/* Two stacks send each other a stream at the same time over a pair's wire, close in
 * good order, and forget. What was read is what was written, byte for byte (SHA-256);
 * no connection, no TIME-WAIT record and no packet is left in either stack.
 *
 *     static struct transfer t;
 *     struct pair_setup setup = { .seed = 1, .netem = "delay 10ms loss 5%" };
 *     transfer(&t, &setup, &(struct transfer_plan){ "loss", 65536, 0 });
 *     ... counters of t.pair.host[], t.took ...
 *     pair_free(&t.pair); */
#ifndef TAPIR_TESTS_TRANSFER_H
#define TAPIR_TESTS_TRANSFER_H

#include "harness/pair.h"
#include "harness/sha256.h"

enum { TRANSFER_CHUNK = 20000 };

struct transfer_plan {
    const char *name;            /* what a failure is reported under */
    size_t to_server, to_client; /* bytes: a connects and writes the first */
    uint64_t seed;               /* of what is written */
    usec limit;                  /* of each of transfer and close; 0: half an hour */
};

/* One socket's part: it writes `size` bytes, ends, and reads to the end. */
struct transfer_end {
    struct sock *sock;
    struct rng rng; /* of what it writes */
    uint8_t chunk[TRANSFER_CHUNK];
    size_t have, at; /* bytes in chunk, written of them */
    size_t size, written, read;
    bool shut, ended;
    struct sha256 out, in;
};

struct transfer {
    struct pair pair;
    struct transfer_end end[2]; /* the client's, the server's */
    usec took;                  /* until both had read to the end */
};

/* Opens, transfers, compares, closes, and waits until both stacks have forgotten. The
 * pair is the caller's to free. */
void transfer(struct transfer *t, const struct pair_setup *setup,
              const struct transfer_plan *plan);

/* The same and frees the pair. */
void transfer_run(const struct pair_setup *setup, const struct transfer_plan *plan);

uint64_t transfer_count(const struct transfer *t, enum pair_side side,
                        enum count which);

#endif
