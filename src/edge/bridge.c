/* How it works
 *
 *     port 0 ──read──► [netem out] ──take──► send ──► port 1
 *     port 0 ◄── send ◄──take── [netem in] ◄──read── port 1
 *
 * A turn reads a batch from each end and delivers what is due. The emulator says when
 * the next frame is due; until then ppoll(2) sleeps, without timer slack, and with the
 * lowest real-time priority if that is permitted: the kernel's own emulator is not
 * kept waiting by other programs either. To get up takes 50 to 200 microseconds all the
 * same, 5 % of a millisecond and more: so the bridge learns how long, gets up early and
 * looks at the clock; and a frame that wakes it has come so long ago. Frames in quick
 * succession are not worth that: their rate is right even if some are delivered
 * together, and a processor is saved.
 *
 * An end that is full stops its direction: the frame at hand is stuck and goes first.
 * What is behind it waits in the emulator and is dropped there when that is full, as in
 * front of any bottleneck; without an emulator it stays in the other end's device.
 *
 * Ports count their drops in the net that they are given. Here each direction has its
 * own, which a port gets for as long as it works for that direction. */
#include "edge/bridge.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    BATCH = 64,           /* frames of one direction in a turn */
    POOL_LIMIT = 1 << 30, /* bytes of packets; memory that was never needed is not
                           * taken */
    ANY_MTU = 65535,
    LATE = 50,      /* microseconds that sleep takes too long, to begin with */
    LATE_MAX = 200, /* more than that is waited for by nobody */
    EXACT = 200,    /* it matters to a frame that comes so long after another */
};

/* ---- frames ---- */

static void capture(const struct bridge *b, const struct port *at, bool out,
                    const struct pkt *p, usec now)
{
    if (b->pcap)
        pcapng_frame_at(b->pcap, at == b->port[1], p, out, now);
}

/* Takes p. */
static void deliver(struct bridge *b, struct bridge_way *w, struct pkt *p, usec now)
{
    w->to->net = &w->net;
    if (w->to->link.send(&w->to->link, p) < 0) {
        w->stuck = p;
        return;
    }
    b->delivered = now;
    w->out_frames++;
    w->out_bytes += p->len;
    capture(b, w->to, true, p, now);
    pkt_free(p);
}

static bool is_full(const struct bridge_way *w)
{
    return w->stuck || w->to->pending;
}

/* Without an emulator a frame is only taken when it can go on at once. */
static bool may_read(const struct bridge_way *w)
{
    return !w->from->dead && (w->netem.config.on || !is_full(w));
}

/* Takes p. */
static void enter(struct bridge *b, struct bridge_way *w, struct pkt *p, usec now)
{
    w->in_frames++;
    w->in_bytes += p->len;
    capture(b, w->from, false, p, now);
    if (w->netem.config.on)
        netem_offer(&w->netem, p, usec_max(b->turned, now - b->woke_late));
    else
        deliver(b, w, p, now);
}

static bool read_batch(struct bridge *b, struct bridge_way *w, usec now)
{
    struct pkt *p;
    int n = 0, r = 1;

    while (n < BATCH && may_read(w)) {
        w->from->net = &w->net;
        r = w->from->ops->read(w->from, &b->pool, &p);
        if (r != 1)
            break;
        enter(b, w, p, now);
        n++;
    }
    b->starved |= r == -ENOBUFS;
    return n > 0;
}

static bool deliver_due(struct bridge *b, struct bridge_way *w, usec now)
{
    struct pkt *p = w->stuck;
    bool any = false;

    w->to->net = &w->net;
    if (w->to->pending)
        w->to->ops->flush(w->to);
    w->stuck = NULL;
    if (p)
        deliver(b, w, p, now);
    while (w->netem.config.on && !is_full(w) && (p = netem_take(&w->netem, now))) {
        deliver(b, w, p, now);
        any = true;
    }
    return any;
}

bool bridge_turn(struct bridge *b, usec now)
{
    bool any = false;

    b->starved = false;
    for (int i = 0; i < 2; i++) {
        any |= read_batch(b, &b->way[i], now);
        any |= deliver_due(b, &b->way[i], now);
    }
    b->turned = now;
    b->woke_late = 0;
    return any;
}

/* ---- time ---- */

usec bridge_deadline(const struct bridge *b)
{
    usec at = NEVER;

    for (int i = 0; i < 2; i++)
        if (b->way[i].netem.config.on && !is_full(&b->way[i]))
            at = usec_min(at, netem_deadline(&b->way[i].netem));
    return at;
}

