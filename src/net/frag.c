/* How it works
 *
 * In. The parts of a datagram stand in a list in the order of their offsets, each a
 * packet as it came:
 *
 *     frag:  [0, 1480) --> [1480, 2960) --> hole --> [4440, 5000) last
 *
 * When their lengths add up to the end of the last one, there is no hole, and they are
 * joined in one packet behind the header of the first (RFC 815 s3 keeps a list of holes
 * instead; with parts that never overlap the sum tells the same).
 *
 * What can be forged is made harmless:
 *
 *     overlap
 *         the whole datagram dies (RFC 5722 s3, there for IPv6): who cuts datagrams
 *         never does it, who wants two readings does. The same part twice is no overlap
 *     beyond 65535
 *         the fragment dies; so does one whose length is no multiple of eight although
 *         it is not the last, or that is empty
 *     two ends
 *         the whole dies
 *     many, never whole
 *         net.ipv4.ipfrag_high_thresh bytes, FRAG_DATAGRAMS, and FRAG_OF_SOURCE of one
 *         sender: the oldest go
 *     late
 *         after net.ipv4.ipfrag_time all parts go, and the sender is told if the first
 *         is among them (RFC 1122 s3.3.2)
 *
 * Since nothing is delivered before it is whole, a transport never sees half a header
 * (RFC 1858, RFC 3128).
 *
 * Out. A datagram is cut into pieces of a multiple of eight bytes. Its identification
 * is from a counter that a keyed hash of addresses and protocol chooses, so that
 * numbers neither repeat soon (RFC 6864 s4.3) nor tell a stranger how much others send
 * (RFC 7739). */
#include "net/frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "net/gso.h"
#include "net/net.h"
#include "wire/icmp_wire.h"

enum {
    TOTAL_MAX = 65535, /* RFC 1122 s3.3.2 (MUST-ip-reassembly-576) */
    OFFSET_UNIT = 8,
    /* RFC 3168 s5: the ECN field's four values */
    ECN_NOT = 0,
    ECN_CE = 3,
};

struct frag {
    struct list node; /* in frag_table.all */
    struct deadline deadline;
    struct netif *nif; /* where the first of them came in */
    struct ip_addr src, dst;
    uint16_t id;
    uint8_t proto;
    uint8_t ecn;            /* the values seen, a bit each */
    uint32_t have, end;     /* bytes here; length of the whole, 0: not known yet */
    struct pkt_queue parts; /* by offset, which is in pkt.seq; data is their text */
};

/* --- the table ------------------------------------------------------------------- */

void frag_init(struct net *net)
{
    net->frags = (struct frag_table){ .n = 0 };
    list_init(&net->frags.all);
}

static struct frag *frag_of(struct list *node)
{
    return list_entry(node, struct frag, node);
}

static void account(struct net *net, const struct pkt *p, int sign)
{
    net->frags.bytes += sign > 0 ? p->cap : -(size_t)p->cap;
}

static void frag_free(struct net *net, struct frag *f)
{
    heap_remove(&net->heap, &f->deadline);
    list_del(&f->node);
    net->frags.n--;
    free(f);
}

/* All its parts die of the same. */
static void frag_drop(struct net *net, struct frag *f, enum drop why)
{
    struct pkt *p;

    while ((p = pkt_queue_pop(&f->parts))) {
        account(net, p, -1);
        net_drop(net, p, why);
    }
    count(&net->count, COUNT_IpReasmFails);
    frag_free(net, f);
}

void frag_clear(struct net *net)
{
    list_each_safe (at, after, &net->frags.all)
        frag_drop(net, frag_of(at), DROP_FRAG_TIMEOUT);
}

static struct frag *find(struct net *net, const struct ip4 *ip)
{
    list_each (at, &net->frags.all) {
        struct frag *f = frag_of(at);
        if (f->id == ip->id && f->proto == ip->proto && ip_eq(f->src, ip->src) &&
            ip_eq(f->dst, ip->dst))
            return f;
    }
    return NULL;
}

/* One sender's share is bounded, so that it cannot push out everybody else's. */
static void bound_source(struct net *net, struct ip_addr src)
{
    struct frag *oldest = NULL;
    size_t n = 0;

    list_each (at, &net->frags.all) {
        if (!ip_eq(frag_of(at)->src, src))
            continue;
        oldest = oldest ? oldest : frag_of(at);
        n++;
    }
    if (n >= FRAG_OF_SOURCE)
        frag_drop(net, oldest, DROP_FRAG_MEMORY);
}

static struct frag *frag_new(struct netif *nif, const struct ip4 *ip)
{
    struct net *net = nif->net;
    struct frag *f;

    bound_source(net, ip->src);
    if (net->frags.n >= FRAG_DATAGRAMS)
        frag_drop(net, frag_of(net->frags.all.next), DROP_FRAG_MEMORY);
    f = calloc(1, sizeof *f);
    if (!f || !heap_reserve(&net->heap, 1)) {
        free(f);
        return NULL;
    }
    f->nif = nif;
    f->src = ip->src;
    f->dst = ip->dst;
    f->id = ip->id;
    f->proto = ip->proto;
    deadline_init(&f->deadline, DL_FRAG);
    heap_set(&net->heap, &f->deadline, net->now + net->config.ipfrag_time);
    list_add_tail(&net->frags.all, &f->node);
    net->frags.n++;
    return f;
}

