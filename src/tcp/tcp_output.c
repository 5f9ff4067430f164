/* What would you send now? tcp_next_tx() answers from the tcb alone and changes
 * nothing; tcp_emit() does it; tcp_output() repeats both for one turn. It is called
 * from one place, tcp_flush(), which gives every dirty connection a turn at the end of
 * an event: after a batch of frames, a user call or a timer.
 *
 * In this order: the SYN; lost ranges, as far as cwnd allows; new text, as far as cwnd,
 * the peer's window, Nagle and silly-window avoidance allow; the FIN; a probe; a bare
 * ACK. One decision may be up to 64 KiB of text, or four times that where the link
 * takes it (LINK_BIG): the system call of a frame costs more than its bytes. A link
 * that cannot cut it lets netif cut it. */
#include <errno.h>

#include "base/bytes.h"
#include "tcp/tcb.h"

enum {
    TURN = 32, /* packets' worth that a connection may send in one turn */
};

/* Text beside these options. The loopback's MTU allows more than one decision may
 * carry. */
static uint32_t size_beside(const struct tcb *tcb, const struct tcp_opts *opts)
{
    return min_u32((uint32_t)(tcb->snd.mss - tcp_opts_len(opts)), TCP_TX_PACKET);
}

uint32_t tcp_segment_size(const struct tcb *tcb)
{
    struct tcp_opts opts;
    tcp_segment_options(tcb, &opts);
    return size_beside(tcb, &opts);
}

/* As much of len as whole segments make up, or all if that is one segment at most. */
static uint32_t whole_segments(uint32_t len, uint32_t size)
{
    return len > size ? len - len % size : len;
}

static bool next_syn(const struct tcb *tcb, struct tcp_tx *tx)
{
    bool syn_state = tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED;
    const struct sent *lost = sent_first_lost(&tcb->sent);

    if (!syn_state || tcp_fastopen_waits(tcb))
        return false;
    bool first = seq_eq(tcb->snd.nxt, tcb->snd.iss);
    if (!first && !(lost && seq_eq(lost->from, tcb->snd.iss)))
        return false;
    tx->seq = tcb->snd.iss;
    tx->again = !first;
    tx->flags = TCP_SYN;
    if (tcb->state == TCPS_SYN_RECEIVED)
        tx->flags |= TCP_ACK;
    else if (first) /* RFC 7413 s4.1.3.1: a SYN that is repeated has no text */
        tx->text = tcb->fast.text;
    return true;
}

/* Whatever the peer's window is by now: RFC 9293 s3.8.6 (SHLD-16, MAY-7). RFC 6675 s4
 * NextSeg() (1) (MUST-rec-lost-first), s5 (C.1) (MUST-rec-next), and what a
 * time-out left. */
static bool next_lost(const struct tcb *tcb, struct tcp_tx *tx)
{
    const struct sent *lost = sent_first_lost(&tcb->sent);

    if (!lost)
        return false;
    uint32_t size = tcp_segment_size(tcb), room = tcp_cwnd_room(tcb);
    uint32_t len = seq_len(lost->from, lost->to);
    if (room < min_u32(len, size)) { /* RFC 6675 s5 (C) (SHLD-rec-room) */
        if (!tcb->rexmit_now)
            return false;
        room = size;
    }
    struct seq end = snd_end(tcb);
    bool fin = seq_lt(end, lost->to);
    uint32_t text = fin ? seq_len(lost->from, end) : len;
    uint32_t most = whole_segments(min_u32(room, tcb->tx_max), size);
    tx->seq = lost->from;
    tx->text = min_u32(text, most);
    tx->again = true;
    tx->flags = TCP_ACK;
    if (tx->text == text && fin)
        tx->flags |= TCP_FIN;
    bool last = seq_eq(seq_add(tx->seq, tx->text), end);
    if (tx->text > 0 && (last || (tx->text == text && lost->push)))
        tx->flags |= TCP_PSH;
    return true;
}

/* How much new text may leave now: whole segments (RFC 9293 s3.9.1.2, SHLD-28), in the
 * window that was said last (RFC 7323 s2.4, MUST-wscale-first), or none (RFC 6675 s4
 * NextSeg(), MUST-rec-new-next, MUST-rec-nothing). */
