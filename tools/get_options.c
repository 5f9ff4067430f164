/* The call of tapir get. Most options are a place and a kind (`places`); the others
 * have a function in get_set.c. The n-th -o or -O and the n-th -T belong to the n-th
 * URL, and --next begins a group with options of its own. */
#include <stddef.h>
#include <string.h>

#include "commands.h"
#include "get.h"
#include "options.h"

enum {
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
    OPT_RETRY_TIME,
    OPT_RETRY_REFUSED,
    OPT_RETRY_ALL,
    OPT_PIPELINE,
    OPT_PARALLEL_MAX,
    OPT_PARALLEL_IMMEDIATE,
    OPT_FAIL_EARLY,
    OPT_FAIL_BODY,
    OPT_NO_PROGRESS,
    OPT_HTTP11,
    OPT_OUTPUT_DIR,
    OPT_CREATE_DIRS,
    OPT_NAME_ALL,
    OPT_NO_CLOBBER,
    OPT_CLOBBER,
    OPT_SKIP,
    OPT_REMOVE,
    OPT_NO_INCLUDE,
    OPT_NO_KEEPALIVE,
    OPT_STDERR,
    OPT_MAX_FILESIZE,
    OPT_BEARER,
    OPT_TARGET,
    OPT_AS_IS,
    OPT_IGNORE_LENGTH,
    OPT_LATER, /* and above: curl has them, this program has not */
};

static const struct option_row rows[] = {
    { 'v', 'v', "verbose", false },
    { 'o', 'o', "output", true },
    { 'O', 'O', "remote-name", false },
    { OPT_NAME_ALL, 0, "remote-name-all", false },
    { 'J', 'J', "remote-header-name", false },
    { 'R', 'R', "remote-time", false },
    { OPT_OUTPUT_DIR, 0, "output-dir", true },
    { OPT_CREATE_DIRS, 0, "create-dirs", false },
    { OPT_NO_CLOBBER, 0, "no-clobber", false },
    { OPT_CLOBBER, 0, "clobber", false },
    { OPT_SKIP, 0, "skip-existing", false },
    { OPT_REMOVE, 0, "remove-on-error", false },
    { 'D', 'D', "dump-header", true },
    { 'i', 'i', "include", false },
    { 'i', 0, "show-headers", false },
    { OPT_NO_INCLUDE, 0, "no-include", false },
    { 'I', 'I', "head", false },
    { 's', 's', "silent", false },
    { 'S', 'S', "show-error", false },
    { OPT_STDERR, 0, "stderr", true },
    { 'f', 'f', "fail", false },
    { OPT_FAIL_BODY, 0, "fail-with-body", false },
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
    { OPT_TARGET, 0, "request-target", true },
    { OPT_AS_IS, 0, "path-as-is", false },
    { 'A', 'A', "user-agent", true },
    { 'e', 'e', "referer", true },
    { 'u', 'u', "user", true },
    { OPT_BEARER, 0, "oauth2-bearer", true },
    { 'r', 'r', "range", true },
    { 'C', 'C', "continue-at", true },
    { 'z', 'z', "time-cond", true },
    { 'm', 'm', "max-time", true },
    { OPT_MAX_FILESIZE, 0, "max-filesize", true },
    { OPT_IGNORE_LENGTH, 0, "ignore-content-length", false },
    { OPT_CONNECT_TIMEOUT, 0, "connect-timeout", true },
    { OPT_RETRY, 0, "retry", true },
    { OPT_RETRY_DELAY, 0, "retry-delay", true },
    { OPT_RETRY_TIME, 0, "retry-max-time", true },
    { OPT_RETRY_REFUSED, 0, "retry-connrefused", false },
    { OPT_RETRY_ALL, 0, "retry-all-errors", false },
    { '0', '0', "http1.0", false },
    { OPT_HTTP11, 0, "http1.1", false },
    { OPT_NO_KEEPALIVE, 0, "no-keepalive", false },
    { OPT_RESOLVE, 0, "resolve", true },
    { '4', '4', "ipv4", false },
    { '6', '6', "ipv6", false },
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
    { 'q', 'q', "disable", false },
    { 'K', 'K', "config", true },
    { OPT_LATER + 'F', 'F', "form", false },
    { OPT_LATER + 'b', 'b', "cookie", false },
    { OPT_LATER + 'c', 'c', "cookie-jar", false },
    { OPT_LATER + 'x', 'x', "proxy", false },
    { OPT_LATER + 'V', 'V', "version", false },
    { OPT_LATER + '#', '#', "progress-bar", false },
    { OPT_LATER + 3, 0, "compressed", false },
    { OPT_LATER + 7, 0, "trace", false },
    { OPT_LATER + 8, 0, "trace-ascii", false },
    { 0, 0, NULL, false },
};

