/* One end of a scenario: reads calls from a file, makes them, and prints what each of
 * them gave. It is the same program on our stack and on the kernel's sockets: the link
 * (TAPIR_LINK) says which.
 *
 *     play SCRIPT ADDRESS [NAME=VALUE...]   ADDRESS is that of the other end; tunables
 *
 * It says "up", waits for a line on stdin, which is the time 0, plays, says "done" and
 * keeps its sockets until stdin ends; on the way it says "listening" when it can be
 * found. A line of SCRIPT is a call, with `@MS` in front of it if it is not to be made
 * before that time. A line of output is the call, what it gave, and for how long it
 * blocked, in ms:
 *
 *     recv 100 = -1 ECONNRESET (12)
 *
 * There is one connection (or UDP socket) at a time, and one listener. `connect` and
 * `accept` make what they need: `connect` a socket, 50 ms after 0, when the other end
 * surely listens; `accept` a listener. Text is a pattern that says where in the stream
 * it belongs, and it is checked. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tapir/socket.h"

enum {
    PORT = 7000,
    LINE_MAX = 200,
    WORDS = 6,
    CONNECT_AT = 50, /* ms */
    TEXT_MAX = 1 << 20,
};

struct player {
    const char *other; /* address of the other end */
    int listener, fd;  /* -1: none */
    int64_t zero;      /* microseconds */
    bool datagrams;
    size_t sent, taken; /* bytes of the stream, each way */
    const char *word[WORDS];
    int words;
};

static uint8_t text[TEXT_MAX];

/* ---- words ---- */

static long number(const struct player *p, int i, long otherwise)
{
    return i < p->words ? strtol(p->word[i], NULL, 0) : otherwise;
}

static bool has(const struct player *p, const char *word)
{
    for (int i = 1; i < p->words; i++)
        if (strcmp(p->word[i], word) == 0)
            return true;
    return false;
}

static int flags_of(const struct player *p)
{
    return (has(p, "more") ? MSG_MORE : 0) | (has(p, "peek") ? MSG_PEEK : 0) |
           (has(p, "dontwait") ? MSG_DONTWAIT : 0) |
           (has(p, "waitall") ? MSG_WAITALL : 0) | (has(p, "trunc") ? MSG_TRUNC : 0);
}

/* "ADDRESS:PORT", ":PORT", "ADDRESS" or nothing: the other end's, and PORT. */
static struct sockaddr_in address(const struct player *p, int i)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    char host[LINE_MAX] = "";
    char *colon;

    if (i < p->words)
        snprintf(host, sizeof host, "%s", p->word[i]);
    if ((colon = strchr(host, ':')) != NULL) {
        a.sin_port = htons((uint16_t)atoi(colon + 1));
        *colon = '\0';
    }
    inet_pton(AF_INET, *host ? host : p->other, &a.sin_addr);
    return a;
}

static int fail(int err)
{
    errno = err;
    return -1;
}

/* ---- text ---- */

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static void fill(size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text[i] = pattern(from + i);
}

static bool is_pattern(size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != pattern(from + i))
            return false;
    return true;
}

/* ---- calls ---- */

static int make(struct player *p, int type)
{
    int fd = tapir_socket(AF_INET, type, 0);

    p->datagrams = type == SOCK_DGRAM;
    p->sent = p->taken = 0;
    return fd;
}

static int do_tcp(struct player *p)
{
    p->fd = make(p, SOCK_STREAM);
    return p->fd < 0 ? -1 : 0;
}

static int do_udp(struct player *p)
{
    p->fd = make(p, SOCK_DGRAM);
    return p->fd < 0 ? -1 : 0;
}

static int do_bind(struct player *p)
{
    struct sockaddr_in at = { .sin_family = AF_INET };

    at.sin_port = htons((uint16_t)number(p, 1, PORT));
    if (tapir_bind(p->fd, (struct sockaddr *)&at, sizeof at) < 0)
        return -1;
    puts("listening");
    return 0;
}

/* The socket at hand, with the options it has got, listens; or a new one. */
static int do_listen(struct player *p)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };

    if (p->fd < 0 && do_tcp(p) < 0)
        return -1;
    p->listener = p->fd;
    p->fd = -1;
    if (tapir_bind(p->listener, (struct sockaddr *)&at, sizeof at) < 0)
        return -1;
    if (tapir_listen(p->listener, (int)number(p, 1, 8)) < 0)
        return -1;
    puts("listening");
    return 0;
}

static int do_accept(struct player *p)
{
    if (p->listener < 0 && do_listen(p) < 0)
        return -1;
    p->fd = tapir_accept(p->listener, NULL, NULL);
    p->sent = p->taken = 0;
    return p->fd < 0 ? -1 : 0;
}

static void until(const struct player *p, int64_t ms)
{
    int64_t left = p->zero + ms * 1000 - tapir_now();

    if (left > 0)
        tapir_sleep(left);
}

