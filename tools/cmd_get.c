/* tapir get: the library's HTTP client with curl's letters, messages and exit codes.
 * This file reads the call (get.h says what the others do): the n-th -o or -O and the
 * n-th -T belong to the n-th URL, and --next begins a group with options of its own.
 *
 * Several URLs are fetched one after the other, over one connection where that works;
 * with --pipeline they are asked for ahead, with -Z several are fetched at once. Unlike
 * curl's, the exit status is that of the last fetch that failed, not of the last: 0
 * means that all is there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/names.h"
#include "commands.h"
#include "get.h"
#include "http/http_url.h"
#include "http/http_write.h"
#include "options.h"

enum {
    LINK_FAILED = 45, /* the stack could not be brought up */
    OPT_FIRST = 256,
    OPT_CONNECT_TIMEOUT,
    OPT_RESOLVE,
    OPT_DATA_ASCII,
    OPT_DATA_BINARY,
    OPT_DATA_RAW,
    OPT_JSON,
    OPT_URL,
    OPT_MAX_REDIRS,
    OPT_RETRY,
    OPT_RETRY_DELAY,
    OPT_RETRY_REFUSED,
    OPT_RETRY_ALL,
    OPT_PIPELINE,
    OPT_PARALLEL_MAX,
    OPT_PARALLEL_IMMEDIATE,
    OPT_FAIL_EARLY,
    OPT_NO_PROGRESS,
    OPT_HTTP11,
    OPT_LATER, /* and above: curl has them, this program has not */
};

static const struct option_row rows[] = {
    { 'v', 'v', "verbose", false },
    { 'o', 'o', "output", true },
    { 'O', 'O', "remote-name", false },
    { 'i', 'i', "include", false },
    { 'I', 'I', "head", false },
    { 's', 's', "silent", false },
    { 'S', 'S', "show-error", false },
    { 'f', 'f', "fail", false },
    { 'L', 'L', "location", false },
    { OPT_MAX_REDIRS, 0, "max-redirs", true },
    { 'd', 'd', "data", true },
    { OPT_DATA_ASCII, 0, "data-ascii", true },
    { OPT_DATA_BINARY, 0, "data-binary", true },
    { OPT_DATA_RAW, 0, "data-raw", true },
    { OPT_JSON, 0, "json", true },
    { 'G', 'G', "get", false },
    { 'T', 'T', "upload-file", true },
    { 'H', 'H', "header", true },
    { 'X', 'X', "request", true },
    { 'A', 'A', "user-agent", true },
    { 'e', 'e', "referer", true },
    { 'u', 'u', "user", true },
    { 'r', 'r', "range", true },
    { 'C', 'C', "continue-at", true },
    { 'm', 'm', "max-time", true },
    { OPT_CONNECT_TIMEOUT, 0, "connect-timeout", true },
    { OPT_RETRY, 0, "retry", true },
    { OPT_RETRY_DELAY, 0, "retry-delay", true },
    { OPT_RETRY_REFUSED, 0, "retry-connrefused", false },
    { OPT_RETRY_ALL, 0, "retry-all-errors", false },
    { '0', '0', "http1.0", false },
    { OPT_HTTP11, 0, "http1.1", false },
    { OPT_RESOLVE, 0, "resolve", true },
    { OPT_URL, 0, "url", true },
    { ':', ':', "next", false },
    { 'w', 'w', "write-out", true },
    { OPT_PIPELINE, 0, "pipeline", false },
    { 'Z', 'Z', "parallel", false },
    { OPT_PARALLEL_MAX, 0, "parallel-max", true },
    { OPT_PARALLEL_IMMEDIATE, 0, "parallel-immediate", false },
    { OPT_FAIL_EARLY, 0, "fail-early", false },
    { OPT_NO_PROGRESS, 0, "no-progress-meter", false },
    { 'g', 'g', "globoff", false },
    { OPT_LATER + 'J', 'J', "remote-header-name", false },
    { OPT_LATER + 'R', 'R', "remote-time", false },
    { OPT_LATER + 'F', 'F', "form", false },
    { OPT_LATER + 'z', 'z', "time-cond", false },
    { OPT_LATER + 'b', 'b', "cookie", false },
    { OPT_LATER + 'c', 'c', "cookie-jar", false },
    { OPT_LATER + 'x', 'x', "proxy", false },
    { OPT_LATER + 'K', 'K', "config", false },
    { OPT_LATER + 'V', 'V', "version", false },
    { OPT_LATER + '4', '4', "ipv4", false },
    { OPT_LATER + '6', '6', "ipv6", false },
    { OPT_LATER + '#', '#', "progress-bar", false },
    { OPT_LATER + 3, 0, "compressed", false },
    { OPT_LATER + 7, 0, "trace", false },
    { OPT_LATER + 8, 0, "trace-ascii", false },
    { 0, 0, NULL, false },
};

