/* Two hosts and a wire between them, for experiments that are no page: a program on
 * each side. */
#ifndef TAPIR_LAB_DUO_H
#define TAPIR_LAB_DUO_H

#include "page.h"
#include "tapir/sim.h"

struct duo {
    const struct page_setup *setup;
    const char *const *sysctl; /* of both hosts, behind the lab's */
    unsigned n_sysctl;
    void (*client)(void *arg); /* on 192.0.2.1 */
    void (*server)(void *arg); /* on 192.0.2.2; it listens first */
    void *arg;
    struct sim *sim; /* while it runs */
};

/* Runs both until they return, then what is under way in the network. 0 or negative
 * errno. */
int duo_run(struct duo *duo);

/* A listener on PAGE_PORT, as the server; a connection to it, or -1 with errno. */
int duo_listen(void);
int duo_connect(void);

#endif
