/* The Internet checksum (RFC 1071). A running sum is a uint64_t of 16-bit words in
 * network order that is folded at the end; pieces of odd length are joined by telling
 * cksum_add() the parity of the bytes before. */
#ifndef TAPIR_BASE_CKSUM_H
#define TAPIR_BASE_CKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds len bytes that begin at byte `offset` of the whole to a running sum. */
uint64_t cksum_add(uint64_t sum, const void *at, size_t len, size_t offset);

/* Folds to 16 bits, host order, not complemented. */
uint16_t cksum_fold(uint64_t sum);

/* The value to put into a header: the complement of the fold. */
static inline uint16_t cksum_finish(uint64_t sum)
{
    return (uint16_t)~cksum_fold(sum);
}

/* RFC 1624 eqn. 3: the checksum after one 16-bit word changed. */
uint16_t cksum_update(uint16_t old_sum, uint16_t old_word, uint16_t new_word);

#endif
