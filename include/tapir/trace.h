/* What a stack tells about itself: one struct, one sink. The stack calls the sink at
 * each event, in order, with the stack's own time; formatters (pcapng, the ladder) live
 * outside. A sink must not call back into the stack. Usable from C++. */
#ifndef TAPIR_TRACE_H
#define TAPIR_TRACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum trace_kind {
    TRACE_FRAME_IN,  /* a frame came from the link */
    TRACE_FRAME_OUT, /* a frame goes to the link */
    TRACE_DROP,      /* a packet died: `drop` */
    TRACE_STATE,     /* a connection changed its state: `state` */
    TRACE_CALL,      /* a socket call returned: `call` */
    TRACE_REXMIT,    /* a range is sent again: `rexmit` */
    TRACE_CWND,      /* cwnd or ssthresh changed: `cwnd` */
    TRACE_NOTE       /* a sentence worth a line, such as an address conflict: `note` */
};

/* A connection's four-tuple; addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d. */
struct trace_tuple {
    uint8_t local[16], remote[16];
    uint16_t local_port, remote_port;
};

struct trace_frame {
    const void *pkt; /* struct pkt of base/pkt.h: the frame from its Ethernet header on,
                      * as it is handed to or came from the device. A program outside
                      * the library has the bytes at its own link (tapir/stack.h) */
};

struct trace_drop {
    unsigned reason;  /* enum drop of base/drop.h */
    const char *name; /* its name, as --stat prints it */
    int leaving;      /* 1: it is the frame of the TRACE_FRAME_OUT that follows */
};

struct trace_state {
    struct trace_tuple tuple;
    const char *from, *to; /* as `ss` spells them: SYN-SENT, ESTAB, ... */
};

struct trace_call {
    const char *text; /* "connect(3, 192.0.2.1:80)" */
    int64_t result;   /* what it returned */
    int error;        /* errno where the result is -1, else 0 */
};

struct trace_rexmit {
    struct trace_tuple tuple;
    uint32_t seq, len;
    const char *why; /* "RTO", "fast retransmit", ... */
};

struct trace_cwnd {
    struct trace_tuple tuple;
    uint32_t cwnd, ssthresh; /* bytes */
    const char *why;
};

struct trace_note {
    const char *text;
};

struct trace_event {
    int64_t at; /* microseconds since the stack began */
    enum trace_kind kind;
    union {
        struct trace_frame frame;
        struct trace_drop drop;
        struct trace_state state;
        struct trace_call call;
        struct trace_rexmit rexmit;
        struct trace_cwnd cwnd;
        struct trace_note note;
    } u;
};

/* The sink; fn may be NULL: nobody listens. */
struct trace {
    void (*fn)(void *ctx, const struct trace_event *event);
    void *ctx;
};

#ifdef __cplusplus
}
#endif

#endif
