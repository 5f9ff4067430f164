/* Sequence numbers: on a SYN the local ones are moved so that the script's ISN is the
 * actual one, and the remote ones are the script's. On all else both count from the
 * actual ISNs. Numbers in SACK blocks go with the acknowledgment.
 *
 * Timestamps: when a packet is compared, the script's TSval is remembered beside the
 * actual one; an echo in a later packet that comes in is looked up there. The peer's
 * own timestamps are the script's and are not touched. */
#include "flow.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/tcp_wire.h"

/* What is added to a number of ours in the script for the one on the wire. */
static uint32_t local_offset(const struct flow *f, const struct packet *p)
{
    return p->flags & TCP_SYN ? f->local_isn - f->script_isn : f->local_isn;
}

static uint32_t remote_offset(const struct flow *f, const struct packet *p)
{
    return p->flags & TCP_SYN ? 0 : f->remote_isn;
}

static void move_sack(struct packet *p, uint32_t offset)
{
    const uint8_t *o;
    uint8_t len;

    for (size_t at = 0; (o = packet_option(p, &at, &len));) {
        uint8_t *edge = p->options + (o - p->options) + 2;

        for (int i = 2; o[0] == OPT_SACK && i + 4 <= len; i += 4, edge += 4)
            put32(edge, get32(edge) + offset);
    }
}

static bool find_stamp(const struct flow *f, uint32_t script, uint32_t *wire)
{
    size_t oldest = f->n_stamps > FLOW_STAMPS ? f->n_stamps - FLOW_STAMPS : 0;

    for (size_t i = f->n_stamps; i > oldest; i--) {
        const struct flow_stamp *s = &f->stamp[(i - 1) % FLOW_STAMPS];

        if (s->script != script)
            continue;
        *wire = s->wire;
        return true;
    }
    return false;
}

static const char *map_echo(const struct flow *f, struct packet *p, bool scaled)
{
    uint8_t *ts = packet_timestamp(p);
    uint32_t wire;

    if (!ts || !(p->flags & TCP_ACK))
        return NULL;
    if (!find_stamp(f, get32(ts + 4), &wire)) {
        if (!scaled || !f->stamped)
            return "it echoes a timestamp that was never sent";
        wire = get32(ts + 4) - f->first.script + f->first.wire;
    }
    put32(ts + 4, wire);
    return NULL;
}

const char *flow_to_wire(const struct flow *f, struct packet *p, bool scaled)
{
    if (!p->src_port)
        p->src_port = f->remote_port;
    if (!p->dst_port)
        p->dst_port = f->local_port;
    if (p->kind == PACKET_ICMP)
        p->quote_seq += f->local_isn;
    if (p->kind != PACKET_TCP)
        return NULL;
    if (!p->absolute_seq)
        p->seq += remote_offset(f, p);
    if (p->flags & TCP_ACK)
        p->ack += local_offset(f, p);
    move_sack(p, local_offset(f, p));
    return map_echo(f, p, scaled);
}

bool flow_owns(const struct flow *f, const struct packet *p)
{
    bool opens = p->kind == PACKET_UDP ||
                 (p->kind == PACKET_TCP && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN);

    if (p->kind == PACKET_ICMP)
        return true;
    if (p->kind != f->kind || p->dst_port != f->remote_port)
        return false;
    if (p->src_port == f->local_port)
        return true;
    return opens && (f->state == FLOW_SYN_SENT || f->state == FLOW_CONNECTING);
}

void flow_to_script(const struct flow *f, struct packet *p)
{
    if (p->kind != PACKET_TCP)
        return;
    p->seq -= local_offset(f, p);
    if (p->flags & TCP_ACK)
        p->ack -= remote_offset(f, p);
    move_sack(p, 0 - remote_offset(f, p));
}

void flow_stamp(struct flow *f, const struct packet *wanted, struct packet *actual)
{
    struct packet copy = *wanted;
    uint8_t *w = packet_timestamp(&copy), *a = packet_timestamp(actual);
    struct flow_stamp s;

    if (!w || !a)
        return;
    s = (struct flow_stamp){ get32(w), get32(a) };
    f->stamp[f->n_stamps++ % FLOW_STAMPS] = s;
    if (!f->stamped)
        f->first = s;
    f->stamped = true;
    put32(a, s.wire - f->first.wire + f->first.script);
}