/* A port that nothing is wanted of is not looked at: an error would be there for
 * ever. */
static struct pollfd slot_of(const struct bridge *b, int i)
{
    const struct port *port = b->port[i];
    struct pollfd slot = { .fd = port->fd };

    if (may_read(&b->way[i]) && !b->starved)
        slot.events |= POLLIN;
    if (is_full(&b->way[1 - i]))
        slot.events |= POLLOUT;
    if (!slot.events || port->dead)
        slot.fd = -1;
    return slot;
}

/* Sleep ended so long after it should. The next one ends earlier by the most that is
 * to be expected, which grows fast and shrinks slowly, so that most frames are in time;
 * a frame that ends it is taken to have come as long ago as is usual, so that its delay
 * is as often too long as too short. */
static void learn_lateness(struct bridge *b, usec late)
{
    b->usual += (usec_min(late, LATE_MAX) - b->usual) / 8;
    if (late > b->late)
        b->late = usec_min(b->late + (late - b->late + 1) / 2, LATE_MAX);
    else
        b->late -= (b->late - late) / 16;
}

/* Until something can be done, or `until`. True when stop_fd is readable. */
static bool rest(struct bridge *b, int stop_fd, usec until)
{
    struct pollfd fds[5] = {
        slot_of(b, 0),
        slot_of(b, 1),
        { .fd = b->port[0]->door, .events = POLLIN },
        { .fd = b->port[1]->door, .events = POLLIN },
        { .fd = stop_fd, .events = POLLIN },
    };
    struct timespec room;
    usec now = clock_read(&b->clock);
    int n = ppoll(fds, 5, clock_until(now, until, &room), NULL);

    if (n == 0 && until > now)
        learn_lateness(b, clock_read(&b->clock) - until);
    if (n <= 0)
        return false;
    b->woke_late = b->usual;
    b->port[0]->knocked |= fds[2].revents != 0;
    b->port[1]->knocked |= fds[3].revents != 0;
    return fds[4].revents != 0;
}

/* When to get up for what happens at `next`. */
static usec wake_at(const struct bridge *b, usec now, usec next)
{
    if (next == NEVER || next <= now)
        return next;
    if (next - b->delivered < EXACT)
        return next;
    return usec_max(next - b->late, now);
}

static void be_punctual(const struct bridge *b)
{
    const struct sched_param lowest = { .sched_priority = 1 };

    if (!b->way[0].netem.config.on && !b->way[1].netem.config.on)
        return;
    prctl(PR_SET_TIMERSLACK, 1);
    /* Without the right to it the wire is as punctual as the machine is idle. */
    sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

int bridge_run(struct bridge *b, int stop_fd, usec until)
{
    usec now = clock_read(&b->clock), next;
    bool moved;

    be_punctual(b);
    while (now < until) {
        moved = bridge_turn(b, now);
        if (b->port[0]->dead || b->port[1]->dead)
            return -ENETDOWN;
        next = moved ? now : usec_min(until, bridge_deadline(b));
        if (b->starved)
            next = usec_min(next, now + USEC_PER_MS);
        if (rest(b, stop_fd, wake_at(b, now, next)))
            return 0;
        now = clock_read(&b->clock);
    }
    return 0;
}

/* ---- the ends of it ---- */

void bridge_init(struct bridge *b, struct port *first, struct port *second,
                 const struct netem_spec *spec, uint64_t seed)
{
    memset(b, 0, sizeof *b);
    pkt_pool_init(&b->pool, POOL_LIMIT, 0);
    clock_start(&b->clock);
    b->late = b->usual = LATE;
    b->port[0] = b->way[0].from = b->way[1].to = first;
    b->port[1] = b->way[1].from = b->way[0].to = second;
    for (int i = 0; i < 2; i++) {
        struct bridge_way *w = &b->way[i];

        b->port[i]->mtu = ANY_MTU;
        b->port[i]->net = &w->net;
        netem_init(&w->netem, i ? &spec->in : &spec->out, seed + (uint64_t)i,
                   &w->net.count);
    }
}

void bridge_free(struct bridge *b)
{
    for (int i = 0; i < 2; i++) {
        netem_free(&b->way[i].netem);
        pkt_free(b->way[i].stuck);
        port_close(b->port[i]);
    }
    pkt_pool_free(&b->pool);
}
