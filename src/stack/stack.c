/* The stack: three inputs and three outputs, and who is next on the way up.
 *
 *     frames            calls            time
 *       |                 |                |
 *   stack_input         sock_*       stack_advance        net.now = now, never back
 *       |                 |                |
 *   ether_input           |            heap_pop: a deadline's owner fires
 *   ip4_input             |                |
 *   deliver               |                |
 *    icmp udp tcp         |                |
 *       |                 |                |
 *       +------------ stack_flush ---------+
 *                         |
 *          link->send  stack_ready  stack_deadline
 *
 * Each layer takes its header off and returns what it found; deliver() says who is
 * next. Nobody calls upwards in between, and nothing is registered.
 *
 * An input only leaves wishes: dirty connections, packets to ourselves in net.loop,
 * errors of the neighbour cache in net.errors. stack_flush() grants them, and what that
 * leads to, in rounds until nothing moves. Two sockets of one stack may keep each other
 * busy without end over the loopback, so the rounds are bounded; the rest is left to
 * the next event, which stack_deadline() then gives as due now. */
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"

enum {
    FLUSH_ROUNDS = 1000,
    MEMORY_DEFAULT = 256 << 20,
    MTU_DEFAULT = 1500,
    MTU_MIN = 68, /* RFC 791 s3.1: every internet module forwards this much */
    MTU_MAX = 65535,
};

#define TRIM_TIME USEC_PER_SEC

/* An interface that a program made through the public face. */
struct stack_netif_link {
    struct list node; /* in stack->links */
    struct link link; /* what the netif calls */
    struct netif nif;
    struct stack_link to; /* what the program gave */
};

/* --- life ------------------------------------------------------------------------ */

struct stack *stack_new(const struct stack_config *config)
{
    struct stack *st = calloc(1, sizeof *st);
    if (!st)
        return NULL;
    struct net_setup setup = {
        .seed = config->seed,
        .epoch = config->epoch,
        .pool_limit = config->memory ? config->memory : MEMORY_DEFAULT,
        .trace = config->trace,
    };
    net_init(&st->net, &setup);
    udp_init(&st->udp, &st->net);
    list_init(&st->links);
    st->check = config->check;
    deadline_init(&st->trim, DL_TRIM);
    if (!heap_reserve(&st->net.heap, 1) || tcp_init(&st->tcp, &st->net) < 0) {
        net_free(&st->net);
        free(st);
        return NULL;
    }
    socks_init(&st->socks, &st->net, &st->tcp, &st->udp);
    return st;
}

void stack_free(struct stack *st)
{
    if (!st)
        return;
    socks_free(&st->socks);
    tcp_free(&st->tcp);
    net_free(&st->net);
    list_each_safe (at, after, &st->links) {
        free(list_entry(at, struct stack_netif_link, node));
    }
    free(st);
}

/* --- the way up ------------------------------------------------------------------ */

static void deliver_icmp(struct stack *st, const struct ip_info *ip, struct pkt *p)
{
    struct net_error err;
    switch (icmp_input(&st->net, ip, p, &err)) {
    case ICMP_TAKEN:
        break;
    case ICMP_REPLY:
        sock_ping_input(&st->socks, ip, p);
        break;
    case ICMP_ERROR: /* RFC 1122 s3.4 (MUST-icmp-to-transport) */
        sock_error(&st->socks, &err);
        break;
    }
}

static void deliver(struct stack *st, const struct ip_info *ip, struct pkt *p)
{
    switch (ip->proto) {
    case IP_PROTO_ICMP:
        deliver_icmp(st, ip, p);
        break;
    case IP_PROTO_TCP:
        tcp_input(&st->tcp, ip, p);
        break;
    case IP_PROTO_UDP:
        udp_input(&st->udp, ip, p);
        break;
    default:
        /* RFC 1122 s3.2.2.1 (SHLD-icmp-unreachable), s3.3.8 (MUST-icmp-errors): a
         * protocol that nobody speaks is told so. */
        icmp_send_error(&st->net, ip, p, ICMP_UNREACHABLE, ICMP_PROTOCOL);
        net_drop(&st->net, p, DROP_IP_PROTO);
    }
}

