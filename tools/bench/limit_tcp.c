/* Headers at fixed places, one connection, no doubt about anything.
 *
 *     |vnet 12|Ethernet 14|IPv4 20|TCP 20| text
 *
 * With offload a segment is up to 44 MSS long; the device gets the sum of the pseudo
 * header and finishes the checksum, and cuts the segment if it has to. Without, a
 * segment is one MSS, and its sum is ours; the flow's text is zeros, whose sum is 0. */
#include "limit_tcp.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"

enum {
    AT_ETH = LIMIT_VNET,
    AT_IP = AT_ETH + LIMIT_ETH,
    AT_TCP = AT_IP + LIMIT_IP,
    DISCARD = 5001,
    SOURCE = 5002,
    ECHO = 5003,
    FIRST = 1000,           /* our first sequence number */
    CSUM_AT = 16,           /* of the checksum, in the TCP header */
    SUPER = 44 * LIMIT_MSS, /* text of the longest frame: 65,535 less the headers */
    /* Windows: 64 MiB; without offload 1 MiB, which the device's queue of 1,000 frames
     * holds. */
    SCALE = 10,
    SCALE_PLAIN = 4
};

/* --- in --- */

/* RFC 9293 s3.1: options are kind, length, value; 0 ends, 1 is one byte of nothing. */
static unsigned read_scale(const uint8_t *option, size_t len)
{
    size_t at = 0;
    while (at + 2 < len && option[at] != 0) {
        if (option[at] == 3)
            return option[at + 2];
        at += option[at] == 1 ? 1 : option[at + 1] ? option[at + 1] : len;
    }
    return 0;
}

bool limit_parse(const uint8_t *frame, size_t len, struct limit_seg *seg)
{
    const uint8_t *eth = frame + AT_ETH, *ip = frame + AT_IP, *tcp;
    size_t ip_len, tcp_len, total;

    if (len < LIMIT_HEADERS || get16(eth + 12) != 0x0800 || ip[9] != 6)
        return false;
    ip_len = (size_t)(ip[0] & 15) * 4;
    total = get16(ip + 2);
    tcp = ip + ip_len;
    if (AT_IP + total > len || ip_len + LIMIT_TCP > total)
        return false;
    tcp_len = (size_t)(tcp[12] >> 4) * 4;
    if (tcp_len < LIMIT_TCP || ip_len + tcp_len > total)
        return false;
    memcpy(seg->our_mac, eth, 6);
    memcpy(seg->mac, eth + 6, 6);
    memcpy(seg->ip, ip + 12, 4);
    memcpy(seg->our_ip, ip + 16, 4);
    seg->port = get16(tcp);
    seg->our_port = get16(tcp + 2);
    seg->seq = seq_at(get32(tcp + 4));
    seg->ack = seq_at(get32(tcp + 8));
    seg->flags = tcp[13];
    seg->window = get16(tcp + 14);
    seg->scale = seg->flags & LIMIT_SYN
                     ? read_scale(tcp + LIMIT_TCP, tcp_len - LIMIT_TCP)
                     : 0;
    seg->text = tcp + tcp_len;
    seg->len = total - ip_len - tcp_len;
    return true;
}

/* --- out --- */

static void emit_ip(const struct limit_seg *out, size_t total, uint8_t *ip)
{
    memset(ip, 0, LIMIT_IP);
    ip[0] = 0x45;
    put16(ip + 2, (uint16_t)total);
    ip[6] = 0x40; /* do not fragment */
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, out->our_ip, 4);
    memcpy(ip + 16, out->ip, 4);
    put16(ip + 10, cksum_finish(cksum_add(0, ip, LIMIT_IP, 0)));
}

static void emit_tcp(const struct limit *l, const struct limit_seg *out, size_t tcp_len,
                     uint8_t *tcp)
{
    put16(tcp, out->our_port);
    put16(tcp + 2, out->port);
    put32(tcp + 4, out->seq.n);
    put32(tcp + 8, out->ack.n);
    tcp[12] = (uint8_t)(tcp_len / 4 << 4);
    tcp[13] = out->flags;
    put16(tcp + 14, 0xffff);
    put32(tcp + CSUM_AT, 0);
    if (out->flags & LIMIT_SYN) {
        const uint8_t options[LIMIT_SYN_OPTIONS] = {
            2,
            4,
            LIMIT_MSS >> 8,
            LIMIT_MSS & 255,
            1,
            3,
            3,
            l->offload ? SCALE : SCALE_PLAIN,
        };
        memcpy(tcp + LIMIT_TCP, options, sizeof options);
    }
}

static void emit_vnet(const struct limit *l, size_t text, uint8_t *frame)
{
    struct virtio_net_hdr_v1 v = { 0 };
    if (l->offload) {
        v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        v.csum_start = LIMIT_ETH + LIMIT_IP;
        v.csum_offset = CSUM_AT;
    }
    if (text > LIMIT_MSS) {
        v.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        v.hdr_len = LIMIT_ETH + LIMIT_IP + LIMIT_TCP;
        v.gso_size = LIMIT_MSS;
    }
    memcpy(frame, &v, LIMIT_VNET);
}

