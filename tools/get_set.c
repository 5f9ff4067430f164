/* The options of tapir get one by one, and what they mean together. A transfer begins
 * with the first of its URL, -o and -T, in whatever order they come. A URL that is a
 * pattern becomes as many transfers as it stands for, once the whole call is known. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/names.h"
#include "base/text.h"
#include "get.h"
#include "http/http_date.h"
#include "http/http_write.h"

enum { LINE_ROOM = 8192 };

static int out_of_memory(void)
{
    tell("(27) Out of memory", NULL, NULL);
    return 27;
}

struct get_group *get_group_at(struct get *g)
{
    return &g->group[g->n_groups - 1];
}

static int too_many(const char *of)
{
    char what[80];

    snprintf(what, sizeof what, "get: too many %s", of);
    return tell_usage(what, "make several calls");
}

/* --- transfers --- */

/* One more of them; NULL: no memory, or too many. */
static struct get_transfer *add_transfer(struct get *g, struct get_group *group)
{
    size_t room = g->room ? 2 * g->room : 16;
    struct get_transfer *t = g->transfer;

    if (g->n_transfers == GET_TRANSFERS_MAX)
        return NULL;
    if (g->n_transfers == g->room) {
        t = realloc(t, room * sizeof *t);
        if (!t)
            return NULL;
        g->transfer = t;
        g->room = room;
    }
    t = &g->transfer[g->n_transfers];
    *t = (struct get_transfer){ .get = g, .group = group, .fd = -1, .in = -1 };
    t->number = g->n_transfers++;
    return t;
}

/* The n-th transfer of the group at hand; it may not have its URL yet. */
static struct get_transfer *transfer_at(struct get *g, size_t n)
{
    struct get_group *group = get_group_at(g);
    size_t first = 0;

    while (first < g->n_transfers && g->transfer[first].group != group)
        first++;
    if (first + n == g->n_transfers)
        return add_transfer(g, group);
    return &g->transfer[first + n];
}

/* --url @FILE: a URL a line. */
static int add_urls_of(struct get *g, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *line = NULL, what[120];
    size_t cap = 0;
    int status = 0;

    if (!f) {
        snprintf(what, sizeof what, "(26) Failed to open %.80s", path);
        tell(what, strerror(errno), NULL);
        return 26;
    }
    while (status == 0 && getline(&line, &cap, f) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            status = get_add_url(g, strdup(line)); /* kept: a transfer points to it */
    }
    free(line);
    if (f != stdin)
        fclose(f);
    return status;
}

int get_add_url(struct get *g, const char *value)
{
    struct get_transfer *t;

    if (value && value[0] == '@')
        return add_urls_of(g, value + 1);
    t = transfer_at(g, get_group_at(g)->n_urls++);
    if (!t || !value)
        return too_many("URLs");
    t->url = value;
    return 0;
}

int get_add_output(struct get *g, const char *value)
{
    struct get_transfer *t = transfer_at(g, get_group_at(g)->n_outputs++);

    if (!t)
        return too_many("-o and -O");
    t->output = value;
    return 0;
}

int get_add_upload(struct get *g, const char *value)
{
    struct get_transfer *t = transfer_at(g, get_group_at(g)->n_uploads++);

    if (!t)
        return too_many("-T");
    t->upload = value;
    return 0;
}

int get_add_group(struct get *g)
{
    if (get_group_at(g)->n_urls == 0)
        return tell_usage("get: there is no URL before --next", "name one");
    if (g->n_groups == GET_GROUPS_MAX)
        return too_many("--next");
    g->n_groups++;
    return 0;
}

/* --- values --- */

int get_set_seconds(const char *name, const char *value, int64_t *out)
{
    double seconds;

    if (!option_decimal(name, value, 0, 1e9, &seconds))
        return 2;
    *out = (int64_t)(seconds * 1e6);
    return 0;
}

/* "100", "64k", "1.5M", "2G" */
int get_set_size(const char *name, const char *value, uint64_t *out)
{
    static const char units[] = "BKMG";
    size_t n = strspn(value, "0123456789.");
    const char *unit = value[n] ? strchr(units, value[n] & ~0x20) : units;
    char digits[24];
    double size;

    if (!unit || (value[n] && value[n + 1]) || n >= sizeof digits)
        return tell_usage(
            "bad value for --max-filesize: it takes bytes, or 64K, 2M, 1G",
            "--max-filesize 2M");
    memcpy(digits, value, n);
    digits[n] = '\0';
    if (!option_decimal(name, digits, 0, 1e15, &size))
        return 2;
    *out = (uint64_t)(size * (double)(1ULL << 10 * (unit - units)));
    return 0;
}

