/* Who runs the loop.
 *
 * All calls take the stack's lock. One that must wait drives: it reads the device and
 * sleeps in poll(2), where alone it drops the lock. While there is such a driver, other
 * calls that must wait doze on a futex of their own; whoever makes their socket ready
 * rings. A driver that has what it waited for, or gave up, hands over:
 *
 *     to a dozing call ──► else back to the watch, if it is still in poll(2)
 *                          ──► else it wakes the watch, if that is idle
 *
 * The watch is a background thread for a program that computes: it drives when no call
 * has come for a millisecond and nobody else drives.
 *
 *              nobody drives, no call since the last tick
 *      TICK ───────────────────────────────────────────────► POLL
 *     >1 ms ◄─────────────────────────────────────────────── asleep in poll(2)
 *       │ ▲     a call has taken over, or made something due
 *       │ └──────────────────────┐
 *       ▼ a call has driven for 50 ms                it leaves
 *      IDLE: asleep for as long as that call drives ──────┘
 *
 * So an idle process has one thread asleep in poll(2) and nothing that ticks, and a
 * program with one thread switches no threads between a frame and its handler. While
 * calls come and go, each tick is twice as long as the one before, up to 32 ms: a
 * processor that is always to be got up soon is dearer to wake (with one request at a
 * time, by a quarter of the rate). Where a call finds that nobody has looked for long,
 * the program is one that stays away, and gets short ticks again.
 *
 * A call takes over from the watch without asking: the watch, when it wakes, sees that
 * it is not the driver any more. A call that moves the earliest deadline forward kicks
 * the driver out of poll(2), and the watch back to its ticks: else a program that sends
 * without waiting would wake it with each call, and share the device with it.
 *
 * A batch (tapir_batch_begin) is one event of many calls: its beginning sets the time,
 * no call flushes, its end does. Who waits in it settles first, as ever.
 *
 * The futex rather than a condition variable, because a signal must end the wait
 * (EINTR): Ctrl-C ends a server whose main thread dozes. In a simulation nobody drives:
 * a call that waits gives its baton away. */
#include "edge/bsd.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edge/sim.h"

enum {
    TICK_SHORT = 1, /* milliseconds */
    TICK_LONG = 32,
    TICKS_TO_IDLE = 50,
    LONE_SURE = 2,   /* turns of one frame until the next is supposed to be one ... */
    LONE_CHECK = 16, /* ... and every which of them looks whether it still is so */
    NAP_MIN = 4,     /* microseconds: who sleeps less was got up by what was there */
};

void waiter_init(struct waiter *w, unsigned budget)
{
    list_init(&w->node);
    list_init(&w->dozing);
    list_init(&w->waiting);
    w->thread = NULL;
    w->order = 0;
    w->deadline = NEVER;
    w->until = NEVER;
    w->budget = budget;
    w->woken = w->polling = false;
    atomic_init(&w->bell, 0);
    w->event = -1;
    w->fds = NULL;
    w->n_fds = 0;
}

void waiter_done(struct waiter *w)
{
    if (w->event >= 0)
        close(w->event);
}

/* ---- dozing ---- */