size_t limit_emit(const struct limit *l, const struct limit_seg *out, uint8_t *frame)
{
    uint8_t *eth = frame + AT_ETH, *ip = frame + AT_IP, *tcp = frame + AT_TCP;
    size_t tcp_len = LIMIT_TCP + (out->flags & LIMIT_SYN ? LIMIT_SYN_OPTIONS : 0);
    uint64_t sum;

    emit_vnet(l, out->len, frame);
    memcpy(eth, out->mac, 6);
    memcpy(eth + 6, out->our_mac, 6);
    put16(eth + 12, 0x0800);
    emit_ip(out, LIMIT_IP + tcp_len + out->len, ip);
    emit_tcp(l, out, tcp_len, tcp);
    sum = cksum_add(6 + tcp_len + out->len, ip + 12, 8, 0);
    if (!l->offload) {
        sum = cksum_add(sum, tcp, tcp_len, 0);
        if (out->text)
            sum = cksum_add(sum, out->text, out->len, 0);
    }
    put16(tcp + CSUM_AT, l->offload ? cksum_fold(sum) : cksum_finish(sum));
    return AT_TCP + tcp_len;
}

/* --- what to say --- */

/* The answer without state: it begins where the peer's ACK is, and acknowledges all
 * that the segment has. */
static void turn_round(const struct limit_seg *in, struct limit_seg *out)
{
    uint32_t len = (uint32_t)in->len;
    if (in->flags & (LIMIT_SYN | LIMIT_FIN))
        len++;
    *out = *in;
    out->seq = in->ack;
    out->ack = seq_add(in->seq, len);
    out->flags = LIMIT_ACK;
    out->text = NULL;
    out->len = 0;
}

static bool is_flow(const struct limit *l, const struct limit_seg *in)
{
    return l->open && in->port == l->to.port && in->our_port == l->to.our_port;
}

static bool take_syn(struct limit *l, const struct limit_seg *in, struct limit_seg *out)
{
    turn_round(in, out);
    out->seq = seq_at(FIRST);
    out->flags = LIMIT_SYN | LIMIT_ACK;
    if (in->our_port == DISCARD || in->our_port == SOURCE) {
        l->open = true;
        l->to = *out;
        l->una = l->nxt = seq_at(FIRST + 1);
        l->rcv = out->ack;
        l->window = 0;
        l->scale = in->scale;
    }
    return true;
}

/* RFC 9293 s3.10.7.4, what is left of it when nothing goes wrong. */
static bool take_flow(struct limit *l, const struct limit_seg *in,
                      struct limit_seg *out)
{
    bool fin = in->flags & LIMIT_FIN;

    if (seq_lt(l->una, in->ack))
        l->una = in->ack;
    if (seq_lt(l->nxt, l->una))
        l->nxt = l->una;
    l->window = in->window << l->scale;
    if (!in->len && !fin)
        return false;
    if (seq_eq(in->seq, l->rcv))
        l->rcv = seq_add(in->seq, (uint32_t)in->len + fin);
    turn_round(in, out);
    out->seq = l->nxt;
    out->ack = l->rcv;
    if (fin && seq_eq(l->rcv, seq_add(in->seq, (uint32_t)in->len + 1))) {
        out->flags |= LIMIT_FIN;
        l->open = false;
    }
    return true;
}

static const uint8_t canned[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    "Content-Length: 1024\r\n\r\n"
#define CANNED_64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"
#define CANNED_256 CANNED_64 CANNED_64 CANNED_64 CANNED_64
    CANNED_256 CANNED_256 CANNED_256 CANNED_256;

static bool take_question(const struct limit_seg *in, struct limit_seg *out)
{
    bool fin = in->flags & LIMIT_FIN;

    if (!in->len && !fin)
        return false;
    turn_round(in, out);
    if (fin)
        out->flags |= LIMIT_FIN;
    if (in->len == 0)
        return true;
    out->flags |= LIMIT_PSH;
    out->text = in->our_port == ECHO ? in->text : canned;
    out->len = in->our_port == ECHO ? in->len : sizeof canned - 1;
    return true;
}

bool limit_input(struct limit *l, const struct limit_seg *in, struct limit_seg *out)
{
    if (in->flags & LIMIT_RST) {
        if (is_flow(l, in))
            l->open = false;
        return false;
    }
    if (in->flags & LIMIT_SYN)
        return take_syn(l, in, out);
    if (is_flow(l, in))
        return take_flow(l, in, out);
    if (in->our_port == DISCARD || in->our_port == SOURCE)
        return false;
    return take_question(in, out);
}

bool limit_next(struct limit *l, struct limit_seg *out)
{
    uint32_t most = l->offload ? SUPER : LIMIT_MSS;
    uint32_t flying = seq_len(l->una, l->nxt);

    if (!l->open || l->to.our_port != SOURCE || l->window < flying + LIMIT_MSS)
        return false;
    *out = l->to;
    out->seq = l->nxt;
    out->ack = l->rcv;
    out->flags = LIMIT_ACK | LIMIT_PSH;
    out->text = NULL;
    out->len = min_u32(most, (l->window - flying) / LIMIT_MSS * LIMIT_MSS);
    l->nxt = seq_add(l->nxt, (uint32_t)out->len);
    return true;
}

void limit_stalled(struct limit *l)
{
    if (l->open)
        l->nxt = l->una;
}
