/* An HTTP server whose pages are functions:
 *     TAPIR_LINK=tap:tap0 build/examples/handlers 80
 *     curl http://192.0.2.2/hello/you    curl http://192.0.2.2/count?5
 *     curl -T FILE http://192.0.2.2/size
 * Built with: cc handlers.c $(pkg-config --cflags --libs tapir) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tapir/http.h"

/* All is at hand: it is said. */
static void hello(struct tapir_http_call *call)
{
    const char *name = call->path + strlen("/hello/");

    call->type = "text/plain; charset=utf-8";
    tapir_http_say(call, "hello ", 6);
    tapir_http_say(call, name, strlen(name));
}

/* A body that is made while it goes: a line each time the client has room. */
static ssize_t next_line(struct tapir_http_call *call, void *at, size_t room)
{
    int *left = call->own;

    return *left > 0 ? snprintf(at, room, "%d\n", (*left)--) : 0;
}

static void count(struct tapir_http_call *call)
{
    call->own = malloc(sizeof(int));
    if (!call->own) {
        call->status = 503;
        return;
    }
    *(int *)call->own = call->query ? atoi(call->query) : 10;
    call->read = next_line;
}

/* A body that is taken as it comes, however long it is. */
static bool add_size(struct tapir_http_call *call, const void *at, size_t len)
{
    (void)at;
    if (!call->own)
        call->own = calloc(1, sizeof(size_t));
    if (call->own)
        *(size_t *)call->own += len;
    return call->own != NULL;
}

static void size(struct tapir_http_call *call)
{
    char line[24];
    int n = snprintf(line, sizeof line, "%zu\n", call->own ? *(size_t *)call->own : 0);

    tapir_http_say(call, line, (size_t)n);
}

static void free_own(struct tapir_http_call *call)
{
    free(call->own);
}

static void ready(void *port)
{
    fprintf(stderr, "listening on port %s\n", (const char *)port);
}

int main(int argc, char **argv)
{
    static const struct tapir_http_handler handlers[] = {
        { .path = "/hello/", .answer = hello },
        { .path = "/count", .answer = count, .done = free_own },
        { .path = "/size",
          .methods = "POST, PUT",
          .answer = size,
          .body = add_size,
          .done = free_own },
    };
    char *port = argc > 1 ? argv[1] : "80";
    struct tapir_http_server server = { .port = (uint16_t)atoi(port),
                                        .handlers = handlers,
                                        .n_handlers = 3,
                                        .ready = ready,
                                        .ctx = port };
    struct tapir_error error = { .what = "" };

    if (!tapir_up_error(NULL, &error) || /* TAPIR_LINK, TAPIR_ADDR, ... */
        tapir_http_serve(&server, NULL, &error) < 0) {
        fprintf(stderr, "%s\n%s\n%s\n", error.what, error.cause, error.fix);
        return 1;
    }
    return 0;
}