int get_add_resolve(struct get_group *group, const char *value)
{
    if (!names_resolve_is_valid(value)) {
        tell("(49) bad value for --resolve: it takes HOST:PORT:ADDRESS[,ADDRESS]",
             "the call is wrong", "--resolve example.test:80:192.0.2.1");
        return 49;
    }
    if (group->http.n_resolve == GET_LIST_MAX)
        return too_many("--resolve");
    /* A "+" in front asks curl to forget it after a while: a call is over before. */
    group->resolve[group->http.n_resolve++] = value + (value[0] == '+');
    return 0;
}

/* -H @FILE: a field a line. */
static int add_headers_of(struct get_group *group, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *line = NULL, what[120];
    size_t cap = 0;
    int status = 0;

    if (!f) {
        snprintf(what, sizeof what, "(26) Failed to open %.80s", path);
        tell(what, strerror(errno), NULL);
        return 26;
    }
    while (status == 0 && getline(&line, &cap, f) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0') /* kept: the options point to it */
            status = get_add_header(group, strdup(line));
    }
    free(line);
    if (f != stdin)
        fclose(f);
    return status;
}

/* "Name: value", "Name:" and "Name;"; what follows that semicolon makes it nothing, as
 * in curl. */
int get_add_header(struct get_group *group, const char *value)
{
    size_t name = value ? strcspn(value, ":;") : 0;

    if (!value)
        return out_of_memory();
    if (value[0] == '@')
        return add_headers_of(group, value + 1);
    if (!http_field_is_valid(value) && (name == 0 || value[name] != ';'))
        return tell_usage("bad value for -H: it takes 'Name: value'",
                          "-H 'Accept: text/html'");
    if (group->http.n_headers == GET_LIST_MAX)
        return too_many("-H");
    group->header[group->http.n_headers++] = value;
    return 0;
}

/* What goes into a line of the head as it is. */
int get_set_word(const char *name, const char **out, const char *value)
{
    bool one_word = strcmp(name, "-X") == 0 || strcmp(name, "--request-target") == 0;
    char what[80];

    *out = value;
    if (!strpbrk(value, "\r\n") && (!one_word || !strpbrk(value, " \t")))
        return 0;
    snprintf(what, sizeof what, "bad value for %s: it would end its line", name);
    return tell_usage(what, "leave out what is not part of it");
}

int get_set_redirects(struct get_group *group, const char *value)
{
    long long n;

    if (!option_number("--max-redirs", value, -1, 1000000000, &n))
        return 2;
    /* -1 is curl's "any number"; the library's is "none". */
    group->http.max_redirects = n == 0 ? -1 : n < 0 ? 1000000000 : (int)n;
    return 0;
}

int get_set_resume(struct get_group *group, const char *value)
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
int get_set_range(struct get_group *group, const char *value)
{
    char *open;

    if (value[0] == '\0' || value[strspn(value, "0123456789-, ")] != '\0')
        return tell_usage("bad value for -r: it takes ranges of bytes", "-r 0-99,200-");
    group->http.range = value;
    if (strchr(value, '-'))
        return 0;
    open = malloc(strlen(value) + 2); /* kept: the options point to it */
    if (!open)
        return out_of_memory();
    sprintf(open, "%s-", value);
    group->http.range = open;
    return 0;
}

/* "URL", "URL;auto" or ";auto". */
int get_set_referer(struct get_group *group, const char *value)
{
    static const char automatic[] = ";auto";
    size_t len = strlen(value), tail = sizeof automatic - 1;
    char *url;

    group->http.auto_referer = len >= tail && !strcmp(value + len - tail, automatic);
    if (!group->http.auto_referer)
        return get_set_word("-e", &group->http.referer, value);
    url = strndup(value, len - tail); /* kept: the options point to it */
    return url ? get_set_word("-e", &group->http.referer, url) : out_of_memory();
}

/* A date as mail and HTTP have it, or as people write it; seconds since 1970. */
static bool parse_date(const char *text, int64_t *out)
{
    static const char *const forms[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                                         "%Y-%m-%d",          "%Y%m%d",
                                         "%b %d %H:%M:%S %Y", "%d %b %Y %H:%M:%S",
                                         "%d %b %Y",          "%a, %d %b %Y %H:%M:%S" };

    if (http_date_parse(slice_of(text), time(NULL), out))
        return true;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = { .tm_sec = 0 };
        const char *end = strptime(text, forms[i], &tm);
        if (!end || (*end && strcmp(end, " GMT") != 0 && strcmp(end, " UTC") != 0))
            continue;
        *out = timegm(&tm);
        return true;
    }
    return false;
}

