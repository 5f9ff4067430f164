/* A TCP/IP stack without I/O: frames, calls and time go in; frames, readiness and the
 * next deadline come out. It has no clock, no descriptor, no thread and no global
 * state: run it on a device, on a simulated network, in a fuzzer, several in one
 * process. The same seed, inputs and times give the same frames.
 *
 * The whole driver loop:
 *
 *     stack_input_frame(st, nif, frame, len, now);      a frame came
 *     stack_advance(st, now);                           time went by
 *     wait until stack_deadline(st), or a frame, or the application calls
 *
 * Alone it is a host: it answers ARP and ICMP echo, and refuses every connection. There
 * are no sockets in this header. A program that wants them takes tapir/socket.h, which
 * has such a stack inside and drives it on a device, or tapir/sim.h, which drives
 * several in virtual time. Usable from C++. */
#ifndef TAPIR_STACK_H
#define TAPIR_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tapir/cc.h"
#include "tapir/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct stack;

struct stack_config {
    uint64_t seed;      /* of every random choice */
    int64_t epoch;      /* real time (microseconds) at stack time 0; 0 in virtual time:
                         * mixed into initial sequence numbers (RFC 6528), ports and
                         * timestamps, so that a restart does not repeat them */
    size_t memory;      /* bytes of packets at most; 0: 256 MiB */
    struct trace trace; /* the sink, or zeros */
    bool check;         /* assert TCP's invariants after every event (slow) */
};

/* Sends one frame: `head` and then n pieces of `text`; see struct stack_link. */
struct stack_frame {
    const uint8_t *head; /* headers, contiguous */
    size_t head_len;
    const uint8_t *text[2]; /* borrowed text behind them */
    size_t text_len[2];
};

/* Where frames go: for programs that drive a stack by themselves. */
struct stack_link {
    /* 0: taken. -EAGAIN: nothing was taken; call stack_writable() later. */
    int (*send)(void *ctx, const struct stack_frame *frame);
    void *ctx;
};

struct stack_netif {
    const char *name;    /* at most 15 characters */
    const char *address; /* "192.0.2.2/24" */
    const char *gateway; /* "192.0.2.1[,A...]", the preferred one first; or NULL */
    const char *mac;     /* "02:00:00:00:00:02" */
    unsigned mtu;        /* 0: 1500 */
};

/* NULL: no memory. */
struct stack *stack_new(const struct stack_config *config);

/* Forgets everything at once; the peers are not told. */
void stack_free(struct stack *st);

/* Adds an interface whose frames go to `link` (copied). Its number, or negative
 * errno. */
int stack_add_netif(struct stack *st, const struct stack_netif *nif,
                    const struct stack_link *link);

/* Sets a tunable by its Linux name. 0; -ENOENT for an unknown name; -ENOTSUP for one
 * that Linux has and this stack has not; -EINVAL for a bad value. */
int stack_sysctl(struct stack *st, const char *name, const char *value);

/* Reads one as text. Its length, or -ENOENT. */
int stack_sysctl_get(const struct stack *st, const char *name, char *out, size_t room);

/* Sets the tunables in which systems differ, all at once, for what begins after:
 *
 *     tapir   the default: what the RFCs say, and Linux's habits where they leave it
 *             open
 *     linux   Linux's defaults also where they differ from the RFCs
 *     bsd     FreeBSD's: order and padding of options, every second segment
 *             acknowledged whatever its size, a window of 65535 and window scale 6
 *
 * FreeBSD's older rules for RST and SYN are tunables of their own. 0 or -ENOENT. */
int stack_profile(struct stack *st, const char *name);

/* Registers a congestion controller (tapir_add_cc() on the stack of a socket); `ops` is
 * borrowed and outlives the stack. 0, -EEXIST (of that name) or -ENOSPC. */
int stack_add_cc(struct stack *st, const struct cc_ops *ops);

/* A frame came (contiguous, from its Ethernet header on, without checksum; it is
 * copied). 0, also when the stack then drops it (stack_counter() says why); -EINVAL: no
 * such interface; -ENOBUFS: it is longer than 64 KiB, or there is no memory for it. */
int stack_input_frame(struct stack *st, int nif, const void *frame, size_t len,
                      int64_t now);

/* Fires what is due and sends what may be sent. `now` never goes back. */
void stack_advance(struct stack *st, int64_t now);

/* When stack_advance() must be called next; INT64_MAX: not before something comes. */
int64_t stack_deadline(struct stack *st);

/* The link of nif takes frames again. */
void stack_writable(struct stack *st, int nif);

/* A counter by nstat's name ("TcpRetransSegs") or drop reason ("TcpCsumError"); -1: no
 * such name. */
int64_t stack_counter(const struct stack *st, const char *name);

/* Name and value of counter i, from 0 on; false behind the last. */
bool stack_counter_at(const struct stack *st, unsigned i, const char **name,
                      uint64_t *value);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
