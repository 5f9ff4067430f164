/* LISTEN: the user's side of it, and what becomes of a segment for a listener.
 *
 *   SYN --> half-open entry --SYN-ACK--> ... <--ACK-- connection --> accept queue -->
 * user
 *
 * A SYN costs an entry of some 200 bytes, not a connection (Plan 9's limbo), which has
 * steps of its own: tcp_half_open.c.
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

/* RFC 9293 s3.9.1.1 (MUST-41): a new record, or an error. */
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
    list_init(&l->children);
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

uint32_t tcp_accept_arrivals(const struct tcp_listener *l)
{
    return l->arrived;
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
    while (list_pop(&l->children)) /* accepted already: on their own from now on */
        ;
    list_del(&l->watch.node);
    list_del(&l->node);
    free(l);
}

/* --- a SYN comes --- */

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
    tcp_half_open_fails(oldest);
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

    tcp_name_half_open(&h.slot, ip, seg);
    h.iss = tcp_cookie_make(tcp, &h.slot, seg->seq, mss);
    h.ts_recent = seg->opts.ts_val;
    h.wscale = tcp_our_wscale(tcp, l->options.rcvbuf, l->options.window_clamp);
    h.cookie = true;
    /* Without timestamps nothing can bring these back. */
    h.opts.sack_ok &= seg->opts.has_ts;
    h.opts.has_wscale &= seg->opts.has_ts;
    h.ecn = seg->opts.has_ts && tcp->config.timestamps && tcp_ecn_agrees(tcp, seg);
    tcp->cookie_sent_at = tcp->net->now;
    count(&tcp->net->count, COUNT_TcpExtSyncookiesSent);
    tcp_send_syn_ack(&h);
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
    struct tcp_half_open *h = tcp_half_open_new(l, ip, seg);
    if (!h) {
        tcp_reject(seg, DROP_TCP_MEMORY);
        return;
    }
    if (iss)
        h->iss = seq_max(h->iss, *iss);
    tcp_trace_arrow(l->tcp, &h->slot, TCPS_LISTEN, TCPS_SYN_RECEIVED);
    if (tcp_fastopen_admits(h, seg) && tcp_half_open_child(h, seg))
        return;
    tcp_send_syn_ack(h);
    tcp_half_open_arm(h);
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

    tcp_name_half_open(&slot, ip, seg);
    if (!tcp_cookie_check(tcp, &slot, syn.seq, iss, &syn.opts.mss)) {
        count(&tcp->net->count, COUNT_TcpExtSyncookiesFailed);
        return NULL;
    }
    count(&tcp->net->count, COUNT_TcpExtSyncookiesRecv);
    if (tcp_cookie_options(tcp, &slot, &seg->opts, &syn.opts))
        syn.flags = TCP_ECE | TCP_CWR;
    struct tcp_half_open *h = tcp_half_open_new(l, ip, &syn);
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
