/* How a packet gets from host to host.
 *
 *     host ──► raw_take() ──► [ its line: rate ] ──► [ R/2 ] ──► raw_put() ──► host
 *
 * Every host's wire ends here (edge/raw.h). Time goes on in steps that are not longer
 * than the way from host to host: what is sent within a step arrives after it, so
 * looking at the wires between two steps is early enough, and a packet arrives at
 * exactly its moment, since a step ends there. At one moment hosts come in the order in
 * which they were made. */
#include "lan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "edge/raw.h"
#include "edge/sim.h"

enum { IP_SOURCE = 12, IP_DESTINATION = 16, IP_SHORTEST = 20, BACKLOG = 64 };

static const int64_t run_limit = 3600LL * 1000000;

int lan_init(struct lan *lan, const struct page_setup *setup)
{
    *lan = (struct lan){ .setup = setup, .sim = sim_new(setup->seed) };
    return lan->sim ? 0 : -ENOMEM;
}

void lan_free(struct lan *lan)
{
    for (int i = 0; i < lan->hosts; i++)
        free(lan->host[i].waiting);
    sim_free(lan->sim);
    while (lan->first) {
        struct lan_event *e = lan->first;
        lan->first = e->next;
        free(e);
    }
}

int lan_host(struct lan *lan, const char *name, const char *address, unsigned mtu)
{
    struct lan_host *h = &lan->host[lan->hosts];
    const char *rows[PAGE_SYSCTL];
    char window[40], prefix[40];

    if (lan->hosts == LAN_HOSTS)
        return -ENOSPC;
    snprintf(prefix, sizeof prefix, "%.30s/24", address);
    struct tapir_config config = { .addr = prefix,
                                   .gateway = "",
                                   .mtu = mtu,
                                   .sysctl = rows,
                                   .n_sysctl = path_sysctl(lan->setup, rows, window),
                                   .many = true };
    *h = (struct lan_host){ .name = name };
    snprintf(h->address, sizeof h->address, "%s", address);
    h->tapir = sim_host(lan->sim, &config, NULL);
    if (!h->tapir)
        return -errno;
    int err = sim_wire_raw(h->tapir);
    return err < 0 ? err : lan->hosts++;
}

int lan_spawn(struct lan *lan, int host, void (*fn)(void *), void *arg)
{
    return sim_spawn(lan->host[host].tapir, fn, arg);
}

/* --- events --- */

static struct lan_event *add_event(struct lan *lan, int64_t at, size_t len)
{
    struct lan_event *e = calloc(1, sizeof *e + len);

    if (!e)
        return NULL;
    e->at = at;
    e->len = len;
    e->from = e->to = LAN_NOBODY;
    /* A program speaks at once, a packet is found at the end of a step. */
    struct lan_event **before = &lan->first;
    if (lan->last && lan->last->at <= at)
        before = &lan->last->next;
    while (*before && (*before)->at <= at)
        before = &(*before)->next;
    e->next = *before;
    *before = e;
    if (!e->next)
        lan->last = e;
    return e;
}

void lan_note(struct lan *lan, int host, const char *format, ...)
{
    struct lan_event *e = add_event(lan, tapir_now(), 0);
    va_list args;

    if (!e)
        return;
    e->from = host;
    va_start(args, format);
    vsnprintf(e->note, sizeof e->note, format, args);
    va_end(args);
}

static int host_at(const struct lan *lan, const uint8_t *address)
{
    char text[INET_ADDRSTRLEN] = "";

    inet_ntop(AF_INET, address, text, sizeof text);
    for (int i = 0; i < lan->hosts; i++)
        if (strcmp(lan->host[i].address, text) == 0)
            return i;
    return LAN_NOBODY;
}

static int64_t line_time(const struct lan *lan, size_t bytes)
{
    return (int64_t)(8000000.0 * (double)bytes / (double)lan->setup->rate);
}

/* Onto the way, among those that arrive before and after it. */
static void launch(struct lan *lan, struct lan_event *e)
{
    struct lan_event **at = &lan->flying;

    while (*at && (*at)->arrives <= e->arrives)
        at = &(*at)->behind;
    e->behind = *at;
    *at = e;
}

static int64_t one_way(const struct lan *lan)
{
    return usec_max(lan->setup->rtt / 2, 1);
}

static int send_packet(struct lan *lan, int from, int64_t at, const void *ip,
                       size_t len)
{
    struct lan_event *e = add_event(lan, at, len);
    struct lan_host *h = &lan->host[from];

    if (!e)
        return -ENOMEM;
    memcpy(e->ip, ip, len);
    e->from = from;
    e->to = len < IP_SHORTEST ? LAN_NOBODY : host_at(lan, e->ip + IP_DESTINATION);
    h->free = usec_max(h->free, at) + line_time(lan, len);
    e->arrives = h->free + one_way(lan);
    e->lost = e->to == LAN_NOBODY || (lan->loses && lan->loses(lan, e));
    if (!e->lost)
        launch(lan, e);
    return 0;
}

