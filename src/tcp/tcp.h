/* TCP's face: what the stack and the socket layer call. The connection itself is in
 * tcb.h. User calls carry the names of RFC 9293 s3.10.1-6. */
#ifndef TAPIR_TCP_TCP_H
#define TAPIR_TCP_TCP_H

#include <stddef.h>
#include <sys/types.h>

#include "base/ring.h"
#include "base/watch.h"
#include "net/net.h"
#include "tcp/cc.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_sent.h"
#include "wire/tcp_wire.h"

struct tcb;
struct tcp_listener;

struct tcp_name {
    struct ip_addr addr;
    uint16_t port;
};

/* RFC 9293 s3.3.2. The numbers are Linux's tcpi_state. */
enum tcp_state {
    TCPS_ESTABLISHED = 1,
    TCPS_SYN_SENT,
    TCPS_SYN_RECEIVED,
    TCPS_FIN_WAIT_1,
    TCPS_FIN_WAIT_2,
    TCPS_TIME_WAIT,
    TCPS_CLOSED,
    TCPS_CLOSE_WAIT,
    TCPS_LAST_ACK,
    TCPS_LISTEN,
    TCPS_CLOSING,
    TCPS_N
};

/* Tunables, under Linux's names (net.ipv4.tcp_*) where it has one. stack/sysctl.c
 * binds names to fields. Times in microseconds. */
