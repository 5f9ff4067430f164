/* Ethernet (RFC 894): whose frame it is and what is in it. An interface hears frames
 * for its own station, broadcasts and multicasts; a bridge that floods, or a TAP device
 * that shows everything, brings others, which are counted and forgotten. IPv6 is not
 * spoken: a Linux peer sends its router solicitations and the like all the same. */
#include <errno.h>

#include "net/arp.h"
#include "net/net.h"
#include "wire/eth.h"

static void trace_in(struct net *net, const struct pkt *p)
{
    struct trace_event event = { .at = net->now, .kind = TRACE_FRAME_IN };

    event.u.frame.pkt = p;
    trace_emit(&net->trace, &event);
}

static struct pkt *ip4_frame(struct netif *nif, struct pkt *p, bool group,
                             struct ip_info *out)
{
    p = ip4_input(nif, p, out);
    if (!p)
        return NULL;
    /* RFC 1122 s2.4 (MUST-link-broadcast), s3.3.6, s3.2.2
     * (MUST-icmp-not-link-broadcast): unicast packets do not travel in broadcast
     * frames. */
    if (group && !out->broadcast) {
        net_drop(nif->net, p, DROP_IP_LINK_BROADCAST);
        return NULL;
    }
    return p;
}

struct pkt *ether_input(struct netif *nif, struct pkt *p, struct ip_info *out)
{
    struct net *net = nif->net;
    struct eth eth;

    nif->in_frames++;
    nif->in_bytes += p->len;
    if (trace_on(&net->trace))
        trace_in(net, p);
    if (!eth_parse(p->data, p->len, &eth)) {
        net_drop(net, p, DROP_ETH_SHORT);
        return NULL;
    }
    bool group = mac_is_multicast(eth.dst);
    if (!group && !mac_eq(eth.dst, nif->mac)) {
        net_drop(net, p, DROP_ETH_OTHER_HOST);
        return NULL;
    }
    pkt_pull(p, ETH_LEN);
    if (eth.type == ETH_IP4)
        return ip4_frame(nif, p, group, out);
    if (eth.type == ETH_ARP)
        arp_input(nif, p);
    else
        net_drop(net, p, eth.type == ETH_IP6 ? DROP_ETH_IPV6 : DROP_ETH_TYPE);
    return NULL;
}

int ether_output(struct netif *nif, struct mac_addr dst, uint16_t type, struct pkt *p)
{
    struct eth eth = { .dst = dst, .src = nif->mac, .type = type };

    eth_emit(pkt_push(p, ETH_LEN), &eth); /* RFC 1122 s2.3.3 (MUST-ether-frames) */
    return netif_output(nif, p);
}
