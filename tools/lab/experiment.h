/* An experiment of a lab sheet: one line of "KIND key=value ...", which is run in
 * virtual time and gives one figure, with what theory says about it.
 *
 *     page    a page by a strategy; show=time, rounds (of the last answer), handshake,
 *             wait (request to first byte), read (first byte to last), close
 *     nagle   a request on a warm connection, whose answer is one byte written in
 *             writes=1 or 2; nodelay=0 or 1; delack=MS of the client
 *     ports   connections one after the other from ports=N, tw=S seconds of TIME-WAIT;
 *             closer=client or server; show=count (that succeed at once) or rate
 *
 * Keys of the path: rtt=MS rate=MBIT; of a page: strategy page size objects c iw. */
#ifndef TAPIR_LAB_EXPERIMENT_H
#define TAPIR_LAB_EXPERIMENT_H

#include "page.h"

enum { EXPERIMENT_LINE = 160 };

struct figure {
    const char *unit;
    double low, high; /* predicted */
    double measured;
    double gate; /* per cent that it may lie outside */
};

struct experiment {
    char line[EXPERIMENT_LINE];
    struct page_setup setup;
    const struct strategy *how;
    char show[16];
    double delack, time_wait; /* milliseconds; seconds */
    unsigned writes, ports;
    bool nodelay, server_closes;
    char error[128];
};

/* Reads and runs a line. False: e->error. */
bool experiment_run(const char *line, struct experiment *e, struct figure *out);

/* Per cent that what was measured lies outside of what was predicted. */
double figure_off(const struct figure *f);

/* --- the kinds (each in a file of its own) --- */

bool experiment_page(struct experiment *e, struct figure *out);
bool experiment_nagle(struct experiment *e, struct figure *out);
bool experiment_ports(struct experiment *e, struct figure *out);

#endif