struct tcp_config {
    bool sack, timestamps, window_scaling; /* tcp_sack tcp_timestamps ... : 1 */
    bool dsack;                            /* tcp_dsack: 1 */
    uint8_t ecn;            /* tcp_ecn: 0; 1: asks for it; 2 (default): agrees to it */
    bool ecn_fallback;      /* tcp_ecn_fallback: 1: the second SYN asks for nothing */
    bool abort_on_overflow; /* tcp_abort_on_overflow: 0 */
    bool slow_start_after_idle; /* tcp_slow_start_after_idle: 1 */
    bool tw_reuse;              /* tcp_tw_reuse: 1: connect may take a TIME-WAIT port */
    bool limited_transmit;      /* tcp_early_retrans' older part, RFC 3042: 1 */
    bool insecure_rst;          /* tapir.tcp_insecure_rst: 0; 1: RFC 793, not 5961 */
    bool insecure_syn;          /* tapir.tcp_insecure_syn: 0; the same for SYNs */
    bool rfc1337;               /* tcp_rfc1337: 1 (Linux: 0): no RST ends TIME-WAIT */
    bool timewait_syn;          /* tapir.tcp_timewait_syn: 1: answered; 0: as FreeBSD */
    bool closing_fin;       /* tapir.tcp_closing_fin: 0; 1: CLOSING begins with a FIN */
    bool epipe_on_reset;    /* tapir.tcp_epipe_on_reset: 1, after a FIN as Linux */
    bool rcvbuf_round;      /* tapir.tcp_rcvbuf_round: 0; 1: as tcp_window_end() */
    bool ack_unsent;        /* tapir.tcp_ack_unsent: 1: an ACK of it is answered */
    bool icmp_refused;      /* tapir.tcp_icmp_refused: 0; 1: as FreeBSD */
    bool ts_optional;       /* tapir.tcp_ts_optional: 0; 1: as Linux, not every segment
                             * must have the timestamp that was agreed on */
    bool send_pieces;       /* tapir.tcp_send_pieces: 0; 1: as Linux, tcp_sndbuf.c */
    bool shut_rd_keeps;     /* tapir.tcp_shut_rd_keeps: 0; 1: as Linux */
    uint8_t drop_synfin;    /* tapir.tcp_drop_synfin: enum drop_synfin, 1 */
    uint8_t option_layout;  /* tapir.tcp_option_layout: enum tcp_layout, 0 */
    uint8_t quickack;       /* tapir.tcp_quickack: first segments acked at once: 16 */
    bool delack_small;      /* tapir.tcp_delack_small: 0; 1: small segments count */
    uint8_t syn_retries;    /* tcp_syn_retries: 7 (Linux: 6) */
    uint8_t synack_retries; /* tcp_synack_retries: 5 */
    uint8_t retries1, retries2; /* tcp_retries1: 3; tcp_retries2: 15 */
    uint8_t orphan_retries;     /* tcp_orphan_retries: 8 */
    uint8_t reordering;         /* tcp_reordering (DupThresh): 3 */
    uint32_t initcwnd;          /* tapir.tcp_initcwnd (`ip route ... initcwnd`): 10 */
    uint32_t advmss;            /* tapir.tcp_advmss: 0 = from the MTU */
    uint8_t mtu_probing;        /* tcp_mtu_probing: 0; 1: after time-outs */
    uint32_t base_mss;          /* tcp_base_mss: 1024, what those begin with ... */
    uint32_t mtu_probe_floor;   /* tcp_mtu_probe_floor: 48, ... and end with */
    uint8_t early_retrans;      /* tcp_early_retrans: 0; 3, 4: tail loss probes */
    bool prr;                   /* tapir.tcp_prr: 1: RFC 6937 */
    bool loss_of_cwnd; /* tapir.tcp_loss_of_cwnd: 0; 1: not of FlightSize, as Linux */
    uint8_t hystart;   /* tapir.tcp_hystart: 0; 1 trains, 2 delay, 3 both */
    usec rto_initial;  /* tapir.tcp_rto_initial_ms: 1 s */
    usec rto_min;      /* tcp_rto_min_us: 200 ms */
    usec rto_max;      /* tcp_rto_max_ms: 120 s */
    usec delack;       /* tapir.tcp_delack_ms: 40 ms; 0 = ACK everything */
    usec fin_timeout;  /* tcp_fin_timeout: FIN-WAIT-2 of an orphan: 60 s */
    usec msl2;         /* tapir.tcp_timewait_ms, 2 MSL: 60 s as Linux */
    usec keepalive_time, keepalive_intvl; /* tcp_keepalive_time 7200 s, _intvl 75 s */
    uint8_t keepalive_probes;             /* tcp_keepalive_probes: 9 */
    uint32_t rmem_min, rmem_default, rmem_max; /* tcp_rmem: bytes */
    uint32_t wmem_min, wmem_default, wmem_max; /* tcp_wmem: bytes */
    uint32_t mem_low, mem_pressure, mem_high;  /* tcp_mem: pages of 4 KiB */
    uint32_t max_orphans;                      /* tcp_max_orphans: 16384 */
    uint32_t max_syn_backlog; /* tcp_max_syn_backlog: 1024, a listener */
    uint8_t syncookies;       /* tcp_syncookies: 0, 1 (default): when that is full; 2 */
    uint32_t challenge_ack_limit; /* tcp_challenge_ack_limit: 1000 a second, about */
    uint32_t somaxconn;           /* net.core.somaxconn: 4096 */
    uint32_t max_tw_buckets;      /* tcp_max_tw_buckets: 65536 */
    usec invalid_ratelimit;       /* tcp_invalid_ratelimit: 500 ms between challenges */
    const struct cc_ops *cc;      /* tcp_congestion_control: cubic */
    uint32_t notsent_lowat; /* tcp_notsent_lowat: bytes; UINT32_MAX (default): none */
    uint32_t fastopen; /* tcp_fastopen: bits of tcp_fastopen.h, 1: FASTOPEN_CLIENT */
    struct tcp_fastopen_keys fastopen_keys; /* tcp_fastopen_key */
};

/* Who drops a segment with SYN and FIN. */
enum drop_synfin {
    SYNFIN_TAKEN,     /* nobody: its SYN counts, its FIN comes again (RFC 9293) */
    SYNFIN_LISTENERS, /* LISTEN and TIME-WAIT take no such SYN, as on Linux */
    SYNFIN_ALL,       /* every state, as FreeBSD's drop_synfin */
};

/* Where everything that TCP makes many of comes from. */
struct tcp_pools {
    struct slab_pool tcbs, half_opens, time_waits; /* structs of their names */
    struct slab_pool sents;                        /* struct sent */
    struct ring_pool rings;                        /* send buffers */
};

/* What the buffers of all connections take: tcp_mem.c. */
struct tcp_mem {
    size_t bytes;     /* of send buffers and of packets in receive queues */
    bool pressure;    /* above the pressure mark, and not below low since */
    usec since;       /* when that began */
    size_t n_orphans; /* connections that nobody owns and that are not closed */
};

