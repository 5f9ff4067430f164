/* Whole frames, for the harnesses that feed stacks: what a stack sends is checked, what
 * was changed is given the checksums that it should have. */
#ifndef TAPIR_TESTS_FUZZ_FRAMES_H
#define TAPIR_TESTS_FUZZ_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 1514 };

#define FRAME_STACK 0xc0000202u /* 192.0.2.2 */
#define FRAME_PEER  0xc0000201u /* 192.0.2.1 */

/* Asserts that a frame that a stack sent is well-formed: lengths, checksums, options,
 * at most `mtu` bytes of IP. */
void frames_check(const uint8_t *b, size_t len, unsigned mtu);

/* Gives an IPv4 frame its checksums, IP's and the transport's, as far as its lengths
 * make sense. */
void frames_repair(uint8_t *b, size_t len);

/* Sends a frame back where it came from: both ends of each header change places. */
void frames_turn(uint8_t *b, size_t len);

#endif
