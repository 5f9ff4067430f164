/* Up:    plan ─► namespace ─► stack and sinks ─► device ─► address ─► watch
 * Down:  close all ─► calls leave ─► watch ends ─► drain ─► reset ─► free
 *
 * The namespace comes first, because a process with threads cannot change it. On the
 * way down a second is allowed for what closed connections still have to say (TIME-WAIT
 * says nothing); who does not answer in that time gets a reset, so that the peer
 * knows. */
#include "edge/tapir.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/bsd.h"
#include "edge/explain.h"
#include "edge/ns.h"
#include "tcp/tcb.h"

/* ---- the parts of a stack ---- */

static void init_lists(struct tapir *t)
{
    list_init(&t->files);
    list_init(&t->pollers);
    list_init(&t->dozing);
    list_init(&t->sim_node);
    pthread_mutex_init(&t->lock, NULL);
    waiter_init(&t->watch, BATCH_READ);
    t->kick = -1;
}

/* "NAME=VALUE", with the sentence of what is wrong. */
static int set_sysctl(struct tapir *t, const char *text, struct tapir_error *error)
{
    const char *equals = strchr(text, '=');
    char name[96] = "", what[160];
    int err = -EINVAL;

    if (equals && (size_t)(equals - text) < sizeof name) {
        memcpy(name, text, (size_t)(equals - text));
        name[equals - text] = '\0';
        err = stack_sysctl(t->stack, name, equals + 1);
    }
    if (err >= 0)
        return 0;
    snprintf(what, sizeof what, "bad --sysctl '%s'", text);
    explain(error, err, what);
    explain_cause(error, "%s",
                  err == -ENOENT    ? "no tunable of this name"
                  : err == -ENOTSUP ? "Linux has it, this stack has not"
                  : equals          ? "the value is out of range"
                                    : "not of the form NAME=VALUE");
    explain_fix(error, "--sysctl net.ipv4.tcp_sack=0");
    if (err == -EINVAL && strcmp(name, "net.ipv4.tcp_congestion_control") == 0) {
        explain_cause(error, "no congestion controller of this name");
        explain_fix(error, "--sysctl net.ipv4.tcp_congestion_control=cubic, or reno");
    }
    return err;
}

static int set_profile(struct tapir *t, const char *name, struct tapir_error *error)
{
    char what[96];
    int err = stack_profile(t->stack, name);

    if (err >= 0)
        return 0;
    snprintf(what, sizeof what, "bad --profile '%.60s'", name);
    explain(error, -EINVAL, what);
    explain_cause(error, "no profile of this name");
    explain_fix(error, "--profile tapir, linux or bsd");
    return -EINVAL;
}

/* The profile first: single tunables stand above it. */
static int set_sysctls(struct tapir *t, const struct plan *plan,
                       struct tapir_error *error)
{
    const char *profile = plan->config.profile;
    int err = profile ? set_profile(t, profile, error) : 0;

    for (size_t i = 0; i < plan->config.n_sysctl && err == 0; i++)
        err = set_sysctl(t, plan->config.sysctl[i], error);
    return err;
}

static int make_stack(struct tapir *t, const struct plan *plan,
                      struct tapir_error *error)
{
    bool sim = plan->link == PLAN_SIM;
    struct stack_config config = {
        .seed = t->seed,
        .epoch = sim ? 0 : t->clock.epoch,
        .check = sim,
    };

    if (t->pcap_on || t->ladder_on)
        config.trace = (struct trace){ sinks_event, t };
    t->stack = stack_new(&config);
    if (!t->stack)
        return explain(error, -ENOMEM, "cannot make a stack");
    if (plan->netem.in.on)
        netem_init(&t->in, &plan->netem.in, t->seed + 1, &t->stack->net.count);
    if (plan->netem.out.on)
        netem_init(&t->out, &plan->netem.out, t->seed + 2, &t->stack->net.count);
    return set_sysctls(t, plan, error);
}

struct tapir *tapir_assemble(const struct plan *plan, struct tapir_error *error)
{
    struct tapir *t = calloc(1, sizeof *t);
    int err = 0;

    if (!t) {
        explain(error, -ENOMEM, "cannot make a stack");
        errno = ENOMEM;
        return NULL;
    }
    init_lists(t);
    if (plan->link != PLAN_SIM)
        clock_start(&t->clock);
    spin_init(&t->spin);
    t->seed = plan->config.seed;
    t->talk = plan->config.talk;
    t->many = plan->config.many;
    if (plan->config.dns && !(t->dns = strdup(plan->config.dns)))
        err = explain(error, -ENOMEM, "cannot make a stack");
    if (err == 0 && plan->link != PLAN_KERNEL &&
        (err = sinks_open(t, plan, error)) == 0)
        err = make_stack(t, plan, error);
    if (err == 0)
        return t;
    tapir_release(t);
    errno = -err;
    return NULL;
}

int tapir_attach(struct tapir *t, const struct plan *plan, struct tapir_error *error)
{
    t->nif.mac = plan->mac;

    int err = stack_attach(t->stack, &t->nif, plan->addr, plan->prefix, ip_any4);

    for (int i = 0; err == 0 && i < plan->n_gateways; i++)
        err = stack_add_gateway(t->stack, &t->nif, plan->gateway[i]);
    if (err < 0) {
        explain(error, err, "cannot add the interface to the stack");
        errno = -err;
        return err;
    }
    loop_settle(t);
    return 0;
}