/* The stack's whole TCP. Owned by struct stack. */
struct tcp {
    struct net *net;
    struct tcp_config config;
    struct cc_table controllers;
    struct list dirty;           /* struct tcb.dirty: output owed */
    struct list dead;            /* struct tcb.node: closed, freed by tcp_flush() */
    struct list all;             /* struct tcb.all */
    struct list listeners;       /* struct tcp_listener.node */
    struct list time_waits;      /* struct tcp_timewait.node, oldest first */
    size_t n_time_wait, n_tcb;   /* how many there are */
    struct tcp_slot **slots;     /* demux hash: owned array of `n_slots` chains */
    size_t n_slots, n_hashed;    /* a power of two; entries in it */
    uint32_t port_offset;        /* RFC 6056 s3.3.3's counter */
    struct deadline tw_deadline; /* of the oldest TIME-WAIT record */
    usec cookie_sent_at;         /* the last SYN cookie left then */
    usec challenge_since;        /* RFC 5961 s10: this second's challenges ... */
    uint32_t challenge_left;     /* ... that may still be sent */
    struct tcp_pools pools;
    struct tcp_mem mem;
    struct tcp_fastopen_cache fastopen; /* servers that we know */
};

void tcp_config_default(struct tcp_config *config);
int tcp_init(struct tcp *tcp, struct net *net); /* 0 or -ENOMEM */
void tcp_free(struct tcp *tcp);                 /* forgets everything, silently */

/* A segment came: p's data is its header. Takes p. tcp_input.c */
void tcp_input(struct tcp *tcp, const struct ip_info *ip, struct pkt *p);

/* An error about one of our segments. tcp_user.c */
void tcp_error(struct tcp *tcp, const struct net_error *err);

/* Is there something for tcp_flush() to do? tcp_output.c */
bool tcp_owes(const struct tcp *tcp);

/* Runs tcp_output() for the dirty connections, one bounded turn each; some may be dirty
 * afterwards. Frees the dead. tcp_output.c */
void tcp_flush(struct tcp *tcp);

/* The deadline d, whose owner is DL_TCB, DL_HALF_OPEN or DL_TIME_WAIT, is due.
 * tcp_timer.c */
void tcp_deadline(struct tcp *tcp, struct deadline *d);

/* nif can take frames again: whoever was blocked is dirty. */
void tcp_writable(struct tcp *tcp, struct netif *nif);

/* --- user calls (s3.10), all for the socket layer; tcp_user.c --- */

/* A connection in CLOSED, owned by the caller, who sets watch->owner. NULL: no
 * memory. */
struct tcb *tcp_new(struct tcp *tcp);
struct watch *tcp_watch(struct tcb *tcb);

/* s3.10.1 OPEN, active. local_port 0: one is chosen (RFC 6056). Moves to SYN-SENT. 0,
 * -EADDRINUSE, -EADDRNOTAVAIL (no port left), -ENETUNREACH, -EISCONN. */
int tcp_open(struct tcb *tcb, struct ip_addr local, uint16_t local_port,
             struct ip_addr remote, uint16_t remote_port);

/* RFC 7413, right behind tcp_open(): the SYN has the option, and text if there is a
 * cookie. With `wait` it does not leave before the text is there, if it may have some;
 * is it so? */
void tcp_fastopen_begin(struct tcb *tcb, bool wait);
bool tcp_fastopen_waits(const struct tcb *tcb);

/* The text that goes with the SYN, which leaves: how much of it. `stays`: somebody
 * waits with the rest. */
size_t tcp_fastopen_send(struct tcb *tcb, const struct piece *text, size_t n,
                         bool stays);

/* A connection that is not established and may be read and written all the same: the
 * child of a listener. */
bool tcp_fastopen_child(const struct tcb *tcb);

/* s3.10.2 SEND: into the send buffer; how much fitted, -EAGAIN for nothing, -EPIPE,
 * -ENOTCONN, or the error that ended the connection (once). `more`: more follows soon
 * (MSG_MORE, TCP_CORK). */
ssize_t tcp_send(struct tcb *tcb, const struct piece *text, size_t n, bool more);

/* Text that is read where it is to be, and not copied there. */
struct tcp_source {
    /* Fills the rooms from the first on: how many bytes, or negative errno. */
    ssize_t (*read)(struct tcp_source *s, const struct room *to, int n);
};

