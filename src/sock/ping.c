/* Echo sockets, as Linux's unprivileged ICMP sockets (socket(AF_INET, SOCK_DGRAM,
 * IPPROTO_ICMP)): a program may send echo requests and gets the replies to them, and
 * nothing else of ICMP.
 *
 *     send      an ICMP header (type 8, code 0) and data; the socket's identifier
 *               replaces the program's, the sequence number stays, the checksum is made
 *     receive   a whole ICMP message, from its header on
 *     port      the identifier takes its place in names: bind chooses it, 0 asks for a
 *               free one, getsockname tells it
 *
 * Replies are told apart by identifier alone, so it is unique among the echo sockets.
 * In the queue, what is remembered of the packet stands in front of each message, over
 * its IP header and the headroom before that:
 *
 *     | struct kept | ICMP header, 8 bytes | data |
 *                   ^ data pointer */
#include "sock/ping.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/icmp_wire.h"

enum {
    ECHO_SEQ_AT = 6,          /* offset of the sequence number in the header */
    IP_TEXT_MAX = 65535 - 20, /* the most that one IP packet carries */
    IDS = 65535,              /* identifiers, from 1 on */
    POOL_PART = 4,            /* eighths of the packet pool that replies wait in */
};

/* Of a message in a queue. */
struct kept {
    struct ip_addr src;
    struct ip_heard ip;
};

_Static_assert(sizeof(struct kept) <= PKT_HEADROOM, "it fits in front of the message");

static struct sock *find_id(const struct socks *socks, uint16_t id)
{
    list_each (at, &socks->pings) {
        struct sock *s = list_entry(at, struct sock, ping_node);
        if (s->ping_id == id)
            return s;
    }
    return NULL;
}

/* A free identifier: a random start, so that a restarted program does not take the
 * replies to its predecessor for its own; 0 when all are in use. */
static uint16_t pick_id(const struct socks *socks)
{
    uint32_t start = (uint32_t)rng_below(&socks->net->rng, IDS);
    for (uint32_t i = 0; i < IDS; i++) {
        uint16_t id = (uint16_t)((start + i) % IDS + 1);
        if (!find_id(socks, id))
            return id;
    }
    return 0;
}

static int take_id(struct sock *s, uint16_t wanted)
{
    uint16_t id = wanted ? wanted : pick_id(s->socks);
    if (id == 0 || find_id(s->socks, id))
        return -EADDRINUSE;
    s->ping_id = id;
    s->local.port = id;
    list_add_tail(&s->socks->pings, &s->ping_node);
    return 0;
}

int ping_bind(struct sock *s, const struct sock_name *name)
{
    if (!ip_is_any(name->addr) && !net_is_local(s->socks->net, name->addr))
        return -EADDRNOTAVAIL;
    if (s->ping_id)
        return -EINVAL;
    int err = take_id(s, name->port);
    if (err < 0)
        return err;
    s->local.addr = name->addr;
    return 0;
}

int ping_connect(struct sock *s, const struct sock_name *to)
{
    struct route_hop hop;
    if (ip_is_any(to->addr)) { /* the association ends */
        s->peer = *to;
        return 0;
    }
    if (net_is_broadcast(s->socks->net, to->addr))
        return -EACCES;
    int err = route_lookup(s->socks->net, to->addr, &hop);
    if (err < 0)
        return err;
    if (!s->ping_id && (err = take_id(s, 0)) < 0)
        return err;
    if (ip_is_any(s->local.addr))
        s->local.addr = hop.src;
    s->peer = *to;
    return 0;
}

/* What Linux checks of a message that a program wants to send. */
static int check_message(const uint8_t *message, size_t len)
{
    if (len > IP_TEXT_MAX)
        return -EMSGSIZE;
    if (len < ICMP_LEN || message[0] != ICMP_ECHO || message[1] != 0)
        return -EINVAL;
    return 0;
}

/* The way to dst, and what was asked for it. */
static int find_way(struct sock *s, struct ip_addr dst, const struct ip_ask *ask,
                    struct ip_out *how)
{
    struct route_hop hop;
    *how = (struct ip_out){ .dst = dst, .proto = IP_PROTO_ICMP, .opt = s->options.ip };
    int err = ask ? route_lookup(s->socks->net, dst, &hop) : 0;
    if (err == 0)
        err = ip_take_ask(s->socks->net, ask, &hop, &how->opt);
    if (err == 0 && ask)
        how->src = hop.src;
    return err;
}

static ssize_t send_message(struct sock *s, struct piece message, struct ip_addr dst,
                            const struct ip_ask *ask)
{
    struct ip_out how;
    int err = check_message(message.at, message.len);
    if (err == 0)
        err = find_way(s, dst, ask, &how);
    if (err < 0)
        return err;
    if (!s->ping_id && (err = take_id(s, 0)) < 0)
        return err;
    struct piece data = { message.at + ICMP_LEN, message.len - ICMP_LEN };
    err = icmp_send_echo(s->socks->net, &how, s->ping_id,
                         get16(message.at + ECHO_SEQ_AT), data);
    return err < 0 ? err : (ssize_t)message.len;
}

