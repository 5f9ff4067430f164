/* What a fuzzer runs: harnesses, each a function of bytes that aborts where something
 * that must hold does not. They are deterministic (no clock, no chance but the input's)
 * and leave nothing behind.
 *
 * table.c names them all; three programs run them:
 *
 *     libfuzzer NAME DIR...   libfuzzer.c with clang's libFuzzer or AFL++'s compiler
 *     replay [NAME [FILE]]    replay.c, any compiler: the corpora, or one input
 *     replay -m SECONDS NAME  the same with random mutations, where clang is missing */
#ifndef TAPIR_TESTS_FUZZ_H
#define TAPIR_TESTS_FUZZ_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FUZZ_MAX = 1 << 16 }; /* bytes of an input at most; more is cut off */

struct fuzz {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
    size_t max;       /* bytes of an input worth trying */
    const char *what; /* what must hold */
};

extern const struct fuzz fuzz_table[];

/* The row of that name, or NULL. */
const struct fuzz *fuzz_find(const char *name);

void fuzz_wire(const uint8_t *data, size_t size);
void fuzz_stack(const uint8_t *data, size_t size);
void fuzz_pair(const uint8_t *data, size_t size);
void fuzz_http(const uint8_t *data, size_t size);
void fuzz_fields(const uint8_t *data, size_t size);
void fuzz_drill(const uint8_t *data, size_t size);
void fuzz_dns(const uint8_t *data, size_t size);
void fuzz_text(const uint8_t *data, size_t size);

/* A harness marks what the run did, such as frames that were sent: the same input must
 * leave the same number, whatever ran before. */
extern uint64_t fuzz_run;

static inline void fuzz_mark(const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n && i < 80; i++)
        fuzz_run = (fuzz_run ^ b[i]) * 0x100000001b3u;
    fuzz_run += n;
}

/* An input as a stream of choices; behind its end it is all zeros. */
struct fuzz_in {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_in *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_in *in)
{
    unsigned high = fuzz_u8(in);
    return (uint16_t)(high << 8 | fuzz_u8(in));
}

static inline uint32_t fuzz_u32(struct fuzz_in *in)
{
    uint32_t high = fuzz_u16(in);
    return high << 16 | fuzz_u16(in);
}

/* One byte's choice of n things. */
static inline unsigned fuzz_pick(struct fuzz_in *in, unsigned n)
{
    return fuzz_u8(in) % n;
}

/* Up to n bytes as they stand; how many. */
static inline size_t fuzz_bytes(struct fuzz_in *in, uint8_t *to, size_t n)
{
    if (n > in->left)
        n = in->left;
    if (n)
        memcpy(to, in->at, n);
    in->at += n;
    in->left -= n;
    return n;
}

#endif
