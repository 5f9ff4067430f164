/* The client against a scripted server, between two hosts in virtual time. A script is
 * what each connection is answered with; the rows are RFC 9112 s6.3, s7.1 and s8 from
 * the side of a client, with curl's exit codes. */
#include "tapir/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/hosts.h"

enum { ANSWERS = 4 };

/* What the server does with its next connection. */
struct script {
    const char *answer[ANSWERS]; /* one a request; NULL: no more */
    size_t step;                 /* bytes of an answer to send at once; 0: all */
    int64_t pause;               /* before each step; and before the close */
    bool hold;                   /* the client closes, not the server */
    bool reset;                  /* ends with a reset */
    int fd;                      /* the connection */
};

static struct hosts h;
static struct script script[ANSWERS]; /* one a connection */
static int n_scripts, n_requests;
static char requests[10000]; /* all that were received */

/* What the client program fetches and what came of it. */
static struct tapir_http_options options;
static const char *urls[ANSWERS];
static struct tapir_http_result result[ANSWERS];
static char body[10000], heads[10000], talk[10000];
static bool refuse_body;

/* --- the server ------------------------------------------------------------------ */

/* Reads one request; false at the end of the stream. */
static bool read_request(int fd)
{
    char buf[2000];
    size_t len = 0;

    while (len < 4 || memcmp(buf + len - 4, "\r\n\r\n", 4) != 0) {
        ssize_t n = tapir_read(fd, buf + len, 1);
        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    strncat(requests, buf, len);
    n_requests++;
    return true;
}

static void send_answer(int fd, const struct script *s, const char *answer)
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

static void play(int fd, const struct script *s)
{
    struct linger abortive = { 1, 0 };
    char byte;

    for (int i = 0; i < ANSWERS && s->answer[i]; i++) {
        if (!read_request(fd))
            break;
        send_answer(fd, s, s->answer[i]);
    }
    if (s->hold)
        must(tapir_read(fd, &byte, 1) == 0);
    if (s->pause || s->reset)
        tapir_sleep(s->pause + 100000);
    if (s->reset)
        tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
    must(tapir_close(fd) == 0);
}

/* Connections are served at once, each by a program of its own. */
static void player(void *arg)
{
    struct script *s = arg;
    play(s->fd, s);
}

static void server(void *arg)
{
    int l = hosts_listen(80);

    for (int i = 0; i < n_scripts; i++) {
        script[i].fd = tapir_accept(l, NULL, NULL);
        must(script[i].fd >= 0);
        must(sim_spawn(h.b, player, &script[i]) == 0);
    }
    tapir_close(l);
}

/* --- the client ------------------------------------------------------------------ */

static bool on_head(void *ctx, const char *at, size_t len)
{
    strncat(heads, at, len);
    return true;
}

static bool on_body(void *ctx, const void *at, size_t len)
{
    strncat(body, at, len);
    return !refuse_body;
}

static void on_talk(void *ctx, char mark, const char *line)
{
    size_t len = strlen(talk);
    snprintf(talk + len, sizeof talk - len, "%c %s\n", mark, line);
}

static void client(void *arg)
{
    struct tapir_http_client *c = tapir_http_client_new(&options);

    for (int i = 0; i < ANSWERS && urls[i]; i++) {
        bool keep = i + 1 < ANSWERS && urls[i + 1];
        tapir_http_get(c, urls[i], keep, &result[i]);
        tapir_sleep(1000000);
    }
    tapir_http_client_free(c);
}

static int clean(void **state)
{
    memset(script, 0, sizeof script);
    memset(urls, 0, sizeof urls);
    n_scripts = n_requests = 0;
    refuse_body = false;
    body[0] = heads[0] = talk[0] = requests[0] = '\0';
    options = (struct tapir_http_options){
        .head_in = on_head, .body = on_body, .talk = on_talk, .hosts = "/dev/null"
    };
    return 0;
}

/* Plays the scripts while the client fetches its URLs. */
static void run(void)
{
    hosts_up(&h, 1, NULL);
    if (n_scripts)
        sim_spawn(h.b, server, NULL);
    sim_spawn(h.a, client, NULL);
    hosts_run(&h);
    hosts_down(&h);
}

static void fetch_one(const char *answer)
{
    n_scripts = 1;
    script[0].answer[0] = answer;
    urls[0] = "http://192.0.2.2/a";
    run();
}

/* --- tests ----------------------------------------------------------------------- */

static void answers_end_where_their_framing_says(void **state)
{
    static const struct {
        const char *answer;
        int code, status;
        const char *body;
    } row[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello" },
        { "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nhello", 0, 404, "hello" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 200, "" },
        { "HTTP/1.1 200 OK\r\n\r\nhello", 0, 200, "hello" },
        { "HTTP/1.0 200 OK\r\n\r\n", 0, 200, "" },
        { "HTTP/1.1 204 No\r\n\r\n", 0, 204, "" },
        { "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", 0, 304, "" },
        { "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 0, 200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
          0, 200, "hello" },
        { "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
          0, 200, "hello" },
        /* 18: less came than was promised; what came is handed over */
        { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", 18, 200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 18, 200,
          "hel" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 18,
          200, "hello" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
          18, 200, "hello" },
        /* 56: it cannot be read on */
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 56, 200, "" },
        { "HTTP/1.1 200 OK\r\nContent-Le", 56, 0, "" },
        { "HTTP/1.1 100 Go\r\n\r\n", 56, 100, "" },
        /* 8: no HTTP/1 */
        { "hello", 1, 0, "" }, /* curl: HTTP/0.9 when not allowed */
        { "HTTP/2 200 OK\r\n\r\n", 8, 0, "" },
        { "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello", 8, 200, "" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello", 61, 200, "" },
        { "HTTP/1.1 101 x\r\n\r\n", 8, 101, "" },
        /* 52: nothing at all */
        { "", 52, 0, "" },
    };

    for (size_t step = 0; step < 2; step++) {
        for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
            clean(NULL);
            script[0].step = step;
            fetch_one(row[i].answer);
            if (result[0].code != row[i].code)
                fail_msg("row %zu: %d, want %d: %s", i, result[0].code, row[i].code,
                         result[0].error.what);
            assert_int_equal(result[0].status, row[i].status);
            assert_string_equal(body, row[i].body);
            assert_int_equal(result[0].body, strlen(row[i].body));
        }
    }
}

