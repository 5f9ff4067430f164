/* A message on its way down. */
#ifndef TAPIR_LAB_SEGMENTS_H
#define TAPIR_LAB_SEGMENTS_H

#include "lan.h"

/* What the first connection's server said, as it was on the wire: its segments, and the
 * bytes of the first packet. For the caller to free; NULL: no memory. */
char *segments_picture(const struct lan *lan);

#endif
