/* Memory, when there is little of it.
 *
 * What is counted: every send buffer at its full size, and every packet in a receive
 * queue, in order or not, at its full size, for that is what peers and readers that
 * stand still can make us hold. net.ipv4.tcp_mem sets three marks, in pages:
 *
 *     0 ........... low ......... pressure .......... high .......
 *       FREE                  │ PRESSURE           │ FULL
 *       ◄──────────────────── again below low
 *
 *              FREE           PRESSURE                    FULL
 *     send     SO_SNDBUF      16 KiB, or what it has      4 KiB, or what it has
 *     window   SO_RCVBUF      four segments               one packet, if all is read
 *     text     kept           kept                        in one packet
 *     holes    kept           what is lower goes before   given up for text in order
 *
 * Received text lies in the packets it came in, so the stack's pool of packets is a
 * second measure: in every part of it somebody must still find room.
 *
 *     0        4/8        5/8                  7/8         8/8
 *     │ PRESSURE from here │ FULL from here     │           │
 *     │ text out of order, │ text in order,     │ frames on │
 *     │ datagrams end here │ a packet each      │ their way │
 *
 * The fourth part is why nothing waits for ever: a connection whose queue is empty may
 * always have one packet, and tcp_mem_admits() lets there be only as many connections
 * as there are such packets. So whoever reads goes on, however many others do not, and
 * the last eighth is left for the frames that bring text and ACKs. Text that is refused
 * comes again. */
#include "tcp/tcp_mem.h"

#include "base/bytes.h"
#include "base/pages.h"
#include "tcp/tcb.h"

enum {
    EIGHTHS_PRESSURE = 4, /* of the pool */
    EIGHTHS_FULL = 5,
    MINIMUM_PART = 4, /* the part of the pool for a packet each */
    SNDBUF_PRESSURE = 16384,
    SNDBUF_MIN = 4096, /* the smallest there is (ring.c) */
    SEGMENTS_PRESSURE = 4,
    PACKET_TEXT = PKT_SMALL - PKT_HEADROOM,
    WASTE = 2, /* memory for text, from where on packing it is worth while */
    MAX_ORPHANS = 16384,
};

/* As Linux relates them: 3 to 4 to 6. High is three quarters of the packets' memory,
 * though send buffers do not lie in it: a stack that was told to be small is. */
void tcp_mem_default(struct tcp_config *c, size_t pool_limit)
{
    size_t pages = min_size(pool_limit / PAGE_BYTES, UINT32_MAX);

    c->mem_low = (uint32_t)(pages / 8 * 3);
    c->mem_pressure = (uint32_t)(pages / 2);
    c->mem_high = (uint32_t)(pages / 4 * 3);
    c->max_orphans = MAX_ORPHANS;
}

static bool above(const struct tcp *tcp, uint32_t pages)
{
    return tcp->mem.bytes > (size_t)pages * PAGE_BYTES;
}

static void judge(struct tcp *tcp)
{
    struct tcp_mem *m = &tcp->mem;
    struct counters *c = &tcp->net->count;

    if (!m->pressure && above(tcp, tcp->config.mem_pressure)) {
        m->pressure = true;
        m->since = tcp->net->now;
        count(c, COUNT_TcpExtTCPMemoryPressures);
    } else if (m->pressure && !above(tcp, tcp->config.mem_low)) {
        m->pressure = false;
        count_n(c, COUNT_TcpExtTCPMemoryPressuresChrono,
                (uint64_t)((tcp->net->now - m->since) / USEC_PER_MS));
    }
}

void tcp_mem_update(struct tcb *tcb)
{
    size_t bytes = tcb->snd.buf.cap + tcb->rcv.q.held;

    if (bytes == tcb->mem)
        return;
    tcb->tcp->mem.bytes += bytes - tcb->mem;
    tcb->mem = bytes;
    judge(tcb->tcp);
}

enum tcp_mem_level tcp_mem_level(const struct tcp *tcp)
{
    const struct pkt_pool *pool = &tcp->net->pool;

