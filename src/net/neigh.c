/* The neighbour cache.
 *
 *                      first packet: broadcast request
 *        (none) ------------------------------------------> INCOMPLETE
 *          ^    3 requests, 1 s apart, no answer: waiting     |      ^
 *          +------------- packets are reported ---------------+      |
 *          |                                                  | answer
 *          |        answer, or progress of a transport        v      |
 *          |      +-----------------------------------> REACHABLE    |
 *          |      |                                           | 30 s |
 *          |      |         used: probe in 5 s                v doubt
 *          |    PROBE <----------------------------------- STALE     |
 *          |      |  3 unicast requests, 1 s apart, no answer |      |
 *          |      +-------------------------------------------|------+
 *          +--------------------------------------------------+ unused for 60 s
 *
 * Each entry has one deadline, always armed; what it means follows from the state. Of
 * RFC 4861 s7.3.2's states DELAY is missing: it is PROBE before its first request.
 *
 * The list of entries is kept with the most recently used in front, so the gateway or
 * the one peer of a bulk transfer is found at once, and the entry to evict when there
 * are NEIGH_MAX is the last. */
#include "net/neigh.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "net/arp.h"
#include "net/net.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"

static const usec REACHABLE_TIME = 30 * USEC_PER_SEC; /* RFC 4861 s10 */
static const usec GC_STALE_TIME = 60 * USEC_PER_SEC;
static const usec RETRANS_TIMER = 1 * USEC_PER_SEC; /* RFC 1122 s2.3.2.1 */
static const usec DELAY_FIRST_PROBE_TIME = 5 * USEC_PER_SEC;

void neigh_init(struct net *net)
{
    list_init(&net->neigh.all);
    net->neigh.n = 0;
    net->neigh.reachable_time = REACHABLE_TIME;
    net->neigh.gc_stale_time = GC_STALE_TIME;
}

static void neigh_free(struct net *net, struct neigh *n)
{
    heap_remove(&net->heap, &n->deadline);
    list_del(&n->node);
    net->neigh.n--;
    free(n);
}

void neigh_clear(struct net *net)
{
    list_each_safe (at, after, &net->neigh.all) {
        struct neigh *n = list_entry(at, struct neigh, node);
        pkt_queue_clear(&n->waiting);
        neigh_free(net, n);
    }
}

struct neigh *neigh_find(struct net *net, struct ip_addr addr)
{
    list_each (at, &net->neigh.all) {
        struct neigh *n = list_entry(at, struct neigh, node);
        if (ip_eq(n->addr, addr))
            return n;
    }
    return NULL;
}

/* As neigh_find(), and the entry is the most recently used one. */
static struct neigh *find_used(struct net *net, struct ip_addr addr)
{
    struct neigh *n = neigh_find(net, addr);

    if (n && net->neigh.all.next != &n->node) {
        list_del(&n->node);
        list_add_head(&net->neigh.all, &n->node);
    }
    return n;
}

static void arm(struct net *net, struct neigh *n, usec in)
{
    heap_set(&net->heap, &n->deadline, net->now + in);
}

static void drop_waiting(struct net *net, struct neigh *n, enum drop why)
{
    struct pkt *p;

    while ((p = pkt_queue_pop(&n->waiting)))
        net_drop(net, p, why);
}

static void evict_oldest(struct net *net)
{
    struct neigh *n = list_entry(net->neigh.all.prev, struct neigh, node);

    drop_waiting(net, n, DROP_NEIGH_QUEUE_FULL);
    neigh_free(net, n);
}

/* An INCOMPLETE entry that has asked nobody yet; NULL: no memory. */
static struct neigh *neigh_new(struct net *net, struct netif *nif, struct ip_addr addr)
{
    if (net->neigh.n >= NEIGH_MAX)
        evict_oldest(net);
    struct neigh *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    if (!heap_reserve(&net->heap, 1)) {
        free(n);
        return NULL;
    }
    deadline_init(&n->deadline, DL_NEIGH);
    n->nif = nif;
    n->addr = addr;
    n->state = NEIGH_INCOMPLETE;
    list_add_head(&net->neigh.all, &n->node);
    net->neigh.n++;
    return n;
}

