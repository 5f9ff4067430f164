/* packetdrill's scripts against our own stack, in virtual time: parses one, plays it,
 * and says whether everything was as the script has it. No root, no device; one seed
 * gives one run. */
#ifndef TAPIR_TOOLS_DRILL_H
#define TAPIR_TOOLS_DRILL_H

#include <stdio.h>

#include "script.h"
#include "tapir/socket.h"

enum verdict_kind { VERDICT_PASS, VERDICT_FAIL, VERDICT_WRONG /* it is no script */ };

struct verdict {
    enum verdict_kind kind;
    int line, column;   /* where it failed; column 0: none */
    char message[400];  /* one sentence */
    char expected[600]; /* the packet or call that the script has; "" */
    char actual[600];   /* the one that came; "" */
    usec at;            /* virtual time */
    char *ladder;       /* the run as a ladder, to be freed; NULL: there was none */
    char *notes;        /* "file:line: ..." each, to be freed; NULL: none */
};

struct drill {
    struct tapir_config config; /* sysctls, pcap, seed of every run */
    const struct define *defines;
    struct setting *settings; /* "--tolerance_usecs=1000" of the program */
    bool dry;                 /* parse only */
    bool freebsd; /* where the two differ, as FreeBSD's packetdrill has it */
};

/* What is defined without being said: the end of every list of defines. */
const struct define *drill_defines(void);

/* Plays `len` characters at `text`, the script of that name. */
void drill_run(const struct drill *d, const char *file, const char *text, size_t len,
               struct verdict *out);

/* Frees what it holds; it may be used again. */
void verdict_free(struct verdict *v);

#endif
