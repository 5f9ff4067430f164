/* A snapshot of a connection for tools: getsockopt(TCP_INFO), in the layout of Linux's
 * struct tcp_info, so that programs that know it can read ours. Times are microseconds
 * (rto ato rtt rttvar busy_time ..._limited) or milliseconds (tcpi_last_*,
 * total_rto_time); cwnd and ssthresh are segments. Nothing is paced: both rates are
 * Linux's "unlimited". 0 is what the stack does not know: rcv_rtt, delivery_rate,
 * reord_seen and fackets. */
#include <string.h>

#include "base/bytes.h"
#include "tcp/tcb.h"

enum {
    OPT_TIMESTAMPS = 1,
    OPT_SACK = 2,
    OPT_WSCALE = 4,
    OPT_ECN = 8,
    OPT_ECN_SEEN = 16,
    OPT_SYN_DATA = 32,
    SSTHRESH_INFINITE = 0x7fffffff,
    CA_OPEN = 0,
    CA_DISORDER = 1,
    CA_CWR = 2,
    CA_RECOVERY = 3,
    CA_LOSS = 4,
};

/* Linux's fields in Linux's order, up to tcpi_total_rto_time. */
struct info {
    uint8_t state, ca_state, retransmits, probes, backoff, options;
    uint8_t wscales; /* low four bits: the peer's shift; high four: ours */
    uint8_t limited; /* delivery_rate_app_limited, fastopen_client_fail */
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss;
    uint32_t reordering, rcv_rtt, rcv_space, total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt;
    uint32_t data_segs_in, data_segs_out;
    uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd;
    uint32_t rcv_wnd, rehash;
    uint16_t total_rto, total_rto_recoveries;
    uint32_t total_rto_time;
};

static uint8_t ca_state(const struct tcb *tcb)
{
    if (tcb->recovery == RECOVERY_RTO)
        return CA_LOSS;
    if (tcb->recovery == RECOVERY_FAST)
        return CA_RECOVERY;
    if (tcb->recovery == RECOVERY_CWR)
        return CA_CWR;
    return tcb->dupacks ? CA_DISORDER : CA_OPEN;
}

static void fill_state(const struct tcb *tcb, struct info *i)
{
    i->state = (uint8_t)tcb->state;
    i->ca_state = ca_state(tcb);
    i->retransmits = tcb->recovery == RECOVERY_RTO ? tcb->backoff : 0;
    i->probes = tcb->probes;
    i->backoff = tcb->backoff;
    i->options =
        (uint8_t)((tcb->ts.on ? OPT_TIMESTAMPS : 0) | (tcb->sack_ok ? OPT_SACK : 0) |
                  (tcb->wscale_ok ? OPT_WSCALE : 0) | (tcb->ecn.ok ? OPT_ECN : 0) |
                  (tcb->ecn.seen ? OPT_ECN_SEEN : 0) |
                  (tcb->fast.taken ? OPT_SYN_DATA : 0));
    i->wscales = (uint8_t)(tcb->snd.wscale | tcb->rcv.wscale << 4);
}

static uint32_t segments(uint32_t bytes, uint32_t mss)
{
    return mss ? (bytes + mss - 1) / mss : 0;
}

/* Sent more than once and still out. */
static uint32_t resent_bytes(const struct tcb *tcb)
{
    uint32_t bytes = 0;
    list_each (at, &tcb->sent.all) {
        const struct sent *s = list_entry(at, struct sent, node);
        if (s->state == SENT_FLYING && s->tries > 1)
            bytes += seq_len(s->from, s->to);
    }
    return bytes;
}

