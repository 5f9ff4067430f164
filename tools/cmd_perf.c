/* tapir perf -c: n connections to a perf server, as fast as they go for some seconds.
 * One thread and one tapir_poll() for all: whoever waits drives the stack, so bytes go
 * from the caller's buffer to the device without a change of thread. Sockets do not
 * block; a turn writes (or reads) until it would.
 *
 * When the time is up a sender says so (half close) and waits until the peer, which has
 * read all then, closes: that moment ends the receiver's figure. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "address.h"
#include "commands.h"
#include "options.h"
#include "perf.h"

enum { INTERVAL = 1000000, CLOSE_WAIT = 5000000, SIM_TICK_MS = 100, TURN = 8 };

static const struct option_row rows[] = {
    { 's', 's', "server", false },  { 'c', 'c', "client", true },
    { 'R', 'R', "reverse", false }, { 't', 't', "time", true },
    { 'P', 'P', "parallel", true }, { 'J', 'J', "json", false },
    { 0, 0, NULL, false },
};

static uint8_t buffer[PERF_BUFFER];

/* --- streams --- */

static int open_stream(struct perf *p, struct perf_stream *s)
{
    socklen_t len = sizeof s->local;
    s->remote = p->to;
    s->fd = tapir_socket(p->to.any.sa_family, SOCK_STREAM, 0);
    if (s->fd < 0) {
        tell("cannot open a socket", strerror(errno), NULL);
        return 1;
    }
    if (tapir_connect(s->fd, &p->to.any, endpoint_len(&p->to)) < 0) {
        tell_connect(p->name, &p->to, errno);
        return 1;
    }
    tapir_getsockname(s->fd, &s->local.any, &len);
    tapir_fcntl(s->fd, F_SETFL, tapir_fcntl(s->fd, F_GETFL, 0) | O_NONBLOCK);
    return 0;
}

static void close_stream(struct perf_stream *s)
{
    if (s->fd >= 0)
        tapir_close(s->fd);
    s->fd = -1;
}

/* What the stack knows about the sender's side, by TCP_INFO. */
static void ask_stack(struct perf_stream *s)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;
    if (s->fd < 0 || tapir_getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return;
    s->retrans = info.tcpi_total_retrans;
    s->cwnd = info.tcpi_snd_cwnd * info.tcpi_snd_mss;
}

/* Writes or reads until it would block, a few buffers at most: all streams get a turn.
 * False: the stream has ended. */
static bool turn(const struct perf *p, struct perf_stream *s)
{
    for (int i = 0; i < TURN; i++) {
        ssize_t n = p->reverse ? tapir_read(s->fd, buffer, sizeof buffer)
                               : tapir_write(s->fd, buffer, sizeof buffer);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return true;
        if (n < 0)
            tell("the connection broke", strerror(errno), NULL);
        if (n <= 0)
            return false;
        s->bytes += (uint64_t)n;
    }
    return true;
}

static bool all_closed(const struct perf *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->stream[i].fd >= 0)
            return false;
    return true;
}

/* --- the run --- */

/* Waits for the streams, at most until `until`; false: poll failed. */
static bool wait_streams(struct perf *p, const struct options *o, struct pollfd *fds,
                         int64_t until)
{
    int64_t left = until - tapir_now();
    int ms = left > 0 ? (int)((left + 999) / 1000) : 0;
    for (int i = 0; i < p->n; i++)
        fds[i] = (struct pollfd){ .fd = p->stream[i].fd,
                                  .events = p->reverse ? POLLIN : POLLOUT };
    fds[p->n] = (struct pollfd){ .fd = o->stop_fd, .events = POLLIN };
    if (o->sim && ms > SIM_TICK_MS)
        ms = SIM_TICK_MS;
    return tapir_poll(fds, (nfds_t)p->n + 1, ms) >= 0 || errno == EINTR;
}

static void end_interval(struct perf *p, int64_t now)
{
    for (int i = 0; i < p->n; i++)
        ask_stack(&p->stream[i]);
    perf_report_interval(p, now);
}

