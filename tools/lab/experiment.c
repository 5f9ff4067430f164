/* Reads an experiment's line and runs it by its kind; the kind `page` is here. */
#include "experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

static bool failed(struct experiment *e, const char *what, const char *which)
{
    snprintf(e->error, sizeof e->error, "%s '%.60s'", what, which);
    return false;
}

/* --- reading --- */

static bool take_number(struct experiment *e, const char *key, double n)
{
    struct page_setup *s = &e->setup;

    if (strcmp(key, "rtt") == 0)
        s->rtt = (int64_t)(n * 1000);
    else if (strcmp(key, "rate") == 0)
        s->rate = (uint64_t)(n * 1e6);
    else if (strcmp(key, "page") == 0)
        s->page = (uint64_t)n;
    else if (strcmp(key, "size") == 0)
        s->size = (uint64_t)n;
    else if (strcmp(key, "objects") == 0)
        s->objects = (unsigned)n;
    else if (strcmp(key, "c") == 0)
        s->connections = (unsigned)n;
    else if (strcmp(key, "iw") == 0)
        s->window = (unsigned)n;
    else if (strcmp(key, "delack") == 0)
        e->delack = n;
    else if (strcmp(key, "tw") == 0)
        e->time_wait = n;
    else if (strcmp(key, "writes") == 0)
        e->writes = (unsigned)n;
    else if (strcmp(key, "ports") == 0)
        e->ports = (unsigned)n;
    else if (strcmp(key, "nodelay") == 0)
        e->nodelay = n > 0;
    else
        return failed(e, "unknown key", key);
    return true;
}

static bool take_word(struct experiment *e, char *word)
{
    char *value = strchr(word, '='), *end;

    if (!value)
        return failed(e, "no key=value:", word);
    *value++ = '\0';
    if (strcmp(word, "show") == 0) {
        snprintf(e->show, sizeof e->show, "%s", value);
        return true;
    }
    if (strcmp(word, "strategy") == 0) {
        e->how = strategy_find(value);
        return e->how || failed(e, "unknown strategy", value);
    }
    if (strcmp(word, "closer") == 0) {
        e->server_closes = strcmp(value, "server") == 0;
        return true;
    }
    double n = strtod(value, &end);
    if (end == value || *end != '\0' || n < 0)
        return failed(e, "no number:", value);
    return take_number(e, word, n);
}

static const struct {
    const char *kind;
    bool (*run)(struct experiment *e, struct figure *out);
} kinds[] = {
    { "page", experiment_page },
    { "nagle", experiment_nagle },
    { "ports", experiment_ports },
};

bool experiment_run(const char *line, struct experiment *e, struct figure *out)
{
    char copy[EXPERIMENT_LINE], *save = NULL, *word;

    *e = (struct experiment){ .setup = { .page = 8192,
                                         .size = 20000,
                                         .objects = 10,
                                         .connections = 4,
                                         .rtt = 100000,
                                         .rate = 10000000,
                                         .window = 10,
                                         .seed = 1 },
                              .how = strategy_find("single"),
                              .show = "time",
                              .writes = 1,
                              .ports = 100,
                              .time_wait = 60 };
    *out = (struct figure){ .unit = "s", .gate = 3 };
    snprintf(e->line, sizeof e->line, "%s", line);
    snprintf(copy, sizeof copy, "%s", line);
    const char *kind = strtok_r(copy, " ", &save);
    while (kind && (word = strtok_r(NULL, " ", &save)))
        if (!take_word(e, word))
            return false;
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].run(e, out);
    return failed(e, "unknown experiment", kind ? kind : "");
}

double figure_off(const struct figure *f)
{
    struct prediction p = { .low = f->low, .high = f->high };

    return prediction_off(&p, f->measured);
}

/* --- a page --- */

static double seconds(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e6;
}

/* One figure out of a record; the theory's comes from the same path. */
static bool show(struct experiment *e, const struct record *r, struct figure *out)
{
    const struct record_fetch *f = &r->fetch[r->fetches - 1];
    const struct record_lane *l = &r->lane[f->lane];
    struct theory_path p;
    double segments, first;

    predict_path(&e->setup, r, &p);
    segments = theory_segments(&p, (double)e->setup.size);
    first = segments > 1 ? theory_segment_time(&p)
                         : theory_send_time(&p, (double)e->setup.size);
    if (strcmp(e->show, "rounds") == 0) {
        *out = (struct figure){ "rounds", theory_rounds(segments, p.window), 0,
                                f->rounds, 0 };
    } else if (strcmp(e->show, "handshake") == 0) {
        out->low = r->lanes * theory_connect(&p);
        for (unsigned i = 0; i < r->lanes; i++)
            out->measured += seconds(r->lane[i].syn, r->lane[i].open);
    } else if (strcmp(e->show, "wait") == 0) {
        out->low = p.rtt + 8 * (p.header + p.request + 2 * p.ack) / p.rate + first;
        out->measured = seconds(f->ask, f->first);
    } else if (strcmp(e->show, "read") == 0) {
        out->low = theory_exchange(&p, (double)e->setup.size, p.window) - p.rtt -
                   8 * (p.header + p.request + 2 * p.ack) / p.rate - first;
        out->measured = seconds(f->first, f->last);
    } else if (strcmp(e->show, "close") == 0) {
        out->low = p.rtt + 2 * 8 * p.header / p.rate;
        out->measured = seconds(l->fin, l->closed);
    } else {
        return failed(e, "unknown show=", e->show);
    }
    out->high = out->low;
    return true;
}

bool experiment_page(struct experiment *e, struct figure *out)
{
    struct record r = { 0 };
    struct prediction p;
    bool done = path_simulate(e->how, &e->setup, &r);

    if (!done) {
        snprintf(e->error, sizeof e->error, "%s", r.error);
    } else if (strcmp(e->show, "time") == 0) {
        predict(e->how, &e->setup, &r, &p);
        *out = (struct figure){ "s", p.low, p.high, record_seconds(&r), p.gate };
    } else {
        done = show(e, &r, out);
    }
    record_free(&r);
    return done;
}
