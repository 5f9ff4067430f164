/* Connections with deadlines, between two hosts in virtual time, 10 ms apart. */
#include "app/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/hosts.h"

static struct hosts h;

static int up(void **state)
{
    hosts_up(&h, 1, NULL);
    return 0;
}

static int down(void **state)
{
    hosts_down(&h);
    return 0;
}

static int connect_b(uint16_t port, int64_t timeout)
{
    union endpoint to = { .in4 = hosts_addr(HOST_B, port) };
    return dial_connect(&to, timeout ? tapir_now() + timeout : INT64_MAX);
}

/* Accepts one connection, says hello after a second, and reads to the end. */
static void greeter(void *arg)
{
    int l = hosts_listen(80), fd = tapir_accept(l, NULL, NULL);
    char buf[100];

    must(fd >= 0);
    tapir_sleep(1000000);
    hosts_write(fd, "hello", 5);
    must(hosts_read(fd, buf, sizeof buf) == 7);
    must(memcmp(buf, "goodbye", 7) == 0);
    tapir_close(fd);
    tapir_close(l);
}

static void meet_greeter(void *arg)
{
    char buf[100];
    int fd = connect_b(80, 1000000);

    must(fd >= 0);
    must(dial_is_quiet(fd));
    must(dial_receive(fd, buf, sizeof buf) == -EAGAIN);
    must(dial_wait(fd, POLLIN, tapir_now() + 500000) == -ETIME);
    must(dial_wait(fd, POLLIN, tapir_now() + 1000000) == 0);
    must(dial_receive(fd, buf, sizeof buf) == 5);
    must(memcmp(buf, "hello", 5) == 0);
    must(dial_send(fd, "goodbye", 7) == 7);
    must(tapir_shutdown(fd, SHUT_WR) == 0);
    must(dial_wait(fd, POLLIN, INT64_MAX) == 0);
    must(dial_receive(fd, buf, sizeof buf) == 0);
    must(!dial_is_quiet(fd)); /* the end is there to be read */
    tapir_close(fd);
}

static void waiting_lasts_until_its_deadline_and_no_longer(void **state)
{
    sim_spawn(h.b, greeter, NULL);
    sim_spawn(h.a, meet_greeter, NULL);
    hosts_run(&h);
}

static void call_nobody(void *arg)
{
    int64_t begin = tapir_now();
    union endpoint nobody = { .in4 = hosts_addr(HOST_B, 80) };

    must(connect_b(81, 0) == -ECONNREFUSED);
    must(tapir_now() - begin < 1000000);
    /* Far away: the other host takes the packets and answers nothing. */
    memcpy(&nobody.in4.sin_addr, "\xc0\x00\x02\x09", 4);
    begin = tapir_now();
    must(dial_connect(&nobody, begin + 300000) == -ETIME);
    must(tapir_now() - begin >= 300000 && tapir_now() - begin < 302000);
}

static void a_connection_that_fails_says_how(void **state)
{
    sim_spawn(h.a, call_nobody, NULL);
    hosts_run(&h);
}

/* Takes the connection and never reads. */
static void deaf(void *arg)
{
    int l = hosts_listen(80), fd = tapir_accept(l, NULL, NULL);

    must(fd >= 0);
    tapir_sleep(20000000);
    tapir_close(fd);
    tapir_close(l);
}

static void shout(void *arg)
{
    static const char text[16 << 20];
    int fd = connect_b(80, 0), err;
    int64_t begin = tapir_now();

    must(fd >= 0);
    do {
        while (dial_send(fd, text, sizeof text) > 0)
            continue;
        err = dial_wait(fd, POLLOUT, begin + 10000000);
    } while (err == 0);
    must(err == -ETIME);
    must(tapir_now() - begin >= 10000000 && tapir_now() - begin < 10002000);
    tapir_close(fd);
}

static void sending_to_one_who_never_reads_ends_at_its_deadline(void **state)
{
    sim_spawn(h.b, deaf, NULL);
    sim_spawn(h.a, shout, NULL);
    hosts_run(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiting_lasts_until_its_deadline_and_no_longer,
                                        up, down),
        cmocka_unit_test_setup_teardown(a_connection_that_fails_says_how, up, down),
        cmocka_unit_test_setup_teardown(
            sending_to_one_who_never_reads_ends_at_its_deadline, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
