#include "harness/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void hosts_must(bool ok, const char *condition, const char *file, int line)
{
    int err = errno;

    if (ok)
        return;
    fprintf(stderr, "%s:%d: must(%s), errno %d (%s)\n", file, line, condition, err,
            strerror(err));
    abort();
}

void hosts_up_with(struct hosts *h, uint64_t seed, const char *netem,
                   struct tapir_config *config)
{
    struct tapir_config other = { .addr = "192.0.2.2/24" };

    config->addr = "192.0.2.1/24";
    h->sim = sim_new(seed);
    must(h->sim != NULL);
    must((h->a = sim_host(h->sim, config, NULL)) != NULL);
    must((h->b = sim_host(h->sim, &other, NULL)) != NULL);
    must(sim_wire(h->sim, h->a, h->b, netem ? netem : "delay 10ms") == 0);
}

void hosts_up(struct hosts *h, uint64_t seed, const char *netem)
{
    struct tapir_config config = { 0 };

    hosts_up_with(h, seed, netem, &config);
}

void hosts_down(struct hosts *h)
{
    sim_free(h->sim);
}

void hosts_run(struct hosts *h)
{
    int r = sim_run(h->sim, (int64_t)3600 * 1000000);

    errno = -r;
    must(r == 0);
}

struct sockaddr_in hosts_addr(enum hosts_side side, uint16_t port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

    put32((uint8_t *)&sin.sin_addr, side == HOST_A ? 0xc0000201 : 0xc0000202);
    return sin;
}

int hosts_listen(uint16_t port)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    must(fd >= 0);
    must(tapir_bind(fd, (struct sockaddr *)&any, sizeof any) == 0);
    must(tapir_listen(fd, 128) == 0);
    return fd;
}

int hosts_connect(enum hosts_side to, uint16_t port)
{
    struct sockaddr_in sin = hosts_addr(to, port);
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    must(fd >= 0);
    must(tapir_connect(fd, (struct sockaddr *)&sin, sizeof sin) == 0);
    return fd;
}

void hosts_write(int fd, const void *buf, size_t n)
{
    must(tapir_write(fd, buf, n) == (ssize_t)n);
}

size_t hosts_read(int fd, void *buf, size_t n)
{
    size_t done = 0;
    ssize_t r = 1;

    while (done < n && r > 0) {
        r = tapir_read(fd, (uint8_t *)buf + done, n - done);
        must(r >= 0);
        done += (size_t)r;
    }
    return done;
}
