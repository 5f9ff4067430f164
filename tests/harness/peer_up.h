/* Connections for tests with peer.h, over a path whose round trip takes 100 ms: without
 * other samples the retransmission time-out is 300 ms (RFC 6298 s2.2: 100 + 4 * 50).
 * What the peer says of its window is 65535, not scaled on the SYN. */
#ifndef TAPIR_TESTS_PEER_UP_H
#define TAPIR_TESTS_PEER_UP_H

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

#define MS  ((usec)1000)
#define SEC ((usec)1000000)

/* peer_establish() with 100 ms between SYN-ACK and ACK, whose window field is `win`. */
static inline struct sock *peer_up_win(struct peer *p, const char *options,
                                       unsigned win)
{
    char line[2 * PEER_LINE];
    struct sock *listener = peer_listen(p, 80);
    bool ts = strstr(options, "TS val") != NULL;

    snprintf(line, sizeof line, "S 0:0(0) win 65535 %s", options);
    peer_send(p, line);
    peer_expect(p, "S. 0:0(0) ack 1 <...>");
    peer_wait(p, 100 * MS);
    snprintf(line, sizeof line, ". 1:1(0) ack 1 win %u%s", win,
             ts ? " <TS val 100 ecr 0>" : "");
    peer_send(p, line);
    struct sock *s = peer_accept(p, listener);
    sock_close(listener);
    return s;
}

/* Segments of 1000 bytes, a window of 65535. */
static inline struct sock *peer_up(struct peer *p)
{
    return peer_up_win(p, "<mss 1000>", 65535);
}

static inline struct sock *peer_up_sack(struct peer *p)
{
    return peer_up_win(p, "<mss 1000,sackOK>", 65535);
}

/* An int option by Linux's numbers. */
static inline void peer_option(struct sock *s, int level, int name, int value)
{
    if (sock_setopt(s, level, name, &value, sizeof value) != 0)
        print_error("option %d of level %d is refused\n", name, level);
}

/* Expects segments of 1000 bytes that cover [from, to), without PSH. */
static inline void peer_expect_full(struct peer *p, unsigned from, unsigned to)
{
    char line[PEER_LINE];
    for (; from < to; from += 1000) {
        snprintf(line, sizeof line, ". %u:%u(1000) ack 1", from, from + 1000);
        peer_expect(p, line);
    }
}

/* An ACK with window 65535 and these options: "<sack 1001:2001>". */
static inline void peer_ack(struct peer *p, unsigned ack, const char *options)
{
    char line[2 * PEER_LINE];
    snprintf(line, sizeof line, ". 1:1(0) ack %u win 65535 %s", ack, options);
    peer_send(p, line);
}

#endif
