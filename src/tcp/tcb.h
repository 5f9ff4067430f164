/* The transmission control block: one connection (RFC 9293 s3.3.1), and what the files
 * of this folder offer one another.
 *
 * Who writes what: `state` is written by tcp_set_state() alone; snd.una, snd.wnd by
 * tcp_ack.c; snd.nxt by tcp_output.c; rcv.nxt by tcp_text.c; deadlines through
 * tcp_arm(). The steps of SEGMENT ARRIVES leave wishes (ack_now, lost records, a new
 * window); tcp_output() grants them, once, at the end of the event. */
#ifndef TAPIR_TCP_TCB_H
#define TAPIR_TCP_TCB_H

#include "base/ring.h"
#include "tcp/tcp.h"
#include "tcp/tcp_demux.h"
#include "tcp/tcp_mem.h"
#include "tcp/tcp_push.h"
#include "tcp/tcp_rcvq.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_sent.h"

/* Least MSS that is believed: the smallest MTU, 68 (RFC 791 s3.2), less headers. */
enum { TCP_MSS_MIN = 28 };

/* Text in one decision: what an IPv4 packet holds less the longest headers, and what a
 * link with LINK_BIG takes. */
enum { TCP_TX_PACKET = 65535 - 60 - 60, TCP_TX_BIG = 262144 - 60 - 60 };

/* The timers of a connection; tcp_timer.c tells what each does. */
enum tcp_timer {
    TT_PROBE,      /* tail loss probe (RFC 8985 s7) */
    TT_REXMT,      /* retransmission (RFC 6298) */
    TT_PERSIST,    /* zero-window probe, and the override of silly-window avoidance */
    TT_DELACK,     /* delayed ACK (RFC 9293 s3.8.6.3) */
    TT_KEEP,       /* keep-alive (RFC 9293 s3.8.4) */
    TT_FIN_WAIT_2, /* nobody owns the connection and the peer's FIN does not come */
    TT_TRIM,       /* the send buffer has been empty for a while */
    TT_N
};

/* How lost text is being repaired. */
enum tcp_recovery {
    RECOVERY_NONE,
    RECOVERY_FAST, /* RFC 6675 with SACK, RFC 6582 without */
    RECOVERY_RTO,  /* after a time-out, until all that was out then is acknowledged */
    RECOVERY_CWR,  /* nothing is: the network said that it is congested (RFC 3168) */
};

struct tcb_snd {
    struct seq iss;      /* initial send sequence number */
    struct seq una;      /* SND.UNA: oldest that is not acknowledged */
    struct seq nxt;      /* SND.NXT: the next to be sent; it never goes back */
    uint32_t wnd;        /* SND.WND, scaled: bytes from una on (RFC 9293 s3.1, REC-1) */
    uint32_t max_wnd;    /* largest that was ever offered (RFC 9293 s3.8.6.2.1) */
    struct seq wl1, wl2; /* SND.WL1, SND.WL2 */
    uint8_t wscale;      /* Snd.Wind.Shift: by how much the peer's window is shifted */
    uint16_t mss;        /* most text and options a segment carries: mss_max, or less
                          * where the path is narrower */
    uint16_t mss_max;    /* the peer's MSS, our interface's and TCP_MAXSEG */
    uint32_t path_stamp; /* pmtu_stamp() when the path was last looked up */
    struct ring buf;     /* text not yet acknowledged */
    struct seq buf_seq;  /* sequence number of its first byte */
    struct push_ends push; /* where send calls end beyond nxt */
    bool fin;              /* a FIN follows the text in buf */
    bool more;             /* the last send said that more follows */
    bool refused;          /* the last send found too little room */
    struct seq piece;      /* where the newest packet begins: tcp_sndbuf.c */
    struct seq small_end;  /* where the last segment that was not full ended (Nagle) */
    usec last;             /* when text was last sent; NEVER: not yet */
    usec emptied;          /* when all that was sent was last acknowledged */
    usec idle;             /* so long nothing was out since cc->ack() */
    bool urgent;           /* up is ahead of una */
    struct seq up;         /* SND.UP: behind the last urgent byte */
};

