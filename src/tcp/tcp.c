/* TCP as a whole: its tunables' defaults, its tables, and the life of a tcb.
 *
 * A tcb is made by a user (tcp_new) or when a half-open entry is completed. Until it is
 * released it belongs to a socket or to an accept queue; from then on it closes by
 * itself. One that is both closed and unowned goes to `dead` and is freed at the end of
 * the event (tcp_flush), so that whoever is in the middle of a step may still look at
 * it. */
#include "tcp/tcp.h"

#include <errno.h>

#include "tcp/tcb.h"
#include "tcp/tcp_cookie.h"

enum { KEEP = 1 << 20 }; /* bytes of free blocks kept, of each kind */

void tcp_config_default(struct tcp_config *c)
{
    *c = (struct tcp_config){
        .sack = true,
        .timestamps = true,
        .window_scaling = true,
        .dsack = true,
        .ecn = 2,
        .ecn_fallback = true,
        .prr = true,
        .slow_start_after_idle = true,
        .tw_reuse = true,
        .limited_transmit = true,
        .rfc1337 = true,
        .timewait_syn = true,
        .epipe_on_reset = true,
        .ack_unsent = true,
        .drop_synfin = SYNFIN_LISTENERS,
        .option_layout = TCP_LAYOUT_LINUX,
        .quickack = 16,
        .syn_retries = 7,
        .synack_retries = 5,
        .base_mss = 1024,
        .mtu_probe_floor = 48,
        .retries1 = 3, /* RFC 9293 s3.8.3 (SHLD-10) */
        .retries2 = 15,
        .orphan_retries = 8,
        .reordering = 3,
        .initcwnd = 10,
        .rto_initial = USEC_PER_SEC,
        .rto_min = 200 * USEC_PER_MS,
        .rto_max = 120 * USEC_PER_SEC, /* RFC 6298 s2.5 (MAY-rto-max) */
        .delack = 40 * USEC_PER_MS,    /* RFC 9293 s3.8.6.3 (MUST-40) */
        .fin_timeout = 60 * USEC_PER_SEC,
        .msl2 = 60 * USEC_PER_SEC,
        .keepalive_time = 7200 * USEC_PER_SEC, /* RFC 9293 s3.8.4 (MUST-28) */
        .keepalive_intvl = 75 * USEC_PER_SEC,
        .keepalive_probes = 9,
        .rmem_min = 4096,
        .rmem_default = 1 << 20,
        .rmem_max = 6 << 20,
        .wmem_min = 4096,
        .wmem_default = 1 << 20,
        .wmem_max = 4 << 20,
        .max_syn_backlog = 1024,
        .syncookies = COOKIES_WHEN_FULL,
        .challenge_ack_limit = 1000,
        .somaxconn = 4096,
        .max_tw_buckets = 65536,
        .invalid_ratelimit = 500 * USEC_PER_MS,
        .cc = &cc_cubic,
        .notsent_lowat = UINT32_MAX,
        .fastopen = FASTOPEN_CLIENT,
    };
}

static void pools_init(struct tcp_pools *p, struct slab_set *set)
{
    slab_init(&p->tcbs, set, sizeof(struct tcb), KEEP);
    slab_init(&p->half_opens, set, sizeof(struct tcp_half_open), KEEP);
    slab_init(&p->time_waits, set, sizeof(struct tcp_timewait), KEEP);
    slab_init(&p->sents, set, sizeof(struct sent), KEEP);
    ring_pool_init(&p->rings, set);
}

static void pools_done(struct tcp_pools *p)
{
    slab_done(&p->tcbs);
    slab_done(&p->half_opens);
    slab_done(&p->time_waits);
    slab_done(&p->sents);
    ring_pool_done(&p->rings);
}

int tcp_init(struct tcp *tcp, struct net *net)
{
    *tcp = (struct tcp){ .net = net };
    tcp->cookie_sent_at = -COOKIE_LIFE;
    tcp->challenge_since = -USEC_PER_SEC;
    tcp_config_default(&tcp->config);
    tcp_mem_default(&tcp->config, net->pool.limit);
    cc_table_init(&tcp->controllers);
    list_init(&tcp->dirty);
    list_init(&tcp->dead);
    list_init(&tcp->all);
    list_init(&tcp->listeners);
    list_init(&tcp->time_waits);
    pools_init(&tcp->pools, &net->slabs);
    deadline_init(&tcp->tw_deadline, DL_TIME_WAIT);
    /* A program that starts again with the same seed must not take the same ports. */
    tcp->port_offset = (uint32_t)rng_next(&net->rng) + (uint32_t)(net->epoch / 1000);
    if (!heap_reserve(&net->heap, 1))
        return -ENOMEM;
    return tcp_slots_init(tcp);
}