static uint32_t new_text(const struct tcb *tcb)
{
    struct seq end = snd_end(tcb);

    if (!seq_lt(tcb->snd.nxt, end))
        return 0;
    uint32_t size = tcp_segment_size(tcb);
    uint32_t unsent = min_u32(seq_len(tcb->snd.nxt, end),
                              push_record(&tcb->snd.push, tcb->snd.nxt));
    /* CWR is said once (RFC 3168 s6.1.2), whoever cuts what is larger. */
    uint32_t most = tcb->ecn.cwr ? size : tcb->tx_max / size * size;
    uint32_t len = min_u32(unsent, min_u32(tcp_window_usable(tcb), most));
    uint32_t room = tcb->tlp.now ? size : tcp_cwnd_room(tcb);
    if (room < min_u32(len, size))
        return 0;
    if (len == unsent && len < most && tcp_more_comes(tcb))
        return 0;
    len = min_u32(len, room); /* RFC 5681 s2 (MUST-cc-windows), s3 (MUST-cc-most) */
    uint32_t tail = len % size;
    if (tail == 0)
        return len;
    struct seq tail_at = seq_add(tcb->snd.nxt, len - tail);
    return tcp_small_ok(tcb, tail_at, tail) ? len : len - tail;
}

/* RFC 9293 s3.9.1.2 (MUST-61, SHLD-27): PSH where a send call ends, and with the last
 * byte that is buffered. A device that cuts segments itself sets it on the last of them
 * only: there it may be missing in between, for the sake of speed. */
static bool next_new(const struct tcb *tcb, struct tcp_tx *tx)
{
    uint32_t len = new_text(tcb);
    if (!tcb->tso && tcb->snd.push.n > 0)
        len = push_first(&tcb->snd.push, tcb->snd.nxt, len, tcp_segment_size(tcb));
    struct seq end = seq_add(tcb->snd.nxt, len);
    bool all = seq_eq(end, snd_end(tcb));

    tx->seq = tcb->snd.nxt;
    tx->text = len;
    tx->flags = TCP_ACK;
    if (len > 0 && (all || push_at(&tcb->snd.push, end)))
        tx->flags |= TCP_PSH;
    /* RFC 9293 s3.10.4: in SYN-RECEIVED it waits for the handshake. */
    bool fin = tcb->snd.fin && tcb->state != TCPS_SYN_RECEIVED;
    if (fin && all && tcp_window_usable(tcb) > len)
        tx->flags |= TCP_FIN;
    return len > 0 || (tx->flags & TCP_FIN);
}

/* RFC 9293 s3.8.6.1 (MUST-36). The probe's form is Linux's: no octet of new text but an
 * old sequence number, which every TCP answers with an ACK and its window. Nothing has
 * to be taken back when the window stays shut. The same segment is the keep-alive
 * (s3.8.4, SHLD-12). */
static bool next_bare(const struct tcb *tcb, struct tcp_tx *tx)
{
    *tx = (struct tcp_tx){ .seq = tcb->snd.nxt, .flags = TCP_ACK };
    tx->probe = tcb->probe_now;
    if (tx->probe) {
        tx->seq = seq_sub(tcb->snd.una, 1);
    } else if (tcb->fin_now) {
        *tx = (struct tcp_tx){ .seq = seq_sub(tcb->snd.nxt, 1),
                               .flags = TCP_FIN | TCP_ACK,
                               .probe = true };
    }
    return tcb->probe_now || tcb->ack_now;
}

/* Before the handshake is over: RFC 7413's children send text behind their SYN-ACK, but
 * nothing again (s4.2.2: who is there is not known). */
static bool next_opening(const struct tcb *tcb, struct tcp_tx *tx)
{
    if (next_syn(tcb, tx))
        return true;
    if (tcb->state != TCPS_SYN_RECEIVED)
        return false;
    return (tcb->fast.child && next_new(tcb, tx)) || next_bare(tcb, tx);
}

/* All has left that there is, nothing of it is lost, and no ACK is owed. */
static bool owes_nothing(const struct tcb *tcb)
{
    bool text = seq_lt(tcb->snd.nxt, snd_end(tcb)) || tcb->sent.bytes[SENT_LOST] > 0;
    bool fin = tcb->snd.fin && !fin_sent(tcb);

    return !text && !fin && !tcb->ack_now && !tcb->probe_now;
}

static bool next(const struct tcb *tcb, struct tcp_tx *tx)
{
    *tx = (struct tcp_tx){ 0 };
    if (tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT)
        return false;
    if (tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED)
        return next_opening(tcb, tx);
    if (owes_nothing(tcb))
        return false;
    if (!next_lost(tcb, tx) && !next_new(tcb, tx))
        return next_bare(tcb, tx);
    tcp_urgent_cut(tcb, tx);
    return true;
}

