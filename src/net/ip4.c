/* IPv4 for a host: no forwarding.
 *
 * In: the header is checked (wire/ip4_wire.c), then where the packet comes from, then
 * whether it is for us; what is left is trimmed of Ethernet's padding, and the stack is
 * told what was found. Fragments wait for the rest of their datagram (frag.c), which
 * then goes on as if it had come in one piece.
 *
 * Out: route, source address, header with the socket's options, neighbour.
 * Don't-fragment is set (RFC 1191 s3) unless the transport wants otherwise, so most
 * packets are atomic in the words of RFC 6864 and need no identification. The pieces of
 * a super-segment get numbers all the same: receivers that join segments (GRO) want to
 * see them count up.
 *
 * Packets to ourselves go to net->loop; see net.c. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "net/net.h"
#include "wire/ip4_wire.h"

static const uint32_t ALL_HOSTS = 0xe0000001; /* 224.0.0.1, RFC 1112 s4 */

/* A super-segment beyond 65535 bytes leaves its total length 0, as ours do
 * (header_for). */
static void mend_total_len(struct pkt *p)
{
    uint8_t *b = p->data;

    if (!p->gso_size || p->len < IP4_LEN || get16(b + 2) != 0 || p->len > 65535)
        return;
    put16(b + 10, cksum_update(get16(b + 10), 0, (uint16_t)p->len));
    put16(b + 2, (uint16_t)p->len);
}

static bool is_broadcast_on(const struct netif *nif, struct ip_addr a)
{
    if (ip_is_limited_broadcast(a))
        return true;
    return nif->prefix <= 30 && ip_eq(a, ip4_subnet_broadcast(nif->addr, nif->prefix));
}

/* RFC 1122 s3.2.1.3 (MUST-ip-bad-source), s3.2.2 (MUST-icmp-not-odd-source), s4.1.3.6
 * (MUST-udp-bad-source), RFC 9293 s3.9.2.3 (MUST-63): a source is one host's, and from
 * outside not this host's. */
static bool source_ok(const struct netif *nif, struct ip_addr src)
{
    if (nif == &nif->net->loopback)
        return true;
    if (ip_is_any(src) || ip_is_multicast(src) || is_broadcast_on(nif, src))
        return false;
    return !net_is_local(nif->net, src);
}

/* One of this host's addresses, which may come in on any interface; 127/8 may not come
 * from outside (RFC 1122 s3.2.1.3 (g), MUST-ip-loopback). */
static bool is_ours(const struct netif *nif, struct ip_addr dst)
{
    if (ip_eq(dst, nif->addr))
        return true;
    if (ip_is_loopback(dst))
        return nif == &nif->net->loopback;
    return net_is_local(nif->net, dst);
}

static bool is_group(const struct netif *nif, struct ip_addr dst)
{
    return is_broadcast_on(nif, dst) || ip_eq(dst, ip4_addr(ALL_HOSTS));
}

/* Why this host does not want a packet, or DROP_N: it does. */
static enum drop refuse(const struct netif *nif, const struct ip4 *ip, bool *broadcast)
{
    *broadcast = false;
    if (!source_ok(nif, ip->src))
        return DROP_IP_SOURCE;
    if (!is_ours(nif, ip->dst)) {
        /* RFC 1122 s3.3.6 (MUST-ip-broadcast-known) */
        *broadcast = is_group(nif, ip->dst);
        if (!*broadcast)
            return DROP_IP_NOT_OURS; /* RFC 1122 s3.1 (MUST-ip-no-forward), s3.2.1.3
                                      * (MUST-ip-not-ours) */
    }
    if (ip->source_route) /* RFC 7126 s4.3.5, s4.4.5 */
        return DROP_IP_SOURCE_ROUTE;
    return DROP_N;
}

struct pkt *ip4_input(struct netif *nif, struct pkt *p, struct ip_info *out)
{
    struct net *net = nif->net;
    struct ip4 ip;
    bool broadcast;

