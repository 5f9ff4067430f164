#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "edge/bsd.h"
#include "harness/cable.h"
#include "harness/hosts.h"

/* Live stacks, real threads. Nothing here depends on how long anything takes: threads
 * wait for one another by blocking calls, or by asking whether a call waits. */

static struct cable cable;

static int up(void **state)
{
    cable_up(&cable);
    tapir_use(cable.a);
    return 0;
}

static int down(void **state)
{
    tapir_use(NULL);
    cable_down(&cable);
    return 0;
}

/* Until n calls wait for fd. */
static void await_waiters(struct tapir *t, int fd, int n)
{
    struct file *f = file_get(fd);
    int found = 0;

    must(f != NULL);
    while (found < n) {
        found = 0;
        pthread_mutex_lock(&t->lock);
        list_each (at, &f->waiters)
            found++;
        pthread_mutex_unlock(&t->lock);
    }
    file_put(f);
}

struct call_of_a_thread {
    pthread_t thread;
    struct tapir *t;
    int fd;
    ssize_t result;
    int error;
    char byte;
};

static void *read_a_byte(void *arg)
{
    struct call_of_a_thread *c = arg;

    tapir_use(c->t);
    c->result = tapir_read(c->fd, &c->byte, 1);
    c->error = errno;
    return NULL;
}

static void start(struct call_of_a_thread *c, struct tapir *t, int fd)
{
    *c = (struct call_of_a_thread){ .t = t, .fd = fd };
    must(pthread_create(&c->thread, NULL, read_a_byte, c) == 0);
}

static int datagram_socket(uint16_t port)
{
    struct sockaddr_in me = hosts_addr(HOST_A, port);
    int fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);

    must(tapir_bind(fd, (struct sockaddr *)&me, sizeof me) == 0);
    must(tapir_connect(fd, (struct sockaddr *)&me, sizeof me) == 0);
    return fd;
}

static void a_read_that_blocks_ends_when_another_thread_closes(void **state)
{
    struct call_of_a_thread reader[2];
    int fd = datagram_socket(7);

    start(&reader[0], cable.a, fd);
    start(&reader[1], cable.a, fd);
    await_waiters(cable.a, fd, 2);
    assert_int_equal(tapir_close(fd), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(reader[i].thread, NULL);
        assert_int_equal(reader[i].result, -1);
        assert_int_equal(reader[i].error, EBADF);
    }
}

static void several_threads_read_one_socket_and_each_gets_its_own(void **state)
{
    enum { N = 8 };
    struct call_of_a_thread reader[N];
    int fd = datagram_socket(7), seen = 0;

    for (int i = 0; i < N; i++)
        start(&reader[i], cable.a, fd);
    await_waiters(cable.a, fd, N);
    for (int i = 0; i < N; i++) {
        char byte = (char)i;
        must(tapir_write(fd, &byte, 1) == 1);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(reader[i].thread, NULL);
        assert_int_equal(reader[i].result, 1);
        seen |= 1 << reader[i].byte;
    }
    assert_int_equal(seen, (1 << N) - 1);
    tapir_close(fd);
}

static void nothing(int sig)
{
}

/* Until every reader that waits sleeps without the lock: one drives, the
 * others doze. */
static void await_sleep(struct tapir *t, int dozing)
{
    int found = -1;

    while (found != dozing) {
        found = 0;
        pthread_mutex_lock(&t->lock);
        list_each (at, &t->dozing)
            found++;
        if (!t->driver || t->driver == &t->watch)
            found = -1;
        pthread_mutex_unlock(&t->lock);
    }
}

static void a_signal_ends_a_call_that_drives_and_one_that_dozes(void **state)
{
    struct sigaction act = { .sa_handler = nothing }, before;
    struct call_of_a_thread driver, dozer;
    int fd = datagram_socket(7);

    sigaction(SIGUSR1, &act, &before);
    start(&driver, cable.a, fd);
    await_waiters(cable.a, fd, 1);
    await_sleep(cable.a, 0);
    start(&dozer, cable.a, fd);
    await_waiters(cable.a, fd, 2);
    await_sleep(cable.a, 1);
    /* The signal may come between the last look and the sleep, as with any call: it is
     * sent until the call is over. */
    while (pthread_tryjoin_np(dozer.thread, NULL) == EBUSY)
        pthread_kill(dozer.thread, SIGUSR1);
    assert_int_equal(dozer.error, EINTR);
    while (pthread_tryjoin_np(driver.thread, NULL) == EBUSY)
        pthread_kill(driver.thread, SIGUSR1);
    assert_int_equal(driver.error, EINTR);
    sigaction(SIGUSR1, &before, NULL);
    tapir_close(fd);
}

/* The driver leaves with its byte; the call that dozed drives from then on, and gets
 * what comes over the device. */
static void a_driver_that_is_done_hands_over(void **state)
{
    struct call_of_a_thread first, second;
    struct sockaddr_in to = hosts_addr(HOST_A, 8);
    int one = datagram_socket(7), two = tapir_socket(AF_INET, SOCK_DGRAM, 0), other;

    must(tapir_bind(two, (struct sockaddr *)&to, sizeof to) == 0);
    start(&first, cable.a, one);
    await_waiters(cable.a, one, 1);
    await_sleep(cable.a, 0);
    start(&second, cable.a, two);
    await_waiters(cable.a, two, 1);
    await_sleep(cable.a, 1);
    must(tapir_write(one, "1", 1) == 1);
    pthread_join(first.thread, NULL);
    assert_int_equal(first.byte, '1');
    await_sleep(cable.a, 0);
    tapir_use(cable.b);
    other = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    must(tapir_sendto(other, "2", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.byte, '2');
    tapir_close(other);
    tapir_close(one);
    tapir_close(two);
}

/* Nobody is inside of b: its background thread answers ARP, and resets the connection
 * to a port that nobody has. */
static void the_watch_drives_when_nobody_calls(void **state)
{
    struct sockaddr_in to = hosts_addr(HOST_B, 80);
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), -1);
    assert_int_equal(errno, ECONNREFUSED);
    tapir_close(fd);
}

