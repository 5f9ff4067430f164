/* Packets that were captured elsewhere, for the labs' pictures. */
#ifndef TAPIR_LAB_CAPTURE_H
#define TAPIR_LAB_CAPTURE_H

#include "lan.h"

/* Reads a capture (pcapng or pcap; "-" is stdin) of TCP over IPv4 into an empty
 * network, up to its end. 0; negative errno; -EINVAL: it is none, or of a link that is
 * not known. Packets of more hosts than the network has room for are counted. */
int capture_read(const char *file, struct lan *lan, unsigned *left_out);

#endif
