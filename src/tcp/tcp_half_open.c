/* A half-open entry: what stands between a SYN and a connection.
 *
 * It has a deadline of its own, on which the SYN-ACK is repeated, and its own short
 * list of steps. The acceptable ACK turns it into a tcb, and that segment goes on
 * through the tcb's steps with whatever text and FIN it carries. When the accept queue
 * is full the ACK is dropped, as on Linux: the peer sends again, and by then there may
 * be room. */
#include <errno.h>

#include "base/bytes.h"
#include "tcp/tcb.h"
#include "tcp/tcp_cookie.h"

static void stamp(const struct tcp_half_open *h, struct tcp_opts *out)
{
    struct tcp *tcp = h->listener->tcp;

    out->has_ts = tcp->config.timestamps && h->opts.has_ts;
    if (!out->has_ts)
        return;
    out->ts_val = h->cookie ? tcp_cookie_stamp(tcp, &h->slot, &h->opts, h->ecn)
                            : tcp_ts_now(tcp, tcp_ts_offset(tcp, &h->slot));
    out->ts_ecr = h->ts_recent;
}

/* What the SYN-ACK says: RFC 9293 s3.7.1, RFC 7323 s2.3 (SHLD-wscale-answer) and s3.2,
 * RFC 2018 s2: only what the SYN had. */
void tcp_send_syn_ack(struct tcp_half_open *h)
{
    struct tcp *tcp = h->listener->tcp;
    const struct tcp_config *c = &tcp->config;
    const struct tcp_options *o = &h->listener->options;
    struct tcp_reply r = { .slot = &h->slot,
                           .seq = h->iss,
                           .ack = seq_add(h->irs, 1),
                           .flags = TCP_SYN | TCP_ACK,
                           .ip = &o->ip };

    if (h->ecn) /* RFC 3168 s6.1.1 */
        r.flags |= TCP_ECE;
    r.wnd = tcp_first_window(o->rcvbuf, o->window_clamp);
    r.opts.has_mss = true; /* RFC 9293 s3.7.1 (MUST-14, SHLD-5, MAY-3) */
    r.opts.mss = tcp_our_mss(tcp, h->slot.remote, o->maxseg);
    r.opts.sack_ok = c->sack && h->opts.sack_ok;
    r.opts.has_wscale = c->window_scaling && h->opts.has_wscale;
    r.opts.wscale = h->wscale; /* RFC 7323 s2.3 (MUST-wscale-ours) */
    stamp(h, &r.opts);
    if (h->resent == 0) /* RFC 7413 s4.2.2; perhaps it is what was not liked */
        r.opts.fastopen = h->opts.fastopen;
    tcp_reply(tcp, &r);
}

static usec syn_ack_timeout(const struct tcp_half_open *h)
{
    const struct tcp_config *c = &h->listener->tcp->config;
    usec rto = c->rto_initial << h->timeouts;
    return usec_min(rto, c->rto_max);
}

void tcp_half_open_arm(struct tcp_half_open *h)
{
    struct net *net = h->listener->tcp->net;
    heap_set(&net->heap, &h->deadline, net->now + syn_ack_timeout(h));
}

void tcp_name_half_open(struct tcp_slot *slot, const struct ip_info *ip,
                        const struct tcp_seg *seg)
{
    *slot = (struct tcp_slot){ .kind = SLOT_HALF_OPEN,
                               .local = ip->dst,
                               .remote = ip->src,
                               .local_port = seg->dst_port,
                               .remote_port = seg->src_port };
}

struct tcp_half_open *tcp_half_open_new(struct tcp_listener *l,
                                        const struct ip_info *ip,
                                        const struct tcp_seg *seg)
{
    struct tcp *tcp = l->tcp;
    struct tcp_half_open *h = slab_new_zero(&tcp->pools.half_opens);

    if (!h || !heap_reserve(&tcp->net->heap, 1)) {
        slab_free(&tcp->pools.half_opens, h);
        return NULL;
    }
    tcp_name_half_open(&h->slot, ip, seg);
    h->listener = l;
    h->irs = seg->seq;
    h->opts = seg->opts;
    h->ts_recent = seg->opts.ts_val;
    h->wnd = seg->wnd;
    h->ecn = tcp_ecn_agrees(tcp, seg);
    h->sent_at = tcp->net->now;
    h->oow_ack_at = -tcp->config.invalid_ratelimit;
    h->wscale = tcp_our_wscale(tcp, l->options.rcvbuf, l->options.window_clamp);
    h->iss = tcp_isn(tcp, &h->slot);
    deadline_init(&h->deadline, DL_HALF_OPEN);
    list_add_tail(&l->half_open, &h->node);
    l->n_half_open++;
    tcp_hash(tcp, &h->slot); /* the look-up that led here found the four-tuple free */
    return h;
}