/* What needs no more than to be noted, in the group or in the call. */
enum kind { YES, NO, WORD, TIME, COUNT };

#define OF_GROUP(field) offsetof(struct get_group, field)

static const struct place {
    int id;
    enum kind kind;
    size_t at;
} places[] = {
    { 'i', YES, OF_GROUP(include) },
    { OPT_NO_INCLUDE, NO, OF_GROUP(include) },
    { 'I', YES, OF_GROUP(http.head) },
    { 'L', YES, OF_GROUP(http.follow) },
    { 'G', YES, OF_GROUP(query) },
    { '0', YES, OF_GROUP(http.http10) },
    { OPT_HTTP11, NO, OF_GROUP(http.http10) },
    { 'g', YES, OF_GROUP(globoff) },
    { 'J', YES, OF_GROUP(header_name) },
    { 'R', YES, OF_GROUP(remote_time) },
    { OPT_NAME_ALL, YES, OF_GROUP(all_named) },
    { OPT_CREATE_DIRS, YES, OF_GROUP(create_dirs) },
    { OPT_NO_CLOBBER, YES, OF_GROUP(no_clobber) },
    { OPT_CLOBBER, NO, OF_GROUP(no_clobber) },
    { OPT_SKIP, YES, OF_GROUP(skip_existing) },
    { OPT_REMOVE, YES, OF_GROUP(remove_on_error) },
    { OPT_RETRY_REFUSED, YES, OF_GROUP(retry_refused) },
    { OPT_RETRY_ALL, YES, OF_GROUP(retry_all) },
    { OPT_AS_IS, YES, OF_GROUP(http.path_as_is) },
    { OPT_IGNORE_LENGTH, YES, OF_GROUP(http.ignore_length) },
    { 'w', WORD, OF_GROUP(write_out) },
    { 'u', WORD, OF_GROUP(http.user) },
    { 'D', WORD, OF_GROUP(head_file) },
    { OPT_OUTPUT_DIR, WORD, OF_GROUP(directory) },
    { 'm', TIME, OF_GROUP(http.max_time) },
    { OPT_CONNECT_TIMEOUT, TIME, OF_GROUP(http.connect_timeout) },
    { OPT_RETRY_DELAY, TIME, OF_GROUP(retry_delay) },
    { OPT_RETRY_TIME, TIME, OF_GROUP(retry_time) },
    { OPT_RETRY, COUNT, OF_GROUP(retries) },
};

/* As the user typed it, for what is wrong with its value. */
static const char *typed(int id, char *room, size_t cap)
{
    const struct option_row *row = rows;

    while (row->id != id)
        row++;
    if (row->letter)
        snprintf(room, cap, "-%c", row->letter);
    else
        snprintf(room, cap, "--%s", row->name);
    return room;
}

static int note(struct get_group *group, const struct place *place, const char *value)
{
    char *at = (char *)group + place->at, name[40];

    switch (place->kind) {
    case YES:
    case NO:
        *(bool *)(void *)at = place->kind == YES;
        return 0;
    case WORD:
        *(const char **)(void *)at = value;
        return 0;
    case TIME:
        return get_set_seconds(typed(place->id, name, sizeof name), value,
                               (int64_t *)(void *)at);
    case COUNT:
        break;
    }
    return option_number(typed(place->id, name, sizeof name), value, 0, 1000000000,
                         (long long *)(void *)at)
               ? 0
               : 2;
}

