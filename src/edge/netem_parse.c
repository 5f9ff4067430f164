/* How it works
 *
 * A specification is read word by word. A word names a fault, with `in:` or `out:` in
 * front of it for one direction; a table leads from the word to the function that reads
 * the fault's own words and stores the result in the configs it is for. Numbers that a
 * fault may have but need not (jitter) are told from the next fault by their first
 * character. The first word that is not understood ends it, with a sentence that quotes
 * the word. */
#include "edge/netem.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { WORD_MAX = 128 };

struct parser {
    const char *at;      /* what is still to be read */
    char word[WORD_MAX]; /* the word read last */
    struct netem_spec spec;
    struct netem_config *to[2]; /* of spec: which the current fault is for */
    size_t n_to;
    char *why; /* of `room` bytes */
    size_t room;
};

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

    return isdigit((unsigned char)*at);
}

/* A decimal fraction at the start of s; *unit is what follows. Not strtod(), which
 * obeys the program's locale and knows signs, exponents and infinity. */
static bool parse_decimal(const char *s, double *value, const char **unit)
{
    const char *at = s;
    double scale = 1;

    *value = 0;
    for (; isdigit((unsigned char)*at); at++)
        *value = *value * 10 + (*at - '0');
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at); at++)
            *value += (*at - '0') * (scale /= 10);
    *unit = at;
    return isdigit((unsigned char)*s);
}

static bool parse_time(const char *s, usec *out)
{
    static const struct {
        const char *name;
        double usec;
    } unit[] = { { "us", 1 },      { "usec", 1 }, { "ms", 1000 },
                 { "msec", 1000 }, { "s", 1e6 },  { "sec", 1e6 } };
    const double hour = 3600e6;
    const char *name;
    double value;

    if (!parse_decimal(s, &value, &name))
        return false;
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        if (strcmp(name, unit[i].name) != 0)
            continue;
        value *= unit[i].usec;
        *out = value <= hour ? (usec)(value + 0.5) : 0;
        return value <= hour;
    }
    return false;
}

static int take_time(struct parser *p, const char *what, usec *out)
{
    if (!next_word(p))
        return refuse(p, "%s: a time is missing, such as 20ms", what);
    if (!parse_time(p->word, out))
        return refuse(p,
                      "%s: '%s' is no time: write 20ms, 1.5s or 500us, an hour at most",
                      what, p->word);
    return 0;
}

static int take_delay(struct parser *p)
{
    usec delay, jitter = 0;
    int err = take_time(p, "delay", &delay);

    if (err == 0 && number_follows(p))
        err = take_time(p, "delay's jitter", &jitter);
    if (err < 0)
        return err;
    if (number_follows(p)) {
        next_word(p);
        return refuse(p, "delay: correlation ('%s') is not built yet", p->word);
    }
    for (size_t i = 0; i < p->n_to; i++) {
        p->to[i]->delay = delay;
        p->to[i]->jitter = jitter;
    }
    return 0;
}

static int take_loss(struct parser *p)
{
    const char *unit;
    double percent;

    if (!next_word(p))
        return refuse(p, "loss: a percentage is missing, such as 5%%");
    if (strcmp(p->word, "gemodel") == 0 || strcmp(p->word, "state") == 0)
        return refuse(p, "loss: '%s' is not built yet", p->word);
    if (strcmp(p->word, "random") == 0)
        next_word(p);
    if (!parse_decimal(p->word, &percent, &unit) || strcmp(unit, "%") != 0 ||
        percent > 100)
        return refuse(p, "loss: '%s' is no percentage: write 5%% or 0.5%%", p->word);
    if (number_follows(p)) {
        next_word(p);
        return refuse(p, "loss: correlation ('%s') is not built yet", p->word);
    }
    for (size_t i = 0; i < p->n_to; i++)
        p->to[i]->loss = percent / 100;
    return 0;
}

static int take_limit(struct parser *p)
{
    uint64_t n;

    if (!next_word(p))
        return refuse(p, "limit: a number of frames is missing, such as 1000");
    if (!text_parse_u64(p->word, 1000000, &n) || n == 0)
        return refuse(p, "limit: '%s' is no number of frames from 1 to 1000000",
                      p->word);
    for (size_t i = 0; i < p->n_to; i++)
        p->to[i]->limit = (uint32_t)n;
    return 0;
}

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

