/* TIME-WAIT and ports. Whoever closes first keeps the connection's four numbers for
 * 2 MSL; a client with so many ports can have as many connections to one server in that
 * time, and then connect() says EADDRNOTAVAIL until the oldest is forgotten. Where the
 * server closes first it has the TIME-WAITs, and the client its ports. RFC 6191 lets a
 * client with timestamps take a port again after a second; that is off here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "duo.h"
#include "experiment.h"

enum { MORE = 2, LIFETIMES = 3 };

struct trial {
    struct experiment *e;
    unsigned wanted;  /* connections, while none fails */
    unsigned at_once; /* that succeeded before one failed */
    double rate;      /* connections a second, over some lifetimes of a TIME-WAIT */
    volatile bool over;
};

static void server(void *arg)
{
    struct trial *t = arg;
    int listener = duo_listen();
    struct pollfd p = { .fd = listener, .events = POLLIN };
    char byte;

    while (!t->over) {
        if (tapir_poll(&p, 1, 1000) <= 0)
            continue;
        int fd = tapir_accept(listener, NULL, NULL);
        if (!t->e->server_closes)
            tapir_read(fd, &byte, 1);
        tapir_close(fd);
    }
    tapir_close(listener);
}

/* A connection that comes and goes. */
static bool visit(const struct trial *t)
{
    int fd = duo_connect();
    char byte;

    if (fd < 0)
        return false;
    if (t->e->server_closes)
        tapir_read(fd, &byte, 1);
    tapir_close(fd);
    return true;
}

static void count(struct trial *t)
{
    while (t->at_once < t->wanted && visit(t))
        t->at_once++;
}

/* Ports are all in TIME-WAIT now. They come back as they are forgotten, in the rhythm
 * in which they were used: what counts is whole lifetimes from the first that is back.
 */
static void measure_rate(struct trial *t)
{
    int64_t lifetime = (int64_t)(t->e->time_wait * 1e6), end;
    unsigned n = 1;

    while (!visit(t))
        tapir_sleep(1000);
    end = tapir_now() + LIFETIMES * lifetime;
    while (tapir_now() < end) {
        if (visit(t))
            n++;
        else
            tapir_sleep(1000);
    }
    t->rate = n / (t->e->time_wait * LIFETIMES);
}

static void client(void *arg)
{
    struct trial *t = arg;

    count(t);
    if (strcmp(t->e->show, "rate") == 0)
        measure_rate(t);
    t->over = true;
}

static void judge(const struct experiment *e, const struct trial *t, struct figure *out)
{
    if (strcmp(e->show, "rate") == 0) {
        *out = (struct figure){ .unit = "1/s", .gate = 3, .measured = t->rate };
        out->low = theory_port_rate(e->ports, e->time_wait);
    } else {
        *out = (struct figure){ .unit = "connects", .measured = t->at_once };
        out->low = e->server_closes ? t->wanted : e->ports;
    }
    out->high = out->low;
}

bool experiment_ports(struct experiment *e, struct figure *out)
{
    struct trial t = { .e = e, .wanted = e->ports * MORE };
    char range[60], wait[40];
    const char *sysctl[] = { range, wait, "net.ipv4.tcp_tw_reuse=0" };
    struct duo duo = { .setup = &e->setup,
                       .sysctl = sysctl,
                       .n_sysctl = 3,
                       .client = client,
                       .server = server,
                       .arg = &t };

    snprintf(range, sizeof range, "net.ipv4.ip_local_port_range=40000 %u",
             39999 + e->ports);
    snprintf(wait, sizeof wait, "tapir.tcp_timewait_ms=%.0f", e->time_wait * 1000);
    int err = duo_run(&duo);
    if (err < 0) {
        snprintf(e->error, sizeof e->error, "the simulation: %s", strerror(-err));
        return false;
    }
    judge(e, &t, out);
    return true;
}
