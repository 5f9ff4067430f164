/* The receive queue: text in order that the user has not read, and text that came out
 * of order. Both are lists of packets: a packet whose buffer is well used is kept as it
 * came (no copy); small text is copied behind the last packet, so that memory stays
 * bounded by what was received and a stream of one-byte segments costs no more than its
 * bytes. */
#ifndef TAPIR_TCP_RCVQ_H
#define TAPIR_TCP_RCVQ_H

#include "base/pkt.h"
#include "base/ranges.h"
#include "wire/tcp_wire.h"

enum { RCVQ_RECENT = 4 };

struct rcvq {
    struct pkt_queue text; /* in order; each data/len is what is unread of it */
    uint32_t len;          /* bytes unread */
    struct pkt *ofo;       /* out of order: by pkt.seq, disjoint; linked by next */
    struct pkt *ofo_last;  /* its end: where most arrivals go */
    uint32_t ofo_len;      /* bytes of text out of order */
    size_t held;           /* bytes of all buffers held */
    struct seq recent[RCVQ_RECENT]; /* where the latest arrivals began, latest first */
    unsigned n_recent;
    unsigned given_up; /* packets thrown away for others and not told of yet */
};

void rcvq_init(struct rcvq *q);
void rcvq_clear(struct rcvq *q);

/* Appends seg's text, which begins at RCV.NXT. Keeps seg->pkt (and sets it NULL) or
 * copies. False: no memory, nothing was taken. */
bool rcvq_append(struct rcvq *q, struct tcp_seg *seg);

/* Appends as much of seg's text, which begins at RCV.NXT, as fits behind the last
 * packet, or into one small packet where there is none; how many bytes. */
uint32_t rcvq_squeeze(struct rcvq *q, struct tcp_seg *seg);

/* Packs the text that is in order into fewer packets; how many were freed. */
size_t rcvq_collapse(struct rcvq *q);

enum rcvq_result {
    RCVQ_KEPT, /* something of it is new and kept */
    RCVQ_OLD,  /* all of it was there */
    RCVQ_FULL, /* no memory, or beyond the limit */
};

/* Keeps seg's text, which lies beyond RCV.NXT; what is there already is not kept twice.
 * `limit` bounds the bytes of buffers held: what lies highest is thrown away for it.
 * *dup tells the first part of it that was there already (empty when none). */
enum rcvq_result rcvq_insert(struct rcvq *q, struct tcp_seg *seg, size_t limit,
                             struct range *dup);

/* Moves to the text what continues at `nxt`; returns the new RCV.NXT. *fin: a FIN stood
 * behind it; *dup: the first part of it that the text had already (empty when none). */
struct seq rcvq_join(struct rcvq *q, struct seq nxt, bool *fin, struct range *dup);

/* What is out of order is forgotten: the FIN was taken, the connection is over, or
 * memory is short (RFC 2018 s8). How many packets it was. */
unsigned rcvq_forget_ofo(struct rcvq *q);

/* Copies out what the n rooms take, and forgets it unless `peek`. */
size_t rcvq_read(struct rcvq *q, const struct room *to, size_t n, bool peek);

/* Forgets up to n bytes of text, unread. */
void rcvq_discard(struct rcvq *q, size_t n);

/* RFC 2018 s4: up to max blocks of what is out of order, the one with the latest
 * arrival first. How many. */
unsigned rcvq_blocks(const struct rcvq *q, struct range *out, unsigned max);

#endif
