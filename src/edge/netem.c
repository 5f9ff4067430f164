/* How it works
 *
 *     offer --> script --> loss --> limit --> held, by time of delivery --> take
 *                 |          |        |
 *                 +----------+--------+--> dropped, counted by reason
 *
 * A held frame carries the time of its delivery in pkt.at. That time is now + delay +-
 * jitter, but never before the frame in front of it, so the queue is in order by being
 * appended to. Nothing here waits: the caller asks netem_deadline() and comes back.
 *
 * `each` needs to remember which connections it has hit. It keeps 32 bits of a hash of
 * each in a small table; a connection that is pushed out of it, after thousands, would
 * be hit once more. */
#include "edge/netem.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/dump.h"

enum { LIMIT = 1000, PROBE = 8 };

/* The kinds that a frame is of, one bit each: data with FIN is both. */
static unsigned classify(const struct dump_info *info)
{
    const struct tcp_seg *seg = &info->seg;
    unsigned kinds = 1u << NETEM_ANY;

    if (!info->is_tcp)
        return kinds;
    if (seg->flags & TCP_SYN)
        kinds |= 1u << (seg->flags & TCP_ACK ? NETEM_SYNACK : NETEM_SYN);
    if (seg->flags & TCP_FIN)
        kinds |= 1u << NETEM_FIN;
    if (seg->flags & TCP_RST)
        kinds |= 1u << NETEM_RST;
    if (seg->text_len)
        kinds |= 1u << NETEM_DATA;
    if (!seg->text_len && (seg->flags & TCP_ACK) &&
        !(seg->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
        kinds |= 1u << NETEM_ACK;
    return kinds;
}

/* What `each` tells connections apart by, never 0. A SYN's number is part of it: a new
 * connection between old ports is a new one, a SYN sent again is not. */
static uint32_t connection_hash(const struct netem *n, unsigned row,
                                const struct dump_info *info)
{
    uint8_t b[16 + 16 + 2 + 2 + 4 + 4 + 1] = { 0 };
    uint32_t hash;

    memcpy(b, info->src.b, 16);
    memcpy(b + 16, info->dst.b, 16);
    if (info->is_tcp) {
        put16(b + 32, info->seg.src_port);
        put16(b + 34, info->seg.dst_port);
        if (info->seg.flags & TCP_SYN)
            put32(b + 36, info->seg.seq.n);
    }
    put32(b + 40, row);
    b[44] = info->proto;
    hash = (uint32_t)siphash(&n->key, b, sizeof b);
    return hash ? hash : 1;
}

static bool first_of_connection(struct netem *n, unsigned row,
                                const struct dump_info *info)
{
    uint32_t hash;
    uint32_t *slot, *first;

    if (!info->is_ip)
        return false;
    hash = connection_hash(n, row, info);
    first = &n->each_seen[hash % NETEM_SEEN];
    for (uint32_t i = 0; i < PROBE; i++) {
        slot = &n->each_seen[(hash + i) % NETEM_SEEN];
        if (*slot == hash)
            return false;
        if (*slot == 0) {
            *slot = hash;
            return true;
        }
    }
    *first = hash;
    return true;
}

/* Every row counts every frame of its kind, also one that another row drops. */
static bool scripted(struct netem *n, const struct pkt *p)
{
    struct dump_info info;
    unsigned kinds;
    bool hit = false;

    if (!n->config.n_drop)
        return false;
    dump_look(p->data, p->len, &info);
    kinds = classify(&info);
    for (unsigned i = 0; i < n->config.n_drop; i++) {
        struct netem_drop *d = &n->config.drop[i];

        if (!(kinds & 1u << d->what))
            continue;
        d->seen++;
        if (d->nth ? d->seen == d->nth : first_of_connection(n, i, &info))
            hit = true;
    }
    return hit;
}

static bool unlucky(struct netem *n)
{
    const double unit = 1.0 / 9007199254740992.0; /* 2^-53: a double's precision */

    return n->config.loss > 0 &&
           (double)(rng_next(&n->rng) >> 11) * unit < n->config.loss;
}

static usec delivery_time(struct netem *n, usec now)
{
    usec delay = n->config.delay;

    if (n->config.jitter)
        delay += (usec)rng_below(&n->rng, (uint64_t)n->config.jitter * 2 + 1) -
                 n->config.jitter;
    return usec_max(now + usec_max(delay, 0), n->last);
}

static int drop(struct netem *n, struct pkt *p, enum drop why)
{
    n->count->drop[why]++;
    n->lost++;
    pkt_free(p);
    return -(int)why - 1;
}

void netem_init(struct netem *n, const struct netem_config *config, uint64_t seed,
                struct counters *count)
{
    memset(n, 0, sizeof *n);
    n->config = *config;
    if (!n->config.limit)
        n->config.limit = LIMIT;
    n->count = count;
    rng_seed(&n->rng, seed);
    n->key = rng_key(&n->rng);
}

void netem_free(struct netem *n)
{
    pkt_queue_clear(&n->held);
}

int netem_offer(struct netem *n, struct pkt *p, usec now)
{
    n->offered++;
    if (scripted(n, p))
        return drop(n, p, DROP_NETEM_SCRIPT);
    if (unlucky(n))
        return drop(n, p, DROP_NETEM_LOSS);
    if (n->held.n >= n->config.limit)
        return drop(n, p, DROP_NETEM_LIMIT);
    p->at = n->last = delivery_time(n, now);
    pkt_queue_push(&n->held, p);
    return 0;
}

struct pkt *netem_take(struct netem *n, usec now)
{
    if (!n->held.head || n->held.head->at > now)
        return NULL;
    n->passed++;
    return pkt_queue_pop(&n->held);
}

usec netem_deadline(const struct netem *n)
{
    return n->held.head ? n->held.head->at : NEVER;
}
