/* How it works
 *
 * A frame is taken apart once, by wire/dump, which trusts nothing, and is of one or
 * more kinds: a FIN with text is both. Each row that is for one of them counts it and,
 * when the number is its own, adds to the verdict.
 *
 * `each` needs to remember which connections it has hit. It keeps 32 bits of a hash of
 * each in a small table; a connection that is pushed out of it, after thousands, would
 * be hit once more. */
#include "edge/netem_script.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/dump.h"

enum { PROBE = 8 };

/* The kinds that a frame is of, one bit each. */
static unsigned classify(const struct dump_info *info)
{
    const struct tcp_seg *seg = &info->seg;
    unsigned kinds = 1u << NETEM_ANY;

    if (!info->is_tcp)
        return kinds;
    if (seg->flags & TCP_SYN)
        kinds |= 1u << (seg->flags & TCP_ACK ? NETEM_SYNACK : NETEM_SYN);
    if (seg->flags & TCP_FIN)
        kinds |= 1u << NETEM_FIN;
    if (seg->flags & TCP_RST)
        kinds |= 1u << NETEM_RST;
    if (seg->text_len)
        kinds |= 1u << NETEM_DATA;
    if (!seg->text_len && (seg->flags & TCP_ACK) &&
        !(seg->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
        kinds |= 1u << NETEM_ACK;
    return kinds;
}

/* What `each` tells connections apart by, never 0. A SYN's number is part of it: a new
 * connection between old ports is a new one, a SYN sent again is not. */
static uint32_t connection_hash(const struct netem_memory *m, unsigned row,
                                const struct dump_info *info)
{
    uint8_t b[16 + 16 + 2 + 2 + 4 + 4 + 1] = { 0 };
    uint32_t hash;

    memcpy(b, info->src.b, 16);
    memcpy(b + 16, info->dst.b, 16);
    if (info->is_tcp) {
        put16(b + 32, info->seg.src_port);
        put16(b + 34, info->seg.dst_port);
        if (info->seg.flags & TCP_SYN)
            put32(b + 36, info->seg.seq.n);
    }
    put32(b + 40, row);
    b[44] = info->proto;
    hash = (uint32_t)siphash(&m->key, b, sizeof b);
    return hash ? hash : 1;
}

static bool first_of_connection(struct netem_memory *m, unsigned row,
                                const struct dump_info *info)
{
    uint32_t hash;
    uint32_t *slot, *first;

    if (!info->is_ip)
        return false;
    hash = connection_hash(m, row, info);
    first = &m->seen[hash % NETEM_SEEN];
    for (uint32_t i = 0; i < PROBE; i++) {
        slot = &m->seen[(hash + i) % NETEM_SEEN];
        if (*slot == hash)
            return false;
        if (*slot == 0) {
            *slot = hash;
            return true;
        }
    }
    *first = hash;
    return true;
}

static void add_deed(struct netem_verdict *v, const struct netem_row *row)
{
    switch (row->deed) {
    case NETEM_DROP:
        v->drop = true;
        break;
    case NETEM_TWICE:
        v->twice = true;
        break;
    case NETEM_HOLD:
        v->hold = usec_max(v->hold, row->hold);
        break;
    }
}

struct netem_verdict netem_script_judge(struct netem_script *s, struct netem_memory *m,
                                        const struct pkt *p)
{
    struct netem_verdict v = { .drop = false };
    struct dump_info info;
    unsigned kinds;

    if (!s->n)
        return v;
    dump_look(p->data, p->len, &info);
    kinds = classify(&info);
    for (unsigned i = 0; i < s->n; i++) {
        struct netem_row *row = &s->row[i];

        if (!(kinds & 1u << row->kind))
            continue;
        row->seen++;
        if (row->first ? row->seen >= row->first && row->seen <= row->last
                       : first_of_connection(m, i, &info))
            add_deed(&v, row);
    }
    return v;
}

bool netem_script_holds(const struct netem_script *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->row[i].deed == NETEM_HOLD)
            return true;
    return false;
}