static void set_now(struct stack *st, usec now)
{
    st->net.now = usec_max(st->net.now, now);
}

static void check(const struct stack *st)
{
    if (st->check)
        tcp_check_all(&st->tcp);
}

void stack_input(struct stack *st, struct netif *nif, struct pkt *p, usec now)
{
    struct ip_info ip;
    set_now(st, now);
    p = ether_input(nif, p, &ip);
    if (p)
        deliver(st, &ip, p);
    check(st);
}

/* --- what is owed ---------------------------------------------------------------- */

/* Packets to ourselves: those that wait now, not those that they lead to. */
static void drain_loopback(struct stack *st)
{
    for (size_t n = st->net.loop.n; n > 0; n--) {
        struct ip_info ip;
        struct pkt *p = pkt_queue_pop(&st->net.loop);
        p = ip4_input(&st->net.loopback, p, &ip);
        if (p)
            deliver(st, &ip, p);
    }
}

static void drain_errors(struct stack *st)
{
    struct net_error err;
    for (size_t n = st->net.errors_n; n > 0; n--)
        if (net_take_error(&st->net, &err))
            sock_error(&st->socks, &err);
}

/* Memory that nobody needed for TRIM_TIME goes back; an idle stack has no timer. */
static void plan_trim(struct stack *st)
{
    if (st->net.slabs.spare > 0 && st->trim.at == NEVER)
        heap_set(&st->net.heap, &st->trim, st->net.now + TRIM_TIME);
}

static bool owes(const struct stack *st)
{
    return tcp_owes(&st->tcp) || st->net.loop.n > 0 || st->net.errors_n > 0;
}

void stack_flush(struct stack *st)
{
    for (int round = 0; owes(st) && round < FLUSH_ROUNDS; round++) {
        drain_loopback(st);
        drain_errors(st);
        tcp_flush(&st->tcp);
    }
    st->pending = owes(st);
    plan_trim(st);
    check(st);
}

/* --- time ------------------------------------------------------------------------ */

static void fire(struct stack *st, struct deadline *d)
{
    if (d->owner == DL_NEIGH)
        neigh_fire(&st->net, list_entry(d, struct neigh, deadline));
    else if (d->owner == DL_FRAG)
        frag_fire(&st->net, d);
    else if (d->owner == DL_TRIM)
        slab_set_trim(&st->net.slabs);
    else
        tcp_deadline(&st->tcp, d);
}

void stack_advance(struct stack *st, int64_t now)
{
    struct deadline *due;
    set_now(st, now);
    while ((due = heap_pop(&st->net.heap, st->net.now)) != NULL)
        fire(st, due);
    stack_flush(st);
}

int64_t stack_deadline(struct stack *st)
{
    return st->pending ? st->net.now : heap_next(&st->net.heap);
}

bool stack_due(struct stack *st, usec now)
{
    return st->pending || heap_due(&st->net.heap, now);
}

struct sock *stack_ready(struct stack *st)
{
    struct list *node = list_pop(&st->net.woken);
    return node ? list_entry(node, struct watch, node)->owner : NULL;
}

/* --- interfaces ------------------------------------------------------------------ */

int stack_attach(struct stack *st, struct netif *nif, struct ip_addr addr,
                 unsigned prefix, struct ip_addr gateway)
{
    int err = net_add_netif(&st->net, nif, addr, prefix);
    if (err < 0 || ip_is_any(gateway))
        return err;
    return stack_add_gateway(st, nif, gateway);
}

int stack_add_gateway(struct stack *st, struct netif *nif, struct ip_addr gateway)
{
    struct route all = { .dst = ip_any4, .prefix = 0, .gateway = gateway, .nif = nif };
    return route_add(&st->net, &all);
}

void stack_unblock(struct stack *st, struct netif *nif)
{
    nif->blocked = false;
    tcp_writable(&st->tcp, nif);
    stack_flush(st);
}

