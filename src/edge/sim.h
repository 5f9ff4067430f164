/* Inside of the simulation; the public face is tapir/sim.h. sim_baton.c has the threads
 * and who runs next, sim.c the hosts, the wires and what happens next. */
#ifndef TAPIR_EDGE_SIM_H
#define TAPIR_EDGE_SIM_H

#include <pthread.h>

#include "base/rng.h"
#include "edge/tapir.h"
#include "tapir/sim.h"

/* A program, or (sim->outer) the thread that made the simulation. */
struct sim_thread {
    struct list node; /* in sim->runnable, or alone */
    struct list all;  /* in sim->programs */
    struct sim *sim;
    struct tapir *host;
    void (*fn)(void *); /* the program */
    void *arg;
    pthread_t id;
    pthread_cond_t cond; /* signalled when the baton comes */
    struct waiter *w;    /* what it waits in, or NULL */
    int verdict;         /* what its wait returns */
    uint64_t event;      /* which event made it runnable ... */
    uint64_t order;      /* ... and when it began to wait: its place in the queue */
    bool ended;          /* fn returned: to be joined */
};

struct sim {
    usec now;
    struct rng rng;       /* seeds of hosts and wires, in the order they are made */
    struct list hosts;    /* struct tapir.sim_node, in the order they were made */
    struct list programs; /* struct sim_thread.all */
    struct list waiting;  /* struct waiter.waiting, in the order they began to wait */
    struct list runnable; /* struct sim_thread.node, the next first */
    size_t n_programs;    /* that have not returned */
    struct sim_thread outer;
    struct sim_thread *running; /* who has the baton */
    struct waiter *end;         /* sim_run()'s: woken when all is over; or NULL */
    uint64_t event, orders;     /* events so far; waits begun so far */
    bool ending;                /* sim_free() has begun: waits fail */
    pthread_mutex_t lock;       /* guards `running` while the baton changes hands */
};

/* --- sim.c ----------------------------------------------------------------------- */

/* t sends a frame onto its wire. Borrows p. */
void sim_transmit(struct tapir *t, const struct pkt *p);

/* Moves the clock to the next thing that happens, and lets it happen. False when
 * nothing ever will. */
bool sim_event(struct sim *sim);

/* Are the programs over, and is nothing under way any more? */
bool sim_is_over(const struct sim *sim);

/* --- raw.c ----------------------------------------------------------------------- */

/* t's wire ends in the caller's hands: keeps what it sends. Borrows p. */
void raw_keep(struct tapir *t, const struct pkt *p);

/* Ends that, if it was so. */
void raw_free(struct tapir *t);

/* --- sim_baton.c ----------------------------------------------------------------- */

void sim_baton_init(struct sim *sim);

/* Gives the baton away until w is woken or its deadline. 0, -ETIMEDOUT, -EDEADLK or
 * -ECANCELED. */
int sim_wait(struct sim *sim, struct waiter *w);

/* w need not wait any longer: its thread is runnable. */
void sim_wake(struct sim *sim, struct waiter *w);
void sim_resume(struct sim *sim, struct waiter *w, int verdict);

/* Joins the threads of programs that returned. */
void sim_join(struct sim *sim);

/* A thread that the simulation did not make comes in as a program of host's, and has
 * the baton at once. The thread outside must be out, in no call of the simulation, and
 * regain the baton before its next one. */
void sim_guest_in(struct sim_thread *me, struct tapir *host);
void sim_guest_out(struct sim_thread *me);
void sim_regain(struct sim *sim);

/* Makes every wait of a program fail, until all have returned. */
void sim_end_programs(struct sim *sim);

#endif
