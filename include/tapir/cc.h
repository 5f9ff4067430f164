/* Congestion control: write your own. A controller is a const table of functions and a
 * few words of state; it decides how many bytes may be in flight, nothing else. What
 * was lost and what to send again is decided elsewhere. Everything it needs to know is
 * a parameter or in struct cc, so it can be tested without a connection.
 *
 * Register with tapir_add_cc(), or stack_add_cc() on a stack of your own; choose with
 * tapir_sysctl(t, "net.ipv4.tcp_congestion_control", NAME), or for one socket with
 * TCP_CONGESTION. */
#ifndef TAPIR_CC_H
#define TAPIR_CC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CC_INFINITE UINT32_MAX /* ssthresh before the first loss */

struct cc_ops;

struct cc {
    const struct cc_ops *ops;
    uint32_t mss;       /* bytes of text a full segment carries (SMSS) */
    uint32_t cwnd;      /* congestion window, bytes */
    uint32_t ssthresh;  /* slow-start threshold, bytes; CC_INFINITE at first */
    uint64_t state[18]; /* the controller's own, zeroed by init; CUBIC: struct cubic */
};

/* One acknowledgment of new data, outside loss recovery. */
struct cc_ack {
    int64_t now;       /* microseconds */
    uint32_t acked;    /* bytes newly acknowledged, cumulatively or by SACK */
    uint32_t flight;   /* bytes in flight before this ACK */
    bool cwnd_limited; /* the window was what held the sender back */
    int64_t srtt;      /* smoothed round-trip time, microseconds; 0: none yet */
    int64_t min_rtt;   /* smallest sample, microseconds; 0: none yet */
    int64_t idle; /* so long nothing was in flight since the last ACK, microseconds */
    int64_t rtt;  /* the sample of this ACK, microseconds; 0: none */
    uint32_t una,
        nxt;         /* SND.UNA with this ACK, and SND.NXT: of the stream; they wrap */
    uint8_t hystart; /* tapir.tcp_hystart: enum cc_hystart, may be both; 0: off */
};

/* What may end slow start before there is a loss. */
enum cc_hystart {
    HYSTART_TRAIN = 1, /* ACKs come in close behind one another for long */
    HYSTART_DELAY = 2  /* the round trip grows */
};

enum cc_loss {
    CC_LOSS_FAST, /* duplicate ACKs or SACK say that a segment is lost */
    CC_LOSS_RTO,  /* the retransmission timer fired */
    CC_LOSS_UNDO, /* the last loss was none: put back what it took */
    CC_LOSS_ECN   /* a router marked a segment instead of dropping it (RFC 3168) */
};

struct cc_ops {
    const char *name;
    /* cwnd and mss are set (the initial window); ssthresh is CC_INFINITE. */
    void (*init)(struct cc *cc);
    void (*ack)(struct cc *cc, const struct cc_ack *ack);
    /* Sets ssthresh, and cwnd for an RTO; for the others the caller brings cwnd down to
     * ssthresh. `flight` is FlightSize (RFC 5681 s2). */
    void (*loss)(struct cc *cc, enum cc_loss kind, uint32_t flight, int64_t now);
    /* Nothing was sent for `idle` microseconds, more than one RTO (RFC 5681 s4.1). */
    void (*idle)(struct cc *cc, uint32_t initial_window, int64_t idle);
};

#ifdef __cplusplus
}
#endif

#endif
