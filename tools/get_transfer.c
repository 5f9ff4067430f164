/* One transfer: what is uploaded is opened, the body goes where it was asked to, what
 * failed for a while is tried again (--retry), the line of -w ends it.
 *
 * The library calls back with a transfer; a pipeline's calls are for the one whose turn
 * it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get.h"
#include "http/http_uri.h"

enum { RETRY_FIRST = 1000000, RETRY_MOST = 600000000 }; /* microseconds */

/* Whose turn it is. */
struct turn {
    struct get_transfer *first, *now;
    int code; /* of the last one in a pipeline that failed */
};

/* --- what the library asks and tells --- */

static bool on_body(void *ctx, const void *at, size_t len)
{
    struct turn *turn = ctx;
    return get_output_write(turn->now, at, len, true);
}

static bool on_head(void *ctx, const char *at, size_t len)
{
    struct turn *turn = ctx;
    return get_head(turn->now, at, len);
}

static bool on_anew(void *ctx)
{
    struct turn *turn = ctx;
    return get_output_anew(turn->now);
}

static void on_talk(void *ctx, char mark, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%c %s\n", mark, line);
}

static ssize_t on_read(void *ctx, void *at, size_t room)
{
    struct turn *turn = ctx;
    ssize_t n;

    do
        n = read(turn->now->in, at, room);
    while (n < 0 && errno == EINTR);
    return n;
}

static bool on_rewind(void *ctx)
{
    struct turn *turn = ctx;
    return lseek(turn->now->in, (off_t)turn->now->in_from, SEEK_SET) >= 0;
}

static struct tapir_http_options options_for(const struct get_transfer *t,
                                             struct turn *turn)
{
    const struct get_group *group = t->group;
    struct tapir_http_options o = group->http;

    o.headers = group->header;
    o.resolve = group->resolve;
    o.resume = t->keep;
    if (group->data && !group->query) {
        o.data = group->data;
        o.data_len = group->data_len;
    }
    o.head_in = on_head;
    o.body = on_body;
    o.anew = on_anew;
    o.talk = t->get->verbose ? on_talk : NULL;
    o.read = on_read;
    o.rewind = on_rewind;
    o.ctx = turn;
    return o;
}

/* --- telling --- */

static void tell_failure(const struct get_transfer *t, const struct tapir_error *error)
{
    if (t->get->silent && !t->get->show_error)
        return;
    fprintf(stderr, "tapir get: %s\n", error->what);
    if (error->cause[0])
        fprintf(stderr, "  cause: %s\n", error->cause);
    if (error->fix[0])
        fprintf(stderr, "  fix:   %s\n", error->fix);
}

/* Where the body should have gone, and why it did not. */
static void explain_write(const struct get_transfer *t, struct tapir_http_result *r)
{
    r->code = 23;
    snprintf(r->error.what, sizeof r->error.what,
             "(23) Failure writing output to destination");
    snprintf(r->error.cause, sizeof r->error.cause, "%.120s: %s",
             t->path ? t->path : "stdout", strerror(t->write_error));
}

/* --fail-with-body: the body came, and the status is an error all the same. */
static void explain_status(struct tapir_http_result *r)
{
    r->code = 22;
    snprintf(r->error.what, sizeof r->error.what,
             "(22) The requested URL returned error: %d", r->status);
}

/* The fetch is over for good: the file is closed, its end told. The exit status. */
static int finish(struct get_transfer *t, const struct tapir_http_result *result)
{
    struct tapir_http_result r = *result;

    get_output_end(t, r.code == 0 && r.status != 304, r.code != 0);
    if (r.code == 0 && t->group->fail_with_body && r.status >= 400)
        explain_status(&r);
    if (t->write_error && (r.code == 0 || r.code == 23))
        explain_write(t, &r);
    pthread_mutex_lock(&t->get->lock);
    if (r.code != 0)
        tell_failure(t, &r.error);
    get_write_out(t, &r);
    pthread_mutex_unlock(&t->get->lock);
    return r.code;
}

/* --- uploads --- */

static int out_of_memory(void)
{
    tell("(27) Out of memory", NULL, NULL);
    return 27;
}

