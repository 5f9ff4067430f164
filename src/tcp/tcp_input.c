/* SEGMENT ARRIVES (RFC 9293 s3.10.7).
 *
 *   bytes -> checked, parsed -> whose is it?
 *       nobody's        RST                                   s3.10.7.1
 *       a listener's    tcp_listen.c                          s3.10.7.2
 *       a half-open's   tcp_listen.c, then on as a connection
 *       SYN-SENT        tcp_synsent.c                         s3.10.7.3
 *       TIME-WAIT       tcp_timewait.c
 *       any other       the eight steps below                 s3.10.7.4
 *
 * A step that rejects the segment says why (tcp_reject) and the steps after it are not
 * taken. None of them sends: they leave wishes on the tcb, which is dirty from then on,
 * and tcp_output() runs for it when the batch of frames is done, or, on a link without
 * super-segments, when two full segments wait for their ACK. The packet has
 * one exit, at the end of tcp_input(). */
#include <errno.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "tcp/tcb.h"
#include "wire/ip4_wire.h"

bool tcp_reject(struct tcp_seg *seg, enum drop why)
{
    seg->drop = why;
    return false;
}

/* RFC 5961 s7 (SHLD-ack-throttle, SHLD-ack-throttle-set). */
bool tcp_may_answer(const struct tcp *tcp, const struct tcp_seg *seg, usec *last)
{
    usec now = tcp->net->now;

    if (seg->text_len > 0 || (seg->flags & TCP_FIN))
        return true;
    if (now - *last < tcp->config.invalid_ratelimit)
        return false;
    *last = now;
    return true;
}

bool tcp_challenge(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (!tcp_may_answer(tcb->tcp, seg, &tcb->oow_ack_at))
        return false;
    tcb->ack_now = true;
    return true;
}

/* RFC 5961 s10: so many challenges a second from the whole stack. How many is drawn
 * anew each second, between half of the limit and one and a half: a fixed number could
 * be used up on purpose and counted, to learn which connections exist (CVE-2016-5696).
 */
static bool challenge_budget(struct tcp *tcp)
{
    uint32_t limit = tcp->config.challenge_ack_limit;

    if (limit == INT32_MAX)
        return true;
    if (tcp->net->now - tcp->challenge_since >= USEC_PER_SEC) {
        tcp->challenge_since = tcp->net->now;
        tcp->challenge_left = limit - limit / 2;
        if (limit > 1)
            tcp->challenge_left += (uint32_t)rng_below(&tcp->net->rng, limit);
    }
    if (tcp->challenge_left == 0) {
        count(&tcp->net->count, COUNT_TcpExtTCPACKSkippedChallenge);
        return false;
    }
    tcp->challenge_left--;
    return true;
}

/* RFC 5961: who sent this must prove that it knows the connection. It is told by what
 * this ACK is answered with (s4.2, MUST-syn-rst). */
static void challenge(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (!challenge_budget(tcb->tcp) || !tcp_challenge(tcb, seg))
        return;
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPChallengeACK);
}

/* --- first: the sequence number --- */

/* Deviates from RFC 9293 s3.10.7.4 (table 6) twice, for the sake of progress: a segment
 * that begins before and ends behind the window is taken and cut; and a bare ACK at the
 * window's very end is taken, because a peer whose text fills the window while some of
 * it is lost has no other number to send. */
static bool acceptable(const struct tcb *tcb, const struct tcp_seg *seg)
{
    struct seq end = tcp_window_end(tcb);
    uint32_t len = tcp_seg_len(seg);

    if (len == 0 && !(seg->flags & TCP_RST))
        return seq_leq(tcb->rcv.nxt, seg->seq) && seq_leq(seg->seq, end);
    if (len == 0)
        len = 1; /* a RST: it stands where a byte could */
    if (seq_eq(seg->seq, tcb->rcv.nxt))
        return true; /* RFC 9293 s3.4 (MUST-66): zero window; its text is cut */
    return seq_lt(seg->seq, end) && seq_lt(tcb->rcv.nxt, seq_add(seg->seq, len));
}

static void tell_duplicate(struct tcb *tcb, struct seq from, struct seq to)
{
    if (!tcb->tcp->config.dsack || !tcb->sack_ok || seq_eq(from, to))
        return;
    tcb->rcv.dsack = (struct range){ from, to };
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPDSACKOldSent);
}

/* Cuts off what lies before RCV.NXT. */
static void trim_front(struct tcb *tcb, struct tcp_seg *seg)
{
    uint32_t old = seq_len(seg->seq, tcb->rcv.nxt);

    if (!seq_lt(seg->seq, tcb->rcv.nxt))
        return;
    tcp_urgent_trim(seg, old);
    old = min_u32(old, seg->text_len);
    tell_duplicate(tcb, seg->seq, seq_add(seg->seq, old));
    seg->text += old;
    seg->text_len -= old;
    seg->seq = tcb->rcv.nxt;
    tcb->ack_now = true;
}