static int do_connect(struct player *p)
{
    struct sockaddr_in to = address(p, 1);

    if (p->fd < 0 && do_tcp(p) < 0)
        return -1;
    return tapir_connect(p->fd, (struct sockaddr *)&to, sizeof to);
}

static int do_send(struct player *p)
{
    size_t n = (size_t)number(p, 1, 1);

    if (n > TEXT_MAX)
        return fail(ERANGE);
    fill(p->datagrams ? 0 : p->sent, n);
    ssize_t r = tapir_send(p->fd, text, n, flags_of(p));
    p->sent += r > 0 ? (size_t)r : 0;
    return (int)r;
}

static int do_sendto(struct player *p)
{
    struct sockaddr_in to = address(p, 2);
    size_t n = (size_t)number(p, 1, 1);

    fill(0, n);
    return (int)tapir_sendto(p->fd, text, n, flags_of(p), (struct sockaddr *)&to,
                             sizeof to);
}

/* One call of recv(2); EILSEQ when what it gave is not what was sent. */
static int take_once(struct player *p, size_t n, int flags)
{
    size_t from = p->datagrams ? 0 : p->taken;
    ssize_t r = tapir_recv(p->fd, text, n, flags);

    if (r > 0 && !is_pattern(from, (size_t)r < n ? (size_t)r : n))
        return fail(EILSEQ);
    if (r > 0 && !(flags & MSG_PEEK))
        p->taken += (size_t)r;
    return (int)r;
}

static int do_recv(struct player *p)
{
    return take_once(p, (size_t)number(p, 1, 1), flags_of(p));
}

/* recv(2) until so many bytes have come, or the end: how many; an error after some of
 * them is told like one before. */
static int do_take(struct player *p)
{
    size_t n = (size_t)number(p, 1, TEXT_MAX), got = 0;
    int r = 1;

    while (got < n && r > 0) {
        r = take_once(p, n - got, 0);
        got += r > 0 ? (size_t)r : 0;
    }
    return r < 0 ? r : (int)got;
}

static int do_shutdown(struct player *p)
{
    return tapir_shutdown(p->fd, has(p, "rd")   ? SHUT_RD
                                 : has(p, "wr") ? SHUT_WR
                                                : SHUT_RDWR);
}

static int do_close(struct player *p)
{
    int *fd = has(p, "listener") ? &p->listener : &p->fd;
    int r = tapir_close(*fd);

    *fd = -1;
    return r;
}

static int do_wait(struct player *p)
{
    tapir_sleep(number(p, 1, 0) * 1000);
    return 0;
}

static int do_nonblock(struct player *p)
{
    return tapir_fcntl(p->fd, F_SETFL, O_NONBLOCK);
}

/* poll in|out|none MS: its revents. */
static int do_poll(struct player *p)
{
    struct pollfd slot = { .fd = p->fd >= 0 ? p->fd : p->listener };

    slot.events = (short)((has(p, "in") ? POLLIN | POLLRDHUP : 0) |
                          (has(p, "out") ? POLLOUT : 0));
    return tapir_poll(&slot, 1, (int)number(p, 2, 0)) < 0 ? -1 : slot.revents;
}

/* ---- options ---- */

static const struct {
    const char *name;
    int level, option;
} options[] = {
    { "nodelay", IPPROTO_TCP, TCP_NODELAY },
    { "cork", IPPROTO_TCP, TCP_CORK },
    { "maxseg", IPPROTO_TCP, TCP_MAXSEG },
    { "keepidle", IPPROTO_TCP, TCP_KEEPIDLE },
    { "keepintvl", IPPROTO_TCP, TCP_KEEPINTVL },
    { "keepcnt", IPPROTO_TCP, TCP_KEEPCNT },
    { "syncnt", IPPROTO_TCP, TCP_SYNCNT },
    { "usertimeout", IPPROTO_TCP, TCP_USER_TIMEOUT },
    { "linger2", IPPROTO_TCP, TCP_LINGER2 },
    { "defer", IPPROTO_TCP, TCP_DEFER_ACCEPT },
    { "quickack", IPPROTO_TCP, TCP_QUICKACK },
    { "clamp", IPPROTO_TCP, TCP_WINDOW_CLAMP },
    { "keepalive", SOL_SOCKET, SO_KEEPALIVE },
    { "sndbuf", SOL_SOCKET, SO_SNDBUF },
    { "rcvbuf", SOL_SOCKET, SO_RCVBUF },
    { "reuseaddr", SOL_SOCKET, SO_REUSEADDR },
    { "error", SOL_SOCKET, SO_ERROR },
    { "linger", SOL_SOCKET, SO_LINGER },
    { "rcvtimeo", SOL_SOCKET, SO_RCVTIMEO },
    { "sndtimeo", SOL_SOCKET, SO_SNDTIMEO },
    { "tos", IPPROTO_IP, IP_TOS },
    { "ttl", IPPROTO_IP, IP_TTL },
    { "pmtudisc", IPPROTO_IP, IP_MTU_DISCOVER },
    { "recverr", IPPROTO_IP, IP_RECVERR },
};

