/* A kept connection that the server closes while a request is on its way. The server
 * answers a first request and waits `idle` for a second one; the client lets `wait` go
 * by. What it meets then:
 *
 *     client                        server
 *        | <--- first answer --------- |
 *        |                             |  idle
 *        |  request ----------\        |
 *        | <----------\--------\-- FIN |  closed
 *        |             \        \----> |  for nobody: RST
 *
 *     R + wait < idle          it is answered on the kept connection
 *     wait < idle <= R + wait  stale: it crosses the FIN. What the server has seen of
 * it cannot be known (RFC 9110 s9.2.2): a GET may be repeated, a POST may not idle <=
 * wait             the client has seen the FIN: a new connection at once
 *
 * Where the FIN is lost the RST tells, which is formula 19: R for it, and a fresh
 * transaction. The FIN itself comes idle - wait after the request was sent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "lan.h"
#include "lan_flow.h"
#include "tapir/http.h"
#include "theory_end.h"

enum { CLIENT, SERVER };
enum { HEAD = 512, TRIALS = 40 };
enum show { SHOW_TIME, SHOW_CODE, SHOW_REQUESTS, SHOW_CHANCE };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

struct round {
    struct lan lan;
    int64_t idle, wait; /* microseconds */
    bool post, fin_lost;
    unsigned fails; /* requests behind the first that the server takes and dies of */
    unsigned asked; /* requests behind the first that it took */
    double seconds; /* of the second fetch */
    double request; /* bytes of its request */
    double chance;  /* of failure, over many rounds */
    int code;
    bool over;
};

/* --- the server --- */

/* A request, within the idle time. */
static bool await_request(struct round *r, int fd, char *head)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (tapir_poll(&p, 1, (int)(r->idle / 1000)) == 0) {
        lan_note(&r->lan, SERVER, "idle for too long: close()");
        return false;
    }
    return lan_read_head(fd, head, HEAD) > 0;
}

static size_t body_of(const char *head)
{
    const char *at = strstr(head, "Content-Length: ");

    return at ? (size_t)atoi(at + 16) : 0;
}

static void serve(struct round *r, int fd, bool first)
{
    char head[HEAD];

    for (; await_request(r, fd, head); first = false) {
        lan_read(fd, body_of(head));
        r->asked += !first;
        if (!first && r->asked <= r->fails) {
            lan_note(&r->lan, SERVER, "does it, and dies: close()");
            break;
        }
        tapir_write(fd, answer, sizeof answer - 1);
    }
    tapir_close(fd);
}

static void server_program(void *arg)
{
    struct round *r = arg;
    int listener = lan_listen(PAGE_PORT), fd;
    struct pollfd p = { .fd = listener, .events = POLLIN };
    bool first = true;

    while (!r->over) {
        if (tapir_poll(&p, 1, 1000) <= 0)
            continue;
        fd = lan_accept(listener);
        serve(r, fd, first);
        first = false;
    }
    tapir_close(listener);
}

/* --- the client --- */

static void client_program(void *arg)
{
    static const char url[] = "http://192.0.2.2/";
    struct round *r = arg;
    struct tapir_http_options get = { 0 }, post = { .data = "n=1", .data_len = 3 };
    struct tapir_http_client *client = tapir_http_client_new(&get);
    struct tapir_http_result result;

    if (client) {
        tapir_http_get(client, url, true, &result);
        r->request = (double)result.requests;
        tapir_sleep(r->wait);
        if (r->post)
            tapir_http_client_set(client, &post);
        int64_t begin = tapir_now();
        r->code = tapir_http_get(client, url, true, &result);
        r->seconds = (double)(tapir_now() - begin) / 1e6;
        if (r->code)
            lan_note(&r->lan, CLIENT, "fails: %.40s", result.error.what);
        tapir_http_client_free(client);
    }
    r->over = true;
}

/* --- rounds --- */

