/* epoll(7) over descriptors of both kinds.
 *
 * A set is a descriptor of Tapir's own. What it watches of the stack is an interest
 * each, known to both sides; what it watches of the kernel lies in a real epoll of the
 * kernel's behind it, made when the first one is added.
 *
 *     set (struct epoll)                            file of a socket
 *      |  ready: o---------o                         |
 *      |         |         |                         | interests: sets that watch it
 *      +------ interest  interest ------------------+
 *      |
 *      +-- kernel: epoll(7) of the kernel's descriptors
 *
 * Something happened to a socket (stack_ready): its interests that are met go to the
 * end of their sets' ready lists, and a call that waits for the set is woken. Waiting
 * takes the list from the front and asks each socket how it is: one that is not ready
 * any more is dropped. So a call costs what is ready, however many are watched.
 *
 *                    a change, and ready          asked, not ready any more
 *     not listed ───────────────────────► listed ───────────────────────► not listed
 *                                          │  ▲   reported, EPOLLET
 *                                          └──┘   or EPOLLONESHOT
 *                             reported, level: to the end, to be asked again
 *
 * The modes are that much and no more: an edge is a listing that is used up, a level is
 * one that lasts until the socket says no, one shot leaves nothing to be met. What is
 * news to an edge is what was not so before, and arrivals: text that comes to text that
 * nobody read is one, as on Linux; an ACK that makes room where there was room is none.
 *
 * The kernel's part is asked by the sleeping poll(2) itself, which has the kernel's set
 * beside the device. A call that need not sleep asks by epoll_wait(2), but where it has
 * something of the stack's to tell only once a millisecond, since a busy server would
 * pay for it with each batch. In a simulation it is asked, but never waited for: see
 * bsd_poll.c.
 *
 * A set of Tapir's cannot be put into another one (EPERM, as what cannot be watched).
 */
#include "edge/bsd.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EVENTS_MAX = INT_MAX / sizeof(struct epoll_event), /* Linux's EP_MAX_EVENTS */
    NOT_ASKED = -1, /* revents of the kernel's set when no poll(2) has looked at it */
    SLOT_KERNEL = LOOP_SLOTS, /* the kernel's set, behind the driver's own */
    SLOTS = LOOP_SLOTS + 1,
};

/* What is about an interest and not a state of the socket. */
#define PRIVATE_BITS ((uint32_t)EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE)
/* What EPOLLEXCLUSIVE may be joined with. */
#define EXCLUSIVE_BITS \
    ((uint32_t)EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
    struct file *file;     /* the set's own descriptor; calls wait in its list */
    struct list ready;     /* struct interest.ready: to be asked at the next wait */
    struct list all;       /* struct interest.of_set */
    struct slab_pool pool; /* where they come from */
    int kernel; /* the kernel's epoll, or -1: no descriptor of the kernel's yet */
    usec asked; /* when the kernel was asked last */
    bool kernel_first; /* the last call was filled up before the kernel was asked */
};

/* That a set watches a socket. */
struct interest {
    struct list of_file; /* in file->interests */
    struct list of_set;  /* in set->all */
    struct list ready;   /* in set->ready, or alone */
    struct epoll *set;
    struct file *file;
    epoll_data_t data;
    uint32_t events; /* wanted, with ERR and HUP; of a shot one PRIVATE_BITS alone */
};

/* ---- notices ---- */

static uint32_t met(const struct interest *i)
{
    return file_readiness(i->file) & i->events & ~PRIVATE_BITS;
}

/* Wakes one call that waits for the set, the driver before others: it is awake or next
 * to it. False when nobody waits. */
static bool wake_one(struct epoll *set)
{
    struct tapir *t = set->file->t;
    struct waiter *chosen = NULL;

    list_each (at, &set->file->waiters) {
        struct waiter *w = list_entry(at, struct waiter, node);

        if (!w->woken && (!chosen || w == t->driver))
            chosen = w;
    }
    if (chosen)
        waiter_wake(t, chosen);
    return chosen != NULL;
}

/* Lists an interest that is met, for an edge by news. True when a call was woken for
 * it. */
