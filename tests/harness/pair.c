/* The wire is the link emulator itself, one for each direction: a frame that a stack
 * sends is copied into the pair's own pool, shown to the hook, and offered; it comes
 * out when it is due and is copied into the receiver's pool, as a device would.
 *
 * A step finds the earliest time at which anything happens, moves both stacks' clocks
 * there and delivers what has arrived, a's frames first: runs repeat exactly. */
#include "harness/pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    POOL_LIMIT = 64 << 20,
    STEPS_MAX = 50 * 1000 * 1000,
    MTU = 1500,
    PREFIX = 24,
    BACKLOG = 128,
};

static const uint32_t address[2] = { 0xc0000201, 0xc0000202 };
static const struct mac_addr mac[2] = { { { 2, 0, 0, 0, 0, 1 } },
                                        { { 2, 0, 0, 0, 0, 2 } } };

struct ip_addr pair_addr(enum pair_side side)
{
    return ip4_addr(address[side]);
}

static enum pair_side side_of(const struct pair_host *h)
{
    return h == &h->pair->host[PAIR_A] ? PAIR_A : PAIR_B;
}

static int wire_send(struct link *link, const struct pkt *p)
{
    struct pair_host *h = list_entry(link, struct pair_host, link);
    struct pair *pair = h->pair;
    if (!pair->up)
        return 0;
    struct pkt *copy = pkt_copy(&pair->pool, p);
    assert_non_null(copy);
    struct pair_frame frame = { side_of(h), h->sent++, pair->now, copy->data,
                                copy->len };
    if (pair->setup.hook && pair->setup.hook(pair->setup.ctx, &frame) == PAIR_DROP)
        pkt_free(copy);
    else
        netem_offer(&h->wire, copy, pair->now);
    return 0;
}

/* Neighbours that know each other and never ask again. */
static void introduce(struct pair_host *h, struct pair_host *to)
{
    struct net *net = &h->st->net;
    enum pair_side other = side_of(to);
    net->neigh.reachable_time = NEVER / 4;
    neigh_learn(net, &h->nif, pair_addr(other), mac[other], true);
}

static void apply_sysctls(struct stack *st, const char *const *list)
{
    for (; list && *list; list++) {
        char name[128];
        const char *eq = strchr(*list, '=');
        assert_non_null(eq);
        assert_true((size_t)(eq - *list) < sizeof name);
        memcpy(name, *list, (size_t)(eq - *list));
        name[eq - *list] = '\0';
        assert_int_equal(stack_sysctl(st, name, eq + 1), 0);
    }
}

static void init_host(struct pair *p, enum pair_side side,
                      const struct netem_config *wire)
{
    struct pair_host *h = &p->host[side];
    struct stack_config config = { .seed = p->setup.seed * 2 + side, .check = true };
    h->pair = p;
    h->st = stack_new(&config);
    assert_non_null(h->st);
    h->link.send = wire_send;
    h->nif.link = &h->link;
    h->nif.mac = mac[side];
    h->nif.mtu = (uint16_t)(p->setup.mtu ? p->setup.mtu : MTU);
    strcpy(h->nif.name, "sim0");
    netem_init(&h->wire, wire, p->setup.seed * 2 + side + 1000, &p->count);
    assert_int_equal(stack_attach(h->st, &h->nif, pair_addr(side), PREFIX, ip_any4), 0);
    apply_sysctls(h->st, p->setup.sysctl);
}

void pair_init(struct pair *p, const struct pair_setup *setup)
{
    struct netem_spec spec;
    char why[200];
    memset(p, 0, sizeof *p);
    p->setup = *setup;
    pkt_pool_init(&p->pool, POOL_LIMIT, 0);
    if (netem_parse(setup->netem ? setup->netem : "delay 10ms", &spec, why,
                    sizeof why) < 0)
        fail_msg("netem: %s", why);
    init_host(p, PAIR_A, &spec.out);
    init_host(p, PAIR_B, &spec.in);
    if (!setup->arp) {
        introduce(&p->host[PAIR_A], &p->host[PAIR_B]);
        introduce(&p->host[PAIR_B], &p->host[PAIR_A]);
    }
    p->up = true;
}

