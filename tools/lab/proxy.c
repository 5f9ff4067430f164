/* Keep-Alive through proxies. A client of HTTP/1.0 fetches two objects, and asks to
 * keep the connection: in the field Connection, which a proxy that does not know it
 * passes on like any other; or in Proxy-Connection, which only proxies know.
 *
 *     client              dumb proxy              server
 *        | Connection: K-A -> | Connection: K-A -> |   "the proxy keeps it"
 *        | <- Connection: K-A | <- Connection: K-A |   keeps it
 *        | "the proxy keeps   |                    |
 *        |  it": request 2 -> |  waits for the     |   waits for a request
 *        |                    |  answer's end      |   ... until it is idle for too
 * long
 *
 * Each hop is R long. Everything new takes 2 R a hop; what hangs takes the idle time
 * first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "hops.h"
#include "theory_end.h"

enum { CLIENT, SERVER = 3, HOPS_MAX = 3, OBJECTS = 2 };
enum show { SHOW_TIME, SHOW_FIRST, SHOW_CONNECTIONS };

/* Of the client, of proxies in front of the server, and of that. */
static const char *const address[] = { "192.0.2.1", "192.0.2.11", "192.0.2.12",
                                       "192.0.2.2" };

struct visit {
    struct lan lan;
    const struct theory_chain *chain;
    struct hop hop[HOPS_MAX];
    double seconds[OBJECTS];
    unsigned connections;
    size_t request, answer; /* bytes */
    bool over;
};

/* --- the client --- */

static size_t write_request(const struct visit *v, char *out)
{
    static const char *const fields[] = {
        [ASK_CONNECTION] = "Connection: Keep-Alive\r\n",
        [ASK_PROXY_CONNECTION] = "Proxy-Connection: Keep-Alive\r\n",
        [ASK_NOTHING] = "",
    };
    return (size_t)snprintf(
        out, HOP_HEAD, "GET http://192.0.2.2/ HTTP/1.0\r\nHost: 192.0.2.2\r\n%s\r\n",
        fields[v->chain->ask]);
}

/* One exchange. False: no answer came. */
static bool ask(struct visit *v, int fd, bool *keep)
{
    char text[HOP_HEAD];
    struct http_head head;

    v->request = write_request(v, text);
    tapir_write(fd, text, v->request);
    if (!hop_read_answer(fd, text, &head))
        return false;
    v->answer = strlen(text) + lan_read(fd, HOP_BODY);
    *keep = http_has_token(&head, "Connection", "Keep-Alive");
    return true;
}

static int open_connection(struct visit *v)
{
    bool direct = v->chain->proxies == 0;

    v->connections++;
    return lan_connect(address[direct ? SERVER : 1], PAGE_PORT, 0, 0);
}

static void client_program(void *arg)
{
    struct visit *v = arg;
    bool keep = false;
    int fd = -1;

    for (int i = 0; i < OBJECTS; i++) {
        int64_t begin = tapir_now();
        bool done = keep && ask(v, fd, &keep);
        if (!done) {
            if (keep)
                lan_note(&v->lan, CLIENT, "no answer: once more");
            if (fd >= 0)
                tapir_close(fd);
            fd = open_connection(v);
            ask(v, fd, &keep);
        }
        v->seconds[i] = (double)(tapir_now() - begin) / 1e6;
        lan_note(&v->lan, CLIENT, "answer %d, %s", i + 1, keep ? "kept" : "not kept");
    }
    tapir_close(fd);
    v->over = true;
}

/* --- the network --- */

static const char *address_of(const struct theory_chain *c, unsigned hop)
{
    return address[hop < c->proxies ? hop + 1 : SERVER];
}

/* The proxies and the server, in their order. */
static int add_hops(struct visit *v, const struct theory_chain *c)
{
    int err = 0;

    for (unsigned i = 0; i <= c->proxies && err == 0; i++) {
        bool last = i == c->proxies;
        const char *name = last ? "server" : c->smart[i] ? "proxy" : "dumb proxy";
        int host = lan_host(&v->lan, name, address_of(c, i), 0);
        v->hop[i] = (struct hop){ &v->lan, host, last ? NULL : address_of(c, i + 1),
                                  (int64_t)(c->idle * 1e6), &v->over };
        err = host < 0 ? host
                       : lan_spawn(&v->lan, host,
                                   last          ? hop_server
                                   : c->smart[i] ? hop_proxy
                                                 : hop_dumb_proxy,
                                   &v->hop[i]);
    }
    return err;
}

static int play(struct visit *v, const struct page_setup *setup)
{
    int err = lan_init(&v->lan, setup);

    if (err == 0)
        err = lan_host(&v->lan, "client", address[CLIENT], 0);
    if (err == CLIENT)
        err = add_hops(v, v->chain);
    if (err == 0)
        err = lan_spawn(&v->lan, CLIENT, client_program, v);
    return err < 0 ? err : lan_run(&v->lan);
}

static void judge(const struct experiment *e, const struct visit *v, enum show show,
                  struct figure *out)
{
    struct theory_path p = { .rtt = (double)e->setup.rtt / 1e6,
                             .rate = (double)e->setup.rate,
                             .mss = 1448,
                             .header = 52,
                             .ack = 52,
                             .window = e->setup.window,
                             .request = (double)v->request,
                             .head = (double)v->answer };

    *out = (struct figure){ .unit = "s", .gate = 3 };
    if (show == SHOW_TIME) {
        out->low = theory_chain_again(&p, v->chain);
        out->measured = v->seconds[1];
    } else if (show == SHOW_FIRST) {
        out->low = theory_chain_fresh(&p, v->chain);
        out->measured = v->seconds[0];
    } else {
        *out = (struct figure){ .unit = "opened", .measured = v->connections };
        out->low = theory_chain_meets(v->chain) == MEETS_OPEN ? 1 : 2;
    }
    out->high = out->low;
}

bool experiment_proxy(struct experiment *e, struct figure *out)
{
    static const char *const chains[] = { "none",       "dumb",       "smart",
                                          "dumb,smart", "smart,dumb", NULL };
    static const struct theory_chain chain_rows[] = {
        { .proxies = 0 },
        { .proxies = 1, .smart = { false } },
        { .proxies = 1, .smart = { true } },
        { .proxies = 2, .smart = { false, true } },
        { .proxies = 2, .smart = { true, false } },
    };
    static const char *const asks[] = { "connection", "proxy-connection", "nothing",
                                        NULL };
    static const char *const shows[] = { "time", "first", "connections", NULL };
    int chain = experiment_choice(e, "chain", chains), show = experiment_show(e, shows);
    int ask = experiment_choice(e, "ask", asks);

    if (chain < 0 || show < 0 || ask < 0)
        return false;
    struct theory_chain c = chain_rows[chain];
    struct visit v = { .chain = &c };
    c.ask = (enum theory_ask)ask;
    c.idle = experiment_number(e, "idle", 60);
    int err = play(&v, &e->setup);
    if (err == 0 && experiment_number(e, "view", 0) > 0)
        e->view = lan_picture(&v.lan);
    lan_free(&v.lan);
    if (err < 0)
        return experiment_failed(e, err);
    judge(e, &v, (enum show)show, out);
    return true;
}
