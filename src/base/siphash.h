/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that a stranger cannot
 * steer. For hash tables that the network fills, for initial sequence numbers (RFC 6528
 * s3) and for ports (RFC 6056 s3.3.3). */
#ifndef TAPIR_BASE_SIPHASH_H
#define TAPIR_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k[2];
};

uint64_t siphash(const struct siphash_key *key, const void *at, size_t len);

/* SipHash-1-3, in half the time: for a table whose places no stranger sees. */
uint64_t siphash13(const struct siphash_key *key, const void *at, size_t len);

#endif