    count(&net->count, COUNT_IpInReceives);
    mend_total_len(p);
    int r = ip4_parse(p->data, p->len, &ip);
    if (r < 0) {
        count(&net->count, COUNT_IpInHdrErrors);
        net_drop(net, p, (enum drop)(-r - 1));
        return NULL;
    }
    /* RFC 3168 s5: their numbers are in the order of the field's values. */
    count(&net->count, (enum count)(COUNT_IpExtInNoECTPkts + (ip.tos & IP_ECN_MASK)));
    enum drop why = refuse(nif, &ip, &broadcast);
    if (why != DROP_N) {
        net_drop(net, p, why);
        return NULL;
    }
    pkt_trim(p, ip.total_len);
    if (ip.more_fragments || ip.frag_offset) {
        /* RFC 1122 s3.3.2 (MUST-ip-reassembly) */
        p = frag_input(nif, p, &ip);
        if (!p)
            return NULL;
        ip4_parse(p->data, p->len, &ip); /* a sound header that frag.c has written */
    }
    pkt_pull(p, ip.header_len);
    *out = (struct ip_info){ .nif = nif,
                             .src = ip.src,
                             .dst = ip.dst, /* RFC 1122 s3.4 (MUST-ip-spec-dest) */
                             .proto = ip.proto,
                             .tos = ip.tos, /* RFC 1122 s3.2.1.6 (SHLD-ip-tos-up) */
                             .ttl = ip.ttl, /* RFC 1122 s3.2.1.7 (MUST-ip-ttl-low) */
                             .broadcast = broadcast,
                             .header_len = ip.header_len };
    count(&net->count, COUNT_IpInDelivers);
    return p;
}

/* Queues p for ourselves. What never leaves memory needs no checksum. Takes p. */
static int loop_back(struct net *net, struct pkt *p)
{
    struct netif *lo = &net->loopback;
    struct pkt *kept = p;

    if (net->loop.n >= LOOPBACK_MAX) {
        net_drop(net, p, DROP_LOOPBACK_FULL);
        return 0;
    }
    if (p->n_text > 0) {
        kept = pkt_copy(&net->pool, p);
        if (!kept) {
            net_drop(net, p, DROP_NO_BUFFER);
            return 0;
        }
        pkt_free(p);
    }
    if (kept->csum == PKT_CSUM_PARTIAL)
        kept->csum = PKT_CSUM_VERIFIED;
    lo->out_frames++;
    lo->out_bytes += kept->len;
    lo->in_frames++;
    lo->in_bytes += kept->len;
    pkt_queue_push(&net->loop, kept);
    return 0;
}

/* As many identifications as gso.c will need for p. */
static uint16_t take_ids(struct net *net, const struct pkt *p, size_t total)
{
    uint16_t id = net->ip_id;

    if (p->gso_size == 0)
        return 0;
    net->ip_id = (uint16_t)(net->ip_id + total / p->gso_size + 1);
    return id;
}

/* RFC 1122 s3.2.1.7 (MUST-ip-ttl-zero, MUST-ip-ttl-set, MUST-ip-ttl-config). */
static uint8_t choose_ttl(const struct net *net, const struct ip_out *how)
{
    if (how->opt.ttl)
        return how->opt.ttl;
    /* RFC 1112 s6.1: multicast stays on the link unless asked to leave it. */
    return ip_is_multicast(how->dst) ? 1 : net->config.ip_default_ttl;
}

static struct ip4 header_for(struct net *net, const struct ip_out *how,
                             const struct route_hop *hop, const struct pkt *p)
{
    size_t total = pkt_total(p) + IP4_LEN + how->opt.n_list;

    /* RFC 1122 s3.2.1.3 (MUST-ip-own-source) */
    return (struct ip4){ .src = ip_is_any(how->src) ? hop->src : how->src,
                         .dst = how->dst,
                         .total_len = total > UINT16_MAX ? 0 : (uint16_t)total,
                         .id = take_ids(net, p, total),
                         .tos = how->opt.tos, /* RFC 1122 s3.2.1.6 (MUST-ip-tos) */
                         .ttl = choose_ttl(net, how),
                         .proto = how->proto,
                         .dont_fragment = how->opt.df != IP_DF_DONT,
                         .options = how->opt.list, /* RFC 1122 s3.2.1.8, s3.4
                                                    * (MUST-ip-options-send,
                                                    * MUST-ip-interface) */
                         .n_options = how->opt.n_list };
}

/* The way's MTU. Takes don't-fragment from *ip where the way is narrower than is
 * believed (pmtu.c). */
static uint16_t find_mtu(struct net *net, const struct ip_out *how,
                         const struct route_hop *hop, struct ip4 *ip)
{
    const struct pmtu *path = NULL;

    if (how->opt.df != IP_DF_PROBE)
        path = pmtu_find(net, how->dst);
    if (!path)
        return hop->nif->mtu;
    if (path->locked && how->opt.df == IP_DF_WANT)
        ip->dont_fragment = false;
    return (uint16_t)min_u32(path->mtu, hop->nif->mtu);
}

