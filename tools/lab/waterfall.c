/* The picture of a page: time goes to the right, a lane is a connection.
 *
 *     1 sssssrrrrr1111......2222---------FFFFFwww
 *       ^SYN ^request       ^2nd round   ^FIN ^TIME-WAIT
 *
 * draw_lane() cuts a lane into spans, later ones over earlier ones; the text puts them
 * into columns, the SVG draws them as boxes. Behind the last answer there is a
 * margin for the close; TIME-WAIT lasts a minute more, so its tail runs off the edge,
 * at the end that closed first. */
#include <inttypes.h>
#include <string.h>

#include "report.h"

enum { COLUMNS = 72, MARK_NONE = ' ' };

/* A stretch of a lane that looks the same. */
struct span {
    int64_t from, to;
    char mark;
};

static const struct {
    char mark;
    const char *colour, *words;
} legend[] = {
    { 's', "#b0b0b0", "SYN, waiting for SYN/ACK" },
    { 'r', "#f0c060", "request, waiting for the first byte" },
    { '1', "#4080c0", "body, by rounds of slow start: 1 to 9" },
    { '.', "#d0e0f0", "stall between two rounds" },
    { '-', "#f0f0f0", "idle, kept" },
    { 'F', "#c04040", "FIN, waiting for the other one" },
    { 'w', "#e0a0a0", "TIME-WAIT, a minute long" },
};

enum { LEGEND = sizeof legend / sizeof *legend };

/* Until where the picture goes: a tenth more than the page, and all that this end
 * closes. */
static int64_t edge_of(const struct record *r)
{
    int64_t margin = (r->end - r->begin) / 10 + 1, last = r->end;

    for (unsigned i = 0; i < r->lanes; i++)
        if (r->lane[i].closed > last)
            last = r->lane[i].closed;
    return last + margin;
}

typedef void draw_fn(void *ctx, const struct span *span);

/* How far the drawing of a lane has come. */
struct pen {
    draw_fn *draw;
    void *ctx;
    int64_t since;  /* the end of the last answer, or the handshake's */
    unsigned round; /* of the answers that were asked for at once */
};

/* In a pipeline an answer's wait begins with the end of the one in front of it, and the
 * rounds go on. */
static void draw_fetch(const struct record *r, const struct record_fetch *f,
                       struct pen *pen)
{
    bool follows = f->ask < pen->since;
    int64_t from = follows ? pen->since : f->ask;
    bool stalls = follows && f->first - from > r->silence;

    pen->round = follows ? pen->round + stalls : 0;
    pen->draw(pen->ctx, &(struct span){ from, f->first, follows ? '.' : 'r' });
    for (unsigned i = 0; i < f->rounds; i++) {
        const struct record_round *round = &f->round[i];
        pen->round += i > 0;
        if (i > 0)
            pen->draw(pen->ctx, &(struct span){ round[-1].last, round->first, '.' });
        char mark = (char)(pen->round < 9 ? '1' + pen->round : '9');
        pen->draw(pen->ctx, &(struct span){ round->first, round->last, mark });
    }
    pen->since = f->last;
}

/* Idleness is what nothing else covers. */
static void draw_lane(const struct record *r, unsigned lane, draw_fn *draw, void *ctx)
{
    const struct record_lane *l = &r->lane[lane];
    struct pen pen = { draw, ctx, l->open, 0 };
    int64_t edge = edge_of(r);

    draw(ctx, &(struct span){ l->open, l->fin < 0 ? edge : l->fin, '-' });
    draw(ctx, &(struct span){ l->syn, l->open, 's' });
    for (unsigned i = 0; i < r->fetches; i++)
        if (r->fetch[i].lane == lane)
            draw_fetch(r, &r->fetch[i], &pen);
    if (l->near_first)
        draw(ctx, &(struct span){ l->closed, edge, 'w' });
    draw(ctx, &(struct span){ l->fin, l->closed, 'F' });
}

/* --- text --- */

struct canvas {
    int64_t begin, edge;
    char row[COLUMNS + 1];
};

static int column(const struct canvas *c, int64_t at)
{
    int64_t n = (at - c->begin) * COLUMNS / (c->edge - c->begin);

    return (int)(n < COLUMNS ? n : COLUMNS - 1);
}

/* What is drawn with, from the weakest on: a burst is shorter than a column, and must
 * not be lost to the silence around it. */
static int strength(char mark)
{
    if (mark == MARK_NONE || mark == '-')
        return 0;
    if (mark == 'F')
        return 3;
    return mark >= '1' && mark <= '9' ? 2 : 1;
}

/* At least one column; what lies beyond the edge is not there. */
static void put_span(void *ctx, const struct span *s)
{
    struct canvas *c = ctx;

    if (s->from < 0 || s->to < s->from || s->from >= c->edge)
        return;
    int last = column(c, s->to);
    for (int i = column(c, s->from); i <= last; i++)
        if (strength(s->mark) >= strength(c->row[i]))
            c->row[i] = s->mark;
}

