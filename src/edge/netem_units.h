/* Quantities in the link emulator's words: "20ms", "0.5%", "10mbit". Each has its unit
 * with it, so that none is read for another. False for what is none. */
#ifndef TAPIR_EDGE_NETEM_UNITS_H
#define TAPIR_EDGE_NETEM_UNITS_H

#include <stdbool.h>

#include "base/time.h"

/* us, ms or s, also written usec, msec, sec; an hour at most. */
bool netem_read_time(const char *s, usec *out);

/* 0% to 100%, as a share from 0 to 1. */
bool netem_read_percent(const char *s, double *out);

/* bit, kbit, mbit, gbit, tbit, with kibit ... by 1024; bps, kbps ... are bytes, as in
 * tc. Capitals are fine. 8 bits to 1 tbit a second. */
bool netem_read_rate(const char *s, uint64_t *out);

#endif