static int link_send(struct link *link, const struct pkt *p)
{
    struct stack_netif_link *l = list_entry(link, struct stack_netif_link, link);
    struct stack_frame frame = { .head = p->data, .head_len = p->len };
    for (unsigned i = 0; i < p->n_text; i++) {
        frame.text[i] = p->text[i].at;
        frame.text_len[i] = p->text[i].len;
    }
    return l->to.send(l->to.ctx, &frame);
}

/* Fills in l's netif from what the program says of it. 0 or -EINVAL. */
static int describe(struct stack_netif_link *l, const struct stack_netif *nif)
{
    unsigned mtu = nif->mtu ? nif->mtu : MTU_DEFAULT;
    if (!nif->name || strlen(nif->name) >= sizeof l->nif.name)
        return -EINVAL;
    if (!nif->mac || !mac_parse(nif->mac, &l->nif.mac) || mac_is_multicast(l->nif.mac))
        return -EINVAL;
    if (mtu < MTU_MIN || mtu > MTU_MAX)
        return -EINVAL;
    strcpy(l->nif.name, nif->name);
    l->nif.mtu = (uint16_t)mtu;
    l->nif.link = &l->link;
    l->link.send = link_send;
    return 0;
}

static int add_link(struct stack *st, struct stack_netif_link *l,
                    const struct stack_netif *nif)
{
    struct ip_addr addr, gateway[GATEWAYS_MAX];
    unsigned prefix;
    int gateways = 0;
    int err = describe(l, nif);
    if (err < 0)
        return err;
    if (!nif->address || !ip_parse_prefix(nif->address, &addr, &prefix))
        return -EINVAL;
    if (nif->gateway)
        gateways = ip_parse_list(nif->gateway, gateway, GATEWAYS_MAX);
    if (gateways < 0)
        return -EINVAL;
    err = stack_attach(st, &l->nif, addr, prefix, ip_any4);
    for (int i = 0; err == 0 && i < gateways; i++)
        err = stack_add_gateway(st, &l->nif, gateway[i]);
    return err;
}

int stack_add_netif(struct stack *st, const struct stack_netif *nif,
                    const struct stack_link *link)
{
    struct stack_netif_link *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->to = *link;
    int err = add_link(st, l, nif);
    if (err < 0 && !l->nif.net) {
        free(l);
        return err;
    }
    list_add_tail(&st->links, &l->node);
    return err < 0 ? err : l->nif.index;
}

static struct netif *find_netif(struct stack *st, int index)
{
    for (struct netif *nif = st->net.netifs; nif; nif = nif->next)
        if (nif->index == index)
            return nif;
    return NULL;
}

int stack_input_frame(struct stack *st, int nif_index, const void *frame, size_t len,
                      int64_t now)
{
    struct netif *nif = find_netif(st, nif_index);
    if (!nif || !nif->link)
        return -EINVAL;
    struct pkt *p = pkt_new(&st->net.pool, len);
    if (!p) {
        net_drop(&st->net, NULL, DROP_NO_BUFFER);
        return -ENOBUFS;
    }
    memcpy(pkt_put(p, len), frame, len);
    stack_input(st, nif, p, now);
    stack_flush(st);
    return 0;
}

void stack_writable(struct stack *st, int nif_index)
{
    struct netif *nif = find_netif(st, nif_index);
    if (nif)
        stack_unblock(st, nif);
}

int stack_add_cc(struct stack *st, const struct cc_ops *ops)
{
    return cc_add(&st->tcp.controllers, ops);
}

/* --- counters -------------------------------------------------------------------- */

bool stack_counter_at(const struct stack *st, unsigned i, const char **name,
                      uint64_t *value)
{
    if (i < COUNT_N) {
        *name = count_name((enum count)i);
        *value = st->net.count.n[i];
        return true;
    }
    i -= COUNT_N;
    if (i >= DROP_N)
        return false;
    *name = drop_name((enum drop)i);
    *value = st->net.count.drop[i];
    return true;
}

int64_t stack_counter(const struct stack *st, const char *name)
{
    const char *its;
    uint64_t value;
    for (unsigned i = 0; stack_counter_at(st, i, &its, &value); i++)
        if (strcmp(its, name) == 0)
            return (int64_t)value;
    return -1;
}
