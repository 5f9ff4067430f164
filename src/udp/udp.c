/* UDP.
 *
 * Bound ports stand in one list. A datagram goes to the port that matches it best: one
 * connected to its sender before one that is not, one bound to its destination before
 * one bound to any address. (The list is walked: a host has few UDP ports. A broadcast,
 * too, goes to the best match alone.)
 *
 * In a port's queue a packet's data is the datagram's text. In front of it, where the
 * headers were and the headroom before them, lies what is remembered of those:
 *
 *     | headroom ... | struct kept | text |
 *                                  ^ data
 *
 * A datagram that is larger than the way is cut (IP_PMTUDISC_WANT, Linux's default). */
#include "udp/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/udp_wire.h"

enum {
    RCV_LIMIT_DEFAULT = 212992, /* net.core.rmem_default */
    POOL_PART = 4,              /* eighths of the packet pool that datagrams wait in */
    PACKET_COST = 512,          /* what a queued packet costs beside its text */
    TEXT_MAX = 65535 - IP4_LEN - UDP_LEN,
    CKSUM_FIELD = 6,
};

/* Of a datagram in a queue. */
struct kept {
    struct udp_peer from;
    struct ip_heard ip;
};

_Static_assert(sizeof(struct kept) <= PKT_HEADROOM, "it fits in front of the text");

void udp_init(struct udp *udp, struct net *net)
{
    udp->net = net;
    list_init(&udp->ports);
}

struct udp_port *udp_new(struct udp *udp)
{
    struct udp_port *port = calloc(1, sizeof(*port));

    if (!port)
        return NULL;
    list_init(&port->node);
    watch_init(&port->watch);
    port->udp = udp;
    port->local = port->remote = ip_any4;
    port->rcv_limit = RCV_LIMIT_DEFAULT;
    port->ip = ip_options_default(udp->net);
    return port;
}

void udp_free(struct udp_port *port)
{
    list_del(&port->node);
    list_del(&port->watch.node);
    pkt_queue_clear(&port->rcv);
    free(port);
}

/* --- binding ------------------------------------------------------------------ */

static bool taken(const struct udp_port *port, struct ip_addr local, uint16_t number)
{
    list_each (at, &port->udp->ports) {
        const struct udp_port *other = list_entry(at, struct udp_port, node);
        if (other->local_port != number || (other->reuse_addr && port->reuse_addr))
            continue;
        if (ip_is_any(other->local) || ip_is_any(local) || ip_eq(other->local, local))
            return true;
    }
    return false;
}

/* RFC 6056 s3.3.1: a random start, then the next that is free; 0: none is. The epoch
 * keeps a restart with the same seed from repeating the choice. */
static uint16_t pick(const struct udp_port *port, struct ip_addr local)
{
    struct net *net = port->udp->net;
    uint32_t low = net->config.port_low;
    uint32_t n = net->config.port_high - low + 1;
    uint64_t start = rng_next(&net->rng) + (uint64_t)net->epoch;

    for (uint32_t i = 0; i < n; i++) {
        uint16_t number = (uint16_t)(low + (start % n + i) % n);
        if (!taken(port, local, number))
            return number;
    }
    return 0;
}

int udp_bind(struct udp_port *port, struct ip_addr local, uint16_t local_port)
{
    if (port->local_port)
        return -EINVAL;
    /* RFC 1122 s4.1.3.6 (MUST-udp-own-source) */
    if (!ip_is_any(local) && !net_is_local(port->udp->net, local))
        return -EADDRNOTAVAIL;
    if (local_port == 0)
        local_port = pick(port, local);
    else if (taken(port, local, local_port))
        return -EADDRINUSE;
    if (local_port == 0)
        return -EADDRINUSE;
    port->local = local;
    port->local_port = local_port;
    list_add_tail(&port->udp->ports, &port->node);
    return 0;
}

static int bind_if_must(struct udp_port *port)
{
    return port->local_port ? 0 : udp_bind(port, ip_any4, 0);
}

/* As on Linux, 0.0.0.0 as a destination is this host. */
static struct ip_addr or_this_host(struct ip_addr a)
{
    return ip_is_any(a) ? ip4_addr(0x7f000001) : a;
}

/* Where a datagram from port to dst goes; hop->src is the address that it will have. */
static int find_way(const struct udp_port *port, struct ip_addr dst,
                    struct route_hop *hop)
{
    struct net *net = port->udp->net;

    /* RFC 1122 s4.1.4: broadcasts are an application's wish; SO_BROADCAST, which
     * would tell, is not built. */
    if (net_is_broadcast(net, dst))
        return -EACCES;
    int r = route_lookup(net, dst, hop);
    if (r < 0)
        return r;
    if (!ip_is_any(port->local))
        hop->src = port->local; /* RFC 1122 s4.1.3.5 (MUST-udp-source-choice) */
    /* RFC 1122 s3.2.1.3 (g) (MUST-ip-loopback): 127/8 stays inside. */
    if (ip_is_loopback(hop->src) && hop->nif != &net->loopback)
        return -EINVAL;
    return 0;
}

