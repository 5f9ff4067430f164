/* TIME-WAIT (RFC 9293 s3.6.1): after both FINs the side that closed first remembers the
 * four-tuple for 2 MSL, to answer a FIN that is sent again and to keep old segments out
 * of a new connection. That takes 96 bytes, not a connection.
 *
 *   a FIN again         ACK, and 2 MSL begin anew
 *   RST                 ignored (RFC 1337: the assassination hazard), or with
 *                       net.ipv4.tcp_rfc1337 0 the end of the wait
 *   a new SYN           beyond the old sequence numbers, or with a younger timestamp:
 *                       opens the four-tuple again (RFC 6191, RFC 9293 s3.6.1, MAY-2)
 *   anything else       ACK, but for the last ACK of the connection itself; to what
 *                       has no text once every tcp_invalid_ratelimit, or two ends that
 *                       disagree would answer each other's ACKs for ever
 *
 * All records wait equally long, so they stand in a list in the order of their ends,
 * and one deadline serves them all. At tcp_max_tw_buckets a new one is not made. */
#include <assert.h>

#include "tcp/tcb.h"

enum { ISS_STEP = 65536 * 2 }; /* beyond anything the old connection had in flight */

static_assert(sizeof(struct tcp_timewait) <= 96, "TIME-WAIT records are small");

static struct tcp_timewait *record_of(struct list *node)
{
    return list_entry(node, struct tcp_timewait, node);
}

static void arm(struct tcp *tcp)
{
    bool none = list_empty(&tcp->time_waits);
    usec at = none ? NEVER : record_of(tcp->time_waits.next)->until;
    heap_set(&tcp->net->heap, &tcp->tw_deadline, at);
}

/* RFC 9293 s3.6.1 (MUST-13): 2 MSL from now on, last of all. */
static void begin(struct tcp *tcp, struct tcp_timewait *tw)
{
    tw->until = tcp->net->now + tcp->config.msl2;
    list_del(&tw->node);
    list_add_tail(&tcp->time_waits, &tw->node);
    arm(tcp);
}

static void send_ack(struct tcp *tcp, const struct tcp_timewait *tw)
{
    struct tcp_reply r = {
        .slot = &tw->slot, .seq = tw->snd_nxt, .ack = tw->rcv_nxt, .flags = TCP_ACK
    };

    r.wnd = (uint16_t)(UINT16_MAX >> tw->slot.wscale);
    r.opts.has_ts = tw->slot.ts_on;
    if (r.opts.has_ts) {
        r.opts.ts_val = tcp_ts_now(tcp, tcp_ts_offset(tcp, &tw->slot));
        r.opts.ts_ecr = tw->ts_recent;
    }
    tcp_reply(tcp, &r);
}

static struct tcp_timewait record(const struct tcb *tcb)
{
    struct tcp_timewait tw = { .slot = { .kind = SLOT_TIME_WAIT,
                                         .local = tcb->slot.local,
                                         .remote = tcb->slot.remote,
                                         .local_port = tcb->slot.local_port,
                                         .remote_port = tcb->slot.remote_port,
                                         .ts_on = tcb->ts.on,
                                         .wscale = tcb->rcv.wscale },
                               .snd_nxt = tcb->snd.nxt,
                               .rcv_nxt = tcb->rcv.nxt,
                               .ts_recent = tcb->ts.recent };
    return tw;
}

static struct tcp_timewait *record_new(struct tcp *tcp)
{
    if (tcp->n_time_wait >= tcp->config.max_tw_buckets)
        return NULL;
    return slab_new(&tcp->pools.time_waits);
}

/* tcb hands its four-tuple over to a record; what ACK it owes, the record sends. Where
 * there is no room for one, the connection ends without the wait. */
void tcp_timewait_enter(struct tcb *tcb)
{
    struct tcp *tcp = tcb->tcp;
    const struct tcp_timewait last = record(tcb);

    if (tcb->ack_now)
        send_ack(tcp, &last);
    struct tcp_timewait *tw = record_new(tcp);
    if (!tw) {
        count(&tcp->net->count, COUNT_TcpExtTCPTimeWaitOverflow);
        tcp_trace_arrow(tcp, &tcb->slot, TCPS_TIME_WAIT, TCPS_CLOSED);
        tcp_unhash(tcp, &tcb->slot);
        return;
    }
    *tw = last;
    list_init(&tw->node);
    tcp_rehash(tcp, &tcb->slot, &tw->slot);
    tcp->n_time_wait++;
    count(&tcp->net->count, COUNT_TcpExtTW);
    begin(tcp, tw);
}

