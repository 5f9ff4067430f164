#include "harness/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "harness/site.h"

struct http_site site;
int64_t now;
struct said said;

int talk_up(void **state)
{
    (void)state;
    now = NOW;
    site = (struct http_site){ .limits = http_request_limits, .max_body = 1048576 };
    return http_files_open(&site.files, site_up());
}

int talk_down(void **state)
{
    (void)state;
    http_files_close(&site.files);
    site_down();
    return 0;
}

/* Takes all output there is, `bite` bytes at a time. */
void take_output(struct http_session *s, size_t bite)
{
    char bytes[65536];

    while (s->state == SESSION_ANSWER) {
        ssize_t n = http_session_output(s, bytes, bite);
        assert_true(n > 0);
        assert_true(said.len + (size_t)n < sizeof said.text);
        memcpy(said.text + said.len, bytes, (size_t)n);
        said.len += (size_t)n;
        http_session_sent(s, &site, (size_t)n, now);
    }
}

/* One conversation: `in` in steps, then the client's end if `eof`. */
void converse(const char *in, size_t len, size_t step, size_t bite, bool eof)
{
    struct http_session s;
    size_t at = 0;

    said.len = 0;
    http_session_init(&s);
    while (at < len && s.state != SESSION_OVER) {
        size_t room, n;
        char *to = http_session_room(&s, &site, &room);
        n = len - at < step ? len - at : step;
        n = n < room ? n : room;
        memcpy(to, in + at, n);
        at += n;
        http_session_input(&s, &site, n, now);
        take_output(&s, bite);
    }
    if (eof && s.state != SESSION_OVER) {
        size_t room;
        assert_non_null(http_session_room(&s, &site, &room));
        http_session_input(&s, &site, 0, now);
        take_output(&s, bite);
    }
    said.end = s.state;
    said.text[said.len] = '\0';
    http_session_free(&s);
}

/* The same conversation in every way must say the same. */
void talk(const char *in, bool eof)
{
    static const size_t ways[][2] = { { 1, 1 }, { 7, 100 }, { 1000, 50000 } };
    static struct said whole;

    converse(in, strlen(in), 100000, 65536, eof);
    whole = said;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        converse(in, strlen(in), ways[i][0], ways[i][1], eof);
        assert_int_equal(said.len, whole.len);
        assert_memory_equal(said.text, whole.text, whole.len);
        assert_int_equal(said.end, whole.end);
    }
}

/* The statuses of all answers, in order: "200 404". */
const char *statuses(void)
{
    static char list[256];
    size_t n = 0;

    list[0] = '\0';
    for (const char *at = said.text; (at = strstr(at, "HTTP/1.1 ")); at += 9) {
        memcpy(list + n, at + 9, 3);
        list[n + 3] = ' ';
        n += 4;
    }
    list[n ? n - 1 : 0] = '\0';
    return list;
}

void assert_said(const char *part)
{
    if (!strstr(said.text, part))
        fail_msg("'%s' is not in:\n%s", part, said.text);
}

void assert_not_said(const char *part)
{
    if (strstr(said.text, part))
        fail_msg("'%s' is in:\n%s", part, said.text);
}