/* A date, or a file whose date it is; behind a '-', older than that is wanted. */
int get_set_condition(struct get_group *group, const char *value)
{
    bool older = value[0] == '-';
    const char *what = value + older, *name;
    char line[80];
    struct stat st;
    struct text t;
    int64_t at;

    if (stat(what, &st) == 0)
        at = st.st_mtime;
    else if (!parse_date(what, &at)) {
        fprintf(stderr, "tapir get: '%.80s' is no date and no file: -z is left out\n",
                what);
        return 0;
    }
    name = older ? "If-Unmodified-Since: " : "If-Modified-Since: ";
    group->http.time_cond = at ? at : 1;
    group->http.older = older;
    text_init(&t, line, sizeof line);
    text_put(&t, name);
    http_date_print(&t, at);
    return get_add_header(group, strdup(line)); /* kept: the options point to it */
}

int get_set_stderr(const char *value)
{
    int fd = strcmp(value, "-") == 0
                 ? STDOUT_FILENO
                 : open(value, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    char what[120];

    if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
        return 0;
    snprintf(what, sizeof what, "cannot write to %.80s", value);
    tell(what, strerror(errno), NULL);
    return 0;
}

/* --- all of it --- */

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
            err = get_add_header(group, fields[i]);
    }
    return err;
}

static int check_group(struct get_group *group)
{
    bool data = group->data && !group->query;

    if (data + (group->n_uploads > 0) + group->http.head > 1)
        return tell_usage("get: only one of -d, -T and -I makes a request",
                          "use --next between them");
    if (data && (group->resume_auto || group->http.resume))
        return tell_usage("get: -C does not go with -d", "leave -C away");
    if ((group->no_clobber || group->remove_on_error) &&
        (group->resume_auto || group->http.resume))
        return tell_usage("get: -C does not go with --no-clobber or --remove-on-error",
                          "leave -C away");
    if (group->json && add_json_fields(group))
        return 2;
    return 0;
}

/* The transfers that one stands for, added to `to`. 0, or an exit status. */
static int unroll(struct get *to, const struct get_transfer *t, const struct glob *urls,
                  const struct glob *uploads, uint64_t n[2])
{
    for (uint64_t k = 0; k < n[0] * n[1]; k++) {
        struct get_transfer *one = add_transfer(to, t->group);
        struct glob_turn turn[] = { { urls, k % n[0] }, { uploads, k / n[0] } };
        bool missing = false;
        if (!one)
            return too_many("URLs");
        one->get = t->get;
        one->url = urls ? glob_url(urls, turn[0].i) : t->url;
        one->upload = uploads ? glob_url(uploads, turn[1].i) : t->upload;
        one->output = t->output;
        if (!t->output && t->group->all_named)
            one->output = get_remote_name;
        if (t->output && t->output != get_remote_name && (urls || uploads))
            one->output = glob_name(t->output, turn, 2, &missing);
        if (missing) {
            tell("(43) -o names a pattern that the URL has not", t->output, NULL);
            return 43;
        }
        if (!one->url || (t->upload && !one->upload) || (t->output && !one->output))
            return out_of_memory();
    }
    return 0;
}

/* Patterns, unless there are none. */
static int unroll_globs(struct get *to, const struct get_transfer *t)
{
    struct glob *urls = NULL, *uploads = NULL;
    uint64_t n[2] = { 1, 1 };
    int status = 3;

    if (!t->group->globoff && strpbrk(t->url, "{}[]") &&
        !(urls = glob_new(t->url, &n[0])))
        return status;
    if (!t->group->globoff && t->upload && strpbrk(t->upload, "{}[]"))
        uploads = glob_new(t->upload, &n[1]);
    if (n[1] > 0)
        status = n[0] > GET_TRANSFERS_MAX || n[1] > GET_TRANSFERS_MAX
                     ? too_many("URLs")
                     : unroll(to, t, urls, uploads, n);
    glob_free(urls);
    glob_free(uploads);
    return status;
}

int get_complete(struct get *g)
{
    struct get all = { .n_transfers = 0 };
    int status = 0;

    for (size_t i = 0; i < g->n_groups && status == 0; i++)
        status = check_group(&g->group[i]);
    for (size_t i = 0; i < g->n_transfers && status == 0; i++)
        if (g->transfer[i].url)
            status = unroll_globs(&all, &g->transfer[i]);
    free(g->transfer);
    g->transfer = all.transfer;
    g->n_transfers = all.n_transfers;
    if (status == 0 && g->n_transfers == 0)
        return tell_usage("get needs a URL", "tapir get http://192.0.2.1/");
    return status;
}
