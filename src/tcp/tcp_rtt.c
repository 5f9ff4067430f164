/* How it works: RFC 6298 s2.
 *
 *     first sample R    SRTT = R                        RTTVAR = R / 2
 *     later samples     RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|
 *                       SRTT   = 7/8 SRTT   + 1/8 R
 *     always            RTO = SRTT + max(G, 4 RTTVAR), within [rto_min, rto_max]
 *
 * Samples are microseconds, and divisions round to the nearest, so that a steady path
 * is met exactly. */
#include "tcp/tcp_rtt.h"

static usec clamp(usec x, usec low, usec high)
{
    return usec_min(usec_max(x, low), high);
}

static usec distance(usec a, usec b)
{
    return a < b ? b - a : a - b;
}

void rtt_init(struct rtt *r, usec initial, usec rto_min, usec rto_max)
{
    /* RFC 6298 s2.1 (SHLD-rto-initial): one second before anything is known. */
    usec rto = initial != 0 ? initial : USEC_PER_SEC;
    *r = (struct rtt){ .rto = clamp(rto, rto_min, rto_max),
                       .rto_min = rto_min,
                       .rto_max = rto_max };
}

void rtt_sample(struct rtt *r, usec sample)
{
    if (sample < 1)
        sample = 1;
    r->last = sample;
    if (r->min_rtt == 0 || sample < r->min_rtt)
        r->min_rtt = sample;
    if (r->srtt == 0) { /* RFC 6298 s2.2 (MUST-rto-first) */
        r->srtt = sample;
        r->rttvar = sample / 2;
    } else {
        /* RFC 6298 s2.3 (MUST-rto-next, MUST-rto-order, SHLD-rto-gains): the variation
         * first, against the old SRTT. */
        r->rttvar = (3 * r->rttvar + distance(r->srtt, sample) + 2) / 4;
        r->srtt = (7 * r->srtt + sample + 4) / 8;
    }
    /* RFC 6298 s1 (MUST-rto-bound), s2.3 (MUST-rto-computed), s4
     * (MUST-rto-granularity). Deviates from s2.4 (SHLD-rto-min, one second
     * at least) and s2.3 (G is the clock's step): rto_min is 200 ms as on Linux, and
     * stands for G as well. Else on a steady path of 300 ms the time-out would be its
     * round trip and nothing more, and every delayed ACK would look like a loss. It is
     * never shorter than s2.3's. */
    r->rto = clamp(r->srtt + usec_max(r->rto_min, 4 * r->rttvar), r->rto_min,
                   r->rto_max);
}

usec rtt_rto(const struct rtt *r, unsigned backoff)
{
    usec rto = r->rto;
    /* RFC 9293 s3.8.2 (MUST-19), RFC 6298 s5.5 (MUST-rto-double). */
    for (; backoff > 0 && rto < r->rto_max; backoff--)
        rto = usec_min(2 * rto, r->rto_max);
    return rto;
}