/* An option of the whole call. */
static int set_call(const struct options *o, struct get *g, int id, const char *value)
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
    case 'q':                    /* it stands first, or means nothing */
    case OPT_NO_KEEPALIVE:       /* no probe is ever sent */
    case OPT_PARALLEL_IMMEDIATE: /* it always is */
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
    case OPT_PARALLEL_MAX:
        if (!option_number("--parallel-max", value, 0, 65535, &g->parallel_max))
            return 2;
        if (g->parallel_max == 0 || g->parallel_max > GET_PARALLEL_MAX)
            g->parallel_max = g->parallel_max ? GET_PARALLEL_MAX : 50;
        return 0;
    case OPT_STDERR:
        return get_set_stderr(value);
    default:
        return id > OPT_LATER ? tell_later_option(o, rows, id) : options_exit(id);
    }
}

static int set_data(struct get_group *group, int how, const char *value)
{
    group->json |= how == 'j';
    return get_data_add(group, how, value);
}

/* What the request says. */
static int set_request(const struct options *o, struct get *g, int id,
                       const char *value)
{
    struct get_group *group = get_group_at(g);
    struct tapir_http_options *http = &group->http;

    switch (id) {
    case 'f':
    case OPT_FAIL_BODY: /* the last one counts */
        http->fail = id == 'f';
        group->fail_with_body = id != 'f';
        return 0;
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
        return get_add_header(group, value);
    case 'X':
        return get_set_word("-X", &http->method, value);
    case OPT_TARGET:
        return get_set_word("--request-target", &http->target, value);
    case 'A':
        return get_set_word("-A", &http->user_agent, value);
    case OPT_BEARER:
        return get_set_word("--oauth2-bearer", &http->bearer, value);
    case 'e':
        return get_set_referer(group, value);
    case 'r':
        return get_set_range(group, value);
    case 'C':
        return get_set_resume(group, value);
    case 'z':
        return get_set_condition(group, value);
    default:
        return set_call(o, g, id, value);
    }
}

static int set_option(struct options *o, struct get *g, int id, const char *value)
{
    struct get_group *group = get_group_at(g);

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].id == id)
            return note(group, &places[i], value);
    switch (id) {
    case OPT_WORD:
    case OPT_URL:
        return get_add_url(g, value);
    case 'o':
        return get_add_output(g, value);
    case 'O':
        return get_add_output(g, get_remote_name);
    case 'T':
        return get_add_upload(g, value);
    case ':':
        return get_add_group(g);
    case 'K':
        return get_config(g, o, value);
    case OPT_RESOLVE:
        return get_add_resolve(group, value);
    case '4':
    case '6':
        group->http.family = id == '4' ? AF_INET : AF_INET6;
        return 0;
    case OPT_MAX_REDIRS:
        return get_set_redirects(group, value);
    case OPT_MAX_FILESIZE:
        return get_set_size("--max-filesize", value, &group->http.max_size);
    default:
        return set_request(o, g, id, value);
    }
}

bool get_knows(const char *word)
{
    int id = options_owner(rows, word);

    return id != OPT_BAD && id < OPT_LATER;
}

/* -q, before all others: no default file is read. */
static bool is_alone(const struct options *o)
{
    const char *first = o->at < o->argc ? o->argv[o->at] : "";

    return strncmp(first, "-q", 2) == 0 || strcmp(first, "--disable") == 0;
}

static void warn(const struct get *g)
{
    if (g->unknown[0] && !g->silent)
        fprintf(stderr, "tapir get: left out of the default file: '%s' is not known\n",
                g->unknown);
}

bool get_options(struct get *g, struct options *o, int *status)
{
    int id;

    *status = is_alone(o) ? 0 : get_default_config(g, o);
    if (*status != 0)
        return false;
    while ((id = options_next(o, rows)) != OPT_END) {
        *status = set_option(o, g, id, o->value);
        if (*status != 0 || id == OPT_HELP)
            return false;
    }
    warn(g);
    *status = get_complete(g);
    return *status == 0;
}
