/* The table and JSON: measured beside what the formulae say. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

static void report_tcp(FILE *out, const struct page_setup *s)
{
    fprintf(
        out,
        "TCP:  reno, ssthresh without end, IW %u, every segment acknowledged at "
        "once,\n"
        "      buffers of 16 MiB, no restart after idleness, TCP_NODELAY, an RTO of a "
        "second at least",
        s->window);
    for (unsigned i = 0; i < s->n_sysctl; i++)
        fprintf(out, "\n      then %s", s->sysctl[i]);
    fputs("\n\n", out);
}

void report_setup(FILE *out, const struct page_setup *s, const char *link)
{
    fprintf(out,
            "page of %" PRIu64 " bytes, %u objects of %" PRIu64
            ", %u connections where there are several\n"
            "path: %g ms round trip, %g Mbit/s, loss %g %%, link %s, seed %" PRIu64
            "\n",
            s->page, s->objects, s->size, s->connections, (double)s->rtt / 1e3,
            (double)s->rate / 1e6, s->loss, link, s->seed);
    if (strcmp(link, "kernel") == 0)
        fputs(
            "      that is what theory is told: path and TCP are the kernel's, as they "
            "are\n\n",
            out);
    else
        report_tcp(out, s);
}

static void table_row(FILE *out, const struct page_run *run)
{
    const struct prediction *p = &run->prediction;
    const struct record *r = &run->record;
    char theory[32];

    if (!run->done) {
        fprintf(out, "%-10s  failed: %s\n", run->how->name, r->error);
        return;
    }
    snprintf(theory, sizeof theory, "%.3f", p->low);
    if (p->high > p->low)
        snprintf(theory, sizeof theory, "%.3f..%.3f", p->low, p->high);
    fprintf(out,
            "%-10s %14s %9.3f %+7.2f %5u/%-4u %6u %6.0f/%-6u %9.0f/%-9" PRIu64 " %5u\n",
            run->how->name, theory, record_seconds(r),
            prediction_off(p, record_seconds(r)), p->connections, r->lanes, r->lanes,
            p->segments, record_text_segments(r), p->bytes, record_bytes(r),
            r->retransmits);
}

void report_table(FILE *out, const struct page_run *run, unsigned n)
{
    bool again = false;

    fputs("strategy      theory (s)  measured  diff %  connections    hs  segments     "
          "      bytes           again\n"
          "                                       %  theory/is     RTT  theory/is    "
          " theory/is\n",
          out);
    for (unsigned i = 0; i < n; i++)
        table_row(out, &run[i]);
    fputs("\nhs RTT: round trips that were spent on handshakes, one a connection. "
          "Segments: of\n"
          "text, from the server. Bytes: of IP packets from the server; the theory has "
          "those of\n"
          "text only, the rest are handshakes, FINs and ACKs. Again: retransmits.\n",
          out);
    for (unsigned i = 0; i < n; i++)
        again |= run[i].done && run[i].record.retransmits > 0;
    if (again)
        fputs("The formulae know of no loss, and of no queue that grows faster than a "
              "sender's time-out.\n",
              out);
}

/* --- JSON --- */

static void seconds_json(FILE *out, const char *name, const struct record *r,
                         int64_t at)
{
    if (at < 0)
        fprintf(out, "\"%s\":null", name);
    else
        fprintf(out, "\"%s\":%.6f", name, (double)(at - r->begin) / 1e6);
}

static void lanes_json(FILE *out, const struct record *r)
{
    fputs(",\"lanes\":[", out);
    for (unsigned i = 0; i < r->lanes; i++) {
        const struct record_lane *l = &r->lane[i];
        fprintf(out, "%s{", i ? "," : "");
        seconds_json(out, "syn", r, l->syn);
        putc(',', out);
        seconds_json(out, "open", r, l->open);
        putc(',', out);
        seconds_json(out, "fin", r, l->fin);
        putc(',', out);
        seconds_json(out, "closed", r, l->closed);
        fprintf(out,
                ",\"requests\":%u,\"segs_out\":%u,\"segs_in\":%u,\"text_segs_in\":%u,"
                "\"time_wait\":\"%s\"}",
                l->requests, l->segs_out, l->segs_in, l->text_in,
                l->near_first ? "client" : "server");
    }
    putc(']', out);
}