/* One thread sleeps as the driver, for ever; a call of another makes something due, and
 * the sleeper must be got up to sleep only until then. */
static void a_deadline_that_becomes_earlier_kicks_the_driver(void **state)
{
    struct call_of_a_thread reader;
    struct sockaddr_in nobody = hosts_addr(HOST_B, 1);
    int fd = datagram_socket(7), other;
    bool asleep_until_then = false;

    start(&reader, cable.a, fd);
    await_waiters(cable.a, fd, 1);
    await_sleep(cable.a, 0);
    /* 192.0.2.99 is not there: it is asked for again in a second (RFC 1122
     * s2.3.2.1). */
    put32((uint8_t *)&nobody.sin_addr, 0xc0000263);
    other = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    must(tapir_sendto(other, "x", 1, 0, (struct sockaddr *)&nobody, sizeof nobody) ==
         1);
    while (!asleep_until_then) {
        pthread_mutex_lock(&cable.a->lock);
        asleep_until_then = cable.a->driver->until > 0 &&
                            cable.a->driver->until <= loop_deadline(cable.a);
        pthread_mutex_unlock(&cable.a->lock);
    }
    must(tapir_write(fd, "x", 1) == 1);
    pthread_join(reader.thread, NULL);
    tapir_close(other);
    tapir_close(fd);
}

/* Takes the lock when the watch sleeps as the driver. */
static void lock_beside_the_watch(struct tapir *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->driver != &t->watch || !t->watch.polling) {
        pthread_mutex_unlock(&t->lock);
        pthread_mutex_lock(&t->lock);
    }
}

/* A call that does not wait, with the lock held. */
static void make_a_call(struct tapir *t)
{
    struct waiter w;

    waiter_init(&w, BATCH_READ);
    w.deadline = 0;
    assert_int_equal(waiter_wait(t, &w), -ETIMEDOUT);
    waiter_done(&w);
}

static void a_call_that_makes_something_due_sends_the_watch_back_to_its_ticks(
    void **state)
{
    struct heap *heap = &cable.a->stack->net.heap;
    struct deadline due;

    deadline_init(&due, 0);
    must(heap_reserve(heap, 1));
    lock_beside_the_watch(cable.a);
    make_a_call(cable.a);
    assert_ptr_equal(cable.a->driver, &cable.a->watch);
    heap_set(heap, &due, cable.a->now + 60 * USEC_PER_SEC);
    make_a_call(cable.a);
    assert_null(cable.a->driver);
    assert_int_equal(cable.a->watch_state, WATCH_TICK);
    heap_remove(heap, &due);
    pthread_mutex_unlock(&cable.a->lock);
    lock_beside_the_watch(cable.a); /* it comes back by itself */
    pthread_mutex_unlock(&cable.a->lock);
}

static void *echo_server(void *arg)
{
    char buf[4096];
    ssize_t n;
    int l = *(int *)arg, fd = tapir_accept(l, NULL, NULL);

    must(fd >= 0);
    while ((n = tapir_read(fd, buf, sizeof buf)) > 0)
        hosts_write(fd, buf, (size_t)n);
    must(n == 0 && tapir_close(fd) == 0);
    return NULL;
}

static void *echo_client(void *arg)
{
    uint8_t out[20000], in[20000];
    int fd;

    tapir_use(arg);
    fd = hosts_connect(HOST_B, 80);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 31 + i / 256);
    for (int round = 0; round < 10; round++) {
        hosts_write(fd, out, sizeof out);
        must(hosts_read(fd, in, sizeof in) == sizeof in);
        must(memcmp(in, out, sizeof in) == 0);
    }
    must(tapir_close(fd) == 0);
    return NULL;
}

static void many_threads_block_on_both_sides_and_lose_nothing(void **state)
{
    enum { N = 6 };
    pthread_t server[N], client[N];
    int l;

    tapir_use(cable.b);
    l = hosts_listen(80);
    for (int i = 0; i < N; i++) {
        must(pthread_create(&server[i], NULL, echo_server, &l) == 0);
        must(pthread_create(&client[i], NULL, echo_client, cable.a) == 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(client[i], NULL);
        pthread_join(server[i], NULL);
    }
    tapir_close(l);
}

static void calls_that_wait_end_when_the_stack_goes_down(void **state)
{
    struct call_of_a_thread reader;
    int fd;

    cable_up(&cable);
    tapir_use(cable.a);
    fd = datagram_socket(7);
    start(&reader, cable.a, fd);
    await_waiters(cable.a, fd, 1);
    tapir_use(NULL);
    cable_down(&cable);
    pthread_join(reader.thread, NULL);
    assert_int_equal(reader.result, -1);
    assert_int_equal(reader.error, EBADF);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(a_read_that_blocks_ends_when_another_thread_closes),
        TEST(several_threads_read_one_socket_and_each_gets_its_own),
        TEST(a_signal_ends_a_call_that_drives_and_one_that_dozes),
        TEST(a_driver_that_is_done_hands_over),
        TEST(the_watch_drives_when_nobody_calls),
        TEST(a_deadline_that_becomes_earlier_kicks_the_driver),
        TEST(a_call_that_makes_something_due_sends_the_watch_back_to_its_ticks),
        TEST(many_threads_block_on_both_sides_and_lose_nothing),
        cmocka_unit_test(calls_that_wait_end_when_the_stack_goes_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