/* Cuts off what lies beyond the window; a FIN there goes too. */
static void trim_back(struct tcb *tcb, struct tcp_seg *seg)
{
    struct seq end = tcp_window_end(tcb);
    uint32_t room = seq_lt(seg->seq, end) ? seq_len(seg->seq, end) : 0;

    if (tcp_seg_len(seg) <= room)
        return;
    seg->flags &= (uint8_t)~TCP_FIN;
    if (room == 0 && seg->text_len > 0)
        tcp_reject(seg, DROP_TCP_RCVBUF); /* its ACK counts all the same */
    seg->text_len = min_u32(seg->text_len, room);
    tcb->ack_now = true;
}

static bool check_sequence(struct tcb *tcb, struct tcp_seg *seg)
{
    bool rst = seg->flags & TCP_RST;

    if (tcp_paws_reject(tcb, seg)) { /* RFC 7323 s5.3 (MUST-paws-order) */
        count(&tcb->tcp->net->count, COUNT_TcpExtPAWSEstab);
        tcp_challenge(tcb, seg); /* RFC 7323 s5.3 R1 */
        return tcp_reject(seg, DROP_TCP_PAWS);
    }
    /* RFC 7323 s3.2 (SHLD-ts-missing, MUST-ts-missing-alive): agreed on, so a segment
     * without it is not of this connection; but Linux takes it. */
    if (tcb->ts.on && !seg->opts.has_ts && !rst && !tcb->tcp->config.ts_optional)
        return tcp_reject(seg, DROP_TCP_NO_TIMESTAMP);
    if (!acceptable(tcb, seg)) {
        bool old = seq_lt(seg->seq, tcb->rcv.nxt);
        if (old)
            tell_duplicate(tcb, seg->seq, seq_add(seg->seq, seg->text_len));
        if (!rst) /* RFC 5961 s3.2 (MUST-rst-outside) */
            tcp_challenge(tcb, seg);
        return tcp_reject(seg, old ? DROP_TCP_OLD_SEQ : DROP_TCP_FUTURE_SEQ);
    }
    /* RFC 7323 s5.2 (MUST-ts-rst-state), RFC 5961 s4.2 (MUST-syn-drop): of these
     * nothing is remembered. */
    if (!(seg->flags & (TCP_RST | TCP_SYN))) {
        if (tcp_ack_in_range(tcb, seg)) /* else a stranger could make PAWS deaf */
            tcp_take_timestamp(tcb, seg);
        trim_front(tcb, seg);
        trim_back(tcb, seg);
    }
    return true;
}

/* --- second: RST --- */

/* What a reset means to the user (RFC 9293 s3.6, MUST-12): in CLOSE-WAIT EPIPE as on
 * Linux, or as on BSD. */
static int reset_error(const struct tcb *tcb)
{
    /* RFC 9293 s3.5 (MUST-11): of an active OPEN */
    if (tcb->state == TCPS_SYN_RECEIVED && !tcb->passive)
        return -ECONNREFUSED;
    bool epipe = tcb->state == TCPS_CLOSE_WAIT && tcb->tcp->config.epipe_on_reset;
    return epipe ? -EPIPE : -ECONNRESET;
}

static bool check_rst(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_RST))
        return true;
    /* RFC 9293 s3.5.3 (SHLD-2): whatever text it has. RFC 5961 s3.2: only the exact
     * number resets (SHLD-rst, MUST-rst-exact); in the window it is challenged
     * (MUST-rst-inside), and that is all (MUST-rst-drop). */
    if (seq_eq(seg->seq, tcb->rcv.nxt) || tcb->tcp->config.insecure_rst) {
        tcp_finish(tcb, reset_error(tcb));
        return false;
    }
    challenge(tcb, seg);
    return tcp_reject(seg, DROP_TCP_RST_CHALLENGED);
}

/* --- fourth: SYN --- */

static bool check_syn(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_SYN))
        return true;
    tcp_reject(seg, DROP_TCP_SYN_CHALLENGED);
    /* RFC 5961 s4.2 (SHLD-syn, MUST-syn-challenge, MUST-syn-drop): challenged whatever
     * its number; by RFC 793 p. 71 it is an error in the window, which ends the
     * connection. */
    if (tcb->tcp->config.insecure_syn)
        tcp_abort(tcb, -ECONNRESET);
    else
        challenge(tcb, seg);
    return false;
}

/* RFC 9293 s3.10.7.4: its numbered steps, in its order. The third (security) is not
 * built, as RFC 9293 A.1 allows. */
void tcp_synchronized_input(struct tcb *tcb, struct tcp_seg *seg)
{
    if (!check_sequence(tcb, seg)) /* first */
        return;
    if (!check_rst(tcb, seg)) /* second */
        return;
    if (!check_syn(tcb, seg)) /* fourth */
        return;
    if (!tcp_check_ack(tcb, seg)) /* fifth: tcp_ack.c */
        return;
    tcp_take_urgent(tcb, seg); /* sixth: tcp_urgent.c */
    tcp_take_text(tcb, seg);   /* seventh: tcp_text.c */
    tcp_take_fin(tcb, seg);    /* eighth: tcp_text.c */
    tcp_take_early_text(tcb);
}

/* --- whose is it? --- */