bool tcp_next_tx(const struct tcb *tcb, struct tcp_tx *tx)
{
    if (!next(tcb, tx))
        return false;
    tcp_ecn_mark(tcb, tx);
    return true;
}

/* RFC 5681 s4.1: after an idle time of more than an RTO the window begins anew, before
 * it is decided how much leaves. */
static void restart_after_idle(struct tcb *tcb)
{
    const struct tcp_config *c = &tcb->tcp->config;
    usec idle = tcb->tcp->net->now - tcb->snd.last;

    if (!c->slow_start_after_idle || tcb->snd.last == NEVER)
        return;
    if (!seq_lt(tcb->snd.nxt, snd_end(tcb)) || tcp_window_usable(tcb) == 0)
        return;
    if (!seq_eq(tcb->snd.una, tcb->snd.nxt) || idle <= rtt_rto(&tcb->rtt, 0))
        return;
    uint32_t iw = cc_initial_window(tcb->cc.mss, c->initcwnd);
    tcb->cc.ops->idle(&tcb->cc, iw, idle);
}

/* Every segment acknowledges: what was owed is granted (RFC 5681 s4.2, MUST-ack-one).
 */
static void ack_sent(struct tcb *tcb, uint32_t wnd)
{
    struct counters *c = &tcb->tcp->net->count;
    uint32_t before = seq_len(tcb->rcv.acked, tcb->rcv.adv); /* as told last */

    if (before == 0 && wnd > 0)
        count(c, COUNT_TcpExtTCPFromZeroWindowAdv);
    if (before > 0 && wnd == 0)
        count(c, COUNT_TcpExtTCPToZeroWindowAdv);
    tcb->rcv.adv = seq_add(tcb->rcv.nxt, wnd);
    tcb->rcv.max_wnd = max_u32(tcb->rcv.max_wnd, wnd);
    tcb->rcv.acked = tcb->rcv.nxt;
    tcb->ts.last_ack = tcb->rcv.nxt;
    tcb->rcv.segs = 0;
    tcb->rcv.dsack.to = tcb->rcv.dsack.from;
    tcb->ack_now = tcb->fin_now = false;
    tcp_arm(tcb, TT_DELACK, NEVER);
}

static bool probes_tail(const struct tcb *tcb)
{
    return tcb->tlp.out && tcb->recovery != RECOVERY_RTO;
}

static void trace_again(const struct tcb *tcb, const struct tcp_tx *tx)
{
    const struct trace *trace = &tcb->tcp->net->trace;
    struct trace_event e = { .at = tcb->tcp->net->now, .kind = TRACE_REXMIT };

    if (!trace_on(trace))
        return;
    tcp_trace_tuple(&tcb->slot, &e.u.rexmit.tuple);
    e.u.rexmit.seq = tx->seq.n;
    e.u.rexmit.len = tx->text;
    e.u.rexmit.why = tcb->recovery == RECOVERY_FAST ? "fast retransmit"
                     : probes_tail(tcb)             ? "tail loss probe"
                                                    : "RTO";
    trace_emit(trace, &e);
}

/* A lost range left again. */
static void sent_lost(struct tcb *tcb, const struct tcp_tx *tx, struct seq to,
                      uint32_t segs)
{
    struct counters *c = &tcb->tcp->net->count;

    sent_again(&tcb->sent, tx->seq, to, tcb->tcp->net->now);
    tcb->rexmit_now = false;
    tcb->total_retrans += segs;
    tcb->bytes_retrans += tx->text;
    count_n(c, COUNT_TcpRetransSegs, segs);
    if (tx->flags & TCP_SYN)
        count(c, COUNT_TcpExtTCPSynRetrans);
    else if (tcb->recovery == RECOVERY_FAST)
        count_n(c, COUNT_TcpExtTCPFastRetrans, segs);
    else if (!probes_tail(tcb))
        count_n(c, COUNT_TcpExtTCPSlowStartRetrans, segs);
}