/* The oldest go until the rest fits; false: f was among them. */
static bool bound_memory(struct net *net, const struct frag *f)
{
    bool stays = true;

    while (net->frags.bytes > net->config.ipfrag_high_thresh && stays) {
        struct frag *oldest = frag_of(net->frags.all.next);
        stays = oldest != f;
        frag_drop(net, oldest, DROP_FRAG_MEMORY);
    }
    return stays;
}

/* --- one part -------------------------------------------------------------------- */

static uint32_t from_of(const struct pkt *p)
{
    return p->seq.n;
}

static uint32_t to_of(const struct pkt *p)
{
    return p->seq.n + p->len;
}

static bool is_sound(const struct ip4 *ip)
{
    uint32_t len = ip->total_len - ip->header_len;

    if (len == 0 || (ip->more_fragments && len % OFFSET_UNIT != 0))
        return false;
    return (uint32_t)ip->header_len + ip->frag_offset + len <= TOTAL_MAX;
}

enum fit { FITS, IS_DUPLICATE, IS_OVERLAP };

/* Puts p among the parts, unless it covers what is there. */
static enum fit insert(struct frag *f, struct pkt *p)
{
    struct pkt **at = &f->parts.head, *before = NULL;

    while (*at && from_of(*at) < from_of(p)) {
        before = *at;
        at = &before->next;
    }
    if (*at && from_of(*at) == from_of(p) && to_of(*at) == to_of(p))
        return IS_DUPLICATE;
    if ((before && to_of(before) > from_of(p)) || (*at && to_of(p) > from_of(*at)))
        return IS_OVERLAP;
    p->next = *at;
    *at = p;
    if (!p->next)
        f->parts.tail = p;
    f->parts.n++;
    return FITS;
}

/* Does it agree with what the last part said of the end, or with the parts if it is the
 * last itself? */
static bool end_agrees(struct frag *f, const struct pkt *p, bool last)
{
    if (f->end && (to_of(p) > f->end || (last && to_of(p) != f->end)))
        return false;
    if (last && f->parts.tail && to_of(f->parts.tail) > to_of(p))
        return false;
    if (last)
        f->end = to_of(p);
    return true;
}

/* RFC 3168 s5.3 (MUST-ecn-frag-mixed): a mark and a part that could not have been
 * marked do not go together. */
static bool ecn_is_mixed(const struct frag *f)
{
    return (f->ecn & 1u << ECN_CE) && (f->ecn & 1u << ECN_NOT);
}

/* Takes p. False: f is gone. */
static bool add_part(struct net *net, struct frag *f, struct pkt *p,
                     const struct ip4 *ip)
{
    enum drop why = DROP_FRAG_OVERLAP;
    enum fit fit = IS_OVERLAP;

    p->seq = seq_at(ip->frag_offset);
    if (end_agrees(f, p, !ip->more_fragments))
        fit = insert(f, p);
    if (fit == IS_DUPLICATE) {
        net_drop(net, p, DROP_FRAG_DUPLICATE);
        return true;
    }
    f->ecn |= (uint8_t)(1u << (ip->tos & IP_ECN_MASK));
    if (fit == FITS) {
        f->have += p->len;
        account(net, p, 1);
        if (!ecn_is_mixed(f))
            return bound_memory(net, f);
        why = DROP_FRAG_ECN;
    } else {
        net_drop(net, p, why);
    }
    frag_drop(net, f, why);
    return false;
}

/* --- the whole ------------------------------------------------------------------- */

/* The first part's header, as if there had never been fragments. */
static void put_header(const struct frag *f, struct pkt *whole, size_t header_len)
{
    const uint8_t *first = f->parts.head->data - header_len;
    uint8_t *b = pkt_put(whole, header_len);

    memcpy(b, first, header_len);
    put16(b + 2, (uint16_t)(header_len + f->end));
    put16(b + 6, 0);
    if (f->ecn & 1u << ECN_CE) /* RFC 3168 s5.3 (MUST-ecn-frag, MUST-ecn-frag-same) */
        b[1] |= ECN_CE;
    put16(b + 10, 0);
    put16(b + 10, cksum_finish(cksum_add(0, b, header_len, 0)));
}

static size_t header_len_of(const struct frag *f)
{
    /* The header stands in front of the text, its length was noted when it came. */
    return (size_t)f->parts.head->csum_field;
}

static struct pkt *join(struct net *net, struct frag *f)
{
    size_t header_len = header_len_of(f);
    struct pkt *whole = pkt_new(&net->pool, header_len + f->end), *p;

    if (!whole) {
        frag_drop(net, f, DROP_NO_BUFFER);
        return NULL;
    }
    put_header(f, whole, header_len);
    while ((p = pkt_queue_pop(&f->parts))) {
        memcpy(pkt_put(whole, p->len), p->data, p->len);
        account(net, p, -1);
        pkt_free(p);
    }
    frag_free(net, f);
    count(&net->count, COUNT_IpReasmOKs);
    return whole;
}

