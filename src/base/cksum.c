/* How it works.
 *
 * The one's-complement sum is a sum modulo 2^16 - 1, and since 2^16 - 1 divides 2^64 -
 * 1 it may be taken over 64-bit words with the carry added back in (RFC 1071 s2(A) to
 * (C)). The words are loaded as the machine has them: swapping the bytes of every word
 * swaps the bytes of the sum (s2(B)), so the order is mended once, when the sum of a
 * piece has come down to two bytes. Four sums run side by side, because each is a chain
 * in which one addition waits for the last.
 *
 * A piece that begins at an odd offset has its bytes in the other halves of the words:
 * its sum is swapped once more. */
#include "base/cksum.h"

#include <string.h>

#include "base/bytes.h"

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* a + b modulo 2^64 - 1. */
static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

/* The sum of the bytes as machine words, modulo 2^64 - 1. */
static uint64_t sum_words(const uint8_t *at, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (; len >= 32; at += 32, len -= 32) {
        a = add_carry(a, load64(at));
        b = add_carry(b, load64(at + 8));
        c = add_carry(c, load64(at + 16));
        d = add_carry(d, load64(at + 24));
    }
    for (; len >= 8; at += 8, len -= 8)
        a = add_carry(a, load64(at));
    if (len > 0) {
        uint8_t rest[8] = { 0 };
        memcpy(rest, at, len);
        b = add_carry(b, load64(rest));
    }
    return add_carry(add_carry(a, b), add_carry(c, d));
}

uint64_t cksum_add(uint64_t sum, const void *at, size_t len, size_t offset)
{
    uint16_t word = cksum_fold(sum_words(at, len));
    uint8_t b[2];
    memcpy(b, &word, sizeof b);
    if (offset & 1)
        return sum + (uint64_t)(b[1] << 8 | b[0]);
    return sum + get16(b);
}

uint16_t cksum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

uint16_t cksum_update(uint16_t old_sum, uint16_t old_word, uint16_t new_word)
{
    uint64_t sum = (uint64_t)(uint16_t)~old_sum + (uint16_t)~old_word + new_word;
    return cksum_finish(sum);
}