/* The same with up to n bytes of such text: how many were read, or what the source says
 * where it has none; -EAGAIN also while little would fit. What makes less than a device
 * frame waits for the rest of the n. */
ssize_t tcp_send_from(struct tcb *tcb, struct tcp_source *s, size_t n);

/* MSG_EOR: if all of the last send was taken, no segment has its end and what follows.
 */
void tcp_end_record(struct tcb *tcb);

/* s3.10.3 RECEIVE: what there is and the n rooms take; 0 at the peer's FIN; -EAGAIN,
 * -ENOTCONN, or the error that ended the connection (once). `peek` leaves it. Offers
 * the freed window. */
ssize_t tcp_receive(struct tcb *tcb, const struct room *to, size_t n, bool peek);

/* s3.10.4 CLOSE, half: FIN after what is queued. 0 or -ENOTCONN. */
int tcp_shutdown_write(struct tcb *tcb);

/* Text that arrives from now on is thrown away, unless shut_rd_keeps; receive gives 0
 * where it finds none. 0 or -ENOTCONN. */
int tcp_shutdown_read(struct tcb *tcb);

/* The socket is closed: gives the tcb away, which closes in good order by itself, or
 * resets where unread text would be lost (RFC 2525 s2.17, RFC 9293 s3.6.1 MAY-1) or
 * `linger_zero` says so. */
void tcp_release(struct tcb *tcb, bool linger_zero);

/* s3.10.5 ABORT: RST if synchronized, then CLOSED with `error` (negative errno). */
void tcp_abort(struct tcb *tcb, int error);

/* All sent data, and the FIN if there is one, is acknowledged (SO_LINGER waits
 * for it). */
bool tcp_drained(const struct tcb *tcb);

/* --- what readiness and options ask --- */

enum tcp_state tcp_state_of(const struct tcb *tcb);
const char *tcp_state_name(enum tcp_state state); /* as `ss`: "ESTAB", "SYN-SENT" */
size_t tcp_readable(const struct tcb *tcb);       /* bytes that receive would give */
bool tcp_read_ended(const struct tcb *tcb); /* FIN taken, read side shut, or dead */
size_t tcp_writable_room(const struct tcb *tcb); /* room in the send buffer */
bool tcp_write_ended(const struct tcb *tcb);     /* FIN queued, or dead */
int tcp_take_error(struct tcb *tcb); /* SO_ERROR: pending negative errno; clears */
int tcp_peek_error(const struct tcb *tcb);
/* TCP_NOTSENT_LOWAT: does too much wait to be sent for a user to be woken? */
bool tcp_backlogged(const struct tcb *tcb);
/* Is a user to be told that it can be written? */
bool tcp_has_room(const struct tcb *tcb);
size_t tcp_unsent(const struct tcb *tcb); /* bytes in the send buffer */

/* As Linux counts for SIOCOUTQ and SIOCOUTQNSD, the FIN too: what is not acknowledged,
 * sent or not, and what was not sent. */
size_t tcp_outstanding(const struct tcb *tcb);
size_t tcp_not_sent(const struct tcb *tcb);

/* Bytes of memory in the receive queue, and in the send buffer. */
void tcp_buffers(const struct tcb *tcb, uint32_t *in, uint32_t *out);

/* All that was sent so far is urgent (MSG_OOB). */
void tcp_mark_urgent(struct tcb *tcb);

/* How far the user is from the end of urgent text, in bytes; 0: there is none. */
uint32_t tcp_urgent_left(const struct tcb *tcb);

struct tcp_name tcp_local(const struct tcb *tcb);
struct tcp_name tcp_remote(const struct tcb *tcb);

