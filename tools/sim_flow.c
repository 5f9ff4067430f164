/* The programs of `tapir sim`. Each flow is a sender on one host and a receiver on the
 * other, with a port of its own, so that no connection must be told from another; one
 * more program asks all senders for their state every interval and writes it down.
 *
 *     sender:    sleep until its start, connect, write, half close, wait for the end
 *     receiver:  listen, accept, read to the end, close
 *
 * They are threads of the simulation, of which one runs at a time, so what they share
 * needs no lock. */
#include "sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>

#include "options.h"

enum { BUFFER = 64 * 1024 };

static const uint8_t zeros[BUFFER];

static bool failed(struct sim_flow *f, const char *what)
{
    snprintf(f->error, sizeof f->error, "%s: %s", what, strerror(errno));
    return false;
}

static struct sockaddr_in address(const struct sim_flow *f, bool any)
{
    struct sockaddr_in to = { .sin_family = AF_INET };

    to.sin_port = htons((uint16_t)(SIM_PORT + f->i));
    if (!any)
        inet_pton(AF_INET, f->run->reverse ? "192.0.2.1" : "192.0.2.2", &to.sin_addr);
    return to;
}

int64_t sim_flow_until(const struct simulation *run, const struct sim_flow *flow)
{
    return flow->start + (int64_t)(run->seconds * 1e6);
}

/* --- the receiver --- */

static bool count_read(struct sim_flow *f, int fd)
{
    uint8_t buffer[BUFFER];
    ssize_t n;

    while ((n = tapir_read(fd, buffer, sizeof buffer)) > 0) {
        int64_t now = tapir_now();
        if (!f->run->size && now > sim_flow_until(f->run, f))
            continue;
        f->received += (uint64_t)n;
        f->end = now;
    }
    return n == 0 || failed(f, "read");
}

static void receiver(void *arg)
{
    struct sim_flow *f = arg;
    struct sockaddr_in any = address(f, true);
    int listener = tapir_socket(AF_INET, SOCK_STREAM, 0);

    tapir_bind(listener, (struct sockaddr *)&any, sizeof any);
    tapir_listen(listener, 1);
    int fd = tapir_accept(listener, NULL, NULL);
    if (fd >= 0) {
        count_read(f, fd);
        tapir_close(fd);
    }
    tapir_close(listener);
}

/* --- the sender --- */

static bool open_flow(struct sim_flow *f)
{
    struct sockaddr_in to = address(f, false);

    f->fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    if (f->fd < 0)
        return failed(f, "socket");
    if (f->cc && tapir_setsockopt(f->fd, IPPROTO_TCP, TCP_CONGESTION, f->cc,
                                  (socklen_t)strlen(f->cc)) < 0)
        return failed(f, f->cc);
    socklen_t room = SIM_CC_NAME;
    tapir_getsockopt(f->fd, IPPROTO_TCP, TCP_CONGESTION, f->cc_name, &room);
    if (tapir_connect(f->fd, (struct sockaddr *)&to, sizeof to) < 0)
        return failed(f, "connect");
    return true;
}

static size_t next_piece(const struct sim_flow *f)
{
    const struct simulation *run = f->run;

    if (!run->size)
        return tapir_now() < sim_flow_until(run, f) ? sizeof zeros : 0;
    uint64_t left = run->size - f->written;
    return left < sizeof zeros ? (size_t)left : sizeof zeros;
}

static bool write_all(struct sim_flow *f)
{
    for (size_t n = next_piece(f); n > 0; n = next_piece(f)) {
        ssize_t taken = tapir_write(f->fd, zeros, n);
        if (taken < 0)
            return failed(f, "write");
        f->written += (uint64_t)taken;
    }
    return true;
}

static void ask_stack(struct sim_flow *f)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (tapir_getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return;
    f->retrans = info.tcpi_total_retrans;
    f->rtt = info.tcpi_rtt;
    f->rttvar = info.tcpi_rttvar;
    f->min_rtt = info.tcpi_min_rtt;
    f->delivered_segs = info.tcpi_data_segs_out;
}

static void sender(void *arg)
{
    struct sim_flow *f = arg;
    char end;

    tapir_sleep(f->start - tapir_now());
    if (open_flow(f) && write_all(f)) {
        tapir_shutdown(f->fd, SHUT_WR);
        if (tapir_read(f->fd, &end, 1) < 0)
            failed(f, "end");
    }
    if (f->fd >= 0) {
        ask_stack(f);
        tapir_close(f->fd);
    }
    f->fd = -1;
    f->done = true;
}

/* --- the observer --- */

static bool all_done(const struct simulation *run)
{
    for (unsigned i = 0; i < run->n; i++)
        if (!run->flow[i].done)
            return false;
    return true;
}

static void observer(void *arg)
{
    struct simulation *run = arg;

    sim_csv_header(run->csv);
    while (!all_done(run)) {
        for (unsigned i = 0; i < run->n; i++)
            sim_csv_row(run, &run->flow[i]);
        tapir_sleep((int64_t)(run->interval * 1e6));
    }
}

int sim_flows_start(struct simulation *run)
{
    struct tapir *from = run->reverse ? run->b : run->a;
    struct tapir *to = run->reverse ? run->a : run->b;
    int err = 0;

    for (unsigned i = 0; i < run->n && err == 0; i++) {
        struct sim_flow *f = &run->flow[i];
        *f = (struct sim_flow){ .run = run, .i = i, .fd = -1 };
        f->start = (int64_t)(run->stagger * 1e6 * i);
        f->cc = run->n_cc ? run->cc[i % run->n_cc] : NULL;
        err = sim_spawn(to, receiver, f);
        if (err == 0)
            err = sim_spawn(from, sender, f);
    }
    if (run->csv && err == 0)
        err = sim_spawn(from, observer, run);
    return err;
}