static size_t option(const struct player *p)
{
    size_t i = 0;

    while (i < sizeof options / sizeof options[0] &&
           (p->words < 2 || strcmp(options[i].name, p->word[1]) != 0))
        i++;
    return i;
}

/* set NAME VALUE: a number; for linger, seconds; for timeouts, ms. */
static int do_set(struct player *p)
{
    size_t i = option(p);
    int value = (int)number(p, 2, 1);
    struct linger linger = { 1, value };
    struct timeval time = { value / 1000, value % 1000 * 1000 };
    const void *at = &value;
    socklen_t len = sizeof value;

    if (i == sizeof options / sizeof options[0])
        return fail(ENOSYS);
    if (strcmp(p->word[1], "linger") == 0) {
        at = &linger;
        len = sizeof linger;
    } else if (strcmp(p->word[1] + 3, "timeo") == 0) {
        at = &time;
        len = sizeof time;
    }
    return tapir_setsockopt(p->fd >= 0 ? p->fd : p->listener, options[i].level,
                            options[i].option, at, len);
}

/* get NAME: its value; an error that SO_ERROR tells, as one. */
static int do_get(struct player *p)
{
    size_t i = option(p);
    int value = 0;
    socklen_t len = sizeof value;

    if (i == sizeof options / sizeof options[0])
        return fail(ENOSYS);
    if (tapir_getsockopt(p->fd, options[i].level, options[i].option, &value, &len) < 0)
        return -1;
    return options[i].option == SO_ERROR && options[i].level == SOL_SOCKET && value
               ? fail(value)
               : value;
}

/* ---- the play ---- */

static const struct {
    const char *name;
    int (*call)(struct player *p);
} calls[] = {
    { "tcp", do_tcp },       { "udp", do_udp },           { "bind", do_bind },
    { "listen", do_listen }, { "accept", do_accept },     { "connect", do_connect },
    { "send", do_send },     { "sendto", do_sendto },     { "recv", do_recv },
    { "take", do_take },     { "shutdown", do_shutdown }, { "close", do_close },
    { "wait", do_wait },     { "nonblock", do_nonblock }, { "poll", do_poll },
    { "set", do_set },       { "get", do_get },
};

static void split(struct player *p, char *line)
{
    char *rest = line, *word;

    p->words = 0;
    while (p->words < WORDS && (word = strsep(&rest, " \n")) != NULL)
        if (*word)
            p->word[p->words++] = word;
}

static void tell(const char *line, int r, int64_t took)
{
    printf("%s = %d", line, r);
    if (r < 0)
        printf(" %s", strerrorname_np(errno));
    printf(" (%lld)\n", (long long)(took / 1000));
}

static void play_line(struct player *p, char *line)
{
    char copy[LINE_MAX];
    const char *call;
    int64_t begin;

    if (*line == '@')
        until(p, strtol(line + 1, &line, 10));
    line += strspn(line, " ");
    line[strcspn(line, "\n")] = '\0';
    snprintf(copy, sizeof copy, "%s", line);
    split(p, copy);
    call = p->words ? p->word[0] : "";
    if (strcmp(call, "connect") == 0)
        until(p, CONNECT_AT);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(call, calls[i].name) == 0) {
            begin = tapir_now();
            int r = calls[i].call(p);
            tell(line, r, tapir_now() - begin);
            return;
        }
    fprintf(stderr, "play: there is no call '%s'\n", line);
    exit(2);
}

static bool tune(struct tapir *t, const char *pair)
{
    char name[LINE_MAX];
    const char *equals = strchr(pair, '=');

    if (!equals)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(equals - pair), pair);
    return tapir_sysctl(t, name, equals + 1) == 0;
}

int main(int argc, char **argv)
{
    struct player p = { .listener = -1, .fd = -1 };
    struct tapir_error error = { .what = "" };
    char line[LINE_MAX];
    FILE *script = argc > 2 ? fopen(argv[1], "r") : NULL;
    struct tapir *t;

    if (!script) {
        fprintf(stderr, "usage: play SCRIPT ADDRESS [NAME=VALUE...]\n");
        return 2;
    }
    p.other = argv[2];
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    t = tapir_up_error(NULL, &error);
    if (!t) {
        fprintf(stderr, "play: %s\n%s\n", error.what, error.cause);
        return 1;
    }
    for (int i = 3; i < argc; i++)
        if (!tune(t, argv[i])) {
            fprintf(stderr, "play: cannot set %s\n", argv[i]);
            return 2;
        }
    puts("up");
    if (!fgets(line, sizeof line, stdin))
        return 1;
    p.zero = tapir_now();
    while (fgets(line, sizeof line, script))
        play_line(&p, line);
    puts("done");
    while (fgets(line, sizeof line, stdin))
        continue;
    fclose(script);
    tapir_down(t);
    return 0;
}
