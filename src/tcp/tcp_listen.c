/* LISTEN, and what stands between a SYN and a connection.
 *
 *   SYN --> half-open entry --SYN-ACK--> ... <--ACK-- connection --> accept queue -->
 * user
 *
 * A SYN costs an entry of some 200 bytes, not a connection (Plan 9's limbo); the entry
 * has a deadline of its own, on which the SYN-ACK is repeated, and its own short list
 * of steps. The acceptable ACK turns it into a tcb, and that segment goes on through
 * the tcb's steps with whatever text and FIN it carries. When the accept queue is full
 * the ACK is dropped, as on Linux: the peer sends again, and by then there may
 * be room.
 *
 * When there are too many half-open entries a SYN is answered with a cookie
 * (tcp_cookie.c) and nothing is remembered; the ACK that brings it back makes the
 * entry, and goes on as if it had been there. With tcp_syncookies 0 the oldest entry
 * whose SYN-ACK was sent again already makes room: real peers answer the first. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "tcp/tcb.h"
#include "tcp/tcp_cookie.h"

enum { BACKLOG_MIN = 1 };

/* --- the user's side --- */

void tcp_listener_set_backlog(struct tcp_listener *l, unsigned backlog)
{
    l->backlog = max_u32(BACKLOG_MIN, min_u32(backlog, l->tcp->config.somaxconn));
}

static bool overlaps(const struct tcp_listener *l, struct tcp_name name)
{
    return l->port == name.port &&
           (ip_is_any(name.addr) || ip_is_any(l->local) || ip_eq(l->local, name.addr));
}

int tcp_listen(struct tcp *tcp, struct tcp_name local, unsigned backlog,
               const struct tcp_options *o, struct tcp_listener **out)
{
    list_each (at, &tcp->listeners) {
        if (overlaps(list_entry(at, struct tcp_listener, node), local))
            return -EADDRINUSE;
    }
    struct tcp_listener *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->tcp = tcp;
    l->local = local.addr;
    l->port = local.port;
    l->options = *o;
    tcp_listener_set_backlog(l, backlog);
    watch_init(&l->watch);
    list_init(&l->half_open);
    list_init(&l->accept);
    list_add_tail(&tcp->listeners, &l->node);
    *out = l;
    return 0;
}

struct watch *tcp_listener_watch(struct tcp_listener *l)
{
    return &l->watch;
}

void tcp_listener_set_options(struct tcp_listener *l, const struct tcp_options *o)
{
    l->options = *o;
}

/* The oldest that still lives: one that was reset while it waited is told of by accept
 * on Linux too, and by the first read here. */
struct tcb *tcp_accept(struct tcp_listener *l)
{
    struct list *first = list_pop(&l->accept);
    if (!first)
        return NULL;
    struct tcb *tcb = list_entry(first, struct tcb, node);
    tcb->listener = NULL;
    l->n_accept--;
    return tcb;
}

size_t tcp_acceptable(const struct tcp_listener *l)
{
    return l->n_accept;
}

bool tcp_listener_has_room(const struct tcp_listener *l)
{
    return l->n_accept < l->backlog && l->n_half_open < l->tcp->config.max_syn_backlog;
}

void tcp_listener_free(struct tcp_listener *l)
{
    while (!list_empty(&l->half_open))
        tcp_half_open_free(list_entry(l->half_open.next, struct tcp_half_open, node));
    for (struct tcb *tcb = tcp_accept(l); tcb; tcb = tcp_accept(l))
        tcp_release(tcb, true);
    list_del(&l->watch.node);
    list_del(&l->node);
    free(l);
}

/* --- a SYN comes --- */

static void stamp(const struct tcp_half_open *h, struct tcp_opts *out)
{
    struct tcp *tcp = h->listener->tcp;

    out->has_ts = tcp->config.timestamps && h->opts.has_ts;
    if (!out->has_ts)
        return;
    out->ts_val = h->cookie ? tcp_cookie_stamp(tcp, &h->slot, &h->opts)
                            : tcp_ts_now(tcp, tcp_ts_offset(tcp, &h->slot));
    out->ts_ecr = h->ts_recent;
}

/* What the SYN-ACK says: RFC 9293 s3.7.1, RFC 7323 s2.2 and s3.2, RFC 2018 s2: only
 * what the SYN had. */