void tcp_half_open_free(struct tcp_half_open *h)
{
    struct tcp *tcp = h->listener->tcp;

    tcp_unhash(tcp, &h->slot);
    heap_remove(&tcp->net->heap, &h->deadline);
    list_del(&h->node);
    h->listener->n_half_open--;
    slab_free(&tcp->pools.half_opens, h);
}

void tcp_half_open_fails(struct tcp_half_open *h)
{
    struct tcp *tcp = h->listener->tcp;

    count(&tcp->net->count, COUNT_TcpAttemptFails);
    tcp_trace_arrow(tcp, &h->slot, TCPS_SYN_RECEIVED, TCPS_CLOSED);
    tcp_half_open_free(h);
}

/* Whatever the network says of our SYN-ACK, there is nobody to be told: the peer may
 * begin anew. */
void tcp_half_open_error(struct tcp_half_open *h, const struct net_error *err)
{
    struct counters *c = &h->listener->tcp->net->count;

    if (!seq_eq(err->seq, h->iss)) {
        count(c, COUNT_TcpExtOutOfWindowIcmps);
    } else if (err->redirect) {
        redirect_learn(h->listener->tcp->net, err);
    } else if (err->error != -EMSGSIZE) {
        count(c, COUNT_TcpExtListenDrops);
        tcp_half_open_fails(h);
    }
}

/* --- a half-open entry's steps --- */

/* Where we stand; not to everything, or a peer that answers it would be answered. */
static void half_open_ack(struct tcp_half_open *h, const struct tcp_seg *seg)
{
    struct tcp_reply r = { .slot = &h->slot,
                           .ip = &h->listener->options.ip,
                           .seq = seq_add(h->iss, 1),
                           .ack = seq_add(h->irs, 1),
                           .flags = TCP_ACK };
    bool scaled = h->listener->tcp->config.window_scaling && h->opts.has_wscale;
    const struct tcp_options *o = &h->listener->options;
    uint32_t wnd = tcp_first_window(o->rcvbuf, o->window_clamp);

    if (!tcp_may_answer(h->listener->tcp, seg, &h->oow_ack_at))
        return;
    r.wnd = (uint16_t)(scaled ? wnd >> h->wscale : wnd); /* RFC 7323 s2.3 */
    stamp(h, &r.opts);                                   /* s3.2 */
    tcp_reply(h->listener->tcp, &r);
}

/* RFC 7323 s5.3 R1; a SYN or RST is not judged by its timestamp. */
static bool half_open_paws(const struct tcp_half_open *h, const struct tcp_seg *seg)
{
    if ((seg->flags & (TCP_SYN | TCP_RST)) || !seg->opts.has_ts || !h->opts.has_ts)
        return false;
    return (int32_t)(seg->opts.ts_val - h->ts_recent) < 0;
}

/* First: the sequence number. The SYN once more means that our SYN-ACK was lost. */
static bool half_open_sequence(struct tcp_half_open *h, struct tcp_seg *seg)
{
    const struct tcp_options *o = &h->listener->options;
    uint32_t wnd = tcp_first_window(o->rcvbuf, o->window_clamp);

    bool again = (seg->flags & (TCP_SYN | TCP_RST)) == TCP_SYN;

    if (half_open_paws(h, seg)) {
        count(&h->listener->tcp->net->count, COUNT_TcpExtPAWSEstab);
        half_open_ack(h, seg);
        return tcp_reject(seg, DROP_TCP_PAWS);
    }
    if (again && seq_eq(seg->seq, h->irs)) {
        tcp_send_syn_ack(h);
        return tcp_reject(seg, DROP_TCP_DUPLICATE);
    }
    if (seq_within(seg->seq, seq_add(h->irs, 1), wnd))
        return true;
    if (!(seg->flags & TCP_RST))
        half_open_ack(h, seg);
    return tcp_reject(seg, seq_leq(seg->seq, h->irs) ? DROP_TCP_OLD_SEQ
                                                     : DROP_TCP_FUTURE_SEQ);
}

