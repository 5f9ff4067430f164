/* Failures have curl's words, since people and scripts look for them; cause and fix are
 * added where we know more. A step's line has its number, its moment since the
 * beginning and what it took. */
#include "app/http_fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { LINE_MAX_TALK = 1024 };

void fetch_say(const struct http_fetch *f, char mark, const char *format, ...)
{
    const struct tapir_http_options *o = &f->client->options;
    char line[LINE_MAX_TALK];
    va_list args;

    if (!o->talk)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    o->talk(o->ctx, mark, line);
}

void fetch_say_head(const struct http_fetch *f, char mark, const char *at, size_t len)
{
    while (len > 0 && f->client->options.talk) {
        const char *lf = memchr(at, '\n', len);
        size_t n = lf ? (size_t)(lf - at) : len;
        size_t shown = n > 0 && at[n - 1] == '\r' ? n - 1 : n;
        fetch_say(f, mark, "%.*s", (int)min_size(shown, LINE_MAX_TALK), at);
        n += lf != NULL;
        at += n;
        len -= n;
    }
}

void fetch_step(const struct http_fetch *f, enum tapir_http_step step,
                const char *detail)
{
    static const char *const names[TAPIR_HTTP_STEPS] = {
        "host name", "address", "port", "connect", "send", "read", "close",
    };
    int64_t *at = f->result->at;
    int64_t before = step > 0 ? at[step - 1] : 0;

    at[step] = tapir_now() - f->begin;
    fetch_say(f, '*', "%d %-9s  %-44s %9.3f ms (+%.3f)", step + 1, names[step], detail,
              (double)at[step] / 1000, (double)(at[step] - before) / 1000);
}

bool fetch_failed(struct http_fetch *f, int code, const char *format, ...)
{
    struct tapir_error *e = &f->result->error;
    int n = snprintf(e->what, sizeof e->what, "(%d) ", code);
    va_list args;

    va_start(args, format);
    vsnprintf(e->what + n, sizeof e->what - (size_t)n, format, args);
    va_end(args);
    f->result->code = code;
    return false;
}

bool fetch_because(struct http_fetch *f, const char *cause, const char *fix)
{
    struct tapir_error *e = &f->result->error;

    snprintf(e->cause, sizeof e->cause, "%s", cause);
    snprintf(e->fix, sizeof e->fix, "%s", fix);
    return false;
}

bool fetch_timed_out(struct http_fetch *f)
{
    fetch_failed(f, GET_TIMEOUT,
                 "Operation timed out after %lld milliseconds with %llu bytes received",
                 (long long)((tapir_now() - f->begin) / USEC_PER_MS),
                 (unsigned long long)f->result->body);
    return fetch_because(f, "the time that was allowed is over", "allow more with -m");
}

void fetch_forgive(struct http_fetch *f)
{
    f->result->code = 0;
    f->result->error = (struct tapir_error){ .what = "" };
}