/* Sends one more request of this state. */
static void ask(struct net *net, struct neigh *n, struct mac_addr to)
{
    n->tries++;
    arm(net, n, RETRANS_TIMER); /* RFC 1122 s2.3.2.1 (MUST-arp-flood) */
    arp_request(n->nif, n->addr, to);
}

static void begin_asking(struct net *net, struct neigh *n)
{
    n->state = NEIGH_INCOMPLETE;
    n->tries = 0;
    ask(net, n, mac_broadcast);
}

/* p, an IP packet, waited for addr in vain: it goes by another gateway, or whoever sent
 * it is told. Takes p. */
static void send_otherwise(struct net *net, struct ip_addr addr, struct pkt *p)
{
    struct net_error err = { .error = -EHOSTUNREACH, .hard = true };
    struct ip_addr dst = ip4_addr(get32(p->data + 16));
    struct route_hop hop;

    /* RFC 1122 s3.3.1.5 (MUST-ip-dead-gateway-switch) */
    if (route_lookup(net, dst, &hop) == 0 && !ip_eq(hop.next_hop, addr)) {
        if (neigh_output(net, hop.nif, hop.next_hop, p) == -EAGAIN)
            net_drop(net, NULL, DROP_LINK_BUSY);
        return;
    }
    if (net_error_quote(&err, p->data, p->len))
        net_report_error(net, &err);
    net_drop(net, p, DROP_NEIGH_FAILED);
}

/* Nobody has this address. */
static void give_up(struct net *net, struct neigh *n)
{
    struct pkt_queue waiting = n->waiting;
    struct ip_addr addr = n->addr;
    struct pkt *p;

    neigh_free(net, n);
    redirect_forget(net, addr);
    route_gateway_fails(net, addr);
    while ((p = pkt_queue_pop(&waiting)))
        send_otherwise(net, addr, p);
}

void neigh_fire(struct net *net, struct neigh *n)
{
    switch (n->state) {
    case NEIGH_INCOMPLETE:
        if (n->tries < NEIGH_TRIES)
            ask(net, n, mac_broadcast);
        else
            give_up(net, n);
        break;
    case NEIGH_REACHABLE:
        n->state = NEIGH_STALE; /* RFC 1122 s2.3.2.1 (MUST-arp-flush) */
        arm(net, n, net->neigh.gc_stale_time);
        break;
    case NEIGH_STALE:
        neigh_free(net, n);
        break;
    case NEIGH_PROBE:
        /* RFC 1122 s2.3.2.1 (2), s3.3.1.4 (MUST-ip-dead-gateway): the unicast poll. */
        if (n->tries < NEIGH_TRIES)
            ask(net, n, n->mac);
        else
            begin_asking(net, n);
        break;
    }
}

static bool is_fragment(const struct pkt *p)
{
    enum { MORE_OR_OFFSET = 0x3fff };

    return get16(p->data + 6) & MORE_OR_OFFSET;
}

/* Lets p wait for n's address. Takes p. */
static void let_wait(struct net *net, struct neigh *n, struct pkt *p)
{
    struct pkt *kept = p;

    if (p->n_text > 0) {
        kept = pkt_copy(&net->pool, p);
        if (!kept) {
            net_drop(net, p, DROP_NO_BUFFER);
            return;
        }
        pkt_free(p);
    }
    /* RFC 1122 s2.3.2.2 (SHLD-arp-queue), s2.4 (MUST-arp-no-error). */
    if (n->waiting.n >= (is_fragment(kept) ? NEIGH_FRAGMENTS_MAX : NEIGH_QUEUE_MAX))
        net_drop(net, pkt_queue_pop(&n->waiting), DROP_NEIGH_QUEUE_FULL);
    pkt_queue_push(&n->waiting, kept);
}

