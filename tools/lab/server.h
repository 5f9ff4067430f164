/* The lab's own HTTP server, for the host at the other end of a simulated path: it
 * answers GET /BYTES/anything with a body of so many bytes. */
#ifndef TAPIR_LAB_SERVER_H
#define TAPIR_LAB_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct tapir;

struct server {
    struct tapir *host;
    uint16_t port;
    volatile bool over; /* set it: the listener ends soon after */
};

/* The listener, as a program of sim_spawn(); arg is a struct server. */
void server_program(void *arg);

#endif
