/* What perf tells, in iperf3's words and its JSON tree (start, intervals, end), so that
 * scripts and readers that know one know the other. Bytes are counted where they are
 * handed over: "sender" is what was written until the time was up, "receiver" the same
 * bytes over the time until the peer had closed, which it does when it has read all. */
#include "perf.h"

#include <stdio.h>
#include <time.h>

#include "options.h"

static const double KILO = 1024;

/* "1.10 GBytes": transfers count in 1024, as iperf3 does. */
static const char *bytes_text(char out[16], double n)
{
    static const char *const unit[] = { "Bytes", "KBytes", "MBytes", "GBytes",
                                        "TBytes" };
    int u = 0;
    while (n >= KILO && u < 4) {
        n /= KILO;
        u++;
    }
    snprintf(out, 16,
             n < 9.995   ? "%4.2f %s"
             : n < 99.95 ? "%4.1f %s"
                         : "%4.0f %s",
             n, unit[u]);
    return out;
}

/* "9.42 Gbits/sec": rates count in 1000. */
static const char *rate_text(char out[20], double bits)
{
    static const char *const unit[] = { "bits", "Kbits", "Mbits", "Gbits" };
    int u = 0;
    while (bits >= 1000 && u < 3) {
        bits /= 1000;
        u++;
    }
    snprintf(out, 20,
             bits < 9.995   ? "%4.2f %s/sec"
             : bits < 99.95 ? "%4.1f %s/sec"
                            : "%4.0f %s/sec",
             bits, unit[u]);
    return out;
}

static double seconds_between(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e6;
}

static double bits_per_second(uint64_t bytes, double seconds)
{
    return seconds > 0 ? (double)bytes * 8 / seconds : 0;
}

static uint64_t all_bytes(const struct perf *p)
{
    uint64_t sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += p->stream[i].bytes;
    return sum;
}

static uint32_t all_retrans(const struct perf *p)
{
    uint32_t sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += p->stream[i].retrans;
    return sum;
}

/* A stream's number in the report: iperf3's are descriptors and begin with 5. */
static int stream_id(int i)
{
    return i + 5;
}

/* --- start --- */

static void start_json(const struct perf *p, const char *host)
{
    char local[ENDPOINT_TEXT], remote[ENDPOINT_TEXT];
    printf("{\n\"start\":{\"connected\":[");
    for (int i = 0; i < p->n; i++) {
        const struct perf_stream *s = &p->stream[i];
        endpoint_host(&s->local, local);
        endpoint_host(&s->remote, remote);
        printf("%s{\"socket\":%d,\"local_host\":\"%s\",\"local_port\":%d,"
               "\"remote_host\":\"%s\",\"remote_port\":%d}",
               i ? "," : "", stream_id(i), local, endpoint_port(&s->local), remote,
               endpoint_port(&s->remote));
    }
    printf(
        "],\"version\":\"tapir perf\",\"timestamp\":{\"timesecs\":%lld},"
        "\"connecting_to\":{\"host\":\"%s\",\"port\":%d},\"test_start\":{"
        "\"protocol\":\"TCP\",\"num_streams\":%lld,\"blksize\":%d,\"omit\":0,"
        "\"duration\":%g,\"bytes\":0,\"blocks\":0,\"reverse\":%d}},\n\"intervals\":[",
        (long long)time(NULL), host, endpoint_port(&p->to), p->n, PERF_BUFFER,
        p->seconds, p->reverse);
}

void perf_report_start(const struct perf *p)
{
    char host[ENDPOINT_TEXT], local[ENDPOINT_TEXT];
    endpoint_host(&p->to, host);
    if (p->json) {
        start_json(p, host);
        return;
    }
    printf("Connecting to host %s, port %d\n", p->host, endpoint_port(&p->to));
    if (p->reverse)
        printf("Reverse mode, remote host %s is sending\n", p->host);
    for (int i = 0; i < p->n; i++) {
        const struct perf_stream *s = &p->stream[i];
        endpoint_host(&s->local, local);
        printf("[%3d] local %s port %d connected to %s port %d\n", stream_id(i), local,
               endpoint_port(&s->local), host, endpoint_port(&s->remote));
    }
    printf("[ ID] Interval           Transfer     Bitrate%s\n",
           p->reverse ? "" : "         Retr  Cwnd");
    fflush(stdout);
}

/* --- intervals and sums --- */

/* One line or one object of the report. */
struct span {
    double start, end; /* seconds */
    uint64_t bytes;
    uint32_t retrans;
    uint32_t cwnd;    /* 0: not told */
    bool has_retrans; /* the kernel of a receiver has nothing to say about it */
    bool sender;
};

