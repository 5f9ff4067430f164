/* What TCP costs HTTP, as formulae: pure functions of a path and of what is fetched
 * over it, in seconds, bytes and bits. theory.c derives them. They leave out loss,
 * queues in front of others' traffic and the machines' own time but for `server`. */
#ifndef TAPIR_LAB_THEORY_H
#define TAPIR_LAB_THEORY_H

struct theory_path {
    double rtt;     /* R: seconds for a round trip without load */
    double rate;    /* C: bits a second, each way */
    double mss;     /* m: bytes of text in a full segment */
    double header;  /* h: bytes of IP and TCP header in front of it */
    double window;  /* W: the initial window, segments */
    double request; /* q: bytes of a request */
    double head;    /* r: bytes of an answer's head */
    double server;  /* t: seconds that the server thinks */
    double ack;     /* bytes of ACKs that go alone in front of each request and of each
                     * answer; 0: they ride with these */
};

/* A page and what it names; the page comes first, since it does the naming. */
struct theory_load {
    double page, object; /* P, S: bytes of their bodies */
    unsigned objects;    /* M */
    unsigned lanes; /* c: connections at a time, where there may be more than one */
};

enum { THEORY_LANES = 256 }; /* c at most */

/* --- one answer --- */

double theory_segments(const struct theory_path *p, double body);
double theory_text(const struct theory_path *p, double body); /* the same, unrounded */
double theory_segment_time(const struct theory_path *p);      /* tau */
double theory_send_time(const struct theory_path *p, double body); /* tx(b) */
double theory_connect(const struct theory_path *p);                /* 1 */
double theory_exchange(const struct theory_path *p, double body, double window); /* 2 */
double theory_stall(const struct theory_path *p, double segments,
                    double window);                            /* 3 */
double theory_fresh(const struct theory_path *p, double body); /* 4 */

/* Windows that an answer of so many segments takes: the steps of the staircase. */
unsigned theory_rounds(double segments, double window);

/* cwnd, in segments, after so many have been sent and acknowledged; a short one is a
 * part of one. */
double theory_warm(double segments, double window);

/* --- a page --- */

double theory_serial(const struct theory_path *p, const struct theory_load *l); /* 5 */
double theory_parallel_low(const struct theory_path *p,
                           const struct theory_load *l); /* 6 */
double theory_parallel_high(const struct theory_path *p, const struct theory_load *l);
double theory_keep(const struct theory_path *p, const struct theory_load *l); /* 7 */
double theory_keep_many(const struct theory_path *p,
                        const struct theory_load *l); /* 8 */
double theory_pipeline(const struct theory_path *p,
                       const struct theory_load *l); /* 9 */

/* Nothing that must read the page first is faster. */
double theory_limit(const struct theory_path *p, const struct theory_load *l); /* 10 */

/* --- what goes wrong --- */

/* What an answer in two small writes costs more, with Nagle and a delayed ACK. */
double theory_nagle(const struct theory_path *p, double delayed_ack); /* 11 */

/* Connections a second to one server, for whoever closes first. */
double theory_port_rate(double ports, double time_wait); /* 13 */

/* What lost SYNs and SYN/ACKs add to a connect, on average; loss below a half. */
double theory_syn_loss(double loss, double first_timeout); /* 14 */

/* Bits a second of a long transfer (Mathis); acked: segments for each ACK. */
double theory_bulk_rate(const struct theory_path *p, double loss,
                        double acked); /* 15 */

/* How likely one of an answer's last three segments is lost: a time-out. */
double theory_tail_loss(double loss); /* 15 */

/* What c connections take of a bottleneck beside one more. */
double theory_share(unsigned connections); /* 17 */

/* How long the first windows of c fresh connections queue. */
double theory_burst_delay(const struct theory_path *p, unsigned connections); /* 18 */

#endif