void waterfall_text(FILE *out, const struct page_run *run)
{
    const struct record *r = &run->record;
    struct canvas c = { .begin = r->begin, .edge = edge_of(r) };

    fprintf(out, "\n%s: %s; %.3f s\n", run->how->name, run->how->words,
            record_seconds(r));
    for (unsigned i = 0; i < r->lanes; i++) {
        memset(c.row, MARK_NONE, COLUMNS);
        draw_lane(r, i, put_span, &c);
        fprintf(out, "%4u |%s|%s\n", i + 1, c.row,
                r->lane[i].near_first ? "" : " server in TIME-WAIT");
    }
    fprintf(out, "     0%*.3f s\n", COLUMNS - 1, (double)(c.edge - c.begin) / 1e6);
}

void waterfall_legend(FILE *out)
{
    fputc('\n', out);
    for (size_t i = 0; i < LEGEND; i++)
        fprintf(out, "  %c  %s\n", legend[i].mark, legend[i].words);
}

/* --- SVG --- */

enum { WIDTH = 960, LEFT = 40, LANE = 14, TITLE = 34, FOOT = 40, TOP = 64, KEYS = 4 };

struct drawing {
    FILE *out;
    int64_t begin, edge;
    int y;
};

static double x_of(const struct drawing *d, int64_t at)
{
    at = at < d->edge ? at : d->edge;
    return LEFT +
           (double)(at - d->begin) / (double)(d->edge - d->begin) * (WIDTH - LEFT - 10);
}

static const char *colour_of(char mark)
{
    if (mark >= '1' && mark <= '9') {
        static const char *const blues[] = { "#4080c0", "#3070b0", "#2060a0",
                                             "#105090" };
        unsigned i = (unsigned)(mark - '1');
        return blues[i < 4 ? i : 3];
    }
    for (size_t i = 0; i < LEGEND; i++)
        if (legend[i].mark == mark)
            return legend[i].colour;
    return "none";
}

static void draw_box(void *ctx, const struct span *s)
{
    struct drawing *d = ctx;

    if (s->from < 0 || s->to < s->from || s->from >= d->edge)
        return;
    double x = x_of(d, s->from), width = x_of(d, s->to) - x;
    fprintf(d->out,
            "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"/>\n", x,
            d->y, width > 1 ? width : 1, LANE - 3, colour_of(s->mark));
}

static int height_of(const struct page_run *run)
{
    return TITLE + (int)run->record.lanes * LANE + FOOT;
}

static void draw_axis(const struct drawing *d)
{
    for (int i = 0; i <= 4; i++) {
        int64_t at = d->begin + (d->edge - d->begin) * i / 4;
        fprintf(d->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.3f s</text>\n",
                x_of(d, at), d->y + 14,
                i == 0   ? "start"
                : i == 4 ? "end"
                         : "middle",
                (double)(at - d->begin) / 1e6);
    }
}

static void draw_run(FILE *out, const struct page_run *run, int y)
{
    const struct record *r = &run->record;
    struct drawing d = { out, r->begin, edge_of(r), y + TITLE };

    fprintf(out, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s: %s; %.3f s</text>\n",
            LEFT, y + TITLE - 10, run->how->name, run->how->words, record_seconds(r));
    for (unsigned i = 0; i < r->lanes; i++, d.y += LANE) {
        fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%u</text>\n",
                LEFT - 6, d.y + LANE - 4, i + 1);
        draw_lane(r, i, draw_box, &d);
    }
    draw_axis(&d);
}

static void draw_legend(FILE *out, int y)
{
    for (int i = 0; i < LEGEND; i++) {
        int x = LEFT + i % KEYS * ((WIDTH - LEFT) / KEYS), row = y + i / KEYS * LANE;
        fprintf(out,
                "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>"
                "<text x=\"%d\" y=\"%d\">%s</text>\n",
                x, row, legend[i].colour, x + 14, row + 9, legend[i].words);
    }
}

void waterfall_svg(FILE *out, const struct page_setup *s, const struct page_run *run,
                   unsigned n)
{
    int height = TOP + 10, y = TOP;

    for (unsigned i = 0; i < n; i++)
        height += run[i].done ? height_of(&run[i]) : 0;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"%d\" y=\"20\">%" PRIu64 " bytes and %u objects of %" PRIu64
            "; %g ms, %g Mbit/s, loss %g %%, IW %u</text>\n",
            WIDTH, height, LEFT, s->page, s->objects, s->size, (double)s->rtt / 1e3,
            (double)s->rate / 1e6, s->loss, s->window);
    draw_legend(out, 30);
    for (unsigned i = 0; i < n; i++) {
        if (!run[i].done)
            continue;
        draw_run(out, &run[i], y);
        y += height_of(&run[i]);
    }
    fputs("</svg>\n", out);
}
