/* A batch: calls that are one event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "edge/bsd.h"
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

static uint64_t sent(void)
{
    return h.a->stack->net.count.n[COUNT_TcpOutSegs];
}

/* Host b: what comes on a connection goes back, until its end. */
static void echo(void *arg)
{
    int l = *(int *)arg, fd = tapir_accept(l, NULL, NULL);
    char byte;

    while (hosts_read(fd, &byte, 1) == 1)
        hosts_write(fd, &byte, 1);
    must(tapir_close(fd) == 0);
}

static void run(void (*program)(void *))
{
    int l;

    tapir_use(h.b);
    l = hosts_listen(80);
    must(sim_spawn(h.b, echo, &l) == 0);
    must(sim_spawn(h.b, echo, &l) == 0);
    must(sim_spawn(h.a, program, NULL) == 0);
    hosts_run(&h);
    tapir_use(h.b);
    must(tapir_close(l) == 0);
    tapir_use(NULL);
}

/* Reads what comes back, so that closing resets nothing. */
static void end(int fd)
{
    char byte;

    must(tapir_shutdown(fd, SHUT_WR) == 0);
    while (hosts_read(fd, &byte, 1) == 1)
        continue;
    must(tapir_close(fd) == 0);
}

static void two_writes(void *arg)
{
    int one = hosts_connect(HOST_B, 80), two = hosts_connect(HOST_B, 80);
    uint64_t before;
    int64_t now;

    tapir_sleep(1000000);
    before = sent();
    now = tapir_batch_begin();
    must(now == tapir_now());
    hosts_write(one, "1", 1);
    hosts_write(two, "2", 1);
    must(sent() == before);
    tapir_batch_end();
    must(sent() == before + 2);
    tapir_sleep(1000000); /* and after it, all is as before it */
    before = sent();
    hosts_write(one, "1", 1);
    must(sent() == before + 1);
    end(one);
    end(two);
}

static void what_a_batch_sends_leaves_at_its_end(void **state)
{
    run(two_writes);
}

static void ask_in_a_batch(void *arg)
{
    int one = hosts_connect(HOST_B, 80), two = hosts_connect(HOST_B, 80);
    char byte = 0;

    tapir_batch_begin();
    hosts_write(one, "x", 1);
    must(hosts_read(one, &byte, 1) == 1 && byte == 'x');
    tapir_batch_end();
    end(one);
    end(two);
}

static void a_call_that_waits_lets_leave_what_is_there(void **state)
{
    run(ask_in_a_batch);
}

static void end_nothing(void *arg)
{
    int one = hosts_connect(HOST_B, 80), two = hosts_connect(HOST_B, 80);
    uint64_t before;

    tapir_batch_end();
    before = sent();
    hosts_write(one, "x", 1);
    must(sent() == before + 1);
    end(one);
    end(two);
}

static void the_end_of_no_batch_is_nothing(void **state)
{
    run(end_nothing);
}

static void without_a_stack_a_batch_is_the_time(void **state)
{
    struct tapir *kernel = tapir_up(&(struct tapir_config){ .link = "kernel" });
    struct tapir *before = tapir_use(kernel);
    int64_t first = tapir_now(), then = tapir_batch_begin();

    assert_in_range(then, first, tapir_now());
    tapir_batch_end();
    tapir_use(before);
    tapir_down(kernel);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(what_a_batch_sends_leaves_at_its_end),
        TEST(a_call_that_waits_lets_leave_what_is_there),
        TEST(the_end_of_no_batch_is_nothing),
        TEST(without_a_stack_a_batch_is_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