/* RFC 1112 s6.4: the low 23 bits of the group. */
static struct mac_addr multicast_mac(struct ip_addr group)
{
    uint32_t n = ip4_num(group);

    return (struct mac_addr){ { 0x01, 0x00, 0x5e, (uint8_t)(n >> 16 & 0x7f),
                                (uint8_t)(n >> 8), (uint8_t)n } };
}

/* The cache does not know next_hop. Takes p. */
static int output_unknown(struct net *net, struct netif *nif, struct ip_addr next_hop,
                          struct pkt *p)
{
    if (ip_is_multicast(next_hop))
        return ether_output(nif, multicast_mac(next_hop), ETH_IP4, p);
    if (net_is_broadcast(net, next_hop)) /* RFC 1122 s3.3.6 (MUST-ip-broadcast-sent) */
        return ether_output(nif, mac_broadcast, ETH_IP4, p);
    if (!nif->up) {
        net_drop(net, p, DROP_LINK_DOWN);
        return -ENETDOWN;
    }
    struct neigh *n = neigh_new(net, nif, next_hop);
    if (!n) {
        net_drop(net, p, DROP_NO_BUFFER);
        return 0;
    }
    let_wait(net, n, p);
    begin_asking(net, n); /* RFC 1122 s2.3.3 (MUST-arp-ethernet) */
    return 0;
}

int neigh_output(struct net *net, struct netif *nif, struct ip_addr next_hop,
                 struct pkt *p)
{
    struct neigh *n;

    if (nif->noarp)
        return ether_output(nif, nif->far, ETH_IP4, p);
    n = find_used(net, next_hop);
    if (!n)
        return output_unknown(net, nif, next_hop, p);
    if (n->state == NEIGH_INCOMPLETE) {
        let_wait(net, n, p);
        return 0;
    }
    if (n->state == NEIGH_STALE) {
        n->state = NEIGH_PROBE; /* RFC 1122 s3.3.1.4 (MUST-ip-dead-gateway-ping,
                                 * MUST-ip-dead-gateway-no-ping) */
        n->tries = 0;
        arm(net, n, DELAY_FIRST_PROBE_TIME);
    }
    return ether_output(n->nif, n->mac, ETH_IP4, p);
}

void neigh_ask(struct net *net, struct netif *nif, struct ip_addr addr)
{
    if (nif->noarp || !nif->up || neigh_find(net, addr))
        return;
    struct neigh *n = neigh_new(net, nif, addr);
    if (n)
        begin_asking(net, n);
}

static void set_reachable(struct net *net, struct neigh *n)
{
    n->state = NEIGH_REACHABLE;
    n->tries = 0;
    arm(net, n, net->neigh.reachable_time);
}

static void send_waiting(struct net *net, struct neigh *n)
{
    struct pkt *p;

    while ((p = pkt_queue_pop(&n->waiting))) {
        if (ether_output(n->nif, n->mac, ETH_IP4, p) == -EAGAIN)
            net_drop(net, NULL, DROP_LINK_BUSY);
    }
}

void neigh_learn(struct net *net, struct netif *nif, struct ip_addr addr,
                 struct mac_addr mac, bool create)
{
    struct neigh *n = neigh_find(net, addr);

    route_gateway_answers(net, addr);
    if (!n && create)
        n = neigh_new(net, nif, addr);
    if (!n)
        return;
    n->nif = nif;
    n->mac = mac;
    set_reachable(net, n);
    send_waiting(net, n);
}

void neigh_confirm(struct net *net, struct ip_addr addr)
{
    struct neigh *n = neigh_find(net, addr);

    if (n && n->state != NEIGH_INCOMPLETE)
        set_reachable(net, n);
}

void neigh_doubt(struct net *net, struct ip_addr addr)
{
    struct neigh *n = neigh_find(net, addr);

    if (!n || n->state != NEIGH_REACHABLE)
        return;
    n->state = NEIGH_STALE;
    arm(net, n, net->neigh.gc_stale_time);
}
