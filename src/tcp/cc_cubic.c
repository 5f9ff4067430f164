/* CUBIC: RFC 9438. After a loss the window follows a cubic curve of time that is flat
 * where the last loss was, so that it is regained quickly, held long, and left quickly:
 *
 *     cwnd                                   /
 *     W_max ..............____________------'      W_cubic(t) = C (t - K)^3 + W_max
 *                    .-'|                          C = 0.4 segments / s^3
 *     0.7 W_max    /    |                          beta = 0.7
 *                  |----K---->  t
 *
 * Where a Reno sender would have more (short round trips), W_est, which grows as Reno
 * does, is the window: the Reno-friendly region (s4.3).
 *
 * Arithmetic: windows are bytes, times are microseconds, K is milliseconds; all in
 * integers. What a step is short of a whole byte is carried to the next (credit).
 *
 * Slow start ends by a loss, or before it (cc_hystart.c, tapir.tcp_hystart).
 *
 * The curve's clock stands still while the window is not what limits the sender (s5.8),
 * and starts anew after each loss and each pause. */
#include <assert.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/time.h"
#include "tcp/cc.h"

enum {
    BLIND = 20,         /* segments acknowledged for one more, while nothing is known */
    DT_MAX = 256000000, /* microseconds from K, either way: its square, in millionths
                         * of a square second, times itself still fits 64 bits */
};

/* What a loss changes and an undo must put back (s4.9). */
struct curve {
    usec epoch;          /* when congestion avoidance began; NEVER: not yet */
    uint32_t w_max;      /* cwnd before the last reduction; 0: none known */
    uint32_t k_ms;       /* from the epoch until the curve reaches w_max */
    uint32_t w_est;      /* what Reno's window would be */
    uint32_t cwnd_prior; /* cwnd before the last reduction, fast convergence aside */
    bool blind;          /* no loss tells where the curve should level off */
};

/* Lies in cc->state, hence may_alias. */
struct __attribute__((may_alias)) cubic {
    struct curve now;
    struct curve before;     /* the last loss, where prior_cwnd is not 0 */
    uint32_t prior_cwnd;     /* cwnd before it */
    uint32_t prior_ssthresh; /* ssthresh before it */
    usec paused;             /* since when the window limits nothing; NEVER: it does */
    uint64_t credit;         /* growth short of a byte, in 1/cwnd bytes */
    uint64_t est_credit;     /* the same for w_est, in 1/(17 cwnd) bytes */
    struct hystart hystart;  /* how the first slow start ends, if not by loss */
    bool after_rto;          /* in the slow start that follows a time-out */
    bool unanswered;         /* no new data was acknowledged since the last time-out */
};

static_assert(sizeof(struct cubic) <= sizeof(((struct cc *)NULL)->state),
              "struct cubic lies in struct cc");

static struct cubic *cubic_of(struct cc *cc)
{
    return (struct cubic *)(void *)cc->state;
}

/* RFC 9293 s3.8.2 (MAY-18). */
static void cubic_init(struct cc *cc)
{
    *cubic_of(
        cc) = (struct cubic){ .now.epoch = NEVER, .now.blind = true, .paused = NEVER };
}

/* The largest y with y^3 <= x, digit by digit in base two. */
static uint32_t cube_root(uint64_t x)
{
    uint64_t y = 0;
    for (int shift = 63; shift >= 0; shift -= 3) {
        y *= 2;
        uint64_t step = 3 * y * (y + 1) + 1; /* (y + 1)^3 - y^3 */
        if (x >> shift >= step) {
            x -= step << shift;
            y++;
        }
    }
    return (uint32_t)y;
}

/* s4.2, figure 2: K = cbrt((W_max - cwnd_epoch) / C), with C = 2/5 segments / s^3. */
static uint32_t cubic_k_ms(uint32_t below, uint32_t mss)
{
    return cube_root((uint64_t)5000000000 * below / (2 * (uint64_t)mss));
}

/* s4.2, figure 1: W_cubic(t), in bytes; 0 where the curve lies below that. */
static uint64_t w_cubic(const struct curve *c, uint32_t mss, usec t)
{
    usec dt = t - (usec)c->k_ms * USEC_PER_MS;
    uint64_t far = (uint64_t)usec_min(dt < 0 ? -dt : dt, DT_MAX);
    uint64_t cubed = far * far / 1000000 * far / 1000000; /* millionths of s^3 */
    uint64_t bytes = cubed * 2 * mss / 5000000;
    if (dt >= 0)
        return c->w_max + bytes;
    return bytes < c->w_max ? c->w_max - bytes : 0;
}

/* Congestion avoidance begins: the curve starts where the window is. */
static void start_epoch(struct cc *cc, usec now)
{
    struct cubic *q = cubic_of(cc);
    struct curve *c = &q->now;
    /* s4.8 and s4.10: with no loss to aim at, or beyond it, the curve is at its middle
     * and opens from here. */
    if (c->w_max < cc->cwnd)
        c->w_max = cc->cwnd;
    c->epoch = now;
    c->k_ms = cubic_k_ms(c->w_max - cc->cwnd, cc->mss);
    c->w_est = cc->cwnd;
    q->credit = 0;
    q->est_credit = 0;
}

/* s4.3, figure 4: W_est grows by alpha segments a window; alpha is 9/17 until W_est is
 * back where the loss was, then 1. */
