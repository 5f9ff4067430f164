/* Two hosts in virtual time, for tests of the blocking calls:
 *
 *     a  192.0.2.1  ==============  192.0.2.2  b
 *
 * Programs run on them by sim_spawn(). A program is not the thread of the test, so it
 * checks with must(), which ends the whole test program. */
#ifndef TAPIR_TESTS_HOSTS_H
#define TAPIR_TESTS_HOSTS_H

#include <netinet/in.h>
#include <stdint.h>

#include "tapir/sim.h"

struct hosts {
    struct sim *sim;
    struct tapir *a, *b;
};

enum hosts_side { HOST_A, HOST_B };

/* netem as sim_wire(); NULL: "delay 10ms". */
void hosts_up(struct hosts *h, uint64_t seed, const char *netem);

/* The same with a configuration for a (its addr is set). */
void hosts_up_with(struct hosts *h, uint64_t seed, const char *netem,
                   struct tapir_config *config);

/* Frees everything: asserts that no packet is left. */
void hosts_down(struct hosts *h);

/* Runs the programs; fails the test unless all return within an hour. */
void hosts_run(struct hosts *h);

struct sockaddr_in hosts_addr(enum hosts_side side, uint16_t port);

#define must(condition) hosts_must((condition), #condition, __FILE__, __LINE__)
void hosts_must(bool ok, const char *condition, const char *file, int line);

/* The steps of most programs; each is a must(). On the calling thread's host. */
int hosts_listen(uint16_t port);
int hosts_connect(enum hosts_side to, uint16_t port);
void hosts_write(int fd, const void *buf, size_t n);

/* Reads n bytes, or fewer at the end; how many. */
size_t hosts_read(int fd, void *buf, size_t n);

#endif