void tapir_release(struct tapir *t)
{
    if (t->in.config.on)
        netem_free(&t->in);
    if (t->out.config.on)
        netem_free(&t->out);
    port_close(t->port);
    if (t->stack) {
        assert(t->stack->socks.n == 0);
        stack_free(t->stack);
    }
    sinks_close(t);
    if (t->kick >= 0)
        close(t->kick);
    bsd_stack_down(t);
    pthread_mutex_destroy(&t->lock);
    if (t->kept)
        t->drop_kept(t->kept);
    free(t->dns);
    free(t);
}

/* ---- up ---- */

int tapir_start_watch(struct tapir *t)
{
    sigset_t all, before;
    int err;

    t->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (t->kick < 0)
        return -errno;
    /* Signals are for the program's own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    err = pthread_create(&t->thread, NULL, watch_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->threaded = err == 0;
    return -err;
}

static int open_device(struct tapir *t, const struct plan *plan,
                       struct tapir_error *error)
{
    int err;

    t->port = port_open(&plan->port, error);
    if (!t->port)
        return -errno;
    t->port->net = &t->stack->net;
    memcpy(t->nif.name, t->port->name, sizeof t->nif.name);
    t->nif.mtu = t->port->mtu;
    loop_link(t);
    t->now = loop_clock(t);
    t->stack->net.now = t->now;
    err = tapir_attach(t, plan, error);
    if (err == 0 && (err = tapir_start_watch(t)) < 0)
        explain(error, err, "cannot start the background thread");
    return err;
}

struct tapir *tapir_up_error(const struct tapir_config *config,
                             struct tapir_error *error)
{
    struct tapir_error unused;
    struct plan plan;
    struct tapir *t;
    int err;

    error = error ? error : &unused;
    err = plan_make(config, false, &plan, error);
    if (err == 0 && plan.link == PLAN_NS)
        err = ns_enter(error);
    if (err < 0) {
        errno = -err;
        return NULL;
    }
    t = tapir_assemble(&plan, error);
    if (!t)
        return NULL;
    if (t->stack && (err = open_device(t, &plan, error)) < 0) {
        tapir_release(t);
        errno = -err;
        return NULL;
    }
    bsd_stack_up(t);
    return t;
}

struct tapir *tapir_up(const struct tapir_config *config)
{
    return tapir_up_error(config, NULL);
}

uint64_t tapir_seed(const struct tapir *t)
{
    return t->seed;
}

/* In a simulation the caller has the baton, or nobody runs. */
static bool take_stack(struct tapir *t)
{
    if (t->stack && !t->sim)
        pthread_mutex_lock(&t->lock);
    return t->stack != NULL;
}

static int give_stack(struct tapir *t, int result)
{
    if (!t->sim)
        pthread_mutex_unlock(&t->lock);
    return result;
}

int tapir_sysctl(struct tapir *t, const char *name, const char *value)
{
    if (!take_stack(t))
        return -ENOTSUP;
    return give_stack(t, stack_sysctl(t->stack, name, value));
}

int tapir_add_cc(struct tapir *t, const struct cc_ops *ops)
{
    if (!take_stack(t))
        return -ENOTSUP;
    return give_stack(t, stack_add_cc(t->stack, ops));
}

/* ---- down ---- */

static int first_number(struct tapir *t)
{
    int fd = -1;

    tapir_enter(t);
    if (!list_empty(&t->files))
        fd = list_entry(t->files.next, struct file, node)->fd;
    tapir_leave(t);
    return fd;
}

static void close_all(struct tapir *t)
{
    struct file *f;
    int fd;

    while ((fd = first_number(t)) >= 0) {
        f = file_take(fd);
        if (!f)
            continue;
        tapir_enter(t);
        file_shut(f);
        tapir_leave(t);
        file_put(f);
    }
    /* Calls of other threads have got their EBADF and are on their way out. */
    while (!t->sim && atomic_load(&t->held) > 0)
        sched_yield();
}

static void stop_watch(struct tapir *t)
{
    pthread_mutex_lock(&t->lock);
    t->ending = true;
    watch_ring(t);
    pthread_mutex_unlock(&t->lock);
    if (t->threaded)
        pthread_join(t->thread, NULL);
}

bool tapir_drained(const struct tapir *t)
{
    list_each (at, &t->stack->tcp.all) {
        const struct tcb *tcb = list_entry(at, struct tcb, all);

        if (!tcb->owned && !tcp_drained(tcb))
            return false;
    }
    return true;
}

void tapir_reset_rest(struct tapir *t)
{
    list_each_safe (at, after, &t->stack->tcp.all) {
        struct tcb *tcb = list_entry(at, struct tcb, all);

        if (!tcb->owned && !tcp_drained(tcb))
            tcp_abort(tcb, -ECONNABORTED);
    }
    loop_settle(t);
}

/* Nobody else is inside any more. A signal ends the patience. */
static void drain(struct tapir *t)
{
    usec limit = loop_clock(t) + USEC_PER_SEC;
    struct waiter w;
    int r = 0;

    waiter_init(&w, BATCH_READ);
    pthread_mutex_lock(&t->lock);
    t->driver = &w;
    while (r == 0 && t->now < limit && !tapir_drained(t)) {
        if (!loop_turn(t, BATCH_READ) && !tapir_drained(t))
            r = loop_sleep(t, &w, usec_min(limit, loop_deadline(t)));
        t->now = loop_clock(t);
    }
    t->driver = NULL;
    tapir_reset_rest(t);
    pthread_mutex_unlock(&t->lock);
}

void tapir_down(struct tapir *t)
{
    if (!t)
        return;
    if (t->stack)
        close_all(t);
    if (t->sim) /* the rest takes virtual time: sim_free() */
        return;
    if (t->stack) {
        stop_watch(t);
        drain(t);
        if (t->stat_on)
            tapir_print_stat(t, t->talk);
    }
    tapir_release(t);
}