static void dissolve(struct udp_port *port)
{
    port->remote = ip_any4;
    port->remote_port = 0;
    if (port->local_from_route)
        port->local = ip_any4;
    port->local_from_route = false;
}

int udp_connect(struct udp_port *port, struct ip_addr remote, uint16_t remote_port)
{
    struct route_hop hop;

    if (ip_is_any(remote) && remote_port == 0) {
        dissolve(port);
        return 0;
    }
    remote = or_this_host(remote);
    int r = find_way(port, remote, &hop);
    if (r == 0)
        r = bind_if_must(port);
    if (r < 0)
        return r;
    if (ip_is_any(port->local)) {
        port->local = hop.src;
        port->local_from_route = true;
    }
    port->remote = remote;
    port->remote_port = remote_port;
    return 0;
}

/* --- sending ------------------------------------------------------------------ */

/* The pending error, once. */
static int take_error(struct udp_port *port)
{
    int error = port->error;

    port->error = 0;
    return error;
}

static size_t text_len(const struct piece *text, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += text[i].len;
    return len;
}

static void put_text(struct pkt *p, const struct piece *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i].len > 0)
            memcpy(pkt_put(p, text[i].len), text[i].at, text[i].len);
    }
}

/* The header before the text, its checksum left to whoever is last (gso.h). */
static void put_header(struct pkt *p, const struct ip_out *how, uint16_t from,
                       uint16_t to)
{
    size_t len = p->len + UDP_LEN;
    uint64_t sum = ip_pseudo_sum(how->src, how->dst, IP_PROTO_UDP, len);
    struct udp_header h = {
        .src_port = from, .dst_port = to, .len = (uint16_t)len, .cksum = cksum_fold(sum)
    };

    udp_emit(pkt_push(p, UDP_LEN), &h);
    p->csum = PKT_CSUM_PARTIAL; /* RFC 1122 s4.1.3.4 (MUST-udp-checksum) */
    p->csum_at = p->data;
    p->csum_field = CKSUM_FIELD;
}

static int send_to(struct udp_port *port, const struct piece *text, size_t n,
                   const struct udp_peer *to, const struct ip_ask *ask)
{
    struct net *net = port->udp->net;
    struct route_hop hop;

    struct ip_options opt = port->ip;

    int r = find_way(port, to->addr, &hop);
    if (r == 0)
        r = ip_take_ask(net, ask, &hop, &opt);
    if (r == 0)
        r = bind_if_must(port);
    if (r < 0)
        return r;
    struct pkt *p = pkt_new(&net->pool, text_len(text, n));
    if (!p)
        return -ENOBUFS;
    /* RFC 1122 s4.1.4 (MUST-udp-ttl-tos), s4.1.3.2 (MUST-udp-options-send) */
    struct ip_out how = {
        .src = hop.src, .dst = to->addr, .proto = IP_PROTO_UDP, .opt = opt
    };
    put_text(p, text, n);
    put_header(p, &how, port->local_port, to->port);
    return ip_output(net, &how, p);
}

ssize_t udp_send(struct udp_port *port, const struct piece *text, size_t n,
                 const struct udp_peer *to, const struct ip_ask *ask)
{
    struct udp_peer peer = { port->remote, port->remote_port };
    size_t len = text_len(text, n);

    if (len > (size_t)TEXT_MAX - port->ip.n_list)
        return -EMSGSIZE;
    if (to)
        peer = (struct udp_peer){ or_this_host(to->addr), to->port };
    else if (ip_is_any(port->remote))
        return -EDESTADDRREQ;
    if (peer.port == 0)
        return -EINVAL;
    if (port->error)
        return take_error(port);
    int r = send_to(port, text, n, &peer, ask);
    if (r < 0)
        return r;
    count(&port->udp->net->count, COUNT_UdpOutDatagrams);
    return (ssize_t)len;
}

/* --- receiving ---------------------------------------------------------------- */

/* How well port matches; 0: not at all. */
static int match(const struct udp_port *port, const struct ip_info *ip,
                 const struct udp_header *h)
{
    int score = 1;

    if (port->local_port != h->dst_port)
        return 0;
    if (!ip_is_any(port->local)) {
        if (!ip_eq(port->local, ip->dst))
            return 0;
        score += 1;
    }
    if (!ip_is_any(port->remote)) {
        if (!ip_eq(port->remote, ip->src) || port->remote_port != h->src_port)
            return 0;
        score += 2;
    }
    return score;
}

static struct udp_port *find_port(const struct udp *udp, const struct ip_info *ip,
                                  const struct udp_header *h)
{
    struct udp_port *best = NULL;
    int best_score = 0;

    list_each (at, &udp->ports) {
        struct udp_port *port = list_entry(at, struct udp_port, node);
        int score = match(port, ip, h);
        if (score > best_score) {
            best = port;
            best_score = score;
        }
    }
    return best;
}