struct tcb_rcv {
    struct seq irs;     /* initial receive sequence number */
    struct seq nxt;     /* RCV.NXT */
    struct seq adv;     /* the right edge we offered: RCV.NXT + RCV.WND */
    uint32_t max_wnd;   /* largest window that we ever offered */
    uint8_t wscale;     /* Rcv.Wind.Shift: by how much ours is shifted */
    uint32_t limit;     /* receive buffer, bytes */
    struct rcvq q;      /* what came and was not read */
    struct seq acked;   /* the acknowledgment number we sent last */
    uint32_t segs;      /* full segments that came since then */
    uint8_t quick;      /* segments that are still acknowledged at once ... */
    bool answered;      /* ... but not in a conversation: we sent text in answer, or
                         * TCP_QUICKACK says so */
    bool fin;           /* the peer's FIN was taken */
    bool shut;          /* the user reads no more: text is thrown away */
    uint16_t mss;       /* largest text that came in one segment: what "full" means */
    usec last;          /* when the last segment came */
    usec last_text;     /* when the last text came, or it was established; NEVER */
    struct range dsack; /* RFC 2883: a duplicate to tell of; empty: none */
    bool urgent;        /* up was not read over yet */
    struct seq up;      /* RCV.UP: behind the last urgent byte */
};

/* What keeps the sender, and how long it has: tcp_busy.c */
enum tcp_busy_why {
    BUSY_IDLE,   /* it has nothing to send */
    BUSY_PATH,   /* cwnd, and the round trip */
    BUSY_RWND,   /* the peer's window */
    BUSY_SNDBUF, /* the send buffer: the user has more than fits */
    BUSY_N,
};

struct tcp_busy {
    enum tcp_busy_why why;
    usec since;         /* when that began */
    usec total[BUSY_N]; /* what ended before */
};

struct tcb_ts {
    bool on;             /* agreed on (RFC 7323 s3.2) */
    uint32_t offset;     /* of our clock */
    uint32_t recent;     /* TS.Recent */
    usec recent_at;      /* when it was set */
    struct seq last_ack; /* Last.ACK.sent */
};

/* RFC 3168: tcp_ecn.c */
struct tcb_ecn {
    bool ok;          /* agreed on */
    bool asked;       /* a SYN of ours asked for it */
    bool plain;       /* a SYN of ours did not: nothing that leaves is ECT */
    bool echo;        /* CE came: ECE goes out, until CWR comes */
    bool seen;        /* text came that was ECN-capable */
    bool cwr;         /* the window was reduced: the next new text says so ... */
    bool reduced;     /* ... and echoes say nothing new, until ... */
    struct seq until; /* ... what is beyond this was acknowledged */
    usec pause;       /* nothing new leaves before: the window was one segment */
};

/* RFC 6937, since the window was reduced last: tcp_prr.c */
struct tcb_prr {
    uint32_t fs;        /* RecoverFS: bytes in flight then */
    uint32_t delivered; /* prr_delivered: bytes that arrived since */
    uint32_t out;       /* prr_out: bytes that were sent since */
};

/* The tail loss probe: tcp_tlp.c */
struct tcb_tlp {
    bool out;       /* one was sent, and what became of it is not known */
    bool again;     /* it was the last segment once more, not new text */
    bool now;       /* it is to be sent: new text, whatever cwnd says */
    struct seq end; /* SND.NXT when it had left */
};

/* RFC 7413: tcp_fastopen.c */
struct tcb_fastopen {
    struct list node;            /* of a child: in its listener's `children` */
    struct tcp_fastopen_opt opt; /* what our first SYN has */
    uint16_t mss;                /* the server's, as remembered; 0: not known */
    uint16_t text;               /* bytes that go with that SYN */
    bool text_ok;                /* it may have some */
    bool waits;                  /* it waits for them */
    bool more;                   /* more will follow as soon as it is acknowledged */
    bool child;                  /* it came from a listener, by a SYN with a cookie */
    bool taken;                  /* the SYN's text was taken: all of it */
};

