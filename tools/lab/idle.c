/* Kept connections that the server closes after some idle time. A client has a request
 * now and then; its pauses are exponential, so its visits are a Poisson process:
 *
 *     pause < tau - x    on the kept connection: an exchange
 *     pause < tau        the request crosses the FIN: in vain, then all anew
 *     else               the client has seen the FIN: a new connection, an exchange
 *
 * With says=nothing the server's last word is lost, as where it is switched off or a
 * box in between forgets: the client's next request is answered by an RST.
 *
 * So that the luck of the draw is not in the figures, the pauses are one from each of N
 * equally likely slices of the distribution, in an order that the seed gives. One
 * client for a long time stands for many: what a server holds for N of them is N times
 * the part of the time that it holds one for this. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "duo.h"
#include "experiment.h"
#include "numbers.h"
#include "theory_idle.h"

enum { REQUEST = 100, ANSWER = 1000, LOOK_MS = 1000 };

struct trial {
    const struct experiment *e;
    unsigned visits; /* that are counted: all but the first */
    double timeout;  /* seconds */
    bool silent;
    double *pause; /* seconds, one a visit */

    unsigned reused, stale;
    double waited, lost; /* seconds: of all visits; before those in vain began anew */
    int64_t begin, end;  /* of what is counted */
    int64_t held;        /* microseconds between them that a connection was open */
    volatile bool over;
};

/* --- pauses --- */

static void shuffle(double *at, unsigned n, uint64_t seed)
{
    struct rng dice;

    rng_seed(&dice, seed);
    for (unsigned i = n; i > 1; i--) {
        uint64_t j = rng_below(&dice, i);
        double x = at[j];
        at[j] = at[i - 1];
        at[i - 1] = x;
    }
}

static bool make_pauses(struct trial *t, double mean)
{
    t->pause = malloc(t->visits * sizeof *t->pause);
    if (!t->pause)
        return false;
    for (unsigned i = 0; i < t->visits; i++)
        t->pause[i] = -mean * logarithm((i + 0.5) / t->visits);
    shuffle(t->pause, t->visits, t->e->setup.seed);
    return true;
}

/* --- the server --- */

static void serve(struct trial *t, int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    static const char answer[ANSWER];
    char request[REQUEST];
    int64_t from = tapir_now();

    while (tapir_poll(&p, 1, (int)(t->timeout * 1000)) > 0 &&
           tapir_read(fd, request, sizeof request) > 0)
        tapir_write(fd, answer, sizeof answer);
    if (t->begin > from)
        from = t->begin;
    if (t->begin > 0)
        t->held += (t->over ? t->end : tapir_now()) - from;
    if (t->silent)
        tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    tapir_close(fd);
}

static void server(void *arg)
{
    struct trial *t = arg;
    int listener = duo_listen();
    struct pollfd p = { .fd = listener, .events = POLLIN };

    while (!t->over)
        if (tapir_poll(&p, 1, LOOK_MS) > 0)
            serve(t, tapir_accept(listener, NULL, NULL));
    tapir_close(listener);
}

/* --- the client --- */

static bool exchange(int fd)
{
    static const char request[REQUEST];
    char answer[ANSWER];
    size_t have = 0;
    ssize_t n = 1;

    if (tapir_write(fd, request, sizeof request) < 0)
        return false;
    while (have < sizeof answer && n > 0) {
        n = tapir_read(fd, answer, sizeof answer - have);
        have += n > 0 ? (size_t)n : 0;
    }
    return have == sizeof answer;
}

/* Nothing is owed to the client: what can be read is the end. */
static bool is_closed(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return tapir_poll(&p, 1, 0) > 0;
}

static int close_it(int fd)
{
    tapir_close(fd);
    return -1;
}

/* On *fd if it is one and still good, else on a new connection. */
static void visit(struct trial *t, int *fd)
{
    int64_t begin = tapir_now();

    if (*fd >= 0 && is_closed(*fd))
        *fd = close_it(*fd);
    if (*fd >= 0 && exchange(*fd)) {
        t->reused++;
    } else if (*fd >= 0) {
        *fd = close_it(*fd);
        t->stale++;
        t->lost += (double)(tapir_now() - begin) / 1e6;
    }
    if (*fd < 0) {
        *fd = duo_connect();
        exchange(*fd);
    }
    t->waited += (double)(tapir_now() - begin) / 1e6;
}

static void client(void *arg)
{
    struct trial *t = arg;
    int fd = duo_connect();

    exchange(fd);
    t->begin = tapir_now();
    for (unsigned i = 0; i < t->visits; i++) {
        tapir_sleep((int64_t)(t->pause[i] * 1e6));
        visit(t, &fd);
    }
    t->end = tapir_now();
    t->over = true;
    close_it(fd);
}

/* --- the figure --- */

static struct theory_idle theory_of(const struct trial *t, double pause)
{
    double rate = (double)t->e->setup.rate, rtt = (double)t->e->setup.rtt / 1e6;

    return (struct theory_idle){
        .pause = pause,
        .timeout = t->timeout,
        .exchange = rtt + 8 * (REQUEST + ANSWER + 2 * 52) / rate,
        .connect = rtt + 8 * 2 * 60 / rate,
        .silent = t->silent,
    };
}

/* Three per cent, and one visit more or less of so many. */
static double gate(const struct trial *t, double share)
{
    return share > 0 ? 3 + 100 / (share * t->visits) : 3;
}

static void judge(const struct trial *t, const struct theory_idle *i, int show,
                  struct figure *out)
{
    double n = t->visits, users = experiment_number(t->e, "users", 1000);
    double held = (double)t->held / (double)(t->end - t->begin);
    const struct figure figure[] = {
        { "%", 100 * theory_idle_reuse(i), 0, 100 * t->reused / n, 0 },
        { "held", users * theory_idle_held(i), 0, users * held, 0 },
        { "s", theory_idle_wait(i), 0, t->waited / n, 0 },
        { "%", 100 * theory_idle_stale(i), 0, 100 * t->stale / n, 0 },
        { "s", theory_idle_cost(i), 0, t->lost / (t->stale ? t->stale : 1), 0 },
    };

    *out = figure[show];
    out->high = out->low;
    out->gate = show < 3 ? 3 : gate(t, theory_idle_stale(i));
}

bool experiment_idle(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = {
        "reuse", "held", "wait", "stale", "cost", NULL
    };
    static const char *const last_words[] = { "fin", "nothing", NULL };
    const char *sysctl[] = { "tapir.tcp_timewait_ms=1000" };
    double pause = experiment_number(e, "pause", 10);
    int show = experiment_show(e, shows),
        says = experiment_choice(e, "says", last_words);
    struct trial t = { .e = e,
                       .visits = (unsigned)experiment_number(e, "visits", 2000),
                       .timeout = experiment_number(e, "timeout", 5),
                       .silent = says == 1 };
    struct theory_idle i = theory_of(&t, pause);
    struct page_setup setup = e->setup;
    struct duo duo = { .setup = &setup,
                       .sysctl = sysctl,
                       .n_sysctl = 1,
                       .client = client,
                       .server = server,
                       .arg = &t };
    int err = -ENOMEM;

    if (show < 0 || says < 0)
        return false;
    if (t.visits == 0)
        t.visits = 1;
    setup.netem = t.silent ? "drop in:rst:each" : NULL;
    if (make_pauses(&t, pause))
        err = duo_run(&duo);
    free(t.pause);
    if (err < 0)
        return experiment_failed(e, err);
    judge(&t, &i, show, out);
    return true;
}