/* -C with -T: what the server has already is left out. How much that is can not be
 * asked of an HTTP server: with -C - it is nothing. */
static int resume_upload(struct get_transfer *t, struct tapir_http_options *o)
{
    uint64_t from = t->group->resume_auto ? 0 : o->resume, size = o->upload_len;
    char field[80];

    o->resume = 0;
    if (size == UINT64_MAX || from >= size || lseek(t->in, (off_t)from, SEEK_SET) < 0) {
        tell("(26) the upload cannot be resumed", "there is nothing behind that byte",
             "");
        return 26;
    }
    o->upload_len = size - from;
    snprintf(field, sizeof field, "bytes %llu-%llu/%llu", (unsigned long long)from,
             (unsigned long long)size - 1, (unsigned long long)size);
    o->content_range = t->content_range = strdup(field);
    t->in_from = from;
    return t->content_range ? 0 : out_of_memory();
}

/* Opens what -T names. 0, or an exit status. */
static int open_upload(struct get_transfer *t, struct tapir_http_options *o)
{
    bool standard = t->upload && (!strcmp(t->upload, "-") || !strcmp(t->upload, "."));
    struct stat st;
    char what[120];

    t->in = -1;
    if (!t->upload)
        return 0;
    t->in = standard ? STDIN_FILENO : open(t->upload, O_RDONLY | O_CLOEXEC);
    if (t->in < 0 || fstat(t->in, &st) < 0) {
        snprintf(what, sizeof what, "(26) Can't open '%.80s'!", t->upload);
        tell(what, strerror(errno), NULL);
        return 26;
    }
    o->upload = true;
    o->upload_len = S_ISREG(st.st_mode) && !standard ? (uint64_t)st.st_size
                                                     : UINT64_MAX;
    return t->group->resume_auto || o->resume ? resume_upload(t, o) : 0;
}

static void close_upload(struct get_transfer *t)
{
    if (t->in > STDIN_FILENO)
        close(t->in);
    t->in = -1;
}

/* Where an upload goes: a path that ends in a slash gets the file's name, as in curl.
 */
static char *upload_url(const struct get_transfer *t)
{
    const char *slash = strrchr(t->upload, '/'), *name = slash ? slash + 1 : t->upload;
    const char *scheme = strstr(t->url, "://"), *host = scheme ? scheme + 3 : t->url;
    size_t end = (size_t)(host - t->url) + strcspn(host, "?#");
    bool path = memchr(host, '/', end - (size_t)(host - t->url)) != NULL;
    size_t room = strlen(t->url) + 3 * strlen(name) + 2;
    char *url = malloc(room);
    struct text text;

    if (!url)
        return NULL;
    text_init(&text, url, room);
    text_putn(&text, t->url, end);
    if (t->in != STDIN_FILENO && t->url[end] != '?' &&
        (!path || t->url[end - 1] == '/')) {
        text_put(&text, path ? "" : "/");
        http_encode_path(&text, name);
    }
    text_put(&text, t->url + end);
    return url;
}

/* The URL that is asked for, for the caller to free. */
static char *real_url(const struct get_transfer *t)
{
    if (t->upload)
        return upload_url(t);
    if (t->group->query && t->group->data)
        return get_data_url(t->group, t->url);
    return strdup(t->url);
}

/* --- retries --- */

/* May it be better a little later? As curl has it. */
static bool is_transient(const struct get_transfer *t,
                         const struct tapir_http_result *r)
{
    static const int statuses[] = { 408, 429, 500, 502, 503, 504 };

    if (r->code == 28 || r->code == 6 || (r->code == 7 && t->group->retry_refused))
        return true;
    if (r->code != 0 && r->code != 22)
        return t->group->retry_all;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (r->status == statuses[i])
            return true;
    return r->code != 0 && t->group->retry_all;
}

static int64_t pause_before(const struct get_transfer *t, int64_t *backoff,
                            const struct tapir_http_result *r)
{
    int64_t pause = t->group->retry_delay ? t->group->retry_delay : *backoff;

    *backoff = *backoff * 2 < RETRY_MOST ? *backoff * 2 : RETRY_MOST;
    return r->retry_after > 0 ? r->retry_after : pause;
}

