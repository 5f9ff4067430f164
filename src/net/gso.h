/* Cutting a TCP super-segment into the segments that a wire carries (generic
 * segmentation, in software): for links that cannot, and for captures that show the
 * wire. A frame that is not a super-segment comes out as one, with its
 * checksum done. */
#ifndef TAPIR_NET_GSO_H
#define TAPIR_NET_GSO_H

#include "base/pkt.h"

struct gso {
    const struct pkt *p; /* the frame, from its Ethernet header on */
    size_t header_len;   /* Ethernet, IP and TCP headers */
    size_t done;         /* bytes of text cut so far */
    size_t total;        /* bytes of text in all */
    unsigned n;          /* pieces cut so far */
    bool whole;          /* not to be cut: one piece */
};

void gso_begin(struct gso *g, const struct pkt *p);

/* The next wire frame into `out`, a packet that the caller owns and may reuse: reset to
 * its headroom by this call, its bytes contiguous, all checksums complete. False when
 * there is no more. `out` must have room for a frame of headers and gso_size. */
bool gso_next(struct gso *g, struct pkt *out);

/* Completes p's partial checksum in place, over borrowed text too. */
void csum_complete(struct pkt *p);

#endif
