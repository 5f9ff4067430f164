/* How it works
 *
 *       port ──ops->read──► [netem in] ──stack_input──► stack
 *       port ◄──its link─── [netem out] ◄──host link─── stack_flush
 *
 * A turn reads the device until it is empty or the budget is spent, gives each frame to
 * the stack, and lets the stack send once for the whole batch: acknowledgments and
 * window updates of a batch are one. Without an emulator the stack's frames go straight
 * to the device, borrowed and not copied.
 *
 * Nothing here waits, but loop_sleep(): that is poll(2) on the device, on the eventfd
 * that other threads ring, and on the kernel descriptors of the call that sleeps. It
 * looks for a while before it sleeps, where that pays (spin.h). The lock is dropped
 * there and nowhere else. */
#include "edge/tapir.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "edge/bsd.h"
#include "edge/sim.h"
#include "net/arp.h"

usec loop_clock(const struct tapir *t)
{
    return t->sim ? sim_now(t->sim) : clock_read(&t->clock);
}

usec loop_deadline(struct tapir *t)
{
    usec at = stack_deadline(t->stack);

    if (t->out.config.on)
        at = usec_min(at, netem_deadline(&t->out));
    if (t->in.config.on)
        at = usec_min(at, netem_deadline(&t->in));
    return at;
}

static void tell_drop(const struct tapir *t, enum drop why, bool leaving)
{
    const struct net *net = &t->stack->net;
    struct trace_event event = { .at = net->now, .kind = TRACE_DROP };

    if (!trace_on(&net->trace))
        return;
    event.u.drop.reason = why;
    event.u.drop.name = drop_name(why);
    event.u.drop.leaving = leaving;
    trace_emit(&net->trace, &event);
}

/* A frame that was held, or a copy: nothing that is told of just after is it. */
static void tell_late_drop(void *ctx, enum drop why)
{
    tell_drop(ctx, why, false);
}

void loop_offer(struct tapir *t, struct netem *n, struct pkt *p)
{
    /* On a wire behind our own emulator it dies when its leaving was long told. */
    bool leaving = n == &t->out || (n == &t->wire_out && !t->out.config.on);
    int r;

    n->late = tell_late_drop;
    n->ctx = t;
    r = netem_offer(n, p, t->sim ? sim_now(t->sim) : t->now);
    if (r < 0)
        tell_drop(t, (enum drop)(-r - 1), leaving);
}

/* ---- the way down ---- */

/* To what is really there: the device, or the wire of a simulation. */
static void to_device(struct tapir *t, const struct pkt *p)
{
    if (t->sim)
        sim_transmit(t, p);
    else if (t->port->link.send(&t->port->link, p) < 0)
        net_drop(&t->stack->net, NULL, DROP_LINK_BUSY);
}

/* What the stack sends where an emulator or a wire is under the netif. */
static int host_send(struct link *link, const struct pkt *p)
{
    struct tapir *t = list_entry(link, struct tapir, link);
    struct pkt *copy;

    if (!t->out.config.on) { /* only the other direction is impaired */
        to_device(t, p);
        return 0;
    }
    copy = pkt_copy(&t->stack->net.pool, p);
    if (copy)
        loop_offer(t, &t->out, copy);
    else
        net_drop(&t->stack->net, NULL, DROP_NO_BUFFER);
    return 0;
}

/* An emulator in front of a device takes frames as they come: where it delays them,
 * those in flight are in it and not in the device's queue. */
static uint32_t emulated_caps(const struct tapir *t)
{
    bool pipe = t->in.config.delay + t->out.config.delay >= USEC_PER_MS;

    return t->sim || pipe ? 0 : t->port->link.caps & LINK_SHORT_QUEUE;
}

void loop_link(struct tapir *t)
{
    t->link = (struct link){ .send = host_send, .caps = emulated_caps(t) };
    if (t->sim || t->in.config.on || t->out.config.on)
        t->nif.link = &t->link;
    else
        t->nif.link = &t->port->link;
}

/* ---- the way up ---- */

void loop_input(struct tapir *t, struct pkt *p)
{
    if (t->in.config.on)
        loop_offer(t, &t->in, p);
    else
        stack_input(t->stack, &t->nif, p, t->now);
}

/* The port is gone for good: nothing will come, and who sends gets ENETDOWN. */
static void end_interface(struct tapir *t)
{
    t->nif.up = false;
    net_note(&t->stack->net, "the device is gone: the interface is down");
    fprintf(t->talk, "tapir: the link is down: %s\n", t->port->why);
}

static unsigned read_batch(struct tapir *t, unsigned budget)
{
    struct port *port = t->port;
    unsigned spent = 0;
    struct pkt *p;
    int r = 1;

    t->looked = t->now;
    t->starved = false;
    while (spent < budget && port && !port->dead) {
        r = port->ops->read(port, &t->stack->net.pool, &p);
        if (r != 1)
            break;
        spent += p->gso_size ? BATCH_SUPER : BATCH_FRAME;
        loop_input(t, p);
    }
    if (r == -ENOBUFS)
        t->starved = true;
    if (port && port->dead && t->nif.up)
        end_interface(t);
    return spent;
}

/* What the port left to its owner: a frame that is begun, a peer that does not know
 * who is here. */
static void tend_port(struct tapir *t)
{
    struct port *port = t->port;

    if (port->pending)
        port->ops->flush(port);
    if (port->arrived)
        arp_announce(&t->nif);
    port->arrived = false;
}

/* ---- turns ---- */

static void take_in(struct tapir *t)
{
    struct pkt *p;

    while (t->in.config.on && (p = netem_take(&t->in, t->now)))
        stack_input(t->stack, &t->nif, p, t->now);
}

