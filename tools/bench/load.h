/* The load generator: connections of the kernel's sockets that ask, echo or move bytes
 * for some time, and what came of it. load.c has the program and its report, load_run.c
 * connections and the loop, load_kinds.c what a connection does. */
#ifndef TAPIR_TOOLS_LOAD_H
#define TAPIR_TOOLS_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "samples.h"

enum {
    LOAD_CONNS = 20000,       /* at most */
    LOAD_HEAD = 1024,         /* bytes of an answer's head at most */
    LOAD_BUFFER = 256 * 1024, /* of one read or write */
    LOAD_ECHO = 16 * 1024     /* bytes of an echo at most: they fit every send buffer */
};

struct load_conn {
    int fd;          /* -1: closed */
    bool up;         /* the handshake is done, and the kind has begun */
    bool in_body;    /* get: the head of the answer is whole */
    uint64_t bytes;  /* moved so far */
    uint64_t before; /* moved when measuring began */
    uint64_t left;   /* bytes of the answer's body, or of the echo, yet to come */
    int64_t asked;   /* when the question was sent; connect: when the SYN was */
    size_t head_len; /* bytes in head */
    char *head;      /* get: LOAD_HEAD bytes, the answer's head so far */
};

struct load;

/* What a kind of load does. begin and turn return false when the connection is of no
 * more use; load_broke() has heard why. */
struct load_kind {
    const char *name;
    const char *does;                                   /* for the help */
    enum { LOAD_ANSWERS, LOAD_FLOW, LOAD_HOLD } gives;  /* what the report is about */
    uint32_t events;                                    /* of epoll, when it is up */
    bool (*begin)(struct load *l, struct load_conn *c); /* the handshake is done */
    bool (*turn)(struct load *l, struct load_conn *c);  /* one of the events came */
    uint64_t (*moved)(const struct load_conn *c);       /* bytes that went across */
};

struct load {
    const struct load_kind *kind;
    struct sockaddr_in to;
    const char *path; /* of the file to get */
    unsigned conns;   /* at once */
    double seconds;   /* of the measured time */
    size_t size;      /* bytes of an echo */

    int epoll;
    struct load_conn *conn;
    char *heads;         /* of all connections, LOAD_HEAD bytes each */
    char *buffer;        /* LOAD_BUFFER bytes: to send from, or to read into */
    char question[1024]; /* get: the request */
    size_t question_len;

    struct samples times; /* of the answers in the measured time */
    uint64_t answers;     /* in the measured time */
    double took;          /* seconds that the measured time really took */
    char broken[160];     /* why the first connection broke; empty: none did */
};

/* The end of the table has a NULL name. */
extern const struct load_kind load_kinds[];

/* Makes room for what the caller has filled in down to `size`. False: l->broken says
 * why; load_free() is due in any case. */
bool load_init(struct load *l);
void load_free(struct load *l);

/* Opens the connections and lets them run: a tenth of a second unmeasured, then the
 * measured time (LOAD_HOLD: until all have done their part, then holds them for that
 * time). False: l->broken says why. */
bool load_run(struct load *l);

/* Opens c and waits for the handshake. */
bool load_open(struct load *l, struct load_conn *c);

/* The same without waiting: the kind begins when the handshake is done. */
bool load_reopen(struct load *l, struct load_conn *c);

/* An answer is complete: counts it, with the time since it was asked. */
bool load_answered(struct load *l, const struct load_conn *c);

/* Keeps the first reason, with errno's text when err is not 0; false. */
bool load_broke(struct load *l, const char *why, int err);

#endif
