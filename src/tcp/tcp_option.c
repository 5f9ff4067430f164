/* Options: what is offered on a SYN, what two SYNs agree on, what rides on each
 * segment, and what timestamps protect from (RFC 7323).
 *
 * The timestamp clock ticks in milliseconds, from an offset that differs for each
 * four-tuple. Round-trip samples come from the record of what was sent, in
 * microseconds; timestamps serve where a range was sent more than once (Karn's
 * ambiguity), and PAWS. */
#include "base/bytes.h"
#include "tcp/tcb.h"

enum {
    MSS_DEFAULT = 536,   /* RFC 9293 s3.7.1 (MUST-15): when the peer says nothing */
    TEXT_MIN = 8,        /* text that SACK blocks leave room for on such a path */
    SACK_HEAD = 4,       /* two NOPs, kind and length before the blocks */
    SACK_BLOCK = 8,      /* bytes of a block */
    HEADERS = 40,        /* IP and TCP header without options */
    PAWS_IDLE_DAYS = 24, /* RFC 7323 s5.5: TS.Recent is stale after that */
};

/* RFC 9293 s3.7.1 (MUST-67), s3.7.3 (SHLD-6): the MTU less the two fixed headers,
 * options not counted. */
uint16_t tcp_our_mss(const struct tcp *tcp, struct ip_addr remote, uint16_t maxseg)
{
    uint32_t mtu = ip_mtu(tcp->net, remote);
    uint32_t mss = mtu >= HEADERS + TCP_MSS_MIN ? mtu - HEADERS : MSS_DEFAULT;

    if (tcp->config.advmss)
        mss = min_u32(mss, tcp->config.advmss);
    if (maxseg)
        mss = min_u32(mss, maxseg);
    return (uint16_t)min_u32(mss, 65535 - HEADERS);
}

/* RFC 7323 s2.3 (MUST-wscale-most): the smallest shift with which the whole buffer can
 * be offered, of the largest buffer that the socket may come to have; no more than
 * TCP_WINDOW_CLAMP. */
uint8_t tcp_our_wscale(const struct tcp *tcp, uint32_t rcvbuf, uint32_t clamp)
{
    uint32_t most = max_u32(rcvbuf, tcp->config.rmem_max);
    if (clamp)
        most = min_u32(most, clamp);
    uint8_t shift = 0;
    while (shift < TCP_WSCALE_MAX && (most >> shift) > 65535)
        shift++;
    return shift;
}

/* RFC 7323 s4.1 (MUST-ts-clock), s5.4 (MUST-ts-clock-slow, SHLD-ts-clock-window,
 * MUST-ts-clock-fast): a millisecond a tick. */
uint32_t tcp_ts_now(const struct tcp *tcp, uint32_t offset)
{
    return (uint32_t)((tcp->net->now + tcp->net->epoch) / USEC_PER_MS) + offset;
}

/* The options of our SYN, or of a SYN-ACK in a simultaneous open: then only what the
 * peer's SYN had (RFC 7323 s2.5, s3.2, RFC 2018 s2). */
void tcp_syn_options(const struct tcb *tcb, struct tcp_opts *out)
{
    const struct tcp_config *c = &tcb->tcp->config;
    bool answer = tcb->state == TCPS_SYN_RECEIVED;

    /* RFC 9293 s3.7.1 (MUST-14, SHLD-5, MAY-3) */
    *out = (struct tcp_opts){ .has_mss = true };
    out->mss = tcp_our_mss(tcb->tcp, tcb->slot.remote, tcb->opt.maxseg);
    out->sack_ok = answer ? tcb->sack_ok : c->sack; /* RFC 2018 s2 (MUST-sack-syn) */
    /* RFC 7323 s2.2 (MAY-wscale-offer, SHLD-wscale-offer), s2.3 (MUST-wscale-ours) */
    out->has_wscale = answer ? tcb->wscale_ok : c->window_scaling;
    out->wscale = tcp_our_wscale(tcb->tcp, tcb->rcv.limit, tcb->opt.window_clamp);
    out->has_ts = answer ? tcb->ts.on
                         : c->timestamps; /* RFC 7323 s3.2 (MAY-ts-offer) */
    if (out->has_ts) {
        out->ts_val = tcp_ts_now(tcb->tcp, tcb->ts.offset);
        /* RFC 7323 s3.2 (SHLD-ts-ecr-zero): none yet, unless the SYN has an ACK */
        out->ts_ecr = tcb->ts.recent;
    }
    if (seq_eq(tcb->snd.nxt, tcb->snd.iss)) /* RFC 7413 s4.1.3.1: not once more */
        out->fastopen = tcb->fast.opt;
}

/* The peer's SYN is known: sets what both agree on, and the segment size. Nothing else
 * does (RFC 7323 s2.2, MUST-wscale-late). */
