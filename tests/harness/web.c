/* Each connection is served by a program of its own, so that one that stays open keeps
 * nobody waiting. Only the heads of requests are told apart; of their bodies, that with
 * a Content-Length is read. */
#include "harness/web.h"

#include <stdlib.h>
#include <string.h>

struct web web;

/* --- the server ------------------------------------------------------------------ */

/* Reads a body of that length, and keeps its beginning. */
static bool read_body(int fd, size_t len)
{
    char buf[4096];

    while (len > 0) {
        ssize_t n = tapir_read(fd, buf, len < sizeof buf ? len : sizeof buf);
        if (n <= 0)
            return false;
        if (strlen(web.requests) + (size_t)n < sizeof web.requests)
            strncat(web.requests, buf, (size_t)n);
        len -= (size_t)n;
    }
    return true;
}

/* Reads one request; false at the end of the stream. */
static bool read_request(int fd, bool body)
{
    char buf[4000];
    const char *length;
    size_t len = 0;

    while (len < 4 || memcmp(buf + len - 4, "\r\n\r\n", 4) != 0) {
        must(len < sizeof buf - 1);
        ssize_t n = tapir_read(fd, buf + len, 1);
        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    buf[len] = '\0';
    strcat(web.requests, buf);
    web.n_requests++;
    length = body ? strstr(buf, "Content-Length: ") : NULL;
    return !length || read_body(fd, strtoul(length + 16, NULL, 10));
}

static void send_answer(int fd, const struct web_script *s, const char *answer)
{
    size_t len = strlen(answer), step = s->step ? s->step : len;

    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        if (s->pause)
            tapir_sleep(s->pause);
        if (tapir_write(fd, answer + at, n) < 0)
            return;
    }
}

/* Answers follow their requests; those that were taken ahead are answered at once. */
static void answer_all(int fd, const struct web_script *s)
{
    unsigned taken = 0, wanted = s->ahead ? s->ahead : 1;

    for (unsigned i = 0; i < WEB_MOST && s->answer[i]; i++) {
        for (; taken < wanted || taken <= i; taken++)
            if (!read_request(fd, !s->heads_only))
                return;
        send_answer(fd, s, s->answer[i]);
    }
}

static void serve_one(void *arg)
{
    struct web_script *s = arg;
    struct linger abortive = { 1, 0 };
    char byte;

    answer_all(s->fd, s);
    if (s->hold)
        while (tapir_read(s->fd, &byte, 1) > 0)
            continue;
    if (s->pause || s->reset)
        tapir_sleep(s->pause + 100000);
    if (s->reset)
        tapir_setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
    must(tapir_close(s->fd) == 0);
}

static void server(void *arg)
{
    int l = hosts_listen(80);
    (void)arg;

    for (int i = 0; i < web.n_scripts; i++) {
        web.script[i].fd = tapir_accept(l, NULL, NULL);
        must(web.script[i].fd >= 0);
        must(sim_spawn(web.h.b, serve_one, &web.script[i]) == 0);
    }
    tapir_close(l);
}

/* --- the client ------------------------------------------------------------------ */

static bool on_head(void *ctx, const char *at, size_t len)
{
    (void)ctx;
    strncat(web.heads, at, len);
    return true;
}

static bool on_body(void *ctx, const void *at, size_t len)
{
    (void)ctx;
    strncat(web.body, at, len);
    return !web.refuse_body;
}

static void on_talk(void *ctx, char mark, const char *line)
{
    size_t len = strlen(web.talk);
    (void)ctx;
    snprintf(web.talk + len, sizeof web.talk - len, "%c %s\n", mark, line);
}

static void note(const struct tapir_http_result *r)
{
    snprintf(web.last_url, sizeof web.last_url, "%s", r->url);
}

static void on_begin(void *ctx, size_t i)
{
    (void)ctx;
    must((size_t)web.n_begun++ == i);
}

static void on_end(void *ctx, size_t i, const struct tapir_http_result *r)
{
    (void)ctx;
    web.result[i] = *r;
    note(r);
}

static void client(void *arg)
{
    struct tapir_http_client *c = tapir_http_client_new(&web.options);
    struct tapir_http_turn turn = { on_begin, on_end };
    size_t n = 0;
    (void)arg;

    while (n < WEB_MOST && web.urls[n])
        n++;
    if (web.pipeline)
        tapir_http_pipeline(c, web.urls, n, &turn);
    for (size_t i = 0; i < n && !web.pipeline; i++) {
        tapir_http_get(c, web.urls[i], i + 1 < n, &web.result[i]);
        note(&web.result[i]);
        tapir_sleep(1000000);
    }
    tapir_http_client_free(c);
}

int web_clean(void **state)
{
    (void)state;
    memset(&web, 0, sizeof web);
    web.options = (struct tapir_http_options){
        .head_in = on_head, .body = on_body, .talk = on_talk, .hosts = "/dev/null"
    };
    return 0;
}

void web_run(void)
{
    hosts_up_with(&web.h, 1, NULL, &web.config);
    if (web.n_scripts)
        must(sim_spawn(web.h.b, server, NULL) == 0);
    must(sim_spawn(web.h.a, client, NULL) == 0);
    hosts_run(&web.h);
    hosts_down(&web.h);
}

void web_fetch(const char *answer)
{
    web.n_scripts = 1;
    web.script[0].answer[0] = answer;
    web.urls[0] = "http://192.0.2.2/a";
    web_run();
}
