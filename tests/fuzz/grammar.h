/* Frames from the peer, made of choices of an input and of the numbers of the
 * connections that the stack's own frames have told. */
#ifndef TAPIR_TESTS_FUZZ_GRAMMAR_H
#define TAPIR_TESTS_FUZZ_GRAMMAR_H

#include "base/seq.h"
#include "fuzz/frames.h"
#include "fuzz/fuzz.h"

enum { LIVE_MAX = 8 };

/* A connection as the peer sees it. */
struct live {
    bool used, knows_iss;
    uint16_t stack_port, peer_port;
    struct seq iss; /* the stack's initial number, of its last SYN */
    struct seq nxt; /* behind the last that the stack sent */
    struct seq isn; /* ours */
    struct seq ack; /* what the stack acknowledged last */
    uint16_t wnd;   /* as it stood in the stack's last segment */
    uint32_t ts;    /* its last timestamp; our own is as large as the input says */
};

struct grammar {
    struct live live[LIVE_MAX];
    unsigned next; /* the live connection that is forgotten next */
    uint8_t last[FRAME_MAX];
    size_t last_len;  /* of the frame that the stack sent last; 0: none yet */
    uint16_t ping_id; /* of the stack's last echo request */
    uint32_t n_sent;  /* frames of the stack so far */
};

/* The stack sent a frame: it is checked, and remembered. What a connection to us
 * carries must be grammar_out(). */
void grammar_learn(struct grammar *g, const uint8_t *frame, size_t len, unsigned mtu);

/* Byte n of what the stack's sockets write into a connection, from 0 on; and the byte
 * with sequence number n of what the peer sends. */
uint8_t grammar_out(uint32_t n);
uint8_t grammar_in(struct seq n);

/* What the input wants next, as frames for give(ctx, ...). */
struct grammar_sink {
    void (*give)(void *ctx, const uint8_t *frame, size_t len);
    void *ctx;
};
void grammar_tcp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to);
void grammar_udp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to);
void grammar_icmp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to);
void grammar_arp(struct grammar *g, struct fuzz_in *in, const struct grammar_sink *to);

#endif
