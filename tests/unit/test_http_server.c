/* The file server on host b, in virtual time: what is said on a connection is tested in
 * test_http_session; here it is about many of them, deadlines, closing and stopping. */
#include "tapir/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/served.h"
#include "harness/site.h"

enum { CROWD = 200 };

/* Fetches big.bin and compares every byte. */
static void fetch_big(void *arg)
{
    char *answer = malloc(200000);
    int fd = hosts_connect(HOST_B, 80);
    ssize_t n = ask(fd, "GET /big.bin HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n",
                    answer, 200000);
    char *body = strstr(answer, "\r\n\r\n") + 4;

    must(n == body - answer + 100000);
    for (size_t i = 0; i < 100000; i++)
        must(body[i] == site_byte(i));
    free(answer);
    leave(fd);
}

static int get_small(void)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);

    must(ask(fd, "GET /a.txt HTTP/1.0\r\n\r\n", answer, sizeof answer) > 5);
    must(strcmp(strstr(answer, "\r\n\r\n"), "\r\n\r\nhello") == 0);
    return fd;
}

static void fetch_small(void *arg)
{
    leave(get_small());
}

static void fetch_a_thousand(void *arg)
{
    for (int i = 0; i < 999; i++)
        must(tapir_close(get_small()) == 0);
    leave(get_small());
}

static void a_crowd_is_served_at_once(void **state)
{
    for (int i = 0; i < CROWD; i++)
        client(fetch_big);
    run();
    assert_int_equal(stats.connections, 200);
    assert_int_equal(stats.requests, 200);
    assert_true(stats.bytes > 20000000);
}

static void files_arrive_whole_over_a_bad_wire(void **state)
{
    hosts_down(&h);
    hosts_up(&h, 1, "delay 20ms 5ms loss 5%");
    for (int i = 0; i < 5; i++)
        client(fetch_big);
    run();
    assert_int_equal(stats.requests, 5);
}

static void a_thousand_connections_one_after_another_are_answered(void **state)
{
    client(fetch_a_thousand);
    run();
    assert_int_equal(stats.requests, 1000);
}

/* --- those who misbehave --------------------------------------------------------- */

static void never_reads(void *arg)
{
    int fd = hosts_connect(HOST_B, 80);

    for (int i = 0; i < 200; i++)
        say(fd, "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n");
    tapir_sleep(60 * SECOND);
    leave(fd);
}

static void dies_in_the_middle(void *arg)
{
    struct linger abortive = { 1, 0 };
    char byte;
    int fd = hosts_connect(HOST_B, 80);

    say(fd, "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n");
    must(tapir_read(fd, &byte, 1) == 1);
    tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
    leave(fd);
}

static void sends_garbage(void *arg)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);

    must(ask(fd, "\x16\x03\x01\x02garbage", answer, sizeof answer) > 0);
    must(strncmp(answer, "HTTP/1.1 400 ", 13) == 0);
    leave(fd);
}

static void goes_at_once(void *arg)
{
    leave(hosts_connect(HOST_B, 80));
}

static void who_misbehaves_harms_only_himself(void **state)
{
    for (int i = 0; i < 10; i++) {
        client(never_reads);
        client(dies_in_the_middle);
        client(sends_garbage);
        client(goes_at_once);
        client(fetch_big);
    }
    run();
    assert_int_equal(stats.connections, 50);
}

/* --- deadlines ------------------------------------------------------------------- */

/* Half a request, and its rest a byte a second: the deadline does not move. */
static void drips(void *arg)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);
    int64_t begin = tapir_now();

    say(fd, "GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < 4; i++) {
        tapir_sleep(SECOND);
        say(fd, "x");
    }
    must(ask(fd, "x", answer, sizeof answer) > 0);
    must(strncmp(answer, "HTTP/1.1 408 ", 13) == 0);
    must(tapir_now() - begin >= 5 * SECOND && tapir_now() - begin < 5100000);
    leave(fd);
}

