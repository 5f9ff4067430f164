/* Lost SYNs and SYN/ACKs (formula 14): how long a connect takes when each of them is
 * lost with some chance, and how far the mean of a few thousand may lie from that. */
#ifndef TAPIR_LAB_THEORY_SYN_H
#define TAPIR_LAB_THEORY_SYN_H

struct theory_syn {
    double up, down;         /* chances that a SYN, a SYN/ACK is lost: 0 to 1 */
    double timeout;          /* RTO0: seconds to the second try; each time doubled */
    unsigned tries, answers; /* SYNs; SYN/ACKs by the server's own timer */
};

enum { THEORY_WAITS = 64 };

/* Of the connects that succeed, which part waits so long beyond the round trip. */
struct theory_wait {
    double seconds, share;
};

/* All waits there are, the shortest first. How many. */
unsigned theory_syn_waits(const struct theory_syn *s,
                          struct theory_wait out[THEORY_WAITS]);

/* The mean; without `down`, and with many tries, it is theory_syn_loss(). Its standard
 * error over so many connects. */
double theory_syn_mean(const struct theory_syn *s);
double theory_syn_error(const struct theory_syn *s, double connects);

/* The standard error of a share over so many draws. */
double theory_share_error(double share, double draws);

#endif
