/* How it works
 *
 *     offer --> script --> mtu --> loss --> twice? --> corrupt --.
 *                 |         |       |                            |
 *                 +---------+-------+--> dropped,                v
 *                 |                      counted          waiting |||| --> bottleneck
 *                 +---- limit, codel ------------------------'    one frame at a time
 *                                                                         |
 *     take <-- flying, by time of delivery <-- delay, reorder, hold <-----'
 *
 * Without a rate there is no bottleneck and nothing waits for it. With one, a frame
 * occupies it for its bits / rate; the fraction of a microsecond that this leaves is
 * carried over to the next frame, so that the rate is exact in the long run.
 *
 * Nothing here waits: the caller asks netem_deadline() and comes back. The bottleneck
 * is looked at only then, and works off all that it would have done since, in order and
 * at the times at which it would have done it. That is as good as being there, for a
 * frame that is offered meanwhile comes behind them all.
 *
 * The time of delivery is that of leaving the bottleneck + delay +- jitter, but never
 * before the frame in front: jitter alone keeps the order. A frame that is picked for
 * reordering, or held by a script, is outside of that order. */
#include "edge/netem.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "net/gso.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"

enum {
    LIMIT = 1000,
    NO_DELAY = 100,  /* usec; below it there is no delay to skip for reordering ... */
    HELD_BACK = 1000 /* ... and the frame picked is late by this instead */
};

/* ---- the end of a frame ---- */

static int drop(struct netem *n, struct pkt *p, enum drop why)
{
    n->count->drop[why]++;
    n->lost++;
    pkt_free(p);
    return -(int)why - 1;
}

static void tell_late(const struct netem *n, enum drop why)
{
    if (n->late)
        n->late(n->ctx, why);
}

/* ---- bits of the frame ---- */

static uint16_t ether_type(const struct pkt *p)
{
    return p->len > ETH_LEN ? get16(p->data + ETH_LEN - 2) : 0;
}

static bool is_ip(const struct pkt *p)
{
    uint16_t type = ether_type(p);

    return type == ETH_IP4 || type == ETH_IP6;
}

/* Sets CE on a packet that is ECN-capable, and says whether it is (RFC 3168 s5: a
 * router that would drop it may mark it instead). */
static bool mark_ip4(struct pkt *p)
{
    uint8_t *ip = p->data + ETH_LEN;
    uint16_t old;

    if (p->len < ETH_LEN + IP4_LEN || (ip[1] & IP_ECN_MASK) == 0)
        return false;
    old = get16(ip);
    ip[1] |= IP_ECN_MASK;
    put16(ip + 10, cksum_update(get16(ip + 10), old, get16(ip)));
    return true;
}

/* The traffic class lies across the first two bytes (RFC 8200 s3); no checksum has it.
 */
static bool mark_ip6(struct pkt *p)
{
    enum { IP6_LEN = 40, CE = IP_ECN_MASK << 4 };
    uint8_t *ip = p->data + ETH_LEN;

    if (p->len < ETH_LEN + IP6_LEN || (ip[1] & CE) == 0)
        return false;
    ip[1] |= CE;
    return true;
}

static bool mark(struct netem *n, struct pkt *p)
{
    uint16_t type = ether_type(p);
    bool marked = (type == ETH_IP4 && mark_ip4(p)) || (type == ETH_IP6 && mark_ip6(p));

    if (marked)
        count(n->count, COUNT_NetemEcnMarked);
    return marked;
}

/* Turns one bit over, anywhere behind the Ethernet header. A checksum that the device
 * would have completed has to be there first, or it would be made to fit; and nobody
 * may vouch for it any more. */
