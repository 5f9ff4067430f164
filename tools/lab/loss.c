/* A page over a path that loses frames, by a strategy, again and again with other
 * seeds: the mean of the page times, and what was sent again for them. A picture shows
 * how they are spread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "numbers.h"
#include "record.h"
#include "theory_loss.h"

enum { PAGES_MAX = 2000, BARS = 16, BAR = 50 };

struct sweep {
    double seconds[PAGES_MAX]; /* a page; in order when all are there */
    unsigned pages;
    double time, again, timeouts; /* means */
    double error;                 /* the standard error of the mean time */
    struct theory_lossy theory;
    double middle[2]; /* the median: from, to */
};

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void predict_loss(const struct experiment *e, const struct record *r,
                         const struct theory_loss *l, struct sweep *s)
{
    struct theory_load load = { .page = (double)e->setup.page,
                                .object = (double)e->setup.size,
                                .objects = e->how->alone ? 1 : e->setup.objects,
                                .lanes = e->setup.connections };
    struct theory_path p;

    predict_path(&e->setup, r, &p);
    theory_lossy(e->how, &p, &load, l, &s->theory);
    s->middle[0] = theory_lossy_median(e->how, &p, &load, l, &s->middle[1]);
}

/* One page. False: it failed, e->error. */
static bool fetch(struct experiment *e, const struct page_setup *setup,
                  const struct theory_loss *l, struct sweep *s)
{
    struct record r = { 0 };
    bool done = path_simulate(e->how, setup, &r);

    if (done) {
        if (s->pages == 0)
            predict_loss(e, &r, l, s);
        s->seconds[s->pages++] = record_seconds(&r);
        s->time += record_seconds(&r);
        s->again += r.retransmits;
        s->timeouts += r.timeouts;
    } else {
        snprintf(e->error, sizeof e->error, "%s", r.error);
    }
    record_free(&r);
    return done;
}

static bool fetch_all(struct experiment *e, const struct theory_loss *l, unsigned pages,
                      struct sweep *s)
{
    struct page_setup setup = e->setup;
    const char *sysctl[1];
    char rto[60];
    double squares = 0;

    snprintf(rto, sizeof rto, "net.ipv4.tcp_rto_min_us=%.0f", l->rto_min * 1e6);
    sysctl[0] = rto;
    setup.sysctl = sysctl;
    setup.n_sysctl = 1;
    setup.loss = l->loss * 100;
    for (unsigned i = 0; i < pages; i++, setup.seed++)
        if (!fetch(e, &setup, l, s))
            return false;
    qsort(s->seconds, s->pages, sizeof *s->seconds, order);
    s->time /= s->pages;
    for (unsigned i = 0; i < s->pages; i++)
        squares += (s->seconds[i] - s->time) * (s->seconds[i] - s->time);
    s->error = square_root(squares) / s->pages;
    s->again /= s->pages;
    s->timeouts /= s->pages;
    return true;
}

static double median(const struct sweep *s)
{
    return s->seconds[s->pages / 2];
}

/* How many pages took how long, in equal steps from the shortest time on. */
static char *draw(const struct sweep *s)
{
    static const char bars[BAR + 1] =
        "##################################################";
    double from = s->seconds[0], last = s->seconds[s->pages - 1];
    double step = last > from ? (last - from) / BARS : 1;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    unsigned at = 0;

    if (!out)
        return NULL;
    fprintf(out,
            "      median %.3f s, mean %.3f; a page: %.2f segments again, of these "
            "%.2f by time-outs\n",
            median(s), s->time, s->again, s->timeouts);
    for (unsigned i = 0; i < BARS && at < s->pages; i++) {
        unsigned n = 0;
        while (at < s->pages &&
               (s->seconds[at] <= from + (i + 1) * step || i == BARS - 1)) {
            at++;
            n++;
        }
        int bar = (int)(n * (double)BAR / s->pages + 0.5);
        fprintf(out, "  %7.3f.. %4u  |%.*s%s\n", from + i * step, n, bar, bars,
                bar == 0 && n > 0 ? "." : "");
    }
    fclose(out);
    return text;
}

/* Three standard errors in per cent, and five for what the formulae leave out. */
static double gate(double error, double of)
{
    return 5 + (of > 0 ? 300 * error / of : 0);
}

/* Losses are rare and independent of each other, nearly: of n there are as many more or
 * less as the root of n. What a time-out sends again may have arrived: up to a quarter.
 */
static double count_gate(const struct sweep *s, double mean)
{
    return 20 + gate(square_root(mean / s->pages), mean);
}

static void judge(const struct sweep *s, int show, struct figure *out)
{
    const struct theory_lossy *t = &s->theory;
    const struct figure figure[] = {
        { "s", t->low, t->high, s->time, gate(s->error, t->low) },
        { "s", s->middle[0], s->middle[1], median(s), gate(s->error, s->middle[0]) },
        { "again", t->again, t->again, s->again, count_gate(s, t->again) },
        { "rto", t->timeouts, t->timeouts, s->timeouts, count_gate(s, t->timeouts) },
    };

    *out = figure[show];
}

bool experiment_loss(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "time", "median", "again", "timeouts", NULL };
    struct theory_loss l = { .loss = experiment_number(e, "loss", 1) / 100,
                             .rto_min = experiment_number(e, "rto", 200) / 1000 };
    double wanted = experiment_number(e, "pages", 40);
    unsigned pages = wanted < PAGES_MAX ? (unsigned)wanted : PAGES_MAX;
    int show = experiment_show(e, shows);
    struct sweep *s = calloc(1, sizeof *s);
    bool done = s && show >= 0;

    if (done)
        done = fetch_all(e, &l, pages > 0 ? pages : 1, s);
    if (done) {
        judge(s, show, out);
        if (experiment_number(e, "view", 0) > 0)
            e->view = draw(s);
    }
    free(s);
    return done;
}