static bool parse_kind(const char *s, size_t len, enum netem_what *out)
{
    static const struct {
        const char *name;
        enum netem_what what;
    } kind[] = { { "any", NETEM_ANY },       { "syn", NETEM_SYN },
                 { "synack", NETEM_SYNACK }, { "ack", NETEM_ACK },
                 { "data", NETEM_DATA },     { "fin", NETEM_FIN },
                 { "rst", NETEM_RST } };

    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        if (strlen(kind[i].name) == len && strncmp(kind[i].name, s, len) == 0) {
            *out = kind[i].what;
            return true;
        }
    return false;
}

static bool add_drop(struct parser *p, enum netem_what what, uint32_t nth)
{
    for (size_t i = 0; i < p->n_to; i++) {
        struct netem_config *c = p->to[i];

        if (c->n_drop == NETEM_DROPS)
            return false;
        c->drop[c->n_drop++] = (struct netem_drop){ .what = what, .nth = nth };
    }
    return true;
}

/* "2" or "each" or "2,5,9": one row each. */
static int take_numbers(struct parser *p, enum netem_what what, char *list)
{
    char *rest = list;
    uint64_t nth;

    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        if (strcmp(item, "each") == 0)
            nth = 0;
        else if (!text_parse_u64(item, UINT32_MAX, &nth) || nth == 0)
            return refuse(p, "drop: '%s' is no frame number from 1 on, nor `each`",
                          item);
        if (!add_drop(p, what, (uint32_t)nth))
            return refuse(p, "drop: more than %d frames for one direction",
                          NETEM_DROPS);
    }
    return 0;
}

static int take_drop(struct parser *p)
{
    enum netem_what what = NETEM_ANY;
    const char *kind, *colon;
    char list[WORD_MAX];

    if (!next_word(p))
        return refuse(p, "drop: a kind of frame is missing, such as data:2");
    kind = take_prefix(p, p->word);
    colon = strchr(kind, ':');
    if (!parse_kind(kind, colon ? (size_t)(colon - kind) : strlen(kind), &what))
        return refuse(p,
                      "drop: '%s' begins with no kind of frame: syn synack ack data "
                      "fin rst any",
                      kind);
    if (!colon)
        return refuse(p, "drop: '%s' lacks which of them: %s:2 or %s:each", kind, kind,
                      kind);
    snprintf(list, sizeof list, "%s", colon + 1);
    return take_numbers(p, what, list);
}

static bool not_built(const char *word)
{
    static const char *const netem[] = { "duplicate", "reorder", "corrupt",
                                         "rate",      "gap",     "slot",
                                         "ecn",       "seed",    "distribution" };

    for (size_t i = 0; i < sizeof netem / sizeof netem[0]; i++)
        if (strcmp(word, netem[i]) == 0)
            return true;
    return false;
}

static int take_fault(struct parser *p)
{
    static const struct {
        const char *word;
        int (*take)(struct parser *p);
    } fault[] = { { "delay", take_delay },
                  { "loss", take_loss },
                  { "limit", take_limit },
                  { "drop", take_drop } };
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
    if (not_built(word))
        return refuse(p,
                      "netem's '%s' is not built yet; built are delay, loss, limit "
                      "and drop",
                      word);
    return refuse(p, "'%s' is no fault: use delay, loss, limit or drop", word);
}

static bool anything(const struct netem_config *c)
{
    return c->delay || c->jitter || c->loss > 0 || c->n_drop || c->limit;
}

int netem_parse(const char *spec, struct netem_spec *out, char *why, size_t room)
{
    struct parser p = { .at = spec, .why = why, .room = room };

    for (const char *at = spec; *at; at += strcspn(at, " \t\n")) {
        at += strspn(at, " \t\n");
        if (strcspn(at, " \t\n") >= WORD_MAX)
            return refuse(&p, "a word of over %d characters", WORD_MAX - 1);
    }
    while (next_word(&p)) {
        int err = take_fault(&p);

        if (err < 0)
            return err;
    }
    p.spec.in.on = anything(&p.spec.in);
    p.spec.out.on = anything(&p.spec.out);
    *out = p.spec;
    return 0;
}
