/* How it works
 *
 * A specification is read word by word. A word names a fault, with `in:` or `out:` in
 * front of it for one direction; a table leads from the word to the function that reads
 * the fault's own words and stores the result in the configs it is for. Numbers that a
 * fault may have but need not (jitter) are told from the next fault by their first
 * character. The first word that is not understood ends it, with a sentence that quotes
 * the word. What is understood and could not do anything (`codel` without a rate) is
 * refused at the end, when all of it is known. */
#include "edge/netem.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "edge/netem_units.h"

enum {
    WORD_MAX = 128,
    GAP_MAX = 1000000,
    LIMIT_MAX = 1000000,
    OVERHEAD_MAX = 1000, /* bytes, either way */
    MTU_MIN = 68,        /* RFC 791 s3.1: what every link passes */
    MTU_MAX = 65535,
    CODEL_TARGET = 5 * 1000, /* RFC 8289 s4.3 and s4.2 */
    CODEL_INTERVAL = 100 * 1000
};

struct parser {
    const char *at;      /* what is still to be read */
    char word[WORD_MAX]; /* the word read last */
    struct netem_spec spec;
    struct netem_config *to[2]; /* of spec: which the current fault is for */
    size_t n_to;
    char *why; /* of `room` bytes */
    size_t room;
};

/* ---- words ---- */

__attribute__((format(printf, 2, 3))) static int refuse(struct parser *p,
                                                        const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->why, p->room, format, args);
    va_end(args);
    return -EINVAL;
}

/* The next word into p->word, which is empty at the end. */
static bool next_word(struct parser *p)
{
    size_t n;

    p->at += strspn(p->at, " \t\n");
    n = strcspn(p->at, " \t\n");
    if (n >= WORD_MAX)
        n = WORD_MAX - 1;
    memcpy(p->word, p->at, n);
    p->word[n] = '\0';
    p->at += n;
    return n > 0;
}

/* Does a number come next? Then it belongs to the fault being read. */
static bool number_follows(const struct parser *p)
{
    const char *at = p->at + strspn(p->at, " \t\n");

    at += *at == '-';
    return isdigit((unsigned char)*at);
}

/* Takes the next word if it is this one. */
static bool take_word(struct parser *p, const char *word)
{
    const char *at = p->at + strspn(p->at, " \t\n");
    size_t n = strlen(word);

    if (strncmp(at, word, n) != 0 || strcspn(at, " \t\n") != n)
        return false;
    p->at = at + n;
    return true;
}

static int take_time(struct parser *p, const char *what, usec *out)
{
    if (!next_word(p))
        return refuse(p, "%s: a time is missing, such as 20ms", what);
    if (!netem_read_time(p->word, out))
        return refuse(p,
                      "%s: '%s' is no time: write 20ms, 1.5s or 500us, an hour at most",
                      what, p->word);
    return 0;
}

static int take_percent(struct parser *p, const char *what, double *out)
{
    if (!next_word(p))
        return refuse(p, "%s: a percentage is missing, such as 5%%", what);
    if (!netem_read_percent(p->word, out))
        return refuse(p, "%s: '%s' is no percentage: write 5%% or 0.5%%", what,
                      p->word);
    return 0;
}

/* PERCENT [CORRELATION] */
static int take_chance(struct parser *p, const char *what, struct netem_chance *out)
{
    int err = take_percent(p, what, &out->share);

    if (err == 0 && number_follows(p))
        err = take_percent(p, what, &out->correlation);
    return err;
}

static int take_number(struct parser *p, const char *what, uint32_t most, uint32_t *out)
{
    uint64_t n;

    if (!next_word(p))
        return refuse(p, "%s: a number is missing, such as %s 1000", what, what);
    if (!text_parse_u64(p->word, most, &n) || n == 0)
        return refuse(p, "%s: '%s' is no number from 1 to %u", what, p->word, most);
    *out = (uint32_t)n;
    return 0;
}

/* ---- faults ---- */

static int take_spread(struct parser *p, struct netem_config *c)
{
    static const struct {
        const char *name;
        enum netem_spread spread;
    } row[] = { { "uniform", NETEM_UNIFORM },
                { "normal", NETEM_NORMAL },
                { "pareto", NETEM_PARETO },
                { "paretonormal", NETEM_PARETONORMAL } };

    if (!c->jitter)
        return refuse(p, "delay: a distribution is that of jitter: write delay 20ms "
                         "5ms distribution normal");
    next_word(p);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(p->word, row[i].name) == 0) {
            c->spread = row[i].spread;
            return 0;
        }
    return refuse(p,
                  "delay: '%s' is no distribution: uniform normal pareto paretonormal",
                  p->word);
}

