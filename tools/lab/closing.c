/* An answer, and the end of its connection. The server writes its answer in one call
 * (or the beginning of it: `cut`), lets `pause` go by, and closes in one of these ways:
 *
 *     fin      close(): FIN behind the text
 *     unread   close() while text lies there that it has not read (the client POSTs,
 * and the server reads only the head): RST, and what was not sent is thrown away linger
 * close() with SO_LINGER 0: the same staged   shutdown(), then it reads what still
 * comes, up to the client's FIN; close() half     close(), but the client has shut its
 * own side before: nothing follows from that for the answer
 *
 * What had arrived before an RST stays readable here, as on Linux (RFC 9293 s3.10.7.4
 * has the queues flushed): lost is what the server had not sent. For `chance` the
 * answer is larger than the client's window, so that the rest of it waits until the
 * client reads. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "lan.h"
#include "tapir/http.h"
#include "theory_end.h"

enum { CLIENT, SERVER };
enum { HEAD = 512, UNREAD = 3000, TRIALS = 20, TAIL = 7 };
enum show { SHOW_CODE, SHOW_LOST, SHOW_CHANCE };

static const char tail[] = "\r\n0\r\n\r\n"; /* of the only chunk */

struct ending {
    struct lan lan;
    struct theory_close c;
    size_t window; /* of the client's buffer; 0: enough for all */
    int64_t delay; /* before the client reads, microseconds */
    bool plain;    /* the client is a program that reads, not one that knows HTTP */
    size_t head;   /* bytes in front of the body */
    size_t got;    /* of the body, by the client */
    int code;
};

/* --- the server --- */

static size_t write_head(const struct ending *n, char *out)
{
    static const char status[] = "HTTP/1.1 200 OK\r\n";
    size_t size = (size_t)n->c.size;

    if (n->c.framing == FRAMING_LENGTH)
        return (size_t)snprintf(out, HEAD, "%sContent-Length: %zu\r\n\r\n", status,
                                size);
    if (n->c.framing == FRAMING_CHUNKED)
        return (size_t)snprintf(
            out, HEAD, "%sTransfer-Encoding: chunked\r\n\r\n%zx\r\n", status, size);
    return (size_t)snprintf(out, HEAD, "%sConnection: close\r\n\r\n", status);
}

/* The answer, or its beginning, in one write. */
static void answer(struct ending *n, int fd)
{
    bool whole = n->c.cut >= n->c.size;
    size_t body = (size_t)(whole ? n->c.size : n->c.cut);
    char *text = calloc(1, HEAD + body + TAIL);

    if (!text)
        return;
    n->head = write_head(n, text);
    size_t len = n->head + body;
    if (whole && n->c.framing == FRAMING_CHUNKED) {
        memcpy(text + len, tail, TAIL);
        len += TAIL;
    }
    lan_note(&n->lan, SERVER, "write(%zu)", len);
    tapir_write(fd, text, len);
    free(text);
}

static void close_it(struct ending *n, int fd)
{
    static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    static const char *const words[] = {
        [WAY_FIN] = "close()",
        [WAY_HALF] = "close()",
        [WAY_STAGED] = "read() to the end, close()",
        [WAY_UNREAD] = "close(), with text unread",
        [WAY_LINGER] = "close(), SO_LINGER 0",
    };

    if (n->c.way == WAY_LINGER)
        tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (n->c.way == WAY_STAGED) {
        lan_note(&n->lan, SERVER, "shutdown(SHUT_WR)");
        tapir_shutdown(fd, SHUT_WR);
        lan_read(fd, SIZE_MAX);
    }
    lan_note(&n->lan, SERVER, "%s", words[n->c.way]);
    tapir_close(fd);
}

static void server_program(void *arg)
{
    struct ending *n = arg;
    int listener = lan_listen(PAGE_PORT), fd = lan_accept(listener);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char head[HEAD];

    lan_read_head(fd, head, sizeof head);
    if (n->c.way == WAY_UNREAD)
        tapir_poll(&p, 1, -1);
    if (n->c.way == WAY_HALF)
        lan_read(fd, SIZE_MAX);
    answer(n, fd);
    tapir_sleep((int64_t)(n->c.pause * 1e6));
    close_it(n, fd);
    tapir_close(listener);
}

/* --- the client --- */

static bool on_body(void *ctx, const void *at, size_t len)
{
    struct ending *n = ctx;

    n->got += at ? len : 0;
    return true;
}

static bool posts(const struct ending *n)
{
    return n->c.way == WAY_UNREAD || n->c.way == WAY_STAGED;
}

/* One that knows HTTP. */
static void fetch(struct ending *n)
{
    static const char body[UNREAD];
    struct tapir_http_options options = { .body = on_body, .ctx = n };
    struct tapir_http_result result;

    if (posts(n)) {
        options.data = body;
        options.data_len = sizeof body;
    }
    struct tapir_http_client *client = tapir_http_client_new(&options);
    if (!client)
        return;
    n->code = tapir_http_get(client, "http://192.0.2.2/", false, &result);
    lan_note(&n->lan, CLIENT, "%s", n->code ? result.error.what : "done: (0)");
    tapir_http_client_free(client);
}

