/* How it works.
 *
 * The interface needs no neighbours (netif.noarp), so that a packet leaves when the
 * stack sends it. What leaves is copied out of the stack at once, without its Ethernet
 * header, into a queue with the moment; what comes gets such a header and goes the way
 * of every frame.
 *
 * The caller waits as the thread outside does everywhere (sim_baton.c): time moves
 * while it waits. Its waits are ordered behind all others, so that at one moment the
 * stack's timers come first, then programs, then the caller. */
#include "edge/raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/bsd.h"
#include "edge/sim.h"
#include "wire/eth.h"

enum { IP_MAX = 65535, MTU_MIN = 68 };

struct raw {
    struct raw_packet *first, **end; /* what left and was not taken, oldest first */
    struct waiter *w;                /* raw_wait()'s, woken when something leaves */
};

/* Locally administered; only captures show it. */
static const struct mac_addr far_end = { { 0x02, 0, 0, 0, 0, 0x01 } };

int sim_wire_raw(struct tapir *host)
{
    if (!host->sim)
        return -EINVAL;
    if (host->peer || host->raw)
        return -EBUSY;
    host->raw = calloc(1, sizeof *host->raw);
    if (!host->raw)
        return -ENOMEM;
    host->raw->end = &host->raw->first;
    host->nif.noarp = true;
    host->nif.far = far_end;
    host->nif.up = true;
    return 0;
}

int raw_mtu(struct tapir *host, unsigned mtu)
{
    if (mtu < MTU_MIN || mtu > IP_MAX)
        return -EINVAL;
    host->nif.mtu = (uint16_t)mtu;
    return 0;
}

void raw_free(struct tapir *t)
{
    struct raw_packet *left;

    if (!t->raw)
        return;
    while ((left = raw_take(t)))
        free(left);
    free(t->raw);
    t->raw = NULL;
}

/* ---- packets ---- */

void raw_keep(struct tapir *t, const struct pkt *p)
{
    size_t len = pkt_total(p) - ETH_LEN;
    struct raw_packet *left = malloc(sizeof *left + ETH_LEN + len);

    if (!left) {
        net_drop(&t->stack->net, NULL, DROP_NO_BUFFER);
        return;
    }
    *left = (struct raw_packet){ .at = t->sim->now, .len = len };
    pkt_flatten(p, left->data, ETH_LEN + len);
    memmove(left->data, left->data + ETH_LEN, len);
    *t->raw->end = left;
    t->raw->end = &left->next;
    if (t->raw->w)
        waiter_wake(t, t->raw->w);
}

struct raw_packet *raw_take(struct tapir *host)
{
    struct raw *raw = host->raw;
    struct raw_packet *p = raw->first;

    if (!p)
        return NULL;
    raw->first = p->next;
    if (!raw->first)
        raw->end = &raw->first;
    p->next = NULL;
    return p;
}

int raw_put(struct tapir *host, const void *ip, size_t len)
{
    struct eth eth = { .dst = host->nif.mac, .src = far_end, .type = ETH_IP4 };
    struct pkt *p;

    if (!host->raw || len > IP_MAX)
        return -EINVAL;
    p = pkt_new(&host->stack->net.pool, ETH_LEN + len);
    if (!p) {
        net_drop(&host->stack->net, NULL, DROP_NO_BUFFER);
        return -ENOBUFS;
    }
    eth_emit(pkt_put(p, ETH_LEN), &eth);
    if (len > 0)
        memcpy(pkt_put(p, len), ip, len);
    host->sim->event++;
    host->now = host->sim->now;
    loop_input(host, p);
    loop_settle(host);
    return 0;
}

/* ---- time ---- */

static int wait_until(struct tapir *host, usec until, bool packets)
{
    struct waiter w;
    int r;

    waiter_init(&w, BATCH_READ);
    w.deadline = until;
    w.order = UINT64_MAX;
    host->now = host->sim->now;
    host->raw->w = packets ? &w : NULL;
    r = waiter_wait(host, &w);
    host->raw->w = NULL;
    waiter_done(&w);
    sim_join(host->sim);
    return r;
}

int raw_wait(struct tapir *host, usec until)
{
    return host->raw->first ? 0 : wait_until(host, until, true);
}

void raw_run(struct tapir *host, usec until)
{
    wait_until(host, until, false);
}