static void connection_input(struct tcb *tcb, struct tcp_seg *seg)
{
    tcb->segs_in += seg->segs;
    tcb->data_segs_in += seg->text_len ? seg->segs : 0u;
    tcb->rcv.last = tcb->tcp->net->now;
    tcb->probes = 0;
    if (tcb->state == TCPS_SYN_SENT || tcp_crossed_syn_ack(tcb, seg))
        tcp_synsent_input(tcb, seg);
    else if (!tcp_fastopen_syn_again(tcb, seg))
        tcp_synchronized_input(tcb, seg);
    tcp_mem_update(tcb);
    if (tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT)
        return;
    tcp_dirty(tcb); /* RFC 9293 s3.10.7.4 (MUST-58) */
    /* RFC 9293 s3.8.6.3 (SHLD-19): where segments come one by one, a batch of them must
     * not thin the ACKs that clock the peer. */
    if (!tcb->tso && tcb->rcv.segs >= 2)
        tcp_output(tcb);
}

/* s3.10.7.1: nobody's. */
static void closed_input(struct tcp *tcp, const struct ip_info *ip, struct tcp_seg *seg)
{
    bool rst = seg->flags & TCP_RST;
    tcp_reject(seg, rst ? DROP_TCP_CLOSED_RST : DROP_TCP_NO_SOCKET);
    if (!rst)
        tcp_reset_reply(tcp, ip, seg);
}

static void stranger_input(struct tcp *tcp, const struct ip_info *ip,
                           struct tcp_seg *seg, const struct seq *iss)
{
    struct tcp_listener *l = tcp_lookup_listener(tcp, ip->dst, seg->dst_port);
    if (!l) {
        closed_input(tcp, ip, seg);
        return;
    }
    struct tcb *tcb = tcp_listen_input(l, ip, seg, iss);
    if (tcb)
        connection_input(tcb, seg);
}

static void dispatch(struct tcp *tcp, const struct ip_info *ip, struct tcp_seg *seg)
{
    struct seq iss;
    struct tcb *tcb;
    struct tcp_slot key = { .local = ip->dst,
                            .remote = ip->src,
                            .local_port = seg->dst_port,
                            .remote_port = seg->src_port };
    struct tcp_slot *slot = tcp_lookup(tcp, &key);

    if (!slot) {
        stranger_input(tcp, ip, seg, NULL);
    } else if (slot->kind == SLOT_TCB) {
        connection_input(tcb_of(slot), seg);
    } else if (slot->kind == SLOT_HALF_OPEN) {
        tcb = tcp_half_open_input((struct tcp_half_open *)(void *)slot, seg);
        if (tcb)
            connection_input(tcb, seg);
    } else if (tcp_timewait_input(tcp, (struct tcp_timewait *)(void *)slot, seg,
                                  &iss)) {
        stranger_input(tcp, ip, seg, &iss);
    }
}

/* RFC 9293 s3.1 (MUST-3): verified, unless the device did or will. */
static bool checksum_good(const struct ip_info *ip, const struct pkt *p)
{
    if (p->csum != PKT_CSUM_FULL)
        return true;
    uint64_t sum = ip_pseudo_sum(ip->src, ip->dst, IP_PROTO_TCP, p->len);
    return cksum_fold(cksum_add(sum, p->data, p->len, 0)) == 0xffff;
}

static bool parse(struct tcp *tcp, const struct ip_info *ip, struct pkt *p,
                  struct tcp_seg *seg)
{
    /* RFC 9293 s3.9.2.3 (MUST-57): no segment comes from or goes to many. */
    if (ip->broadcast || ip_is_multicast(ip->src))
        return tcp_reject(seg, DROP_TCP_BROADCAST);
    if (!checksum_good(ip, p)) {
        count(&tcp->net->count, COUNT_TcpInCsumErrors);
        return tcp_reject(seg, DROP_TCP_CKSUM);
    }
    int bad = tcp_parse(p->data, p->len, seg);
    if (bad < 0)
        return tcp_reject(seg, (enum drop)(-bad - 1));
    bool synfin = !(~seg->flags & (TCP_SYN | TCP_FIN));
    if (synfin && tcp->config.drop_synfin == SYNFIN_ALL)
        return tcp_reject(seg, DROP_TCP_FLAGS);
    seg->ecn = ip->tos & IP_ECN_MASK;
    if (p->gso_size && seg->text_len > p->gso_size)
        seg->segs = (uint16_t)((seg->text_len + p->gso_size - 1u) / p->gso_size);
    return true;
}

void tcp_input(struct tcp *tcp, const struct ip_info *ip, struct pkt *p)
{
    struct tcp_seg seg = { .drop = DROP_N };
    bool good = parse(tcp, ip, p, &seg);

    count_n(&tcp->net->count, COUNT_TcpInSegs, good ? seg.segs : 1u);
    seg.pkt = p;
    if (good)
        dispatch(tcp, ip, &seg);
    else
        count(&tcp->net->count, COUNT_TcpInErrs);
    if (seg.drop == DROP_N)
        pkt_free(seg.pkt);
    else
        net_drop(tcp->net, seg.pkt, seg.drop);
}
