/* Blocks of 64 bytes are expanded to a schedule of 64 words (FIPS 180-4 s6.2.2 step 1)
 * and worked into the eight words of the hash (steps 2 to 4). What does not fill a
 * block waits in s->block; sha256_done() pads (s5.1.1). */
#include "harness/sha256.h"

#include <string.h>

#include "base/bytes.h"

enum { ROUNDS = 64, LENGTH_AT = 56 };

/* FIPS 180-4 s4.2.2: the fractions of the cube roots of the first 64 primes. */
static const uint32_t k[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2
};

static uint32_t rotr(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

void sha256_init(struct sha256 *s)
{
    static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(s->h, first, sizeof first);
    s->len = 0;
}

static void expand(uint32_t w[ROUNDS], const uint8_t *block)
{
    for (unsigned t = 0; t < 16; t++)
        w[t] = get32(block + 4 * t);
    for (unsigned t = 16; t < ROUNDS; t++) {
        uint32_t a = w[t - 2], b = w[t - 15];
        uint32_t s1 = rotr(a, 17) ^ rotr(a, 19) ^ a >> 10;
        uint32_t s0 = rotr(b, 7) ^ rotr(b, 18) ^ b >> 3;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
}

static void hash_block(struct sha256 *s, const uint8_t *block)
{
    uint32_t w[ROUNDS], v[8];
    expand(w, block);
    memcpy(v, s->h, sizeof v);
    for (unsigned t = 0; t < ROUNDS; t++) {
        uint32_t e = v[4], a = v[0];
        uint32_t ch = (e & v[5]) ^ (~e & v[6]);
        uint32_t maj = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
        uint32_t sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
        uint32_t sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
        uint32_t t1 = v[7] + sum1 + ch + k[t] + w[t];
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + sum0 + maj;
    }
    for (unsigned i = 0; i < 8; i++)
        s->h[i] += v[i];
}

void sha256_add(struct sha256 *s, const void *at, size_t len)
{
    const uint8_t *b = at;
    while (len > 0) {
        size_t used = s->len % SHA256_BLOCK;
        size_t n = min_size(len, SHA256_BLOCK - used);
        memcpy(s->block + used, b, n);
        s->len += n;
        b += n;
        len -= n;
        if (used + n == SHA256_BLOCK)
            hash_block(s, s->block);
    }
}

void sha256_done(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    static const uint8_t pad[SHA256_BLOCK] = { 0x80 };
    uint8_t bits[8];
    put32(bits, (uint32_t)(s->len >> 29));
    put32(bits + 4, (uint32_t)(s->len << 3));
    size_t used = s->len % SHA256_BLOCK;
    sha256_add(s, pad, used < LENGTH_AT ? LENGTH_AT - used : 120 - used);
    sha256_add(s, bits, sizeof bits);
    for (size_t i = 0; i < 8; i++)
        put32(out + 4 * i, s->h[i]);
}

void sha256_text(struct sha256 *s, char out[SHA256_TEXT])
{
    static const char digit[] = "0123456789abcdef";
    uint8_t hash[SHA256_LEN];
    sha256_done(s, hash);
    for (size_t i = 0; i < SHA256_LEN; i++) {
        out[2 * i] = digit[hash[i] >> 4];
        out[2 * i + 1] = digit[hash[i] & 15];
    }
    out[2 * SHA256_LEN] = '\0';
}
