/* HTTP Archive 1.2, a page for each run. Virtual time has no date: the archive's clock
 * begins with 1970. A request's time is its connection's making, where it is the first
 * one there, then the wait for the first byte and the receiving. */
#include <inttypes.h>

#include "report.h"

struct archive {
    FILE *out;
    const struct page_server *server;
    const struct page_setup *setup;
};

static void date(FILE *out, int64_t usec)
{
    int64_t seconds = usec / 1000000;

    fprintf(out,
            "\"1970-01-01T%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%06" PRId64 "Z\"",
            seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, usec % 1000000);
}

static double ms(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e3;
}

static bool opened_its_lane(const struct record *r, unsigned fetch)
{
    for (unsigned i = 0; i < fetch; i++)
        if (r->fetch[i].lane == r->fetch[fetch].lane)
            return false;
    return true;
}

static void timings(FILE *out, const struct record *r, unsigned i)
{
    const struct record_fetch *f = &r->fetch[i];
    const struct record_lane *l = &r->lane[f->lane];
    bool fresh = opened_its_lane(r, i);

    fprintf(out,
            "\"cache\":{},\"timings\":{\"blocked\":0,\"dns\":-1,\"connect\":%.3f,"
            "\"ssl\":-1,\"send\":0,\"wait\":%.3f,\"receive\":%.3f},"
            "\"connection\":\"%u\"}",
            fresh ? ms(l->syn, l->open) : -1.0, ms(f->ask, f->first),
            ms(f->first, f->last), f->lane + 1);
}

/* Request i of a run: what all of them share is in `a`. */
static void entry(const struct archive *a, const struct record *r, unsigned page,
                  unsigned i)
{
    FILE *out = a->out;
    const struct record_fetch *f = &r->fetch[i];
    bool fresh = opened_its_lane(r, i);
    int64_t start = fresh ? r->lane[f->lane].syn : f->ask;

    fprintf(out, "{\"pageref\":\"page_%u\",\"startedDateTime\":", page);
    date(out, start);
    fprintf(
        out,
        ",\"time\":%.3f,\"request\":{\"method\":\"GET\",\"url\":\"http://%s/%" PRIu64
        "/%04u\",\"httpVersion\":\"HTTP/1.1\",\"cookies\":[],\"headers\":[],"
        "\"queryString\":[],\"headersSize\":%" PRIu64 ",\"bodySize\":0},",
        ms(start, f->last), a->server->address,
        f->object ? a->setup->size : a->setup->page, f->object, f->request);
    fprintf(out,
            "\"response\":{\"status\":%d,\"statusText\":\"OK\",\"httpVersion\":"
            "\"HTTP/1.1\",\"cookies\":[],\"headers\":[],\"content\":{\"size\":%" PRIu64
            ",\"mimeType\":\"application/octet-stream\"},\"redirectURL\":\"\","
            "\"headersSize\":%" PRIu64 ",\"bodySize\":%" PRIu64
            "},\"serverIPAddress\":\"%s\",",
            f->status, f->body, f->head, f->body, a->server->address);
    timings(out, r, i);
}

static void pages(FILE *out, const struct page_run *run, unsigned n)
{
    const char *comma = "";

    for (unsigned i = 0; i < n; i++) {
        const struct record *r = &run[i].record;
        if (!run[i].done)
            continue;
        fprintf(out, "%s{\"startedDateTime\":", comma);
        date(out, r->begin);
        fprintf(out,
                ",\"id\":\"page_%u\",\"title\":\"%s\",\"pageTimings\":{"
                "\"onContentLoad\":%.3f,\"onLoad\":%.3f}}",
                i + 1, run[i].how->name, ms(r->begin, r->fetch[0].last),
                ms(r->begin, r->end));
        comma = ",";
    }
}

void har_write(FILE *out, const struct page_server *server,
               const struct page_setup *setup, const struct page_run *run, unsigned n)
{
    struct archive a = { out, server, setup };
    const char *comma = "";

    fputs("{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"tapir\",\"version\":"
          "\"0.1\"},\"pages\":[",
          out);
    pages(out, run, n);
    fputs("],\"entries\":[", out);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; run[i].done && k < run[i].record.fetches; k++) {
            fputs(comma, out);
            entry(&a, &run[i].record, i + 1, k);
            comma = ",\n";
        }
    fputs("]}}\n", out);
}
