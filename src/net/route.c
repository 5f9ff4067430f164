/* Routes. The table is short and kept in order, longest prefix first, so the first
 * match is the best (RFC 1122 s3.3.1.2 asks for little more of a host). Before it come
 * the addresses that no table may lead elsewhere: our own, which stay in the host, and
 * broadcast and multicast, which go out on the link as they are. */
#include "net/route.h"

#include <errno.h>
#include <string.h>

#include "net/net.h"

int route_add(struct net *net, const struct route *r)
{
    struct route_table *t = &net->routes;
    size_t i = 0;

    for (; i < t->n && t->at[i].prefix >= r->prefix; i++) {
        if (t->at[i].prefix == r->prefix &&
            ip_same_net(t->at[i].dst, r->dst, r->prefix))
            return -EEXIST;
    }
    if (t->n == ROUTES_MAX)
        return -ENOSPC;
    memmove(&t->at[i + 1], &t->at[i], (t->n - i) * sizeof(t->at[0]));
    t->at[i] = *r;
    t->n++;
    return 0;
}

/* To the link itself, without a gateway. */
static int direct(struct netif *nif, struct ip_addr dst, struct route_hop *out)
{
    if (!nif)
        return -ENETUNREACH;
    *out = (struct route_hop){ .nif = nif, .next_hop = dst, .src = nif->addr };
    return 0;
}

/* The gateway that leads to dst: the route's, or where that has sent us (redirect.c).
 */
static struct ip_addr by_gateway(struct net *net, struct ip_addr dst,
                                 const struct route *r)
{
    const struct ip_addr *better = redirect_find(net, dst);

    return better ? *better : r->gateway;
}

int route_lookup(struct net *net, struct ip_addr dst, struct route_hop *out)
{
    const struct route_table *t = &net->routes;

    if (net_is_local(net, dst)) {
        *out = (struct route_hop){ .nif = &net->loopback, .next_hop = dst, .src = dst };
        return 0;
    }
    if (ip_is_multicast(dst) || ip_is_limited_broadcast(dst))
        return direct(net->loopback.next, dst, out);
    /* RFC 1122 s3.2.1.3 (a) (MUST-ip-no-zero): 0.0.0.0 is never a destination. */
    if (ip_is_any(dst))
        return -ENETUNREACH;
    for (size_t i = 0; i < t->n; i++) {
        const struct route *r = &t->at[i];
        /* RFC 1122 s3.3.1.1 (MUST-ip-local-decision), s3.3.1.2 (MUST-ip-route-cache) */
        if (!ip_same_net(r->dst, dst, r->prefix))
            continue;
        direct(r->nif, dst, out);
        if (!ip_is_any(r->gateway))
            /* RFC 1122 s3.3.1.2 (MUST-ip-default-gateway) */
            out->next_hop = by_gateway(net, dst, r);
        return 0;
    }
    return -ENETUNREACH;
}