struct tcb {
    struct tcp_slot slot; /* four-tuple; first member */
    struct tcp *tcp;
    struct list all;               /* in tcp->all */
    struct list dirty;             /* in tcp->dirty: output is owed */
    struct list node;              /* in a listener's accept queue, or in tcp->dead */
    struct watch watch;            /* wakes the socket */
    struct tcp_listener *listener; /* in whose accept queue it is; else NULL */

    enum tcp_state state;
    int error;    /* negative errno that ended it and was not told yet */
    int soft;     /* what ICMP said since the last progress: why, if it times out */
    bool owned;   /* a socket or an accept queue holds it */
    bool ended;   /* an error ended it, told or not */
    bool passive; /* it came from a listener */
    bool orphan;  /* counted as one that nobody owns: tcp_mem_orphan() */
    size_t mem;   /* bytes of buffers, as counted: tcp_mem_update() */

    struct tcb_snd snd;
    struct tcb_rcv rcv;
    struct tcb_ts ts;
    struct tcb_ecn ecn;
    struct tcb_tlp tlp;
    struct tcb_prr prr;
    struct tcb_fastopen fast;
    bool sack_ok;    /* agreed on (RFC 2018 s2) */
    bool wscale_ok;  /* agreed on (RFC 7323 s2.2) */
    bool tso;        /* the link takes super-segments ... */
    uint32_t tx_max; /* ... and so much text at once: TCP_TX_PACKET or TCP_TX_BIG */

    struct sent_list sent;
    struct rtt rtt;
    struct cc cc;
    enum tcp_recovery recovery;
    struct seq recovery_point; /* RFC 6675's RecoveryPoint, RFC 6582's recover */
    uint32_t dupacks;          /* duplicate ACKs in a row */
    uint32_t dup_bytes;   /* without SACK: text that they say has left the network */
    uint8_t backoff;      /* time-outs in a row, each doubles the RTO; persist's too */
    uint8_t karn;         /* doublings that stay until the next sample (RFC 6298 s5) */
    uint8_t probes;       /* keep-alive or window probes without an answer */
    bool syn_resent;      /* the SYN (or SYN-ACK) had to be sent again */
    bool cwnd_limited;    /* cwnd is what stopped the last output */
    uint32_t most_out;    /* the most that was out since ... */
    struct seq most_upto; /* ... what is before this was acknowledged: about a window */

    /* wishes, granted by tcp_output() */
    bool ack_now;    /* an ACK is owed */
    bool fin_now;    /* that ACK carries our FIN again */
    bool probe_now;  /* a probe is to be sent: an old sequence number, no text */
    bool rexmit_now; /* one lost segment goes out whatever cwnd says */
    bool push_now;   /* silly-window avoidance and Nagle are overridden once */
    bool blocked;    /* the link took nothing; tcp_writable() makes it dirty */

    struct tcp_options opt;
    struct deadline deadline; /* the earliest of at[] */
    usec at[TT_N];            /* when each timer is due, NEVER if it is off */
    usec oow_ack_at;          /* last ACK for a segment outside the window */
    usec stalled; /* nothing is acknowledged, or the window is shut, and text
                   * or a probe was sent again then first; a SYN was sent; NEVER */

    uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
    uint32_t segs_in, segs_out, data_segs_in, data_segs_out, total_retrans;
    uint32_t dsack_dups, rcv_ofo_segs;
    uint32_t delivered;    /* segments that the peer has, a SYN among them ... */
    uint32_t delivered_ce; /* ... and so many were told of by an ACK with ECE */
    uint16_t rtos, series; /* time-outs of retransmission; runs of them ... */
    usec rto_time;         /* ... and how long those took until something was acked */
    struct tcp_busy busy;
};

/* tcp_sndbuf.c: what the send buffer may hold when a send of so much is done. */
size_t tcp_send_limit(struct tcb *tcb, size_t wanted);

/* How many of n bytes that can be read are to be read now. */
size_t tcp_worth_reading(const struct tcb *tcb, size_t n);

