/* -Z: workers that take the next transfer until there is none, each with connections of
 * its own: so many at once as there are workers. HTTP/1.1 has one answer at a time on a
 * connection, so nothing is gained by waiting for somebody else's. With --pipeline each
 * takes its share of what may be asked for ahead. On a live link they are threads, on
 * --link sim programs of the simulated host. */
#include <stdio.h>
#include <stdlib.h>

#include "get.h"
#include "tapir/sim.h"

struct work {
    struct options *o;
    struct get *get;
    size_t next;    /* transfer that nobody has taken */
    size_t share;   /* transfers that a worker takes at once, at most */
    size_t running; /* workers */
    int status;     /* of the last one that failed */
};

/* Takes the next transfers, *n of them; NULL: there is none. */
static struct get_transfer *take(struct work *w, int status, size_t *n)
{
    struct get *g = w->get;
    struct get_transfer *t = NULL;

    pthread_mutex_lock(&g->lock);
    w->status = status ? status : w->status;
    if (w->next < g->n_transfers && !(g->fail_early && w->status)) {
        t = &g->transfer[w->next];
        *n = get_ahead(g, w->next);
        if (*n > w->share)
            *n = w->share;
        w->next += *n;
    } else {
        w->running--;
    }
    pthread_mutex_unlock(&g->lock);
    return t;
}

static void work(void *arg)
{
    struct work *w = arg;
    struct tapir_http_client *client = tapir_http_client_new(
        &(struct tapir_http_options){ .head = false });
    struct get_transfer *t;
    int status = client ? 0 : 27;
    size_t ahead;

    while ((t = take(w, status, &ahead)))
        status = client ? get_transfers(t, ahead, client, true) : 27;
    tapir_http_client_free(client);
}

static void *work_thread(void *arg)
{
    struct work *w = arg;

    tapir_use(w->o->tapir);
    work(w);
    return NULL;
}

static size_t start_threads(struct work *w, pthread_t *threads, size_t n)
{
    size_t started = 0;

    w->running = n;
    while (started < n && pthread_create(&threads[started], NULL, work_thread, w) == 0)
        started++;
    return started;
}

static int run_threads(struct work *w, size_t n)
{
    pthread_t threads[GET_PARALLEL_MAX];
    size_t started = start_threads(w, threads, n);

    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return started ? w->status : 27;
}

static int run_programs(struct work *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        w->running++;
        if (sim_spawn(w->o->tapir, work, w) < 0)
            w->running--;
    }
    while (w->running > 0)
        tapir_sleep(1000);
    return w->status;
}

int get_parallel(struct options *o, struct get *get)
{
    struct work w = { .o = o, .get = get };
    size_t n = get->n_transfers;

    if (n > (size_t)get->parallel_max)
        n = (size_t)get->parallel_max;
    w.share = (get->n_transfers + n - 1) / n;
    return o->sim ? run_programs(&w, n) : run_threads(&w, n);
}