static int take_delay(struct parser *p)
{
    struct netem_config c = { .spread = NETEM_UNIFORM };
    int err = take_time(p, "delay", &c.delay);

    if (err == 0 && number_follows(p))
        err = take_time(p, "delay's jitter", &c.jitter);
    if (err == 0 && number_follows(p))
        err = take_percent(p, "delay's correlation", &c.delay_correlation);
    if (err == 0 && take_word(p, "distribution"))
        err = take_spread(p, &c);
    for (size_t i = 0; err == 0 && i < p->n_to; i++) {
        p->to[i]->delay = c.delay;
        p->to[i]->jitter = c.jitter;
        p->to[i]->delay_correlation = c.delay_correlation;
        p->to[i]->spread = c.spread;
    }
    return err;
}

/* P [R [1-H [1-K]]]: without R it is loss without memory, as in tc. */
static int take_burst(struct parser *p, struct netem_burst *b)
{
    int err = take_percent(p, "loss gemodel", &b->to_bad);

    b->on = true;
    b->to_good = 1 - b->to_bad;
    b->bad_loss = 1;
    if (err == 0 && number_follows(p))
        err = take_percent(p, "loss gemodel", &b->to_good);
    if (err == 0 && number_follows(p))
        err = take_percent(p, "loss gemodel", &b->bad_loss);
    if (err == 0 && number_follows(p))
        err = take_percent(p, "loss gemodel", &b->good_loss);
    return err;
}

static int take_loss(struct parser *p)
{
    struct netem_chance loss = { 0 };
    struct netem_burst burst = { .on = false };
    int err;

    if (take_word(p, "state"))
        return refuse(p, "loss: 'state' is not built; gemodel is, for loss in bursts");
    if (take_word(p, "gemodel")) {
        err = take_burst(p, &burst);
    } else {
        take_word(p, "random");
        err = take_chance(p, "loss", &loss);
    }
    for (size_t i = 0; err == 0 && i < p->n_to; i++) {
        p->to[i]->loss = loss;
        p->to[i]->burst = burst;
    }
    return err;
}

static int take_reorder(struct parser *p)
{
    struct netem_chance chance = { 0 };
    uint32_t gap = 0;
    int err = take_chance(p, "reorder", &chance);

    if (err == 0 && take_word(p, "gap"))
        err = take_number(p, "gap", GAP_MAX, &gap);
    for (size_t i = 0; err == 0 && i < p->n_to; i++) {
        p->to[i]->reorder = chance;
        p->to[i]->gap = gap;
    }
    return err;
}

static int take_duplicate(struct parser *p)
{
    struct netem_chance chance = { 0 };
    int err = take_chance(p, "duplicate", &chance);

    for (size_t i = 0; err == 0 && i < p->n_to; i++)
        p->to[i]->duplicate = chance;
    return err;
}

static int take_corrupt(struct parser *p)
{
    struct netem_chance chance = { 0 };
    int err = take_chance(p, "corrupt", &chance);

    for (size_t i = 0; err == 0 && i < p->n_to; i++)
        p->to[i]->corrupt = chance;
    return err;
}

static int take_overhead(struct parser *p, int32_t *out)
{
    uint64_t n;

    next_word(p);
    if (!text_parse_u64(p->word + (*p->word == '-'), OVERHEAD_MAX, &n))
        return refuse(p, "rate: '%s' is no overhead from -%d to %d bytes", p->word,
                      OVERHEAD_MAX, OVERHEAD_MAX);
    *out = *p->word == '-' ? -(int32_t)n : (int32_t)n;
    if (!number_follows(p))
        return 0;
    next_word(p);
    return refuse(p, "rate: cells ('%s') are not built", p->word);
}

static int take_rate(struct parser *p)
{
    int32_t overhead = 0;
    uint64_t rate;
    int err = 0;

    if (!next_word(p))
        return refuse(p, "rate: a rate is missing, such as 10mbit");
    if (!netem_read_rate(p->word, &rate))
        return refuse(p,
                      "rate: '%s' is no rate: write 10mbit or 100kbit (kbps and mbps "
                      "are bytes), 8bit to 1tbit",
                      p->word);
    if (number_follows(p))
        err = take_overhead(p, &overhead);
    for (size_t i = 0; err == 0 && i < p->n_to; i++) {
        p->to[i]->rate = rate;
        p->to[i]->overhead = overhead;
    }
    return err;
}

static int take_limit(struct parser *p)
{
    uint32_t n = 0;
    int err = take_number(p, "limit", LIMIT_MAX, &n);

    for (size_t i = 0; err == 0 && i < p->n_to; i++)
        p->to[i]->limit = n;
    return err;
}

