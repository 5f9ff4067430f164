/* The tail loss probe: RFC 8985 s7. When the last segments of a flight are lost nothing
 * that comes after them tells of it, and only the retransmission timer would. So a
 * little after an ACK was due (PTO, about two round trips) one segment more is sent:
 * new text if there is some, else the last segment once more. Its ACK tells what is
 * missing before it, and recovery goes on from there.
 *
 *   sent, or acknowledged --PTO--> probe, once --> acknowledged --> the next may come
 *                                       \--RTO--> time-out
 *
 * If it was the last segment that was lost, the probe has repaired that, and nobody
 * would know of the congestion. An ACK beyond the probe, without a DSACK for it before,
 * tells: then the window is reduced as for any loss (s7.4).
 *
 * A probe puts the time-out off: that begins anew when it leaves (tcp_early_retrans: 3
 * or 4; below, there are none). */
#include "base/bytes.h"
#include "tcp/tcb.h"

enum { TLP_ON = 3 }; /* net.ipv4.tcp_early_retrans */

/* Linux's least time beyond two round trips, for timers that are coarse. */
#define SLACK (2 * USEC_PER_MS)

/* RFC 8985 s7.2: outside of recovery, with SACK, and one at a time. */
static bool allowed(const struct tcb *tcb)
{
    bool open = tcb->recovery == RECOVERY_NONE || tcb->recovery == RECOVERY_CWR;

    return tcb->tcp->config.early_retrans >= TLP_ON && tcb->sack_ok && open &&
           !tcb->tlp.out && tcb->backoff == 0 && tcb->sent.bytes[SENT_FLYING] > 0;
}

void tcp_tlp_schedule(struct tcb *tcb)
{
    usec pto = tcb->rtt.srtt ? 2 * tcb->rtt.srtt : USEC_PER_SEC;
    bool holes = tcb->sent.bytes[SENT_SACKED] > 0 || tcb->sent.bytes[SENT_LOST] > 0;

    if (!allowed(tcb) || holes) {
        tcp_arm(tcb, TT_PROBE, NEVER);
        return;
    }
    /* s7.2: the ACK of a single segment may be delayed. */
    bool one = seq_len(tcb->snd.una, tcb->snd.nxt) <= tcb->cc.mss;
    pto += one ? tcb->tcp->config.rto_min : SLACK;
    tcp_arm(tcb, TT_PROBE, usec_min(tcb->tcp->net->now + pto, tcb->at[TT_REXMT]));
}

/* The sequence numbers of the last segment that is out. */
static uint32_t tail(const struct tcb *tcb)
{
    const struct sent *last = sent_last_flying(&tcb->sent);
    uint32_t fin = seq_lt(snd_end(tcb), last->to), size = tcp_segment_size(tcb);
    uint32_t text = seq_len(last->from, last->to) - fin;

    return (text % size == 0 ? min_u32(text, size) : text % size) + fin;
}

void tcp_tlp_fires(struct tcb *tcb)
{
    bool fresh = seq_lt(tcb->snd.nxt, snd_end(tcb)) && tcp_window_usable(tcb) > 0;

    if (!allowed(tcb))
        return;
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPLossProbes);
    tcb->tlp = (struct tcb_tlp){ .out = true, .again = !fresh, .end = tcb->snd.nxt };
    if (fresh) {
        tcb->tlp.now = true;
        tcb->push_now = true;
    } else {
        sent_mark_tail_lost(&tcb->sent, tail(tcb));
        tcb->rexmit_now = true;
    }
    tcp_arm(tcb, TT_REXMT, tcb->tcp->net->now + tcp_rto(tcb)); /* s7.3 */
}

/* RFC 8985 s7.4.2. */
void tcp_tlp_take_ack(struct tcb *tcb, const struct tcp_seg *seg)
{
    bool told = seq_lt(tcb->snd.una, seg->ack) || seg->opts.n_sack > 0;

    if (!tcb->tlp.out || seq_lt(seg->ack, tcb->tlp.end))
        return;
    if (!tcb->tlp.again || tcp_is_dsack(seg)) {
        tcb->tlp.out = false;
    } else if (seq_lt(tcb->tlp.end, seg->ack)) {
        tcb->tlp.out = false;
        count(&tcb->tcp->net->count, COUNT_TcpExtTCPLossProbeRecovery);
        tcp_recovery_repaired(tcb);
    } else if (!told && tcp_seg_len(seg) == 0) {
        tcb->tlp.out = false; /* a duplicate: both arrived */
    }
}
