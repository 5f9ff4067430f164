/* What happened while a page was fetched: connections and answers with their times, in
 * microseconds of the stack's clock. -1: it did not happen. */
#ifndef TAPIR_LAB_RECORD_H
#define TAPIR_LAB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tapir/sim.h"

enum { RECORD_ROUNDS = 24 };

/* A burst of an answer: arrivals without a long silence between them. What comes after
 * the last one counts as a part of that. */
struct record_round {
    int64_t first, last;
    uint64_t bytes;
};

struct record_lane { /* a connection */
    int64_t syn;     /* connect() was called */
    int64_t open;    /* it is established */
    int64_t fin;    /* this end closed, or knew that the other had: the first of them */
    int64_t closed; /* both FINs are acknowledged as far as this end knows */
    bool near_first; /* this end closed first: TIME-WAIT is here, else at the server */
    unsigned segs_out, segs_in; /* all but those of the close */
    unsigned text_in;           /* of these, with text */
    unsigned requests;
    uint64_t bytes_in; /* of IP packets, to the end: by TCP's own count */
};

struct record_fetch { /* a request and its answer */
    unsigned lane;
    unsigned object;              /* 0: the page */
    int64_t ask;                  /* the request was written */
    int64_t first, last;          /* first byte of the head, last of the body */
    uint64_t request, head, body; /* bytes */
    int status;
    unsigned rounds;
    struct record_round round[RECORD_ROUNDS];
};

struct record {
    struct record_lane *lane;
    unsigned lanes;
    struct record_fetch *fetch; /* in the order asked */
    unsigned fetches;
    int64_t begin, end;       /* first SYN; last byte of the last answer */
    int64_t silence;          /* a pause that ends a round */
    struct sim_link up, down; /* simulated: frames since `begin`, the close included */
    unsigned retransmits;     /* by either end; on a live link by this one */
    unsigned timeouts;        /* of retransmission timers, simulated, of either end */
    char error[128];          /* "" */
};

/* Room for so many fetches. False: no memory. */
bool record_init(struct record *r, unsigned fetches, int64_t silence);
void record_free(struct record *r);

/* A connection that begins at `now`: its number. */
unsigned record_lane(struct record *r, int64_t now);

/* A request for an object that is written on a lane at `now`: its number. */
unsigned record_ask(struct record *r, unsigned lane, unsigned object, int64_t now);

/* Bytes of an answer came. */
void record_arrival(struct record *r, unsigned fetch, int64_t now, size_t bytes);

/* The page's time in seconds. */
double record_seconds(const struct record *r);

/* Bytes of IP packets from the server: as they were on a simulated wire, or on a live
 * one as TCP counted what came, which is all but what was lost or came twice. */
uint64_t record_bytes(const struct record *r);

/* Segments with text that came, over all connections. */
unsigned record_text_segments(const struct record *r);

#endif
