/* A line is cut at its tabs; its first field says what the others are. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 5 };

static unsigned cut(char *line, char *field[FIELDS])
{
    unsigned n = 0;
    line[strcspn(line, "\n")] = '\0';
    while (n < FIELDS) {
        field[n++] = line;
        line = strchr(line, '\t');
        if (!line)
            break;
        *line++ = '\0';
    }
    return n;
}

static bool copy(char *to, size_t room, const char *text)
{
    return (size_t)snprintf(to, room, "%s", text) < room;
}

static bool number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end > text && *end == '\0' && *value >= 0;
}

static struct table_subject *find(struct table *t, const char *key)
{
    for (unsigned i = 0; i < t->n; i++)
        if (strcmp(t->subject[i].key, key) == 0)
            return &t->subject[i];
    return NULL;
}

static bool take_subject(struct table *t, char **field)
{
    struct table_subject *s = &t->subject[t->n];
    if (t->n == TABLE_SUBJECTS || find(t, field[1]))
        return false;
    *s = (struct table_subject){ .has_bar = false };
    t->n++;
    return copy(s->key, sizeof s->key, field[1]) &&
           copy(s->title, sizeof s->title, field[2]);
}

static bool take_value(struct table_subject *s, char **field)
{
    double round, value;
    if (!number(field[2], &round) || !number(field[3], &value) || round < 1 ||
        round > STATS_ROUNDS)
        return false;
    s->rounds.value[(size_t)round - 1] = value;
    s->rounds.known[(size_t)round - 1] = true;
    return true;
}

static bool take_row(struct table *t, char **field, unsigned n)
{
    struct table_subject *s = n > 1 ? find(t, field[1]) : NULL;

    if (strcmp(field[0], "subject") == 0)
        return n == 3 && take_subject(t, field);
    if (!s)
        return false;
    if (strcmp(field[0], "value") == 0)
        return n == 4 && take_value(s, field);
    if (strcmp(field[0], "missing") == 0)
        return n == 3 && copy(s->missing, sizeof s->missing, field[2]);
    s->has_bar = true;
    return strcmp(field[0], "bar") == 0 && n == 3 && number(field[2], &s->bar);
}

static bool take_figure(struct table *t, char **field, unsigned n)
{
    *t = (struct table){ .n = 0 };
    if (n != 5)
        return false;
    t->less = strcmp(field[3], "less") == 0;
    return copy(t->name, sizeof t->name, field[1]) &&
           copy(t->unit, sizeof t->unit, field[2]) &&
           copy(t->title, sizeof t->title, field[4]) &&
           (t->less || strcmp(field[3], "more") == 0);
}

static bool next_line(struct table_reader *r)
{
    if (r->line[0])
        return true;
    if (!fgets(r->line, sizeof r->line, r->in))
        return false;
    r->number++;
    return true;
}

enum table_got table_read(struct table_reader *r, struct table *t)
{
    char *field[FIELDS];
    bool begun = false;

    while (next_line(r)) {
        bool figure = strncmp(r->line, "figure\t", 7) == 0;
        if (figure && begun)
            return TABLE_FIGURE;
        unsigned n = cut(r->line, field);
        bool good = figure ? take_figure(t, field, n) : begun && take_row(t, field, n);
        bool machine = !begun && n == 2 && strcmp(field[0], "machine") == 0;
        if (machine)
            good = copy(r->machine, sizeof r->machine, field[1]);
        r->line[0] = '\0';
        if (!good)
            return TABLE_BAD;
        if (machine)
            return TABLE_MACHINE;
        begun = true;
    }
    return begun ? TABLE_FIGURE : TABLE_END;
}
