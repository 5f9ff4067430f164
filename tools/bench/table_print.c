/* One row a subject: its median with the spread of its rounds; for all but the first
 * the ratio of the first to it, which is taken round by round and only then put in
 * order. */
#include "table.h"

#include <string.h>

/* Three digits that mean something, and no more behind the point than that takes. */
static int decimals(double v)
{
    return v >= 100 ? 0 : v >= 10 ? 1 : v >= 1 ? 2 : 3;
}

static void print_number(double v, FILE *out)
{
    char text[32];
    snprintf(text, sizeof text, "%.*f", decimals(v), v);
    fprintf(out, "%10s", text);
}

static bool is_first(const struct table *t, const struct table_subject *s)
{
    return s == &t->subject[0];
}

static struct stats_spread ratio(const struct table *t, const struct table_subject *s)
{
    return stats_ratio(&t->subject[0].rounds, &s->rounds);
}

int table_judges(const struct table *t, const struct table_subject *s)
{
    struct stats_spread of = is_first(t, s) ? stats_spread(&s->rounds) : ratio(t, s);
    if (!s->has_bar || of.n == 0)
        return 0;
    return (t->less ? of.median <= s->bar : of.median >= s->bar) ? 1 : -1;
}

static void print_bar(const struct table *t, const struct table_subject *s, FILE *out)
{
    int judged = table_judges(t, s);
    if (judged)
        fprintf(out, "  %s %g: %s", t->less ? "at most" : "at least", s->bar,
                judged > 0 ? "yes" : "NO");
}

static void print_row(const struct table *t, const struct table_subject *s, FILE *out)
{
    struct stats_spread all = stats_spread(&s->rounds);
    struct stats_spread of = ratio(t, s);

    fprintf(out, "  %-30s", s->title);
    if (all.n) {
        print_number(all.median, out);
        print_number(all.min, out);
        print_number(all.max, out);
    }
    if (all.n && !is_first(t, s) && of.n)
        fprintf(out, "  %6.2f  (%.2f..%.2f)", of.median, of.low, of.high);
    print_bar(t, s, out);
    if (s->missing[0])
        fprintf(out, "  %s%s", all.n ? "not in all rounds: " : "none: ", s->missing);
    putc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
    fprintf(out, "%s: %s (%s; %s is better)\n", t->name, t->title, t->unit,
            t->less ? "less" : "more");
    fprintf(out, "  %-30s%10s%10s%10s", "", "median", "min", "max");
    if (t->n > 1)
        fprintf(out, "  %s / this (its quartiles)", t->subject[0].title);
    putc('\n', out);
    for (unsigned i = 0; i < t->n; i++)
        print_row(t, &t->subject[i], out);
    putc('\n', out);
}

/* --- JSON (RFC 8259) --- */

void table_json_string(const char *text, FILE *out)
{
    putc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void json_member(const char *name, const char *text, FILE *out)
{
    fprintf(out, "\"%s\":", name);
    table_json_string(text, out);
}

static void json_spread(struct stats_spread s, FILE *out)
{
    fprintf(out, "\"median\":%.6g,\"min\":%.6g,\"low\":%.6g,\"high\":%.6g,\"max\":%.6g",
            s.median, s.min, s.low, s.high, s.max);
}

static void json_values(const struct stats_rounds *r, FILE *out)
{
    const char *comma = "";
    fprintf(out, ",\"values\":[");
    for (size_t i = 0; i < STATS_ROUNDS; i++)
        if (r->known[i]) {
            fprintf(out, "%s%.6g", comma, r->value[i]);
            comma = ",";
        }
    putc(']', out);
}

static void json_subject(const struct table *t, const struct table_subject *s,
                         FILE *out)
{
    struct stats_spread all = stats_spread(&s->rounds), of = ratio(t, s);

    putc('{', out);
    json_member("key", s->key, out);
    putc(',', out);
    json_member("title", s->title, out);
    json_values(&s->rounds, out);
    if (all.n) {
        putc(',', out);
        json_spread(all, out);
    }
    if (!is_first(t, s) && of.n) {
        fprintf(out, ",\"ratio\":{");
        json_spread(of, out);
        putc('}', out);
    }
    if (s->has_bar)
        fprintf(out, ",\"bar\":%g,\"reached\":%s", s->bar,
                table_judges(t, s) > 0 ? "true" : "false");
    if (s->missing[0]) {
        putc(',', out);
        json_member("missing", s->missing, out);
    }
    putc('}', out);
}

void table_json(const struct table *t, FILE *out)
{
    putc('{', out);
    json_member("name", t->name, out);
    putc(',', out);
    json_member("title", t->title, out);
    putc(',', out);
    json_member("unit", t->unit, out);
    fprintf(out, ",\"better\":\"%s\",\"subjects\":[", t->less ? "less" : "more");
    for (unsigned i = 0; i < t->n; i++) {
        if (i)
            fprintf(out, ",\n   ");
        json_subject(t, &t->subject[i], out);
    }
    fprintf(out, "]}");
}