/* tcp_busy.c */
void tcp_busy_update(struct tcb *tcb);
usec tcp_busy_time(const struct tcb *tcb, enum tcp_busy_why why);

/* A connection being opened from outside: not yet a connection. tcp_listen.c */
struct tcp_half_open {
    struct tcp_slot slot; /* first member */
    struct list node;     /* in listener->half_open */
    struct tcp_listener *listener;
    struct deadline deadline;
    struct seq irs, iss;
    struct tcp_opts opts; /* of the SYN */
    uint32_t ts_recent;   /* TS.Recent */
    uint32_t wnd;         /* SEG.WND of the SYN */
    usec sent_at;         /* when the first SYN-ACK left */
    usec oow_ack_at;      /* last ACK for a segment that was refused */
    uint8_t resent;       /* how often it was sent again */
    uint8_t timeouts;     /* how often its deadline came */
    bool acked;           /* the ACK came, and text is waited for: TCP_DEFER_ACCEPT */
    uint8_t wscale;       /* our shift count */
    bool cookie;          /* made by the ACK of a SYN cookie */
    bool ecn;             /* agreed on (RFC 3168) */
};

/* A connection in TIME-WAIT: 96 bytes. tcp_timewait.c */
struct tcp_timewait {
    struct tcp_slot slot; /* first member */
    struct list node;     /* in tcp->time_waits: all wait equally long */
    usec until;           /* 2 MSL after the last FIN */
    struct seq snd_nxt, rcv_nxt;
    uint32_t ts_recent;
    uint32_t oow_ack_at; /* last ACK for a bare segment, low 32 bits; 0: none */
};

/* What tcp_next_tx() decided to send. */
struct tcp_tx {
    struct seq seq;
    uint32_t text; /* bytes of text, from the send buffer */
    uint8_t flags; /* SYN, FIN, PSH, ACK, ECE, CWR */
    bool again;    /* a retransmission: it begins a lost record */
    bool probe;    /* a probe, or a FIN that is out: nothing is recorded */
    bool ect;      /* it is ECN-capable (RFC 3168 s5) */
};

/* What a segment without a connection behind it looks like. */
struct tcp_reply {
    const struct tcp_slot *slot; /* four-tuple, from our side */
    const struct ip_options *ip; /* NULL: the stack's */
    struct seq seq, ack;
    uint8_t flags;
    uint16_t wnd; /* as it stands in the header */
    struct tcp_opts opts;
};

static inline struct tcb *tcb_of(struct tcp_slot *slot)
{
    return (struct tcb *)(void *)slot;
}

/* RCV.WND as the peer knows it. */
static inline uint32_t rcv_wnd(const struct tcb *tcb)
{
    int32_t wnd = seq_diff(tcb->rcv.adv, tcb->rcv.nxt);
    return wnd > 0 ? (uint32_t)wnd : 0;
}

/* The sequence number behind the last byte of text: where a FIN goes. */
static inline struct seq snd_end(const struct tcb *tcb)
{
    return seq_add(tcb->snd.buf_seq, (uint32_t)tcb->snd.buf.len);
}

static inline bool fin_sent(const struct tcb *tcb)
{
    return tcb->snd.fin && seq_lt(snd_end(tcb), tcb->snd.nxt);
}

/* tcp.c */
struct tcb *tcb_new(struct tcp *tcp, const struct tcp_options *opt);
void tcb_free(struct tcb *tcb);
void tcp_dirty(struct tcb *tcb);
void tcp_arm(struct tcb *tcb, enum tcp_timer which, usec at);
void tcp_rearm(struct tcb *tcb); /* the heap's deadline is the earliest of at[] */

/* tcp_state.c: legal arrows, and everything that entering a state implies. */
void tcp_set_state(struct tcb *tcb, enum tcp_state state);

void tcp_begin_half_open(struct tcb *tcb);
void tcp_trace_tuple(const struct tcp_slot *slot, struct trace_tuple *out);
void tcp_trace_arrow(const struct tcp *tcp, const struct tcp_slot *slot,
                     enum tcp_state from, enum tcp_state to);

