/* A script while it is played: between run.c (events and time), run_packet.c (the
 * wire) and calls*.c (the sockets). */
#ifndef TAPIR_TOOLS_DRILL_RUN_H
#define TAPIR_TOOLS_DRILL_RUN_H

#include "code.h"
#include "drill.h"
#include "flow.h"
#include "settings.h"
#include "tapir/sim.h"

enum { RUN_FDS = 128 };

/* A descriptor: its number in the script, and the real one. */
struct run_fd {
    int script, fd;
};

/* The call that runs beside the script; there is one at most. */
struct run_waiting {
    bool active;
    const struct event *event;
    usec began, until; /* when the script has it return */
};

struct run {
    const struct drill *drill;
    const struct script *script;
    struct settings settings;
    struct arena *arena;
    struct sim *sim;
    struct tapir *host;
    struct verdict *verdict;
    FILE *notes;
    bool failed, over; /* over: nothing counts any more */

    const struct event *event; /* that happens now */
    usec due, due_end;         /* when it is to happen; due_end: of a range */
    usec tolerance;            /* of it */
    usec last_due;     /* of the event before; NEVER: it had no time of its own */
    bool last_arrived; /* the event before was a packet to us */

    struct flow *flows;      /* newest first */
    struct flow *under_test; /* NULL: none yet */
    uint16_t next_port; /* of the remote side, for the next connection that comes */
    struct run_fd fds[RUN_FDS];
    size_t n_fds;
    struct run_waiting waiting;
    struct code code;
};

/* --- run.c ------------------------------------------------------------------------ */

/* The script is not fulfilled, at this event: the first failure counts. */
void run_fail(struct run *r, const struct event *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Something to know that is no failure. */
void run_note(struct run *r, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lets time go on until the present event is due; fails when it was before. */
void run_wait(struct run *r);

/* Did something that was to happen at `wanted` (to `wanted_end`) happen too early or
 * too late? Fails then. */
bool run_check_time(struct run *r, const struct event *e, const char *what, usec at);

/* A new socket under test. */
struct flow *run_new_flow(struct run *r, enum packet_kind kind);

/* --- run_packet.c ----------------------------------------------------------------- */

void run_packet(struct run *r, const struct packet *p);

/* --- calls.c ---------------------------------------------------------------------- */

/* Makes the call of event e and compares its result. */
void run_call(struct run *r, const struct event *e);

/* --- shell.c ---------------------------------------------------------------------- */

/* What a shell command says about the stack; nothing is executed. */
void run_shell(struct run *r, int line, const char *text);

/* --- code.c's caller, run.c ------------------------------------------------------- */

#endif
