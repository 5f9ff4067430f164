/* Routes. The table is short and kept in order, longest prefix first, so the first
 * match is the best (RFC 1122 s3.3.1.2 asks for little more of a host). Before it come
 * the addresses that no table may lead elsewhere: our own, which stay in the host, and
 * broadcast and multicast, which go out on the link as they are.
 *
 * Behind the first match stand the other gateways of the same network:
 *
 *     0.0.0.0/0 by A     dead: neigh.c found that it answers no ARP
 *     0.0.0.0/0 by B     taken meanwhile
 *
 * What is sent RETRY_TIME later has A asked for, beside its own way by B, and the first
 * word from A makes it the one in use again. With one gateway nothing is ever dead, and
 * each packet tries it anew.
 *
 * What was found is kept for a few destinations (RFC 1122 s3.3.1.2) until the table or
 * an address changes. It does not count while a gateway is dead, or while a redirect
 * holds: what is found then may depend on the time. */
#include "net/route.h"

#include <errno.h>
#include <string.h>

#include "net/net.h"

/* RFC 1122 s3.3.1.5 leaves it open: as long as a neighbour is believed to be there. */
static const usec RETRY_TIME = 30 * USEC_PER_SEC;

static bool same_network(const struct route *a, const struct route *b)
{
    return a->prefix == b->prefix && ip_same_net(a->dst, b->dst, a->prefix);
}

int route_add(struct net *net, const struct route *r)
{
    struct route_table *t = &net->routes;
    size_t i = 0;

    for (; i < t->n && t->at[i].prefix >= r->prefix; i++) {
        if (same_network(&t->at[i], r) && ip_eq(t->at[i].gateway, r->gateway))
            return -EEXIST;
    }
    if (t->n == ROUTES_MAX)
        return -ENOSPC;
    memmove(&t->at[i + 1], &t->at[i], (t->n - i) * sizeof(t->at[0]));
    t->at[i] = *r;
    t->n++;
    route_forget(net);
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

/* RFC 1122 s3.3.1.5 (MUST-ip-dead-gateway-switch): the first of r's network whose
 * gateway lives, or else r. */
static const struct route *living(struct net *net, struct route *r)
{
    const struct route *end = net->routes.at + net->routes.n;

    for (struct route *at = r; at < end && at->prefix == r->prefix; at++) {
        if (!same_network(at, r))
            continue;
        if (!at->dead)
            return at;
        if (at->ask_at <= net->now) {
            at->ask_at = net->now + RETRY_TIME;
            neigh_ask(net, at->nif, at->gateway);
        }
    }
    return r;
}

/* The gateway that leads to dst: the route's, or where that has sent us (redirect.c).
 */
static void by_gateway(struct net *net, struct ip_addr dst, struct route *r,
                       struct route_hop *out)
{
    const struct ip_addr *better = redirect_find(net, dst);
    const struct route *by = r->dead && !better ? living(net, r) : r;

    direct(by->nif, better ? *better : by->gateway, out);
}

static bool has_other(const struct route_table *t, const struct route *r)
{
    for (size_t i = 0; i < t->n; i++)
        if (&t->at[i] != r && same_network(&t->at[i], r))
            return true;
    return false;
}

static void set_dead(struct route_table *t, struct route *r, bool dead)
{
    if (r->dead == dead)
        return;
    r->dead = dead;
    if (dead)
        t->n_dead++;
    else
        t->n_dead--;
}

void route_gateway_fails(struct net *net, struct ip_addr gateway)
{
    struct route_table *t = &net->routes;

    for (size_t i = 0; i < t->n; i++) {
        struct route *r = &t->at[i];
        if (!ip_eq(r->gateway, gateway) || !has_other(t, r))
            continue;
        if (!r->dead)
            net_note(net, "a gateway answers nobody: the next one is taken");
        set_dead(t, r, true);
        r->ask_at = net->now + RETRY_TIME;
    }
}

void route_gateway_answers(struct net *net, struct ip_addr gateway)
{
    struct route_table *t = &net->routes;

    for (size_t i = 0; t->n_dead > 0 && i < t->n; i++)
        if (ip_eq(t->at[i].gateway, gateway))
            set_dead(t, &t->at[i], false);
}

static int search(struct net *net, struct ip_addr dst, struct route_hop *out)
{
    struct route_table *t = &net->routes;

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
        struct route *r = &t->at[i];
        /* RFC 1122 s3.3.1.1 (MUST-ip-local-decision), s3.3.1.2 */
        if (!ip_same_net(r->dst, dst, r->prefix))
            continue;
        if (ip_is_any(r->gateway))
            return direct(r->nif, dst, out);
        /* RFC 1122 s3.3.1.2 (MUST-ip-default-gateway, MUST-ip-gateways) */
        by_gateway(net, dst, r, out);
        return 0;
    }
    return -ENETUNREACH;
}

void route_forget(struct net *net)
{
    memset(net->routes.kept, 0, sizeof net->routes.kept);
}

int route_lookup(struct net *net, struct ip_addr dst, struct route_hop *out)
{
    struct route_table *t = &net->routes;
    /* RFC 1122 s3.3.1.2 (MUST-ip-route-cache) */
    struct route_kept *kept = &t->kept[dst.b[15] % ROUTES_KEPT];
    bool counts = t->n_dead == 0 && net->redirects.next == NEVER;

    if (counts && kept->hop.nif && ip_eq(kept->dst, dst)) {
        *out = kept->hop;
        return 0;
    }
    int r = search(net, dst, out);
    if (counts && r == 0)
        *kept = (struct route_kept){ dst, *out };
    return r;
}
