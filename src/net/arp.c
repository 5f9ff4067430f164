/* ARP. A packet is taken in the order of RFC 826 ("Packet Reception"):
 *
 *     1  is it ours, malformed, or does it claim our address?   conflict: RFC 5227
 *     2  the sender is known already                            its entry is updated
 *     3  we are the target and it was not                       it gets an entry
 *     4  it is a request for us                                 it is answered
 *
 * so that a host which asks us is known before it is sent the answer it asked for.
 * A gratuitous packet (an announcement) is for nobody and does step 2 only: strangers
 * cannot fill the cache with it.
 *
 * A conflict is told to the user and defended, at most once in ten seconds, for ever
 * (RFC 5227 s2.4 (c)): a server does not give up its address. */
#include "net/arp.h"

#include <errno.h>

#include "net/net.h"
#include "wire/arp_wire.h"
#include "wire/eth.h"

static const usec DEFEND_INTERVAL = 10 * USEC_PER_SEC; /* RFC 5227 s1.1 */

static void arp_send(struct netif *nif, struct mac_addr dst, const struct arp *a)
{
    struct net *net = nif->net;
    struct pkt *p = pkt_new(&net->pool, ARP_LEN);

    if (!p) {
        net_drop(net, NULL, DROP_NO_BUFFER);
        return;
    }
    arp_emit(pkt_put(p, ARP_LEN), a);
    if (ether_output(nif, dst, ETH_ARP, p) == -EAGAIN)
        net_drop(net, NULL, DROP_LINK_BUSY);
}

void arp_request(struct netif *nif, struct ip_addr target, struct mac_addr to)
{
    struct arp ask = { .op = ARP_REQUEST,
                       .sender_mac = nif->mac,
                       .sender_ip = nif->addr,
                       .target_ip = target };

    count(&nif->net->count, COUNT_ArpOutRequests);
    arp_send(nif, to, &ask);
}

/* Deviates from RFC 5227 s2.1.1 and s2.3: the address was given by the user and is used
 * at once, without probing; it is announced once, not twice. As Linux's arp_notify. */
void arp_announce(struct netif *nif)
{
    arp_request(nif, nif->addr, mac_broadcast);
}

static void answer(struct netif *nif, const struct arp *ask)
{
    struct arp reply = { .op = ARP_REPLY,
                         .sender_mac = nif->mac,
                         .target_mac = ask->sender_mac,
                         .sender_ip = nif->addr,
                         .target_ip = ask->sender_ip };

    count(&nif->net->count, COUNT_ArpOutReplies);
    arp_send(nif, ask->sender_mac, &reply);
}

/* Could a station be there? Its address is 0.0.0.0 while it probes (RFC 5227 s2.1). */
static bool sender_ok(const struct net *net, const struct arp *a)
{
    if (mac_is_multicast(a->sender_mac))
        return false;
    if (ip_is_multicast(a->sender_ip) || ip_is_loopback(a->sender_ip))
        return false;
    return !net_is_broadcast(net, a->sender_ip);
}

static void conflict(struct netif *nif)
{
    struct net *net = nif->net;

    net_note(net, "address conflict: another station claims this host's address");
    if (net->now < nif->defend_after)
        return;
    nif->defend_after = net->now + DEFEND_INTERVAL;
    arp_announce(nif);
}

static void count_op(struct net *net, uint16_t op)
{
    if (op == ARP_REQUEST)
        count(&net->count, COUNT_ArpInRequests);
    else if (op == ARP_REPLY)
        count(&net->count, COUNT_ArpInReplies);
}

/* Steps 2 to 4; true when the packet was of any use. */
static bool take(struct netif *nif, const struct arp *a)
{
    struct net *net = nif->net;
    bool for_us = ip_eq(a->target_ip, nif->addr);
    bool known = neigh_find(net, a->sender_ip) != NULL;

    if (!ip_is_any(a->sender_ip))
        neigh_learn(net, nif, a->sender_ip, a->sender_mac, for_us);
    if (for_us && a->op == ARP_REQUEST)
        answer(nif, a);
    return for_us || known;
}

void arp_input(struct netif *nif, struct pkt *p)
{
    struct net *net = nif->net;
    struct arp a;

    if (!arp_parse(p->data, p->len, &a) || !sender_ok(net, &a)) {
        net_drop(net, p, DROP_ARP_INVALID);
        return;
    }
    count_op(net, a.op);
    if (mac_eq(a.sender_mac, nif->mac)) { /* our own packet, come back */
        net_drop(net, p, DROP_ARP_IGNORED);
        return;
    }
    if (ip_eq(a.sender_ip, nif->addr)) {
        conflict(nif);
        net_drop(net, p, DROP_ARP_CONFLICT);
        return;
    }
    if (take(nif, &a))
        pkt_free(p);
    else
        net_drop(net, p, DROP_ARP_IGNORED);
}
