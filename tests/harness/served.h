/* The file server of tapir/http.h on host b and clients on host a, in virtual time
 * (harness/hosts.h); what it serves is the site of harness/site.h. */
#ifndef TAPIR_TESTS_SERVED_H
#define TAPIR_TESTS_SERVED_H

#include "harness/hosts.h"
#include "tapir/http.h"

enum { SECOND = 1000000 };

extern struct hosts h;
extern struct tapir_http_server config; /* what a test may change before it runs */
extern struct tapir_http_stats stats;   /* what the server did, and how it ended */
extern struct tapir_error error;
extern int result, error_number;
extern int clients; /* that have not yet gone; the server stops after the last */

/* The access log's lines, of log_answers() on. */
extern char logged[2000];
void log_answers(const char *format);

/* Setup and teardown of a test. */
int served_up(void **state);
int served_down(void **state);

/* The server, as a program of a host. */
void server(void *arg);

/* A program of a client: it says leave() in the end. */
void client(void (*program)(void *));
void leave(int fd);

/* Runs the server while the clients do what they do. */
void run(void);

void say(int fd, const char *text);

/* Sends the request and reads until the server closes: bytes, or -1 for a reset. */
ssize_t ask(int fd, const char *request, char *answer, size_t cap);

#endif
