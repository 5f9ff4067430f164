/* How large a segment may be on its path.
 *
 * The handshake sets snd.mss_max, what the peer takes. The path may take less:
 *
 *     ICMP "fragmentation needed" --> net/pmtu.c, if it quotes what is in flight
 *     net/pmtu.c's stamp changes  --> tcp_sync_mss(), before any connection's next
 *                                     output: snd.mss = min(snd.mss_max, path's MTU -
 * 40) time-outs, one on another   --> perhaps the path swallows large packets without a
 *                                     word (RFC 2923 s2.1): snd.mss_max goes down,
 * where net.ipv4.tcp_mtu_probing is set
 *
 * What was in flight and is too large is lost for certain: it is sent again at once, in
 * segments that fit. That is no sign of congestion: cwnd stays (RFC 1191 s6.5).
 *
 * Sizes are raised again when the path's entry is forgotten; what time-outs have
 * lowered stays for the connection's life. */
#include "base/bytes.h"
#include "tcp/tcb.h"

enum { HEADERS = 40 /* IP and TCP header without options */ };

/* The segment size on the path as it is known. */
static uint16_t path_mss(const struct tcb *tcb)
{
    uint32_t mtu = ip_path_mtu(tcb->tcp->net, tcb->slot.remote);
    uint32_t mss = tcb->snd.mss_max, options = tcb->opt.ip.n_list;
    bool probe = tcb->opt.ip.df == IP_DF_PROBE;

    if (!probe && mtu >= HEADERS + TCP_MSS_MIN)
        mss = min_u32(mss, mtu - HEADERS);
    /* RFC 9293 s3.7.1 (MUST-16): what IP's options take is no text. */
    return (uint16_t)(mss >= options + TCP_MSS_MIN ? mss - options : TCP_MSS_MIN);
}

/* What congestion control counts in: the text of a full segment. */
static uint32_t text_of_segment(const struct tcb *tcb)
{
    struct tcp_opts opts = { .has_ts = tcb->ts.on };
    return tcb->snd.mss - (uint32_t)tcp_opts_len(&opts);
}

static void set_mss(struct tcb *tcb, uint16_t mss)
{
    bool lowered = mss < tcb->snd.mss;

    tcb->snd.mss = mss;
    tcb->cc.mss = text_of_segment(tcb);
    tcb->cc.cwnd = max_u32(tcb->cc.cwnd, tcb->cc.mss);
    if (lowered && sent_mark_larger_lost(&tcb->sent, tcb->cc.mss))
        tcb->rexmit_now = true;
}

void tcp_sync_mss(struct tcb *tcb)
{
    uint32_t stamp = pmtu_stamp(tcb->tcp->net);

    if (tcb->snd.path_stamp == stamp || tcb->state == TCPS_SYN_SENT)
        return;
    tcb->snd.path_stamp = stamp;
    uint16_t mss = path_mss(tcb);
    if (mss != tcb->snd.mss)
        set_mss(tcb, mss);
}

/* RFC 7323 s5.7 (MUST-paws-pmtu). */
void tcp_too_big(struct tcb *tcb, const struct net_error *err)
{
    if (tcb->opt.ip.df == IP_DF_DONT)
        return;
    if (pmtu_learn(tcb->tcp->net, err))
        tcp_dirty(tcb);
}

/* Frames beyond 64 KiB may be what was swallowed, by a bridge that does not know them:
 * there are no more of them. RFC 4821 s7.7 in Linux's way: first tcp_base_mss, then
 * half of it with each time-out, not below tcp_mtu_probe_floor. */
void tcp_detect_black_hole(struct tcb *tcb)
{
    const struct tcp_config *c = &tcb->tcp->config;

    uint32_t mss = tcb->snd.mss > c->base_mss ? c->base_mss : tcb->snd.mss / 2u;

    tcb->tx_max = TCP_TX_PACKET;
    if (!c->mtu_probing || tcb->backoff < c->retries1)
        return;
    mss = max_u32(mss, max_u32(c->mtu_probe_floor, TCP_MSS_MIN));
    if (mss >= tcb->snd.mss)
        return;
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPMTUPFail);
    tcb->snd.mss_max = (uint16_t)mss;
    set_mss(tcb, path_mss(tcb));
}
