/* What a line of the log knows of the connection, from a real one in virtual time. */
#include "app/http_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/hosts.h"

static struct hosts h;
static char line[1000];

static int up(void **state)
{
    hosts_up(&h, 1, "delay 10ms");
    return 0;
}

static int down(void **state)
{
    hosts_down(&h);
    return 0;
}

/* A request as a conversation leaves it, on a connection of host a to port 80 of b. */
static void client(void *arg)
{
    static struct http_noted noted = { .line = { "GET /a HTTP/1.1", 15 },
                                       .method = { "GET", 3 },
                                       .uri = { "/a", 2 },
                                       .host = { "h", 1 },
                                       .referer = { "r", 1 },
                                       .user_agent = { "u", 1 },
                                       .user = { "me", 2 } };
    struct http_session s = { .status = 200,
                              .minor = 1,
                              .sent = 105,
                              .out_head = 100,
                              .requests = 2,
                              .piped = true,
                              .head_taken = 40,
                              .body_taken = 3,
                              .noted = &noted };
    struct http_access access = { .fd = hosts_connect(HOST_B, 80), .number = 7 };
    struct text t;

    access.peer.in4 = hosts_addr(HOST_B, 80);
    access.began = tapir_now() - 1500000;
    text_init(&t, line, sizeof line);
    http_access_write(&t, arg, &access, &s, 784111777);
    must(tapir_close(access.fd) == 0);
}

static void server(void *arg)
{
    int l = hosts_listen(80), fd = tapir_accept(l, NULL, NULL);
    char byte;

    must(tapir_read(fd, &byte, 1) == 0);
    tapir_close(fd);
    tapir_close(l);
}

static const char *written(const char *format)
{
    must(sim_spawn(h.b, server, NULL) == 0);
    must(sim_spawn(h.a, client, (void *)(uintptr_t)format) == 0);
    hosts_run(&h);
    return line;
}

static void a_line_has_what_the_conversation_knows(void **state)
{
    assert_string_equal(written("$request|$request_method|$request_uri|$host|"
                                "$http_referer|$http_user_agent|$remote_user|$status|"
                                "$bytes_sent|$body_bytes_sent|$request_length|"
                                "$connection|$connection_requests|$pipe|$close_reason"),
                        "GET /a HTTP/1.1|GET|/a|h|r|u|me|200|105|5|43|7|2|p|-\n");
}

static void a_line_has_what_the_connection_knows(void **state)
{
    assert_string_equal(written("$remote_addr:$remote_port $server_addr $request_time "
                                "$time_iso8601"),
                        "192.0.2.2:80 192.0.2.1 1.500 1994-11-06T08:49:37+00:00\n");
}

static void figures_of_tcp_are_there_for_who_wants_them(void **state)
{
    assert_string_equal(written("$tcpinfo_rtt $tcpinfo_snd_cwnd"), "40000 10\n");
}

#define IN_SIM(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SIM(a_line_has_what_the_conversation_knows),
        IN_SIM(a_line_has_what_the_connection_knows),
        IN_SIM(figures_of_tcp_are_there_for_who_wants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
