/* Connections that share a bottleneck: c of them belong to one user, and one to
 * another. All carry what the server has without end, from it to the client:
 *
 *     server                     bottleneck                  client
 *        c  connections  ==\    +-----------+           ==>  c/(c + 1) of the rate
 *                           ==> | queue     | rate ==>
 *        1  connection   ==/    +-----------+           ==>  1/(c + 1)
 *
 * Each additive increase is a segment a round trip and each loss a factor, whoever owns
 * the connection: TCP is fair to connections, and knows nothing of users. What is
 * counted begins after a while, when slow start is over. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "duo.h"
#include "experiment.h"

enum {
    FLOWS = 64,
    BUFFER = 64 * 1024,
    BAR = 40,
    WARM = 10,
    APART = 500000,
    STEP = 50000
};

struct race {
    unsigned flows;    /* c + 1; the last one is the other user's */
    const char *cc[2]; /* of the c, of the one */
    double seconds;    /* that are counted */
    double got[FLOWS]; /* bytes in that time */
    struct rng dice;   /* for the times between two connects */
    int64_t from;      /* when that began; 0: not yet */
};

/* --- the server --- */

static bool accept_all(const struct race *r, struct pollfd *p)
{
    int listener = duo_listen();

    for (unsigned i = 0; i < r->flows; i++) {
        const char *cc = r->cc[i + 1 == r->flows];
        p[i] = (struct pollfd){ .fd = tapir_accept(listener, NULL, NULL),
                                .events = POLLOUT };
        if (p[i].fd < 0)
            return false;
        tapir_setsockopt(p[i].fd, IPPROTO_TCP, TCP_CONGESTION, cc,
                         (socklen_t)strlen(cc));
        tapir_fcntl(p[i].fd, F_SETFL, O_NONBLOCK);
    }
    tapir_close(listener);
    return true;
}

/* Writes to each until its client has gone. */
static void server(void *arg)
{
    static const char zeros[BUFFER];
    const struct race *r = arg;
    struct pollfd p[FLOWS];
    unsigned open = r->flows;

    if (!accept_all(r, p))
        return;
    while (open > 0 && tapir_poll(p, r->flows, -1) > 0)
        for (unsigned i = 0; i < r->flows; i++) {
            if (!p[i].revents || tapir_write(p[i].fd, zeros, sizeof zeros) >= 0 ||
                errno == EAGAIN)
                continue;
            tapir_close(p[i].fd);
            p[i].fd = -1;
            open--;
        }
}

/* --- the client --- */

static void read_all(struct race *r, unsigned i, int fd)
{
    static char buffer[BUFFER];
    ssize_t n;

    while ((n = tapir_read(fd, buffer, sizeof buffer)) > 0)
        if (r->from > 0 && tapir_now() >= r->from)
            r->got[i] += (double)n;
}

/* Now and then: the receive buffers are larger than what comes in between. */
static void read_until(struct race *r, const int *fd, unsigned n, int64_t end)
{
    while (tapir_now() < end) {
        int64_t left = end - tapir_now();
        tapir_sleep(left < STEP ? left : STEP);
        for (unsigned i = 0; i < n; i++)
            read_all(r, i, fd[i]);
    }
}

static void client(void *arg)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    struct race *r = arg;
    int fd[FLOWS];

    for (unsigned i = 0; i < r->flows; i++) {
        fd[i] = duo_connect();
        tapir_fcntl(fd[i], F_SETFL, O_NONBLOCK);
        read_until(r, fd, i + 1, tapir_now() + (int64_t)rng_below(&r->dice, APART));
    }
    read_until(r, fd, r->flows, tapir_now() + (int64_t)WARM * 1000000);
    r->from = tapir_now();
    read_until(r, fd, r->flows, r->from + (int64_t)(r->seconds * 1e6));
    for (unsigned i = 0; i < r->flows; i++) {
        tapir_setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        tapir_close(fd[i]);
    }
}

/* --- the figure --- */

static double sum_of(const struct race *r)
{
    double sum = 0;

    for (unsigned i = 0; i < r->flows; i++)
        sum += r->got[i];
    return sum;
}

/* Jain's index: 1 where all have the same, 1/n where one has all. */
static double jain(const struct race *r)
{
    double sum = sum_of(r), squares = 0;

    for (unsigned i = 0; i < r->flows; i++)
        squares += r->got[i] * r->got[i];
    return squares > 0 ? sum * sum / (r->flows * squares) : 0;
}

static char *draw(const struct race *r)
{
    static const char bars[BAR + 1] = "########################################";
    double sum = sum_of(r), most = 0;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (unsigned i = 0; i < r->flows; i++)
        most = r->got[i] > most ? r->got[i] : most;
    for (unsigned i = 0; i < r->flows; i++)
        fprintf(out, "  %-5s %-8s %6.2f Mbit/s %5.1f %%  |%.*s\n",
                i + 1 == r->flows ? "one" : "many", r->cc[i + 1 == r->flows],
                8 * r->got[i] / r->seconds / 1e6, 100 * r->got[i] / sum,
                (int)(BAR * r->got[i] / most + 0.5), bars);
    fclose(out);
    return text;
}

static void judge(const struct experiment *e, const struct race *r, int show,
                  struct figure *out)
{
    double share = theory_share(r->flows - 1), sum = sum_of(r);
    double one = r->got[r->flows - 1];
    /* Of each 1500 bytes of a packet 1448 are text. */
    double full = (double)e->setup.rate / 8 * r->seconds * 1448 / 1500;
    const struct figure figure[] = {
        { "%", 100 * share, 0, 100 * (1 - one / sum), 8 },
        { "%", 100 * (1 - share), 0, 100 * one / sum, 10 },
        { "", 1, 0, jain(r), 5 },
        { "%", 100, 0, 100 * sum / full, 5 },
    };

    *out = figure[show];
    out->high = out->low;
}

bool experiment_share(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "share", "rest", "jain", "full", NULL };
    static const char *const controllers[] = { "reno", "cubic", NULL };
    const char *sysctl[] = { "net.ipv4.tcp_wmem=4096 1048576 1048576" };
    struct race r = { .flows = e->setup.connections + 1,
                      .seconds = experiment_number(e, "seconds", 60) };
    struct page_setup setup = e->setup;
    struct duo duo = { .setup = &setup,
                       .sysctl = sysctl,
                       .n_sysctl = 1,
                       .client = client,
                       .server = server,
                       .arg = &r };
    int show = experiment_show(e, shows), cc = experiment_choice(e, "cc", controllers);
    int against = experiment_choice(e, "against", controllers);
    char words[80];

    if (show < 0 || cc < 0 || against < 0)
        return false;
    if (r.flows > FLOWS)
        r.flows = FLOWS;
    if (!experiment_word(e, "against", NULL))
        against = cc;
    rng_seed(&r.dice, setup.seed);
    r.cc[0] = controllers[cc];
    r.cc[1] = controllers[against];
    snprintf(words, sizeof words, "limit %.0f", experiment_number(e, "queue", 50));
    setup.netem = words;
    int err = duo_run(&duo);
    if (err < 0)
        return experiment_failed(e, err);
    judge(e, &r, show, out);
    if (experiment_number(e, "view", 0) > 0)
        e->view = draw(&r);
    return true;
}