    if (above(tcp, tcp->config.mem_high) || pkt_pool_above(pool, EIGHTHS_FULL))
        return TCP_MEM_FULL;
    if (tcp->mem.pressure || pkt_pool_above(pool, EIGHTHS_PRESSURE))
        return TCP_MEM_PRESSURE;
    return TCP_MEM_FREE;
}

bool tcp_mem_admits(const struct tcp *tcp)
{
    const struct pkt_pool *pool = &tcp->net->pool;
    size_t packets = (pool->limit - pool->reserve) / MINIMUM_PART / PKT_SMALL;

    return tcp->n_tcb < packets;
}

/* --- sending --- */

size_t tcp_mem_sndbuf(const struct tcb *tcb)
{
    const struct tcp *tcp = tcb->tcp;
    size_t most = tcb->opt.sndbuf, has = tcb->snd.buf.cap;

    if (above(tcp, tcp->config.mem_high))
        return min_size(most, max_size(has, SNDBUF_MIN));
    if (tcp->mem.pressure)
        return min_size(most, max_size(has, SNDBUF_PRESSURE));
    return most;
}

/* --- receiving --- */

uint32_t tcp_mem_rcvbuf(const struct tcb *tcb)
{
    uint32_t segment = max_u32(tcb->rcv.mss, tcb->snd.mss);
    bool all_read = tcb->rcv.q.len == 0;

    switch (tcp_mem_level(tcb->tcp)) {
    case TCP_MEM_FREE:
        break;
    case TCP_MEM_PRESSURE:
        return min_u32(tcb->rcv.limit, SEGMENTS_PRESSURE * segment);
    case TCP_MEM_FULL:
        return min_u32(tcb->rcv.limit, all_read ? PACKET_TEXT : tcb->rcv.q.len);
    }
    return tcb->rcv.limit;
}

size_t tcp_mem_ofo_room(const struct tcb *tcb)
{
    bool free = tcp_mem_level(tcb->tcp) == TCP_MEM_FREE;

    return free ? 2 * (size_t)tcb->rcv.limit : tcb->rcv.q.held;
}

/* Makes what the connection holds smaller: text that is in order is packed, text beyond
 * a hole is given up (RFC 2018 s8: what was SACKed may be). */
static void prune(struct tcb *tcb)
{
    struct counters *c = &tcb->tcp->net->count;
    struct rcvq *q = &tcb->rcv.q;

    count(c, COUNT_TcpExtPruneCalled);
    if (q->held > WASTE * (size_t)q->len)
        count_n(c, COUNT_TcpExtTCPRcvCollapsed, rcvq_collapse(q));
    tcp_mem_update(tcb);
    if (q->ofo && tcp_mem_level(tcb->tcp) == TCP_MEM_FULL) {
        count(c, COUNT_TcpExtOfoPruned);
        q->given_up += rcvq_forget_ofo(q);
        tcp_mem_update(tcb);
    }
}

uint32_t tcp_mem_keep(struct tcb *tcb, struct tcp_seg *seg)
{
    uint32_t len = seg->text_len;

    if (tcp_mem_level(tcb->tcp) == TCP_MEM_FULL)
        prune(tcb);
    if (tcp_mem_level(tcb->tcp) == TCP_MEM_FULL)
        len = rcvq_squeeze(&tcb->rcv.q, seg);
    else if (!rcvq_append(&tcb->rcv.q, seg))
        len = 0;
    if (len == 0)
        count(&tcb->tcp->net->count, COUNT_TcpExtTCPRcvQDrop);
    tcp_mem_update(tcb);
    return len;
}

/* --- connections that nobody owns --- */

void tcp_mem_orphan(struct tcb *tcb, bool begun)
{
    if (tcb->orphan == begun)
        return;
    tcb->orphan = begun;
    if (begun)
        tcb->tcp->mem.n_orphans++;
    else
        tcb->tcp->mem.n_orphans--;
}

bool tcp_mem_orphan_must_go(const struct tcb *tcb)
{
    const struct tcp *tcp = tcb->tcp;

    if (!tcb->orphan)
        return false;
    if (tcp->mem.n_orphans > tcp->config.max_orphans)
        return true;
    return tcb->snd.buf.len > SNDBUF_MIN && above(tcp, tcp->config.mem_high);
}
