/* tapir get: the library's HTTP client with curl's letters, messages and exit codes.
 * This file runs the call (get.h says what the others do).
 *
 * Several URLs are fetched one after the other, over one connection where that works;
 * the exit status is the last one's, as curl's. With --pipeline they are asked for
 * ahead, with -Z several are fetched at once, with both in several pipelines: there,
 * and with --fail-early, it is that of the last one that failed. */
#include "commands.h"
#include "get.h"
#include "http/http_url.h"
#include "options.h"

enum { LINK_FAILED = 45 }; /* the stack could not be brought up */

static struct http_url first_url(const struct get *g, bool *found)
{
    struct http_url url = { .port = 80 };
    const char *why;

    *found = false;
    for (size_t i = 0; i < g->n_transfers && !*found; i++)
        *found = http_parse_url(g->transfer[i].url, &url, &why) == 0;
    return url;
}

static int get_in_order(struct get *g, struct tapir_http_client *client)
{
    int status = 0;

    for (size_t i = 0, n; i < g->n_transfers; i += n) {
        n = get_ahead(g, i);
        status = get_transfers(&g->transfer[i], n, client, i + n < g->n_transfers);
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

int get_run(int argc, char **argv)
{
    static struct get g = { .n_groups = 1,
                            .parallel_max = 50,
                            .lock = PTHREAD_MUTEX_INITIALIZER };
    struct options o;
    int status;
    bool found;

    options_init(&o, argc, argv);
    if (!get_options(&g, &o, &status))
        return status;
    /* A stack for nothing but malformed URLs might fail, and hide what is wrong. */
    first_url(&g, &found);
    if (!found)
        return get_body(&o, &g);
    return options_run(
        &o, &(struct job){ .body = get_body, .arg = &g, .failed = LINK_FAILED });
}