static void grow_w_est(struct cc *cc, uint32_t acked)
{
    struct cubic *q = cubic_of(cc);
    uint64_t unit = (uint64_t)17 * cc->cwnd;
    uint64_t alpha = q->now.w_est < q->now.cwnd_prior ? 9 : 17;
    q->est_credit += alpha * acked * cc->mss;
    uint64_t w_est = q->now.w_est + q->est_credit / unit;
    q->now.w_est = w_est < CC_CWND_MAX ? (uint32_t)w_est : CC_CWND_MAX;
    q->est_credit %= unit;
}

static void cubic_avoid(struct cc *cc, const struct cc_ack *ack, uint32_t acked)
{
    struct cubic *q = cubic_of(cc);
    if (q->now.epoch == NEVER)
        start_epoch(cc, ack->now);
    usec t = ack->now - q->now.epoch;
    grow_w_est(cc, acked);
    /* As Linux, beyond the RFC: the curve is so flat where it begins that a flow which
     * does not know what the path carries would be at its slowest there. */
    uint64_t least = q->now.blind ? cc->cwnd + cc->cwnd / BLIND : 0;
    if (w_cubic(&q->now, cc->mss, t) < q->now.w_est && least < q->now.w_est) {
        cc->cwnd = max_u32(cc->cwnd, q->now.w_est);
        return;
    }
    /* s4.2: a round trip ahead on the curve, half a window more at most. */
    uint64_t target = w_cubic(&q->now, cc->mss, t + ack->srtt);
    uint64_t most = (uint64_t)cc->cwnd + cc->cwnd / 2;
    if (target < least)
        target = least;
    if (target > most)
        target = most;
    if (target <= cc->cwnd)
        return;
    /* s4.4, s4.5: (target - cwnd) / cwnd for each segment acknowledged. */
    q->credit += (target - cc->cwnd) * acked;
    uint64_t grow = q->credit / cc->cwnd;
    q->credit %= cc->cwnd;
    cc_grow(cc, (uint32_t)grow);
}

/* s5.8: time in which the window limits nothing does not count. */
static void keep_time(struct cubic *q, const struct cc_ack *ack)
{
    if (!ack->cwnd_limited) {
        if (q->paused == NEVER)
            q->paused = ack->now;
        return;
    }
    if (q->now.epoch != NEVER)
        q->now.epoch += q->paused != NEVER ? ack->now - q->paused : ack->idle;
    q->paused = NEVER;
}

static void cubic_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct cubic *q = cubic_of(cc);
    uint32_t acked = min_u32(ack->acked, CC_CWND_MAX);
    q->unanswered = false;
    keep_time(q, ack);
    if (cc->cwnd < cc->ssthresh && hystart_ends(&q->hystart, cc, ack))
        cc->ssthresh = cc->cwnd;
    if (!ack->cwnd_limited)
        return;
    if (cc->cwnd < cc->ssthresh)
        acked = cc_slow_start(cc, acked, q->after_rto);
    if (cc->cwnd < cc->ssthresh || acked == 0)
        return;
    q->after_rto = false;
    cubic_avoid(cc, ack, acked);
}

/* s4.6 and s4.7: seven tenths, and a lower aim if the window had not come back to where
 * it was: somebody else needs the room (fast convergence, (1 + beta) / 2). */
static void reduce(struct cc *cc, uint32_t flight)
{
    struct cubic *q = cubic_of(cc);
    q->before = q->now;
    q->prior_cwnd = cc->cwnd;
    q->prior_ssthresh = cc->ssthresh;
    if (cc->cwnd < q->now.w_max)
        q->now.w_max = (uint32_t)((uint64_t)cc->cwnd * 17 / 20);
    else
        q->now.w_max = cc->cwnd;
    q->now.cwnd_prior = cc->cwnd;
    q->now.blind = false;
    q->now.epoch = NEVER;
    q->paused = NEVER;
    q->after_rto = false;
    cc->ssthresh = max_u32((uint32_t)((uint64_t)flight * 7 / 10), 2 * cc->mss);
}

static void cubic_rto(struct cc *cc, uint32_t flight)
{
    struct cubic *q = cubic_of(cc);
    /* RFC 5681 s3.1: when the timer fires again for the same segment, ssthresh
     * stays. */
    if (!q->unanswered)
        reduce(cc, flight);
    q->now.w_max = 0; /* s4.8: the next epoch begins at the middle of its curve */
    q->now.blind = true;
    q->after_rto = true;
    q->unanswered = true;
    cc->cwnd = cc->mss;
}

/* s4.9: the loss was none, so what it took is given back. */
static void cubic_undo(struct cc *cc)
{
    struct cubic *q = cubic_of(cc);
    if (q->prior_cwnd == 0)
        return;
    cc->cwnd = max_u32(cc->cwnd, q->prior_cwnd);
    cc->ssthresh = q->prior_ssthresh;
    *q = (struct cubic){ .now = q->before, .paused = NEVER };
}

static void cubic_loss(struct cc *cc, enum cc_loss kind, uint32_t flight, int64_t now)
{
    (void)now;
    switch (kind) {
    case CC_LOSS_FAST:
    case CC_LOSS_ECN:
        reduce(cc, flight);
        break;
    case CC_LOSS_RTO:
        cubic_rto(cc, flight);
        break;
    case CC_LOSS_UNDO:
        cubic_undo(cc);
        break;
    }
}

static void cubic_idle(struct cc *cc, uint32_t initial_window, int64_t idle)
{
    (void)idle;
    cc->cwnd = cc_restart_window(cc, initial_window);
    cubic_of(cc)->now.epoch = NEVER;
    cubic_of(cc)->paused = NEVER;
}

const struct cc_ops cc_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .ack = cubic_ack,
    .loss = cubic_loss,
    .idle = cubic_idle,
};
