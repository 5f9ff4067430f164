/* A message on its way down. */
#ifndef TAPIR_LAB_SEGMENTS_H
#define TAPIR_LAB_SEGMENTS_H

#include "lan.h"

/* A message of a head and a body as it was on the wire: its segments, and the bytes of
 * the first packet. For the caller to free; NULL: no memory. */
char *segments_picture(const struct lan *lan, size_t head, size_t body);

#endif
