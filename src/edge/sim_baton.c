/* The baton.
 *
 * Programs are real threads, so that they can be written with blocking calls, but only
 * one runs: the one with the baton. A call that must wait gives the baton to the next
 * runnable thread. When there is none, the waiting thread itself lets the next event
 * happen, and the next, until somebody is runnable; often that is itself, and no thread
 * is switched at all.
 *
 *       a call waits ──► runnable empty? ──yes──► sim_event(): clock, frame, timer
 *                              │   ▲                        │ wakes
 *                              no  └────────────────────────┘
 *                              ▼
 *                     the first one gets the baton
 *
 * Order: by the event that woke them, and for one event by when they began to wait. The
 * thread outside (which made the simulation) takes part like a program: it waits in
 * sim_run(), or in a blocking call of its own. It is told when nothing can happen any
 * more. A foreign thread may come in as a guest while the one outside is out; from then
 * on it is a program like the others. All state is guarded by the baton; the mutex only
 * hands it over. */
#include "edge/sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/bsd.h"

static void thread_init(struct sim_thread *th, struct sim *sim)
{
    list_init(&th->node);
    list_init(&th->all);
    th->sim = sim;
    pthread_cond_init(&th->cond, NULL);
}

void sim_baton_init(struct sim *sim)
{
    list_init(&sim->programs);
    list_init(&sim->waiting);
    list_init(&sim->runnable);
    pthread_mutex_init(&sim->lock, NULL);
    thread_init(&sim->outer, sim);
    sim->running = &sim->outer;
}

/* ---- queues ---- */

static bool runs_before(const struct sim_thread *a, const struct sim_thread *b)
{
    return a->event != b->event ? a->event < b->event : a->order < b->order;
}

static void make_runnable(struct sim *sim, struct sim_thread *th, uint64_t order)
{
    struct list *after = sim->runnable.prev;

    th->event = sim->event;
    th->order = order;
    while (after != &sim->runnable &&
           runs_before(th, list_entry(after, struct sim_thread, node)))
        after = after->prev;
    list_add_head(after, &th->node);
}

static void begin_to_wait(struct sim *sim, struct waiter *w)
{
    struct list *after = sim->waiting.prev;

    if (!w->order)
        w->order = ++sim->orders;
    while (after != &sim->waiting &&
           list_entry(after, struct waiter, waiting)->order > w->order)
        after = after->prev;
    list_add_head(after, &w->waiting);
}

void sim_resume(struct sim *sim, struct waiter *w, int verdict)
{
    list_del(&w->waiting);
    w->thread->verdict = verdict;
    make_runnable(sim, w->thread, w->order);
}

void sim_wake(struct sim *sim, struct waiter *w)
{
    if (list_linked(&w->waiting))
        sim_resume(sim, w, 0);
}

/* ---- handing over ---- */

static struct sim_thread *choose(struct sim *sim)
{
    struct list *first;

    while (!(first = list_pop(&sim->runnable))) {
        if (sim->end && sim_is_over(sim))
            sim_resume(sim, sim->end, 0);
        else if (!sim_event(sim))
            sim_resume(sim, sim->outer.w, -EDEADLK);
    }
    return list_entry(first, struct sim_thread, node);
}

static void await_baton(struct sim_thread *me)
{
    while (me->sim->running != me)
        pthread_cond_wait(&me->cond, &me->sim->lock);
}

/* Gives the baton to whoever is next; returns when `me` has it again, or, without
 * waiting, when `me` is NULL: that thread is over. */
static void pass(struct sim *sim, struct sim_thread *me)
{
    struct sim_thread *next = choose(sim);

    if (next == me)
        return;
    pthread_mutex_lock(&sim->lock);
    sim->running = next;
    pthread_cond_signal(&next->cond);
    if (me)
        await_baton(me);
    pthread_mutex_unlock(&sim->lock);
}

int sim_wait(struct sim *sim, struct waiter *w)
{
    struct sim_thread *me = sim->running;

    if (sim->ending && me != &sim->outer)
        return -ECANCELED;
    w->thread = me;
    me->w = w;
    begin_to_wait(sim, w);
    pass(sim, me);
    me->w = NULL;
    return me->verdict;
}

/* ---- programs ---- */

static void *program_main(void *arg)
{
    struct sim_thread *me = arg;
    struct sim *sim = me->sim;

    pthread_mutex_lock(&sim->lock);
    await_baton(me);
    pthread_mutex_unlock(&sim->lock);
    tapir_use(me->host);
    me->fn(me->arg);
    me->ended = true;
    sim->n_programs--;
    pass(sim, NULL);
    return NULL;
}

int sim_spawn(struct tapir *host, void (*fn)(void *), void *arg)
{
    struct sim *sim = host->sim;
    struct sim_thread *th = sim ? calloc(1, sizeof *th) : NULL;
    int err;

    if (!th)
        return sim ? -ENOMEM : -EINVAL;
    thread_init(th, sim);
    th->host = host;
    th->fn = fn;
    th->arg = arg;
    err = pthread_create(&th->id, NULL, program_main, th);
    if (err) {
        pthread_cond_destroy(&th->cond);
        free(th);
        return -err;
    }
    list_add_tail(&sim->programs, &th->all);
    sim->n_programs++;
    make_runnable(sim, th, ++sim->orders);
    return 0;
}

void sim_join(struct sim *sim)
{
    list_each_safe (at, after, &sim->programs) {
        struct sim_thread *th = list_entry(at, struct sim_thread, all);

        if (!th->ended)
            continue;
        pthread_join(th->id, NULL);
        list_del(&th->all);
        pthread_cond_destroy(&th->cond);
        free(th);
    }
}

/* ---- guests ---- */

void sim_regain(struct sim *sim)
{
    pthread_mutex_lock(&sim->lock);
    await_baton(&sim->outer);
    pthread_mutex_unlock(&sim->lock);
}

static void move_baton(struct sim *sim, struct sim_thread *to)
{
    pthread_mutex_lock(&sim->lock);
    sim->running = to;
    pthread_mutex_unlock(&sim->lock);
}

void sim_guest_in(struct sim_thread *me, struct tapir *host)
{
    struct sim *sim = host->sim;

    sim_regain(sim);
    assert(!list_linked(&sim->outer.node));
    memset(me, 0, sizeof *me);
    thread_init(me, sim);
    me->host = host;
    sim->n_programs++;
    make_runnable(sim, &sim->outer, 0);
    move_baton(sim, me);
    tapir_use(host);
}

void sim_guest_out(struct sim_thread *me)
{
    me->sim->n_programs--;
    pass(me->sim, NULL);
    pthread_cond_destroy(&me->cond);
}

int sim_run(struct sim *sim, int64_t limit)
{
    struct waiter w;
    int r;

    assert(sim->running == &sim->outer);
    waiter_init(&w, BATCH_READ);
    w.deadline = limit < NEVER - sim->now ? sim->now + limit : NEVER;
    sim->end = &w;
    r = sim_wait(sim, &w);
    sim->end = NULL;
    sim_join(sim);
    return r;
}

void sim_end_programs(struct sim *sim)
{
    struct waiter w;

    sim->ending = true;
    list_each_safe (at, after, &sim->waiting)
        sim_resume(sim, list_entry(at, struct waiter, waiting), -ECANCELED);
    if (sim->n_programs) {
        waiter_init(&w, BATCH_READ);
        sim->end = &w;
        sim_wait(sim, &w);
        sim->end = NULL;
    }
    sim_join(sim);
    assert(sim->n_programs == 0);
    pthread_cond_destroy(&sim->outer.cond);
    pthread_mutex_destroy(&sim->lock);
}