static void rounds_json(FILE *out, const struct record *r, const struct record_fetch *f)
{
    fputs(",\"rounds\":[", out);
    for (unsigned i = 0; i < f->rounds; i++) {
        fprintf(out, "%s{", i ? "," : "");
        seconds_json(out, "first", r, f->round[i].first);
        putc(',', out);
        seconds_json(out, "last", r, f->round[i].last);
        fprintf(out, ",\"bytes\":%" PRIu64 "}", f->round[i].bytes);
    }
    putc(']', out);
}

static void fetches_json(FILE *out, const struct record *r)
{
    fputs(",\"fetches\":[", out);
    for (unsigned i = 0; i < r->fetches; i++) {
        const struct record_fetch *f = &r->fetch[i];
        fprintf(out, "%s{\"object\":%u,\"lane\":%u,", i ? "," : "", f->object, f->lane);
        seconds_json(out, "ask", r, f->ask);
        putc(',', out);
        seconds_json(out, "first", r, f->first);
        putc(',', out);
        seconds_json(out, "last", r, f->last);
        fprintf(out,
                ",\"request_bytes\":%" PRIu64 ",\"head_bytes\":%" PRIu64
                ",\"body_bytes\":%" PRIu64,
                f->request, f->head, f->body);
        rounds_json(out, r, f);
        putc('}', out);
    }
    putc(']', out);
}

static void run_json(FILE *out, const struct page_run *run)
{
    const struct prediction *p = &run->prediction;
    const struct record *r = &run->record;

    fprintf(out, "{\"strategy\":\"%s\",", run->how->name);
    if (!run->done) {
        fprintf(out, "\"error\":\"%s\"}", r->error);
        return;
    }
    fprintf(
        out,
        "\"seconds\":%.6f,\"theory\":{\"low\":%.6f,\"high\":%.6f,\"connections\":%u,"
        "\"segments\":%.0f,\"bytes\":%.0f},\"difference_percent\":%.3f,"
        "\"gate_percent\":%g,\"connections\":%u,\"handshake_rtts\":%u,"
        "\"segments\":%u,\"bytes\":%" PRIu64 ",\"retransmits\":%u",
        record_seconds(r), p->low, p->high, p->connections, p->segments, p->bytes,
        prediction_off(p, record_seconds(r)), p->gate, r->lanes, r->lanes,
        record_text_segments(r), record_bytes(r), r->retransmits);
    fprintf(out,
            ",\"frames\":{\"up\":%" PRIu64 ",\"down\":%" PRIu64 ",\"lost\":%" PRIu64
            "}",
            r->up.frames, r->down.frames, r->up.lost + r->down.lost);
    lanes_json(out, r);
    fetches_json(out, r);
    putc('}', out);
}

void report_json(FILE *out, const struct page_setup *s, const char *link,
                 const struct page_run *run, unsigned n)
{
    fprintf(out,
            "{\"page\":%" PRIu64 ",\"objects\":%u,\"size\":%" PRIu64
            ",\"connections\":%u,\"rtt\":%.6f,\"rate\":%" PRIu64
            ",\"loss_percent\":%g,\"iw\":%u,\"seed\":%" PRIu64 ",\"link\":\"%s\","
            "\"strategies\":[",
            s->page, s->objects, s->size, s->connections, (double)s->rtt / 1e6, s->rate,
            s->loss, s->window, s->seed, link);
    for (unsigned i = 0; i < n; i++) {
        fputs(i ? "," : "", out);
        run_json(out, &run[i]);
    }
    fputs("]}\n", out);
}