struct tries {
    struct get_transfer *t;
    struct tapir_http_client *client;
    struct tapir_http_options o; /* the client's */
    char *url;                   /* owned */
    bool keep;                   /* another transfer follows */
};

static void fetch(struct tries *of, struct tapir_http_result *r)
{
    struct get_transfer *t = of->t;
    int64_t backoff = RETRY_FIRST, begin = tapir_now();
    long long left = t->group->retries;

    while (tapir_http_get(of->client, of->url, of->keep || left > 0, r),
           left > 0 && is_transient(t, r)) {
        int64_t pause = pause_before(t, &backoff, r);
        if (t->group->retry_time && tapir_now() - begin + pause > t->group->retry_time)
            return;
        if (t->in >= 0 && lseek(t->in, (off_t)t->in_from, SEEK_SET) < 0)
            return;
        if (!t->get->silent)
            fprintf(stderr,
                    "tapir get: transient problem: %s. Will retry in %lld.%03lld "
                    "seconds, %lld retries left.\n",
                    r->code ? r->error.what : "HTTP error", (long long)pause / 1000000,
                    (long long)pause / 1000 % 1000, left);
        tapir_sleep(pause);
        get_output_again(t);
        of->o.resume = t->upload ? 0 : t->keep;
        tapir_http_client_set(of->client, &of->o);
        left--;
    }
}

/* --- one, and several in a pipeline --- */

static void forget(struct get_transfer *t)
{
    free(t->path);
    free(t->fields);
    free(t->content_range);
    t->path = t->fields = t->content_range = NULL;
}

static int get_one(struct get_transfer *t, struct tapir_http_client *client, bool keep)
{
    struct turn turn = { t, t, 0 };
    struct tries tries = { .t = t, .client = client, .keep = keep };
    struct tapir_http_result r;
    int status = get_output_begin(t);

    if (status || t->skipped)
        return status;
    tries.o = options_for(t, &turn);
    status = open_upload(t, &tries.o);
    if (status)
        return status;
    tries.url = real_url(t);
    if (!tries.url)
        return out_of_memory();
    tapir_http_client_set(client, &tries.o);
    fetch(&tries, &r);
    close_upload(t);
    free(tries.url);
    status = finish(t, &r);
    forget(t);
    return status;
}

static bool may_pipeline(const struct get_group *group)
{
    return !group->data && group->n_uploads == 0 && !group->resume_auto &&
           !group->skip_existing && group->retries == 0;
}

size_t get_ahead(const struct get *g, size_t i)
{
    const struct get_group *group = g->transfer[i].group;
    bool ahead = g->pipeline && may_pipeline(group);
    size_t n = 1;

    while (ahead && i + n < g->n_transfers && g->transfer[i + n].group == group)
        n++;
    return n;
}

static void on_begin(void *ctx, size_t i)
{
    struct turn *turn = ctx;

    turn->now = turn->first + i;
    /* A name that -O cannot have is told, and the body thrown away. */
    turn->now->write_error = get_output_begin(turn->now) ? EINVAL : 0;
}

static void on_end(void *ctx, size_t i, const struct tapir_http_result *r)
{
    struct turn *turn = ctx;
    int code = finish(turn->first + i, r);

    forget(turn->first + i);
    turn->code = code ? code : turn->code;
}

static int get_pipeline(struct get_transfer *first, size_t n,
                        struct tapir_http_client *client)
{
    struct turn turn = { first, first, 0 };
    struct tapir_http_turn calls = { on_begin, on_end };
    struct tapir_http_options o;
    const char **urls = calloc(n, sizeof *urls);

    if (!urls)
        return out_of_memory();
    first->keep = first->group->http.resume;
    o = options_for(first, &turn);
    tapir_http_client_set(client, &o);
    for (size_t i = 0; i < n; i++)
        urls[i] = first[i].url;
    tapir_http_pipeline(client, urls, n, &calls);
    free(urls);
    return turn.code;
}

int get_transfers(struct get_transfer *first, size_t n,
                  struct tapir_http_client *client, bool keep)
{
    return n > 1 ? get_pipeline(first, n, client) : get_one(first, client, keep);
}
