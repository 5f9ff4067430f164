/* Globs: a URL, or -T's value, that stands for several, as curl has them:
 *
 *     {one,two}   [1-9]   [001-100:10]   [a-z]   {<name>one,two}
 *
 * A pattern is a row of wheels, each behind the text that stands before it, like a
 * kilometre counter's: the last one turns fastest, and the i-th URL is what they show
 * after i steps. Wheels are never unrolled, so a range may be as long as a number.
 * Within -o, "#1" is what the first wheel of the URL shows, "#<name>" the one of that
 * name. A backslash takes the meaning from a bracket or brace. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "get.h"

enum { WHEELS_MAX = 64, SHOWN_MAX = 24 };

struct wheel {
    char *before;      /* owned: the text in front of it */
    char *name;        /* owned; NULL: none */
    char **word;       /* owned: what a set shows, one after the other; NULL: a range */
    uint64_t n;        /* steps */
    uint64_t from, by; /* a range: the first number or letter, and the step */
    int width;         /* of a number at least; -1: it is a letter */
};

struct glob {
    struct wheel wheel[WHEELS_MAX];
    size_t n;
    char *rest; /* owned: the text behind the last wheel */
};

struct reader {
    const char *begin, *at;
    const char *why; /* what is wrong at `at` */
};

static bool wrong(struct reader *r, const char *why)
{
    r->why = why;
    return false;
}

/* --- reading a pattern --- */

/* An IPv6 address in its brackets, or nothing in them: no range. */
static size_t address_span(const char *at)
{
    size_t n = 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
    const char *first = strchr(at, ':'),
               *second = first ? strchr(first + 1, ':') : NULL;

    if (at[1] == ']')
        return 2;
    if (at[n] == '%')
        n += strcspn(at + n, "]/");
    return at[n] == ']' && second && second < at + n ? n + 1 : 0;
}

/* Text up to one of `stops`, without the backslashes that hide them; for the caller to
 * free. */
static char *take_text(struct reader *r, const char *stops, bool in_set)
{
    char *text = malloc(strlen(r->at) + 1);
    size_t n = 0;

    while (text && *r->at) {
        size_t span = *r->at == '[' && !in_set ? address_span(r->at) : 0;
        if (span == 0 && strchr(stops, *r->at))
            break;
        if (r->at[0] == '\\' && r->at[1] && (in_set || strchr("{}[]", r->at[1])))
            r->at++;
        span = span ? span : 1;
        memcpy(text + n, r->at, span);
        n += span;
        r->at += span;
    }
    if (text)
        text[n] = '\0';
    return text;
}

/* "<name>" */
static bool take_name(struct reader *r, struct wheel *w)
{
    size_t n = r->at[0] == '<' ? strcspn(r->at, ">") : 0;

    if (n < 2 || r->at[n] != '>' || n > SHOWN_MAX * 2)
        return true;
    w->name = strndup(r->at + 1, n - 1);
    r->at += n + 1;
    return w->name != NULL;
}

/* Behind a '{'. */
static bool take_set(struct reader *r, struct wheel *w)
{
    do {
        char **word = realloc(w->word, (w->n + 1) * sizeof *word);
        if (!word)
            return wrong(r, "out of memory");
        w->word = word;
        word[w->n] = take_text(r, ",{}[]", true);
        if (!word[w->n])
            return wrong(r, "out of memory");
        w->n++;
        if (*r->at == '\0')
            return wrong(r, "unmatched brace");
        if (*r->at != ',' && *r->at != '}')
            return wrong(r, "nested brace");
    } while (*r->at++ == ',');
    return w->n > 1 || w->word[0][0] || wrong(r, "empty string within braces");
}

static bool take_number(struct reader *r, uint64_t *out)
{
    size_t n = strspn(r->at, "0123456789");
    char digits[SHOWN_MAX];

    if (n == 0 || n >= sizeof digits)
        return wrong(r, "bad range");
    memcpy(digits, r->at, n);
    digits[n] = '\0';
    if (!text_parse_u64(digits, INT64_MAX, out))
        return wrong(r, "bad range");
    r->at += n;
    return true;
}