static bool notice(struct interest *i, uint32_t news)
{
    if (!met(i) || ((i->events & (uint32_t)EPOLLET) && !(news & i->events)))
        return false;
    if (!list_linked(&i->ready))
        list_add_tail(&i->set->ready, &i->ready);
    return wake_one(i->set);
}

static uint32_t arrivals_of(const struct file *f)
{
    return f->sock ? sock_arrivals(f->sock) : 0;
}

/* What of f's readiness its sets have not heard of: to those that have levels it makes
 * no difference. */
static uint32_t take_news(struct file *f)
{
    uint32_t now = file_readiness(f), arrivals = arrivals_of(f);
    uint32_t sends = f->sock ? f->sock->sends : 0;
    uint32_t news = now & ~f->seen;

    if (arrivals != f->arrivals)
        news |= now & (EPOLLIN | EPOLLRDNORM);
    if (sends != f->sends)
        news |= now & EPOLLERR;
    f->sends = sends;
    f->seen = now;
    f->arrivals = arrivals;
    return news;
}

void epoll_settle(struct file *f)
{
    if (f->edges > 0)
        f->seen &= file_readiness(f);
}

/* Exclusive interests: one that somebody waits for is enough, and it goes to the end so
 * that the next change is another's. */
void epoll_notice(struct file *f)
{
    struct interest *took = NULL;
    uint32_t news = f->edges > 0 ? take_news(f) : 0;

    list_each (at, &f->interests) {
        struct interest *i = list_entry(at, struct interest, of_file);
        bool exclusive = i->events & EPOLLEXCLUSIVE;

        if (exclusive && took)
            continue;
        if (notice(i, news) && exclusive)
            took = i;
    }
    if (took) {
        list_del(&took->of_file);
        list_add_tail(&f->interests, &took->of_file);
    }
}

/* ---- interests ---- */

static struct interest *find(const struct epoll *set, const struct file *f)
{
    list_each (at, &f->interests) {
        struct interest *i = list_entry(at, struct interest, of_file);

        if (i->set == set)
            return i;
    }
    return NULL;
}

static void set_edge(struct interest *i, bool edge)
{
    struct file *f = i->file;

    if (edge == !!(i->events & (uint32_t)EPOLLET))
        return;
    if (!edge) {
        f->edges--;
        return;
    }
    if (f->edges++ == 0)
        take_news(f); /* nobody has kept it up to now */
}

static void set_interest(struct interest *i, const struct epoll_event *event)
{
    set_edge(i, event->events & (uint32_t)EPOLLET);
    i->events = event->events | EPOLLERR | EPOLLHUP;
    i->data = event->data;
    list_del(&i->ready);
    notice(i, i->events); /* what is so at the beginning is news */
}

/* EPOLLWAKEUP keeps a machine from going to sleep, which no stack of a process can. */
static bool modes_ok(uint32_t events)
{
    if (events & EPOLLWAKEUP)
        return false;
    return !(events & EPOLLEXCLUSIVE) || !(events & ~EXCLUSIVE_BITS);
}

static int add(struct epoll *set, struct file *f, const struct epoll_event *event)
{
    struct interest *i;

    if (!modes_ok(event->events))
        return -EINVAL;
    i = slab_new_zero(&set->pool);
    if (!i)
        return -ENOMEM;
    i->set = set;
    i->file = f;
    list_init(&i->ready);
    list_add_tail(&f->interests, &i->of_file);
    list_add_tail(&set->all, &i->of_set);
    set_interest(i, event);
    return 0;
}

static int modify(struct interest *i, const struct epoll_event *event)
{
    if (!modes_ok(event->events) || ((i->events | event->events) & EPOLLEXCLUSIVE))
        return -EINVAL;
    set_interest(i, event);
    return 0;
}

static void drop(struct interest *i)
{
    set_edge(i, false);
    list_del(&i->of_file);
    list_del(&i->of_set);
    list_del(&i->ready);
    slab_free(&i->set->pool, i);
}

void epoll_forget(struct file *f)
{
    list_each_safe (at, after, &f->interests)
        drop(list_entry(at, struct interest, of_file));
}

static int control(struct epoll *set, int op, struct file *f,
                   const struct epoll_event *event)
{
    struct interest *i = find(set, f);

    switch (op) {
    case EPOLL_CTL_ADD:
        return i ? -EEXIST : add(set, f, event);
    case EPOLL_CTL_MOD:
        return i ? modify(i, event) : -ENOENT;
    case EPOLL_CTL_DEL:
        if (!i)
            return -ENOENT;
        drop(i);
        return 0;
    default:
        return -EINVAL;
    }
}

