/* One lost segment, and who waits for it. A page is fetched twice: over a path without
 * loss, and over one that loses a segment of one object's answer. Answers are whole
 * segments, so that it is known which one on the wire that is.
 *
 *     pipeline:   | 1 1 1 | 2 X 2 | 3 3 3 | 4 4 4 |     3 and 4 are there, but behind
 *                                                       the hole: nobody may read them
 *     c kept:     | 1 1 1 | 4 4 4 |
 *                 | 2 X 2 |       : 2 :                 only this connection waits
 *                 | 3 3 3 | 5 5 5 |
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "record.h"
#include "theory_loss.h"

enum { PAGE_SEGMENTS = 4, COLUMNS = 56, GUESS = 150 };
enum show { SHOW_DELAY, SHOW_LATE, SHOW_PAGE };

static const unsigned mss = 1448;

struct hole {
    struct experiment *e;
    struct page_setup setup;
    struct theory_loss loss;
    unsigned segments; /* an answer */
    unsigned place,
        lose;        /* from 1: of which answer on the wire which segment is lost */
    unsigned object; /* whose answer that is */
    struct record sane, hit; /* without the loss, and with it */
};

static bool run(struct hole *h, struct record *r)
{
    const char *sysctl[1];
    char rto[60];

    snprintf(rto, sizeof rto, "net.ipv4.tcp_rto_min_us=%.0f", h->loss.rto_min * 1e6);
    sysctl[0] = rto;
    h->setup.sysctl = sysctl;
    h->setup.n_sysctl = 1;
    if (path_simulate(h->e->how, &h->setup, r))
        return true;
    snprintf(h->e->error, sizeof h->e->error, "%s", r->error);
    return false;
}

/* Bodies that fill whole segments together with their heads. */
static bool fit_sizes(struct hole *h)
{
    struct record r = { 0 };
    bool done;

    h->setup.page = PAGE_SEGMENTS * mss - GUESS;
    h->setup.size = h->segments * mss - GUESS;
    done = run(h, &r);
    if (done) {
        h->setup.page = PAGE_SEGMENTS * mss - r.fetch[0].head;
        h->setup.size = h->segments * mss - r.fetch[r.fetches - 1].head;
    }
    record_free(&r);
    return done;
}

static const struct record_fetch *of_object(const struct record *r, unsigned object)
{
    for (unsigned i = 0; i < r->fetches; i++)
        if (r->fetch[i].object == object)
            return &r->fetch[i];
    return &r->fetch[0];
}

/* The object whose answer is the n-th on the wire. */
static unsigned object_at(const struct hole *h, unsigned n)
{
    const struct record *r = &h->sane;

    for (unsigned i = 0; i < r->fetches; i++) {
        unsigned earlier = 0;
        for (unsigned j = 0; j < r->fetches; j++)
            earlier += r->fetch[j].object > 0 && r->fetch[j].first < r->fetch[i].first;
        if (r->fetch[i].object > 0 && earlier + 1 == n)
            return r->fetch[i].object;
    }
    return 0;
}

/* Seconds that an object's answer ends later than it would have. */
static double delay(const struct hole *h, unsigned object)
{
    const struct record_fetch *a = of_object(&h->sane, object);
    const struct record_fetch *b = of_object(&h->hit, object);

    return (double)((b->last - h->hit.begin) - (a->last - h->sane.begin)) / 1e6;
}

static unsigned late(const struct hole *h)
{
    unsigned n = 0;

    for (unsigned i = 1; i <= h->setup.objects; i++)
        n += delay(h, i) * 4e6 > (double)h->setup.rtt;
    return n;
}

/* --- the picture --- */

static unsigned column(const struct record *of, const struct record *r, int64_t at)
{
    double part = (double)(at - of->begin) / (double)(r->end - r->begin);

    return part < 1 ? (unsigned)(part * COLUMNS) : COLUMNS - 1;
}