struct pkt *frag_input(struct netif *nif, struct pkt *p, const struct ip4 *ip)
{
    struct net *net = nif->net;
    struct frag *f;

    count(&net->count, COUNT_IpReasmReqds);
    if (!is_sound(ip)) {
        count(&net->count, COUNT_IpReasmFails);
        net_drop(net, p, DROP_FRAG_INVALID);
        return NULL;
    }
    f = find(net, ip);
    if (!f && !(f = frag_new(nif, ip))) {
        count(&net->count, COUNT_IpReasmFails);
        net_drop(net, p, DROP_NO_BUFFER);
        return NULL;
    }
    pkt_pull(p, ip->header_len);
    p->csum_field = ip->header_len; /* of no other use on the way up */
    if (!add_part(net, f, p, ip))
        return NULL;
    if (!f->end || f->have < f->end)
        return NULL;
    return join(net, f);
}

/* RFC 792, time exceeded, code 1; RFC 1122 s3.3.2 (MUST-ip-reassembly-timeout), s3.2.2
 * (MUST-icmp-not-fragment): if the first fragment is here. */
static void tell_sender(struct net *net, const struct frag *f)
{
    const struct pkt *first = f->parts.head;

    if (!first || from_of(first) != 0)
        return;
    struct ip_info ip = { .nif = f->nif,
                          .src = f->src,
                          .dst = f->dst,
                          .proto = f->proto,
                          .broadcast = !net_is_local(net, f->dst),
                          .header_len = (uint16_t)header_len_of(f) };
    icmp_send_error(net, &ip, first, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY);
}

void frag_fire(struct net *net, struct deadline *d)
{
    struct frag *f = list_entry(d, struct frag, deadline);

    count(&net->count, COUNT_IpReasmTimeout);
    tell_sender(net, f);
    frag_drop(net, f, DROP_FRAG_TIMEOUT);
}

/* --- out ------------------------------------------------------------------------- */

uint16_t frag_id(struct net *net, const struct ip4 *ip)
{
    uint8_t b[16 + 16 + 1];
    uint64_t hash;

    memcpy(b, ip->src.b, 16);
    memcpy(b + 16, ip->dst.b, 16);
    b[32] = ip->proto;
    hash = siphash(&net->secret, b, sizeof b);
    return (uint16_t)((hash >> 16) + net->frags.ids[hash % FRAG_ID_SLOTS]++);
}

/* The piece of p at `offset`; NULL: no memory. */
static struct pkt *cut(struct net *net, const struct pkt *p, size_t offset, size_t len)
{
    struct pkt *piece = pkt_new(&net->pool, len);

    if (piece)
        memcpy(pkt_put(piece, len), p->data + offset, len);
    return piece;
}

/* Sends the pieces of p, which is contiguous. */
static int send_pieces(struct net *net, const struct route_hop *hop, struct ip4 *ip,
                       const struct pkt *p, size_t mtu)
{
    size_t step = (mtu - IP4_LEN - ip->n_options) / OFFSET_UNIT * OFFSET_UNIT;
    uint8_t copied[IP4_OPTIONS_MAX];

    for (size_t at = 0; at < p->len; at += step) {
        size_t len = min_size(step, p->len - at);
        struct pkt *piece = cut(net, p, at, len);
        if (!piece)
            return -ENOBUFS;
        ip->frag_offset = (uint16_t)at;
        ip->more_fragments = at + len < p->len;
        ip->total_len = (uint16_t)(IP4_LEN + ip->n_options + len);
        ip4_emit(pkt_push(piece, IP4_LEN + ip->n_options), ip);
        if (at == 0 && ip->n_options > 0) {
            ip->n_options = (uint8_t)ip4_options_copied(ip->options, ip->n_options,
                                                        copied);
            ip->options = copied;
        }
        int r = neigh_output(net, hop->nif, hop->next_hop, piece);
        if (r < 0) /* the rest is of no use without this one */
            return at > 0 && r == -EAGAIN ? -ENOBUFS : r;
        count(&net->count, COUNT_IpFragCreates);
    }
    return 0;
}

int frag_output(struct net *net, const struct route_hop *hop, const struct ip4 *ip,
                struct pkt *p, uint16_t mtu)
{
    struct ip4 header = *ip;
    struct pkt *whole = p;
    int r;

    if (p->n_text > 0) {
        whole = pkt_copy(&net->pool, p);
        pkt_free(p);
    }
    if (!whole) {
        net_drop(net, NULL, DROP_NO_BUFFER);
        return -ENOBUFS;
    }
    if (whole->csum == PKT_CSUM_PARTIAL)
        csum_complete(whole);
    header.dont_fragment = false;
    header.id = frag_id(net, ip);
    r = send_pieces(net, hop, &header, whole, mtu);
    count(&net->count, r == 0 ? COUNT_IpFragOKs : COUNT_IpFragFails);
    if (r == -ENOBUFS)
        net_drop(net, whole, DROP_LINK_BUSY);
    else
        pkt_free(whole);
    return r;
}
