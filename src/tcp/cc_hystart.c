/* Hybrid slow start: ends slow start where a queue begins to grow, instead of where it
 * overflows. It goes by Linux's form of the idea (S. Ha, I. Rhee, "Taming the
 * elephants", 2011), whose numbers these are, because that is what its users know; RFC
 * 9406 has the same rounds and thresholds, and a gentler end.
 *
 *     round   from one ACK to the first that acknowledges what was sent after it
 *     delay   in one round the smallest of nine samples or more is an eighth above the
 *             smallest ever: no burst explains that, but a queue that stands
 *     train   ACKs that follow one another closely have come in for half of the
 *             smallest round trip: the window fills the path both ways
 *
 * Below sixteen segments neither is looked for. */
#include <stddef.h>

#include "base/time.h"
#include "tcp/cc.h"

enum {
    LOW = 16,    /* segments: smaller windows prove nothing */
    SAMPLES = 8, /* in a round, before its delay is judged */
};

/* How far above the smallest is too long; RFC 9406 s4.2 has the same bounds. */
#define DELAY_MIN (4 * USEC_PER_MS)
#define DELAY_MAX (16 * USEC_PER_MS)
/* ACKs of one train are no further apart. */
#define TRAIN_GAP (2 * USEC_PER_MS)

static void begin_round(struct hystart *h, const struct cc_ack *ack)
{
    h->end = ack->nxt;
    h->began = h->last = ack->now;
    h->rtt = NEVER;
    h->samples = 0;
}

static bool train_is_long(struct hystart *h, const struct cc_ack *ack)
{
    if (ack->now - h->last > TRAIN_GAP)
        return false;
    h->last = ack->now;
    return ack->now - h->began > ack->min_rtt / 2;
}

static bool delay_is_long(struct hystart *h, const struct cc_ack *ack)
{
    usec more = usec_max(DELAY_MIN, usec_min(ack->min_rtt / 8, DELAY_MAX));

    h->rtt = usec_min(h->rtt, ack->rtt);
    if (h->samples < SAMPLES) {
        h->samples++;
        return false;
    }
    return h->rtt > ack->min_rtt + more;
}

bool hystart_ends(struct hystart *h, const struct cc *cc, const struct cc_ack *ack)
{
    if (!ack->hystart || ack->rtt == 0 || cc->cwnd / LOW < cc->mss)
        return false;
    if ((int32_t)(ack->una - h->end) > 0)
        begin_round(h, ack);
    bool train = (ack->hystart & HYSTART_TRAIN) && train_is_long(h, ack);
    bool delay = (ack->hystart & HYSTART_DELAY) && delay_is_long(h, ack);
    return train || delay;
}
