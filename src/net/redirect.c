/* Redirects.
 *
 * A gateway that sends a packet on through another gateway of the same link says so to
 * the host, which from then on sends there by itself:
 *
 *     destination -> gateway, for net.ipv4.route.gc_timeout
 *
 * for one destination, whatever the redirect's code says of networks: the mask of a far
 * network is known to nobody here (RFC 1122 s3.2.2.2).
 *
 * Anyone can forge one, so it has to come from the gateway that the destination has
 * now, name a neighbour of the same link, and quote a packet that the transport knows
 * to be its own (tcp_error(), udp_error(), ping_error(); RFC 5927 s4.1).
 * net.ipv4.conf.all.accept_redirects switches them off.
 *
 * The table is a hash with four ways a set, as that of pmtu.c and for its reasons.
 * While it is empty a lookup is one comparison. */
#include "net/redirect.h"

#include "base/bytes.h"
#include "net/net.h"

void redirect_init(struct net *net)
{
    net->redirects = (struct redirect_table){ .next = NEVER };
}

static struct redirect *set_of(struct net *net, struct ip_addr dst)
{
    uint64_t hash = siphash(&net->secret, &dst, sizeof dst);
    return net->redirects.at + hash % REDIRECT_SETS * REDIRECT_WAYS;
}

/* Forgets what is due. */
static void expire(struct net *net)
{
    struct redirect_table *t = &net->redirects;

    t->next = NEVER;
    for (size_t i = 0; i < ARRAY_LEN(t->at); i++) {
        struct redirect *r = &t->at[i];
        if (r->until <= net->now)
            *r = (struct redirect){ 0 };
        else if (r->until < t->next)
            t->next = r->until;
    }
}

const struct ip_addr *redirect_find(struct net *net, struct ip_addr dst)
{
    if (net->redirects.next == NEVER)
        return NULL;
    if (net->redirects.next <= net->now)
        expire(net);
    const struct redirect *set = set_of(net, dst);
    for (unsigned i = 0; i < REDIRECT_WAYS; i++)
        if (set[i].until && ip_eq(set[i].dst, dst))
            return &set[i].gateway;
    return NULL;
}

/* The entry for dst: its own, or a free one, or the first that would be forgotten. */
static struct redirect *entry_for(struct net *net, struct ip_addr dst)
{
    struct redirect *set = set_of(net, dst), *best = set;

    for (unsigned i = 0; i < REDIRECT_WAYS; i++) {
        if (set[i].until && ip_eq(set[i].dst, dst))
            return &set[i];
        if (set[i].until < best->until)
            best = &set[i];
    }
    return best;
}

/* May nif's link have a gateway of this address? */
static bool is_neighbour(const struct netif *nif, struct ip_addr a)
{
    return ip_same_net(a, nif->addr, nif->prefix) && !ip_is_any(a) &&
           !net_is_local(nif->net, a) && !net_is_broadcast(nif->net, a);
}

/* RFC 1122 s3.2.2.2 (SHLD-icmp-redirect-source, SHLD-icmp-redirect-neighbour). */
bool redirect_plausible(struct net *net, const struct ip_info *ip,
                        const struct net_error *err)
{
    struct route_hop hop;

    if (!net->config.accept_redirects || !is_neighbour(ip->nif, err->gateway))
        return false;
    if (route_lookup(net, err->dst, &hop) < 0 || hop.nif != ip->nif)
        return false;
    return ip_eq(hop.next_hop, ip->src) && !ip_eq(hop.next_hop, err->dst);
}

/* RFC 1122 s3.2.2.2 (MUST-icmp-redirect, MUST-icmp-redirect-net). */
void redirect_learn(struct net *net, const struct net_error *err)
{
    usec until = net->now + net->config.redirect_expires;

    *entry_for(net, err->dst) = (struct redirect){ err->dst, err->gateway, until };
    net->redirects.next = usec_min(net->redirects.next, until);
    net_note(net, "redirect: another gateway is nearer to a destination");
}

void redirect_forget(struct net *net, struct ip_addr gateway)
{
    struct redirect_table *t = &net->redirects;

    if (t->next == NEVER)
        return;
    for (size_t i = 0; i < ARRAY_LEN(t->at); i++)
        if (t->at[i].until && ip_eq(t->at[i].gateway, gateway))
            t->at[i] = (struct redirect){ 0 };
    expire(net);
}