int ip_output(struct net *net, const struct ip_out *how, struct pkt *p)
{
    struct route_hop hop;

    count(&net->count, COUNT_IpOutRequests);
    int r = route_lookup(net, how->dst, &hop);
    if (r < 0) {
        net_drop(net, p, DROP_IP_NO_ROUTE);
        return r;
    }
    struct ip4 ip = header_for(net, how, &hop, p);
    uint16_t mtu = find_mtu(net, how, &hop, &ip);
    size_t most = p->gso_size ? NETIF_BIG_MAX : mtu;
    size_t header_len = IP4_LEN + ip.n_options;
    if (pkt_total(p) + header_len > most) { /* RFC 1122 s3.3.3 (MUST-ip-mms-s-kept) */
        bool may_cut = how->opt.df == IP_DF_WANT || how->opt.df == IP_DF_DONT;
        if (may_cut && !p->gso_size && ip.total_len)
            return frag_output(net, &hop, &ip, p, mtu);
        net_drop(net, p, DROP_IP_TOO_BIG);
        return -EMSGSIZE;
    }
    if (ip.id == 0 && !ip.dont_fragment)
        ip.id = frag_id(net, &ip);
    ip4_emit(pkt_push(p, header_len), &ip);
    if (hop.nif == &net->loopback)
        return loop_back(net, p);
    return neigh_output(net, hop.nif, hop.next_hop, p);
}

static bool has_netif(const struct net *net, int index)
{
    for (const struct netif *nif = net->netifs; nif; nif = nif->next)
        if (nif->index == index)
            return true;
    return false;
}

int ip_take_ask(const struct net *net, const struct ip_ask *ask, struct route_hop *hop,
                struct ip_options *opt)
{
    if (!ask)
        return 0;
    if (ask->nif >= 0 && ask->nif != hop->nif->index)
        return has_netif(net, ask->nif) ? -ENETUNREACH : -ENODEV;
    if (!ip_is_any(ask->src) && !net_is_local(net, ask->src))
        return -EINVAL;
    if (!ip_is_any(ask->src))
        hop->src = ask->src;
    if (ask->tos >= 0)
        opt->tos = (uint8_t)ask->tos;
    if (ask->ttl >= 0)
        opt->ttl = (uint8_t)ask->ttl;
    return 0;
}

/* RFC 1122 s4.1.3.5 (MUST-udp-destination-up), s3.2.1.8 (MUST-ip-options-up), s4.1.3.2
 * (MUST-udp-options-up). */
struct ip_heard ip_heard(const struct ip_info *ip, const struct pkt *p)
{
    struct ip_heard heard = { .dst = ip->dst,
                              .local = ip->broadcast ? ip->nif->addr : ip->dst,
                              .nif = ip->nif->index,
                              .tos = ip->tos,
                              .ttl = ip->ttl,
                              .n_list = (uint8_t)(ip->header_len - IP4_LEN) };

    if (heard.n_list > 0)
        memcpy(heard.list, p->data - heard.n_list, heard.n_list);
    return heard;
}

/* RFC 1122 s3.3.2 (MUST-ip-mms-r), s3.3.3 (MUST-ip-mms-s): less the header. */
uint16_t ip_mtu(struct net *net, struct ip_addr dst)
{
    struct route_hop hop;

    return route_lookup(net, dst, &hop) < 0 ? 0 : hop.nif->mtu;
}

void ip_doubt(struct net *net, struct ip_addr dst)
{
    struct route_hop hop;

    if (route_lookup(net, dst, &hop) == 0 && !ip_eq(hop.next_hop, dst))
        neigh_doubt(net, hop.next_hop);
}

uint16_t ip_path_mtu(struct net *net, struct ip_addr dst)
{
    const struct pmtu *path = pmtu_find(net, dst);
    uint16_t mtu = ip_mtu(net, dst);

    return path ? (uint16_t)min_u32(path->mtu, mtu) : mtu;
}

struct ip_options ip_options_default(const struct net *net)
{
    return (struct ip_options){ .df = net->config.ip_no_pmtu_disc ? IP_DF_DONT
                                                                  : IP_DF_WANT };
}