void tcp_agree_options(struct tcb *tcb, const struct tcp_opts *syn)
{
    const struct tcp_config *c = &tcb->tcp->config;
    uint32_t theirs = syn->has_mss ? max_u32(syn->mss, TCP_MSS_MIN) : MSS_DEFAULT;
    uint32_t ours = tcp_our_mss(tcb->tcp, tcb->slot.remote, tcb->opt.maxseg);

    /* RFC 9293 s3.7.1 (MUST-14, MUST-16) */
    tcb->snd.mss = tcb->snd.mss_max = (uint16_t)min_u32(theirs, ours);
    tcb->snd.path_stamp = 0;
    tcb->rcv.mss = (uint16_t)min_u32(ours, MSS_DEFAULT);
    if (c->rcvbuf_round)
        tcb->rcv.limit += (tcb->snd.mss - tcb->rcv.limit % tcb->snd.mss) % tcb->snd.mss;
    tcb->sack_ok = c->sack && syn->sack_ok;
    /* RFC 7323 s2.2 (MUST-wscale-both), s2.3 (MUST-wscale-theirs) */
    tcb->wscale_ok = c->window_scaling && syn->has_wscale;
    if (tcb->wscale_ok) {
        /* RFC 7323 s2.3 (MUST-wscale-14): a larger shift is taken as 14. */
        tcb->snd.wscale = syn->wscale < TCP_WSCALE_MAX ? syn->wscale : TCP_WSCALE_MAX;
        tcb->rcv.wscale = tcp_our_wscale(tcb->tcp, tcb->rcv.limit,
                                         tcb->opt.window_clamp);
    }
    tcb->ts.on = c->timestamps && syn->has_ts; /* RFC 7323 s3.2 (MUST-ts-unagreed) */
    if (tcb->ts.on) {
        tcb->ts.recent = syn->ts_val;
        tcb->ts.recent_at = tcb->tcp->net->now;
    }
}

/* How many SACK blocks fit beside the other options and a little text. */
static unsigned sack_room(const struct tcb *tcb, const struct tcp_opts *out)
{
    uint32_t most = out->has_ts ? TCP_SACK_MAX - 1 : TCP_SACK_MAX;
    uint32_t taken = (uint32_t)tcp_opts_len(out) + TEXT_MIN + SACK_HEAD;
    uint32_t room = tcb->snd.mss > taken ? tcb->snd.mss - taken : 0;

    return min_u32(most, room / SACK_BLOCK);
}

/* RFC 2018 s4 (SHLD-sack-all, SHLD-sack-each, SHLD-sack-repeat), s8 (MUST-sack-held)
 * and RFC 2883 s4: the duplicate first, then what is held out of order. */
static void sack_options(const struct tcb *tcb, struct tcp_opts *out)
{
    bool twice = !seq_eq(tcb->rcv.dsack.from, tcb->rcv.dsack.to);
    unsigned max, n = 0;

    if (!twice && tcb->rcv.q.n_recent == 0)
        return;
    max = sack_room(tcb, out);
    if (max > 0 && twice)
        out->sack[n++] = tcb->rcv.dsack;
    n += rcvq_blocks(&tcb->rcv.q, out->sack + n, max - n);
    out->n_sack = (uint8_t)n;
}

/* Of every segment, if it was agreed on (RFC 7323 s3.2, MUST-ts-each, SHLD-ts-rst). */
void tcp_timestamp_option(const struct tcb *tcb, struct tcp_opts *out)
{
    *out = (struct tcp_opts){ .has_ts = tcb->ts.on };
    if (!tcb->ts.on)
        return;
    out->ts_val = tcp_ts_now(tcb->tcp, tcb->ts.offset);
    out->ts_ecr = tcb->ts.recent; /* RFC 7323 s3.2 (MUST-ts-ecr) */
}

/* The options of a segment on a synchronized connection: no MSS (RFC 9293 s3.2,
 * MUST-65). */
void tcp_segment_options(const struct tcb *tcb, struct tcp_opts *out)
{
    tcp_timestamp_option(tcb, out);
    if (tcb->sack_ok) /* RFC 2018 s4 (MUST-sack-agreed, MAY-sack) */
        sack_options(tcb, out);
}

/* RFC 7323 s5.3 R1 (MUST-paws): SEG.TSval < TS.Recent, and TS.Recent is not outdated; a
 * RST is not judged by its timestamp (s5.2, MUST-paws-rst). */
bool tcp_paws_reject(const struct tcb *tcb, const struct tcp_seg *seg)
{
    usec age = tcb->tcp->net->now - tcb->ts.recent_at;

    if (!tcb->ts.on || !seg->opts.has_ts || (seg->flags & TCP_RST))
        return false;
    if ((int32_t)(seg->opts.ts_val - tcb->ts.recent) >= 0)
        return false;
    /* RFC 7323 s5.5 (MUST-paws-idle) */
    return age < (usec)PAWS_IDLE_DAYS * 24 * 3600 * USEC_PER_SEC;
}

/* RFC 7323 s4.3 (2) (SHLD-ts-delayed, SHLD-ts-hole, MUST-ts-fill): from a segment that
 * is not younger than what was acknowledged last. PAWS has passed it (s5.2,
 * MUST-ts-recent-older): a timestamp that is older all the same takes the place of one
 * that is outdated (s5.5). */
void tcp_take_timestamp(struct tcb *tcb, const struct tcp_seg *seg)
{
    if (!tcb->ts.on || !seg->opts.has_ts)
        return;
    if (!seq_leq(seg->seq, tcb->ts.last_ack))
        return;
    tcb->ts.recent = seg->opts.ts_val;
    tcb->ts.recent_at = tcb->tcp->net->now;
}
