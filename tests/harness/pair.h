/* Two stacks, a and b, joined by a wire, in virtual time, in one thread:
 *
 *     a  192.0.2.1  ==[ hook ]==[ netem ]==>  192.0.2.2  b
 *                   <==[ netem ]==[ hook ]==
 *
 *     struct pair p;
 *     pair_init(&p, &(struct pair_setup){ .seed = 1, .netem = "delay 10ms loss 5%" });
 *     struct sock *l = pair_listen(&p, PAIR_B, 80);
 *     struct sock *client, *server;
 *     pair_connect(&p, l, &client, &server);         handshake done, both ends at hand
 *     sock_send(client, ...);
 *     pair_run(&p, 100 * USEC_PER_MS);               or pair_run_until(), pair_step()
 *     sock_close(client); ...
 *     pair_free(&p);                                 asserts that no packet is left
 *
 * The clock jumps from event to event: the earliest deadline of a stack or arrival of a
 * frame. Sockets are used directly, between steps; what a call made due is sent at the
 * next step, at the same time. Faults come from the link emulator's own words ("in:" is
 * towards a) and from a hook, which sees each frame before the emulator, may change its
 * bytes, and decides its fate. Neighbours know each other, unless `arp` is asked for;
 * tcp_check_all() runs after every event. */
#ifndef TAPIR_TESTS_PAIR_H
#define TAPIR_TESTS_PAIR_H

#include "edge/netem.h"
#include "stack/stack.h"

enum pair_side { PAIR_A, PAIR_B };

enum pair_fate { PAIR_PASS, PAIR_DROP };

/* A frame that is about to enter the wire. */
struct pair_frame {
    enum pair_side from;
    unsigned index; /* of this direction, from 0 */
    usec at;        /* now */
    uint8_t *bytes; /* from the Ethernet header on; may be changed */
    size_t len;
};

struct pair_setup {
    uint64_t seed;
    const char *netem; /* as --netem; NULL: "delay 10ms" */
    enum pair_fate (*hook)(void *ctx, const struct pair_frame *frame);
    void *ctx;
    const char *const *sysctl; /* "name=value", NULL at the end; for both */
    unsigned mtu;              /* 0: 1500 */
    bool arp;                  /* do not introduce the neighbours */
};

struct pair;

struct pair_host {
    struct stack *st;
    struct netif nif;
    struct link link;
    struct pair *pair;
    struct netem wire; /* from this host to the other */
    unsigned sent;     /* frames so far */
};

struct pair {
    struct pair_host host[2];
    struct pair_setup setup;
    struct pkt_pool pool; /* frames on the wires */
    struct counters count;
    usec now;
    bool up; /* the wire carries (not while the interfaces announce themselves) */
};

void pair_init(struct pair *p, const struct pair_setup *setup);

/* Takes both stacks down; fails the test when that sends anything, or when a packet is
 * left in a pool. */
void pair_free(struct pair *p);

/* The next event; false when nothing will ever happen by itself. */
bool pair_step(struct pair *p);

/* Until cond(ctx), which is asked before each step; false after `limit` microseconds
 * or when nothing can happen any more. */
bool pair_run_until(struct pair *p, bool (*cond)(void *ctx), void *ctx, usec limit);

/* Lets `time` go by. */
void pair_run(struct pair *p, usec time);

struct ip_addr pair_addr(enum pair_side side);

struct sock *pair_tcp(struct pair *p, enum pair_side side);
struct sock *pair_listen(struct pair *p, enum pair_side side, uint16_t port);

/* A connection to `listener` from the other side, accepted. */
void pair_connect(struct pair *p, struct sock *listener, struct sock **client,
                  struct sock **server);

#endif