/* --- fetching --- */

static struct http_url first_url(const struct get *g, bool *found)
{
    struct http_url url = { .port = 80 };
    const char *why;

    *found = false;
    for (size_t i = 0; i < g->n_transfers && !*found; i++)
        *found = http_parse_url(g->transfer[i].url, &url, &why) == 0;
    return url;
}

/* Transfers from the i-th to the end of its group. */
static size_t group_size(const struct get *g, size_t i)
{
    size_t n = 1;

    while (i + n < g->n_transfers && g->transfer[i + n].group == g->transfer[i].group)
        n++;
    return n;
}

static int get_in_order(struct get *g, struct tapir_http_client *client)
{
    int status = 0;

    for (size_t i = 0, n; i < g->n_transfers; i += n) {
        struct get_transfer *t = &g->transfer[i];
        int code;
        n = g->pipeline && get_may_pipeline(t->group) ? group_size(g, i) : 1;
        if (n > 1)
            code = get_pipelined(t, n, client);
        else
            code = get_transfer(t, client, i + 1 < g->n_transfers);
        status = code ? code : status;
        if (status && g->fail_early)
            break;
    }
    return status;
}

static int get_body(struct options *o, void *arg)
{
    struct get *g = arg;
    bool found;
    struct http_url url = first_url(g, &found);
    struct tapir_http_client *client;
    int status;

    if (found)
        options_wait_far(o, url.port);
    if (g->parallel)
        return get_parallel(o, g);
    client = tapir_http_client_new(&g->group[0].http);
    if (!client) {
        tell("cannot fetch", "there is no memory", NULL);
        return 27;
    }
    status = get_in_order(g, client);
    tapir_http_client_free(client);
    return status;
}

/* --- the call --- */

static struct get_group *group_at(struct get *g)
{
    return &g->group[g->n_groups - 1];
}

static int too_many(const char *of)
{
    char what[80];

    snprintf(what, sizeof what, "get: too many %s", of);
    return tell_usage(what, "make several calls");
}

/* The n-th transfer of the group at hand; NULL: there are too many. URLs, -o and -T may
 * come in any order, so it may not have its URL yet. */
static struct get_transfer *transfer_at(struct get *g, size_t n)
{
    struct get_group *group = group_at(g);
    size_t first = 0;

    while (first < g->n_transfers && g->transfer[first].group != group)
        first++;
    if (first + n == GET_TRANSFERS_MAX)
        return NULL;
    struct get_transfer *t = &g->transfer[first + n];
    if (first + n == g->n_transfers) {
        *t = (struct get_transfer){ .get = g, .group = group, .fd = -1, .in = -1 };
        t->number = g->n_transfers++;
    }
    return t;
}

static int add_url(struct get *g, const char *value)
{
    struct get_transfer *t = transfer_at(g, group_at(g)->n_urls++);

    if (!t)
        return too_many("URLs");
    t->url = value;
    return 0;
}

static int add_output(struct get *g, const char *value)
{
    struct get_transfer *t = transfer_at(g, group_at(g)->n_outputs++);

    if (!t)
        return too_many("-o and -O");
    t->output = value;
    return 0;
}

static int add_upload(struct get *g, const char *value)
{
    struct get_transfer *t = transfer_at(g, group_at(g)->n_uploads++);

    if (!t)
        return too_many("-T");
    t->upload = value;
    return 0;
}

