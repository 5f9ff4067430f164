/* Connections and the loop. One thread and one epoll for all, level-triggered. The
 * first connections are opened one after another, so that no listener's queue runs
 * over.
 *
 *     open all ── warm up ──┬── measure ──┬── report
 *                           counters to 0 └ the time it really took
 *
 * It is a closed loop: a connection asks again when it has its answer, so a server that
 * is slow is asked less. Latencies are those of such a client, not of a fixed rate. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { EVENTS = 256, CONNECT_SECONDS = 5, WARM_UP = 100000000 };

bool load_broke(struct load *l, const char *why, int err)
{
    if (!l->broken[0])
        snprintf(l->broken, sizeof l->broken, "%s%s%s", why, err ? ": " : "",
                 err ? strerror(err) : "");
    return false;
}

bool load_answered(struct load *l, const struct load_conn *c)
{
    l->answers++;
    return samples_add(&l->times, bench_now() - c->asked) ||
           load_broke(l, "there is no memory for the times", 0);
}

/* --- from begin to end --- */

static bool write_question(struct load *l)
{
    bool once = strcmp(l->kind->name, "connect") == 0;
    int n = snprintf(l->question, sizeof l->question,
                     "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", l->path,
                     once ? "Connection: close\r\n" : "");
    l->question_len = (size_t)n;
    return (n > 0 && (size_t)n < sizeof l->question) ||
           load_broke(l, "that path is too long", 0);
}

bool load_init(struct load *l)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->heads = calloc(l->conns, LOAD_HEAD);
    l->buffer = calloc(1, LOAD_BUFFER);
    l->conn = calloc(l->conns, sizeof *l->conn);
    if (l->epoll < 0)
        return load_broke(l, "cannot wait", errno);
    if (!l->heads || !l->buffer || !l->conn)
        return load_broke(l, "there is no memory for the connections", 0);
    for (unsigned i = 0; i < l->conns; i++) {
        l->conn[i].fd = -1;
        l->conn[i].head = l->heads + (size_t)i * LOAD_HEAD;
    }
    return write_question(l);
}

void load_free(struct load *l)
{
    for (unsigned i = 0; l->conn && i < l->conns; i++)
        if (l->conn[i].fd >= 0)
            close(l->conn[i].fd);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l->conn);
    free(l->heads);
    free(l->buffer);
    samples_free(&l->times);
}

/* --- opening --- */

static int new_socket(struct load *l, struct load_conn *c, int flags)
{
    struct timeval most = { .tv_sec = CONNECT_SECONDS };
    int one = 1;

    if (c->fd >= 0)
        close(c->fd);
    c->up = c->in_body = false;
    c->head_len = 0;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (c->fd < 0) {
        load_broke(l, "cannot open a socket", errno);
        return -1;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    c->asked = bench_now();
    return 0;
}

static bool watch(struct load *l, struct load_conn *c, int op, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = c };
    return epoll_ctl(l->epoll, op, c->fd, &e) == 0 ||
           load_broke(l, "cannot wait for a connection", errno);
}

static bool begin(struct load *l, struct load_conn *c)
{
    c->up = true;
    return l->kind->begin(l, c);
}

bool load_open(struct load *l, struct load_conn *c)
{
    if (new_socket(l, c, 0) < 0)
        return false;
    if (connect(c->fd, (struct sockaddr *)&l->to, sizeof l->to) < 0)
        return load_broke(l, "cannot connect",
                          errno == EINPROGRESS ? ETIMEDOUT : errno);
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL, 0) | O_NONBLOCK);
    return watch(l, c, EPOLL_CTL_ADD, l->kind->events) && begin(l, c);
}

bool load_reopen(struct load *l, struct load_conn *c)
{
    if (new_socket(l, c, SOCK_NONBLOCK) < 0)
        return false;
    if (connect(c->fd, (struct sockaddr *)&l->to, sizeof l->to) < 0 &&
        errno != EINPROGRESS)
        return load_broke(l, "cannot connect", errno);
    return watch(l, c, EPOLL_CTL_ADD, EPOLLOUT);
}

static bool connected(struct load *l, struct load_conn *c)
{
    int err = 0;
    socklen_t len = sizeof err;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 || err)
        return load_broke(l, "cannot connect", err ? err : errno);
    return watch(l, c, EPOLL_CTL_MOD, l->kind->events) && begin(l, c);
}

/* --- the loop --- */

static bool turn_all(struct load *l, int64_t end)
{
    struct epoll_event ready[EVENTS];
    int64_t left = end - bench_now();
    int ms = left > 0 ? (int)((left + 999999) / 1000000) : 0;
    int n = epoll_wait(l->epoll, ready, EVENTS, ms);

    if (n < 0 && errno != EINTR)
        return load_broke(l, "cannot wait", errno);
    for (int i = 0; i < n; i++) {
        struct load_conn *c = ready[i].data.ptr;
        if (!(c->up ? l->kind->turn(l, c) : connected(l, c)))
            return false;
    }
    return true;
}

static bool turn_until(struct load *l, int64_t end)
{
    while (bench_now() < end)
        if (!turn_all(l, end))
            return false;
    return true;
}

static uint64_t moved(const struct load *l, const struct load_conn *c)
{
    return l->kind->moved ? l->kind->moved(c) : c->bytes;
}

static bool measure(struct load *l)
{
    int64_t begun;

    if (!turn_until(l, bench_now() + WARM_UP))
        return false;
    samples_clear(&l->times);
    l->answers = 0;
    for (unsigned i = 0; i < l->conns; i++)
        l->conn[i].before = moved(l, &l->conn[i]);
    begun = bench_now();
    if (!turn_until(l, begun + (int64_t)(l->seconds * (double)BENCH_SECOND)))
        return false;
    l->took = (double)(bench_now() - begun) / (double)BENCH_SECOND;
    for (unsigned i = 0; i < l->conns; i++)
        l->conn[i].bytes = moved(l, &l->conn[i]) - l->conn[i].before;
    return true;
}

static bool hold(struct load *l)
{
    int64_t late = bench_now() + CONNECT_SECONDS * BENCH_SECOND;
    while (l->answers < l->conns && bench_now() < late)
        if (!turn_all(l, late))
            return false;
    if (l->answers < l->conns)
        return load_broke(l, "not every connection had its answer", ETIMEDOUT);
    printf("held=%u\n", l->conns);
    fflush(stdout);
    return turn_until(l, bench_now() + (int64_t)(l->seconds * (double)BENCH_SECOND));
}

bool load_run(struct load *l)
{
    for (unsigned i = 0; i < l->conns; i++)
        if (!load_open(l, &l->conn[i]))
            return false;
    return l->kind->gives == LOAD_HOLD ? hold(l) : measure(l);
}