/* One that reads, later. */
static void read_late(struct ending *n)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 192.0.2.2\r\n\r\n";
    static const char more[UNREAD];
    /* The stack takes twice of what it is told, as Linux does. */
    int fd = lan_connect("192.0.2.2", PAGE_PORT, 0, n->window / 2);
    struct pollfd p = { .fd = fd, .events = POLLIN };

    tapir_write(fd, request, sizeof request - 1);
    if (posts(n))
        tapir_write(fd, more, sizeof more);
    if (n->c.way == WAY_HALF) {
        lan_note(&n->lan, CLIENT, "shutdown(SHUT_WR)");
        tapir_shutdown(fd, SHUT_WR);
    }
    tapir_poll(&p, 1, -1);
    tapir_sleep(n->delay);
    size_t all = lan_read(fd, SIZE_MAX);
    lan_note(&n->lan, CLIENT, "read() %zu: %s", all, errno ? "reset" : "the end");
    n->got = all > n->head ? all - n->head : 0;
    tapir_close(fd);
}

static void client_program(void *arg)
{
    struct ending *n = arg;

    if (n->plain)
        read_late(n);
    else
        fetch(n);
}

/* --- endings --- */

static int play(struct ending *n, const struct page_setup *setup)
{
    int err = lan_init(&n->lan, setup);

    if (err == 0)
        err = lan_host(&n->lan, "client", "192.0.2.1", 0);
    if (err == CLIENT)
        err = lan_host(&n->lan, "server", "192.0.2.2", 0);
    if (err == SERVER)
        err = lan_spawn(&n->lan, SERVER, server_program, n);
    if (err == 0)
        err = lan_spawn(&n->lan, CLIENT, client_program, n);
    return err < 0 ? err : lan_run(&n->lan);
}

/* How many of so many clients lose something, which begin to read after pauses that are
 * spread evenly over `delay`. */
static int measure_chance(const struct experiment *e, const struct ending *n,
                          double *chance)
{
    int err = 0;
    unsigned lost = 0;

    for (int i = 0; i < TRIALS && err == 0; i++) {
        struct ending one = *n;
        one.plain = true;
        one.delay = (int64_t)((double)n->delay * (i + 0.5) / TRIALS);
        err = play(&one, &e->setup);
        lost += one.got < (size_t)one.c.size;
        lan_free(&one.lan);
    }
    *chance = (double)lost / TRIALS;
    return err;
}

static void judge(const struct experiment *e, const struct ending *n, enum show show,
                  struct figure *out)
{
    struct theory_path p = { .rtt = (double)e->setup.rtt / 1e6,
                             .rate = (double)e->setup.rate,
                             .mss = 1448,
                             .header = 52,
                             .window = e->setup.window,
                             .head = (double)n->head };

    if (show == SHOW_CODE)
        *out = (struct figure){ "code", theory_close_code(&p, &n->c), 0, n->code, 0 };
    else
        *out = (struct figure){ "bytes", n->c.size - theory_close_got(&p, &n->c), 0,
                                n->c.size - (double)n->got, 0 };
    out->high = out->low;
}

static bool run_chance(struct experiment *e, const struct ending *n, struct figure *out)
{
    struct theory_path p = { .rtt = (double)e->setup.rtt / 1e6,
                             .rate = (double)e->setup.rate };
    bool resets = n->c.way == WAY_UNREAD || n->c.way == WAY_LINGER;

    *out = (struct figure){ .unit = "chance", .gate = 3 };
    int err = measure_chance(e, n, &out->measured);
    if (resets)
        out->low = theory_close_chance(&p, n->c.pause, (double)n->delay / 1e6);
    out->high = out->low;
    return err == 0 || experiment_failed(e, err);
}

bool experiment_close(struct experiment *e, struct figure *out)
{
    static const char *const ways[] = { "fin",    "unread", "linger",
                                        "staged", "half",   NULL };
    static const char *const framings[] = { "length", "chunked", "close", NULL };
    static const char *const shows[] = { "code", "lost", "chance", NULL };
    int way = experiment_choice(e, "how", ways), show = experiment_show(e, shows);
    int framing = experiment_choice(e, "framing", framings);
    struct ending n = { .window = (size_t)experiment_number(e, "window", 0),
                        .delay = (int64_t)(experiment_number(e, "delay", 0) * 1000) };

    if (way < 0 || framing < 0 || show < 0)
        return false;
    n.c = (struct theory_close){ (enum theory_way)way, (enum theory_framing)framing,
                                 (double)e->setup.size,
                                 experiment_number(e, "cut", (double)e->setup.size),
                                 experiment_number(e, "pause", 0) / 1000 };
    if (show == SHOW_CHANCE)
        return run_chance(e, &n, out);
    n.plain = way == WAY_HALF || n.delay > 0;
    int err = play(&n, &e->setup);
    if (err == 0 && experiment_number(e, "view", 0) > 0)
        e->view = lan_picture(&n.lan);
    lan_free(&n.lan);
    if (err < 0)
        return experiment_failed(e, err);
    judge(e, &n, (enum show)show, out);
    return true;
}
