/* Answers with long files, served in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "harness/served.h"
#include "harness/site.h"

/* Bytes [from, from+len) of big.bin, which is all zero beyond what it was made with. */
static void must_be_big(const char *at, size_t from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        must(at[i] == (from + i < 100000 ? site_byte(from + i) : 0));
}

/* As it is, from its middle to its end, and two parts of it: all on one connection. */
static void fetch_long(void *arg)
{
    char *answer = calloc(1, 9000000), *body;
    int fd = hosts_connect(HOST_B, 80);
    ssize_t n = ask(fd,
                    "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n"
                    "GET /big.bin HTTP/1.1\r\nHost: b\r\nRange: bytes=50000-\r\n\r\n"
                    "GET /big.bin HTTP/1.1\r\nHost: b\r\nConnection: close\r\n"
                    "Range: bytes=0-999999,60000-599999\r\n\r\n",
                    answer, 9000000);

    body = strstr(answer, "\r\n\r\n") + 4;
    must_be_big(body, 0, 3000001);
    body = strstr(body + 3000001, "\r\n\r\n") + 4;
    must_be_big(body, 50000, 2950001);
    body = strstr(body + 2950001, "\r\n\r\n") + 4; /* of the answer, then of its part */
    body = strstr(body, "\r\n\r\n") + 4;
    must_be_big(body, 0, 1000000);
    body = strstr(body + 1000000, "\r\n\r\n") + 4;
    must_be_big(body, 60000, 540000);
    must(n - (body + 540000 - answer) < 100); /* the closing boundary */
    free(answer);
    leave(fd);
}

static void a_long_file_arrives_whole_and_in_parts(void **state)
{
    site_resize("big.bin", 3000001);
    client(fetch_long);
    run();
    assert_int_equal(stats.requests, 3);
}

static void sees_it_cut(void *arg)
{
    static char buf[100000];
    int fd = hosts_connect(HOST_B, 80);
    size_t total = 0;
    ssize_t n;

    say(fd, "GET /big.bin HTTP/1.1\r\nHost: b\r\n\r\n");
    must(tapir_read(fd, buf, sizeof buf) > 0);
    site_resize("big.bin", 0);
    while ((n = tapir_read(fd, buf, sizeof buf)) > 0)
        total += (size_t)n;
    must(total < 20000000); /* and so it is no answer */
    leave(fd);
}

static void a_long_file_that_is_cut_meanwhile_breaks_its_answer(void **state)
{
    log_answers("$status $close_reason");
    site_resize("big.bin", 20000000);
    client(sees_it_cut);
    run();
    assert_string_equal(logged, "200 cut short\n");
}

#define IN_SIM(test) cmocka_unit_test_setup_teardown(test, served_up, served_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SIM(a_long_file_arrives_whole_and_in_parts),
        IN_SIM(a_long_file_that_is_cut_meanwhile_breaks_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
