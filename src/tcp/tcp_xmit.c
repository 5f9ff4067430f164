/* From a segment in host order to a packet: header and options into a small buffer,
 * text borrowed from the send buffer, pseudo-header sum for whoever completes the
 * checksum, and down to IP. Also the segments that no connection sends: the RST for
 * nobody, the answers of half-open entries and of TIME-WAIT. */
#include <errno.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "tcp/tcb.h"
#include "wire/ip4_wire.h"

/* Room in the urgent reserve is for these: they are what frees memory. */
static struct pkt *header_new(struct tcp *tcp, struct tcp_seg *seg)
{
    struct pkt *p = pkt_new_urgent(&tcp->net->pool, TCP_LEN + TCP_OPTIONS_MAX);
    if (!p)
        return NULL;
    seg->opts.layout = (enum tcp_layout)tcp->config.option_layout;
    p->len = (uint32_t)tcp_emit_header(p->data, seg);
    return p;
}

int tcp_xmit(struct tcp *tcp, const struct ip_out *how, struct tcp_seg *seg,
             const struct tcb *text_of, uint32_t segment_size)
{
    struct pkt *p = header_new(tcp, seg);
    if (!p) {
        net_drop(tcp->net, NULL, DROP_NO_BUFFER);
        return -ENOBUFS;
    }
    if (seg->text_len) {
        struct seq text = seq_add(seg->seq, !!(seg->flags & TCP_SYN));
        size_t offset = seq_len(text_of->snd.buf_seq, text);
        p->n_text = (uint8_t)ring_pieces(&text_of->snd.buf, offset, seg->text_len,
                                         p->text);
        if (seg->text_len > segment_size)
            p->gso_size = (uint16_t)segment_size;
    }
    uint64_t sum = ip_pseudo_sum(how->src, how->dst, IP_PROTO_TCP,
                                 p->len + seg->text_len);
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data;
    p->csum_field = TCP_CKSUM_FIELD;
    put16(p->data + TCP_CKSUM_FIELD, cksum_fold(sum)); /* RFC 9293 s3.1 (MUST-2) */
    return ip_output(tcp->net, how, p);
}

void tcp_reply(struct tcp *tcp, const struct tcp_reply *r)
{
    struct tcp_seg seg = { .src_port = r->slot->local_port,
                           .dst_port = r->slot->remote_port,
                           .seq = r->seq,
                           .ack = r->ack,
                           .flags = r->flags,
                           .wnd = r->wnd,
                           .opts = r->opts };
    const struct ip_out how = { .src = r->slot->local,
                                .dst = r->slot->remote,
                                .proto = IP_PROTO_TCP,
                                .opt = r->ip ? *r->ip : ip_options_default(tcp->net) };

    count(&tcp->net->count, COUNT_TcpOutSegs);
    if (r->flags & TCP_RST)
        count(&tcp->net->count, COUNT_TcpOutRsts);
    /* Whatever becomes of it is a loss like one on the way. */
    (void)tcp_xmit(tcp, &how, &seg, NULL, 0);
}

void tcp_reset_reply(struct tcp *tcp, const struct ip_info *ip,
                     const struct tcp_seg *seg)
{
    const struct tcp_slot slot = { .local = ip->dst,
                                   .remote = ip->src,
                                   .local_port = seg->dst_port,
                                   .remote_port = seg->src_port };
    struct tcp_reply r = { .slot = &slot, .flags = TCP_RST };

    /* RFC 9293 s3.5.2, group 1: believable to whoever sent it. */
    if (seg->flags & TCP_ACK) {
        r.seq = seg->ack;
    } else {
        r.flags |= TCP_ACK;
        r.ack = seq_add(seg->seq, tcp_seg_len(seg));
    }
    tcp_reply(tcp, &r);
}

static void reset(struct tcb *tcb, struct tcp_reply r)
{
    r.slot = &tcb->slot;
    r.ip = &tcb->opt.ip;
    r.flags |= TCP_RST;
    tcp_timestamp_option(tcb, &r.opts); /* RFC 7323 s5.2 (SHLD-ts-rst-abort) */
    tcp_reply(tcb->tcp, &r);
}

void tcp_reset(struct tcb *tcb)
{
    reset(tcb, (struct tcp_reply){
                   .seq = tcb->snd.nxt, .ack = tcb->rcv.nxt, .flags = TCP_ACK });
}

/* RFC 9293 s3.5.2, group 1: where the peer says that it waits. At SND.NXT it would be
 * challenged (RFC 5961 s3.2) if something of ours is still under way. */
void tcp_reset_answer(struct tcb *tcb, const struct tcp_seg *seg)
{
    reset(tcb, (struct tcp_reply){ .seq = seg->ack });
}
