/* From a strategy and what was sent to the formula that says how long it takes. How
 * long requests and heads are is measured; all else follows from the settings. */
#include "page.h"
#include "record.h"

/* A segment with timestamps on an Ethernet of 1500 bytes. */
static const double segment_text = 1448, segment_header = 52;

void predict_path(const struct page_setup *s, const struct record *r,
                  struct theory_path *out)
{
    const struct record_fetch *f = r->fetches ? &r->fetch[r->fetches - 1] : NULL;

    *out = (struct theory_path){
        .rtt = (double)s->rtt / 1e6,
        .rate = (double)s->rate,
        .mss = segment_text,
        .header = segment_header,
        .window = s->window,
        .request = f ? (double)f->request : 0,
        .head = f ? (double)f->head : 0,
        .ack = segment_header,
    };
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static void predict_time(const struct strategy *how, const struct theory_path *p,
                         const struct theory_load *l, struct prediction *out)
{
    out->gate = 3;
    if (how->alone)
        out->low = theory_fresh(p, l->object);
    else if (how->pipelined)
        out->low = theory_pipeline(p, l);
    else if (how->keep && how->many)
        out->low = theory_keep_many(p, l);
    else if (how->keep)
        out->low = theory_keep(p, l);
    else if (how->many)
        out->low = theory_parallel_low(p, l);
    else
        out->low = theory_serial(p, l);
    out->high = out->low;
    if (how->many && how->keep)
        out->gate = 15;
    if (how->many && !how->keep)
        out->high = theory_parallel_high(p, l);
}

static unsigned connections_of(const struct strategy *how, const struct theory_load *l)
{
    if (how->alone)
        return 1;
    if (!how->keep)
        return l->objects + 1;
    return how->many && l->objects > 1 ? smaller(l->lanes, l->objects) : 1;
}

void predict(const struct strategy *how, const struct page_setup *setup,
             const struct record *record, struct prediction *out)
{
    struct theory_path p;
    struct theory_load l = { .page = (double)setup->page,
                             .object = (double)setup->size,
                             .objects = setup->objects,
                             .lanes = setup->connections };
    double objects = how->alone ? 1 : l.objects, pages = how->alone ? 0 : 1;

    predict_path(setup, record, &p);
    predict_time(how, &p, &l, out);
    out->connections = connections_of(how, &l);
    out->segments = pages * theory_segments(&p, l.page) +
                    objects * theory_segments(&p, l.object);
    out->bytes = pages * (l.page + p.head) + objects * (l.object + p.head) +
                 out->segments * p.header;
}

double prediction_off(const struct prediction *p, double seconds)
{
    if (seconds > p->high)
        return (seconds / p->high - 1) * 100;
    return seconds < p->low ? (seconds / p->low - 1) * 100 : 0;
}