/* Joins the pieces of a message, in a packet that serves as memory only. */
static ssize_t send_joined(struct sock *s, const struct piece *text, size_t n,
                           struct ip_addr dst, const struct ip_ask *ask)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += text[i].len;
    if (len > IP_TEXT_MAX)
        return -EMSGSIZE;
    struct pkt *p = pkt_new(&s->socks->net->pool, len);
    if (!p)
        return -ENOBUFS;
    for (size_t i = 0; i < n; i++)
        if (text[i].len > 0)
            memcpy(pkt_put(p, text[i].len), text[i].at, text[i].len);
    ssize_t sent = send_message(s, (struct piece){ p->data, p->len }, dst, ask);
    pkt_free(p);
    return sent;
}

ssize_t ping_send(struct sock *s, const struct piece *text, size_t n,
                  const struct sock_name *to, const struct ip_ask *ask)
{
    if (ip_is_any(to->addr))
        return -EDESTADDRREQ;
    /* SO_BROADCAST is not built, and without it Linux refuses. */
    if (net_is_broadcast(s->socks->net, to->addr))
        return -EACCES;
    if (n == 1)
        return send_message(s, text[0], to->addr, ask);
    return send_joined(s, text, n, to->addr, ask);
}

static void put_back(struct pkt_queue *q, struct pkt *p)
{
    p->next = q->head;
    q->head = p;
    if (!q->tail)
        q->tail = p;
    q->n++;
}

ssize_t ping_receive(struct sock *s, const struct room *to, size_t n, int flags,
                     struct sock_message *got)
{
    if (s->error) {
        int err = s->error;
        s->error = 0;
        return err;
    }
    struct pkt *p = pkt_queue_pop(&s->ping_rcv);
    if (!p)
        return s->shut_read ? 0 : -EAGAIN;
    struct kept kept;
    memcpy(&kept, p->data - sizeof kept, sizeof kept);
    *got = (struct sock_message){
        .from = { kept.src, 0 }, .len = p->len, .ip = kept.ip, .datagram = true
    };
    size_t done = rooms_fill(to, n, p->data, p->len);
    if (flags & SOCK_PEEK) {
        put_back(&s->ping_rcv, p);
    } else {
        s->ping_bytes -= p->cap;
        pkt_free(p);
    }
    return (ssize_t)done;
}

void ping_close(struct sock *s)
{
    list_del(&s->ping_node);
    pkt_queue_clear(&s->ping_rcv);
    s->ping_bytes = 0;
}

void sock_ping_input(struct socks *socks, const struct ip_info *ip, struct pkt *p)
{
    struct icmp h;
    struct sock *s = NULL;
    if (icmp_parse(p->data, p->len, &h) == 0)
        s = find_id(socks, h.id);
    if (!s || (!ip_is_any(s->local.addr) && !ip_eq(s->local.addr, ip->dst))) {
        net_drop(socks->net, p, DROP_ICMP_NO_SOCKET);
        return;
    }
    if (s->ping_bytes + p->cap > s->options.rcvbuf) {
        net_drop(socks->net, p, DROP_ICMP_QUEUE_FULL);
        return;
    }
    if (pkt_pool_above(&socks->net->pool, POOL_PART)) {
        net_drop(socks->net, p, DROP_ICMP_MEMORY);
        return;
    }
    const struct kept kept = { ip->src, ip_heard(ip, p) };
    memcpy(p->data - sizeof kept, &kept, sizeof kept);
    s->ping_bytes += p->cap;
    pkt_queue_push(&s->ping_rcv, p);
    s->ping_arrived++;
    watch_wake(&socks->net->woken, &s->watch);
}

/* Deviates from Linux, which keeps soft errors (host unreachable ...) from an echo
 * socket without IP_RECVERR: that option is not built, and a ping that cannot say
 * "unreachable" is of little use. As there, only a connected socket hears of it. */
void ping_error(struct socks *socks, const struct net_error *err)
{
    struct sock *s = find_id(socks, err->src_port);
    bool too_big = err->error == -EMSGSIZE;
    if (!s) {
        count(&socks->net->count, COUNT_IcmpInErrors);
        return;
    }
    if (err->redirect)
        redirect_learn(socks->net, err);
    if (err->redirect || (too_big && s->options.ip.df == IP_DF_DONT))
        return;
    if (too_big)
        pmtu_learn(socks->net, err);
    if (!ip_eq(s->peer.addr, err->dst) || err->error == 0)
        return;
    s->error = err->error;
    watch_wake(&socks->net->woken, &s->watch);
}
