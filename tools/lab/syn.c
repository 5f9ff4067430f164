/* Lost SYNs. A client connects some thousand times, one after the other, over a path
 * that loses SYNs, SYN/ACKs or both:
 *
 *     client                    server
 *        |  SYN  -----------X      |        the timer of the first SYN is RTO0: there
 *        |    RTO0                 |        is no round trip to learn from yet
 *        |  SYN  -----------X      |
 *        |    2 RTO0               |
 *        |  SYN  ----------------> |
 *        | <-------------- SYN/ACK |        R + 3 RTO0
 *
 * The client resets what it has opened, so that nothing is left of it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "duo.h"
#include "experiment.h"
#include "theory_syn.h"

enum { BAR = 40, RETRIES = 7, ANSWERS = 5, CLEAR = 10000 };
enum way { WAY_SYN, WAY_SYNACK, WAY_BOTH };

struct trial {
    unsigned wanted, opened; /* connects */
    int64_t free;            /* microseconds that one takes without loss */
    double waited;           /* seconds beyond that, of all */
    struct theory_wait wait[THEORY_WAITS];
    unsigned waits;
    unsigned count[THEORY_WAITS]; /* of connects with that wait */
    volatile bool over;
};

static void server(void *arg)
{
    const struct trial *t = arg;
    int listener = duo_listen();
    struct pollfd p = { .fd = listener, .events = POLLIN };

    while (!t->over)
        if (tapir_poll(&p, 1, 1000) > 0)
            tapir_close(tapir_accept(listener, NULL, NULL));
    tapir_close(listener);
}

/* The wait that theory has nearest to this one. */
static unsigned nearest(const struct trial *t, double waited)
{
    unsigned i = 0;

    while (i + 1 < t->waits &&
           waited > (t->wait[i].seconds + t->wait[i + 1].seconds) / 2)
        i++;
    return i;
}

static void client(void *arg)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    struct trial *t = arg;

    for (unsigned i = 0; i < t->wanted; i++) {
        int64_t begin = tapir_now();
        int fd = duo_connect();
        if (fd < 0)
            continue;
        double waited = (double)(tapir_now() - begin - t->free) / 1e6;
        t->opened++;
        t->waited += waited;
        t->count[nearest(t, waited)]++;
        tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        tapir_close(fd);
        tapir_sleep(CLEAR); /* the reset is not in the next one's way */
    }
    t->over = true;
}

/* A row for each wait that is likely, or was seen. */
static char *draw(const struct trial *t)
{
    static const char bars[BAR + 1] = "########################################";
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fputs("      seconds  connects    theory\n", out);
    for (unsigned i = 0; i < t->waits; i++) {
        double theory = t->wait[i].share * t->opened;
        if (t->count[i] == 0 && theory < 0.5)
            continue;
        int bar = (int)(t->count[i] * (double)BAR / t->opened + 0.5);
        fprintf(out, "  %11.4f  %8u %9.1f  |%.*s%s\n",
                (double)t->free / 1e6 + t->wait[i].seconds, t->count[i], theory, bar,
                bars, bar == 0 && t->count[i] > 0 ? "." : "");
    }
    fclose(out);
    return text;
}

/* Three standard errors, in per cent. */
static double gate(double error, double of)
{
    return of > 0 ? 300 * error / of : 0;
}

static void judge_share(const struct trial *t, double after, struct figure *out)
{
    unsigned i = nearest(t, after);

    out->unit = "%";
    out->low = 100 * t->wait[i].share;
    out->measured = 100.0 * t->count[i] / t->opened;
    out->gate = gate(theory_share_error(t->wait[i].share, t->opened), t->wait[i].share);
}

static void judge(const struct experiment *e, const struct trial *t,
                  const struct theory_syn *s, struct figure *out)
{
    if (strcmp(e->show, "share") == 0) {
        judge_share(t, experiment_number(e, "after", 0), out);
    } else {
        out->low = theory_syn_mean(s);
        out->measured = t->waited / t->opened;
        out->gate = gate(theory_syn_error(s, t->opened), out->low);
    }
    out->high = out->low;
}

bool experiment_syn(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "extra", "share", NULL };
    static const char *const ways[] = { "syn", "synack", "both", NULL };
    static const char *const prefix[] = { "out:", "in:", "" };
    double loss = experiment_number(e, "loss", 5) / 100;
    int way = experiment_choice(e, "way", ways);
    struct theory_syn s = { .up = way == WAY_SYNACK ? 0 : loss,
                            .down = way == WAY_SYN ? 0 : loss,
                            .timeout = 1,
                            .tries = 1 + RETRIES,
                            .answers = ANSWERS };
    struct trial t = { .wanted = (unsigned)experiment_number(e, "connects", 5000) };
    const char *sysctl[] = { "net.ipv4.tcp_syn_retries=7",
                             "net.ipv4.tcp_synack_retries=5" };
    char words[60];
    struct page_setup setup = e->setup;
    struct duo duo = { .setup = &setup,
                       .sysctl = sysctl,
                       .n_sysctl = 2,
                       .client = client,
                       .server = server,
                       .arg = &t };

    if (experiment_show(e, shows) < 0 || way < 0)
        return false;
    t.free = e->setup.rtt + (int64_t)(2 * 8 * 60 * 1e6 / (double)e->setup.rate + 0.5);
    t.waits = theory_syn_waits(&s, t.wait);
    snprintf(words, sizeof words, "%sloss %.6f%%", prefix[way], loss * 100);
    setup.netem = words;
    int err = duo_run(&duo);
    if (err < 0 || t.opened == 0)
        return experiment_failed(e, err < 0 ? err : -ETIMEDOUT);
    if (experiment_number(e, "view", 0) > 0)
        e->view = draw(&t);
    judge(e, &t, &s, out);
    return true;
}
