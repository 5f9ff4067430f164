/* Reno: RFC 5681 with the byte counting of RFC 3465.
 *
 *     cwnd < ssthresh    slow start: + the bytes acknowledged
 *     else               congestion avoidance: + one segment for each cwnd of bytes
 *                        acknowledged, so one a round trip
 *     fast retransmit    ssthresh = flight / 2; cwnd goes there when recovery ends
 *     time-out           ssthresh = flight / 2, cwnd = one segment, slow start
 *
 * The window does not grow while something else holds the sender back: a window that
 * was never filled has proved nothing (RFC 7661 s4.4). */
#include <assert.h>
#include <stddef.h>

#include "tcp/cc.h"

/* Lies in cc->state, hence may_alias. */
struct __attribute__((may_alias)) reno {
    uint32_t counted;    /* bytes acknowledged towards the next segment of growth */
    uint32_t prior_cwnd; /* before the last loss, for undo; 0: nothing to undo */
    uint32_t prior_ssthresh;
    bool after_rto;  /* in the slow start that follows a time-out */
    bool unanswered; /* no new data was acknowledged since the last time-out */
};

static_assert(sizeof(struct reno) <= sizeof(((struct cc *)NULL)->state),
              "struct reno lies in struct cc");

static struct reno *reno_of(struct cc *cc)
{
    return (struct reno *)(void *)cc->state;
}

static void reno_init(struct cc *cc)
{
    *reno_of(cc) = (struct reno){ 0 };
}

static void reno_avoid(struct cc *cc, uint32_t acked)
{
    struct reno *r = reno_of(cc);
    r->counted += acked;
    if (r->counted < cc->cwnd)
        return;
    /* RFC 9293 s3.8.2 (MUST-19), RFC 5681 s3.1 (MUST-cc-used, MUST-cc-avoidance), RFC
     * 3465 s2.1; one segment an acknowledgment, and nothing is saved up. */
    r->counted -= cc->cwnd;
    if (r->counted > cc->cwnd)
        r->counted = cc->cwnd;
    cc_grow(cc, cc->mss);
}

static void reno_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct reno *r = reno_of(cc);
    uint32_t acked = ack->acked;
    r->unanswered = false;
    if (!ack->cwnd_limited)
        return;
    if (cc->cwnd < cc->ssthresh)
        acked = cc_slow_start(cc, acked, r->after_rto);
    if (cc->cwnd < cc->ssthresh || acked == 0)
        return;
    r->after_rto = false;
    reno_avoid(cc, acked);
}

static void reno_undo(struct cc *cc)
{
    struct reno *r = reno_of(cc);
    if (r->prior_cwnd == 0)
        return;
    if (cc->cwnd < r->prior_cwnd)
        cc->cwnd = r->prior_cwnd;
    cc->ssthresh = r->prior_ssthresh;
    *r = (struct reno){ 0 };
}

static void reno_save(struct cc *cc)
{
    struct reno *r = reno_of(cc);
    *r = (struct reno){ .prior_cwnd = cc->cwnd, .prior_ssthresh = cc->ssthresh };
}

static void reno_rto(struct cc *cc, uint32_t flight)
{
    struct reno *r = reno_of(cc);
    /* RFC 5681 s3.1 (MUST-cc-ssthresh-rto): when the timer fires again for the same
     * segment, ssthresh stays. */
    if (!r->unanswered) {
        reno_save(cc);
        cc->ssthresh = cc_halved(cc, flight);
    }
    r->after_rto = true;
    r->unanswered = true;
    cc->cwnd = cc->mss;
}

static void reno_loss(struct cc *cc, enum cc_loss kind, uint32_t flight, int64_t now)
{
    (void)now;
    switch (kind) {
    case CC_LOSS_FAST:
    case CC_LOSS_ECN:
        reno_save(cc);
        cc->ssthresh = cc_halved(cc, flight);
        break;
    case CC_LOSS_RTO:
        reno_rto(cc, flight);
        break;
    case CC_LOSS_UNDO:
        reno_undo(cc);
        break;
    }
}

static void reno_idle(struct cc *cc, uint32_t initial_window, int64_t idle)
{
    (void)idle;
    cc->cwnd = cc_restart_window(cc, initial_window);
    reno_of(cc)->counted = 0;
}

const struct cc_ops cc_reno = {
    .name = "reno",
    .init = reno_init,
    .ack = reno_ack,
    .loss = reno_loss,
    .idle = reno_idle,
};
