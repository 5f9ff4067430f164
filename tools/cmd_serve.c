/* tapir serve: the library's file server with the stack's options around it. On a live
 * link it runs until a signal; on a simulated one until the visitor has gone, with
 * dates that count from the example in RFC 9110, so that a run can be repeated to the
 * byte. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "tapir/http.h"

enum {
    CONNECTIONS = 32768,       /* at once, where descriptors suffice */
    CONNECTIONS_MAX = 1000000, /* as many numbers as Linux gives a process, about */
    OPT_ECHO = 256,
    OPT_BIND,
    OPT_FOLLOW,
    OPT_NO_LISTING,
    OPT_NO_STATUS,
    OPT_LOG,
    OPT_FORMAT,
    OPT_TIME = 1000,          /* and above: a row of times */
    OPT_LIMIT = OPT_TIME + 4, /* and above: a row of limits */
};

#define SIM_DATE INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */

struct serve {
    struct options *o;
    struct tapir_http_server http; /* what the options say */
    const char *log_path;          /* NULL: no access log */
    FILE *log;
};

static const struct option_row rows[] = {
    { 'p', 'p', "port", true },
    { OPT_BIND, 0, "bind", true },
    { OPT_ECHO, 0, "echo", true },
    { OPT_FOLLOW, 0, "follow-links", false },
    { OPT_NO_LISTING, 0, "no-listing", false },
    { OPT_NO_STATUS, 0, "no-status", false },
    { OPT_LOG, 0, "access-log", true },
    { OPT_FORMAT, 0, "log-format", true },
    { OPT_TIME + 0, 0, "header-timeout", true },
    { OPT_TIME + 1, 0, "body-timeout", true },
    { OPT_TIME + 2, 0, "idle-timeout", true },
    { OPT_TIME + 3, 0, "send-timeout", true },
    { OPT_LIMIT + 0, 0, "max-connections", true },
    { OPT_LIMIT + 1, 0, "max-requests", true },
    { OPT_LIMIT + 2, 0, "max-line", true },
    { OPT_LIMIT + 3, 0, "max-header", true },
    { OPT_LIMIT + 4, 0, "max-fields", true },
    { OPT_LIMIT + 5, 0, "max-body", true },
    { 0, 0, NULL, false },
};

