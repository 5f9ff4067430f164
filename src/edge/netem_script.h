/* The emulator's script: what befalls the frames that it names, by their kind and their
 * number, whatever the dice say. A row is one frame, a range of frames, or the first
 * one of every connection. */
#ifndef TAPIR_EDGE_NETEM_SCRIPT_H
#define TAPIR_EDGE_NETEM_SCRIPT_H

#include "base/pkt.h"
#include "base/siphash.h"

enum { NETEM_ROWS = 16, NETEM_SEEN = 4096 };

enum netem_kind {
    NETEM_ANY,
    NETEM_SYN,
    NETEM_SYNACK,
    NETEM_ACK,
    NETEM_DATA,
    NETEM_FIN,
    NETEM_RST
};

enum netem_deed { NETEM_DROP, NETEM_TWICE, NETEM_HOLD };

struct netem_row {
    enum netem_deed deed;
    enum netem_kind kind;
    uint32_t first, last; /* of the kind, from 1; 0: the first of every connection */
    usec hold;            /* for NETEM_HOLD */
    uint32_t seen;        /* frames of this kind so far */
};

struct netem_script {
    struct netem_row row[NETEM_ROWS];
    unsigned n;
};

/* What the script has for one frame. */
struct netem_verdict {
    bool drop, twice;
    usec hold; /* 0: nothing */
};

struct netem_memory {
    struct siphash_key key;
    uint32_t seen[NETEM_SEEN]; /* hashes of connections already hit by `each` */
};

/* Every row counts every frame of its kind, also one that another row drops. */
struct netem_verdict netem_script_judge(struct netem_script *s, struct netem_memory *m,
                                        const struct pkt *p);

/* Does any row hold frames back? */
bool netem_script_holds(const struct netem_script *s);

#endif
