/* load KIND HOST:PORT [options]: many clients in one thread, over the kernel's sockets;
 * the other end of every figure of `make bench`. What came of it is one line of
 * name=value on stdout: rates a second, times in microseconds. A run in which a
 * connection broke has no figures: it exits 1 and says why. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "stats.h"

static int usage(const char *what)
{
    fprintf(stderr,
            "load: %s\n"
            "usage: load KIND HOST:PORT [-c CONNECTIONS] [-t SECONDS] [-s ECHO BYTES] "
            "[-u PATH]\n",
            what);
    for (const struct load_kind *k = load_kinds; k->name; k++)
        fprintf(stderr, "  %-8s %s\n", k->name, k->does);
    return 2;
}

static bool read_target(struct load *l, const char *text)
{
    char host[64];
    unsigned port;
    char beyond;

    if (sscanf(text, "%63[0-9.]:%u%c", host, &port, &beyond) != 2 || port > 65535)
        return false;
    l->to = (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port) };
    return inet_pton(AF_INET, host, &l->to.sin_addr) == 1;
}

static bool read_options(struct load *l, int argc, char **argv)
{
    int letter;
    while ((letter = getopt(argc, argv, "c:t:s:u:")) >= 0) {
        if (letter == 'c')
            l->conns = (unsigned)strtoul(optarg, NULL, 10);
        else if (letter == 't')
            l->seconds = strtod(optarg, NULL);
        else if (letter == 's')
            l->size = strtoul(optarg, NULL, 10);
        else if (letter == 'u')
            l->path = optarg;
        else
            return false;
    }
    return l->conns >= 1 && l->conns <= LOAD_CONNS && l->seconds > 0 &&
           l->seconds <= 3600 && l->size >= 1 && l->size <= LOAD_ECHO;
}

/* NULL, or what is wrong with the call. */
static const char *read_call(struct load *l, int argc, char **argv)
{
    *l = (struct load){ .conns = 1, .seconds = 1, .size = 1, .path = "/" };
    if (!read_options(l, argc, argv))
        return "an option is unknown or out of range";
    if (argc - optind != 2)
        return "a KIND and a HOST:PORT are wanted";
    for (l->kind = load_kinds; l->kind->name; l->kind++)
        if (strcmp(l->kind->name, argv[optind]) == 0)
            break;
    if (!l->kind->name)
        return "there is no such KIND";
    if (!read_target(l, argv[optind + 1]))
        return "HOST:PORT is an IPv4 address and a port";
    return NULL;
}

/* A descriptor each, and some; who may not have them hears it from socket(). */
static void raise_limit(unsigned conns)
{
    struct rlimit limit, most;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= conns + 64)
        return;
    most = limit;
    limit.rlim_cur = conns + 64;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    most.rlim_cur = most.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        setrlimit(RLIMIT_NOFILE, &most);
}

static double microseconds(struct load *l, unsigned permille)
{
    return (double)samples_percentile(&l->times, permille) / 1e3;
}

static int report(struct load *l)
{
    uint64_t share[LOAD_CONNS], sum = 0;

    if (l->kind->gives == LOAD_HOLD)
        return 0;
    for (unsigned i = 0; i < l->conns; i++) {
        share[i] = l->conn[i].bytes;
        sum += share[i];
    }
    printf("gbps=%.4f", (double)sum * 8 / l->took / 1e9);
    if (l->kind->gives == LOAD_FLOW)
        printf(" jain=%.4f\n", stats_jain(share, l->conns));
    else
        printf(" rate=%.1f p50=%.2f p99=%.2f max=%.2f\n", (double)l->answers / l->took,
               microseconds(l, 500), microseconds(l, 990), microseconds(l, 1000));
    if (sum == 0)
        return bench_fail("nothing came back in the measured time", NULL, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    struct load l;
    const char *wrong = read_call(&l, argc, argv);
    int status;

    if (wrong)
        return usage(wrong);
    raise_limit(l.conns);
    status = load_init(&l) && load_run(&l) ? report(&l)
                                           : bench_fail(l.broken, NULL, NULL);
    load_free(&l);
    return status;
}