void tcp_timewait_free(struct tcp *tcp, struct tcp_timewait *tw)
{
    tcp_unhash(tcp, &tw->slot);
    list_del(&tw->node);
    tcp->n_time_wait--;
    slab_free(&tcp->pools.time_waits, tw);
    arm(tcp);
}

void tcp_timewait_fire(struct tcp *tcp)
{
    while (!list_empty(&tcp->time_waits)) {
        struct tcp_timewait *tw = record_of(tcp->time_waits.next);
        if (tw->until > tcp->net->now)
            break;
        tcp_trace_arrow(tcp, &tw->slot, TCPS_TIME_WAIT, TCPS_CLOSED);
        tcp_timewait_free(tcp, tw);
    }
    arm(tcp);
}

/* RFC 6191 s2, RFC 9293 s3.6.1 (MAY-2, SHLD-4): if somebody listens; else the SYN would
 * end the wait for a RST, which may not (RFC 1337). */
static bool may_open_again(const struct tcp *tcp, const struct tcp_timewait *tw,
                           const struct tcp_seg *seg)
{
    uint8_t flags = TCP_SYN | TCP_ACK | TCP_RST;
    if (tcp->config.drop_synfin)
        flags |= TCP_FIN;
    if ((seg->flags & flags) != TCP_SYN)
        return false;
    if (!tcp_lookup_listener(tcp, tw->slot.local, tw->slot.local_port))
        return false;
    if (tw->slot.ts_on && seg->opts.has_ts && seg->opts.ts_val != tw->ts_recent)
        return (int32_t)(seg->opts.ts_val - tw->ts_recent) > 0;
    return seq_lt(tw->rcv_nxt, seg->seq);
}

/* tcp_may_answer() with the few bits that there is room for. */
static bool may_answer(const struct tcp *tcp, struct tcp_timewait *tw,
                       const struct tcp_seg *seg)
{
    usec now = tcp->net->now;
    uint32_t low = (uint32_t)now, since = low - tw->oow_ack_at;
    usec last = now - (tw->oow_ack_at ? since : tcp->config.invalid_ratelimit);

    if (!tcp_may_answer(tcp, seg, &last))
        return false;
    if (last == now)
        tw->oow_ack_at = low ? low : UINT32_MAX;
    return true;
}

/* What ends the wait early where RFC 1337 or 5961 are switched off: a RST at RCV.NXT,
 * and a SYN in the window (RFC 793 p. 71), which is answered with a RST. */
static bool ends_wait(struct tcp *tcp, const struct tcp_timewait *tw,
                      const struct tcp_seg *seg)
{
    const struct tcp_reply rst = { .slot = &tw->slot,
                                   .seq = tw->snd_nxt,
                                   .ack = tw->rcv_nxt,
                                   .flags = TCP_RST | TCP_ACK };

    if (seg->flags & TCP_RST)
        return !tcp->config.rfc1337 && seq_eq(seg->seq, tw->rcv_nxt);
    if (!(seg->flags & TCP_SYN) || !tcp->config.insecure_syn ||
        !tcp->config.timewait_syn || !seq_within(seg->seq, tw->rcv_nxt, UINT16_MAX))
        return false;
    tcp_reply(tcp, &rst);
    return true;
}

bool tcp_timewait_input(struct tcp *tcp, struct tcp_timewait *tw, struct tcp_seg *seg,
                        struct seq *iss)
{
    if (may_open_again(tcp, tw, seg)) {
        /* The record is given up for a connection, not for a SYN that finds no room. */
        if (!tcp_listener_has_room(
                tcp_lookup_listener(tcp, tw->slot.local, tw->slot.local_port)))
            return tcp_reject(seg, DROP_TCP_BACKLOG);
        *iss = seq_add(tw->snd_nxt, ISS_STEP);
        count(&tcp->net->count, COUNT_TcpExtTWRecycled);
        tcp_timewait_free(tcp, tw);
        return true;
    }
    tcp_reject(seg, DROP_TCP_TIME_WAIT);
    if (ends_wait(tcp, tw, seg)) {
        tcp_trace_arrow(tcp, &tw->slot, TCPS_TIME_WAIT, TCPS_CLOSED);
        tcp_timewait_free(tcp, tw);
        return false;
    }
    uint8_t answered = tcp->config.timewait_syn ? TCP_SYN | TCP_ACK : TCP_ACK;
    if ((seg->flags & TCP_RST) || !(seg->flags & answered))
        return false;
    bool plain_ack = tcp_seg_len(seg) == 0 && seq_eq(seg->seq, tw->rcv_nxt) &&
                     seq_eq(seg->ack, tw->snd_nxt);
    if (plain_ack)
        return false;
    if (seg->flags & TCP_FIN)
        begin(tcp, tw);
    if (may_answer(tcp, tw, seg))
        send_ack(tcp, tw);
    return false;
}
