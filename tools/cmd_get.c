/* tapir get: the library's HTTP client with curl's letters, messages and exit codes.
 * The body goes to stdout or to the file of -o, nothing else does; -o FILE belongs to
 * the URL at the same place in the order. A file is made when its first byte comes, or
 * at the end of an empty answer, so a fetch that fails before leaves nothing behind.
 *
 * Several URLs are fetched one after the other, over one connection where that works.
 * Unlike curl's, the exit status is that of the last fetch that failed, not of the
 * last: 0 means that all is there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/names.h"
#include "commands.h"
#include "http/http_url.h"
#include "http/http_write.h"
#include "options.h"
#include "tapir/http.h"

enum {
    URLS_MAX = 256,
    LIST_MAX = 64,    /* of -H, and of --resolve */
    LINK_FAILED = 45, /* the stack could not be brought up */
    OPT_RESOLVE = 256,
    OPT_CONNECT_TIMEOUT,
    OPT_LATER, /* and above: curl has them; they belong to later issues */
};

struct get {
    struct tapir_http_options http;
    const char *url[URLS_MAX], *output[URLS_MAX];
    const char *header[LIST_MAX], *resolve[LIST_MAX];
    size_t n_urls, n_outputs;
    bool verbose, include, silent, show_error;

    /* The fetch at hand. */
    const char *path; /* where its body goes; NULL: stdout */
    int fd;           /* the same, open; -1: not yet */
    int write_error;  /* errno of what could not be opened or written */
};

static const struct option_row rows[] = {
    { 'v', 'v', "verbose", false },
    { 'o', 'o', "output", true },
    { 'i', 'i', "include", false },
    { 'I', 'I', "head", false },
    { 's', 's', "silent", false },
    { 'S', 'S', "show-error", false },
    { 'f', 'f', "fail", false },
    { 'H', 'H', "header", true },
    { 'A', 'A', "user-agent", true },
    { 'm', 'm', "max-time", true },
    { OPT_CONNECT_TIMEOUT, 0, "connect-timeout", true },
    { OPT_RESOLVE, 0, "resolve", true },
    { OPT_LATER + 'L', 'L', "location", false },
    { OPT_LATER + 'O', 'O', "remote-name", false },
    { OPT_LATER + 'J', 'J', "remote-header-name", false },
    { OPT_LATER + 'R', 'R', "remote-time", false },
    { OPT_LATER + 'd', 'd', "data", false },
    { OPT_LATER + 1, 0, "data-binary", false },
    { OPT_LATER + 2, 0, "json", false },
    { OPT_LATER + 'F', 'F', "form", false },
    { OPT_LATER + 'T', 'T', "upload-file", false },
    { OPT_LATER + 'X', 'X', "request", false },
    { OPT_LATER + 'u', 'u', "user", false },
    { OPT_LATER + 'r', 'r', "range", false },
    { OPT_LATER + 'C', 'C', "continue-at", false },
    { OPT_LATER + 'z', 'z', "time-cond", false },
    { OPT_LATER + 'e', 'e', "referer", false },
    { OPT_LATER + 'b', 'b', "cookie", false },
    { OPT_LATER + 'c', 'c', "cookie-jar", false },
    { OPT_LATER + 'w', 'w', "write-out", false },
    { OPT_LATER + 'x', 'x', "proxy", false },
    { OPT_LATER + 'K', 'K', "config", false },
    { OPT_LATER + 'Z', 'Z', "parallel", false },
    { OPT_LATER + 'V', 'V', "version", false },
    { OPT_LATER + '0', '0', "http1.0", false },
    { OPT_LATER + '4', '4', "ipv4", false },
    { OPT_LATER + '6', '6', "ipv6", false },
    { OPT_LATER + '#', '#', "progress-bar", false },
    { OPT_LATER + 3, 0, "compressed", false },
    { OPT_LATER + 4, 0, "max-redirs", false },
    { OPT_LATER + 5, 0, "retry", false },
    { OPT_LATER + 6, 0, "next", false },
    { OPT_LATER + 7, 0, "trace", false },
    { OPT_LATER + 8, 0, "trace-ascii", false },
    { 0, 0, NULL, false },
};

/* --- output --- */