static void says_nothing(void *arg)
{
    char byte;
    int fd = hosts_connect(HOST_B, 80);
    int64_t begin = tapir_now();

    must(tapir_read(fd, &byte, 1) == 0);
    must(tapir_now() - begin >= 5 * SECOND && tapir_now() - begin < 5100000);
    leave(fd);
}

static void idles(void *arg)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);
    int64_t begin = tapir_now();

    must(ask(fd, "GET /a.txt HTTP/1.1\r\nHost: b\r\n\r\n", answer, sizeof answer) > 0);
    must(strstr(answer, "hello") != NULL);
    must(tapir_now() - begin >= 10 * SECOND && tapir_now() - begin < 10200000);
    leave(fd);
}

static void deadlines_are_kept(void **state)
{
    client(drips);
    client(says_nothing);
    client(idles);
    run();
    assert_int_equal(stats.requests, 2);
}

/* A body's deadline is its own, and is as overall as a head's. */
static void drips_a_body(void *arg)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);
    int64_t begin;

    tapir_sleep(4 * SECOND);
    say(fd, "POST /echo HTTP/1.1\r\nHost: b\r\nContent-Length: 100\r\n\r\n");
    begin = tapir_now();
    for (int i = 0; i < 7; i++) {
        tapir_sleep(SECOND);
        say(fd, "x");
    }
    must(ask(fd, "x", answer, sizeof answer) > 0);
    must(strncmp(answer, "HTTP/1.1 408 ", 13) == 0);
    must(tapir_now() - begin >= 8 * SECOND && tapir_now() - begin < 8100000);
    leave(fd);
}

static void a_body_has_a_deadline_of_its_own(void **state)
{
    config.echo = "/echo";
    config.body_timeout = 8 * SECOND;
    client(drips_a_body);
    run();
    assert_int_equal(stats.requests, 1);
}

/* Reads a little every 5 seconds: slow, but alive. */
static void reads_slowly(void *arg)
{
    static char buf[30000];
    int small = 4096, fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = hosts_addr(HOST_B, 80);
    size_t total = 0;
    ssize_t n = 1;

    tapir_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    must(tapir_connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    say(fd, "GET /big.bin HTTP/1.0\r\n\r\n");
    while (n > 0) {
        tapir_sleep(5 * SECOND);
        n = tapir_read(fd, buf, sizeof buf);
        must(n >= 0);
        total += (size_t)n;
    }
    must(total > 100000);
    leave(fd);
}

/* Reads 200 bytes a second, through a window that holds little; what the server's
 * socket still holds would take an hour, so it is thrown away. */
static void sips(void *arg)
{
    int small = 4096, fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = hosts_addr(HOST_B, 80);
    char sip[100];

    tapir_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    must(tapir_connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    say(fd, "GET /big.bin HTTP/1.0\r\n\r\n");
    while (tapir_read(fd, sip, sizeof sip) > 0)
        tapir_sleep(SECOND / 2);
    must(errno == ECONNRESET && tapir_now() < 60 * SECOND);
    leave(fd);
}

static void who_only_sips_is_left(void **state)
{
    site_resize("big.bin", 20000000);
    log_answers("$status $close_reason");
    client(sips);
    run();
    assert_string_equal(logged, "200 send timeout\n");
}

static void who_reads_slowly_gets_everything(void **state)
{
    client(reads_slowly);
    run();
}

/* --- closing and limits ---------------------------------------------------------- */

/* RFC 9112 s9.6: the answer arrives although the body was not read. */
static void posts_too_much(void *arg)
{
    static char blob[400000];
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);

    say(fd, "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 16777217\r\n\r\n");
    hosts_write(fd, blob, sizeof blob);
    tapir_sleep(SECOND);
    must(ask(fd, "", answer, sizeof answer) > 0);
    must(strncmp(answer, "HTTP/1.1 413 ", 13) == 0);
    leave(fd);
}

/* RFC 9112 s9.6: the answer waits for a slow client that reads last. */
static void posts_slowly(void *arg)
{
    static char blob[1000];
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);

    say(fd, "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 16777217\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        tapir_sleep(SECOND);
        hosts_write(fd, blob, sizeof blob);
    }
    must(ask(fd, "", answer, sizeof answer) > 0);
    must(strncmp(answer, "HTTP/1.1 413 ", 13) == 0);
    leave(fd);
}