static char *draw(const struct hole *h)
{
    char *text = NULL, row[COLUMNS + 1];
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fprintf(out, "  object lane   o: there without the loss, #: with it, of %.3f s\n",
            record_seconds(&h->hit));
    for (unsigned i = 1; i <= h->setup.objects; i++) {
        const struct record_fetch *a = of_object(&h->sane, i);
        const struct record_fetch *b = of_object(&h->hit, i);
        unsigned from = column(&h->sane, &h->hit, a->last);
        unsigned to = column(&h->hit, &h->hit, b->last);
        memset(row, ' ', COLUMNS);
        row[COLUMNS] = '\0';
        for (unsigned c = from; c < to; c++)
            row[c] = '-';
        row[from] = 'o';
        row[to] = '#';
        fprintf(out, "  %5u%c %4u  |%s| %+.3f\n", i, i == h->object ? 'X' : ' ',
                b->lane + 1, row, delay(h, i));
    }
    fclose(out);
    return text;
}

/* --- the figure --- */

static double predict_delay(const struct hole *h, const struct theory_path *p)
{
    bool keep = h->e->how->keep, pipelined = h->e->how->pipelined;
    double rto = keep ? theory_rto(p, &h->loss) : theory_rto_fresh(p, &h->loss);
    const struct theory_gap gap = {
        .front = pipelined ? h->lose : h->lose - 1,
        .behind = h->segments - h->lose,
        .more = pipelined ? (h->setup.objects - h->place) * h->segments : 0,
    };

    return theory_repair(p, rto, &gap);
}

static void judge(const struct hole *h, int show, struct figure *out)
{
    unsigned left = h->setup.objects - h->place + 1, c = h->setup.connections;
    struct theory_path p;

    predict_path(&h->setup, &h->hit, &p);
    if (show == SHOW_DELAY) {
        out->low = out->high = predict_delay(h, &p);
        out->measured = delay(h, h->object);
        out->gate = 5; /* the other connections' segments stand in the queue, too */
    } else if (show == SHOW_PAGE) {
        out->high = predict_delay(h, &p);
        out->measured = record_seconds(&h->hit) - record_seconds(&h->sane);
    } else {
        *out = (struct figure){ "answers", left, left, late(h), 0 };
        if (h->e->how->many)
            out->low = 1;
        if (h->e->how->many)
            out->high = (left + c - 1) / c;
    }
}

static bool is_there(struct hole *h)
{
    if (!h->e->how->alone && h->place >= 1 && h->place <= h->setup.objects &&
        h->lose >= 1 && h->lose <= h->segments)
        return true;
    snprintf(h->e->error, sizeof h->e->error,
             "there is no such segment: of %u objects, %u segments each, one is lost",
             h->e->how->alone ? 0 : h->setup.objects, h->segments);
    return false;
}

bool experiment_hole(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "delay", "late", "page", NULL };
    struct hole h = { .e = e,
                      .setup = e->setup,
                      .loss.rto_min = experiment_number(e, "rto", 200) / 1000,
                      .segments = (unsigned)experiment_number(e, "segments", 6),
                      .place = (unsigned)experiment_number(e, "answer", 4),
                      .lose = (unsigned)experiment_number(e, "lose", 1) };
    int show = experiment_show(e, shows);
    char drop[40];
    bool done = show >= 0 && is_there(&h) && fit_sizes(&h) && run(&h, &h.sane);

    snprintf(drop, sizeof drop, "drop in:data:%u",
             PAGE_SEGMENTS + (h.place - 1) * h.segments + h.lose);
    h.setup.netem = drop;
    done = done && run(&h, &h.hit);
    if (done) {
        h.object = object_at(&h, h.place);
        judge(&h, show, out);
        if (experiment_number(e, "view", 0) > 0)
            e->view = draw(&h);
    }
    record_free(&h.sane);
    record_free(&h.hit);
    return done;
}
