/* Four numbers say which connection a segment belongs to; a SYN begins one. */
#include "lan_flow.h"

#include <string.h>

#include "wire/ip4_wire.h"

enum { SOURCE = 12, DESTINATION = 16 };

static bool same_end(const struct lan_end *a, const struct lan_end *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* The newest comes first: the same four numbers may have had a connection before. */
static void find_flow(const struct lan_flows *flows, struct lan_segment *s)
{
    s->flow = 0;
    for (int i = flows->n - 1; i >= 0 && s->flow == 0; i--) {
        const struct lan_end *end = flows->flow[i].end;
        bool ours = same_end(&end[0], &s->from) && same_end(&end[1], &s->to);
        s->answer = same_end(&end[1], &s->from) && same_end(&end[0], &s->to);
        s->flow = ours || s->answer ? i + 1 : 0;
    }
}

void lan_flows_init(struct lan_flows *flows, const struct lan *lan)
{
    flows->n = 0;
    flows->adopt = !lan->sim;
}

/* Nobody has seen its SYN: who has the lower port is taken for the server. */
static void adopt_flow(struct lan_flows *flows, struct lan_segment *s)
{
    bool answer = s->from.port < s->to.port;
    struct lan_flow f = { .end = { s->from, s->to } };

    if (answer)
        f = (struct lan_flow){ .end = { s->to, s->from } };
    f.base[answer] = seq_sub(s->tcp.seq, 1);
    f.base[!answer] = seq_sub(s->tcp.ack, 1);
    f.known[answer] = true;
    f.known[!answer] = s->tcp.flags & TCP_ACK;
    flows->flow[flows->n++] = f;
    s->flow = flows->n;
    s->answer = answer;
}

/* A SYN alone begins a connection, unless it is the last one's again. */
static void begin_flow(struct lan_flows *flows, struct lan_segment *s)
{
    const struct lan_flow *before = s->flow ? &flows->flow[s->flow - 1] : NULL;

    if (flows->n == LAN_FLOWS)
        return;
    if (!before && flows->adopt && !(s->tcp.flags & (TCP_SYN | TCP_RST)))
        adopt_flow(flows, s);
    if ((s->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return;
    if (before && !s->answer && seq_eq(before->base[0], s->tcp.seq))
        return;
    flows->flow[flows->n++] = (struct lan_flow){ .end = { s->from, s->to } };
    s->flow = flows->n;
    s->answer = false;
}

/* Numbers count from the initial ones. */
static void relate(struct lan_flows *flows, struct lan_segment *s)
{
    struct lan_flow *f = s->flow ? &flows->flow[s->flow - 1] : NULL;
    int us = s->answer, them = !s->answer;

    if (!f)
        return;
    if (s->tcp.flags & TCP_SYN) {
        f->base[us] = s->tcp.seq;
        f->known[us] = true;
    }
    s->first = f->known[us] ? seq_len(f->base[us], s->tcp.seq) : 0;
    if ((s->tcp.flags & TCP_ACK) && f->known[them])
        s->ack = seq_len(f->base[them], s->tcp.ack);
}

size_t lan_first_line(const struct lan_segment *s, char *out, size_t room)
{
    const uint8_t *text = s->tcp.text;
    size_t n = 0;

    for (; n < s->tcp.text_len && n < room && text[n] >= ' ' && text[n] <= '~'; n++)
        out[n] = (char)text[n];
    return n;
}

bool lan_look(struct lan_flows *flows, const struct lan_event *e,
              struct lan_segment *out)
{
    struct ip4 ip;

    *out = (struct lan_segment){ 0 };
    if (e->note[0] || ip4_parse(e->ip, e->len, &ip) < 0 || ip.proto != IP_PROTO_TCP)
        return false;
    if (tcp_parse(e->ip + ip.header_len, ip.total_len - (size_t)ip.header_len,
                  &out->tcp) < 0)
        return false;
    out->ip_len = ip.header_len;
    out->tcp_len = (size_t)(out->tcp.text - e->ip) - out->ip_len;
    memcpy(out->from.address, e->ip + SOURCE, 4);
    memcpy(out->to.address, e->ip + DESTINATION, 4);
    out->from.port = out->tcp.src_port;
    out->to.port = out->tcp.dst_port;
    find_flow(flows, out);
    begin_flow(flows, out);
    relate(flows, out);
    return true;
}