/* The server's FIN of the first connection. */
static bool is_first_fin(const struct lan *lan, const struct lan_event *e)
{
    struct lan_flows none = { .n = 0 };
    struct lan_segment syn, s;

    return e->from == SERVER && lan_look(&none, lan->first, &syn) &&
           lan_look(&none, e, &s) && s.flow == syn.flow && (s.tcp.flags & TCP_FIN);
}

static int play(struct round *r, const struct page_setup *setup)
{
    int err = lan_init(&r->lan, setup);

    r->lan.loses = r->fin_lost ? is_first_fin : NULL;
    if (err == 0)
        err = lan_host(&r->lan, "client", "192.0.2.1", 0);
    if (err == CLIENT)
        err = lan_host(&r->lan, "server", "192.0.2.2", 0);
    if (err == SERVER)
        err = lan_spawn(&r->lan, SERVER, server_program, r);
    if (err == 0)
        err = lan_spawn(&r->lan, CLIENT, client_program, r);
    return err < 0 ? err : lan_run(&r->lan);
}

/* How many of so many POSTs fail, whose pauses are spread evenly over the span. */
static int measure_chance(const struct experiment *e, struct round *r, double span)
{
    unsigned failed = 0;
    int err = 0;

    for (int i = 0; i < TRIALS && err == 0; i++) {
        struct round one = *r;
        one.post = true;
        one.wait = (int64_t)(span * 1e6 * (i + 0.5) / TRIALS);
        err = play(&one, &e->setup);
        failed += one.code != 0;
        lan_free(&one.lan);
    }
    r->chance = (double)failed / TRIALS;
    return err;
}

static struct theory_path path_of(const struct experiment *e, const struct round *r)
{
    return (struct theory_path){ .rtt = (double)e->setup.rtt / 1e6,
                                 .rate = (double)e->setup.rate,
                                 .mss = 1448,
                                 .header = 52,
                                 .ack = 52,
                                 .window = e->setup.window,
                                 .request = r->request,
                                 .head = sizeof answer - 1 };
}

static void judge(const struct experiment *e, const struct round *r, int show,
                  double span, struct figure *out)
{
    struct theory_path p = path_of(e, r);
    struct theory_reuse u = { .idle = (double)r->idle / 1e6,
                              .wait = (double)r->wait / 1e6,
                              .safe = !r->post,
                              .fin_lost = r->fin_lost,
                              .dies = r->fails > 0 };

    if (show == SHOW_TIME)
        *out = (struct figure){ "s", theory_reuse_time(&p, &u), 0, r->seconds, 3 };
    else if (show == SHOW_CODE)
        *out = (struct figure){ "code", theory_reuse_code(&p, &u), 0, r->code, 0 };
    else if (show == SHOW_REQUESTS)
        *out = (struct figure){ "requests", theory_reuse_requests(&p, &u), 0, r->asked,
                                0 };
    else
        *out = (struct figure){ "chance", theory_reuse_chance(&p, u.idle, span), 0,
                                r->chance, 3 };
    out->high = out->low;
}

bool experiment_retry(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "time", "code", "requests", "chance", NULL };
    static const char *const methods[] = { "GET", "POST", NULL };
    double span = experiment_number(e, "span", 1000) / 1000;
    struct round r = {
        .idle = (int64_t)(experiment_number(e, "idle", 1000) * 1000),
        .wait = (int64_t)(experiment_number(e, "wait", 0) * 1000),
        .fails = (unsigned)experiment_number(e, "fails", 0),
        .fin_lost = experiment_number(e, "finlost", 0) > 0,
    };
    int show = experiment_show(e, shows),
        method = experiment_choice(e, "method", methods);
    int err = 0;

    if (show < 0 || method < 0)
        return false;
    r.post = method == 1;
    if (show == SHOW_CHANCE)
        err = measure_chance(e, &r, span);
    else
        err = play(&r, &e->setup);
    if (err == 0 && experiment_number(e, "view", 0) > 0 && show != SHOW_CHANCE)
        e->view = lan_picture(&r.lan);
    if (show != SHOW_CHANCE)
        lan_free(&r.lan);
    if (err < 0)
        return experiment_failed(e, err);
    judge(e, &r, show, span, out);
    return true;
}