static void take_out(struct tapir *t)
{
    struct pkt *p;

    while (t->out.config.on && (p = netem_take(&t->out, t->now))) {
        to_device(t, p);
        pkt_free(p);
    }
}

void loop_settle(struct tapir *t)
{
    struct stack *st = t->stack;
    struct sock *s;

    take_in(t);
    if (stack_due(st, t->now))
        stack_advance(st, t->now);
    stack_flush(st);
    take_out(t);
    while ((s = stack_ready(st)))
        if (s->user)
            file_wake(s->user);
}

unsigned loop_turn(struct tapir *t, unsigned budget)
{
    unsigned spent = read_batch(t, budget);

    if (t->port)
        tend_port(t);
    if (t->nif.blocked && !(t->port && t->port->pending))
        stack_unblock(t->stack, &t->nif);
    loop_settle(t);
    return spent;
}

/* ---- sleeping ---- */

static bool any_ready(const struct pollfd *fds, size_t n)
{
    for (size_t i = LOOP_SLOTS; i < n; i++)
        if (fds[i].revents)
            return true;
    return false;
}

/* A device that is gone, or whose next frame finds no packet, is not looked at: it
 * would be ready for ever. */
static void fill_slots(const struct tapir *t, struct pollfd *fds)
{
    const struct port *port = t->port;
    short events = POLLIN;

    if (t->nif.blocked || (port && port->pending))
        events |= POLLOUT;
    fds[SLOT_DEVICE] = (struct pollfd){ .fd = -1, .events = events };
    fds[SLOT_DOOR] = (struct pollfd){ .fd = -1, .events = POLLIN };
    fds[SLOT_KICK] = (struct pollfd){ .fd = t->kick, .events = POLLIN };
    if (!port || port->dead || t->starved)
        return;
    fds[SLOT_DEVICE].fd = port->fd;
    fds[SLOT_DOOR].fd = port->door;
}

bool loop_stale(const struct tapir *t)
{
    const struct pollfd *was = t->asleep;
    struct pollfd want[LOOP_SLOTS];

    fill_slots(t, want);
    return want[SLOT_DEVICE].fd != was[SLOT_DEVICE].fd ||
           want[SLOT_DOOR].fd != was[SLOT_DOOR].fd ||
           (want[SLOT_DEVICE].events & ~was[SLOT_DEVICE].events);
}

/* The kernel's answers in the slots in front. Only the driver takes the ring off: a
 * thread that was the driver when it went to sleep must not swallow what is meant for
 * its successor. */
static void take_slots(struct tapir *t, const struct waiter *w,
                       const struct pollfd *fds)
{
    uint64_t rung;

    if (fds[SLOT_DOOR].revents && t->port)
        t->port->knocked = true;
    if (fds[SLOT_KICK].revents && t->driver == w &&
        read(t->kick, &rung, sizeof rung) < 0)
        return;
}

enum { LOOK_AT_ALL = 8 }; /* of so many looks, one is at all descriptors */

/* As ppoll(2) of the device alone, at once. A call, beside which nobody reads, reads at
 * the same time where the port can: one system call instead of two. */
static int look_at_device(struct tapir *t, const struct waiter *w, struct pollfd *slot)
{
    static const struct timespec at_once;

    if (slot->fd < 0 || w == &t->watch || !t->port->ops->look)
        return ppoll(slot, 1, &at_once, NULL);
    t->port->ops->look(t->port);
    slot->revents = t->port->ahead ? POLLIN : 0;
    return t->port->ahead;
}

/* Looks for `busy`, then sleeps until `until`. As ppoll(2). Mostly it looks at the
 * device alone, which takes half as long as to look at all. */
static int look_or_sleep(struct tapir *t, const struct waiter *w, struct pollfd *fds,
                         usec busy, usec until)
{
    static const struct timespec at_once;
    nfds_t n = w->n_fds ? w->n_fds : LOOP_SLOTS;
    usec now = clock_read(&t->clock), enough = usec_min(now + busy, until);
    struct timespec room;
    int r = 0;

    for (unsigned turn = 0; r == 0 && now < enough; turn++) {
        if (turn % LOOK_AT_ALL == 0)
            r = ppoll(fds, n, &at_once, NULL);
        else
            r = look_at_device(t, w, &fds[SLOT_DEVICE]);
        now = clock_read(&t->clock);
    }
    return r ? r : ppoll(fds, n, clock_until(now, until, &room), NULL);
}

int loop_sleep(struct tapir *t, struct waiter *w, usec until)
{
    struct pollfd own[LOOP_SLOTS], *fds = w->n_fds ? w->fds : own;
    nfds_t n = w->n_fds ? w->n_fds : LOOP_SLOTS;
    usec busy = spin_time(&t->spin, t->stack->net.config.busy_poll);
    usec from = t->now;
    int r, err;

    if (t->starved)
        until = usec_min(until, t->now + USEC_PER_MS);
    fill_slots(t, fds);
    memcpy(t->asleep, fds, sizeof t->asleep);
    w->until = until;
    w->polling = true;
    pthread_mutex_unlock(&t->lock);
    r = look_or_sleep(t, w, fds, busy, until);
    err = r < 0 ? -errno : 0;
    pthread_mutex_lock(&t->lock);
    w->polling = false;
    t->looked = t->now = loop_clock(t);
    spin_waited(&t->spin, busy, t->now - from);
    if (r > 0)
        take_slots(t, w, fds);
    if (r > 0 && any_ready(fds, n))
        w->woken = true;
    return err == -EINTR ? -EINTR : 0;
}
