/* A program listens; each connection has a program of its own, which reads a request,
 * writes the whole answer in one call, and so on until the client closes or asks it to
 * close. Blocking calls suffice, since programs cost no time of the simulation.
 *
 * The server of src/app would do as well, but its ETag names an inode and a time: an
 * answer would be some bytes longer on one day than on another, and a run not the same
 * again. The Date here is the epoch's. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/http_parse.h"
#include "http/http_write.h"
#include "tapir/sim.h"

enum { INPUT = 128 * 1024, BACKLOG = 1024, LOOK_MS = 1000 };

struct visit {
    int fd;
    size_t len;     /* bytes in `in` */
    size_t seen;    /* of these, looked at in vain */
    char in[INPUT]; /* requests that are not answered yet */
};

static const char zeros[64 * 1024];

/* The number behind the first slash. */
static uint64_t body_of(struct http_slice target)
{
    uint64_t bytes = 0;

    if (target.len > 0)
        target = slice_from(target, 1);
    return slice_number(slice_first(target, slice_span(target, "/")), &bytes) ? bytes
                                                                              : 0;
}

static size_t write_head(char *out, size_t room, uint64_t bytes, bool last)
{
    struct text t;

    text_init(&t, out, room);
    http_write_status(&t, 200);
    http_write_date(&t, "Date", 0);
    http_write_field(&t, "Server", "tapir");
    http_write_field(&t, "Content-Type", "application/octet-stream");
    http_write_number(&t, "Content-Length", bytes);
    if (last)
        http_write_field(&t, "Connection", "close");
    http_write_end(&t);
    return t.len;
}

/* Head and body leave together: the body's beginning fills the head's segment. */
static bool answer(int fd, uint64_t bytes, bool last)
{
    char head[512];
    size_t n = write_head(head, sizeof head, bytes, last);
    struct iovec iov[2] = { { head, n }, { (void *)(uintptr_t)zeros, 0 } };

    while (iov[0].iov_len + bytes > 0) {
        iov[1].iov_len = bytes < sizeof zeros ? (size_t)bytes : sizeof zeros;
        ssize_t sent = tapir_writev(fd, iov, 2);
        if (sent < 0)
            return false;
        size_t of_head = iov[0].iov_len < (size_t)sent ? iov[0].iov_len : (size_t)sent;
        iov[0].iov_base = (char *)iov[0].iov_base + of_head;
        iov[0].iov_len -= of_head;
        bytes -= (size_t)sent - of_head;
    }
    return true;
}

/* Answers what is complete in v->in. False: the connection ends. */
static bool answer_all(struct visit *v)
{
    struct http_head head;
    int n;

    while ((n = http_parse_request(v->in, v->len, v->seen, &http_request_limits,
                                   &head)) > 0) {
        bool last = !http_persists(&head);
        if (!answer(v->fd, body_of(head.target), last) || last)
            return false;
        v->len -= (size_t)n;
        v->seen = 0;
        memmove(v->in, v->in + n, v->len);
    }
    v->seen = v->len;
    return n == -EAGAIN && v->len < sizeof v->in;
}

static void visit_program(void *arg)
{
    struct visit *v = arg;
    ssize_t n = 0;
    int one = 1;

    tapir_setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    do {
        n = tapir_read(v->fd, v->in + v->len, sizeof v->in - v->len);
        v->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && answer_all(v));
    tapir_close(v->fd);
    free(v);
}

static void welcome(struct server *s, int fd)
{
    struct visit *v = calloc(1, sizeof *v);

    if (v) {
        v->fd = fd;
        if (sim_spawn(s->host, visit_program, v) == 0)
            return;
    }
    free(v);
    tapir_close(fd);
}

void server_program(void *arg)
{
    struct server *s = arg;
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(s->port) };
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd p = { .fd = fd, .events = POLLIN };

    tapir_bind(fd, (struct sockaddr *)&any, sizeof any);
    tapir_listen(fd, BACKLOG);
    while (!s->over) {
        int visitor = tapir_poll(&p, 1, LOOK_MS) > 0 ? tapir_accept(fd, NULL, NULL)
                                                     : -1;
        if (visitor >= 0)
            welcome(s, visitor);
    }
    tapir_close(fd);
}