/* A tcb that nobody owns and that is closed, or has its record in TIME-WAIT, is freed
 * at the end of the event. */
void tcp_bury(struct tcb *tcb);

/* The connection ends now, with an error (negative errno) or, with 0, in good order. */
void tcp_finish(struct tcb *tcb, int error);

/* tcp_option.c */
void tcp_agree_options(struct tcb *tcb, const struct tcp_opts *syn);
void tcp_syn_options(const struct tcb *tcb, struct tcp_opts *out);
void tcp_timestamp_option(const struct tcb *tcb, struct tcp_opts *out);
void tcp_segment_options(const struct tcb *tcb, struct tcp_opts *out);
uint32_t tcp_ts_now(const struct tcp *tcp, uint32_t offset);
uint16_t tcp_our_mss(const struct tcp *tcp, struct ip_addr remote, uint16_t maxseg);
uint8_t tcp_our_wscale(const struct tcp *tcp, uint32_t rcvbuf, uint32_t clamp);

/* RFC 7323 s5.2 R1: is the timestamp too old? */
bool tcp_paws_reject(const struct tcb *tcb, const struct tcp_seg *seg);

/* s4.3: takes TS.Recent from a segment that covers Last.ACK.sent. */
void tcp_take_timestamp(struct tcb *tcb, const struct tcp_seg *seg);

/* tcp_input.c */
void tcp_synchronized_input(struct tcb *tcb, struct tcp_seg *seg);

/* Marks seg as dropped for a reason; the caller goes no further. Always false. */
bool tcp_reject(struct tcp_seg *seg, enum drop why);

/* An ACK that tells the peer where we stand, at most one every tcp_invalid_ratelimit
 * for segments without text (RFC 5961 s7, and no ACK storms). False: withheld. */
bool tcp_challenge(struct tcb *tcb, const struct tcp_seg *seg);

/* The same for whoever answers by itself: true at most once every tcp_invalid_ratelimit
 * for segments without text; `last` is when that was. */
bool tcp_may_answer(const struct tcp *tcp, const struct tcp_seg *seg, usec *last);

/* tcp_synsent.c, tcp_listen.c, tcp_timewait.c: who else gets segments. */
void tcp_synsent_input(struct tcb *tcb, struct tcp_seg *seg);
/* The SYN-ACK that completes a simultaneous open: it goes there too. */
bool tcp_crossed_syn_ack(const struct tcb *tcb, const struct tcp_seg *seg);
/* A connection, for seg to go on with, if that is the ACK of a SYN cookie; else NULL.
 */
struct tcb *tcp_listen_input(struct tcp_listener *l, const struct ip_info *ip,
                             struct tcp_seg *seg, const struct seq *iss);
bool tcp_listener_has_room(const struct tcp_listener *l); /* for one more SYN */
/* True: a SYN may open the four-tuple again; tw is gone, and a new connection begins
 * beyond *iss (RFC 6191, RFC 9293 s3.6.1 MAY-2). */
bool tcp_timewait_input(struct tcp *tcp, struct tcp_timewait *tw, struct tcp_seg *seg,
                        struct seq *iss);
void tcp_timewait_enter(struct tcb *tcb);
void tcp_timewait_free(struct tcp *tcp, struct tcp_timewait *tw);
void tcp_timewait_fire(struct tcp *tcp);

/* tcp_half_open.c */
void tcp_name_half_open(struct tcp_slot *slot, const struct ip_info *ip,
                        const struct tcp_seg *seg);
/* NULL: no memory. */
struct tcp_half_open *tcp_half_open_new(struct tcp_listener *l,
                                        const struct ip_info *ip,
                                        const struct tcp_seg *seg);
void tcp_half_open_arm(struct tcp_half_open *h);
void tcp_half_open_fails(struct tcp_half_open *h);
void tcp_send_syn_ack(struct tcp_half_open *h);
struct tcb *tcp_half_open_input(struct tcp_half_open *h, struct tcp_seg *seg);
void tcp_half_open_fire(struct tcp_half_open *h);
void tcp_half_open_error(struct tcp_half_open *h, const struct net_error *err);
void tcp_half_open_free(struct tcp_half_open *h);

