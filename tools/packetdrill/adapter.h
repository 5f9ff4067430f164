/* libtapir-packetdrill.so: a simulated host whose wire and clock are in the hands of
 * the packetdrill program. adapter.c has its life and who is inside; clock.c time and
 * packets, calls.c the socket calls, settings.c what the host is told to be like,
 * listing.c the state file, info.c the preloaded getsockopt. */
#ifndef TAPIR_PACKETDRILL_ADAPTER_H
#define TAPIR_PACKETDRILL_ADAPTER_H

#include <pthread.h>

#include "edge/raw.h"
#include "edge/sim.h"
#include "interface.h"

enum { WORDS_MAX = 64, VALUE_ROOM = 128 };

/* What --so_flags said. */
struct settings {
    char *text;                  /* owned; the words below point into it */
    const char *local, *profile; /* "192.168.0.1"; "linux" */
    const char *pcap;            /* capture to this file; NULL: none */
    bool ladder;                 /* the ladder on stderr */
    unsigned mtu;                /* at first; 0: tun0's, or 1500 */
    uint64_t seed;
    const char *sysctl[WORDS_MAX]; /* "name=value": stand above the namespace's */
    size_t n_sysctl;
};

/* A tunable of the namespace. */
struct seen {
    char value[VALUE_ROOM]; /* when it was looked at last; "": never */
    int watch;              /* inotify's number of it; -1: there is none */
};

struct adapter {
    struct settings settings;
    struct sim *sim;
    struct tapir *host;
    unsigned device_mtu; /* tun0's when it was looked at last; 0: there was none */
    struct seen *seen;   /* by the number of sysctl_name(); owned */
    unsigned n_seen;
    int watcher; /* inotify: what is written there; -1: the kernel has it not */

    /* who is inside: see adapter.c */
    pthread_t main;       /* the program's main thread: the simulation's outer one */
    pthread_mutex_t gate; /* held by main while it is inside */
    atomic_int guests;    /* calls of other threads that have not returned */
    atomic_int owed;      /* returned, and did not yet ask what time it was then */
    atomic_ullong visits; /* calls of main so far */
    pthread_t warden;
    bool warded;           /* it runs */
    pthread_cond_t ending; /* with the gate: the warden is to end */
    bool ended;

    const char *state_file; /* PDSO_STATE_FILE, or NULL */
    char *listed;           /* what is in it; owned */
};

/* --- adapter.c ------------------------------------------------------------------- */

/* A call is inside, of main or of another thread (a guest). */
struct visit {
    struct adapter *a;
    bool guest;
    struct sim_thread thread; /* a guest's */
};

void visit_begin(struct visit *v, void *userdata);
void visit_end(struct visit *v); /* leaves errno as it is */

/* The adapter that was made last, or NULL. */
struct adapter *adapter_current(void);

/* --- the others ------------------------------------------------------------------ */

/* clock.c, calls.c: fill in their part of the table. */
void clock_hooks(struct packetdrill_interface *ifc);
void call_hooks(struct packetdrill_interface *ifc);

/* clock.c: the moment at which this thread's blocking call returned, which is what it
 * hears when it asks next. */
void clock_stamp(usec at);

/* settings.c: reads the words of `flags`; what is wrong with them is said on stderr.
 * False: they ask for what there is not. */
bool settings_parse(struct settings *s, const char *flags);

/* settings.c: gives the host what the namespace's /proc/sys, its tun0 and the words
 * say at first; false: there is no memory. Then what has changed there. */
bool settings_begin(struct adapter *a);
void settings_follow(struct adapter *a);
void settings_end(struct adapter *a);

/* listing.c: writes the state file, if there is to be one and it has changed. */
void listing_write(struct adapter *a);

#endif
