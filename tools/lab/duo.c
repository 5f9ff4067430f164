/* Two hosts and a wire. */
#include "duo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

static const struct page_server far = { "192.0.2.2", PAGE_PORT };

/* A run that is not over by then hangs: a year. */
static const int64_t run_limit = 365LL * 24 * 3600 * 1000000;

static void client_program(void *arg)
{
    struct duo *duo = arg;

    path_greet(&far, duo->setup->rtt);
    duo->client(duo->arg);
}

static struct tapir *add_host(const struct duo *duo, const char *address)
{
    const char *sysctl[PAGE_SYSCTL];
    char window[40];
    struct page_setup setup = *duo->setup;

    setup.sysctl = duo->sysctl;
    setup.n_sysctl = duo->n_sysctl;
    struct tapir_config config = { .addr = address,
                                   .gateway = "",
                                   .sysctl = sysctl,
                                   .n_sysctl = path_sysctl(&setup, sysctl, window),
                                   .many = true };
    return sim_host(duo->sim, &config, NULL);
}

int duo_run(struct duo *duo)
{
    char words[320];
    int err = -ENOMEM;

    duo->sim = sim_new(duo->setup->seed);
    if (!duo->sim)
        return err;
    struct tapir *a = add_host(duo, "192.0.2.1/24");
    struct tapir *b = a ? add_host(duo, "192.0.2.2/24") : NULL;
    path_words(duo->setup, words, sizeof words);
    err = b ? sim_wire(duo->sim, a, b, words) : -errno;
    if (err == 0)
        err = sim_spawn(b, duo->server, duo->arg);
    if (err == 0)
        err = sim_spawn(a, client_program, duo);
    if (err == 0)
        err = sim_run(duo->sim, run_limit);
    sim_free(duo->sim);
    return err;
}

int duo_listen(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PAGE_PORT) };
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    tapir_bind(fd, (struct sockaddr *)&any, sizeof any);
    tapir_listen(fd, 1024);
    return fd;
}

int duo_connect(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PAGE_PORT) };
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, far.address, &to.sin_addr);
    if (fd >= 0 && tapir_connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        int err = errno;
        tapir_close(fd);
        errno = err;
        return -1;
    }
    return fd;
}