/* A new range left. */
static void sent_new(struct tcb *tcb, const struct tcp_tx *tx, struct seq to,
                     uint32_t size)
{
    if (seq_eq(tcb->snd.una, tcb->snd.nxt))
        tcb->snd.idle += tcb->tcp->net->now - tcb->snd.emptied;
    sent_add(&tcb->sent, tx->seq, to, tcb->tcp->net->now);
    if (tx->flags & TCP_PSH)
        sent_push(&tcb->sent);
    tcb->snd.nxt = to;
    if (tcb->tlp.now)
        tcb->tlp.end = to;
    tcb->tlp.now = false;
    push_sent(&tcb->snd.push, to);
    if (tx->text % size != 0)
        tcb->snd.small_end = to;
    if (tx->text == 0)
        return;
    tcb->snd.last = tcb->tcp->net->now;
    if (tcb->bytes_received > 0)
        tcb->rcv.answered = true; /* ACKs may ride on our text */
    count_n(&tcb->tcp->net->count, COUNT_TcpExtTCPOrigDataSent,
            (tx->text + size - 1) / size);
}

/* tx left: everything that follows from that. */
static void sent(struct tcb *tcb, const struct tcp_tx *tx, uint32_t size, uint32_t wnd)
{
    uint32_t segs = tx->text > size ? (tx->text + size - 1) / size : 1;
    struct seq to = seq_add(tx->seq, tx->text + !!(tx->flags & (TCP_SYN | TCP_FIN)));

    tcb->segs_out += segs;
    tcb->bytes_sent += tx->text;
    tcb->data_segs_out += tx->text ? segs : 0;
    count_n(&tcb->tcp->net->count, COUNT_TcpOutSegs, segs);
    if (tx->flags & TCP_ACK)
        ack_sent(tcb, wnd);
    tcp_ecn_sent(tcb, tx);
    if (tx->probe)
        tcb->probe_now = false;
    if (tx->again)
        sent_lost(tcb, tx, to, segs);
    else if (!seq_eq(to, tx->seq) && !tx->probe)
        sent_new(tcb, tx, to, size);
    tcp_prr_sent(tcb, tx->text);
    if (tx->text)
        tcb->push_now = false;
}

/* Carries tx out. False: the link takes nothing now. */
static bool tcp_emit(struct tcb *tcb, const struct tcp_tx *tx)
{
    bool syn = tx->flags & TCP_SYN;
    uint32_t wnd = syn ? tcp_first_window(tcb->rcv.limit, tcb->opt.window_clamp)
                       : tcp_window_offer(tcb);
    /* RFC 9293 s3.9.1.1 (MUST-45) */
    struct ip_out how = { .src = tcb->slot.local,
                          .dst = tcb->slot.remote,
                          .proto = IP_PROTO_TCP,
                          .opt = tcb->opt.ip };
    struct tcp_seg seg = {
        .src_port = tcb->slot.local_port,
        .dst_port = tcb->slot.remote_port,
        .seq = tx->seq,
        .ack = tx->flags & TCP_ACK ? tcb->rcv.nxt : seq_at(0),
        .flags = tx->flags,
        /* RFC 7323 s2.2, s2.3 (MUST-wscale-out) */
        .wnd = (uint16_t)(syn ? wnd : wnd >> tcb->rcv.wscale),
        .text_len = tx->text,
    };

    /* RFC 9293 s3.9.1.9 (SHLD-22) */
    how.opt.tos = tcp_ecn_tos(how.opt.tos, tx->ect);
    (syn ? tcp_syn_options : tcp_segment_options)(tcb, &seg.opts);
    uint32_t size = syn ? tcb->snd.mss : size_beside(tcb, &seg.opts);
    tcp_urgent_point(tcb, &seg);
    if (tx->again)
        trace_again(tcb, tx);
    /* Any other failure is a loss like one on the way: the timer repairs it. */
    if (tcp_xmit(tcb->tcp, &how, &seg, tcb, size) == -EAGAIN) {
        tcb->blocked = true;
        return false;
    }
    sent(tcb, tx, size, wnd);
    return true;
}

/* One of these runs while anything is owed by the peer or by us: retransmission while
 * something is out, persist while something could be sent but for the window. A SYN
 * that could not leave counts as out: it is tried again as if it had been lost. */