/* Options of one connection; a listener hands its own on to what it accepts. */
struct tcp_options {
    bool nodelay;             /* TCP_NODELAY: no Nagle */
    bool cork;                /* TCP_CORK: only full segments, 200 ms at most */
    bool keepalive;           /* SO_KEEPALIVE */
    struct ip_options ip;     /* IP_TOS, IP_TTL, IP_MTU_DISCOVER */
    uint16_t maxseg;          /* TCP_MAXSEG: 0, or the most we announce and send */
    usec keepidle, keepintvl; /* TCP_KEEPIDLE, TCP_KEEPINTVL */
    uint8_t keepcnt;          /* TCP_KEEPCNT */
    uint32_t rcvbuf, sndbuf;  /* SO_RCVBUF, SO_SNDBUF: bytes */
    usec user_timeout;        /* TCP_USER_TIMEOUT; 0: none of its own */
    bool lazy_ack;            /* TCP_QUICKACK 0, before there is a connection */
    uint8_t syncnt;           /* TCP_SYNCNT; 0: the tunable's */
    uint8_t defer_accept;     /* TCP_DEFER_ACCEPT, as SYN-ACKs that fit in; 0: off */
    usec linger2;           /* TCP_LINGER2; 0: tcp_fin_timeout; NEVER: no time at all */
    uint32_t window_clamp;  /* TCP_WINDOW_CLAMP: bytes; 0: none */
    uint32_t notsent_lowat; /* TCP_NOTSENT_LOWAT: bytes; 0: the tunable's */
    const struct cc_ops *cc; /* TCP_CONGESTION */
    uint32_t fastopen;       /* TCP_FASTOPEN: children a listener may have; 0: off */
    bool fastopen_no_cookie; /* TCP_FASTOPEN_NO_COOKIE */
    struct tcp_fastopen_keys fastopen_keys; /* TCP_FASTOPEN_KEY */
};

void tcp_options_default(const struct tcp *tcp, struct tcp_options *o);
const struct tcp_options *tcp_get_options(const struct tcb *tcb);

/* Sets all of them; what changed takes effect at once (uncorking sends). */
void tcp_set_options(struct tcb *tcb, const struct tcp_options *o);

/* What Nagle, TCP_CORK or MSG_MORE hold back may leave, once. */
void tcp_push(struct tcb *tcb);

/* TCP_QUICKACK: 1: what arrives next is acknowledged at once, and so is what is owed;
 * 0: ACKs are delayed from now on. Neither lasts. Is it so? */
void tcp_set_quickack(struct tcb *tcb, bool on);
bool tcp_quickack(const struct tcb *tcb);

/* TCP_MAXSEG: text that a segment carries. 0: not connected yet. */
uint32_t tcp_mss(const struct tcb *tcb);

/* Is the window that was offered used up, but for a segment? */
bool tcp_window_used_up(const struct tcb *tcb);

/* A snapshot in Linux's `struct tcp_info` layout, cut to `room`; its size.
 * tcp_info.c */
size_t tcp_info(const struct tcb *tcb, void *out, size_t room);

/* --- passive open; tcp_listen.c --- */

/* s3.10.1 OPEN, passive. 0 or -EADDRINUSE, -ENOMEM. The caller sets
 * tcp_listener_watch()->owner. */
int tcp_listen(struct tcp *tcp, struct tcp_name local, unsigned backlog,
               const struct tcp_options *o, struct tcp_listener **out);
struct watch *tcp_listener_watch(struct tcp_listener *l);
void tcp_listener_set_options(struct tcp_listener *l, const struct tcp_options *o);
void tcp_listener_set_backlog(struct tcp_listener *l, unsigned backlog);

/* The oldest established connection that waits, now the caller's, or NULL. */
struct tcb *tcp_accept(struct tcp_listener *l);
size_t tcp_acceptable(const struct tcp_listener *l); /* how many wait */

/* A number that is another one when something to accept, or to read, has come since. */
uint32_t tcp_accept_arrivals(const struct tcp_listener *l);
uint32_t tcp_arrivals(const struct tcb *tcb);

/* Ends listening: half-open entries are forgotten, unaccepted connections reset. */
void tcp_listener_free(struct tcp_listener *l);

/* May `port` on `local` be bound? 0 or -EADDRINUSE. `reuse` lets a listener's port be
 * bound beside connections and TIME-WAIT records that still use it. tcp_demux.c */
int tcp_port_check(const struct tcp *tcp, struct ip_addr local, uint16_t port,
                   bool reuse);

/* An ephemeral port for bind(0); 0 when there is none. */
uint16_t tcp_port_pick(struct tcp *tcp, struct ip_addr local);

/* Asserts the invariants of every connection (tests, simulation, fuzzing).
 * tcp_check.c */
void tcp_check_all(const struct tcp *tcp);

#endif