static bool open_output(struct get *g)
{
    if (g->fd >= 0)
        return true;
    if (!g->path || strcmp(g->path, "-") == 0)
        g->fd = STDOUT_FILENO;
    else
        g->fd = open(g->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (g->fd < 0)
        g->write_error = errno;
    return g->fd >= 0;
}

static bool write_out(struct get *g, const char *at, size_t len)
{
    if (!open_output(g))
        return false;
    while (len > 0) {
        ssize_t n = write(g->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g->write_error = errno;
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* False: what was written did not all reach the file (a full disk tells it late). */
static bool close_output(struct get *g)
{
    int fd = g->fd;

    g->fd = -1;
    if (fd < 0 || fd == STDOUT_FILENO || close(fd) == 0)
        return true;
    g->write_error = errno;
    return false;
}

static bool on_body(void *ctx, const void *at, size_t len)
{
    return write_out(ctx, at, len);
}

static bool on_head(void *ctx, const char *at, size_t len)
{
    struct get *g = ctx;
    return !(g->include || g->http.head) || write_out(g, at, len);
}

static void on_talk(void *ctx, char mark, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%c %s\n", mark, line);
}

/* --- fetching --- */

static void tell_failure(const struct get *g, const struct tapir_error *error)
{
    if (g->silent && !g->show_error)
        return;
    fprintf(stderr, "tapir get: %s\n", error->what);
    if (error->cause[0])
        fprintf(stderr, "  cause: %s\n", error->cause);
    if (error->fix[0])
        fprintf(stderr, "  fix:   %s\n", error->fix);
}

/* Where the body should have gone, and why it did not. */
static void explain_write(const struct get *g, struct tapir_http_result *r)
{
    r->code = 23;
    snprintf(r->error.what, sizeof r->error.what,
             "(23) Failure writing output to destination");
    snprintf(r->error.cause, sizeof r->error.cause, "%.120s: %s",
             g->path ? g->path : "stdout", strerror(g->write_error));
}

static int fetch(struct get *g, struct tapir_http_client *client, size_t i)
{
    struct tapir_http_result r;

    g->path = g->output[i];
    g->fd = -1;
    g->write_error = 0;
    tapir_http_get(client, g->url[i], i + 1 < g->n_urls, &r);
    if (r.code == 0)
        open_output(g);
    close_output(g);
    if (g->write_error && (r.code == 0 || r.code == 23))
        explain_write(g, &r);
    if (r.code != 0)
        tell_failure(g, &r.error);
    return r.code;
}

/* Is there a URL that could be fetched? A stack for nothing but malformed ones might
 * fail, and hide what is wrong. */
static bool any_url(const struct get *g)
{
    struct http_url url;
    const char *why;

    for (size_t i = 0; i < g->n_urls; i++)
        if (http_parse_url(g->url[i], &url, &why) == 0)
            return true;
    return false;
}

static int get_body(struct options *o, void *arg)
{
    struct get *g = arg;
    struct tapir_http_client *client = tapir_http_client_new(&g->http);
    struct http_url url;
    const char *why;
    int status = 0;

    if (!client) {
        tell("cannot fetch", "there is no memory", NULL);
        return 27;
    }
    if (http_parse_url(g->url[0], &url, &why) == 0)
        options_wait_far(o, url.port);
    for (size_t i = 0; i < g->n_urls; i++) {
        int code = fetch(g, client, i);
        status = code ? code : status;
    }
    tapir_http_client_free(client);
    return status;
}

/* --- the command --- */

static int add(const char **list, size_t max, size_t *n, const char *value)
{
    if (*n == max)
        return tell_usage("get: too many of one option", "make several calls");
    list[(*n)++] = value;
    return 0;
}

static int set_seconds(const char *name, const char *value, int64_t *out)
{
    double seconds;

    if (!option_decimal(name, value, 0, 1e9, &seconds))
        return 2;
    *out = (int64_t)(seconds * 1e6);
    return 0;
}

static int add_resolve(struct get *g, const char *value)
{
    if (!names_resolve_is_valid(value))
        return tell_usage("bad value for --resolve: it takes HOST:PORT:ADDRESS",
                          "--resolve example.test:80:192.0.2.1");
    return add(g->resolve, LIST_MAX, &g->http.n_resolve, value);
}

static int add_header(struct get *g, const char *value)
{
    if (!http_field_is_valid(value))
        return tell_usage("bad value for -H: it takes 'Name: value'",
                          "-H 'Accept: text/html'");
    return add(g->header, LIST_MAX, &g->http.n_headers, value);
}

static int set_agent(struct get *g, const char *value)
{
    g->http.user_agent = value;
    return 0;
}

/* An option without a value. */
static int set_switch(const struct options *o, struct get *g, int id)
{
    switch (id) {
    case 'v':
        g->verbose = true;
        return 0;
    case 'i':
        g->include = true;
        return 0;
    case 'I':
        g->http.head = true;
        return 0;
    case 's':
        g->silent = true;
        return 0;
    case 'S':
        g->show_error = true;
        return 0;
    case 'f':
        g->http.fail = true;
        return 0;
    default:
        return id > OPT_LATER ? tell_later_option(o, rows, id) : options_exit(id);
    }
}

static int set_option(const struct options *o, struct get *g, int id, const char *value)
{
    switch (id) {
    case OPT_WORD:
        return add(g->url, URLS_MAX, &g->n_urls, value);
    case 'o':
        return add(g->output, URLS_MAX, &g->n_outputs, value);
    case 'H':
        return add_header(g, value);
    case 'A':
        return set_agent(g, value);
    case 'm':
        return set_seconds("-m", value, &g->http.max_time);
    case OPT_CONNECT_TIMEOUT:
        return set_seconds("--connect-timeout", value, &g->http.connect_timeout);
    case OPT_RESOLVE:
        return add_resolve(g, value);
    default:
        return set_switch(o, g, id);
    }
}

int get_run(int argc, char **argv)
{
    static struct get g; /* its lists are much for a stack */
    struct options o;
    int id, status;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        status = set_option(&o, &g, id, o.value);
        if (status != 0 || id == OPT_HELP)
            return status;
    }
    if (g.n_urls == 0)
        return tell_usage("get needs a URL", "tapir get http://192.0.2.1/");
    g.http.headers = g.header;
    g.http.resolve = g.resolve;
    g.http.head_in = on_head;
    g.http.body = on_body;
    g.http.talk = g.verbose ? on_talk : NULL;
    g.http.ctx = &g;
    if (!any_url(&g))
        return get_body(&o, &g);
    return options_run(
        &o, &(struct job){ .body = get_body, .arg = &g, .failed = LINK_FAILED });
}