static void arm_timers(struct tcb *tcb, bool fresh)
{
    usec now = tcb->tcp->net->now;
    bool unsent_syn = seq_eq(tcb->snd.nxt, tcb->snd.iss);
    bool out = !seq_eq(tcb->snd.una, tcb->snd.nxt) || unsent_syn;
    bool pending = seq_lt(tcb->snd.nxt, snd_end(tcb)) ||
                   (tcb->snd.fin && !fin_sent(tcb));

    if (tcp_fastopen_waits(tcb))
        return;
    if (out && tcb->at[TT_REXMT] == NEVER) /* RFC 6298 s5.1 */
        tcp_arm(tcb, TT_REXMT, now + tcp_rto(tcb));
    if (!out)
        tcp_arm(tcb, TT_REXMT, NEVER);
    if (fresh)
        tcp_tlp_schedule(tcb);
    if (out || !pending)
        tcp_arm(tcb, TT_PERSIST, NEVER);
    else if (tcb->at[TT_PERSIST] == NEVER)
        /* RFC 9293 s3.8.6.1 (SHLD-29); or congestion holds it (tcp_ecn_pause) */
        tcp_arm(tcb, TT_PERSIST,
                now < tcb->ecn.pause ? tcb->ecn.pause
                                     : now + rtt_rto(&tcb->rtt, tcb->backoff));
}

/* RFC 5681 s3.1 by way of RFC 7661: cwnd grows only if it is what held the sender. */
static bool held_by_cwnd(const struct tcb *tcb)
{
    bool waiting = seq_lt(tcb->snd.nxt, snd_end(tcb)) || tcb->sent.bytes[SENT_LOST] > 0;
    return tcp_cwnd_room(tcb) < (waiting ? tcb->cc.mss : 1);
}

/* Asked when new text left, or would have but for cwnd. What is found holds until that
 * window is acknowledged: ACKs of its rest, when there is nothing more to send, are
 * ACKs of a window that was full. */
static void note_use_of_window(struct tcb *tcb, bool left)
{
    uint32_t out = seq_len(tcb->snd.una, tcb->snd.nxt);
    bool held = held_by_cwnd(tcb), known = seq_lt(tcb->snd.una, tcb->most_upto);

    if (!held && !left)
        return;
    if (!held && known && (tcb->cwnd_limited || out <= tcb->most_out))
        return;
    tcb->cwnd_limited = held;
    tcb->most_out = out;
    tcb->most_upto = tcb->snd.nxt;
}

/* As tcp_next_tx(), but nothing that needs a record if there is no memory for one: a
 * timer tries again, and what is owed to the peer leaves all the same. */
static bool next_recorded(struct tcb *tcb, struct tcp_tx *tx)
{
    bool ended = tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT;

    if (sent_reserve(&tcb->sent))
        return tcp_next_tx(tcb, tx);
    if (ended || tcb->state == TCPS_SYN_SENT || !next_bare(tcb, tx))
        return false;
    tcp_ecn_mark(tcb, tx);
    return true;
}

void tcp_output(struct tcb *tcb)
{
    struct tcp_tx tx;
    uint32_t turn = 0;
    struct seq before = tcb->snd.nxt;

    bool backlogged = tcp_backlogged(tcb);
    tcb->blocked = false;
    tcp_sync_mss(tcb);
    restart_after_idle(tcb);
    while (turn < TURN && next_recorded(tcb, &tx) && tcp_emit(tcb, &tx))
        turn += 1 + tx.text / TCP_TX_PACKET;
    tcp_busy_update(tcb);
    if (backlogged && !tcp_backlogged(tcb))
        watch_wake(&tcb->tcp->net->woken, &tcb->watch);
    if (tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT)
        return;
    if (seq_lt(tcb->snd.iss, tcb->snd.una) && !seq_eq(tcb->snd.una, tcb->snd.nxt))
        note_use_of_window(tcb, !seq_eq(before, tcb->snd.nxt));
    arm_timers(tcb, !seq_eq(before, tcb->snd.nxt));
    if (turn >= TURN && !tcb->blocked)
        tcp_dirty(tcb);
}

static void reap(struct tcp *tcp)
{
    for (struct list *n = list_pop(&tcp->dead); n; n = list_pop(&tcp->dead))
        tcb_free(list_entry(n, struct tcb, node));
}

bool tcp_owes(const struct tcp *tcp)
{
    return !list_empty(&tcp->dirty) || !list_empty(&tcp->dead);
}

void tcp_flush(struct tcp *tcp)
{
    struct list round;

    list_move(&round, &tcp->dirty);
    for (struct list *n = list_pop(&round); n; n = list_pop(&round))
        tcp_output(list_entry(n, struct tcb, dirty));
    reap(tcp);
}

void tcp_writable(struct tcp *tcp, struct netif *nif)
{
    nif->blocked = false;
    list_each (at, &tcp->all) {
        struct tcb *tcb = list_entry(at, struct tcb, all);
        if (!tcb->blocked)
            continue;
        tcp_refit_link(tcb);
        tcp_dirty(tcb);
    }
}