static void a_request_names_what_it_wants(void **state)
{
    static const char *const fields[] = { "X: y" };

    options.headers = fields;
    options.n_headers = 1;
    fetch_one("HTTP/1.1 204 No\r\n\r\n");
    assert_string_equal(requests, "GET /a HTTP/1.1\r\nHost: 192.0.2.2\r\n"
                                  "User-Agent: tapir\r\nAccept: */*\r\nX: y\r\n\r\n");
}

static void head_takes_no_body_whatever_the_length_says(void **state)
{
    options.head = true;
    script[0].hold = true;
    fetch_one("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(result[0].code, 0);
    assert_string_equal(heads, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_memory_equal(requests, "HEAD /a ", 8);
}

static void an_answer_with_a_length_ends_without_the_servers_close(void **state)
{
    script[0].hold = true;
    fetch_one("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(result[0].code, 0);
    assert_true(result[0].at[TAPIR_HTTP_CLOSE] < 1000000);
}

static void with_fail_an_error_status_is_22_and_has_no_body(void **state)
{
    options.fail = true;
    fetch_one("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(result[0].code, 22);
    assert_string_equal(result[0].error.what,
                        "(22) The requested URL returned error: 404");
    assert_string_equal(body, "");
}

static void a_body_that_cannot_be_written_is_23(void **state)
{
    refuse_body = true;
    fetch_one("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(result[0].code, 23);
}

static void a_reset_is_56(void **state)
{
    script[0].reset = true;
    fetch_one("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
    assert_int_equal(result[0].code, 56);
    assert_string_equal(result[0].error.what,
                        "(56) Recv failure: Connection reset by peer");
    assert_string_equal(body, "hello");
}

static void the_time_allowed_is_for_all_of_a_fetch(void **state)
{
    options.max_time = 3500000;
    script[0].step = 1;
    script[0].pause = 1000000;
    fetch_one("HTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(result[0].code, 28);
    assert_string_equal(result[0].error.what,
                        "(28) Operation timed out after 3500 milliseconds with 0 "
                        "bytes received");
}

static void failures_before_the_connection_have_their_codes(void **state)
{
    static const struct {
        const char *url;
        int code;
        const char *what;
    } row[] = {
        { "ftp://192.0.2.2/", 1, "(1) Protocol not supported: ftp://192.0.2.2/" },
        { "http://a b/", 3, "(3) URL rejected: http://a b/" },
        { "http://nobody.test/", 6, "(6) Could not resolve host: nobody.test" },
        { "http://[::1]/", 6, "(6) Could not resolve host: ::1" },
        { "http://192.0.2.2:81/", 7,
          "(7) Failed to connect to 192.0.2.2 port 81: Connection refused" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        urls[0] = row[i].url;
        run();
        assert_int_equal(result[0].code, row[i].code);
        assert_string_equal(result[0].error.what, row[i].what);
        assert_int_not_equal(result[0].error.cause[0], '\0');
        assert_int_equal(result[0].at[TAPIR_HTTP_SEND], -1);
    }
}

static void a_host_that_does_not_answer_is_28_after_the_time_allowed(void **state)
{
    options.connect_timeout = 200000;
    urls[0] = "http://192.0.2.9/";
    run();
    assert_int_equal(result[0].code, 28);
    assert_string_equal(result[0].error.what,
                        "(28) Connection to 192.0.2.9 port 80 timed out after 200 ms");
}

static void a_name_given_by_the_user_leads_to_its_address(void **state)
{
    static const char *const resolve[] = { "www.example.test:80:192.0.2.2" };

    options.resolve = resolve;
    options.n_resolve = 1;
    n_scripts = 1;
    script[0].answer[0] = "HTTP/1.1 204 No\r\n\r\n";
    urls[0] = "http://WWW.example.test/";
    run();
    assert_int_equal(result[0].code, 0);
    assert_non_null(strstr(requests, "Host: www.example.test\r\n"));
}

static void the_seven_steps_are_told_in_order(void **state)
{
    static const char *const steps[] = { "* 1 host name  192.0.2.2",
                                         "* 2 address    192.0.2.2, an address already",
                                         "* 3 port       80",
                                         "* 4 connect    192.0.2.1:",
                                         "> GET /a HTTP/1.1\n> Host: 192.0.2.2\n",
                                         "> \n* 5 send       GET, 68 bytes",
                                         "< HTTP/1.1 200 OK\n< Content-Length: 5\n< \n",
                                         "* 6 read       200, body of 5 bytes",
                                         "* 7 close " };
    const char *at = talk;

    script[0].hold = true;
    fetch_one("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *found = strstr(at, steps[i]);
        if (!found)
            fail_msg("'%s' is missing in:\n%s", steps[i], talk);
        at = found;
    }
    for (int i = 1; i < 7; i++)
        assert_true(result[0].at[i] >= result[0].at[i - 1]);
    /* The wire is 10 ms long: there and back for the SYN, there and back for the text;
     * ARP comes before. */
    assert_true(result[0].at[TAPIR_HTTP_CONNECT] >= 20000);
    assert_true(result[0].at[TAPIR_HTTP_READ] >= 40000);
}

/* RFC 9112 s9.3 */
static void one_connection_serves_several_fetches(void **state)
{
    n_scripts = 1;
    script[0] = (struct script){
        .answer = { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "1\r\nb\r\n0\r\n\r\n",
                    "HTTP/1.1 204 No\r\n\r\n" },
        .hold = true,
    };
    urls[0] = urls[1] = urls[2] = "http://192.0.2.2/a";
    run();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(result[i].code, 0);
        assert_int_equal(result[i].reused, i > 0);
    }
    assert_string_equal(body, "ab");
    assert_int_equal(n_requests, 3);
}

static void a_connection_that_may_not_be_kept_is_not(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\n\r\na",
        /* bytes behind the answer: whose are they? */
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
        /* two lengths */
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\na\r\n0\r\n\r\n"),
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        clean(NULL);
        n_scripts = 2;
        script[0].answer[0] = script[1].answer[0] = answers[i];
        urls[0] = urls[1] = "http://192.0.2.2/a";
        run();
        assert_int_equal(result[1].code, 0);
        assert_false(result[1].reused);
        assert_string_equal(body, "aa");
    }
}

static void an_http10_server_that_keeps_alive_is_believed(void **state)
{
    n_scripts = 1;
    script[0] = (struct script){
        .answer = { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive"
                    "\r\n\r\na",
                    "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb" },
    };
    urls[0] = urls[1] = "http://192.0.2.2/a";
    run();
    assert_true(result[1].reused);
    assert_string_equal(body, "ab");
}

/* RFC 9112 s9.3.1: the server closed while the connection was idle. */
static void a_connection_closed_while_idle_is_not_used_again(void **state)
{
    n_scripts = 2;
    script[0].answer[0] = script[1].answer[0] =
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    urls[0] = urls[1] = "http://192.0.2.2/a";
    run();
    assert_int_equal(result[1].code, 0);
    assert_false(result[1].reused);
    assert_int_equal(n_requests, 2);
}

/* The server takes the second request and closes without a word: the request is made
 * again, once. */
static void a_request_lost_on_a_kept_connection_is_made_again(void **state)
{
    n_scripts = 2;
    script[0].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    script[0].answer[1] = "";
    script[1].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
    urls[0] = urls[1] = "http://192.0.2.2/a";
    run();
    assert_int_equal(result[1].code, 0);
    assert_false(result[1].reused);
    assert_string_equal(body, "ab");
    assert_int_equal(n_requests, 3);
}

static void a_request_lost_on_a_new_connection_is_not(void **state)
{
    n_scripts = 2;
    script[0].answer[0] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    script[0].answer[1] = "";
    script[1].answer[0] = "";
    urls[0] = urls[1] = "http://192.0.2.2/a";
    run();
    assert_int_equal(result[1].code, 52);
    assert_int_equal(n_requests, 3);
}

static void another_host_name_gets_a_connection_of_its_own(void **state)
{
    static const char *const resolve[] = { "*:80:192.0.2.2" };

    options.resolve = resolve;
    options.n_resolve = 1;
    n_scripts = 2;
    script[0].answer[0] = script[1].answer[0] =
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    script[0].hold = script[1].hold = true;
    urls[0] = "http://one.test/";
    urls[1] = "http://two.test/";
    run();
    assert_int_equal(result[1].code, 0);
    assert_false(result[1].reused);
}

#define FRESH(test) cmocka_unit_test_setup(test, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(answers_end_where_their_framing_says),
        FRESH(a_request_names_what_it_wants),
        FRESH(head_takes_no_body_whatever_the_length_says),
        FRESH(an_answer_with_a_length_ends_without_the_servers_close),
        FRESH(with_fail_an_error_status_is_22_and_has_no_body),
        FRESH(a_body_that_cannot_be_written_is_23),
        FRESH(a_reset_is_56),
        FRESH(the_time_allowed_is_for_all_of_a_fetch),
        FRESH(failures_before_the_connection_have_their_codes),
        FRESH(a_host_that_does_not_answer_is_28_after_the_time_allowed),
        FRESH(a_name_given_by_the_user_leads_to_its_address),
        FRESH(the_seven_steps_are_told_in_order),
        FRESH(one_connection_serves_several_fetches),
        FRESH(a_connection_that_may_not_be_kept_is_not),
        FRESH(an_http10_server_that_keeps_alive_is_believed),
        FRESH(a_connection_closed_while_idle_is_not_used_again),
        FRESH(a_request_lost_on_a_kept_connection_is_made_again),
        FRESH(a_request_lost_on_a_new_connection_is_not),
        FRESH(another_host_name_gets_a_connection_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
