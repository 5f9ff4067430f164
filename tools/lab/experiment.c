/* Reads an experiment's line and runs it by its kind; the kind `page` is here. */
#include "experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "segments.h"
#include "tuples.h"

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
    else if (strcmp(key, "seed") == 0)
        s->seed = (uint64_t)n;
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

/* Is it in the list? "how# pause": numbers have a mark. */
static bool is_own(const char *keys, const char *key, bool *number)
{
    size_t n = strlen(key);

    for (const char *at = keys; (at = strstr(at, key)); at += n) {
        *number = at[n] == '#';
        if ((at == keys || at[-1] == ' ') && strchr(" #", at[n]))
            return true;
    }
    return false;
}

static bool take_own(struct experiment *e, const char *key, const char *value,
                     bool number)
{
    char *end;

    if (number && (strtod(value, &end) < 0 || end == value || *end != '\0'))
        return failed(e, "no number:", value);
    if (e->words == EXPERIMENT_WORDS)
        return failed(e, "too many words:", key);
    e->word[e->words].key = key;
    e->word[e->words++].value = value;
    return true;
}

static bool take_word(struct experiment *e, char *word, const char *keys)
{
    char *value = strchr(word, '='), *end;
    bool number;

    if (!value)
        return failed(e, "no key=value:", word);
    *value++ = '\0';
    if (is_own(keys, word, &number))
        return take_own(e, word, value, number);
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

double experiment_number(const struct experiment *e, const char *key, double otherwise)
{
    const char *value = experiment_word(e, key, NULL);

    return value ? strtod(value, NULL) : otherwise;
}

/* The last one counts. */
const char *experiment_word(const struct experiment *e, const char *key,
                            const char *otherwise)
{
    for (unsigned i = e->words; i-- > 0;)
        if (strcmp(e->word[i].key, key) == 0)
            return e->word[i].value;
    return otherwise;
}

static int choose(struct experiment *e, const char *key, const char *value,
                  const char *const *words)
{
    char what[40];

    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    snprintf(what, sizeof what, "unknown %.20s=", key);
    failed(e, what, value);
    return -1;
}

int experiment_choice(struct experiment *e, const char *key, const char *const *words)
{
    return choose(e, key, experiment_word(e, key, words[0]), words);
}

int experiment_show(struct experiment *e, const char *const *words)
{
    return choose(e, "show", e->show[0] ? e->show : words[0], words);
}

bool experiment_failed(struct experiment *e, int err)
{
    snprintf(e->error, sizeof e->error, "the simulation: %s", strerror(-err));
    return false;
}

static const struct {
    const char *kind;
    bool (*run)(struct experiment *e, struct figure *out);
    const char *keys; /* of its own; numbers are marked */
} kinds[] = {
    { "page", experiment_page, "" },
    { "nagle", experiment_nagle, "" },
    { "ports", experiment_ports, "" },
    { "close", experiment_close, "how framing cut# pause# delay# window# view#" },
    { "proxy", experiment_proxy, "chain ask idle# view#" },
    { "tuples", experiment_tuples, "look view#" },
    { "segments", experiment_segments, "mss# ts# bare# view#" },
    { "retry", experiment_retry, "method idle# wait# span# fails# finlost# view#" },
    { "idle", experiment_idle, "pause# timeout# says visits# users#" },
    { "loss", experiment_loss, "loss# rto# pages# view#" },
    { "hole", experiment_hole, "segments# answer# lose# rto# view#" },
    { "share", experiment_share, "cc against seconds# queue# view#" },
    { "syn", experiment_syn, "loss# way connects# after# view#" },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

bool experiment_read(const char *line, struct experiment *e)
{
    char *save = NULL, *word;
    unsigned k = 0;

    *e = (struct experiment){ .setup = { .page = 8192,
                                         .size = 20000,
                                         .objects = 10,
                                         .connections = 4,
                                         .rtt = 100000,
                                         .rate = 10000000,
                                         .window = 10,
                                         .seed = 1 },
                              .how = strategy_find("single"),
                              .writes = 1,
                              .ports = 100,
                              .time_wait = 60 };
    if (strlen(line) >= sizeof e->line)
        return failed(e, "too long:", line);
    snprintf(e->line, sizeof e->line, "%s", line);
    snprintf(e->copy, sizeof e->copy, "%s", line);
    const char *kind = strtok_r(e->copy, " ", &save);
    while (k < KINDS && kind && strcmp(kinds[k].kind, kind) != 0)
        k++;
    e->kind = k;
    if (!kind || k == KINDS)
        return failed(e, "unknown experiment", kind ? kind : "");
    while ((word = strtok_r(NULL, " ", &save)))
        if (!take_word(e, word, kinds[k].keys))
            return false;
    return true;
}

bool experiment_run(const char *line, struct experiment *e, struct figure *out)
{
    *out = (struct figure){ .unit = "s", .gate = 3 };
    return experiment_read(line, e) && kinds[e->kind].run(e, out);
}

char *experiment_picture(const struct experiment *e, const struct lan *lan)
{
    if (kinds[e->kind].run == experiment_tuples)
        return tuples_picture(lan);
    if (kinds[e->kind].run == experiment_segments)
        return segments_picture(lan);
    return lan_picture(lan);
}

double figure_off(const struct figure *f)
{
    struct prediction p = { .low = f->low, .high = f->high };

    if (f->high <= 0 && f->measured > 0)
        return 100; /* of nothing */
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
    } else if (!e->show[0] || strcmp(e->show, "time") == 0) {
        predict(e->how, &e->setup, &r, &p);
        *out = (struct figure){ "s", p.low, p.high, record_seconds(&r), p.gate };
    } else {
        done = show(e, &r, out);
    }
    record_free(&r);
    return done;
}
