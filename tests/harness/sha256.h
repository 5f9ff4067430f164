/* SHA-256 (FIPS 180-4), for comparing what went into a stream with what came out. */
#ifndef TAPIR_TESTS_SHA256_H
#define TAPIR_TESTS_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32, SHA256_BLOCK = 64, SHA256_TEXT = 2 * SHA256_LEN + 1 };

struct sha256 {
    uint32_t h[8];               /* hash so far */
    uint64_t len;                /* bytes hashed, those in `block` included */
    uint8_t block[SHA256_BLOCK]; /* begun block: len % SHA256_BLOCK bytes of it */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *at, size_t len);
void sha256_done(struct sha256 *s, uint8_t out[SHA256_LEN]);

/* The digest as lower-case hexadecimal. */
void sha256_text(struct sha256 *s, char out[SHA256_TEXT]);

#endif