static void send_syn_ack(struct tcp_half_open *h)
{
    struct tcp *tcp = h->listener->tcp;
    const struct tcp_config *c = &tcp->config;
    const struct tcp_options *o = &h->listener->options;
    struct tcp_reply r = { .slot = &h->slot,
                           .seq = h->iss,
                           .ack = seq_add(h->irs, 1),
                           .flags = TCP_SYN | TCP_ACK,
                           .ip = &o->ip };

    r.wnd = (uint16_t)min_u32(o->rcvbuf, UINT16_MAX);
    r.opts.has_mss = true;
    r.opts.mss = tcp_our_mss(tcp, h->slot.remote, o->maxseg);
    r.opts.sack_ok = c->sack && h->opts.sack_ok;
    r.opts.has_wscale = c->window_scaling && h->opts.has_wscale;
    r.opts.wscale = h->wscale;
    stamp(h, &r.opts);
    tcp_reply(tcp, &r);
}

static usec syn_ack_timeout(const struct tcp_half_open *h)
{
    const struct tcp_config *c = &h->listener->tcp->config;
    usec rto = c->rto_initial << h->resent;
    return usec_min(rto, c->rto_max);
}

static void arm(struct tcp_half_open *h)
{
    struct net *net = h->listener->tcp->net;
    heap_set(&net->heap, &h->deadline, net->now + syn_ack_timeout(h));
}

static void name_slot(struct tcp_slot *slot, const struct ip_info *ip,
                      const struct tcp_seg *seg)
{
    *slot = (struct tcp_slot){ .kind = SLOT_HALF_OPEN,
                               .local = ip->dst,
                               .remote = ip->src,
                               .local_port = seg->dst_port,
                               .remote_port = seg->src_port };
}

static struct tcp_half_open *half_open_new(struct tcp_listener *l,
                                           const struct ip_info *ip,
                                           const struct tcp_seg *seg)
{
    struct tcp *tcp = l->tcp;
    struct tcp_half_open *h = slab_new_zero(&tcp->pools.half_opens);

    if (!h || !heap_reserve(&tcp->net->heap, 1)) {
        slab_free(&tcp->pools.half_opens, h);
        return NULL;
    }
    name_slot(&h->slot, ip, seg);
    h->listener = l;
    h->irs = seg->seq;
    h->opts = seg->opts;
    h->ts_recent = seg->opts.ts_val;
    h->wnd = seg->wnd;
    h->sent_at = tcp->net->now;
    h->oow_ack_at = -tcp->config.invalid_ratelimit;
    h->wscale = tcp_our_wscale(tcp, l->options.rcvbuf);
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

static void half_open_fails(struct tcp_half_open *h)
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
    } else if (err->error != -EMSGSIZE) {
        count(c, COUNT_TcpExtListenDrops);
        half_open_fails(h);
    }
}

/* Is there room for one more half-open entry, or can there be made? */
static bool room_for_syn(struct tcp_listener *l)
{
    struct tcp_half_open *oldest;

    if (l->n_half_open < l->tcp->config.max_syn_backlog)
        return true;
    if (list_empty(&l->half_open) || l->tcp->config.syncookies)
        return false;
    oldest = list_entry(l->half_open.next, struct tcp_half_open, node);
    if (oldest->resent == 0)
        return false;
    half_open_fails(oldest);
    return true;
}

/* The accept queue counts for a SYN too: whoever could not be accepted is not
 * answered. */
static bool backlog_full(struct tcp_listener *l)
{
    struct counters *c = &l->tcp->net->count;

    if (l->n_accept < l->backlog)
        return false;
    count(c, COUNT_TcpExtListenOverflows);
    count(c, COUNT_TcpExtListenDrops);
    return true;
}

static void send_cookie(struct tcp_listener *l, const struct ip_info *ip,
                        struct tcp_seg *seg)
{
    struct tcp *tcp = l->tcp;
    struct tcp_half_open h = { .listener = l, .irs = seg->seq, .opts = seg->opts };
    uint16_t mss = seg->opts.has_mss ? seg->opts.mss : 0;

    name_slot(&h.slot, ip, seg);
    h.iss = tcp_cookie_make(tcp, &h.slot, seg->seq, mss);
    h.ts_recent = seg->opts.ts_val;
    h.wscale = tcp_our_wscale(tcp, l->options.rcvbuf);
    h.cookie = true;
    /* Without timestamps nothing can bring these back. */
    h.opts.sack_ok &= seg->opts.has_ts;
    h.opts.has_wscale &= seg->opts.has_ts;
    tcp->cookie_sent_at = tcp->net->now;
    count(&tcp->net->count, COUNT_TcpExtSyncookiesSent);
    send_syn_ack(&h);
}

static void take_syn(struct tcp_listener *l, const struct ip_info *ip,
                     struct tcp_seg *seg, const struct seq *iss)
{
    const struct tcp_config *c = &l->tcp->config;

