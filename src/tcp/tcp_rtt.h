/* Round-trip time and retransmission time-out (RFC 6298). Which samples may be taken
 * (Karn's rule, s3) is the caller's business: with timestamps all, else only those of
 * segments sent once. */
#ifndef TAPIR_TCP_RTT_H
#define TAPIR_TCP_RTT_H

#include <stdbool.h>

#include "base/time.h"

struct rtt {
    usec srtt;    /* smoothed round-trip time; 0 before the first sample */
    usec rttvar;  /* its variation */
    usec min_rtt; /* smallest sample; 0 before the first */
    usec last;    /* latest sample; 0 before the first */
    usec rto;     /* without backoff, between rto_min and rto_max */
    usec rto_min, rto_max;
};

/* RTO is 1 s before the first sample (RFC 6298 s2.1), or `initial` if that is not 0. */
void rtt_init(struct rtt *r, usec initial, usec rto_min, usec rto_max);

/* s2.2 and s2.3; a sample of 0 counts as one microsecond. */
void rtt_sample(struct rtt *r, usec sample);

/* The time-out after `backoff` doublings, at most rto_max (s5.5). */
usec rtt_rto(const struct rtt *r, unsigned backoff);

#endif