static int control_kernel(struct epoll *set, int op, int fd, struct epoll_event *event)
{
    if (set->kernel < 0)
        set->kernel = epoll_create1(EPOLL_CLOEXEC);
    if (set->kernel < 0 || epoll_ctl(set->kernel, op, fd, event) < 0)
        return -errno;
    /* A call that sleeps does so without it, if it is the first. */
    if (op == EPOLL_CTL_ADD)
        wake_one(set);
    return 0;
}

/* ---- sets ---- */

static struct epoll *epoll_new(struct file *f)
{
    struct epoll *set = calloc(1, sizeof *set);

    if (!set)
        return NULL;
    set->file = f;
    set->kernel = -1;
    list_init(&set->ready);
    list_init(&set->all);
    slab_init(&set->pool, NULL, sizeof(struct interest), 0);
    return set;
}

void epoll_free(struct epoll *set)
{
    list_each_safe (at, after, &set->all)
        drop(list_entry(at, struct interest, of_set));
    if (set->kernel >= 0)
        close(set->kernel);
    slab_done(&set->pool);
    free(set);
}

bool epoll_readable(const struct epoll *set)
{
    list_each (at, &set->ready)
        if (met(list_entry(at, struct interest, ready)))
            return true;
    return false;
}

int epoll_kernel(const struct epoll *set)
{
    return set->kernel;
}

int tapir_epoll_create1(int flags)
{
    struct tapir *t = bsd_current();
    struct file *f;
    int err;

    if (!t)
        return (int)bsd_result(-ENETDOWN);
    if (!t->stack)
        return epoll_create1(flags);
    if (flags & ~EPOLL_CLOEXEC)
        return (int)bsd_result(-EINVAL);
    f = file_new(t, flags & EPOLL_CLOEXEC ? SOCK_CLOEXEC : 0, &err);
    if (!f)
        return (int)bsd_result(err);
    f->epoll = epoll_new(f);
    if (!f->epoll) {
        file_discard(f);
        return (int)bsd_result(-ENOMEM);
    }
    tapir_enter(t);
    file_open(f, NULL);
    err = f->fd;
    tapir_leave(t);
    return (int)bsd_result(err);
}

/* What Linux says of a pair of descriptors that cannot be watcher and watched. Lock
 * held; f is NULL for a descriptor of the kernel's. */
static int check_pair(const struct file *of, const struct file *f)
{
    if (!file_is_open(of) || (f && !file_is_open(f)))
        return -EBADF;
    if (!of->epoll || of == f)
        return -EINVAL;
    if (f && f->epoll)
        return -EPERM;
    return f && f->t != of->t ? -EINVAL : 0;
}

static int control_locked(struct file *of, int op, int fd, struct epoll_event *event)
{
    struct file *f = file_get(fd);
    int r = check_pair(of, f);

    if (r == 0 && f)
        r = control(of->epoll, op, f, event);
    else if (r == 0)
        r = control_kernel(of->epoll, op, fd, event);
    if (f)
        file_put(f);
    return r;
}

int tapir_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    struct call c;
    int r = call_enter_any(&c, epfd, CALL_RECEIVE);

    if (r)
        return r > 0 ? epoll_ctl(epfd, op, fd, event) : (int)bsd_result(r);
    if (!event && op != EPOLL_CTL_DEL)
        r = -EFAULT;
    else
        r = control_locked(c.file, op, fd, event);
    return (int)call_leave(&c, r);
}

/* ---- waiting ---- */

struct wanted {
    struct epoll_event *out;
    int max, n; /* places in it; filled */
};

/* Reports i if it is met, and says whether it is to be asked again. */
static bool report(struct interest *i, struct wanted *to)
{
    uint32_t events = met(i);

    if (!events)
        return false;
    to->out[to->n++] = (struct epoll_event){ .events = events, .data = i->data };
    if (i->events & EPOLLONESHOT)
        i->events &= PRIVATE_BITS;
    return !(i->events & (EPOLLONESHOT | (uint32_t)EPOLLET));
}