/* True: it ran until the time was up or it was stopped. */
static bool transfer(struct perf *p, const struct options *o)
{
    struct pollfd fds[PERF_STREAMS + 1];
    int64_t end = p->begin + (int64_t)(p->seconds * 1e6);
    for (;;) {
        int64_t now = tapir_now(), next = p->last + INTERVAL;
        if (now >= next || now >= end)
            end_interval(p, now);
        if (now >= end || options_stopped(o))
            return true;
        if (!wait_streams(p, o, fds, next < end ? next : end))
            return false;
        for (int i = 0; i < p->n; i++)
            if (fds[i].revents && !turn(p, &p->stream[i]))
                return false;
    }
}

/* Tells the peers that this was all, and waits until they have read it. */
static void finish(struct perf *p)
{
    struct pollfd fds[PERF_STREAMS];
    int64_t until = tapir_now() + CLOSE_WAIT;
    for (int i = 0; i < p->n; i++) {
        ask_stack(&p->stream[i]);
        if (p->reverse)
            close_stream(&p->stream[i]);
        else
            tapir_shutdown(p->stream[i].fd, SHUT_WR);
    }
    while (!all_closed(p) && tapir_now() < until) {
        for (int i = 0; i < p->n; i++)
            fds[i] = (struct pollfd){ .fd = p->stream[i].fd, .events = POLLIN };
        tapir_poll(fds, (nfds_t)p->n, SIM_TICK_MS);
        for (int i = 0; i < p->n; i++)
            if (fds[i].revents && tapir_read(fds[i].fd, buffer, 1) <= 0)
                close_stream(&p->stream[i]);
    }
}

static int perf_client(struct options *o, void *arg)
{
    struct perf *p = arg;
    int status = 0;
    if (!find_host(o, p->name, AF_UNSPEC, &p->to))
        return 1;
    options_wait_far(o, endpoint_port(&p->to));
    for (int i = 0; i < p->n; i++)
        p->stream[i].fd = -1;
    for (int i = 0; i < p->n && status == 0; i++)
        status = open_stream(p, &p->stream[i]);
    if (status == 0) {
        p->begin = p->last = tapir_now();
        p->reported = true;
        perf_report_start(p);
        status = transfer(p, o) ? 0 : 1;
        p->sent_at = p->arrived_at = tapir_now();
        if (p->sent_at - p->last > INTERVAL / 10)
            end_interval(p, p->sent_at);
        finish(p);
        p->arrived_at = p->reverse ? p->sent_at : tapir_now();
        perf_report_end(p);
    }
    for (int i = 0; i < p->n; i++)
        close_stream(&p->stream[i]);
    return status;
}

/* --- the command --- */

static int take_option(struct perf *p, int id, const char *value)
{
    switch (id) {
    case 's':
        p->serve = true;
        return 0;
    case 'c':
        p->host = value;
        return 0;
    case 'R':
        p->reverse = true;
        return 0;
    case 't':
        return option_decimal("-t", value, 0.1, 86400, &p->seconds) ? 0 : 2;
    case 'P':
        return option_number("-P", value, 1, PERF_STREAMS, &p->n) ? 0 : 2;
    case 'J':
        p->json = true;
        return 0;
    default:
        return tell_usage("perf takes options only", "tapir help perf");
    }
}

int perf_run(int argc, char **argv)
{
    static struct perf p; /* too large for a stack frame to be nice */
    struct options o;
    int id;
    p.seconds = 10;
    p.n = 1;
    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        if (take_option(&p, id, o.value) != 0)
            return 2;
    }
    if (p.serve == (p.host != NULL))
        return tell_usage("perf is either -s or -c HOST", "tapir perf -c 192.0.2.1");
    struct job job = { .body = perf_client, .arg = &p, .failed = 1, .watches = true };
    if (p.serve) {
        job.body = perf_serve;
        job.server = true;
    } else {
        uint16_t port = p.reverse ? PERF_SOURCE : PERF_DISCARD;
        if (!read_host_port(p.host, p.name, sizeof p.name, &port))
            return 2;
        p.to.in4.sin_port = htons(port);
    }
    int status = options_run(&o, &job);
    if (p.json && !p.serve && !p.reported)
        tell_json();
    return status;
}
