/* The status page of a server with one connection, in virtual time: 20 ms each way. */
#include "app/http_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "harness/hosts.h"

static struct hosts h;
static char page[4000];

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

static void client(void *arg)
{
    static const struct tapir_http_stats stats = { 3, 20, 1000 };
    struct http_access access = { .fd = hosts_connect(HOST_B, 80), .number = 3 };
    bool json = arg != NULL;
    struct text t;

    access.peer.in4 = hosts_addr(HOST_B, 80);
    text_init(&t, page, sizeof page);
    http_status_begin(&t, json, &stats);
    http_status_row(&t, json, 0, &access, "idle");
    http_status_row(&t, json, 1, &(struct http_access){ .fd = -1 }, "linger");
    http_status_end(&t, json);
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

static void write_page(void *json)
{
    must(sim_spawn(h.b, server, NULL) == 0);
    must(sim_spawn(h.a, client, json) == 0);
    hosts_run(&h);
}

static void machines_get_json(void **state)
{
    write_page(page);
    assert_string_equal(
        page,
        "{\"accepted\":3,\"requests\":20,\"bytes\":1000,\"connections\":[\n"
        "{\"connection\":3,\"remote_addr\":\"192.0.2.2\",\"remote_port\":80,"
        "\"doing\":\"idle\",\"state\":\"ESTAB\",\"cwnd\":10,"
        "\"ssthresh\":2147483647,\"rtt\":40000,\"rttvar\":20000,\"rto\":240000,"
        "\"unacked\":0,\"retrans\":0},\n"
        "{\"connection\":0,\"remote_addr\":\"\",\"remote_port\":0,"
        "\"doing\":\"linger\",\"state\":\"?\",\"cwnd\":0,\"ssthresh\":0,\"rtt\":0,"
        "\"rttvar\":0,\"rto\":0,\"unacked\":0,\"retrans\":0}\n]}\n");
}

static void people_get_a_table(void **state)
{
    write_page(NULL);
    assert_non_null(strstr(page, "3 accepted, 20 requests, 1000 bytes sent."));
    assert_non_null(
        strstr(page, "<tr><td>3<td>192.0.2.2<td>80<td>idle<td>ESTAB<td>10<td>"));
    assert_non_null(strstr(page, "</table></html>\n"));
}

#define IN_SIM(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SIM(machines_get_json),
        IN_SIM(people_get_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