/* Second and fourth: RST (RFC 5961 s3.2), back to LISTEN (RFC 9293 s3.5, MUST-11), and
 * SYN. */
static bool half_open_rst_syn(struct tcp_half_open *h, struct tcp_seg *seg)
{
    if (!(seg->flags & (TCP_RST | TCP_SYN)))
        return true;
    bool exact = seq_eq(seg->seq, seq_add(h->irs, 1));
    if ((seg->flags & TCP_RST) && (exact || h->listener->tcp->config.insecure_rst)) {
        tcp_half_open_fails(h);
        return false;
    }
    half_open_ack(h, seg);
    return tcp_reject(seg, seg->flags & TCP_RST ? DROP_TCP_RST_CHALLENGED
                                                : DROP_TCP_SYN_CHALLENGED);
}

/* Fifth: the ACK of our SYN, and nothing else. */
static bool half_open_check_ack(struct tcp_half_open *h, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_ACK))
        return tcp_reject(seg, DROP_TCP_NO_ACK);
    if (seq_eq(seg->ack, seq_add(h->iss, 1)))
        return true;
    const struct tcp_reply rst = { .slot = &h->slot,
                                   .seq = seg->ack,
                                   .flags = TCP_RST };
    tcp_reply(h->listener->tcp, &rst);
    return tcp_reject(seg, DROP_TCP_BAD_ACK);
}

/* TCP_DEFER_ACCEPT: a bare ACK makes no connection; text, or a FIN, does, and so does
 * whatever comes when the time is over. */
static bool half_open_deferred(struct tcp_half_open *h, struct tcp_seg *seg)
{
    bool bare = seg->text_len == 0 && !(seg->flags & TCP_FIN);

    if (h->cookie || !bare || h->timeouts >= h->listener->options.defer_accept)
        return true;
    h->acked = true;
    count(&h->listener->tcp->net->count, COUNT_TcpExtTCPDeferAcceptDrop);
    return tcp_reject(seg, DROP_TCP_DEFERRED);
}

static bool accept_queue_full(struct tcp_half_open *h, struct tcp_seg *seg)
{
    struct tcp_listener *l = h->listener;
    struct tcp *tcp = l->tcp;

    if (l->n_accept < l->backlog)
        return false;
    count(&tcp->net->count, COUNT_TcpExtListenOverflows);
    count(&tcp->net->count, COUNT_TcpExtListenDrops);
    tcp_reject(seg, DROP_TCP_BACKLOG);
    if (tcp->config.abort_on_overflow) {
        const struct tcp_reply rst = { .slot = &h->slot,
                                       .seq = seg->ack,
                                       .flags = TCP_RST };
        tcp_reply(tcp, &rst);
        tcp_half_open_free(h);
    }
    return true;
}

/* What both SYNs said becomes the connection. */
static void inherit(struct tcb *tcb, const struct tcp_half_open *h,
                    const struct tcp_seg *seg)
{
    struct tcp_opts agreed = h->opts;

    /* A peer that offered timestamps and then leaves them out of its ACK is taken at
     * its deeds; dropping all its segments would leave it half-open for ever. */
    agreed.has_ts = h->opts.has_ts && seg->opts.has_ts;
    tcb->passive = true;
    tcb->ecn.ok = h->ecn;
    tcb->syn_resent = h->resent > 0;
    tcb->rcv.irs = h->irs;
    tcb->rcv.nxt = tcb->rcv.acked = seq_add(h->irs, 1);
    tcp_fit_link(tcb);
    tcb->rcv.adv = seq_add(tcb->rcv.nxt,
                           tcp_first_window(tcb->opt.rcvbuf, tcb->opt.window_clamp));
    tcb->snd.iss = h->iss;
    tcb->snd.una = tcb->snd.nxt = tcb->snd.buf_seq = seq_add(h->iss, 1);
    tcp_agree_options(tcb, &agreed);
    tcb->rcv.wscale = tcb->wscale_ok ? h->wscale : 0;
    tcb->ts.recent = h->ts_recent;
    tcb->ts.offset = tcp_ts_offset(tcb->tcp, &tcb->slot);
    tcb->ts.last_ack = tcb->rcv.nxt;
    if (h->resent == 0 && !h->cookie && !h->acked)
        rtt_sample(&tcb->rtt, tcb->tcp->net->now - h->sent_at);
}

