/* The ladder of a network: a lifeline for each host, an arrow for each packet, in the
 * order sent.
 *
 *       time client                         proxy                          server
 *   0.000000 |--- [1] S ------------------->|                              |
 *   0.010000 |<-- [1] S. -------------------|                              |
 *   0.020000 |--- [1] P. 1:54(53) GET /a -->|                              |
 *   0.030000 |                              |  what a program said         |
 *            :   a pause                    :                              :
 *
 * In front of a segment is the number of its connection, behind it the first line of
 * its text. */
#include "lan_flow.h"

#include <stdlib.h>
#include <string.h>

enum {
    TIME = 10,       /* columns of the time */
    LEFT = TIME + 1, /* the first lifeline's */
    WIDE = 92,       /* columns from the first to the last */
    NARROW = 60,     /* where there are only two */
    COLUMNS = LEFT + WIDE + LAN_NOTE + 2,
    LABEL = 96,
};

static const int64_t pause_min = 900000; /* microseconds that are worth a row */

struct view {
    const struct lan *lan;
    FILE *out;
    char row[COLUMNS];
    int64_t before; /* when the last row was; -1: there is none */
    struct lan_flows flows;
};

/* --- rows --- */

static size_t column(const struct view *v, int host)
{
    int lines = v->lan->hosts - 1;

    return LEFT + (size_t)(host * (lines < 2 ? NARROW : WIDE / lines));
}

static void put(struct view *v, size_t at, const char *s, size_t n)
{
    for (size_t i = 0; i < n && at + i < COLUMNS - 1; i++)
        v->row[at + i] = s[i];
}

static void begin_row(struct view *v, char line)
{
    memset(v->row, ' ', sizeof v->row);
    for (int i = 0; i < v->lan->hosts; i++)
        put(v, column(v, i), &line, 1);
}

static void end_row(struct view *v)
{
    size_t n = COLUMNS - 1;

    while (n > 0 && v->row[n - 1] == ' ')
        n--;
    fprintf(v->out, "%.*s\n", (int)n, v->row);
}

static void put_time(struct view *v, int64_t at)
{
    char s[40];
    int n = snprintf(s, sizeof s, "%10.6f", (double)at / 1e6);

    put(v, 0, s, (size_t)n);
}

/* Where long nothing happens. */
static void put_pause(struct view *v, int64_t at)
{
    char s[40];

    if (v->before >= 0 && at - v->before >= pause_min) {
        int n = snprintf(s, sizeof s, "  %.6f s later", (double)(at - v->before) / 1e6);
        begin_row(v, ':');
        put(v, LEFT + 1, s, (size_t)n);
        end_row(v);
    }
    v->before = at;
}

/* --- labels --- */

static size_t put_flags(char *out, uint8_t flags)
{
    static const char letters[] = "FSRP.";
    static const uint8_t order[] = { TCP_SYN, TCP_FIN, TCP_RST, TCP_PSH, TCP_ACK };
    static const int letter[] = { 1, 0, 2, 3, 4 };
    size_t n = 0;

    for (size_t i = 0; i < sizeof order; i++)
        if (flags & order[i])
            out[n++] = letters[letter[i]];
    return n;
}

static size_t label_of(const struct lan_segment *s, char *out)
{
    size_t n = 0;

    if (s->flow)
        n += (size_t)snprintf(out, LABEL, "[%d] ", s->flow);
    n += put_flags(out + n, s->tcp.flags);
    if (s->tcp.text_len)
        n += (size_t)snprintf(out + n, LABEL - n, " %u:%u(%u) ", s->first,
                              s->first + s->tcp.text_len, s->tcp.text_len);
    else if (s->tcp.flags == TCP_ACK)
        n += (size_t)snprintf(out + n, LABEL - n, " ack %u", s->ack);
    n += lan_first_line(s, out + n, LABEL - n);
    while (n > 0 && out[n - 1] == ' ')
        n--;
    return n;
}

/* --- events --- */

static void put_note(struct view *v, const struct lan_event *e)
{
    size_t n = strlen(e->note), at = column(v, e->from) + 3;

    begin_row(v, '|');
    put_time(v, e->at);
    put(v, at, e->note, n);
    end_row(v);
}

static void put_arrow(struct view *v, const struct lan_event *e, const char *label,
                      size_t n)
{
    bool right_way = e->from < e->to;
    size_t left = column(v, right_way ? e->from : e->to);
    size_t right = column(v, right_way ? e->to : e->from);
    size_t room = right - left - 10;

    n = n < room ? n : room;
    for (size_t i = left + 1; i < right; i++)
        put(v, i, "-", 1);
    put(v, right_way ? right - 1 : left + 1, e->lost ? "x" : right_way ? ">" : "<", 1);
    put(v, left + 4, " ", 1);
    put(v, left + 5, label, n);
    put(v, left + 5 + n, " ", 1);
}

static void put_segment(struct view *v, const struct lan_event *e)
{
    struct lan_segment s;
    char label[LABEL + 1];

    if (!lan_look(&v->flows, e, &s) || e->to == LAN_NOBODY)
        return;
    begin_row(v, '|');
    put_time(v, e->at);
    size_t n = label_of(&s, label);
    if (e->from == e->to) /* a host talks to itself */
        put(v, column(v, e->from) + 3, label, n);
    else
        put_arrow(v, e, label, n);
    end_row(v);
}

/* How to read an arrow. */
static const char legend[] =
    "[connection] flags first:next(text bytes) first line; S SYN, F FIN, R RST, P PSH, "
    ". ACK";

void lan_ladder(const struct lan *lan, FILE *out)
{
    struct view v = { .lan = lan, .out = out, .before = -1 };

    lan_flows_init(&v.flows, lan);
    fprintf(out, "%*s%s\n", LEFT + 5, "", legend);
    begin_row(&v, ' ');
    put(&v, TIME - 4, "time", 4);
    for (int i = 0; i < lan->hosts; i++) {
        const char *name = lan->host[i].name;
        put(&v, column(&v, i), name, strlen(name));
    }
    end_row(&v);
    for (const struct lan_event *e = lan->first; e; e = e->next) {
        put_pause(&v, e->at);
        if (e->note[0])
            put_note(&v, e);
        else
            put_segment(&v, e);
    }
}

char *lan_picture(const struct lan *lan)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (!out)
        return NULL;
    lan_ladder(lan, out);
    fclose(out);
    return text;
}