static void take_ready(struct epoll *set, struct wanted *to)
{
    struct list again, *at;

    list_init(&again);
    while (to->n < to->max && (at = list_pop(&set->ready)))
        if (report(list_entry(at, struct interest, ready), to))
            list_add_tail(&again, at);
    while ((at = list_pop(&again)))
        list_add_tail(&set->ready, at);
}

static int take_kernel(struct epoll *set, struct wanted *to)
{
    int r = 0;

    set->asked = set->file->t->now;
    if (set->kernel >= 0 && to->n < to->max)
        r = epoll_wait(set->kernel, to->out + to->n, to->max - to->n, 0);
    to->n += r > 0 ? r : 0;
    return r < 0 && to->n == 0 ? -errno : to->n;
}

/* Whether the kernel is to be asked at a look. */
enum ask {
    ASK,
    ASK_SELDOM, /* a sleep will ask; beside something of the stack's once in a while */
    ASKED,      /* it has nothing */
};

static bool must_ask(const struct epoll *set, enum ask ask, bool ready)
{
    if (ask != ASK_SELDOM)
        return ask == ASK;
    return ready && set->file->t->now - set->asked >= BATCH_STALE;
}

/* Takes what is ready; how much, or negative errno. Whoever comes first could fill the
 * call for ever, so after a full one the kernel does. */
static int take(struct epoll *set, struct wanted *to, enum ask ask)
{
    bool kernel_first = set->kernel_first;
    int r = 0;

    if (ask == ASKED)
        set->asked = set->file->t->now;
    if (kernel_first)
        r = take_kernel(set, to);
    take_ready(set, to);
    set->kernel_first = !kernel_first && set->kernel >= 0 && to->n == to->max;
    if (!kernel_first && must_ask(set, ask, to->n > 0))
        r = take_kernel(set, to);
    return to->n > 0 ? to->n : r;
}

/* The next one of several calls has the rest. */
static void pass_on(struct epoll *set)
{
    if (!list_empty(&set->ready))
        wake_one(set);
}

/* Sleeps until something of the set may be ready, and says who asks the kernel then. 0
 * or negative errno. */
static int sleep_for(struct call *c, enum ask *ask)
{
    int kernel = c->file->epoll->kernel;
    struct pollfd slot[SLOTS] = {
        [SLOT_KERNEL] = { .fd = kernel, .events = POLLIN, .revents = NOT_ASKED }
    };
    int r;

    c->w.fds = slot;
    c->w.n_fds = kernel >= 0 ? SLOTS : 0;
    r = waiter_wait(c->t, &c->w);
    *ask = slot[SLOT_KERNEL].revents == NOT_ASKED ? ASK_SELDOM
           : slot[SLOT_KERNEL].revents            ? ASK
                                                  : ASKED;
    return r == 0 && !c->file->epoll ? -EBADF : r;
}

static int wait_locked(struct call *c, struct wanted *to, int timeout_ms)
{
    struct file *f = c->file;
    bool sleeps = timeout_ms != 0 && !c->t->sim;
    enum ask ask = sleeps ? ASK_SELDOM : ASK;
    int r;

    if (timeout_ms > 0)
        c->w.deadline = c->t->now + timeout_ms * USEC_PER_MS;
    if (timeout_ms == 0)
        tapir_look(c->t);
    list_add_tail(&f->waiters, &c->w.node);
    while ((r = take(f->epoll, to, ask)) == 0 && timeout_ms != 0)
        if ((r = sleep_for(c, &ask)) < 0)
            break;
    list_del(&c->w.node);
    if (f->epoll)
        pass_on(f->epoll);
    return r == -ETIMEDOUT ? 0 : r;
}

int tapir_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    struct wanted to = { events, max, 0 };
    struct call c;
    int r = call_enter_any(&c, epfd, CALL_RECEIVE);

    if (r)
        return r > 0 ? epoll_wait(epfd, events, max, timeout_ms) : (int)bsd_result(r);
    if (max <= 0 || max > (int)EVENTS_MAX || !c.file->epoll)
        r = -EINVAL;
    else if (!events)
        r = -EFAULT;
    else
        r = wait_locked(&c, &to, timeout_ms);
    return (int)call_leave(&c, r);
}
