/* tapir ping: ICMP echo through a ping socket (SOCK_DGRAM, IPPROTO_ICMP), which sets
 * the identifier and shows us our own replies only. The sequence number is ours: it
 * says when a request left, through a table of the last 1024. Output and exit status as
 * ping(8): 0 when any reply came, 1 when none did. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "commands.h"
#include "options.h"

enum { ECHO_HEADER = 8, MAX_DATA = 65507, IN_FLIGHT = 1024 };

struct ping {
    const char *host;         /* as given */
    union endpoint to;        /* of IPv4 */
    long long count;          /* requests to send; 0: until stopped */
    int64_t interval, linger; /* microseconds */
    size_t size;              /* bytes of data in a request */
    bool json, reported;

    int fd;
    uint8_t *packet;         /* ECHO_HEADER + size bytes */
    int64_t left[IN_FLIGHT]; /* when request n % IN_FLIGHT left; -1: answered */
    unsigned sent, received, duplicates, errors;
    int64_t begin, end, min, max; /* microseconds */
    double sum, squares;          /* of round-trip times, milliseconds */
};

static const struct option_row rows[] = {
    { 'c', 'c', NULL, true }, { 'i', 'i', NULL, true },  { 's', 's', NULL, true },
    { 'W', 'W', NULL, true }, { 'j', 0, "json", false }, { 0, 0, NULL, false },
};

/* --- one echo --- */

static void send_request(struct ping *p)
{
    unsigned n = p->sent++;
    uint8_t *h = p->packet;
    memset(h, 0, ECHO_HEADER);
    h[0] = ICMP_ECHO;
    h[6] = (uint8_t)((n + 1) >> 8);
    h[7] = (uint8_t)(n + 1);
    p->left[(n + 1) % IN_FLIGHT] = tapir_now();
    if (tapir_sendto(p->fd, h, ECHO_HEADER + p->size, 0, &p->to.any,
                     endpoint_len(&p->to)) >= 0)
        return;
    p->errors++;
    fprintf(stderr, "tapir: ping %s: %s\n", p->host, strerror(errno));
}

static void count_reply(struct ping *p, int64_t rtt)
{
    double ms = (double)rtt / 1000;
    if (p->received++ == 0 || rtt < p->min)
        p->min = rtt;
    if (rtt > p->max)
        p->max = rtt;
    p->sum += ms;
    p->squares += ms * ms;
}

static void take_reply(struct ping *p)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    uint8_t *h = p->packet;
    char text[INET_ADDRSTRLEN];
    ssize_t n = tapir_recvfrom(p->fd, h, ECHO_HEADER + p->size, MSG_DONTWAIT,
                               (struct sockaddr *)&from, &len);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        p->errors++;
        fprintf(stderr, "From %s: %s\n", p->host, strerror(errno));
    }
    if (n < ECHO_HEADER || h[0] != ICMP_ECHOREPLY)
        return;
    unsigned seq = (unsigned)h[6] << 8 | h[7];
    int64_t *left = &p->left[seq % IN_FLIGHT];
    int64_t rtt = tapir_now() - *left;
    bool again = *left < 0;
    if (again)
        p->duplicates++;
    else
        count_reply(p, rtt);
    *left = -1;
    if (!p->json)
        printf("%zd bytes from %s: icmp_seq=%u time=%.3f ms%s\n", n,
               inet_ntop(AF_INET, &from.sin_addr, text, sizeof text), seq,
               again ? 0.0 : (double)rtt / 1000, again ? " (DUP!)" : "");
    fflush(stdout);
}

/* Takes replies until `until`; true: the program shall end. */
static bool wait_until(struct ping *p, const struct options *o, int64_t until)
{
    for (;;) {
        int64_t left = until - tapir_now();
        if (options_stopped(o))
            return true;
        if (left <= 0 || (p->count && p->received + p->errors >= p->count))
            return false;
        struct pollfd fds[2] = {
            { .fd = p->fd, .events = POLLIN },
            { .fd = o->stop_fd, .events = POLLIN },
        };
        /* Rounded up: a wait that is too short would become a busy one. */
        if (tapir_poll(fds, 2, (int)((left + 999) / 1000)) > 0 && fds[0].revents)
            take_reply(p);
    }
}

/* --- the report --- */

static double deviation(const struct ping *p, double mean)
{
    double variance = p->squares / p->received - mean * mean;
    double root = variance > 1 ? variance : 1;
    if (variance <= 0)
        return 0;
    for (int i = 0; i < 60; i++) /* Newton's root: no need of libm for one number */
        root = (root + variance / root) / 2;
    return root;
}

