/* tapir serve: the library's file server with the stack's options around it. On a live
 * link it runs until a signal; on a simulated one until the visitor has gone, with
 * dates that count from the example in RFC 9110, so that a run can be repeated to the
 * byte. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "tapir/http.h"

enum {
    CONNECTIONS = 32768,       /* at once, where descriptors suffice */
    CONNECTIONS_MAX = 1000000, /* as many numbers as Linux gives a process, about */
    LATER_OPTION = 1000        /* and above: known, and not built */
};

#define SIM_DATE INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */

struct serve {
    struct options *o;
    const char *dir;
    uint16_t port;
    unsigned connections; /* at once */
};

static const struct option_row rows[] = {
    { 'p', 'p', "port", true },
    { 'n', 0, "max-connections", true },
    { LATER_OPTION + 0, 0, "echo", true },
    { LATER_OPTION + 1, 0, "header-timeout", true },
    { LATER_OPTION + 2, 0, "body-timeout", true },
    { LATER_OPTION + 3, 0, "idle-timeout", true },
    { LATER_OPTION + 4, 0, "send-timeout", true },
    { LATER_OPTION + 5, 0, "access-log", true },
    { 0, 0, NULL, false },
};

static void ready(void *ctx)
{
    const struct serve *s = ctx;
    char host[64];

    options_address(s->o, host, sizeof host);
    options_ready(s->o, "serving %s at http://%s:%u/", s->dir, host, s->port);
}

static bool stopped(void *ctx)
{
    const struct serve *s = ctx;
    return options_stopped(s->o);
}

static int64_t virtual_date(void *ctx)
{
    (void)ctx;
    return SIM_DATE + tapir_now() / 1000000;
}

static void tell_summary(const struct tapir_http_stats *stats)
{
    fprintf(stderr, "served: %llu requests, %llu connections, %llu bytes\n",
            (unsigned long long)stats->requests, (unsigned long long)stats->connections,
            (unsigned long long)stats->bytes);
}

static int serve_all(struct serve *s)
{
    struct options *o = s->o;
    struct tapir_http_stats stats = { 0, 0, 0 };
    struct tapir_error error = { .what = "" };
    struct tapir_http_server server = {
        .dir = s->dir,
        .port = s->port,
        .max_connections = s->connections,
        .stop_fd = o->stop_fd,
        .stopped = o->stop_fd < 0 ? stopped : NULL,
        .ready = ready,
        .clock = o->sim ? virtual_date : NULL,
        .ctx = s,
    };

    if (tapir_http_serve(&server, &stats, &error) < 0) {
        tell(error.what, error.cause, error.fix);
        return 1;
    }
    if (!o->quiet)
        tell_summary(&stats);
    return 0;
}

int serve_files(struct options *o, const char *dir, uint16_t port)
{
    struct serve s = { o, dir, port, descriptors_for(o, CONNECTIONS) };

    return serve_all(&s);
}

static int serve_body(struct options *o, void *arg)
{
    struct serve *s = arg;

    s->o = o;
    return serve_all(s);
}

/* As many connections as were asked for, or else as there can be descriptors. */
static bool find_connections(struct serve *s, const struct options *o, long long asked)
{
    unsigned fit = descriptors_for(o, asked ? (unsigned)asked : CONNECTIONS);
    char what[80];

    s->connections = fit;
    if (fit >= asked)
        return true;
    snprintf(what, sizeof what, "cannot hold %lld connections at once", asked);
    tell(what, "each takes a descriptor, and the limit of open files is too low",
         "raise it with ulimit -n, or run as root, which may raise it by itself");
    return false;
}

int serve_run(int argc, char **argv)
{
    struct serve s = { .port = 80 };
    long long port = 80, connections = 0;
    struct options o;
    int id;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_WORD && !s.dir)
            s.dir = o.value;
        else if (id == OPT_WORD)
            return tell_usage("serve takes one DIR", "tapir help serve");
        else if (id >= LATER_OPTION)
            return tell_later_option(&o, rows, id);
        else if (id == 'n' && !option_number("--max-connections", o.value, 1,
                                             CONNECTIONS_MAX, &connections))
            return 2;
        else if (id != 'p' && id != 'n')
            return options_exit(id);
        else if (id == 'p' && !option_number("--port", o.value, 1, 65535, &port))
            return 2;
    }
    if (!s.dir)
        return tell_usage("serve needs a DIR", "tapir serve .");
    s.port = (uint16_t)port;
    if (!find_connections(&s, &o, connections))
        return 1;
    return options_run(&o, &(struct job){ .body = serve_body,
                                          .arg = &s,
                                          .failed = 1,
                                          .server = true,
                                          .watches = true,
                                          .visit = s.port });
}