void tcp_free(struct tcp *tcp)
{
    /* Connections first: a listener would reset those that it still has. */
    list_each_safe (at, after, &tcp->all)
        tcb_free(list_entry(at, struct tcb, all));
    while (!list_empty(&tcp->listeners))
        tcp_listener_free(list_entry(tcp->listeners.next, struct tcp_listener, node));
    list_each_safe (at, after, &tcp->time_waits)
        tcp_timewait_free(tcp, list_entry(at, struct tcp_timewait, node));
    tcp_slots_free(tcp);
    pools_done(&tcp->pools);
}

static void timers_off(struct tcb *tcb)
{
    for (int i = 0; i < TT_N; i++)
        tcb->at[i] = NEVER;
}

struct tcb *tcb_new(struct tcp *tcp, const struct tcp_options *opt)
{
    struct tcb *tcb = tcp_mem_admits(tcp) ? slab_new_zero(&tcp->pools.tcbs) : NULL;
    if (!tcb || !heap_reserve(&tcp->net->heap, 1)) {
        slab_free(&tcp->pools.tcbs, tcb);
        return NULL;
    }
    tcb->tcp = tcp;
    tcb->slot.kind = SLOT_TCB;
    tcb->state = TCPS_CLOSED;
    tcb->owned = true;
    tcb->opt = *opt;
    tcb->rcv.limit = opt->rcvbuf;
    tcb->oow_ack_at = -tcp->config.invalid_ratelimit;
    tcb->stalled = tcb->rcv.last_text = NEVER;
    list_init(&tcb->dirty);
    list_init(&tcb->node);
    list_init(&tcb->fast.node);
    list_add_tail(&tcp->all, &tcb->all);
    watch_init(&tcb->watch);
    ring_init(&tcb->snd.buf, &tcp->pools.rings, opt->sndbuf);
    rcvq_init(&tcb->rcv.q);
    sent_init(&tcb->sent, &tcp->pools.sents);
    rtt_init(&tcb->rtt, tcp->config.rto_initial, tcp->config.rto_min,
             tcp->config.rto_max);
    deadline_init(&tcb->deadline, DL_TCB);
    timers_off(tcb);
    tcb->snd.last = NEVER;
    tcp->n_tcb++;
    return tcb;
}

void tcb_free(struct tcb *tcb)
{
    struct tcp *tcp = tcb->tcp;

    tcp_unhash(tcp, &tcb->slot);
    heap_remove(&tcp->net->heap, &tcb->deadline);
    list_del(&tcb->dirty);
    list_del(&tcb->node);
    list_del(&tcb->fast.node);
    list_del(&tcb->all);
    list_del(&tcb->watch.node);
    sent_clear(&tcb->sent);
    rcvq_clear(&tcb->rcv.q);
    ring_free(&tcb->snd.buf);
    tcp_mem_update(tcb);
    tcp_mem_orphan(tcb, false);
    tcp->n_tcb--;
    slab_free(&tcp->pools.tcbs, tcb);
}

void tcp_dirty(struct tcb *tcb)
{
    if (!list_linked(&tcb->dirty))
        list_add_tail(&tcb->tcp->dirty, &tcb->dirty);
}

void tcp_rearm(struct tcb *tcb)
{
    usec first = NEVER;
    for (int i = 0; i < TT_N; i++)
        first = usec_min(first, tcb->at[i]);
    heap_set(&tcb->tcp->net->heap, &tcb->deadline, first);
}

void tcp_arm(struct tcb *tcb, enum tcp_timer which, usec at)
{
    usec was = tcb->at[which];

    tcb->at[which] = at;
    if (was != at && (was == tcb->deadline.at || at < tcb->deadline.at))
        tcp_rearm(tcb); /* else another one comes first, before and after */
}