static int add_group(struct get *g)
{
    if (group_at(g)->n_urls == 0)
        return tell_usage("get: there is no URL before --next", "name one");
    if (g->n_groups == GET_GROUPS_MAX)
        return too_many("--next");
    g->n_groups++;
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

static int add_resolve(struct get_group *group, const char *value)
{
    if (!names_resolve_is_valid(value))
        return tell_usage("bad value for --resolve: it takes HOST:PORT:ADDRESS",
                          "--resolve example.test:80:192.0.2.1");
    if (group->http.n_resolve == GET_LIST_MAX)
        return too_many("--resolve");
    /* A "+" in front asks curl to forget it after a while: a call is over before. */
    group->resolve[group->http.n_resolve++] = value + (value[0] == '+');
    return 0;
}

/* "Name: value", "Name:" and "Name;". */
static int add_header(struct get_group *group, const char *value)
{
    size_t name = strcspn(value, ":;");
    bool empty = name > 0 && strcmp(value + name, ";") == 0;

    if (!http_field_is_valid(value) && !empty)
        return tell_usage("bad value for -H: it takes 'Name: value'",
                          "-H 'Accept: text/html'");
    if (group->http.n_headers == GET_LIST_MAX)
        return too_many("-H");
    group->header[group->http.n_headers++] = value;
    return 0;
}

/* What goes into a line of the head as it is. */
static int set_word(const char *name, const char **out, const char *value)
{
    char what[80];

    *out = value;
    if (!strpbrk(value, "\r\n") && (strcmp(name, "-X") != 0 || !strpbrk(value, " \t")))
        return 0;
    snprintf(what, sizeof what, "bad value for %s: it would end its line", name);
    return tell_usage(what, "leave out what is not part of it");
}

static int set_count(const char *name, const char *value, long long max, long long *out)
{
    return option_number(name, value, 0, max, out) ? 0 : 2;
}

static int set_redirects(struct get_group *group, const char *value)
{
    long long n;

    if (!option_number("--max-redirs", value, -1, 1000000000, &n))
        return 2;
    /* -1 is curl's "any number"; the library's is "none". */
    group->http.max_redirects = n == 0 ? -1 : n < 0 ? 1000000000 : (int)n;
    return 0;
}

static int set_resume(struct get_group *group, const char *value)
{
    long long from;

    group->resume_auto = strcmp(value, "-") == 0;
    if (group->resume_auto)
        return 0;
    if (!option_number("-C", value, 0, INT64_MAX, &from))
        return 2;
    group->http.resume = (uint64_t)from;
    return 0;
}

/* "0-99", or "99", which is from there on. */
static int set_range(struct get_group *group, const char *value)
{
    char *open;

    if (value[0] == '\0' || value[strspn(value, "0123456789-, ")] != '\0')
        return tell_usage("bad value for -r: it takes ranges of bytes", "-r 0-99,200-");
    group->http.range = value;
    if (strchr(value, '-'))
        return 0;
    open = malloc(strlen(value) + 2); /* kept: the options point to it */
    if (!open)
        return 27;
    sprintf(open, "%s-", value);
    group->http.range = open;
    return 0;
}

/* --json's own fields, unless the user has his. */
static int add_json_fields(struct get_group *group)
{
    static const char *const fields[] = { "Content-Type: application/json",
                                          "Accept: application/json" };
    size_t own = group->http.n_headers;
    int err = 0;

    for (size_t i = 0; i < 2 && err == 0; i++) {
        size_t name = strcspn(fields[i], ":") + 1, k = 0;
        while (k < own && strncasecmp(group->header[k], fields[i], name) != 0)
            k++;
        if (k == own)
            err = add_header(group, fields[i]);
    }
    return err;
}

static int set_data(struct get_group *group, int how, const char *value)
{
    group->json |= how == 'j';
    return get_data_add(group, how, value);
}

static int set_referer(struct get_group *group, const char *value)
{
    if (strstr(value, ";auto"))
        return tell_usage("bad value for -e: ';auto' is not built yet", "-e URL");
    return set_word("-e", &group->http.referer, value);
}

/* An option without a value, of the whole call. */
static int set_call_switch(const struct options *o, struct get *g, int id)
{
    switch (id) {
    case 'v':
        g->verbose = true;
        return 0;
    case 's':
        g->silent = true;
        return 0;
    case 'S':
        g->show_error = true;
        return 0;
    case 'Z':
        g->parallel = true;
        return 0;
    case OPT_PARALLEL_IMMEDIATE: /* it always is */
    case 'g':                    /* brackets and braces never stand for several URLs */
        return 0;
    case OPT_PIPELINE:
        g->pipeline = true;
        return 0;
    case OPT_FAIL_EARLY:
        g->fail_early = true;
        return 0;
    case OPT_NO_PROGRESS:
        g->no_progress = true;
        return 0;
    default:
        return id > OPT_LATER ? tell_later_option(o, rows, id) : options_exit(id);
    }
}

/* An option without a value, of the group. */
static int set_switch(const struct options *o, struct get *g, int id)
{
    struct get_group *group = group_at(g);

    switch (id) {
    case 'O':
        return add_output(g, get_remote_name);
    case 'i':
        group->include = true;
        return 0;
    case 'I':
        group->http.head = true;
        return 0;
    case 'f':
        group->http.fail = true;
        return 0;
    case 'L':
        group->http.follow = true;
        return 0;
    case 'G':
        group->query = true;
        return 0;
    case '0':
    case OPT_HTTP11:
        group->http.http10 = id == '0';
        return 0;
    case OPT_RETRY_REFUSED:
        group->retry_refused = true;
        return 0;
    case OPT_RETRY_ALL:
        group->retry_all = true;
        return 0;
    case ':':
        return add_group(g);
    default:
        return set_call_switch(o, g, id);
    }
}

/* Limits and times. */
static int set_limit(const struct options *o, struct get *g, int id, const char *value)
{
    struct get_group *group = group_at(g);

    switch (id) {
    case OPT_MAX_REDIRS:
        return set_redirects(group, value);
    case 'm':
        return set_seconds("-m", value, &group->http.max_time);
    case OPT_CONNECT_TIMEOUT:
        return set_seconds("--connect-timeout", value, &group->http.connect_timeout);
    case OPT_RETRY:
        return set_count("--retry", value, 1000000000, &group->retries);
    case OPT_RETRY_DELAY:
        return set_seconds("--retry-delay", value, &group->retry_delay);
    case OPT_PARALLEL_MAX:
        if (set_count("--parallel-max", value, GET_TRANSFERS_MAX, &g->parallel_max))
            return 2;
        g->parallel_max = g->parallel_max ? g->parallel_max : 50;
        return 0;
    default:
        return set_switch(o, g, id);
    }
}

/* What the request says and carries. */
static int set_request(const struct options *o, struct get *g, int id,
                       const char *value)
{
    struct get_group *group = group_at(g);

    switch (id) {
    case 'd':
    case OPT_DATA_ASCII:
        return set_data(group, 'd', value);
    case OPT_DATA_BINARY:
        return set_data(group, 'b', value);
    case OPT_DATA_RAW:
        return set_data(group, 'r', value);
    case OPT_JSON:
        return set_data(group, 'j', value);
    case 'H':
        return add_header(group, value);
    case 'X':
        return set_word("-X", &group->http.method, value);
    case 'A':
        return set_word("-A", &group->http.user_agent, value);
    case 'e':
        return set_referer(group, value);
    case 'u':
        group->http.user = value;
        return 0;
    case 'r':
        return set_range(group, value);
    case 'C':
        return set_resume(group, value);
    case OPT_RESOLVE:
        return add_resolve(group, value);
    default:
        return set_limit(o, g, id, value);
    }
}

static int set_option(const struct options *o, struct get *g, int id, const char *value)
{
    switch (id) {
    case OPT_WORD:
    case OPT_URL:
        return add_url(g, value);
    case 'o':
        return add_output(g, value);
    case 'T':
        return add_upload(g, value);
    case 'w':
        group_at(g)->write_out = value;
        return 0;
    default:
        return set_request(o, g, id, value);
    }
}

/* What does not go together; what was given without its URL is dropped. */
static int check(struct get *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n_transfers; i++)
        if (g->transfer[i].url)
            g->transfer[n++] = g->transfer[i];
    g->n_transfers = n;
    if (n == 0)
        return tell_usage("get needs a URL", "tapir get http://192.0.2.1/");
    for (size_t i = 0; i < g->n_groups; i++) {
        struct get_group *group = &g->group[i];
        bool data = group->data && !group->query;
        if (data + (group->n_uploads > 0) + group->http.head > 1)
            return tell_usage("get: only one of -d, -T and -I makes a request",
                              "use --next between them");
        if (group->n_uploads && (group->resume_auto || group->http.resume))
            return tell_usage("get: -C does not go with -T", "leave -C away");
        if (group->json && add_json_fields(group))
            return 2;
    }
    return 0;
}

int get_run(int argc, char **argv)
{
    static struct get g = { .n_groups = 1,
                            .parallel_max = 50,
                            .lock = PTHREAD_MUTEX_INITIALIZER };
    struct options o;
    int id, status;
    bool found;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        status = set_option(&o, &g, id, o.value);
        if (status != 0 || id == OPT_HELP)
            return status;
    }
    status = check(&g);
    if (status)
        return status;
    /* A stack for nothing but malformed URLs might fail, and hide what is wrong. */
    first_url(&g, &found);
    if (!found)
        return get_body(&o, &g);
    return options_run(
        &o, &(struct job){ .body = get_body, .arg = &g, .failed = LINK_FAILED });
}
