/* struct tapir: a stack and all that drives it. One is made by tapir_up() (a live link)
 * or by sim_host() (a host in virtual time). Everything in it is guarded by `lock`; in
 * a simulation by the baton instead: one thread runs at a time. */
#ifndef TAPIR_EDGE_TAPIR_H
#define TAPIR_EDGE_TAPIR_H

#include <pthread.h>
#include <stdatomic.h>

#include "edge/clock.h"
#include "edge/config.h"
#include "edge/ladder.h"
#include "edge/netem.h"
#include "edge/pcapng.h"
#include "edge/port.h"
#include "edge/spin.h"
#include "stack/stack.h"

struct raw;
struct sim;
struct sim_thread;

enum {
    BATCH_FRAME = 1,    /* what one frame spends of a batch ... */
    BATCH_SUPER = 16,   /* ... and what a super-segment does */
    BATCH_READ = 64,    /* a batch, for a reader and everybody else */
    BATCH_WRITE = 2,    /* for a writer: ACKs, then write on */
    BATCH_STALE = 1000, /* microseconds after which a call that need not wait looks at
                         * the device all the same */
};

/* What poll(2) looks at besides the caller's descriptors, in front of them. */
enum { SLOT_DEVICE, SLOT_DOOR, SLOT_KICK, LOOP_SLOTS };

/* A call that waits: for one descriptor, for any (poll), or for time alone. It lives on
 * the caller's stack. */
struct waiter {
    struct list node;    /* in its file's or in the stack's list of waiters, or alone */
    struct list dozing;  /* in tapir->dozing while another thread drives */
    struct list waiting; /* simulation: in sim->waiting */
    struct sim_thread *thread; /* simulation: whose baton it wants */
    uint64_t order;            /* simulation: when the call began to wait; 0: not yet */
    usec deadline;             /* when the call gives up; NEVER */
    usec until;                /* while it drives: when poll(2) returns by itself */
    unsigned budget;           /* BATCH_READ or BATCH_WRITE */
    bool woken;                /* something happened: look again */
    bool polling;              /* it is the driver, asleep in poll(2) */
    atomic_uint bell;          /* 1: get up (futex) */
    int event;                 /* eventfd to ring instead of the bell, or -1 */
    struct pollfd *fds;        /* LOOP_SLOTS free, then the caller's kernel fds */
    size_t n_fds;              /* slots; 0: fds is NULL */
};

enum watch_state {
    WATCH_TICK, /* looks now and then whether anybody drives */
    WATCH_IDLE, /* somebody has been driving for long: asleep until that ends */
    WATCH_POLL, /* asleep in poll(2), mostly as the driver */
};

struct tapir {
    /* what it is made of */
    struct stack *stack;  /* NULL on the kernel's link: every call is the kernel's */
    struct netif nif;     /* its one interface */
    struct port *port;    /* the device; NULL: a simulated host, or the kernel's link */
    struct link link;     /* under the netif where an emulator or a wire is */
    struct netem in, out; /* the emulator, if they are on */
    struct pcapng pcap;
    struct ladder ladder;
    bool pcap_on, ladder_on, stat_on; /* which of them are in use */
    FILE *talk;                       /* where the ladder and counters go */
    struct clock clock;               /* live links */
    uint64_t seed;
    bool many; /* descriptors are not bounded by RLIMIT_NOFILE */
    char *dns; /* the name servers' addresses; NULL: as the system has them */

    /* keep.h */
    void *kept; /* NULL: not made yet */
    void (*drop_kept)(void *);

    /* a simulated host */
    struct sim *sim;       /* NULL on a live link */
    struct list sim_node;  /* in sim->hosts */
    struct tapir *peer;    /* at the other end of the wire, or NULL */
    struct raw *raw;       /* its wire ends in the caller's hands (raw.h), or NULL */
    struct netem wire_out; /* the wire's way to the peer; frames are in its pool */

    /* who is inside */
    pthread_mutex_t lock;
    usec now;              /* latched at each entry and after each sleep */
    usec looked;           /* when the device was last read */
    struct spin spin;      /* whether the driver looks before it sleeps */
    bool starved;          /* no packet for the device's next frame: wait a little */
    struct list files;     /* struct file.node: open descriptors */
    struct list pollers;   /* struct waiter.node: woken by anything */
    struct list dozing;    /* struct waiter.dozing: asleep, another thread drives */
    struct waiter *driver; /* who reads the device, asleep in poll(2) whenever another
                            * thread holds the lock; NULL: nobody */
    struct pollfd asleep[LOOP_SLOTS]; /* what the driver's poll(2) looks at */
    unsigned lone;                    /* drivers' turns in a row that took one frame */
    bool unsure;                      /* the last of them may have left another */
    bool naps;                        /* when unsure, sleep: mostly there is none */
    int kick;                         /* eventfd that gets the driver out of poll(2) */
    atomic_ullong entries;   /* calls so far: the watch compares, without the lock */
    atomic_bool stayed_away; /* a call came when nobody had looked for long */
    atomic_int held;         /* struct files that are open, or that a call is inside */
    bool ending;             /* tapir_down() has begun */

    /* the background thread ("watch") */
    pthread_t thread;
    bool threaded; /* it runs */
    struct waiter watch;
    enum watch_state watch_state;
};

/* up.c */

/* Makes a stack, its netif and its sinks by `plan`, no device and no thread. NULL and
 * *error (not NULL) filled. */
struct tapir *tapir_assemble(const struct plan *plan, struct tapir_error *error);

/* Sets address and route: the announcement goes out. */
int tapir_attach(struct tapir *t, const struct plan *plan, struct tapir_error *error);

/* Starts the background thread of a live link. 0 or negative errno. */
int tapir_start_watch(struct tapir *t);

/* Is everything that closed sockets left behind acknowledged? */
bool tapir_drained(const struct tapir *t);

/* Resets what tapir_drained() waits for. */
void tapir_reset_rest(struct tapir *t);

/* Frees a stack that nobody uses any more, with its device and sinks. */
void tapir_release(struct tapir *t);

/* sinks.c */

/* Opens capture and ladder. 0 or negative errno with *error. */
int sinks_open(struct tapir *t, const struct plan *plan, struct tapir_error *error);
void sinks_close(struct tapir *t);

/* The trace sink of every stack: to the capture and to the ladder. */
void sinks_event(void *ctx, const struct trace_event *event);

/* loop.c */

/* The stack's time, asked now. */
usec loop_clock(const struct tapir *t);

/* When something is due by itself: stack or emulator. */
usec loop_deadline(struct tapir *t);

/* One turn: takes a batch from the device, settles. What it spent of the budget: 0 when
 * nothing came. */
unsigned loop_turn(struct tapir *t, unsigned budget);

/* Fires what is due, sends what may go, wakes who is concerned. */
void loop_settle(struct tapir *t);

/* A frame came over the link: through the emulator, if there is one. Takes p. */
void loop_input(struct tapir *t, struct pkt *p);

/* A frame enters an emulator; if it is dropped, t's trace hears of it. Takes p. */
void loop_offer(struct tapir *t, struct netem *n, struct pkt *p);

/* Does the driver sleep on other descriptors than the device has, or miss that it may
 * be written to? */
bool loop_stale(const struct tapir *t);

/* Sleeps in poll(2), without the lock, until the device, a kick, one of w's own
 * descriptors (then w is woken) or `until`. 0 or -EINTR. */
int loop_sleep(struct tapir *t, struct waiter *w, usec until);

/* The link's caps and functions, by what is under the netif. */
void loop_link(struct tapir *t);

#endif