    if (backlog_full(l)) {
        tcp_reject(seg, DROP_TCP_BACKLOG);
        return;
    }
    if (!tcp_mem_admits(l->tcp)) {
        count(&l->tcp->net->count, COUNT_TcpExtListenDrops);
        tcp_reject(seg, DROP_TCP_MEMORY);
        return;
    }
    bool full = !room_for_syn(l);
    if (!iss && (c->syncookies == COOKIES_ALWAYS || (full && c->syncookies))) {
        send_cookie(l, ip, seg);
        return;
    }
    if (full) {
        count(&l->tcp->net->count, COUNT_TcpExtTCPReqQFullDrop);
        count(&l->tcp->net->count, COUNT_TcpExtListenDrops);
        tcp_reject(seg, DROP_TCP_SYN_QUEUE);
        return;
    }
    struct tcp_half_open *h = half_open_new(l, ip, seg);
    if (!h) {
        tcp_reject(seg, DROP_TCP_MEMORY);
        return;
    }
    if (iss)
        h->iss = seq_max(h->iss, *iss);
    tcp_trace_arrow(l->tcp, &h->slot, TCPS_LISTEN, TCPS_SYN_RECEIVED);
    send_syn_ack(h);
    arm(h);
}

/* --- the ACK of a cookie --- */

/* Cookies are looked for only while one can still be good: a stray ACK costs no
 * hash. */
static bool cookies_about(const struct tcp *tcp)
{
    if (tcp->config.syncookies == COOKIES_ALWAYS)
        return true;
    return tcp->config.syncookies && tcp->net->now - tcp->cookie_sent_at < COOKIE_LIFE;
}

/* The entry that was not made when the SYN came, or NULL: it is no cookie of ours. */
static struct tcp_half_open *entry_from_cookie(struct tcp_listener *l,
                                               const struct ip_info *ip,
                                               const struct tcp_seg *seg)
{
    struct tcp *tcp = l->tcp;
    struct tcp_seg syn = { .src_port = seg->src_port,
                           .dst_port = seg->dst_port,
                           .seq = seq_sub(seg->seq, 1),
                           .wnd = seg->wnd,
                           .opts = { .has_mss = true } };
    struct seq iss = seq_sub(seg->ack, 1);
    struct tcp_slot slot;

    name_slot(&slot, ip, seg);
    if (!tcp_cookie_check(tcp, &slot, syn.seq, iss, &syn.opts.mss)) {
        count(&tcp->net->count, COUNT_TcpExtSyncookiesFailed);
        return NULL;
    }
    count(&tcp->net->count, COUNT_TcpExtSyncookiesRecv);
    tcp_cookie_options(tcp, &slot, &seg->opts, &syn.opts);
    struct tcp_half_open *h = half_open_new(l, ip, &syn);
    if (h) {
        h->iss = iss;
        h->cookie = true;
        tcp_trace_arrow(tcp, &h->slot, TCPS_LISTEN, TCPS_SYN_RECEIVED);
    }
    return h;
}

/* The connection that it became, for the segment to go on with; NULL with seg->drop
 * set, or NULL without: it is no cookie. */
static struct tcb *take_cookie(struct tcp_listener *l, const struct ip_info *ip,
                               struct tcp_seg *seg)
{
    if (!cookies_about(l->tcp) || (seg->flags & TCP_SYN))
        return NULL;
    if (l->n_accept >= l->backlog) { /* it is sent again, with the same cookie */
        backlog_full(l);
        tcp_reject(seg, DROP_TCP_BACKLOG);
        return NULL;
    }
    struct tcp_half_open *h = entry_from_cookie(l, ip, seg);
    if (!h)
        return NULL;
    struct tcb *tcb = tcp_half_open_input(h, seg);
    if (!tcb) /* no memory for a connection: the entry is none without a deadline */
        tcp_half_open_free(h);
    return tcb;
}

/* RFC 9293 s3.10.7.2: RST, ACK, SYN, anything else. */
struct tcb *tcp_listen_input(struct tcp_listener *l, const struct ip_info *ip,
                             struct tcp_seg *seg, const struct seq *iss)
{
    if (seg->flags & TCP_RST) {
        tcp_reject(seg, DROP_TCP_CLOSED_RST);
    } else if (seg->flags & TCP_ACK) {
        struct tcb *tcb = take_cookie(l, ip, seg);
        if (tcb || seg->drop != DROP_N)
            return tcb;
        tcp_reject(seg, DROP_TCP_LISTEN_ACK);
        tcp_reset_reply(l->tcp, ip, seg);
    } else if (!(seg->flags & TCP_SYN)) {
        tcp_reject(seg, DROP_TCP_LISTEN_OTHER);
    } else if ((seg->flags & TCP_FIN) && l->tcp->config.drop_synfin) {
        tcp_reject(seg, DROP_TCP_FLAGS);
    } else {
        take_syn(l, ip, seg, iss);
    }
    return NULL;
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
    uint32_t wnd = min_u32(h->listener->options.rcvbuf, UINT16_MAX);

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
    uint32_t wnd = min_u32(h->listener->options.rcvbuf, UINT16_MAX);

