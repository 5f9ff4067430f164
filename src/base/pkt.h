/* The packet buffer.
 *
 *     buf          data                 data+len             buf+cap
 *     | headroom   | bytes of the packet | tailroom           |   then text[0], text[1]
 *
 * Bytes are contiguous; headers are pushed into the headroom on the way down and pulled
 * off on the way up. On the way down only, a packet may *borrow* up to two pieces of
 * text (from a send buffer) that follow its own bytes: they are good until the *_output
 * call returns, and whoever keeps the packet longer copies it (pkt_copy).
 *
 * A packet has one owner and no reference count: every *_input and *_output function
 * takes its packet, whatever it returns.
 *
 * Two sizes exist: small (2 KiB) and large (64 KiB and headroom, for super-segments).
 * Both come from a pool that belongs to one stack and has a limit in bytes. */
#ifndef TAPIR_BASE_PKT_H
#define TAPIR_BASE_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seq.h"
#include "base/slab.h"
#include "base/time.h"

enum {
    PKT_HEADROOM = 128, /* vnet header 12 + Ethernet 14 + IP 60, and some */
    PKT_SMALL = 2048,   /* bytes of a small packet, headroom included */
    PKT_LARGE = 65536 + 2 * PKT_HEADROOM, /* bytes of a large one: the longest IPv4
                                           * packet still fits with its link header */
};

/* What is known of the transport checksum. */
enum pkt_csum {
    PKT_CSUM_FULL,     /* in the packet, complete; on the way up: to be verified */
    PKT_CSUM_PARTIAL,  /* the field holds the pseudo-header's sum; the device (or the
                        * last step in software) completes it */
    PKT_CSUM_VERIFIED, /* way up: the device vouches for it */
};

struct piece {
    const uint8_t *at;
    size_t len;
};

/* Where bytes are to go; `at` NULL: nowhere, they are only counted. */
struct room {
    uint8_t *at;
    size_t len;
};

struct pkt {
    struct pkt *next;      /* in a queue */
    struct pkt_pool *pool; /* where it goes back to */
    uint8_t *buf;          /* the allocation's bytes */
    uint32_t cap;          /* their number */
    uint32_t len;          /* bytes at data, without the borrowed text */
    uint8_t *data;         /* first byte of the packet as this layer sees it */
    struct piece text[2];  /* borrowed, after the own bytes; way down only */
    uint8_t n_text;        /* pieces in use: 0 to 2 */
    enum pkt_csum csum;    /* state of the transport checksum */
    uint8_t *csum_at;      /* transport header, where csum is PARTIAL */
    uint16_t csum_field;   /* offset of the checksum in it: 16 TCP, 6 UDP */
    uint16_t gso_size;     /* text bytes a wire segment, for a super-segment; else 0 */
    struct seq seq;        /* receive queues: sequence number of the first byte */
    bool fin;              /* receive queues: a FIN follows the last byte */
    usec at;               /* links: when it is to be delivered; queues: when it came */
};

struct pkt_queue {
    struct pkt *head, *tail; /* NULL when empty */
    size_t n;                /* packets in it */
};

struct pkt_pool {
    struct slab_pool small, large; /* where packets come from */
    size_t live;                   /* packets handed out: 0 at every teardown */
    size_t bytes;                  /* bytes of the packets handed out */
    size_t limit;                  /* most bytes handed out at once */
    size_t reserve;                /* part of the limit kept for pkt_new_urgent() */
};

void pkt_pool_init(struct pkt_pool *pool, size_t limit, size_t reserve);

/* The same; memory that is free is given back as `set` is trimmed. */
void pkt_pool_init_in(struct pkt_pool *pool, struct slab_set *set, size_t limit,
                      size_t reserve);

/* Frees its memory. Asserts that no packet is alive. */
void pkt_pool_free(struct pkt_pool *pool);

/* An empty packet with PKT_HEADROOM bytes before data and room for `room` bytes after
 * it; NULL when the pool's limit (less the reserve) is reached or room is too much. */
struct pkt *pkt_new(struct pkt_pool *pool, size_t room);

/* The same, from the reserve too: for ACKs and RSTs, which are what frees memory. */
struct pkt *pkt_new_urgent(struct pkt_pool *pool, size_t room);

/* Are more than `eighths` eighths of it handed out, the reserve aside? What waits in
 * queues must not fill a pool: the frames that empty them come in its packets. */
static inline bool pkt_pool_above(const struct pkt_pool *pool, unsigned eighths)
{
    return pool->bytes > (pool->limit - pool->reserve) / 8 * eighths;
}

/* Gives p back to its pool; NULL is fine. */
void pkt_free(struct pkt *p);

/* A copy that borrows nothing (text is copied behind the own bytes), with p's metadata;
 * from `pool`, which may be another stack's. NULL when there is no room. */
struct pkt *pkt_copy(struct pkt_pool *pool, const struct pkt *p);

/* All bytes: own and borrowed. */
size_t pkt_total(const struct pkt *p);

/* Writes all bytes to `out` (of `room` bytes); how many were written. */
size_t pkt_flatten(const struct pkt *p, uint8_t *out, size_t room);

/* Copies [at, at+len) into the n rooms, one after the other; how much fitted. */
size_t rooms_fill(const struct room *to, size_t n, const uint8_t *at, size_t len);

/* Room behind the own bytes. */
static inline size_t pkt_tailroom(const struct pkt *p)
{
    return (size_t)(p->buf + p->cap - (p->data + p->len));
}

/* Adds n bytes in front and returns the new first byte. The headroom is there by
 * construction: see PKT_HEADROOM. */
static inline uint8_t *pkt_push(struct pkt *p, size_t n)
{
    p->data -= n;
    p->len += (uint32_t)n;
    return p->data;
}

/* Takes n bytes off the front; n is at most p->len. */
static inline void pkt_pull(struct pkt *p, size_t n)
{
    p->data += n;
    p->len -= (uint32_t)n;
}

/* Adds n bytes behind and returns the first of them; n is at most pkt_tailroom(p). */
static inline uint8_t *pkt_put(struct pkt *p, size_t n)
{
    uint8_t *at = p->data + p->len;
    p->len += (uint32_t)n;
    return at;
}

/* Cuts p to its first n bytes; longer than p, it does nothing. */
static inline void pkt_trim(struct pkt *p, size_t n)
{
    if (n < p->len)
        p->len = (uint32_t)n;
}

void pkt_queue_push(struct pkt_queue *q, struct pkt *p);
struct pkt *pkt_queue_pop(struct pkt_queue *q);
void pkt_queue_clear(struct pkt_queue *q);

#endif
