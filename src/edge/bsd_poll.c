/* poll(2) over descriptors of both kinds. Readiness is level-triggered and computed:
 * the call looks at every socket, and if none is ready waits until something happened
 * to any, and looks again. The kernel's descriptors join the driver's own poll(2), so
 * that one sleep waits for both.
 *
 *     slot     0       1       2       3 ...
 *              device  door    kick    the caller's kernel descriptors
 *
 * All stack descriptors of one call belong to one stack (EINVAL otherwise). In a
 * simulation kernel descriptors are looked at, but never waited for: their time is not
 * the simulation's. */
#include "edge/bsd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_LOCAL = 64 };

struct poll_set {
    struct pollfd *fds;    /* the caller's */
    size_t n;              /* their number */
    struct file **file;    /* n: whose they are; NULL: the kernel's */
    struct pollfd *kernel; /* LOOP_SLOTS free ones, then the kernel's */
    size_t n_kernel;       /* slots in use */
};

/* The kernel's descriptor that fds[i] is, or that is behind a set (epoll); or -1. */
static int kernel_fd(const struct poll_set *s, size_t i)
{
    const struct file *f = s->file[i];

    if (!f)
        return s->fds[i].fd;
    return f->epoll ? epoll_kernel(f->epoll) : -1;
}

static void add_kernel_fds(struct poll_set *s)
{
    s->n_kernel = LOOP_SLOTS;
    for (size_t i = 0; i < s->n; i++)
        if (kernel_fd(s, i) >= 0)
            s->kernel[s->n_kernel++] = (struct pollfd){ .fd = kernel_fd(s, i),
                                                        .events = s->fds[i].events };
}

static bool has_kernel_fds(const struct poll_set *s)
{
    return s->n_kernel > LOOP_SLOTS;
}

static short file_events(const struct file *f, short asked)
{
    if (!file_is_open(f))
        return POLLNVAL;
    return (short)(file_readiness(f) & ((unsigned)asked | SOCK_ERR | SOCK_HUP));
}

/* Looks at everything; how many are ready, or negative errno. */
static int scan(struct poll_set *s)
{
    size_t k = LOOP_SLOTS;
    int ready = 0;

    add_kernel_fds(s); /* sets may have got some meanwhile, or gone */
    if (has_kernel_fds(s) && poll(s->kernel + k, s->n_kernel - k, 0) < 0)
        return -errno;
    for (size_t i = 0; i < s->n; i++) {
        struct pollfd *p = &s->fds[i];

        p->revents = 0;
        if (s->file[i])
            p->revents = file_events(s->file[i], p->events);
        if (kernel_fd(s, i) >= 0)
            p->revents |= s->kernel[k++].revents;
        ready += p->revents != 0;
    }
    return ready;
}

static int poll_wait(struct tapir *t, struct poll_set *s, int timeout_ms)
{
    struct waiter w;
    int r;

    waiter_init(&w, BATCH_READ);
    if (timeout_ms > 0)
        w.deadline = t->now + timeout_ms * USEC_PER_MS;
    if (timeout_ms == 0)
        tapir_look(t);
    list_add_tail(&t->pollers, &w.node);
    while ((r = scan(s)) == 0 && timeout_ms != 0) {
        w.fds = s->kernel;
        w.n_fds = has_kernel_fds(s) ? s->n_kernel : 0;
        r = waiter_wait(t, &w);
        if (r < 0)
            break;
    }
    list_del(&w.node);
    waiter_done(&w);
    return r == -ETIMEDOUT ? 0 : r;
}

/* The one stack they belong to; NULL when there are several. */
static struct tapir *stack_of(const struct poll_set *s)
{
    struct tapir *t = NULL;

    for (size_t i = 0; i < s->n; i++) {
        if (!s->file[i])
            continue;
        if (t && t != s->file[i]->t)
            return NULL;
        t = s->file[i]->t;
    }
    return t;
}

static int poll_stack(struct tapir *t, struct poll_set *s, int timeout_ms)
{
    int r;

    if (!t)
        return -EINVAL;
    tapir_enter(t);
    r = poll_wait(t, s, timeout_ms);
    tapir_leave(t);
    return r;
}

static int poll_both(struct poll_set *s, int timeout_ms)
{
    struct tapir *t = bsd_current();
    size_t ours = file_get_all(s->fds, s->n, s->file);
    int r;

    if (ours)
        r = poll_stack(stack_of(s), s, timeout_ms);
    else if (t && t->sim)
        r = poll_stack(t, s, timeout_ms);
    else
        return poll(s->fds, s->n, timeout_ms);
    for (size_t i = 0; i < s->n; i++)
        if (s->file[i])
            file_put(s->file[i]);
    return (int)bsd_result(r);
}

int tapir_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct file *file[POLL_LOCAL];
    struct pollfd kernel[POLL_LOCAL + LOOP_SLOTS];
    struct poll_set s = { .fds = fds, .n = n, .file = file, .kernel = kernel };
    int r;

    if (n <= POLL_LOCAL)
        return poll_both(&s, timeout_ms);
    s.file = malloc(n * sizeof *s.file);
    s.kernel = malloc((n + LOOP_SLOTS) * sizeof *s.kernel);
    r = s.file && s.kernel ? poll_both(&s, timeout_ms) : (int)bsd_result(-ENOMEM);
    free(s.file);
    free(s.kernel);
    return r;
}