void pair_free(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        unsigned sent = p->host[i].sent;
        stack_free(p->host[i].st);
        assert_int_equal(p->host[i].sent, sent);
        netem_free(&p->host[i].wire);
    }
    assert_int_equal(p->pool.live, 0);
    pkt_pool_free(&p->pool);
}

static usec next_event(const struct pair *p)
{
    usec at = NEVER;
    for (int i = 0; i < 2; i++) {
        at = usec_min(at, stack_deadline(p->host[i].st));
        at = usec_min(at, netem_deadline(&p->host[i].wire));
    }
    return at;
}

/* What has crossed the wire from `from`. */
static void deliver(struct pair *p, struct pair_host *from, struct pair_host *to)
{
    struct pkt *frame;
    while ((frame = netem_take(&from->wire, p->now)) != NULL) {
        struct pkt *copy = pkt_copy(&to->st->net.pool, frame);
        pkt_free(frame);
        assert_non_null(copy);
        stack_input(to->st, &to->nif, copy, p->now);
        stack_flush(to->st);
    }
}

/* Moves both clocks to `now` and lets happen what is due. */
static void arrive_at(struct pair *p, usec now)
{
    p->now = now;
    stack_advance(p->host[PAIR_A].st, now);
    stack_advance(p->host[PAIR_B].st, now);
    deliver(p, &p->host[PAIR_A], &p->host[PAIR_B]);
    deliver(p, &p->host[PAIR_B], &p->host[PAIR_A]);
}

/* Sends what calls between the steps made due. */
static void flush(struct pair *p)
{
    stack_flush(p->host[PAIR_A].st);
    stack_flush(p->host[PAIR_B].st);
}

bool pair_step(struct pair *p)
{
    flush(p);
    usec at = next_event(p);
    if (at == NEVER)
        return false;
    arrive_at(p, usec_max(at, p->now));
    return true;
}

bool pair_run_until(struct pair *p, bool (*cond)(void *ctx), void *ctx, usec limit)
{
    usec end = p->now + limit;
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        if (cond(ctx))
            return true;
        flush(p);
        if (next_event(p) > end) {
            arrive_at(p, end);
            return cond(ctx);
        }
        pair_step(p);
    }
    fail_msg("the pair does not come to rest");
    return false;
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

void pair_run(struct pair *p, usec time)
{
    pair_run_until(p, never, NULL, time);
}

struct sock *pair_tcp(struct pair *p, enum pair_side side)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->host[side].st->socks, 2, 1, 0, &s), 0);
    return s;
}

struct sock *pair_listen(struct pair *p, enum pair_side side, uint16_t port)
{
    struct sock *s = pair_tcp(p, side);
    struct sock_name name = { ip_any4, port };
    assert_int_equal(sock_bind(s, &name), 0);
    assert_int_equal(sock_listen(s, BACKLOG), 0);
    return s;
}

struct opening {
    struct sock *listener, *client, *server;
    struct sock_name to;
};

static bool is_open(void *ctx)
{
    struct opening *o = ctx;
    if (!o->server && sock_accept(o->listener, &o->server) != 0)
        return false;
    return sock_readiness(o->client) & SOCK_OUT;
}

/* A handshake takes three minutes at most: then the half-open side has given up. */
static bool opens(struct pair *p, struct opening *o, enum pair_side from)
{
    o->client = pair_tcp(p, from);
    assert_int_equal(sock_connect(o->client, &o->to), -EINPROGRESS);
    if (!pair_run_until(p, is_open, o, 300 * USEC_PER_SEC)) {
        sock_close(o->client);
        return false;
    }
    assert_int_equal(sock_connect(o->client, &o->to), 0);
    return true;
}

/* Where one frame in five is lost a handshake may fail, and users try again. */
void pair_connect(struct pair *p, struct sock *listener, struct sock **client,
                  struct sock **server)
{
    enum { TRIES = 5 };
    bool at_b = listener->socks == &p->host[PAIR_B].st->socks, open = false;
    struct opening o = { .listener = listener };
    assert_int_equal(sock_local(listener, &o.to), 0);
    o.to.addr = pair_addr(at_b ? PAIR_B : PAIR_A);
    for (int i = 0; i < TRIES && !open; i++)
        open = opens(p, &o, at_b ? PAIR_A : PAIR_B);
    assert_true(open);
    *client = o.client;
    *server = o.server;
}