/* The tcb has its four-tuple and all that it knew. NULL: no memory. */
static struct tcb *replace(struct tcp_half_open *h, const struct tcp_seg *seg)
{
    struct tcp_listener *l = h->listener;
    struct tcb *tcb = tcb_new(l->tcp, &l->options);

    if (!tcb)
        return NULL;
    tcp_begin_half_open(tcb);
    tcp_rehash(l->tcp, &h->slot, &tcb->slot);
    inherit(tcb, h, seg);
    tcp_half_open_free(h);
    return tcb;
}

static void await_accept(struct tcb *tcb, struct tcp_listener *l)
{
    tcb->listener = l;
    list_add_tail(&l->accept, &tcb->node);
    l->n_accept++;
    l->arrived++;
    count(&l->tcp->net->count, COUNT_TcpPassiveOpens);
    watch_wake(&l->tcp->net->woken, &l->watch);
}

static struct tcb *become_connection(struct tcp_half_open *h, struct tcp_seg *seg)
{
    struct tcp_listener *l = h->listener;
    struct tcb *tcb = replace(h, seg);

    if (!tcb) {
        tcp_reject(seg, DROP_TCP_MEMORY);
        return NULL;
    }
    tcp_established(tcb, seg);
    await_accept(tcb, l);
    return tcb;
}

/* RFC 7413 s4.2.2: a connection before the handshake is over, whose SYN-ACK is its own
 * to send. NULL: no memory, h stands. */
struct tcb *tcp_half_open_child(struct tcp_half_open *h, struct tcp_seg *syn)
{
    struct tcp_listener *l = h->listener;
    struct tcp_fastopen_opt answer = h->opts.fastopen;
    struct tcb *tcb = replace(h, syn);

    if (!tcb)
        return NULL;
    tcb->snd.una = tcb->snd.nxt = tcb->snd.iss;
    rtt_init(&tcb->rtt, l->tcp->config.rto_initial, l->tcp->config.rto_min,
             l->tcp->config.rto_max); /* no round trip was seen */
    tcb->fast.opt = answer;
    tcp_begin_transfer(tcb, syn);
    tcb->snd.wnd++; /* it counts from SND.UNA, where our SYN is */
    await_accept(tcb, l);
    tcp_fastopen_take_syn(tcb, l, syn);
    return tcb;
}

/* The connection that it became, for the segment to go on with; or NULL. */
struct tcb *tcp_half_open_input(struct tcp_half_open *h, struct tcp_seg *seg)
{
    if (!half_open_sequence(h, seg))
        return NULL;
    if (!half_open_rst_syn(h, seg))
        return NULL;
    if (!half_open_check_ack(h, seg))
        return NULL;
    if (!half_open_deferred(h, seg))
        return NULL;
    if (accept_queue_full(h, seg))
        return NULL;
    return become_connection(h, seg);
}

/* RFC 9293 s3.8.3: the SYN-ACK once more, TCP_SYNCNT or tcp_synack_retries times. While
 * text is waited for (TCP_DEFER_ACCEPT) there is nobody to be asked; the last time is a
 * last chance, whose ACK is taken. */
void tcp_half_open_fire(struct tcp_half_open *h)
{
    struct tcp *tcp = h->listener->tcp;

    const struct tcp_options *o = &h->listener->options;
    uint8_t most = o->syncnt ? o->syncnt : tcp->config.synack_retries;
    bool waits = h->acked && h->timeouts < o->defer_accept;

    if (h->timeouts >= most && !waits) {
        tcp_half_open_fails(h);
        return;
    }
    h->timeouts++;
    if (h->acked && h->timeouts < o->defer_accept) {
        tcp_half_open_arm(h);
        return;
    }
    h->resent++;
    count(&tcp->net->count, COUNT_TcpRetransSegs);
    count(&tcp->net->count, COUNT_TcpExtTCPSynRetrans);
    count(&tcp->net->count, COUNT_TcpExtTCPTimeouts);
    tcp_send_syn_ack(h);
    tcp_half_open_arm(h);
}