static int take_codel(struct parser *p)
{
    struct netem_codel codel = { true, CODEL_TARGET, CODEL_INTERVAL };
    int err = 0;

    for (bool more = true; more && err == 0;) {
        if (take_word(p, "target"))
            err = take_time(p, "codel's target", &codel.target);
        else if (take_word(p, "interval"))
            err = take_time(p, "codel's interval", &codel.interval);
        else
            more = false;
    }
    if (err == 0 && (codel.target == 0 || codel.interval == 0))
        return refuse(p, "codel: target and interval are above 0");
    for (size_t i = 0; err == 0 && i < p->n_to; i++)
        p->to[i]->codel = codel;
    return err;
}

static int take_ecn(struct parser *p)
{
    for (size_t i = 0; i < p->n_to; i++)
        p->to[i]->ecn = true;
    return 0;
}

static int take_mtu(struct parser *p)
{
    uint32_t mtu = 0;
    int err = take_number(p, "mtu", MTU_MAX, &mtu);

    if (err == 0 && mtu < MTU_MIN)
        return refuse(p, "mtu: %u is below the %d bytes that every link of IP passes",
                      mtu, MTU_MIN);
    for (size_t i = 0; err == 0 && i < p->n_to; i++)
        p->to[i]->mtu = mtu;
    return err;
}

/* ---- scripts ---- */

/* Takes `in:` or `out:` off the front of s; returns what follows. */
static const char *take_prefix(struct parser *p, const char *s)
{
    bool in = strncmp(s, "in:", 3) == 0;

    if (!in && strncmp(s, "out:", 4) != 0)
        return s;
    p->to[0] = in ? &p->spec.in : &p->spec.out;
    p->n_to = 1;
    return s + (in ? 3 : 4);
}

static bool parse_kind(const char *s, size_t len, enum netem_kind *out)
{
    static const struct {
        const char *name;
        enum netem_kind kind;
    } kind[] = { { "any", NETEM_ANY },       { "syn", NETEM_SYN },
                 { "synack", NETEM_SYNACK }, { "ack", NETEM_ACK },
                 { "data", NETEM_DATA },     { "fin", NETEM_FIN },
                 { "rst", NETEM_RST } };

    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        if (strlen(kind[i].name) == len && strncmp(kind[i].name, s, len) == 0) {
            *out = kind[i].kind;
            return true;
        }
    return false;
}

static bool add_row(struct parser *p, const struct netem_row *row)
{
    for (size_t i = 0; i < p->n_to; i++) {
        struct netem_script *s = &p->to[i]->script;

        if (s->n == NETEM_ROWS)
            return false;
        s->row[s->n++] = *row;
    }
    return true;
}

/* "2", "2-5" or "each" */
static bool parse_which(char *item, struct netem_row *row)
{
    char *last = strchr(item, '-');
    uint64_t from, to;

    if (strcmp(item, "each") == 0) {
        row->first = row->last = 0;
        return true;
    }
    if (last)
        *last++ = '\0';
    if (!text_parse_u64(item, UINT32_MAX, &from) || from == 0)
        return false;
    to = from;
    if (last && (!text_parse_u64(last, UINT32_MAX, &to) || to < from))
        return false;
    row->first = (uint32_t)from;
    row->last = (uint32_t)to;
    return true;
}

/* One row for each of them; `list` is changed. */
static int take_list(struct parser *p, const char *deed, struct netem_row *row,
                     char *list)
{
    char item[WORD_MAX];
    char *rest = list;

    for (char *at; (at = strsep(&rest, ",")) != NULL;) {
        snprintf(item, sizeof item, "%s", at);
        if (!parse_which(item, row))
            return refuse(p,
                          "%s: '%s' is no frame number from 1 on, no range of them "
                          "(2-5), nor `each`",
                          deed, at);
        if (!add_row(p, row))
            return refuse(p, "%s: more than %d numbers and ranges for one direction",
                          deed, NETEM_ROWS);
    }
    return 0;
}

static int take_script(struct parser *p, const char *deed, struct netem_row *row)
{
    char word[WORD_MAX];
    const char *kind;
    char *colon;
    int err = 0;

    if (!next_word(p))
        return refuse(p, "%s: a kind of frame is missing, such as data:2", deed);
    strcpy(word, p->word);
    kind = take_prefix(p, word);
    colon = strchr(kind, ':');
    if (!parse_kind(kind, colon ? (size_t)(colon - kind) : strlen(kind), &row->kind))
        return refuse(p,
                      "%s: '%s' begins with no kind of frame: syn synack ack data "
                      "fin rst any",
                      deed, kind);
    if (!colon)
        return refuse(p, "%s: '%s' lacks which of them: %s:2 or %s:each", deed, kind,
                      kind, kind);
    if (row->deed == NETEM_HOLD)
        err = take_time(p, deed, &row->hold);
    return err < 0 ? err : take_list(p, deed, row, colon + 1);
}

