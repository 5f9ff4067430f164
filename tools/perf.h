/* tapir perf, in three files: the client (cmd_perf.c), its report (perf_report.c), the
 * server (perf_serve.c). */
#ifndef TAPIR_TOOLS_PERF_H
#define TAPIR_TOOLS_PERF_H

#include <stdbool.h>
#include <stdint.h>

#include "app/endpoint.h"

enum {
    PERF_DISCARD = 5001, /* reads until the end */
    PERF_SOURCE = 5002,  /* sends until the peer closes */
    PERF_ECHO = 5003,    /* sends back what comes */
    PERF_BUFFER = 128 * 1024,
    PERF_STREAMS = 128 /* connections of one client at most */
};

struct perf_stream {
    int fd;           /* -1: closed */
    uint64_t bytes;   /* sent or received so far */
    uint64_t before;  /* bytes when the current interval began */
    uint32_t retrans; /* segments sent again so far */
    uint32_t retrans_before;
    uint32_t cwnd; /* bytes */
    union endpoint local, remote;
};

struct perf {
    const char *host; /* as given: HOST[:PORT] */
    char name[128];   /* HOST */
    union endpoint to;
    bool serve, reverse, json;
    bool reported; /* the report has begun */
    double seconds;
    long long n; /* streams */
    struct perf_stream stream[PERF_STREAMS];
    int64_t begin;      /* microseconds, of the first byte */
    int64_t last;       /* end of the last interval */
    int64_t sent_at;    /* when the last byte was written (or read, in reverse) */
    int64_t arrived_at; /* when the peer had closed, so that it has all */
    unsigned intervals; /* reported so far */
};

/* The report, as text or JSON, on stdout. */
void perf_report_start(const struct perf *p);
void perf_report_interval(struct perf *p, int64_t now);
void perf_report_end(const struct perf *p);

#endif
