/* What all of the network layer shares: the interfaces, the end of every packet that
 * dies early, and the errors that come up from below.
 *
 * The loopback is interface 0 and always there. It has no link: ip4.c queues what goes
 * to ourselves in net->loop, and the stack feeds the queue to ip4_input() after the
 * event that filled it, so nothing recurses.
 *
 * Errors that the neighbour cache finds (nobody answered ARP) arise deep in output or
 * in a timer. They wait in a small ring until the stack, back at the top, hands them to
 * the transports. A full ring forgets its oldest: the transports learn of a dead peer
 * by their own timers too. */
#include "net/net.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "net/arp.h"

enum {
    LOOPBACK_MTU = 65535,
    MTU_MIN = 68,               /* RFC 791 s3.2: what every module must forward */
    POOL_RESERVE = 1024 * 1024, /* bytes for ACKs and RSTs at most */
    POOL_RESERVE_FRACTION = 16, /* or this part of a small pool */
    MIN_PMTU = 552,             /* Linux's: 512 bytes and headers */
    TTL_DEFAULT = 64,           /* RFC 1122 s3.2.1.7, RFC 1700 */
    PORT_LOW = 32768,           /* Linux's range, inside RFC 6056 s3.2's */
    PORT_HIGH = 60999,
    BUSY_POLL = 100, /* microseconds: twice what a round of one request takes */
};

static void add_loopback(struct net *net)
{
    struct netif *lo = &net->loopback;

    lo->net = net;
    memcpy(lo->name, "lo", 3);
    lo->mtu = LOOPBACK_MTU;
    lo->addr = ip4_addr(0x7f000001);
    lo->prefix = 8;
    lo->up = true;
    net->netifs = lo;
}

void net_init(struct net *net, const struct net_setup *setup)
{
    size_t reserve = min_size(setup->pool_limit / POOL_RESERVE_FRACTION, POOL_RESERVE);

    memset(net, 0, sizeof(*net));
    net->epoch = setup->epoch;
    net->trace = setup->trace;
    net->config = (struct net_config){
        .ip_default_ttl = TTL_DEFAULT,
        .mtu_expires = 600 * USEC_PER_SEC,
        .min_pmtu = MIN_PMTU,
        .accept_redirects = true,
        .redirect_expires = 300 * USEC_PER_SEC,
        .icmp_msgs_per_sec = ICMP_RATE,
        .icmp_msgs_burst = ICMP_BURST,
        .ipfrag_high_thresh = 4 << 20,
        .ipfrag_time = 30 * USEC_PER_SEC,
        .port_low = PORT_LOW,
        .port_high = PORT_HIGH,
        .busy_poll = BUSY_POLL,
    };
    slab_set_init(&net->slabs);
    pkt_pool_init_in(&net->pool, &net->slabs, setup->pool_limit, reserve);
    heap_init(&net->heap);
    rng_seed(&net->rng, setup->seed);
    net->secret = rng_key(&net->rng);
    net->ip_id = (uint16_t)rng_next(&net->rng);
    net->icmp_tokens = net->config.icmp_msgs_burst;
    list_init(&net->woken);
    neigh_init(net);
    frag_init(net);
    pmtu_init(net);
    redirect_init(net);
    add_loopback(net);
}

void net_free(struct net *net)
{
    pkt_queue_clear(&net->loop);
    neigh_clear(net);
    frag_clear(net);
    heap_free(&net->heap);
    pkt_pool_free(&net->pool);
}

/* May addr/prefix be a host's own address? */
static bool host_address(struct ip_addr addr, unsigned prefix)
{
    if (!ip_is4(addr) || prefix < 1 || prefix > 32)
        return false;
    if (ip_is_any(addr) || ip_is_loopback(addr) || ip_is_multicast(addr))
        return false;
    if (ip_is_limited_broadcast(addr))
        return false;
    /* RFC 3021 s2.1: a prefix of 31 has no broadcast address. */
    return prefix > 30 || !ip_eq(addr, ip4_subnet_broadcast(addr, prefix));
}

static void append(struct net *net, struct netif *nif)
{
    struct netif **end = &net->netifs;

    nif->index = 0;
    while (*end) {
        end = &(*end)->next;
        nif->index++;
    }
    nif->next = NULL;
    *end = nif;
}

/* RFC 1122 s3.2.1.3 (MUST-ip-subnets), s3.2.2.9 (MUST-icmp-mask-static), s3.3.1.1
 * (MUST-ip-no-gateway), s3.3.1.6 (MUST-ip-manual-config), s3.3.3 (MUST-ip-mtu-config).
 */
int net_add_netif(struct net *net, struct netif *nif, struct ip_addr addr,
                  unsigned prefix)
{
    struct route on_link = {
        .dst = addr, .prefix = (uint8_t)prefix, .gateway = ip_any4, .nif = nif
    };

    if (!host_address(addr, prefix) || nif->mtu < MTU_MIN)
        return -EINVAL;
    if (net_is_local(net, addr))
        return -EADDRINUSE;
    int r = route_add(net, &on_link);
    if (r < 0)
        return r;
    nif->net = net;
    nif->addr = addr;
    nif->prefix = (uint8_t)prefix;
    append(net, nif);
    route_forget(net);
    if (nif->unplugged)
        return 0;
    nif->up = true;
    arp_announce(nif);
    return 0;
}

bool net_is_local(const struct net *net, struct ip_addr a)
{
    for (const struct netif *nif = net->netifs; nif; nif = nif->next) {
        if (ip_eq(nif->addr, a))
            return !ip_is_any(a);
    }
    return ip_is_loopback(a);
}

bool net_is_broadcast(const struct net *net, struct ip_addr a)
{
    if (ip_is_limited_broadcast(a))
        return true;
    for (const struct netif *nif = net->loopback.next; nif; nif = nif->next) {
        if (nif->prefix > 30 || !ip_same_net(nif->addr, a, nif->prefix))
            continue;
        if (ip_eq(a, ip4_subnet_broadcast(nif->addr, nif->prefix)))
            return true;
    }
    return false;
}

void net_drop(struct net *net, struct pkt *p, enum drop why)
{
    net->count.drop[why]++;
    if (trace_on(&net->trace)) {
        struct trace_event event = { .at = net->now, .kind = TRACE_DROP };
        event.u.drop = (struct trace_drop){ .reason = why, .name = drop_name(why) };
        trace_emit(&net->trace, &event);
    }
    pkt_free(p);
}

void net_note(struct net *net, const char *text)
{
    struct trace_event event = { .at = net->now, .kind = TRACE_NOTE };

    event.u.note.text = text;
    trace_emit(&net->trace, &event);
}

void net_report_error(struct net *net, const struct net_error *err)
{
    if (net->errors_n == NET_ERRORS_MAX) {
        net->errors_head = (net->errors_head + 1) % NET_ERRORS_MAX;
        net->errors_n--;
    }
    net->errors[(net->errors_head + net->errors_n) % NET_ERRORS_MAX] = *err;
    net->errors_n++;
}

bool net_take_error(struct net *net, struct net_error *out)
{
    if (net->errors_n == 0)
        return false;
    *out = net->errors[net->errors_head];
    net->errors_head = (net->errors_head + 1) % NET_ERRORS_MAX;
    net->errors_n--;
    return true;
}