int lan_inject(struct lan *lan, const void *ip, size_t len)
{
    const uint8_t *b = ip;
    int from = len < IP_SHORTEST ? LAN_NOBODY : host_at(lan, b + IP_SOURCE);

    return from < 0 ? -EINVAL : send_packet(lan, from, sim_now(lan->sim), ip, len);
}

/* The host with that address, which is made if there is none yet. */
static int recorded_host(struct lan *lan, const uint8_t *address)
{
    int found = host_at(lan, address);

    if (found != LAN_NOBODY || lan->hosts == LAN_HOSTS)
        return found;
    struct lan_host *h = &lan->host[lan->hosts];
    inet_ntop(AF_INET, address, h->address, sizeof h->address);
    h->name = h->address;
    return lan->hosts++;
}

int lan_record(struct lan *lan, int64_t at, const void *ip, size_t len)
{
    const uint8_t *b = ip;
    int from = recorded_host(lan, b + IP_SOURCE);
    int to = recorded_host(lan, b + IP_DESTINATION);

    if (from == LAN_NOBODY || to == LAN_NOBODY)
        return -ENOSPC;
    struct lan_event *e = add_event(lan, at, len);
    if (!e)
        return -ENOMEM;
    memcpy(e->ip, ip, len);
    e->from = from;
    e->to = to;
    return 0;
}

/* --- time --- */

/* The host whose packet was sent first. */
static int next_sender(struct lan *lan)
{
    int first = LAN_NOBODY;

    for (int i = 0; i < lan->hosts; i++) {
        struct lan_host *h = &lan->host[i];
        if (!h->waiting)
            h->waiting = raw_take(h->tapir);
        if (h->waiting && (first < 0 || h->waiting->at < lan->host[first].waiting->at))
            first = i;
    }
    return first;
}

static int collect(struct lan *lan)
{
    int err = 0, from;

    while (err == 0 && (from = next_sender(lan)) >= 0) {
        struct raw_packet *p = lan->host[from].waiting;
        lan->host[from].waiting = NULL;
        err = send_packet(lan, from, p->at, p->data, p->len);
        free(p);
    }
    return err;
}

static int deliver(struct lan *lan)
{
    int err = 0;

    while (err == 0 && lan->flying && lan->flying->arrives <= sim_now(lan->sim)) {
        struct lan_event *e = lan->flying;
        lan->flying = e->behind;
        err = raw_put(lan->host[e->to].tapir, e->ip, e->len);
    }
    return err;
}

int lan_run(struct lan *lan)
{
    int err = 0;

    while (err == 0 && (lan->flying || !sim_is_over(lan->sim))) {
        int64_t until = sim_now(lan->sim) + one_way(lan);
        if (lan->flying)
            until = usec_min(until, lan->flying->arrives);
        raw_run(lan->host[0].tapir, until);
        err = collect(lan);
        if (err == 0)
            err = deliver(lan);
        if (sim_now(lan->sim) > run_limit)
            err = -ETIMEDOUT;
    }
    return err;
}

/* --- for programs --- */

int lan_listen(uint16_t port)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    tapir_bind(fd, (struct sockaddr *)&any, sizeof any);
    tapir_listen(fd, BACKLOG);
    return fd;
}

int lan_accept(int listener)
{
    int fd = tapir_accept(listener, NULL, NULL), one = 1;

    if (fd >= 0)
        tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int give_up(int fd)
{
    int err = errno;

    tapir_close(fd);
    errno = err;
    return -1;
}

int lan_connect(const char *address, uint16_t to, uint16_t port, size_t buffer)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(to) };
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0), one = 1, bytes = (int)buffer;

    inet_pton(AF_INET, address, &there.sin_addr);
    if (buffer)
        tapir_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    tapir_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (port && tapir_bind(fd, (struct sockaddr *)&here, sizeof here) < 0)
        return give_up(fd);
    if (tapir_connect(fd, (struct sockaddr *)&there, sizeof there) < 0)
        return give_up(fd);
    return fd;
}

int lan_read_head(int fd, char *at, size_t room)
{
    size_t n = 0;

    while (n < 4 || memcmp(at + n - 4, "\r\n\r\n", 4) != 0) {
        if (n + 1 >= room)
            return -1;
        ssize_t got = tapir_read(fd, at + n, 1);
        if (got <= 0)
            return (int)got;
        n += (size_t)got;
        at[n] = '\0';
    }
    return (int)n;
}

size_t lan_read(int fd, size_t n)
{
    char buf[16 * 1024];
    size_t sum = 0;

    errno = 0;
    while (sum < n) {
        size_t want = n - sum < sizeof buf ? n - sum : sizeof buf;
        ssize_t got = tapir_read(fd, buf, want);
        if (got <= 0)
            break;
        sum += (size_t)got;
    }
    return sum;
}
