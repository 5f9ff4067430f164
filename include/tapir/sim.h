/* A network in virtual time: hosts, wires between them, and programs that run on the
 * hosts with the ordinary calls of tapir/socket.h. The clock moves only when nobody can
 * run, so hours pass in milliseconds; one seed gives one run, byte for byte. Programs
 * are threads that run one at a time, from a wake-up to the next blocking call (the
 * baton). Usable from C++. */
#ifndef TAPIR_SIM_H
#define TAPIR_SIM_H

#include "tapir/socket.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct sim;

/* NULL: no memory. */
struct sim *sim_new(uint64_t seed);

/* Takes hosts down and frees them. No program may be running. */
void sim_free(struct sim *sim);

/* A host: of the config, `link` is ignored, and `netem` impairs this host's side of its
 * wire. NULL with errno; *error as tapir_up_error(). */
struct tapir *sim_host(struct sim *sim, const struct tapir_config *config,
                       struct tapir_error *error);

/* A wire between two hosts; each host has at most one. `netem` may be NULL; "in:" and
 * "out:" are meant as seen from a. 0 or negative errno. */
int sim_wire(struct sim *sim, struct tapir *a, struct tapir *b, const char *netem);

/* Starts fn(arg) as a program on host; it begins when sim_run() lets it. */
int sim_spawn(struct tapir *host, void (*fn)(void *), void *arg);

/* Runs until every program has returned and the network is silent, at most `limit`
 * microseconds of virtual time. 0; -ETIMEDOUT; -EDEADLK when programs wait and nothing
 * can happen any more. */
int sim_run(struct sim *sim, int64_t limit);

/* Virtual time since the beginning. */
int64_t sim_now(const struct sim *sim);

/* What one direction of a wire has carried so far. */
struct sim_link {
    uint64_t frames, bytes; /* that the sending host handed over, Ethernet header on */
    uint64_t lost;          /* of these by the emulators: loss, queue limits, scripts */
    uint64_t delivered;     /* frames that reached the other host, copies included */
};

/* The way from this host to the one at the other end; zeros where there is none. */
void sim_link_stats(const struct tapir *from, struct sim_link *out);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