static int take_drop(struct parser *p)
{
    return take_script(p, "drop", &(struct netem_row){ .deed = NETEM_DROP });
}

static int take_twice(struct parser *p)
{
    return take_script(p, "twice", &(struct netem_row){ .deed = NETEM_TWICE });
}

static int take_hold(struct parser *p)
{
    return take_script(p, "hold", &(struct netem_row){ .deed = NETEM_HOLD });
}

/* ---- the whole ---- */

/* Words of tc's netem that are no fault of ours, with what to do instead. */
static int refuse_word(struct parser *p, const char *word)
{
    static const struct {
        const char *word, *instead;
    } netem[] = {
        { "slot", "is not built" },
        { "gap", "belongs to reorder: write reorder 100% gap 5" },
        { "distribution",
          "belongs to jitter: write delay 20ms 5ms distribution normal" },
        { "seed", "is the option --seed" },
    };

    for (size_t i = 0; i < sizeof netem / sizeof netem[0]; i++)
        if (strcmp(word, netem[i].word) == 0)
            return refuse(p, "netem's '%s' %s", word, netem[i].instead);
    return refuse(p,
                  "'%s' is no fault: use delay, loss, reorder, duplicate, corrupt, "
                  "rate, limit, codel, ecn, mtu, drop, twice or hold",
                  word);
}

static int take_fault(struct parser *p)
{
    static const struct {
        const char *word;
        int (*take)(struct parser *p);
    } fault[] = { { "delay", take_delay },     { "loss", take_loss },
                  { "reorder", take_reorder }, { "duplicate", take_duplicate },
                  { "corrupt", take_corrupt }, { "rate", take_rate },
                  { "limit", take_limit },     { "codel", take_codel },
                  { "ecn", take_ecn },         { "mtu", take_mtu },
                  { "drop", take_drop },       { "twice", take_twice },
                  { "hold", take_hold } };
    const char *word;

    p->to[0] = &p->spec.in;
    p->to[1] = &p->spec.out;
    p->n_to = 2;
    word = take_prefix(p, p->word);
    if (*word == '\0' && next_word(p))
        word = p->word;
    for (size_t i = 0; i < sizeof fault / sizeof fault[0]; i++)
        if (strcmp(word, fault[i].word) == 0)
            return fault[i].take(p);
    return refuse_word(p, word);
}

static bool loses(const struct netem_config *c)
{
    return c->loss.share > 0 || c->burst.on;
}

/* What one direction cannot do is no error if the other one can: `in:loss 1% ecn`. */
static int check_use(struct parser *p)
{
    const struct netem_config *in = &p->spec.in, *out = &p->spec.out;

    if ((in->codel.on || out->codel.on) && !(in->codel.on && in->rate) &&
        !(out->codel.on && out->rate))
        return refuse(p, "codel: without a rate there is no queue: add rate 10mbit");
    if ((in->ecn || out->ecn) && !(in->ecn && (loses(in) || in->codel.on)) &&
        !(out->ecn && (loses(out) || out->codel.on)))
        return refuse(p, "ecn: nothing would be dropped that could be marked: add loss "
                         "5%% or rate 10mbit codel");
    return 0;
}

static bool anything(const struct netem_config *c)
{
    return c->delay || c->jitter || loses(c) || c->reorder.share > 0 ||
           c->duplicate.share > 0 || c->corrupt.share > 0 || c->rate || c->limit ||
           c->mtu || c->script.n;
}

int netem_parse(const char *spec, struct netem_spec *out, char *why, size_t room)
{
    struct parser p = { .at = spec, .why = why, .room = room };
    int err = 0;

    for (const char *at = spec; *at; at += strcspn(at, " \t\n")) {
        at += strspn(at, " \t\n");
        if (strcspn(at, " \t\n") >= WORD_MAX)
            return refuse(&p, "a word of over %d characters", WORD_MAX - 1);
    }
    while (err == 0 && next_word(&p))
        err = take_fault(&p);
    if (err == 0)
        err = check_use(&p);
    if (err < 0)
        return err;
    p.spec.in.on = anything(&p.spec.in);
    p.spec.out.on = anything(&p.spec.out);
    *out = p.spec;
    return 0;
}