    bool again = (seg->flags & (TCP_SYN | TCP_RST)) == TCP_SYN;

    if (half_open_paws(h, seg)) {
        count(&h->listener->tcp->net->count, COUNT_TcpExtPAWSEstab);
        half_open_ack(h, seg);
        return tcp_reject(seg, DROP_TCP_PAWS);
    }
    if (again && seq_eq(seg->seq, h->irs)) {
        send_syn_ack(h);
        return tcp_reject(seg, DROP_TCP_DUPLICATE);
    }
    if (seq_within(seg->seq, seq_add(h->irs, 1), wnd))
        return true;
    if (!(seg->flags & TCP_RST))
        half_open_ack(h, seg);
    return tcp_reject(seg, seq_leq(seg->seq, h->irs) ? DROP_TCP_OLD_SEQ
                                                     : DROP_TCP_FUTURE_SEQ);
}

/* Second and fourth: RST (RFC 5961 s3.2) and SYN. */
static bool half_open_rst_syn(struct tcp_half_open *h, struct tcp_seg *seg)
{
    if (!(seg->flags & (TCP_RST | TCP_SYN)))
        return true;
    bool exact = seq_eq(seg->seq, seq_add(h->irs, 1));
    if ((seg->flags & TCP_RST) && (exact || h->listener->tcp->config.insecure_rst)) {
        half_open_fails(h);
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
    tcb->syn_resent = h->resent > 0;
    tcb->rcv.irs = h->irs;
    tcb->rcv.nxt = tcb->rcv.acked = seq_add(h->irs, 1);
    tcp_fit_link(tcb);
    tcb->rcv.adv = seq_add(tcb->rcv.nxt, min_u32(tcb->opt.rcvbuf, UINT16_MAX));
    tcb->snd.iss = h->iss;
    tcb->snd.una = tcb->snd.nxt = tcb->snd.buf_seq = seq_add(h->iss, 1);
    tcp_agree_options(tcb, &agreed);
    tcb->rcv.wscale = tcb->wscale_ok ? h->wscale : 0;
    tcb->ts.recent = h->ts_recent;
    tcb->ts.offset = tcp_ts_offset(tcb->tcp, &tcb->slot);
    tcb->ts.last_ack = tcb->rcv.nxt;
    if (h->resent == 0 && !h->cookie)
        rtt_sample(&tcb->rtt, tcb->tcp->net->now - h->sent_at);
}

static struct tcb *become_connection(struct tcp_half_open *h, struct tcp_seg *seg)
{
    struct tcp_listener *l = h->listener;
    struct tcb *tcb = tcb_new(l->tcp, &l->options);

    if (!tcb) {
        tcp_reject(seg, DROP_TCP_MEMORY);
        return NULL;
    }
    tcp_begin_half_open(tcb);
    tcp_rehash(l->tcp, &h->slot, &tcb->slot);
    inherit(tcb, h, seg);
    tcp_half_open_free(h);
    tcp_established(tcb, seg);
    tcb->listener = l;
    list_add_tail(&l->accept, &tcb->node);
    l->n_accept++;
    count(&l->tcp->net->count, COUNT_TcpPassiveOpens);
    watch_wake(&l->tcp->net->woken, &l->watch);
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
    if (accept_queue_full(h, seg))
        return NULL;
    return become_connection(h, seg);
}

/* RFC 9293 s3.8.3: the SYN-ACK once more, tcp_synack_retries times. */
void tcp_half_open_fire(struct tcp_half_open *h)
{
    struct tcp *tcp = h->listener->tcp;

    if (h->resent >= tcp->config.synack_retries) {
        half_open_fails(h);
        return;
    }
    h->resent++;
    count(&tcp->net->count, COUNT_TcpRetransSegs);
    count(&tcp->net->count, COUNT_TcpExtTCPSynRetrans);
    count(&tcp->net->count, COUNT_TcpExtTCPTimeouts);
    send_syn_ack(h);
    arm(h);
}