static void ready(void *ctx)
{
    const struct serve *s = ctx;
    char host[64];
    bool is_ip6;

    options_address(s->o, host, sizeof host);
    if (s->http.addr)
        snprintf(host, sizeof host, "%s", s->http.addr);
    is_ip6 = strchr(host, ':') != NULL;
    options_ready(s->o, "serving %s at http://%s%s%s:%u/", s->http.dir,
                  is_ip6 ? "[" : "", host, is_ip6 ? "]" : "", s->http.port);
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

static void on_log(void *ctx, const char *line, size_t len)
{
    struct serve *s = ctx;
    fwrite(line, 1, len, s->log);
}

/* Lines are whole in the file as soon as they are written, so tail(1) sees them. */
static bool open_log(struct serve *s)
{
    char what[120];

    if (!s->log_path)
        return true;
    s->log = strcmp(s->log_path, "-") == 0 ? stdout : fopen(s->log_path, "ae");
    if (s->log) {
        setvbuf(s->log, NULL, _IOLBF, BUFSIZ);
        s->http.log = on_log;
        return true;
    }
    snprintf(what, sizeof what, "cannot open the access log %.80s", s->log_path);
    tell(what, strerror(errno), "name a file that may be written, or - for stdout");
    return false;
}

static void close_log(struct serve *s)
{
    if (s->log && s->log != stdout)
        fclose(s->log);
    s->log = NULL;
}

static int serve_all(struct serve *s)
{
    struct options *o = s->o;
    struct tapir_http_stats stats = { 0, 0, 0 };
    struct tapir_error error = { .what = "" };
    int result;

    if (!open_log(s))
        return 1;
    s->http.stop_fd = o->stop_fd;
    s->http.stopped = o->stop_fd < 0 ? stopped : NULL;
    s->http.ready = ready;
    s->http.clock = o->sim ? virtual_date : NULL;
    s->http.ctx = s;
    result = tapir_http_serve(&s->http, &stats, &error);
    close_log(s);
    if (result < 0) {
        tell(error.what, error.cause, error.fix);
        return 1;
    }
    if (!o->quiet)
        tell_summary(&stats);
    return 0;
}

int serve_files(struct options *o, const char *dir, uint16_t port)
{
    struct serve s = { .o = o,
                       .http = { .dir = dir,
                                 .port = port,
                                 .max_connections = descriptors_for(o, CONNECTIONS) } };

    return serve_all(&s);
}

static int serve_body(struct options *o, void *arg)
{
    struct serve *s = arg;

    s->o = o;
    return serve_all(s);
}

/* As many connections as were asked for, or else as there can be descriptors. */
static bool find_connections(struct serve *s, const struct options *o)
{
    unsigned asked = s->http.max_connections;
    unsigned fit = descriptors_for(o, asked ? asked : CONNECTIONS);
    char what[80];

    s->http.max_connections = fit;
    if (fit >= asked)
        return true;
    snprintf(what, sizeof what, "cannot hold %u connections at once", asked);
    tell(what, "each takes a descriptor, and the limit of open files is too low",
         "raise it with ulimit -n, or run as root, which may raise it by itself");
    return false;
}

static int set_time(struct serve *s, int row, const char *value)
{
    static const char *const names[] = { "--header-timeout", "--body-timeout",
                                         "--idle-timeout", "--send-timeout" };
    int64_t *const times[] = { &s->http.head_timeout, &s->http.body_timeout,
                               &s->http.idle_timeout, &s->http.send_timeout };
    double seconds;

    if (!option_decimal(names[row], value, 0.001, 1e9, &seconds))
        return 2;
    *times[row] = (int64_t)(seconds * 1e6);
    return 0;
}

static int set_limit(struct serve *s, int row, const char *value)
{
    static const struct {
        const char *name;
        long long min, max;
    } limits[] = {
        { "--max-connections", 1, CONNECTIONS_MAX },
        { "--max-requests", 1, 1000000000 },
        { "--max-line", 16, 1 << 20 },
        { "--max-header", 64, 1 << 20 },
        { "--max-fields", 1, 2048 },
        { "--max-body", 1, 1LL << 40 },
    };
    struct tapir_http_server *h = &s->http;
    long long n;

    if (!option_number(limits[row].name, value, limits[row].min, limits[row].max, &n))
        return 2;
    h->max_connections = row == 0 ? (unsigned)n : h->max_connections;
    h->max_requests = row == 1 ? (unsigned)n : h->max_requests;
    h->max_line = row == 2 ? (size_t)n : h->max_line;
    h->max_head = row == 3 ? (size_t)n : h->max_head;
    h->max_fields = row == 4 ? (unsigned)n : h->max_fields;
    h->max_body = row == 5 ? (uint64_t)n : h->max_body;
    return 0;
}

static int set_port(struct serve *s, const char *value)
{
    long long port;

    if (!option_number("--port", value, 1, 65535, &port))
        return 2;
    s->http.port = (uint16_t)port;
    return 0;
}

static int set_echo(struct serve *s, const char *value)
{
    s->http.echo = value;
    return value[0] == '/' ? 0
                           : tell_usage("--echo takes a path that begins with /",
                                        "tapir serve --echo /echo .");
}

static int set_dir(struct serve *s, const char *value)
{
    if (s->http.dir)
        return tell_usage("serve takes one DIR", "tapir help serve");
    s->http.dir = value;
    return 0;
}

static int set_option(struct serve *s, int id, const char *value)
{
    if (id >= OPT_LIMIT)
        return set_limit(s, id - OPT_LIMIT, value);
    if (id >= OPT_TIME)
        return set_time(s, id - OPT_TIME, value);
    switch (id) {
    case OPT_WORD:
        return set_dir(s, value);
    case 'p':
        return set_port(s, value);
    case OPT_BIND:
        s->http.addr = value;
        return 0;
    case OPT_ECHO:
        return set_echo(s, value);
    case OPT_FOLLOW:
        s->http.follow_links = true;
        return 0;
    case OPT_NO_LISTING:
        s->http.no_listing = true;
        return 0;
    case OPT_NO_STATUS:
        s->http.status = false;
        return 0;
    case OPT_LOG:
        s->log_path = value;
        return 0;
    case OPT_FORMAT:
        s->http.log_format = value;
        return 0;
    default:
        return options_exit(id);
    }
}

int serve_run(int argc, char **argv)
{
    struct serve s = { .http = { .port = 80, .status = true } };
    struct options o;
    int id, status;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        status = set_option(&s, id, o.value);
        if (status != 0 || id == OPT_HELP)
            return status;
    }
    if (!s.http.dir)
        return tell_usage("serve needs a DIR", "tapir serve .");
    if (s.http.log_format && !s.log_path)
        s.log_path = "-";
    if (!find_connections(&s, &o))
        return 1;
    return options_run(&o, &(struct job){ .body = serve_body,
                                          .arg = &s,
                                          .failed = 1,
                                          .server = true,
                                          .watches = true,
                                          .visit = s.http.port });
}
