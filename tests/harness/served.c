#include "harness/served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/site.h"

struct hosts h;
struct tapir_http_server config;
struct tapir_http_stats stats;
struct tapir_error error;
int result, error_number;
int clients;
char logged[2000];

static void on_log(void *ctx, const char *line, size_t len)
{
    (void)ctx;
    strncat(logged, line, len);
}

void log_answers(const char *format)
{
    logged[0] = '\0';
    config.log = on_log;
    config.log_format = format;
}

static bool on_stopped(void *ctx)
{
    (void)ctx;
    return clients == 0;
}

static int64_t on_clock(void *ctx)
{
    (void)ctx;
    return 784111999;
}

void server(void *arg)
{
    (void)arg;
    result = tapir_http_serve(&config, &stats, &error);
    error_number = errno;
}

int served_up(void **state)
{
    (void)state;
    hosts_up(&h, 1, NULL);
    config = (struct tapir_http_server){
        .dir = site_up(),
        .head_timeout = 5 * SECOND,
        .idle_timeout = 10 * SECOND,
        .send_timeout = 20 * SECOND,
        .stopped = on_stopped,
        .clock = on_clock,
    };
    clients = 0;
    return 0;
}

int served_down(void **state)
{
    (void)state;
    hosts_down(&h);
    site_down();
    return 0;
}

void client(void (*program)(void *))
{
    clients++;
    must(sim_spawn(h.a, program, NULL) == 0);
}

void leave(int fd)
{
    must(tapir_close(fd) == 0);
    clients--;
}

void run(void)
{
    must(sim_spawn(h.b, server, NULL) == 0);
    hosts_run(&h);
    assert_int_equal(result, 0);
}

void say(int fd, const char *text)
{
    hosts_write(fd, text, strlen(text));
}

ssize_t ask(int fd, const char *request, char *answer, size_t cap)
{
    size_t len = 0;
    ssize_t n = 1;

    if (*request)
        say(fd, request);
    while (n > 0 && len < cap - 1) {
        n = tapir_read(fd, answer + len, cap - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    answer[len] = '\0';
    return n < 0 ? -1 : (ssize_t)len;
}