/* But not for ever. */
static void posts_without_end(void *arg)
{
    int64_t begin = tapir_now();
    int fd = hosts_connect(HOST_B, 80);

    say(fd, "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 16777217\r\n\r\n");
    while (tapir_send(fd, "x", 1, MSG_NOSIGNAL) == 1)
        tapir_sleep(SECOND);
    must(tapir_now() - begin > 29 * SECOND && tapir_now() - begin < 33 * SECOND);
    leave(fd);
}

static void half_closes(void *arg)
{
    char answer[200000];
    int fd = hosts_connect(HOST_B, 80);

    say(fd, "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n");
    must(tapir_shutdown(fd, SHUT_WR) == 0);
    must(ask(fd, "", answer, sizeof answer) > 100000);
    leave(fd);
}

static void no_reset_eats_an_answer(void **state)
{
    client(posts_too_much);
    client(posts_slowly);
    client(posts_without_end);
    client(half_closes);
    run();
}

static void beyond_the_limit_of_connections_clients_wait_their_turn(void **state)
{
    config.max_connections = 2;
    for (int i = 0; i < 20; i++)
        client(fetch_big);
    run();
    assert_int_equal(stats.requests, 20);
}

static void a_client_in_the_backlog_is_served_when_another_goes(void **state)
{
    config.max_connections = 1;
    client(says_nothing);
    client(fetch_small);
    run();
    assert_int_equal(stats.connections, 2);
}

/* RFC 9110 s10.1.1: a client that waits for 100 gets it at once. */
static void asks_first(void *arg)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);
    int64_t begin = tapir_now();

    say(fd, "POST /echo HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n"
            "Expect: 100-continue\r\nConnection: close\r\n\r\n");
    must(tapir_read(fd, answer, sizeof answer) == 25);
    must(memcmp(answer, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 0);
    must(ask(fd, "hello", answer, sizeof answer) > 0);
    must(strcmp(strstr(answer, "\r\n\r\n"), "\r\n\r\nhello") == 0);
    must(tapir_now() - begin < SECOND / 10);
    leave(fd);
}

static void who_asks_before_his_body_does_not_wait(void **state)
{
    config.echo = "/echo";
    client(asks_first);
    run();
}

static void asks_twice_at_once(void *arg)
{
    char answer[2000];
    int fd = hosts_connect(HOST_B, 80);

    must(ask(fd,
             "GET /a.txt HTTP/1.1\r\nHost: b\r\n\r\n"
             "HEAD /none HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n",
             answer, sizeof answer) > 0);
    leave(fd);
}

static void every_answer_is_a_line_of_the_log(void **state)
{
    log_answers("$connection/$connection_requests $pipe $request $status "
                "$body_bytes_sent $close_reason");
    client(asks_twice_at_once);
    client(sends_garbage);
    run();
    assert_string_equal(logged, "1/1 . GET /a.txt HTTP/1.1 200 5 -\n"
                                "1/2 p HEAD /none HTTP/1.1 404 0 client closes\n"
                                "2/1 . - 400 157 refused\n");
}

static void an_answer_that_breaks_is_logged_too(void **state)
{
    log_answers("$request_uri $status $close_reason");
    site_resize("big.bin", 20000000);
    client(dies_in_the_middle);
    run();
    assert_string_equal(logged, "/big.bin 200 reset\n");
}

/* --- stopping -------------------------------------------------------------------- */