static long futex(atomic_uint *word, int op, unsigned value, struct timespec *timeout)
{
    return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static void ring_fd(int fd)
{
    uint64_t one = 1;

    /* Fails only when the counter is full: then it rings already. */
    if (write(fd, &one, sizeof one) < 0)
        return;
}

static void ring(struct waiter *w)
{
    if (atomic_exchange(&w->bell, 1))
        return;
    if (w->event >= 0)
        ring_fd(w->event);
    else
        futex(&w->bell, FUTEX_WAKE, 1, NULL);
}

void waiter_wake(struct tapir *t, struct waiter *w)
{
    if (w->woken)
        return;
    w->woken = true;
    if (t->sim)
        sim_wake(t->sim, w);
    else if (list_linked(&w->dozing))
        ring(w);
    else if (w->polling)
        ring_fd(t->kick);
}

/* Sleeps until somebody rings or the deadline. Drops the lock. 0 or -EINTR. */
static int sleep_for_bell(struct tapir *t, struct waiter *w, usec until)
{
    struct timespec room;
    struct timespec *timeout = clock_until(loop_clock(t), until, &room);
    long r;
    int err;

    pthread_mutex_unlock(&t->lock);
    r = futex(&w->bell, FUTEX_WAIT, 0, timeout);
    err = r < 0 ? -errno : 0;
    pthread_mutex_lock(&t->lock);
    t->now = loop_clock(t);
    return err == -EINTR ? -EINTR : 0;
}

/* The same for a call that waits for kernel descriptors too: poll(2), with an
 * eventfd of its own (the driver's kick must not be taken from the driver). */
static int poll_for_bell(struct tapir *t, struct waiter *w, usec until)
{
    struct timespec room;
    struct timespec *timeout = clock_until(loop_clock(t), until, &room);
    int r, err;

    w->fds[SLOT_DEVICE] = w->fds[SLOT_DOOR] = (struct pollfd){ .fd = -1 };
    w->fds[SLOT_KICK] = (struct pollfd){ .fd = w->event, .events = POLLIN };
    pthread_mutex_unlock(&t->lock);
    r = ppoll(w->fds, w->n_fds, timeout, NULL);
    err = r < 0 ? -errno : 0;
    pthread_mutex_lock(&t->lock);
    t->now = loop_clock(t);
    for (size_t i = LOOP_SLOTS; r > 0 && i < w->n_fds; i++)
        w->woken |= w->fds[i].revents != 0;
    return err == -EINTR ? -EINTR : 0;
}

static int doze(struct tapir *t, struct waiter *w)
{
    uint64_t rung;
    int r;

    if (w->n_fds && w->event < 0)
        w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->n_fds && w->event < 0)
        return -errno;
    atomic_store(&w->bell, 0);
    if (w->event >= 0 && read(w->event, &rung, sizeof rung) < 0)
        rung = 0;
    list_add_tail(&t->dozing, &w->dozing);
    if (w->event >= 0)
        r = poll_for_bell(t, w, w->deadline);
    else
        r = sleep_for_bell(t, w, w->deadline);
    list_del(&w->dozing);
    return r;
}

/* ---- driving ---- */

static bool another_call_drives(const struct tapir *t)
{
    return t->driver && t->driver != &t->watch;
}

/* A turn of the driver's; what it spent. One request at a time is one frame at a time,
 * and the read that finds no second one costs as much as the one before: where each
 * turn has taken one frame, only the first is read, and the next turn begins with a
 * read or with a sleep, by what was right the last time. */
static unsigned drive_turn(struct tapir *t, const struct waiter *w)
{
    bool lone = t->lone >= LONE_SURE && t->lone % LONE_CHECK;
    unsigned spent = loop_turn(t, lone ? (unsigned)BATCH_FRAME : w->budget);

    if (t->unsure && !spent)
        t->naps = true;
    t->unsure = lone && spent == BATCH_FRAME;
    if (spent)
        t->lone = spent == BATCH_FRAME ? t->lone + 1 : 0;
    return spent;
}

static int drive_sleep(struct tapir *t, struct waiter *w)
{
    usec from = t->now;
    int r = loop_sleep(t, w, usec_min(w->deadline, loop_deadline(t)));

    if (t->unsure)
        t->naps = t->now - from >= NAP_MIN;
    t->unsure = false;
    return r;
}

static int drive(struct tapir *t, struct waiter *w)
{
    int r = 0;

    t->driver = w;
    while (r == 0 && !w->woken && t->now < w->deadline) {
        if ((t->unsure && t->naps) || (!drive_turn(t, w) && !w->woken))
            r = drive_sleep(t, w);
        else if (!w->woken)
            t->now = loop_clock(t);
    }
    t->driver = NULL;
    return r;
}

static void hand_over(struct tapir *t)
{
    if (t->driver)
        return;
    if (!list_empty(&t->dozing))
        ring(list_entry(t->dozing.next, struct waiter, dozing));
    else if (t->watch_state == WATCH_POLL)
        t->driver = &t->watch;
    else if (t->watch_state == WATCH_IDLE)
        ring(&t->watch);
}

/* The driver sleeps too long, or on what is not the device's any more. If it is the
 * watch, it is sent back to its ticks: a program whose calls make something due will
 * look at the device by itself, and otherwise a millisecond brings it back. */
static void kick_if_late(struct tapir *t)
{
    if (!t->driver || t->driver->until == 0)
        return; /* rung already */
    if (loop_deadline(t) >= t->driver->until && !(t->driver->polling && loop_stale(t)))
        return;
    t->driver->until = 0;
    if (t->driver == &t->watch) {
        t->driver = NULL;
        t->watch_state = WATCH_TICK;
    }
    ring_fd(t->kick);
}

static int live_wait(struct tapir *t, struct waiter *w)
{
    int r = 0;

    while (r == 0 && !w->woken) {
        if (t->now >= w->deadline)
            r = -ETIMEDOUT;
        else if (another_call_drives(t))
            r = doze(t, w);
        else
            r = drive(t, w);
    }
    hand_over(t);
    return w->woken ? 0 : r;
}

/* The time of the event that a call is. With nothing due, advancing would set it and do
 * no more. */
