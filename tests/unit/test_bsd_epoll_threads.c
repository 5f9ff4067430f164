/* Sets of descriptors with threads and with descriptors of the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "edge/bsd.h"
#include "harness/cable.h"
#include "harness/hosts.h"

static struct cable cable;
static int set;

static int live_up(void **state)
{
    cable_up(&cable);
    tapir_use(cable.a);
    set = tapir_epoll_create1(EPOLL_CLOEXEC);
    return set < 0;
}

static int live_down(void **state)
{
    tapir_use(NULL);
    cable_down(&cable);
    return 0;
}

/* A datagram socket with a port of its own; `say` sends it a byte from itself. */
static int receiver(uint16_t port)
{
    struct sockaddr_in me = hosts_addr(HOST_A, port);
    int fd = tapir_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    must(fd >= 0);
    must(tapir_bind(fd, (struct sockaddr *)&me, sizeof me) == 0);
    must(tapir_connect(fd, (struct sockaddr *)&me, sizeof me) == 0);
    return fd;
}

static void say(int fd)
{
    must(tapir_write(fd, "x", 1) == 1);
}

static int control(int op, int fd, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.fd = fd };

    return tapir_epoll_ctl(set, op, fd, &e);
}

static void add(int fd, uint32_t events)
{
    must(control(EPOLL_CTL_ADD, fd, events) == 0);
}

/* ---- live: both kinds in one set, threads ---- */

struct waiting {
    pthread_t thread;
    int n, error;
    struct epoll_event e[4];
};

static void *wait_in_thread(void *arg)
{
    struct waiting *w = arg;

    tapir_use(cable.a);
    w->n = tapir_epoll_wait(set, w->e, 4, -1);
    w->error = errno;
    return NULL;
}

/* Returns when the call is asleep in the set. */
static void start(struct waiting *w)
{
    struct file *f = file_get(set);
    bool asleep = false;

    must(pthread_create(&w->thread, NULL, wait_in_thread, w) == 0);
    while (!asleep) {
        pthread_mutex_lock(&cable.a->lock);
        asleep = !list_empty(&f->waiters);
        pthread_mutex_unlock(&cable.a->lock);
    }
    file_put(f);
}

static void one_set_has_both_kinds(void **state)
{
    struct epoll_event e[4];
    int fd = receiver(7), end[2];
    struct waiting w;

    must(pipe(end) == 0);
    add(fd, EPOLLIN);
    add(end[0], EPOLLIN);
    assert_int_equal(tapir_epoll_wait(set, e, 4, 0), 0);

    start(&w);
    must(write(end[1], "x", 1) == 1);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.n, 1);
    assert_int_equal(w.e[0].data.fd, end[0]);

    say(fd);
    assert_int_equal(tapir_epoll_wait(set, e, 4, 0), 2);
    must(close(end[0]) == 0 && close(end[1]) == 0);
    assert_int_equal(tapir_epoll_wait(set, e, 4, -1), 1);
    assert_int_equal(e[0].data.fd, fd);
}

static void neither_kind_starves_the_other(void **state)
{
    struct epoll_event e;
    int fd = receiver(7), end[2], seen = 0;

    must(pipe(end) == 0);
    add(fd, EPOLLIN);
    add(end[0], EPOLLIN);
    say(fd);
    must(write(end[1], "x", 1) == 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(tapir_epoll_wait(set, &e, 1, -1), 1);
        seen += e.data.fd == end[0];
    }
    assert_int_equal(seen, 5);
    must(close(end[0]) == 0 && close(end[1]) == 0);
}

static void a_sleeping_call_hears_of_what_is_added(void **state)
{
    int fd = receiver(7), end[2];
    struct waiting w;

    must(pipe(end) == 0 && write(end[1], "x", 1) == 1);
    start(&w);
    add(end[0], EPOLLIN);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.n, 1);
    assert_int_equal(w.e[0].data.fd, end[0]);
    must(close(end[0]) == 0 && close(end[1]) == 0);

    say(fd);
    start(&w);
    add(fd, EPOLLIN);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.n, 1);
    assert_int_equal(w.e[0].data.fd, fd);
}

static void closing_the_set_ends_the_call(void **state)
{
    struct waiting w;

    start(&w);
    must(tapir_close(set) == 0);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.n, -1);
    assert_int_equal(w.error, EBADF);
}

/* Each of the calls takes some of the datagrams, all together every one of them. */
static void *take_datagrams(void *arg)
{
    struct epoll_event e;
    char byte;
    int *taken = arg;

    tapir_use(cable.a);
    for (;;) {
        must(tapir_epoll_wait(set, &e, 1, -1) == 1);
        if (tapir_read(e.data.fd, &byte, 1) != 1)
            continue;
        if (byte == 'q')
            return NULL;
        (*taken)++;
    }
}

static void several_threads_share_one_set(void **state)
{
    enum { THREADS = 3, DATAGRAMS = 300 };
    pthread_t thread[THREADS];
    int fd[2] = { receiver(7), receiver(8) }, taken[THREADS] = { 0 };

    add(fd[0], EPOLLIN);
    add(fd[1], EPOLLIN);
    for (int i = 0; i < THREADS; i++)
        must(pthread_create(&thread[i], NULL, take_datagrams, &taken[i]) == 0);
    for (int i = 0; i < DATAGRAMS; i++)
        say(fd[i % 2]);
    for (int i = 0; i < THREADS; i++)
        must(tapir_write(fd[0], "q", 1) == 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < 2; i++) {
        char byte;
        while (tapir_read(fd[i], &byte, 1) == 1)
            taken[0]++;
    }
    assert_int_equal(taken[0] + taken[1] + taken[2], 300);
}

int main(void)
{
#define LIVE(name) cmocka_unit_test_setup_teardown(name, live_up, live_down)
    const struct CMUnitTest tests[] = {
        LIVE(one_set_has_both_kinds),
        LIVE(neither_kind_starves_the_other),
        LIVE(a_sleeping_call_hears_of_what_is_added),
        LIVE(closing_the_set_ends_the_call),
        LIVE(several_threads_share_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
