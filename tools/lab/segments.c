/* A message in segments, and these in packets. The server writes its answer in one
 * call; TCP cuts it where a segment is full, and each piece gets its headers:
 *
 *     | head |            body             |                       the message
 *     |  text    |  text    |  text    | t |                       segments
 *     IP TCP text   IP TCP text   IP TCP text   IP TCP t           packets
 *
 * A full segment has the MSS less the options that each segment has (RFC 6691): twelve
 * bytes of timestamps. What is counted here was on the wire. */
#include "segments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "lan_flow.h"

enum { CLIENT, SERVER, HEADERS = 40, TIMESTAMPS = 12, HEAD = 256 };
enum show { SHOW_SEGMENTS, SHOW_BYTES, SHOW_OVERHEAD };

struct message {
    struct lan lan;
    bool bare;   /* no head in front of the body */
    size_t size; /* bytes of the body */
    size_t head; /* and of the head */
};

/* --- programs --- */

static void server_program(void *arg)
{
    struct message *m = arg;
    int listener = lan_listen(PAGE_PORT), fd = lan_accept(listener);
    char *text = malloc(HEAD + m->size), request[HEAD];

    lan_read_head(fd, request, sizeof request);
    if (text && !m->bare)
        m->head = (size_t)snprintf(
            text, HEAD, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", m->size);
    if (text) {
        for (size_t i = 0; i < m->size; i++)
            text[m->head + i] = (char)('a' + i % 26);
        tapir_write(fd, text, m->head + m->size);
    }
    tapir_close(fd);
    tapir_close(listener);
    free(text);
}

static void client_program(void *arg)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 192.0.2.2\r\n\r\n";
    int fd = lan_connect("192.0.2.2", PAGE_PORT, 0, 0);

    (void)arg;
    tapir_write(fd, request, sizeof request - 1);
    lan_read(fd, SIZE_MAX);
    tapir_close(fd);
}

static int play(struct message *m, const struct page_setup *setup, unsigned mtu)
{
    int err = lan_init(&m->lan, setup);

    if (err == 0)
        err = lan_host(&m->lan, "client", "192.0.2.1", mtu);
    if (err == CLIENT)
        err = lan_host(&m->lan, "server", "192.0.2.2", mtu);
    if (err == SERVER)
        err = lan_spawn(&m->lan, SERVER, server_program, m);
    if (err == 0)
        err = lan_spawn(&m->lan, CLIENT, client_program, m);
    return err < 0 ? err : lan_run(&m->lan);
}

/* --- what came of it --- */

/* Segments with text from the server, and the bytes of their packets. */
static void count(const struct lan *lan, double *segments, double *bytes)
{
    struct lan_flows flows;
    struct lan_segment s;

    lan_flows_init(&flows, lan);
    *segments = *bytes = 0;
    for (const struct lan_event *e = lan->first; e; e = e->next)
        if (lan_look(&flows, e, &s) && s.answer && s.tcp.text_len > 0) {
            *segments += 1;
            *bytes += (double)e->len;
        }
}

static void judge(const struct message *m, enum show show, double mss, double options,
                  struct figure *out)
{
    double text = (double)(m->head + m->size), header = HEADERS + options;
    struct theory_path p = { .mss = mss - options, .head = (double)m->head };
    double n = theory_segments(&p, (double)m->size), all = text + n * header;
    double segments, bytes;

    count(&m->lan, &segments, &bytes);
    if (show == SHOW_SEGMENTS)
        *out = (struct figure){ "segments", n, n, segments, 0 };
    else if (show == SHOW_BYTES)
        *out = (struct figure){ "bytes", all, all, bytes, 0 };
    else
        *out = (struct figure){ "%", 100 * n * header / all, 100 * n * header / all,
                                100 * (bytes - text) / bytes, 1 };
}

bool experiment_segments(struct experiment *e, struct figure *out)
{
    static const char *const shows[] = { "segments", "bytes", "overhead", NULL };
    static const char *const no_timestamps[] = { "net.ipv4.tcp_timestamps=0" };
    bool timestamps = experiment_number(e, "ts", 1) > 0;
    double mss = experiment_number(e, "mss", 1460);
    struct message m = { .bare = experiment_number(e, "bare", 0) > 0,
                         .size = (size_t)e->setup.size };
    int show = experiment_show(e, shows);

    if (show < 0)
        return false;
    if (!timestamps) {
        e->setup.sysctl = no_timestamps;
        e->setup.n_sysctl = 1;
    }
    int err = play(&m, &e->setup, (unsigned)mss + HEADERS);
    if (err == 0)
        judge(&m, (enum show)show, mss, timestamps ? TIMESTAMPS : 0, out);
    if (err == 0 && experiment_number(e, "view", 0) > 0)
        e->view = segments_picture(&m.lan);
    lan_free(&m.lan);
    return err == 0 || experiment_failed(e, err);
}
