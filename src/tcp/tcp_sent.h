/* What was sent and is not yet acknowledged: one record a range that left at one
 * moment, in the order of sequence numbers, covering [SND.UNA, SND.NXT) without holes.
 * A super-segment is one record; it is split where an acknowledgment or a SACK block
 * ends inside it. SYN and FIN are in it, with the sequence numbers they take.
 *
 * This list *is* the SACK scoreboard (RFC 6675 s3): what is in flight, what the peer
 * holds, what is lost, when a range was sent and how often, are questions to it. */
#ifndef TAPIR_TCP_SENT_H
#define TAPIR_TCP_SENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/seq.h"
#include "base/slab.h"
#include "base/time.h"

enum sent_state {
    SENT_FLYING, /* in the network, for all we know */
    SENT_SACKED, /* the peer holds it out of order */
    SENT_LOST,   /* taken as lost, not sent again yet */
};

struct sent {
    struct list node;      /* in sent_list.all */
    struct seq from, to;   /* [from, to), never empty */
    usec at;               /* when it was last sent */
    uint16_t tries;        /* how often it was sent: 1 the first time */
    bool push;             /* a send call ends where it ends */
    enum sent_state state; /* written by this file's functions only */
};

struct sent_list {
    struct list all;        /* struct sent.node, oldest first */
    uint32_t bytes[3];      /* sequence numbers in each state: index enum sent_state */
    struct slab_pool *pool; /* of struct sent */
};

/* What an acknowledgment told. */
struct sent_news {
    uint32_t delivered; /* sequence numbers that arrived, not known before */
    usec sent_at;       /* when the oldest of them that was sent only once had left, or
                         * NEVER: a round-trip sample that Karn's rule allows */
    bool sacked;        /* some of them in a SACK block */
    bool resent;        /* some of them had been sent more than once ... */
    usec resent_at;     /* ... the last of these at this time */
    usec rtt; /* the round-trip sample that was taken from all that; 0: none */
};

/* `pool` has blocks of sizeof(struct sent). */
void sent_init(struct sent_list *l, struct slab_pool *pool);
void sent_clear(struct sent_list *l);

/* [from, to) left just now, for the first time; from is where the last one ended.
 * False: no memory, nothing recorded. */
bool sent_add(struct sent_list *l, struct seq from, struct seq to, usec now);

/* A send call ends where the newest record does: what follows is another one. */
void sent_push(struct sent_list *l);

/* Makes the next sent_add() and one split certain to find memory. */
bool sent_reserve(struct sent_list *l);

/* Everything before una is acknowledged: forgotten. */
void sent_ack(struct sent_list *l, struct seq una, struct sent_news *news);

/* The peer holds [from, to). */
void sent_sack(struct sent_list *l, struct seq from, struct seq to,
               struct sent_news *news);

/* RFC 6675 s4 IsLost(): marks as lost what was sent once and has more than `bytes`
 * bytes, or `blocks` separate blocks, sacked above it. True if something was marked. */
bool sent_mark_lost(struct sent_list *l, uint32_t bytes, unsigned blocks);

/* RFC 6675 s4 NextSeg() rule 3: marks as lost the first `len` of the oldest hole that
 * was sent once and lies below something sacked. */
void sent_mark_hole_lost(struct sent_list *l, uint32_t len);

/* Marks the first `len` sequence numbers lost, unless they are sacked or lost
 * already. */
void sent_mark_head_lost(struct sent_list *l, uint32_t len);

/* The newest record that is flying, or NULL. */
const struct sent *sent_last_flying(const struct sent_list *l);

/* Marks as lost the last `len` sequence numbers of that record, or all of it. */
void sent_mark_tail_lost(struct sent_list *l, uint32_t len);

/* Everything that is flying is lost (the retransmission timer fired). A sacked head
 * means that the peer threw away what it had sacked (RFC 2018 s8): then all is lost. */
void sent_mark_all_lost(struct sent_list *l);

/* What is flying in packets of more than `size` sequence numbers is lost, for no such
 * packet passes; true if something was marked. */
bool sent_mark_larger_lost(struct sent_list *l, uint32_t size);

/* The oldest lost record, or NULL. */
const struct sent *sent_first_lost(const struct sent_list *l);

/* The oldest record, or NULL. */
const struct sent *sent_head(const struct sent_list *l);

/* [from, to), within one lost record and from its beginning, left again just now. */
void sent_again(struct sent_list *l, struct seq from, struct seq to, usec now);

/* The highest sequence number that the peer holds out of order plus one; `una`
 * if none. */
struct seq sent_high_sacked(const struct sent_list *l, struct seq una);

#endif