/* Has an idle connection and an answer under way when the server stops. */
static void is_there_at_the_end(void *arg)
{
    char answer[200000], byte;
    int idle = hosts_connect(HOST_B, 80), busy = hosts_connect(HOST_B, 80);

    say(idle, "GET /a.txt HTTP/1.1\r\nHost: b\r\n\r\n");
    must(tapir_read(idle, answer, sizeof answer) > 0);
    say(busy, "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n");
    must(tapir_read(busy, &byte, 1) == 1);
    clients = 0;
    tapir_sleep(150000);
    must(tapir_read(idle, &byte, 1) == 0);
    must(ask(busy, "", answer, sizeof answer) > 100000);
    tapir_close(busy);
    tapir_close(idle);
}

static void a_server_that_stops_finishes_what_it_began(void **state)
{
    client(is_there_at_the_end);
    run();
    assert_int_equal(stats.requests, 2);
}

static int stop_pipe[2];

static void stops_by_the_pipe(void *arg)
{
    char answer[200000];
    int fd = hosts_connect(HOST_B, 80);

    say(fd, "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n");
    must(tapir_read(fd, answer, 1) == 1);
    must(write(stop_pipe[1], "x", 1) == 1);
    must(ask(fd, "", answer, sizeof answer) > 100000);
    tapir_close(fd);
}

static void a_readable_descriptor_stops_the_server(void **state)
{
    must(pipe(stop_pipe) == 0);
    config.stopped = NULL;
    config.stop_fd = stop_pipe[0];
    client(stops_by_the_pipe);
    run();
    close(stop_pipe[0]);
    close(stop_pipe[1]);
}

static void what_cannot_be_waited_for_cannot_say_stop(void **state)
{
    config.stop_fd = 9999;
    sim_spawn(h.b, server, NULL);
    hosts_run(&h);
    assert_int_equal(result, -1);
    assert_int_equal(error_number, EBADF);
    assert_string_equal(error.fix, "give a pipe or an eventfd; 0 for none");
}

/* --- wrong calls ----------------------------------------------------------------- */

static void a_directory_that_is_none_is_told(void **state)
{
    config.dir = "/nonexistent/directory";
    sim_spawn(h.b, server, NULL);
    hosts_run(&h);
    assert_int_equal(result, -1);
    assert_int_equal(error_number, ENOENT);
    assert_string_equal(error.what, "cannot serve /nonexistent/directory: No such file "
                                    "or directory");
}

static void occupied(void *arg)
{
    int l = hosts_listen(80);

    server(NULL);
    tapir_close(l);
}

static void a_port_that_is_taken_is_told(void **state)
{
    sim_spawn(h.b, occupied, NULL);
    hosts_run(&h);
    assert_int_equal(result, -1);
    assert_int_equal(error_number, EADDRINUSE);
    assert_string_equal(error.what, "cannot listen on port 80: Address already in use");
    assert_string_equal(error.fix, "stop it, or choose another port with --port");
}

#define IN_SIM(test) cmocka_unit_test_setup_teardown(test, served_up, served_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SIM(a_crowd_is_served_at_once),
        IN_SIM(files_arrive_whole_over_a_bad_wire),
        IN_SIM(a_thousand_connections_one_after_another_are_answered),
        IN_SIM(who_misbehaves_harms_only_himself),
        IN_SIM(deadlines_are_kept),
        IN_SIM(a_body_has_a_deadline_of_its_own),
        IN_SIM(who_asks_before_his_body_does_not_wait),
        IN_SIM(every_answer_is_a_line_of_the_log),
        IN_SIM(an_answer_that_breaks_is_logged_too),
        IN_SIM(who_only_sips_is_left),
        IN_SIM(who_reads_slowly_gets_everything),
        IN_SIM(no_reset_eats_an_answer),
        IN_SIM(beyond_the_limit_of_connections_clients_wait_their_turn),
        IN_SIM(a_client_in_the_backlog_is_served_when_another_goes),
        IN_SIM(a_server_that_stops_finishes_what_it_began),
        IN_SIM(a_readable_descriptor_stops_the_server),
        IN_SIM(what_cannot_be_waited_for_cannot_say_stop),
        IN_SIM(a_directory_that_is_none_is_told),
        IN_SIM(a_port_that_is_taken_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