static double loss_percent(const struct ping *p)
{
    return p->sent ? 100.0 * (p->sent - p->received) / p->sent : 0;
}

static void report_json(const struct ping *p, const char *addr)
{
    fputs("{\"host\":", stdout);
    print_json_string(p->host);
    printf(",\"address\":\"%s\",\"bytes\":%zu,\"transmitted\":%u,"
           "\"received\":%u,\"duplicates\":%u,\"loss_percent\":%.3f,\"time_ms\":%.3f",
           addr, p->size, p->sent, p->received, p->duplicates, loss_percent(p),
           (double)(p->end - p->begin) / 1000);
    if (p->received) {
        double mean = p->sum / p->received;
        printf(",\"rtt_ms\":{\"min\":%.3f,\"avg\":%.3f,\"max\":%.3f,\"mdev\":%.3f}",
               (double)p->min / 1000, mean, (double)p->max / 1000, deviation(p, mean));
    }
    puts("}");
}

static void report(struct ping *p, const char *addr)
{
    p->reported = true;
    if (p->json) {
        report_json(p, addr);
        return;
    }
    printf("\n--- %s ping statistics ---\n%u packets transmitted, %u received, ",
           p->host, p->sent, p->received);
    if (p->duplicates)
        printf("+%u duplicates, ", p->duplicates);
    printf("%.4g%% packet loss, time %lldms\n", loss_percent(p),
           (long long)((p->end - p->begin) / 1000));
    if (p->received) {
        double mean = p->sum / p->received;
        printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)p->min / 1000,
               mean, (double)p->max / 1000, deviation(p, mean));
    }
}

/* --- the command --- */

static int ping_body(struct options *o, void *arg)
{
    struct ping *p = arg;
    char addr[ENDPOINT_TEXT];
    bool stop = false;
    if (!find_host(o, p->host, AF_INET, &p->to))
        return 1;
    p->fd = tapir_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    if (p->fd < 0) {
        tell("cannot open a ping socket", strerror(errno),
             errno == EACCES ? "sysctl -w net.ipv4.ping_group_range='0 2147483647'"
                             : NULL);
        return 1;
    }
    endpoint_host(&p->to, addr);
    if (!p->json)
        printf("PING %s (%s) %zu(%zu) bytes of data.\n", p->host, addr, p->size,
               p->size + ECHO_HEADER + 20);
    for (int i = 0; i < IN_FLIGHT; i++)
        p->left[i] = -1;
    p->begin = tapir_now();
    while (!stop && (p->count == 0 || p->sent < p->count)) {
        int64_t next = p->begin + (int64_t)(p->sent + 1) * p->interval;
        send_request(p);
        bool last = p->count && p->sent >= p->count;
        stop = wait_until(p, o, last ? tapir_now() + p->linger : next);
    }
    p->end = tapir_now();
    report(p, addr);
    tapir_close(p->fd);
    return p->received ? 0 : 1;
}

static int take_option(struct ping *p, int id, const char *value)
{
    long long n;
    double seconds;
    switch (id) {
    case 'c':
        return option_number("-c", value, 1, 1000000000, &p->count) ? 0 : 2;
    case 's':
        if (!option_number("-s", value, 0, MAX_DATA, &n))
            return 2;
        p->size = (size_t)n;
        return 0;
    case 'i':
    case 'W':
        if (!option_decimal(id == 'i' ? "-i" : "-W", value, 0.001, 3600, &seconds))
            return 2;
        *(id == 'i' ? &p->interval : &p->linger) = (int64_t)(seconds * 1e6);
        return 0;
    case 'j':
        p->json = true;
        return 0;
    case OPT_WORD:
        if (p->host)
            return tell_usage("ping takes one HOST", "tapir help ping");
        p->host = value;
        return 0;
    default:
        return 2;
    }
}

static int ping_host(struct ping *p, struct options *o)
{
    struct job job = { .body = ping_body, .arg = p, .failed = 1, .watches = true };
    p->packet = calloc(1, ECHO_HEADER + p->size);
    if (!p->packet)
        return 1;
    for (size_t i = 0; i < p->size; i++)
        p->packet[ECHO_HEADER + i] = (uint8_t)i;
    int status = options_run(o, &job);
    free(p->packet);
    return status;
}

int ping_run(int argc, char **argv)
{
    struct options o;
    struct ping p = { .interval = 1000000, .linger = 1000000, .size = 56 };
    int id, status;
    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        status = take_option(&p, id, o.value);
        if (status != 0)
            return status;
    }
    if (!p.host)
        return tell_usage("ping needs a HOST", "tapir ping 192.0.2.1");
    status = ping_host(&p, &o);
    if (p.json && !p.reported)
        tell_json();
    return status;
}