/* "-9]" or "-9:2]", behind the first number or letter. */
static bool take_end(struct reader *r, struct wheel *w, bool letter)
{
    uint64_t to = 0;

    if (*r->at++ != '-')
        return wrong(r, "bad range");
    if (letter)
        to = (unsigned char)*r->at ? (unsigned char)*r->at++ : 0;
    else if (!take_number(r, &to))
        return false;
    w->by = 1;
    if (*r->at == ':' && (r->at++, !take_number(r, &w->by)))
        return false;
    if (*r->at != ']' || w->by == 0 || to < w->from || (letter && !isalpha((int)to)) ||
        (to == w->from ? w->by != 1 : w->by > to - w->from))
        return wrong(r, "bad range");
    if (!letter && to > INT64_MAX - w->by)
        return wrong(r, "range overflow");
    r->at++;
    w->n = (to - w->from) / w->by + 1;
    return true;
}

/* Behind a '['. */
static bool take_range(struct reader *r, struct wheel *w)
{
    if (isalpha((unsigned char)*r->at)) {
        w->from = (unsigned char)*r->at++;
        w->width = -1;
        return take_end(r, w, true);
    }
    w->width = *r->at == '0' ? (int)strspn(r->at, "0123456789") : 0;
    return take_number(r, &w->from) && take_end(r, w, false);
}

static bool name_is_new(struct reader *r, const struct glob *g, const struct wheel *w)
{
    for (size_t i = 0; i < g->n && w->name; i++)
        if (g->wheel[i].name && strcmp(g->wheel[i].name, w->name) == 0)
            return wrong(r, "duplicate glob name");
    return true;
}

static bool read_wheels(struct reader *r, struct glob *g)
{
    char *text, opened;

    while ((text = take_text(r, "{}[]", false)) && (*r->at == '{' || *r->at == '[')) {
        struct wheel *w = &g->wheel[g->n];
        if (g->n == WHEELS_MAX) {
            free(text);
            return wrong(r, "too many globs");
        }
        *w = (struct wheel){ .before = text };
        opened = *r->at++;
        if (!take_name(r, w) || !name_is_new(r, g, w)) {
            g->n++;
            return false;
        }
        g->n++;
        if (!(opened == '{' ? take_set(r, w) : take_range(r, w)))
            return false;
    }
    g->rest = text;
    if (!text)
        return wrong(r, "out of memory");
    return *r->at == '\0' || wrong(r, "unmatched close brace/bracket");
}

/* All URLs; false: more than a number holds. */
static bool count(struct glob *g, uint64_t *n)
{
    *n = 1;
    for (size_t i = 0; i < g->n; i++) {
        if (*n > INT64_MAX / g->wheel[i].n)
            return false;
        *n *= g->wheel[i].n;
    }
    return true;
}

struct glob *glob_new(const char *pattern, uint64_t *n)
{
    struct reader r = { .begin = pattern, .at = pattern };
    struct glob *g = calloc(1, sizeof *g);
    char what[160];

    *n = 0;
    if (g && read_wheels(&r, g) && (count(g, n) || wrong(&r, "range overflow")))
        return g;
    snprintf(what, sizeof what, "(3) %s in position %zu of %.80s",
             g ? r.why : "out of memory", (size_t)(r.at - r.begin) + 1, pattern);
    tell(what, "the URL is read as a pattern for several",
         "use -g to take it as it is");
    glob_free(g);
    return NULL;
}

void glob_free(struct glob *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n; i++) {
        struct wheel *w = &g->wheel[i];
        for (uint64_t k = 0; k < w->n && w->word; k++)
            free(w->word[k]);
        free(w->word);
        free(w->before);
        free(w->name);
    }
    free(g->rest);
    free(g);
}

/* --- what it stands for --- */