static void fill_sender(const struct tcb *tcb, struct info *i)
{
    uint32_t mss = tcb->cc.mss;

    i->rto = (uint32_t)tcp_rto(tcb);
    i->snd_mss = mss;
    i->unacked = segments(seq_len(tcb->snd.una, tcb->snd.nxt), mss);
    i->sacked = segments(tcb->sent.bytes[SENT_SACKED] + tcb->dup_bytes, mss);
    i->lost = segments(tcb->sent.bytes[SENT_LOST], mss);
    i->rtt = (uint32_t)tcb->rtt.srtt;
    i->rttvar = (uint32_t)tcb->rtt.rttvar;
    i->min_rtt = tcb->rtt.min_rtt ? (uint32_t)tcb->rtt.min_rtt : UINT32_MAX;
    i->snd_cwnd = mss ? tcb->cc.cwnd / mss : 0;
    i->snd_ssthresh = tcb->cc.ssthresh == CC_INFINITE
                          ? SSTHRESH_INFINITE
                          : tcb->cc.ssthresh / max_u32(mss, 1);
    i->retrans = segments(resent_bytes(tcb), mss);
    i->total_retrans = tcb->total_retrans;
    i->dsack_dups = tcb->dsack_dups;
    i->bytes_acked = tcb->bytes_acked;
    i->bytes_sent = tcb->bytes_sent;
    i->bytes_retrans = tcb->bytes_retrans;
    i->segs_out = tcb->segs_out;
    i->data_segs_out = tcb->data_segs_out;
    i->snd_wnd = tcb->snd.wnd;
    if (seq_lt(tcb->snd.nxt, snd_end(tcb)))
        i->notsent_bytes = seq_len(tcb->snd.nxt, snd_end(tcb));
}

static void fill_history(const struct tcb *tcb, struct info *i)
{
    usec path = tcp_busy_time(tcb, BUSY_PATH), rwnd = tcp_busy_time(tcb, BUSY_RWND);
    usec sndbuf = tcp_busy_time(tcb, BUSY_SNDBUF);

    i->pacing_rate = i->max_pacing_rate = UINT64_MAX;
    i->delivered = tcb->delivered;
    i->delivered_ce = tcb->delivered_ce;
    i->busy_time = (uint64_t)(path + rwnd + sndbuf);
    i->rwnd_limited = (uint64_t)rwnd;
    i->sndbuf_limited = (uint64_t)sndbuf;
    i->total_rto = tcb->rtos;
    i->total_rto_recoveries = tcb->series;
    i->total_rto_time = (uint32_t)(tcb->rto_time / USEC_PER_MS);
}

static uint32_t ms_since(const struct tcb *tcb, usec then)
{
    if (then == NEVER)
        return 0;
    return (uint32_t)((tcb->tcp->net->now - then) / USEC_PER_MS);
}

static void fill_receiver(const struct tcb *tcb, struct info *i)
{
    i->ato = (uint32_t)tcb->tcp->config.delack;
    i->rcv_mss = tcb->rcv.mss;
    i->advmss = tcp_our_mss(tcb->tcp, tcb->slot.remote, tcb->opt.maxseg);
    i->pmtu = ip_path_mtu(tcb->tcp->net, tcb->slot.remote);
    i->reordering = tcb->tcp->config.reordering;
    i->rcv_space = tcb->rcv.limit;
    i->rcv_ssthresh = rcv_wnd(tcb);
    i->bytes_received = tcb->bytes_received;
    i->segs_in = tcb->segs_in;
    i->data_segs_in = tcb->data_segs_in;
    i->rcv_ooopack = tcb->rcv_ofo_segs;
    i->last_data_sent = ms_since(tcb, tcb->snd.last);
    i->rcv_wnd = rcv_wnd(tcb);
    i->last_data_recv = ms_since(tcb, tcb->rcv.last_text);
    i->last_ack_recv = ms_since(tcb, tcb->rcv.last);
}

size_t tcp_info(const struct tcb *tcb, void *out, size_t room)
{
    struct info i = { 0 };

    fill_state(tcb, &i);
    fill_sender(tcb, &i);
    fill_receiver(tcb, &i);
    fill_history(tcb, &i);
    size_t n = min_size(room, sizeof i);
    memcpy(out, &i, n);
    return n;
}