static void corrupt(struct netem *n, struct pkt *p)
{
    struct netem_dice *d = &n->dice[DIE_CORRUPT];
    uint64_t bit;

    if (!is_ip(p) || !netem_happens(d, &n->config.corrupt))
        return;
    if (p->csum == PKT_CSUM_PARTIAL)
        csum_complete(p);
    p->csum = PKT_CSUM_FULL;
    bit = rng_below(&d->rng, (uint64_t)(p->len - ETH_LEN) * 8);
    p->data[ETH_LEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
    count(n->count, COUNT_NetemCorrupted);
}

/* ---- from the bottleneck to the other end ---- */

/* netem's rule: of `gap` frames in a row the last one may be picked. */
static bool picked(struct netem *n)
{
    const struct netem_config *c = &n->config;

    if (c->reorder.share <= 0)
        return false;
    if (n->passed_by + 1 < c->gap ||
        !netem_happens(&n->dice[DIE_REORDER], &c->reorder)) {
        n->passed_by++;
        return false;
    }
    n->passed_by = 0;
    count(n->count, COUNT_NetemReordered);
    return true;
}

static usec in_order(struct netem *n, usec left)
{
    const struct netem_config *c = &n->config;
    usec delay = c->delay;

    if (c->jitter)
        delay += (usec)((double)c->jitter * netem_deviation(&n->dice[DIE_DELAY],
                                                            c->spread,
                                                            c->delay_correlation));
    n->last = usec_max(left + usec_max(delay, 0), n->last);
    return n->last;
}

static usec delivery(struct netem *n, usec left, usec hold)
{
    if (!picked(n))
        return in_order(n, left) + hold;
    if (n->config.delay < NO_DELAY)
        return left + n->config.delay + HELD_BACK + hold;
    return left + hold;
}

static bool fly(struct netem *n, struct pkt *p, usec left, usec hold)
{
    if (hold)
        count(n->count, COUNT_NetemHeld);
    return netem_queue_push(&n->flying, p, delivery(n, left, hold), hold);
}

/* ---- the bottleneck ---- */

static void occupy(struct netem *n, size_t len, usec start)
{
    int64_t bytes = (int64_t)len + n->config.overhead;
    uint64_t microbits = bytes > 0 ? (uint64_t)bytes * 8 * (uint64_t)USEC_PER_SEC : 0;

    if (start > n->free_at) /* it was idle */
        n->bits_left = 0;
    microbits += n->bits_left;
    n->free_at = start + (usec)(microbits / n->config.rate);
    n->bits_left = microbits % n->config.rate;
}

static bool codel_drops(struct netem *n, const struct netem_item *item, usec start)
{
    const struct netem_codel *c = &n->config.codel;

    if (!c->on ||
        !netem_codel_hits(&n->codel, c, start, start - item->at, n->waiting.bytes))
        return false;
    return !n->config.ecn || !mark(n, item->p);
}

static void send_next(struct netem *n)
{
    struct netem_item item = netem_queue_pop(&n->waiting);
    usec start = usec_max(n->free_at, item.at);
    enum drop why = DROP_NETEM_CODEL;

    if (!codel_drops(n, &item, start)) {
        occupy(n, item.p->len, start);
        if (fly(n, item.p, n->free_at, item.hold))
            return;
        why = DROP_NO_BUFFER;
    }
    drop(n, item.p, why);
    tell_late(n, why);
}

static void work_off(struct netem *n, usec now)
{
    while (n->waiting.n && n->free_at <= now)
        send_next(n);
}

/* One frame, or a copy, to the queue: 0 or the reason of its end. */
static int enqueue(struct netem *n, struct pkt *p, usec now, usec hold)
{
    bool bottleneck = n->config.rate > 0;
    size_t ahead = n->flying.n;

    corrupt(n, p);
    if (bottleneck) {
        work_off(n, now);
        ahead = n->waiting.n + (n->free_at > now);
    }
    if (ahead >= n->config.limit)
        return drop(n, p, DROP_NETEM_LIMIT);
    if (!(bottleneck ? netem_queue_push(&n->waiting, p, now, hold)
                     : fly(n, p, now, hold)))
        return drop(n, p, DROP_NO_BUFFER);
    if (bottleneck)
        work_off(n, now);
    return 0;
}

/* ---- what befalls a frame before it ---- */

static bool too_long(const struct netem *n, const struct pkt *p)
{
    return n->config.mtu && is_ip(p) && p->len - ETH_LEN > n->config.mtu;
}

static bool unlucky(struct netem *n, struct pkt *p)
{
    const struct netem_config *c = &n->config;
    struct netem_dice *d = &n->dice[DIE_LOSS];
    bool hit = c->burst.on ? netem_burst_loses(d, &c->burst, &n->bad)
                           : netem_happens(d, &c->loss);

    return hit && (!c->ecn || c->codel.on || !mark(n, p));
}

/* The copy that is to follow p, or NULL. */
static struct pkt *copy_of(struct netem *n, const struct pkt *p)
{
    struct pkt *copy = pkt_copy(p->pool, p);

    if (copy) {
        count(n->count, COUNT_NetemDuplicated);
        return copy;
    }
    n->count->drop[DROP_NO_BUFFER]++;
    tell_late(n, DROP_NO_BUFFER);
    return NULL;
}

static void send_copy(struct netem *n, struct pkt *copy, usec now, usec hold)
{
    int err = enqueue(n, copy, now, hold);

    if (err < 0)
        tell_late(n, (enum drop)(-err - 1));
}

int netem_offer(struct netem *n, struct pkt *p, usec now)
{
    struct netem_verdict v = netem_script_judge(&n->config.script, &n->memory, p);
    struct pkt *copy = NULL;
    int err;

    n->offered++;
    if (v.drop)
        return drop(n, p, DROP_NETEM_SCRIPT);
    if (too_long(n, p))
        return drop(n, p, DROP_NETEM_MTU);
    if (unlucky(n, p))
        return drop(n, p, DROP_NETEM_LOSS);
    if (netem_happens(&n->dice[DIE_DUPLICATE], &n->config.duplicate) || v.twice)
        copy = copy_of(n, p);
    err = enqueue(n, p, now, v.twice ? 0 : v.hold);
    if (copy)
        send_copy(n, copy, now, v.hold);
    return err;
}

/* ---- the emulator ---- */

void netem_init(struct netem *n, const struct netem_config *config, uint64_t seed,
                struct counters *count)
{
    struct rng seeds;

    memset(n, 0, sizeof *n);
    n->config = *config;
    if (!n->config.limit)
        n->config.limit = LIMIT;
    n->overtaking = n->config.reorder.share > 0 || netem_script_holds(&config->script);
    n->count = count;
    netem_dice_init(&n->dice[DIE_LOSS], seed);
    n->memory.key = rng_key(&n->dice[DIE_LOSS].rng);
    rng_seed(&seeds, ~seed);
    for (int i = DIE_LOSS + 1; i < DIE_N; i++)
        netem_dice_init(&n->dice[i], rng_next(&seeds));
}

void netem_free(struct netem *n)
{
    netem_queue_free(&n->waiting);
    netem_queue_free(&n->flying);
}

struct pkt *netem_take(struct netem *n, usec now)
{
    const struct netem_item *first;

    work_off(n, now);
    first = netem_queue_first(&n->flying);
    if (!first || first->at > now)
        return NULL;
    n->passed++;
    return netem_queue_pop(&n->flying).p;
}

/* While all keep their order, what waits is delivered behind what flies. */
usec netem_deadline(const struct netem *n)
{
    const struct netem_item *first = netem_queue_first(&n->flying);
    usec at = first ? first->at : NEVER;

    if (n->waiting.n && (n->overtaking || !first))
        at = usec_min(at, n->free_at);
    return at;
}