static void span_text(const char *id, const struct span *s, const char *role)
{
    char bytes[16], rate[20], cwnd[16];
    printf("[%3s] %6.2f-%-6.2f sec  %-11s  %-14s", id, s->start, s->end,
           bytes_text(bytes, (double)s->bytes),
           rate_text(rate, bits_per_second(s->bytes, s->end - s->start)));
    if (s->has_retrans)
        printf("  %4u", s->retrans);
    if (s->cwnd)
        printf("  %s", bytes_text(cwnd, s->cwnd));
    if (*role)
        printf("%*s%s", s->has_retrans ? 13 : 19, "", role);
    putchar('\n');
}

static void span_json(int id, const struct span *s)
{
    putchar('{');
    if (id)
        printf("\"socket\":%d,", id);
    printf("\"start\":%.6f,\"end\":%.6f,\"seconds\":%.6f,\"bytes\":%llu,"
           "\"bits_per_second\":%.0f,",
           s->start, s->end, s->end - s->start, (unsigned long long)s->bytes,
           bits_per_second(s->bytes, s->end - s->start));
    if (s->has_retrans)
        printf("\"retransmits\":%u,", s->retrans);
    if (s->cwnd)
        printf("\"snd_cwnd\":%u,", s->cwnd);
    printf("\"omitted\":false,\"sender\":%s}", s->sender ? "true" : "false");
}

static struct span stream_interval(const struct perf *p, const struct perf_stream *s,
                                   int64_t now)
{
    return (struct span){
        .start = seconds_between(p->begin, p->last),
        .end = seconds_between(p->begin, now),
        .bytes = s->bytes - s->before,
        .retrans = s->retrans - s->retrans_before,
        .cwnd = p->reverse ? 0 : s->cwnd,
        .has_retrans = !p->reverse,
        .sender = !p->reverse,
    };
}

void perf_report_interval(struct perf *p, int64_t now)
{
    struct span sum = stream_interval(p, &p->stream[0], now);
    char id[12];
    sum.bytes = sum.retrans = sum.cwnd = 0;
    if (p->json)
        printf("%s\n{\"streams\":[", p->intervals ? "," : "");
    for (int i = 0; i < p->n; i++) {
        struct perf_stream *s = &p->stream[i];
        struct span one = stream_interval(p, s, now);
        snprintf(id, sizeof id, "%d", stream_id(i));
        if (p->json && i)
            putchar(',');
        if (p->json)
            span_json(stream_id(i), &one);
        else
            span_text(id, &one, "");
        sum.bytes += one.bytes;
        sum.retrans += one.retrans;
        s->before = s->bytes;
        s->retrans_before = s->retrans;
    }
    if (p->json) {
        printf("],\"sum\":");
        span_json(0, &sum);
        putchar('}');
    } else if (p->n > 1) {
        span_text("SUM", &sum, "");
    }
    p->intervals++;
    p->last = now;
    fflush(stdout);
}

/* --- end --- */

static struct span total(const struct perf *p, uint64_t bytes, uint32_t retrans,
                         bool sender)
{
    int64_t end = sender && !p->reverse ? p->sent_at : p->arrived_at;
    return (struct span){
        .end = seconds_between(p->begin, end),
        .bytes = bytes,
        .retrans = retrans,
        .has_retrans = sender && !p->reverse,
        .sender = sender,
    };
}

static void end_json(const struct perf *p)
{
    struct span s;
    printf("],\n\"end\":{\"streams\":[");
    for (int i = 0; i < p->n; i++) {
        const struct perf_stream *one = &p->stream[i];
        printf("%s\n{\"sender\":", i ? "," : "");
        s = total(p, one->bytes, one->retrans, true);
        span_json(stream_id(i), &s);
        printf(",\"receiver\":");
        s = total(p, one->bytes, 0, false);
        span_json(stream_id(i), &s);
        putchar('}');
    }
    printf("],\n\"sum_sent\":");
    s = total(p, all_bytes(p), all_retrans(p), true);
    span_json(0, &s);
    printf(",\n\"sum_received\":");
    s = total(p, all_bytes(p), 0, false);
    span_json(0, &s);
    puts("}}");
}

static void end_text(const struct perf *p)
{
    char id[12];
    struct span s;
    puts("- - - - - - - - - - - - - - - - - - - - - - - - -");
    printf("[ ID] Interval           Transfer     Bitrate%s\n",
           p->reverse ? "" : "         Retr");
    for (int i = 0; i < p->n; i++) {
        const struct perf_stream *one = &p->stream[i];
        snprintf(id, sizeof id, "%d", stream_id(i));
        s = total(p, one->bytes, one->retrans, true);
        span_text(id, &s, "sender");
        s = total(p, one->bytes, 0, false);
        span_text(id, &s, "receiver");
    }
    if (p->n > 1) {
        s = total(p, all_bytes(p), all_retrans(p), true);
        span_text("SUM", &s, "sender");
        s = total(p, all_bytes(p), 0, false);
        span_text("SUM", &s, "receiver");
    }
    puts("\nperf Done.");
}

void perf_report_end(const struct perf *p)
{
    if (p->json)
        end_json(p);
    else
        end_text(p);
    fflush(stdout);
}