/* What the wheel shows after i steps of its own. */
static const char *shown(const struct wheel *w, uint64_t i, char *room)
{
    uint64_t value = w->from + i * w->by;

    if (w->word)
        return w->word[i];
    if (w->width < 0)
        snprintf(room, SHOWN_MAX, "%c", (char)value);
    else
        snprintf(room, SHOWN_MAX, "%0*llu", w->width, (unsigned long long)value);
    return room;
}

/* The k-th wheel's own steps when the pattern has made i. */
static uint64_t steps(const struct glob *g, size_t k, uint64_t i)
{
    for (size_t later = g->n - 1; later > k; later--)
        i /= g->wheel[later].n;
    return i % g->wheel[k].n;
}

/* The length of what is added, added or (at: NULL) only counted. */
static size_t put(char *at, size_t len, const char *text)
{
    size_t n = strlen(text);

    if (at)
        memcpy(at + len, text, n + 1);
    return len + n;
}

static size_t write_url(const struct glob *g, uint64_t i, char *at)
{
    char room[SHOWN_MAX];
    size_t len = 0;

    for (size_t k = 0; k < g->n; k++) {
        len = put(at, len, g->wheel[k].before);
        len = put(at, len, shown(&g->wheel[k], steps(g, k, i), room));
    }
    return put(at, len, g->rest);
}

char *glob_url(const struct glob *g, uint64_t i)
{
    char *url = malloc(write_url(g, i, NULL) + 1);

    if (url)
        write_url(g, i, url);
    return url;
}

/* What stands for a wheel in a file's name. */
struct mark {
    const struct glob_turn *turn; /* the pattern's */
    size_t wheel;                 /* of it */
    size_t len;                   /* characters; 0: it stands for itself */
};

/* "#1" */
static struct mark take_number_mark(const char *at, const struct glob_turn *turn)
{
    size_t digits = at[0] == '#' ? strspn(at + 1, "0123456789") : 0;
    size_t number = digits > 0 && digits < 4 ? (size_t)atoi(at + 1) : 0;
    bool good = number > 0 && turn->glob && number <= turn->glob->n;

    return (struct mark){ turn, number - 1, good ? digits + 1 : 0 };
}

/* "#<name>"; it is nobody's: *missing. */
static struct mark take_name_mark(const char *at, const struct glob_turn *turn,
                                  size_t n, bool *missing)
{
    size_t end = at[0] == '#' && at[1] == '<' ? strcspn(at, ">") : 0;

    if (end == 0 || at[end] != '>')
        return (struct mark){ .len = 0 };
    for (size_t i = 0; i < n; i++) {
        const struct glob *g = turn[i].glob;
        for (size_t k = 0; g && k < g->n; k++) {
            const char *own = g->wheel[k].name;
            if (own && strlen(own) == end - 2 && memcmp(own, at + 2, end - 2) == 0)
                return (struct mark){ &turn[i], k, end + 1 };
        }
    }
    *missing = true;
    return (struct mark){ .len = 0 };
}

static size_t write_name(const char *text, const struct glob_turn *turn, size_t n,
                         char *to, bool *missing)
{
    char room[SHOWN_MAX];
    size_t len = 0;

    while (*text) {
        struct mark m = take_number_mark(text, turn);
        const char one[2] = { *text, '\0' };
        if (m.len == 0)
            m = take_name_mark(text, turn, n, missing);
        if (m.len == 0)
            len = put(to, len, one);
        else
            len = put(to, len,
                      shown(&m.turn->glob->wheel[m.wheel],
                            steps(m.turn->glob, m.wheel, m.turn->i), room));
        text += m.len ? m.len : 1;
    }
    return len;
}

char *glob_name(const char *text, const struct glob_turn *turn, size_t n, bool *missing)
{
    char *name;

    *missing = false;
    name = calloc(1, write_name(text, turn, n, NULL, missing) + 1);
    if (name)
        write_name(text, turn, n, name, missing);
    return name;
}
