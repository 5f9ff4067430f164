/* The path: two hosts, a wire between them, and settings of TCP under which the
 * formulae hold.
 *
 *     client ==[ rate, delay R/2 ]==> server        each way, as IP packets: the 14
 *            <==[ rate, delay R/2 ]==               bytes of Ethernet do not count
 *
 * Settings: Reno, whose ssthresh begins without end, so that a loss-free transfer never
 * leaves slow start; an ACK for each segment, at once, since the stall of slow start
 * ends with the first ACK; buffers that nothing fills; no restart after idleness; the
 * wire's queue never overflows; and an RTO of a second at least, as RFC 6298 s2.4 has
 * it: several slow starts fill that queue faster than Linux's 200 ms, and what only
 * waits there would be sent again. Who wants to see what becomes of the formulae
 * without them, says --sysctl.
 *
 * Before the time that is measured each host learns the other's Ethernet address, from
 * a datagram that nobody expects: ARP is not what the page costs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/endpoint.h"
#include "page.h"
#include "record.h"
#include "server.h"

enum { DISCARD = 9, ETHERNET = 14, GREETINGS = 3 };

static const int64_t run_limit = 24LL * 3600 * 1000000;

struct run {
    const struct strategy *how;
    const struct page_setup *setup;
    struct record *record;
    struct page_server at;
    struct tapir *client;
    struct server server;
    struct sim_link up, down; /* before the page */
    bool done;
};

void path_words(const struct page_setup *s, char *out, unsigned room)
{
    char loss[40] = "";

    if (s->loss > 0)
        snprintf(loss, sizeof loss, " loss %.6f%%", s->loss);
    snprintf(out, room, "delay %lldus rate %llubit -%d limit 100000%s%s%s",
             (long long)s->rtt / 2, (unsigned long long)s->rate, ETHERNET, loss,
             s->netem ? " " : "", s->netem ? s->netem : "");
}

unsigned path_sysctl(const struct page_setup *setup, const char **out, char window[40])
{
    static const char *const rows[] = {
        "net.ipv4.tcp_congestion_control=reno",
        "net.ipv4.tcp_slow_start_after_idle=0",
        "net.ipv4.tcp_rmem=4096 16777216 16777216",
        "net.ipv4.tcp_wmem=4096 16777216 16777216",
        "net.ipv4.tcp_rto_min_us=1000000",
        "tapir.tcp_delack_ms=0",
    };
    unsigned n = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        out[n++] = rows[i];
    snprintf(window, 40, "tapir.tcp_initcwnd=%u", setup->window);
    out[n++] = window;
    for (unsigned i = 0; i < setup->n_sysctl && n < PAGE_SYSCTL; i++)
        out[n++] = setup->sysctl[i];
    return n;
}

void path_greet(const struct page_server *server, int64_t rtt)
{
    union endpoint to;
    int fd;

    endpoint_parse(server->address, DISCARD, &to);
    fd = tapir_socket(to.any.sa_family, SOCK_DGRAM, 0);
    for (int i = 0; i < GREETINGS; i++) {
        tapir_sendto(fd, "", 1, 0, &to.any, endpoint_len(&to));
        tapir_sleep(2 * rtt + 10000);
    }
    tapir_close(fd);
}

static struct sim_link since(const struct sim_link *now, const struct sim_link *before)
{
    return (struct sim_link){ now->frames - before->frames, now->bytes - before->bytes,
                              now->lost - before->lost,
                              now->delivered - before->delivered };
}

/* A counter of a host by nstat's name, for all connections, also those that are over.
 */
static unsigned counted(struct tapir *host, const char *name)
{
    char text[16 * 1024] = "";
    unsigned n = 0;
    FILE *out = fmemopen(text, sizeof text - 1, "w");

    if (!out)
        return 0;
    tapir_print_stat(host, out);
    fclose(out);
    const char *at = strstr(text, name);
    if (at)
        sscanf(at, "%*s %u", &n);
    return n;
}

static void client_program(void *arg)
{
    struct run *run = arg;

    path_greet(&run->at, run->setup->rtt);
    sim_link_stats(run->client, &run->up);
    sim_link_stats(run->server.host, &run->down);
    run->done = strategy_run(run->how, run->setup, &run->at, run->record);
    run->server.over = true;
}

static struct tapir *add_host(struct sim *sim, const struct run *run, bool client)
{
    const char *sysctl[PAGE_SYSCTL];
    char window[40];
    struct tapir_error error = { .what = "" };
    struct tapir_config config = {
        .addr = client ? "192.0.2.1/24" : "192.0.2.2/24",
        .gateway = "",
        .sysctl = sysctl,
        .n_sysctl = path_sysctl(run->setup, sysctl, window),
        .many = true,
    };

    if (client) {
        config.pcap = run->setup->pcap;
        config.ladder = run->setup->ladder;
        config.stat = run->setup->stat;
    }
    struct tapir *host = sim_host(sim, &config, &error);
    if (!host)
        snprintf(run->record->error, sizeof run->record->error, "%.120s", error.what);
    return host;
}

static int start(struct sim *sim, struct run *run)
{
    char words[160];
    int err;

    path_words(run->setup, words, sizeof words);
    err = sim_wire(sim, run->client, run->server.host, words);
    if (err == 0)
        err = sim_spawn(run->server.host, server_program, &run->server);
    if (err == 0)
        err = sim_spawn(run->client, client_program, run);
    return err < 0 ? err : sim_run(sim, run_limit);
}

bool path_simulate(const struct strategy *how, const struct page_setup *setup,
                   struct record *record)
{
    struct run run = { .how = how, .setup = setup, .record = record };
    struct sim_link up, down;
    struct sim *sim = sim_new(setup->seed);
    int err = -ENOMEM;

    record->error[0] = '\0';
    run.at = (struct page_server){ "192.0.2.2", PAGE_PORT };
    run.server.port = PAGE_PORT;
    run.client = sim ? add_host(sim, &run, true) : NULL;
    run.server.host = run.client ? add_host(sim, &run, false) : NULL;
    if (run.server.host) {
        err = start(sim, &run);
        sim_link_stats(run.client, &up);
        sim_link_stats(run.server.host, &down);
        record->up = since(&up, &run.up);
        record->down = since(&down, &run.down);
        record->retransmits = counted(run.client, "TcpRetransSegs") +
                              counted(run.server.host, "TcpRetransSegs");
        record->timeouts = counted(run.client, "TcpExtTCPTimeouts") +
                           counted(run.server.host, "TcpExtTCPTimeouts");
    }
    if (err < 0 && !record->error[0])
        snprintf(record->error, sizeof record->error, "the simulation: %s",
                 strerror(-err));
    sim_free(sim);
    return run.done && err == 0;
}