/* RFC 1122 s4.1.3.4 (MUST-udp-checksum-bad): a wrong checksum is dropped in silence; 0
 * means none was made. */
static bool checksum_ok(const struct ip_info *ip, const struct udp_header *h,
                        const struct pkt *p)
{
    if (p->csum != PKT_CSUM_FULL || h->cksum == 0)
        return true;
    uint64_t sum = ip_pseudo_sum(ip->src, ip->dst, IP_PROTO_UDP, h->len);
    return cksum_finish(cksum_add(sum, p->data, h->len, 0)) == 0;
}

static size_t cost(const struct pkt *p)
{
    return p->len + PACKET_COST;
}

/* Takes p, whose data is the text. */
static void enqueue(struct udp_port *port, const struct kept *kept, struct pkt *p)
{
    struct net *net = port->udp->net;

    if (port->rcv_bytes + cost(p) > port->rcv_limit) {
        count(&net->count, COUNT_UdpInErrors);
        port->drops++;
        net_drop(net, p, DROP_UDP_QUEUE_FULL);
        return;
    }
    if (pkt_pool_above(&net->pool, POOL_PART)) {
        count(&net->count, COUNT_UdpMemErrors);
        port->drops++;
        net_drop(net, p, DROP_UDP_MEMORY);
        return;
    }
    memcpy(p->data - sizeof *kept, kept, sizeof *kept);
    port->rcv_bytes += cost(p);
    pkt_queue_push(&port->rcv, p);
    port->arrived++;
    count(&net->count, COUNT_UdpInDatagrams);
    watch_wake(&net->woken, &port->watch);
}

void udp_input(struct udp *udp, const struct ip_info *ip, struct pkt *p)
{
    struct net *net = udp->net;
    struct udp_header h;

    int r = udp_parse(p->data, p->len, &h);
    if (r < 0 || !checksum_ok(ip, &h, p)) {
        count(&net->count, COUNT_UdpInErrors);
        net_drop(net, p, r < 0 ? (enum drop)(-r - 1) : DROP_UDP_CKSUM);
        return;
    }
    struct udp_port *port = find_port(udp, ip, &h);
    if (!port) {
        count(&net->count, COUNT_UdpNoPorts);
        /* RFC 1122 s3.3.8 (MUST-icmp-errors), s3.4 (MUST-icmp-from-transport), s4.1.3.1
         * (SHLD-udp-port-unreachable) */
        icmp_send_error(net, ip, p, ICMP_UNREACHABLE, ICMP_PORT);
        net_drop(net, p, DROP_UDP_NO_PORT);
        return;
    }
    struct kept kept = { .from = { ip->src, h.src_port }, .ip = ip_heard(ip, p) };
    pkt_trim(p, h.len);
    pkt_pull(p, UDP_LEN);
    enqueue(port, &kept, p);
}

size_t udp_next_len(const struct udp_port *port)
{
    return port->rcv.head ? port->rcv.head->len : 0;
}

ssize_t udp_receive(struct udp_port *port, const struct room *to, size_t n,
                    struct udp_datagram *what, bool peek)
{
    struct pkt *p = port->rcv.head;
    struct kept kept;

    if (port->error)
        return take_error(port);
    if (!p)
        return -EAGAIN;
    size_t got = rooms_fill(to, n, p->data, p->len);
    memcpy(&kept, p->data - sizeof kept, sizeof kept);
    if (what)
        *what = (struct udp_datagram){ kept.from, kept.ip, p->len };
    if (!peek) {
        port->rcv_bytes -= cost(p);
        pkt_free(pkt_queue_pop(&port->rcv));
    }
    return (ssize_t)got;
}

/* RFC 1122 s4.1.3.3 (MUST-udp-errors-up): errors are passed up. As on Linux, to
 * connected ports only (others could not tell which of their peers is meant), and soft
 * ones not, but for the MTU, which every port learns that does not leave it to the way.
 */
void udp_error(struct udp *udp, const struct net_error *err)
{
    struct ip_info reversed = { .src = err->dst, .dst = err->src };
    struct udp_header h = { .src_port = err->dst_port, .dst_port = err->src_port };
    struct udp_port *port = find_port(udp, &reversed, &h);
    bool too_big = err->error == -EMSGSIZE;

    if (!port) {
        count(&udp->net->count, COUNT_IcmpInErrors);
        return;
    }
    if (err->redirect)
        redirect_learn(udp->net, err);
    if (err->redirect || (too_big && port->ip.df == IP_DF_DONT))
        return;
    if (too_big)
        pmtu_learn(udp->net, err);
    if (ip_is_any(port->remote) || !(err->hard || too_big))
        return;
    port->error = err->error;
    watch_wake(&udp->net->woken, &port->watch);
}