struct tcb *tcp_half_open_child(struct tcp_half_open *h, struct tcp_seg *syn);

/* tcp_fastopen.c: the SYN-ACK came; it never did. Of a SYN: does a cookie, or a
 * tunable, admit it? The SYN-ACK's option is h's from then on. The child takes its
 * SYN's text; and that SYN again. */
void tcp_fastopen_take_syn_ack(struct tcb *tcb, const struct tcp_seg *seg);
void tcp_fastopen_unanswered(struct tcb *tcb);
bool tcp_fastopen_admits(struct tcp_half_open *h, const struct tcp_seg *syn);
void tcp_fastopen_take_syn(struct tcb *tcb, struct tcp_listener *l,
                           struct tcp_seg *seg);
bool tcp_fastopen_syn_again(struct tcb *tcb, struct tcp_seg *seg);

/* tcp_ack.c, tcp_text.c: steps five to eight. */
bool tcp_ack_in_range(const struct tcb *tcb, const struct tcp_seg *seg);
bool tcp_check_ack(struct tcb *tcb, struct tcp_seg *seg);
void tcp_take_text(struct tcb *tcb, struct tcp_seg *seg);
void tcp_take_fin(struct tcb *tcb, struct tcp_seg *seg);

/* Text that came before ESTABLISHED, with the SYN of a simultaneous open: kept, and
 * taken once the connection is established. */
void tcp_keep_early_text(struct tcb *tcb, struct tcp_seg *seg);
void tcp_take_early_text(struct tcb *tcb);

/* A segment acknowledges text: it leaves the send buffer. */
void tcp_free_text(struct tcb *tcb, struct seq ack);

/* Starts congestion control and the send window where text may leave first: where a
 * handshake ends, which is the second function. */
void tcp_begin_transfer(struct tcb *tcb, const struct tcp_seg *seg);
void tcp_established(struct tcb *tcb, const struct tcp_seg *seg);

/* tcp_window.c */
uint16_t tcp_first_window(uint32_t rcvbuf, uint32_t clamp); /* of a SYN: not scaled */
uint32_t tcp_window_offer(const struct tcb *tcb);
struct seq tcp_window_end(const struct tcb *tcb);
bool tcp_window_update_due(const struct tcb *tcb);
uint32_t tcp_window_usable(const struct tcb *tcb);
bool tcp_small_ok(const struct tcb *tcb, struct seq seq, uint32_t len);
bool tcp_more_comes(const struct tcb *tcb);
void tcp_fit_link(struct tcb *tcb);
void tcp_refit_link(
    struct tcb *tcb); /* the link took nothing: perhaps it was too much */

/* tcp_urgent.c: a segment loses bytes in front; the sixth step; rcvq_read() that knows
 * the mark; one segment instead of many, and its pointer. */
void tcp_urgent_trim(struct tcp_seg *seg, uint32_t n);
void tcp_take_urgent(struct tcb *tcb, const struct tcp_seg *seg);
size_t tcp_urgent_read(struct tcb *tcb, const struct room *to, size_t n, bool peek);
void tcp_urgent_cut(const struct tcb *tcb, struct tcp_tx *tx);
void tcp_urgent_point(struct tcb *tcb, struct tcp_seg *seg);

/* tcp_recovery.c */
void tcp_recovery_sack(struct tcb *tcb, const struct tcp_seg *seg,
                       struct sent_news *news);
void tcp_recovery_dupack(struct tcb *tcb, bool sacked);
void tcp_recovery_ack(struct tcb *tcb, uint32_t acked, const struct sent_news *news);
void tcp_recovery_losses(struct tcb *tcb);
void tcp_recovery_timeout(struct tcb *tcb);
void tcp_recovery_congested(struct tcb *tcb);
void tcp_recovery_repaired(struct tcb *tcb);
bool tcp_is_dsack(const struct tcp_seg *seg);
uint32_t tcp_pipe(const struct tcb *tcb);
uint32_t tcp_cwnd_room(const struct tcb *tcb);