static void latch(struct tapir *t)
{
    t->now = loop_clock(t);
    if (stack_due(t->stack, t->now))
        stack_advance(t->stack, t->now);
    else
        t->stack->net.now = t->now;
}

int waiter_wait(struct tapir *t, struct waiter *w)
{
    int r = 0;

    w->woken = false;
    loop_settle(t);
    if (w->woken)
        return 0;
    if (t->sim) {
        r = sim_wait(t->sim, w);
    } else {
        kick_if_late(t);
        r = live_wait(t, w);
    }
    latch(t);
    return r;
}

/* ---- in and out ---- */

void tapir_look(struct tapir *t)
{
    if (t->sim || another_call_drives(t))
        loop_settle(t);
    else
        loop_turn(t, BATCH_READ);
}

/* With the lock, so nobody else writes: a store is enough, and costs less. */
static void count_entry(struct tapir *t)
{
    uint64_t n = atomic_load_explicit(&t->entries, memory_order_relaxed);

    atomic_store_explicit(&t->entries, n + 1, memory_order_relaxed);
}

void call_begins(struct tapir *t)
{
    count_entry(t);
    if (bsd_in_batch(t))
        return;
    latch(t);
    /* A program whose calls never wait would otherwise never read the device. */
    if (t->sim || t->now - t->looked <= BATCH_STALE)
        return;
    if (!t->driver)
        atomic_store_explicit(&t->stayed_away, true, memory_order_relaxed);
    tapir_look(t);
}

void tapir_enter(struct tapir *t)
{
    if (!t->sim)
        pthread_mutex_lock(&t->lock);
    call_begins(t);
}

void tapir_leave(struct tapir *t)
{
    if (!bsd_in_batch(t)) {
        loop_settle(t);
        kick_if_late(t);
    }
    if (!t->sim)
        pthread_mutex_unlock(&t->lock);
}

/* ---- the background thread ---- */

static void watch_poll(struct tapir *t)
{
    struct waiter *w = &t->watch;

    t->watch_state = WATCH_POLL;
    t->driver = w;
    while (t->driver == w && !t->ending)
        if (!loop_turn(t, BATCH_READ))
            loop_sleep(t, w, loop_deadline(t));
        else
            t->now = loop_clock(t);
    if (t->driver == w)
        t->driver = NULL;
    t->watch_state = WATCH_TICK;
}

long watch_next_tick(struct tapir *t, long tick)
{
    if (atomic_exchange_explicit(&t->stayed_away, false, memory_order_relaxed))
        return TICK_SHORT;
    return 2 * tick < TICK_LONG ? 2 * tick : TICK_LONG;
}

/* Asleep, without the lock, until there is something to look at: nobody has called for
 * a millisecond, or (idle) the call that drives has left. While calls come and go they
 * are counted and not disturbed, by so little as a fight for the lock. True when nobody
 * came. */
static bool watch_nap(struct tapir *t, bool idle)
{
    struct waiter *w = &t->watch;
    uint64_t first = atomic_load(&t->entries), before, after = first;
    long tick = TICK_SHORT;
    bool look = false;

    atomic_store(&w->bell, 0);
    pthread_mutex_unlock(&t->lock);
    while (!look) {
        before = after;
        struct timespec room = { .tv_nsec = tick * USEC_PER_MS * 1000 };
        futex(&w->bell, FUTEX_WAIT, 0, idle ? NULL : &room);
        after = atomic_load(&t->entries);
        if (atomic_load(&w->bell))
            look = pthread_mutex_lock(&t->lock) == 0;
        else if (after == before)
            look = pthread_mutex_trylock(&t->lock) == 0;
        else
            tick = watch_next_tick(t, tick);
    }
    return after == first;
}

/* Returns when it is time to drive, or at the end. */
static void watch_tick(struct tapir *t)
{
    int quiet = 0;

    while (!t->ending && (quiet == 0 || t->driver)) {
        t->watch_state = quiet >= TICKS_TO_IDLE ? WATCH_IDLE : WATCH_TICK;
        if (watch_nap(t, quiet >= TICKS_TO_IDLE))
            quiet++;
        else
            quiet = 0;
        if (t->watch_state == WATCH_IDLE)
            quiet = 0;
    }
    t->watch_state = WATCH_TICK;
}

void watch_ring(struct tapir *t)
{
    ring(&t->watch);
    ring_fd(t->kick);
}

void *watch_main(void *arg)
{
    struct tapir *t = arg;

    pthread_mutex_lock(&t->lock);
    while (!t->ending) {
        watch_tick(t);
        if (!t->ending)
            watch_poll(t);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}
