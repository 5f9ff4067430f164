/* Nagle against the delayed ACK. The server answers a request in one write or in two:
 *
 *     client                       server
 *        |  request  ---------------> |
 *        | <----------  first piece   |
 *        |   waits for a second one,  |  the second piece is small and the first is
 *        |   or for its timer: D      |  not acknowledged: Nagle holds it back
 *        |  ACK  -------------------> |
 *        | <---------  second piece   |
 *
 * So the second piece costs R + D more: where the server has Nagle on, the client a
 * delayed ACK, and the answer two writes. The exchanges before the last one use up the
 * ACKs that a new connection sends at once. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "duo.h"
#include "experiment.h"

enum { WARM = 24, REQUEST = 100, PIECE = 100 };

struct talk {
    struct experiment *e;
    double seconds; /* of the last exchange */
};

static bool read_all(int fd, char *at, size_t n)
{
    while (n > 0) {
        ssize_t got = tapir_read(fd, at, n);
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static void server(void *arg)
{
    const struct talk *t = arg;
    int listener = duo_listen(), on = t->e->nodelay;
    int fd = tapir_accept(listener, NULL, NULL);
    char request[REQUEST], answer[2 * PIECE] = { 0 };
    size_t piece = t->e->writes == 2 ? PIECE : 2 * PIECE;

    tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (read_all(fd, request, sizeof request))
        for (size_t at = 0; at < sizeof answer; at += piece)
            tapir_write(fd, answer + at, piece);
    tapir_close(fd);
    tapir_close(listener);
}

static void client(void *arg)
{
    struct talk *t = arg;
    int fd = duo_connect();
    char request[REQUEST] = { 0 }, answer[2 * PIECE];

    for (int i = 0; i <= WARM; i++) {
        int64_t begin = tapir_now();
        tapir_write(fd, request, sizeof request);
        if (!read_all(fd, answer, sizeof answer))
            break;
        t->seconds = (double)(tapir_now() - begin) / 1e6;
        tapir_sleep(1000000);
    }
    tapir_close(fd);
}

bool experiment_nagle(struct experiment *e, struct figure *out)
{
    struct talk t = { .e = e };
    char delack[40];
    const char *sysctl[] = { delack, "tapir.tcp_quickack=0" };
    struct duo duo = { .setup = &e->setup,
                       .sysctl = sysctl,
                       .n_sysctl = 2,
                       .client = client,
                       .server = server,
                       .arg = &t };
    struct theory_path p = { .rtt = (double)e->setup.rtt / 1e6,
                             .rate = (double)e->setup.rate };

    snprintf(delack, sizeof delack, "tapir.tcp_delack_ms=%.0f", e->delack);
    int err = duo_run(&duo);
    if (err < 0) {
        snprintf(e->error, sizeof e->error, "the simulation: %s", strerror(-err));
        return false;
    }
    out->low = p.rtt;
    if (e->writes == 2 && !e->nodelay)
        out->low += theory_nagle(&p, e->delack / 1000);
    out->high = out->low;
    out->measured = t.seconds;
    return true;
}