/* tcp_ecn.c: does this SYN ask, and do we agree? The answer to ours; flags and ECT of
 * what leaves, and that it left; CE and CWR of text; ECE of an ACK. */
bool tcp_ecn_agrees(const struct tcp *tcp, const struct tcp_seg *syn);
void tcp_ecn_take_syn(struct tcb *tcb, const struct tcp_seg *seg);
void tcp_ecn_mark(const struct tcb *tcb, struct tcp_tx *tx);
void tcp_ecn_sent(struct tcb *tcb, const struct tcp_tx *tx);
uint8_t tcp_ecn_tos(uint8_t tos, bool ect);
void tcp_ecn_take_text(struct tcb *tcb, const struct tcp_seg *seg);
bool tcp_ecn_echoed(const struct tcb *tcb, const struct tcp_seg *seg);
void tcp_ecn_take_echo(struct tcb *tcb, const struct tcp_seg *seg);
void tcp_ecn_reduced(struct tcb *tcb); /* cwnd was, whatever for */
void tcp_ecn_pause(struct tcb *tcb);   /* cwnd cannot be: it was one segment */

/* tcp_prr.c: is it in use? The window is reduced; an ACK comes, and recovery has taken
 * it; text left. */
bool tcp_prr_on(const struct tcb *tcb);
void tcp_prr_begin(struct tcb *tcb, uint32_t before);
void tcp_prr_ack(struct tcb *tcb, const struct sent_news *news);
void tcp_prr_sent(struct tcb *tcb, uint32_t text);

/* tcp_tlp.c: when text left or was acknowledged; its timer; an ACK comes. */
void tcp_tlp_schedule(struct tcb *tcb);
void tcp_tlp_fires(struct tcb *tcb);
void tcp_tlp_take_ack(struct tcb *tcb, const struct tcp_seg *seg);

/* tcp_mtu.c: the size of segments follows the path's MTU ... */
void tcp_sync_mss(struct tcb *tcb);
/* ... which an ICMP error lowers that quotes what is in flight ... */
void tcp_too_big(struct tcb *tcb, const struct net_error *err);
/* ... or the silence after large segments. */
void tcp_detect_black_hole(struct tcb *tcb);

/* tcp_output.c */
bool tcp_next_tx(const struct tcb *tcb, struct tcp_tx *tx);
void tcp_output(struct tcb *tcb);
uint32_t tcp_segment_size(const struct tcb *tcb);

/* tcp_xmit.c: header and IP. As ip_output(). */
int tcp_xmit(struct tcp *tcp, const struct ip_out *how, struct tcp_seg *seg,
             const struct tcb *text_of, uint32_t segment_size);
void tcp_reply(struct tcp *tcp, const struct tcp_reply *r);

/* The RST that answers a segment for nobody (RFC 9293 s3.10.7.1). */
void tcp_reset_reply(struct tcp *tcp, const struct ip_info *ip,
                     const struct tcp_seg *seg);

/* The RST that ends a connection (s3.10.5). */
void tcp_reset(struct tcb *tcb);

/* The RST that ends it in answer to a segment with an ACK. */
void tcp_reset_answer(struct tcb *tcb, const struct tcp_seg *seg);

/* tcp_user.c: reset, since its memory is needed. */
void tcp_abort_on_memory(struct tcb *tcb);
/* Reset, in answer to a segment with an ACK that it is too late for. */
void tcp_abort_answer(struct tcb *tcb, const struct tcp_seg *seg, int error);

/* tcp_timer.c */
usec tcp_rto(const struct tcb *tcb); /* with all its doublings */
void tcp_fire(struct tcb *tcb);
void tcp_restart_keepalive(struct tcb *tcb);

/* Nobody owns it, and only the peer's FIN is missing: waits for so long as
 * TCP_LINGER2 or tcp_fin_timeout says. False: not at all. */
bool tcp_await_fin(struct tcb *tcb);

/* tcp_check.c */
void tcp_check(const struct tcb *tcb);

#endif
