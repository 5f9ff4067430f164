/* What every command with a stack has in common: the options that describe the stack,
 * bringing it up, the COMMAND behind "--", signals, and the simulated link.
 *
 *     struct options o;
 *     int id;
 *     options_init(&o, argc, argv);
 *     while ((id = options_next(&o, own)) != OPT_END) {
 *         switch (id) {
 *         case 'c':      count = o.value; break;
 *         case OPT_WORD: host = o.value; break;
 *         default:       return options_exit(id);
 *         }
 *     }
 *     return options_run(&o, &(struct job){ .body = ping, .arg = &p, .failed = 1 });
 *
 * Flags go before the environment (TAPIR_LINK, TAPIR_ADDR, ...), that before
 * defaults. */
#ifndef TAPIR_TOOLS_OPTIONS_H
#define TAPIR_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "tapir/socket.h"

enum { OPTIONS_SYSCTL = 64 };

/* What options_next() gives beside the ids of the command's own rows. */
enum {
    OPT_END = 0,   /* no argument is left */
    OPT_WORD = -1, /* not an option: in o->value */
    OPT_BAD = -2,  /* wrong; the user was told: exit 2 */
    OPT_HELP = -3  /* --help was printed: exit 0 */
};

/* An option of one command; the table ends with a row of zeros. Letters may be joined
 * ("-sSo FILE"); long ones are "--name VALUE" or "--name=VALUE". */
struct option_row {
    int id;           /* what options_next() returns, above 0; often the letter */
    char letter;      /* 0: none */
    const char *name; /* NULL: none */
    bool takes_value;
};

struct options {
    struct tapir_config config; /* for tapir_up() */
    bool sim;                   /* --link sim; config.link is NULL then */
    char **command;             /* what follows "--", ends with NULL; NULL: nothing */
    const char *value;          /* of the option or word just returned */

    /* For the body of a command while it runs. */
    struct tapir *tapir; /* this end's stack */
    int stop_fd; /* readable once the command shall end (a signal, COMMAND ended): put
                  * it into every tapir_poll() that may wait long. -1 on --link sim:
                  * poll for 100 ms at most then, and ask options_stopped() */

    /* Private. */
    int argc, at; /* arguments; the next one to read */
    char **argv;
    const char *cluster; /* within joined letters, the next one; or NULL */
    const char *sysctl[OPTIONS_SYSCTL];
    unsigned given; /* the stack's options that were flags, a bit each */
    bool server, ready;
    bool quiet;   /* the far end of a simulated link says nothing */
    bool stopped; /* set by the other end of a simulated link */
    pid_t child;  /* COMMAND's process group; 0: none */
};

/* Sets the defaults and stands before the first argument. */
void options_init(struct options *o, int argc, char **argv);

/* The next argument; options of the stack are taken by itself. At the end the
 * environment gives what no flag gave. */
int options_next(struct options *o, const struct option_row *own);

/* Whose option a word is ("--name", "-x"): an id of the command's own, OPT_END of the
 * stack's, OPT_BAD nobody's. */
int options_owner(const struct option_row *own, const char *word);

/* Puts n words in front of the arguments that are left. False: no memory. */
bool options_insert(struct options *o, char **words, size_t n);

/* Was this option of the stack ("addr") a flag of the call? */
bool options_given(const struct options *o, const char *name);

/* OPT_BAD is 2, OPT_HELP is 0. */
int options_exit(int id);

/* Tells what failed, why and what to do about it, on stderr; cause and fix may be NULL
 * or "". */
void tell(const char *what, const char *cause, const char *fix);

/* What was told last as {"error": ...} on stdout: a command's --json has an object for
 * a failure as well. */
void tell_json(void);

/* A string of JSON with its quotes, on stdout. */
void print_json_string(const char *text);

/* The call was wrong: tells and returns 2. */
int tell_usage(const char *what, const char *fix);

/* It asks for what a later issue owes: tells and returns 2. */
int tell_later(const char *what, const char *fix);

/* The same of the option with this id in the command's own table. */
int tell_later_option(const struct options *o, const struct option_row *own, int id);

/* A whole number (a decimal fraction) from min to max; else tells, and false. `name` is
 * the option's. */
bool option_number(const char *name, const char *value, long long min, long long max,
                   long long *out);
bool option_decimal(const char *name, const char *value, double min, double max,
                    double *out);

/* --- running (run.c) ------------------------------------------------------------- */

struct job {
    int (*body)(struct options *o, void *arg); /* its result is the exit status */
    void *arg;
    int failed;   /* exit status when the link cannot be opened: 1, get: 45 */
    bool server;  /* COMMAND starts at options_ready() and its exit is the program's end
                   * and status. Else COMMAND is the far side: it runs beside the body
                   * and is ended with it */
    bool watches; /* the body looks at stop_fd; else SIGINT ends the program at once */
    bool bare;    /* it needs no stack: o->tapir stays NULL */
    uint16_t visit; /* a server on --link sim: the far end fetches / and every file that
                     * it names from this port, then all ends. 0: refused there */
};

/* Brings the link up, runs the body on it, takes it down. On --link sim the body is a
 * program of a simulated host, and the other host has the programs of far.c. */
int options_run(struct options *o, const struct job *job);

/* A server accepts now: prints a line ("serving DIR at http://192.0.2.2/") on stderr
 * and starts COMMAND. */
void options_ready(struct options *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* This end's address as clients write it; `cap` bytes at `host`. */
void options_address(const struct options *o, char *host, size_t cap);

/* Shall the body end? */
bool options_stopped(const struct options *o);

/* Ctrl-C: 130; COMMAND ended: its status; else `status`. */
int options_status(const struct options *o, int status);

/* A client whose COMMAND is the far side: waits until something on the kernel's side
 * listens on this TCP port, 3 seconds at most. Does nothing without a COMMAND. */
void options_wait_far(struct options *o, uint16_t port);

/* far.c: the far end of a simulated link: HTTP with the project's site on port 80 and
 * the services of perf on 5001 to 5003; and a visitor who fetches a whole site once. */
int far_start(struct options *far);
int far_visit(struct options *far, const char *host, uint16_t port);

/* The site that ships with the project; NULL: not found. */
const char *site_dir(void);

#endif
