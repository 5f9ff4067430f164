#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "edge/sim.h"
#include "harness/hosts.h"

enum { N = 5 };

/* What the programs did, in the order they did it. Only the one with the baton
 * writes. */
static char said[100];

static void say(const char *what)
{
    strcat(said, what);
}

struct program {
    const char *name;
    int fd;
    int64_t sleep;
};

static void say_it(void *arg)
{
    say(arg);
}

static void programs_start_in_the_order_they_were_spawned(void **state)
{
    struct hosts h;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    for (int i = 0; i < N; i++)
        sim_spawn(i % 2 ? h.a : h.b, say_it, (char *[]){ "a", "b", "c", "d", "e" }[i]);
    assert_string_equal(said, "");
    hosts_run(&h);
    assert_string_equal(said, "abcde");
    hosts_down(&h);
}

static void sleep_twice(void *arg)
{
    struct program *p = arg;

    tapir_sleep(p->sleep);
    say(p->name);
    tapir_sleep(p->sleep);
    say(p->name);
}

static void sleepers_wake_by_the_clock_and_ties_by_who_slept_first(void **state)
{
    struct program p[] = {
        { "a", 0, 30 }, { "b", 0, 20 }, { "c", 0, 60 }, { "d", 0, 30 }
    };
    struct hosts h;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    for (int i = 0; i < 4; i++)
        sim_spawn(h.a, sleep_twice, &p[i]);
    hosts_run(&h);
    /* 20 b; 30 a d; 40 b; 60: c has slept since 0, a and d since 30; 120 c */
    assert_string_equal(said, "badbcadc");
    assert_int_equal(sim_now(h.sim), 120);
    hosts_down(&h);
}

static void read_one(void *arg)
{
    struct program *p = arg;
    char byte;

    tapir_sleep(p->sleep);
    must(tapir_recv(p->fd, &byte, 1, 0) == 1);
    say(p->name);
}

static void write_all(void *arg)
{
    struct sockaddr_in to = hosts_addr(HOST_B, 7);
    int fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);

    tapir_sleep(1000);
    for (int i = 0; i < N; i++)
        must(tapir_sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    must(tapir_close(fd) == 0);
}

static void who_waits_for_one_socket_gets_its_turn_in_the_order_of_waiting(void **state)
{
    struct program p[N] = {
        { "a", 0, 50 }, { "b", 0, 30 }, { "c", 0, 10 }, { "d", 0, 20 }, { "e", 0, 40 },
    };
    struct sockaddr_in me = hosts_addr(HOST_B, 7);
    struct hosts h;
    int fd;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    must(tapir_bind(fd, (struct sockaddr *)&me, sizeof me) == 0);
    for (int i = 0; i < N; i++) {
        p[i].fd = fd;
        sim_spawn(h.b, read_one, &p[i]);
    }
    sim_spawn(h.a, write_all, NULL);
    hosts_run(&h);
    assert_string_equal(said, "cdbea");
    tapir_use(NULL);
    tapir_close(fd);
    hosts_down(&h);
}

static void close_it(void *arg)
{
    tapir_sleep(1000000);
    must(tapir_close(*(int *)arg) == 0);
}

static void read_until_it_is_closed(void *arg)
{
    char byte;

    must(tapir_read(*(int *)arg, &byte, 1) == -1);
    must(errno == EBADF);
    say("closed");
}

static void a_read_that_blocks_ends_when_another_program_closes(void **state)
{
    struct hosts h;
    int fd;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    sim_spawn(h.a, read_until_it_is_closed, &fd);
    sim_spawn(h.a, close_it, &fd);
    hosts_run(&h);
    assert_string_equal(said, "closed");
    tapir_use(NULL);
    hosts_down(&h);
}

static void spawn_more(void *arg)
{
    say("p");
    must(sim_spawn(arg, say_it, "q") == 0);
    say("r");
}

static void a_program_may_start_another(void **state)
{
    struct hosts h;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    sim_spawn(h.a, spawn_more, h.b);
    hosts_run(&h);
    assert_string_equal(said, "prq");
    hosts_down(&h);
}

static void sleep_a_second(void *arg)
{
    tapir_sleep(1000000);
    say("slept");
}

/* The thread of the test takes part: while it waits, programs run. */
static void the_thread_outside_waits_like_a_program(void **state)
{
    struct hosts h;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    sim_spawn(h.a, sleep_a_second, NULL);
    tapir_sleep(2000000);
    assert_string_equal(said, "slept");
    assert_int_equal(sim_now(h.sim), 2000000);
    hosts_run(&h);
    hosts_down(&h);
}

static void a_wait_outside_that_nothing_can_end_is_a_deadlock(void **state)
{
    struct hosts h;
    char byte;
    int fd;

    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_read(fd, &byte, 1), -1);
    assert_int_equal(errno, EDEADLK);
    tapir_use(NULL);
    tapir_close(fd);
    hosts_down(&h);
}

/* ---- guests ---- */

struct guest {
    struct tapir *host;
    atomic_bool in;
    int64_t woke;
};

static void *guest_main(void *arg)
{
    struct guest *g = arg;
    struct sim_thread me;

    sim_guest_in(&me, g->host);
    g->in = true;
    tapir_sleep(500);
    g->woke = tapir_now();
    sim_guest_out(&me);
    return NULL;
}

/* A thread of the test's, not a program: it comes in while we are out. */
static void a_guest_is_a_program_like_the_others(void **state)
{
    struct guest g = { 0 };
    struct hosts h;
    pthread_t thread;

    said[0] = '\0';
    hosts_up(&h, 1, NULL);
    g.host = h.a;
    assert_int_equal(sim_spawn(h.b, say_it, "b"), 0);
    assert_int_equal(pthread_create(&thread, NULL, guest_main, &g), 0);
    while (!g.in)
        sched_yield();
    sim_regain(h.sim);
    assert_int_equal(sim_now(h.sim), 0);
    assert_int_equal(sim_run(h.sim, 60000000), 0);
    pthread_join(thread, NULL);
    assert_int_equal(g.woke, 500);
    assert_string_equal(said, "b");
    hosts_down(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_start_in_the_order_they_were_spawned),
        cmocka_unit_test(sleepers_wake_by_the_clock_and_ties_by_who_slept_first),
        cmocka_unit_test(
            who_waits_for_one_socket_gets_its_turn_in_the_order_of_waiting),
        cmocka_unit_test(a_read_that_blocks_ends_when_another_program_closes),
        cmocka_unit_test(a_program_may_start_another),
        cmocka_unit_test(the_thread_outside_waits_like_a_program),
        cmocka_unit_test(a_wait_outside_that_nothing_can_end_is_a_deadlock),
        cmocka_unit_test(a_guest_is_a_program_like_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
