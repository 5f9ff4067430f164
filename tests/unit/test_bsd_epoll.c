#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness/hosts.h"

static struct hosts h;
static int set;

static int sim_up(void **state)
{
    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    set = tapir_epoll_create1(0);
    return set < 0;
}

static int sim_down(void **state)
{
    tapir_use(NULL);
    hosts_down(&h);
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

static void hear(int fd)
{
    char byte;

    must(tapir_read(fd, &byte, 1) == 1);
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

/* The events of the one descriptor that is ready, 0 when none is. */
static uint32_t events_of(int fd)
{
    struct epoll_event e[2] = { { 0 } };
    int n = tapir_epoll_wait(set, e, 2, 0);

    must(n == 0 || (n == 1 && e[0].data.fd == fd));
    return n ? e[0].events : 0;
}

/* ---- modes ---- */

static void a_level_is_reported_as_long_as_it_lasts(void **state)
{
    int fd = receiver(7);

    add(fd, EPOLLIN);
    assert_int_equal(events_of(fd), 0);
    say(fd);
    say(fd);
    assert_int_equal(events_of(fd), 0x001);
    hear(fd);
    assert_int_equal(events_of(fd), 0x001);
    assert_int_equal(events_of(fd), 0x001);
    hear(fd);
    assert_int_equal(events_of(fd), 0);
    say(fd);
    assert_int_equal(events_of(fd), 0x001);
}

static void an_edge_is_reported_once_a_change(void **state)
{
    int fd = receiver(7);

    say(fd);
    add(fd, EPOLLIN | EPOLLET); /* what is ready at the beginning is a change */
    assert_int_equal(events_of(fd), 0x001);
    assert_int_equal(events_of(fd), 0);
    say(fd);
    assert_int_equal(events_of(fd), 0x001);
    assert_int_equal(events_of(fd), 0);
    hear(fd);
    hear(fd);
    say(fd);
    hear(fd);
    assert_int_equal(events_of(fd), 0); /* it was over before anybody asked */
}

static void one_shot_is_reported_once_until_it_is_set_again(void **state)
{
    int fd = receiver(7);

    add(fd, EPOLLIN | EPOLLONESHOT);
    say(fd);
    assert_int_equal(events_of(fd), 0x001);
    assert_int_equal(events_of(fd), 0);
    say(fd);
    assert_int_equal(events_of(fd), 0);
    assert_int_equal(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), 0);
    assert_int_equal(events_of(fd), 0x001);
    assert_int_equal(events_of(fd), 0);
}

static void a_changed_interest_is_asked_at_once(void **state)
{
    int fd = receiver(7);

    add(fd, 0);
    say(fd);
    assert_int_equal(events_of(fd), 0);
    assert_int_equal(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT), 0);
    assert_int_equal(events_of(fd), 0x005);
    assert_int_equal(control(EPOLL_CTL_MOD, fd, EPOLLOUT), 0);
    assert_int_equal(events_of(fd), 0x004);
}

static void what_is_taken_out_or_closed_is_not_reported(void **state)
{
    int one = receiver(7), two = receiver(8);

    add(one, EPOLLIN);
    add(two, EPOLLIN);
    say(one);
    say(two);
    assert_int_equal(tapir_epoll_ctl(set, EPOLL_CTL_DEL, one, NULL), 0);
    assert_int_equal(events_of(two), 0x001);
    tapir_close(two);
    assert_int_equal(events_of(two), 0);
    add(one, EPOLLIN); /* and may come back */
    assert_int_equal(events_of(one), 0x001);
}

static void a_number_that_is_used_again_is_not_in_the_set(void **state)
{
    int fd = receiver(7), again;

    add(fd, EPOLLIN);
    tapir_close(fd);
    again = receiver(7);
    assert_int_equal(again, fd);
    say(again);
    assert_int_equal(events_of(again), 0);
}

/* ---- connections ---- */

static void peer(void *arg)
{
    char buf[8];
    int fd = hosts_connect(HOST_A, 80);

    must(hosts_read(fd, buf, 4) == 4);
    must(tapir_shutdown(fd, SHUT_WR) == 0);
    must(hosts_read(fd, buf, 1) == 0);
    must(tapir_close(fd) == 0);
}

/* What a connection goes through: accepted, writable, the peer's end, both ends. */
static void a_connection_tells_all_its_states(void **state)
{
    struct epoll_event e;
    int l = hosts_listen(80), fd;

    add(l, EPOLLIN);
    must(sim_spawn(h.b, peer, NULL) == 0);
    assert_int_equal(tapir_epoll_wait(set, &e, 1, -1), 1);
    assert_int_equal(e.data.fd, l);
    assert_int_equal(e.events, 0x001);
    fd = tapir_accept4(l, NULL, NULL, SOCK_NONBLOCK);
    add(fd, EPOLLOUT | EPOLLRDHUP);
    assert_int_equal(events_of(fd), 0x004);
    hosts_write(fd, "text", 4);
    must(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLRDHUP) == 0);
    assert_int_equal(tapir_epoll_wait(set, &e, 1, -1), 1);
    assert_int_equal(e.events, 0x2001);
    must(tapir_shutdown(fd, SHUT_WR) == 0);
    assert_int_equal(events_of(fd), 0x2011);
    tapir_close(fd);
    hosts_run(&h);
}

static void accept_all(int l)
{
    int fd;

    while ((fd = tapir_accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        add(fd, EPOLLIN);
}

/* Echoes what has come. False: the connection has ended. */
static bool echo(int fd)
{
    char buf[1000];
    ssize_t n = tapir_read(fd, buf, sizeof buf);

    must(n >= 0);
    hosts_write(fd, buf, (size_t)n);
    return n > 0 || tapir_close(fd) < 0;
}

static void echo_server(void *arg)
{
    struct epoll_event e[4];
    int l = hosts_listen(7), left = 20, n;

    must(tapir_fcntl(l, F_SETFL, O_NONBLOCK) == 0);
    set = tapir_epoll_create1(0);
    add(l, EPOLLIN | EPOLLET);
    while (left > 0) {
        n = tapir_epoll_wait(set, e, 4, -1);
        must(n > 0);
        for (int i = 0; i < n; i++) {
            if (e[i].data.fd == l)
                accept_all(l);
            else
                left -= !echo(e[i].data.fd);
        }
    }
    must(tapir_close(l) == 0 && tapir_close(set) == 0);
}

static void echo_client(void *arg)
{
    char out[700], in[700];
    int fd = hosts_connect(HOST_B, 7);

    memset(out, (int)(intptr_t)arg, sizeof out);
    for (int i = 0; i < 5; i++) {
        hosts_write(fd, out, sizeof out);
        must(hosts_read(fd, in, sizeof in) == sizeof in);
        must(memcmp(in, out, sizeof in) == 0);
    }
    must(tapir_close(fd) == 0);
}

static void a_program_serves_many_in_a_simulation(void **state)
{
    must(sim_spawn(h.b, echo_server, NULL) == 0);
    for (intptr_t i = 0; i < 20; i++)
        must(sim_spawn(h.a, echo_client, (void *)i) == 0);
    hosts_run(&h);
}

/* ---- waiting ---- */

static void a_timeout_is_over_in_the_stacks_time(void **state)
{
    struct epoll_event e;
    int fd = receiver(7);

    add(fd, EPOLLIN);
    assert_int_equal(tapir_epoll_wait(set, &e, 1, 86400000), 0);
    assert_int_equal(sim_now(h.sim), INT64_C(86400000000));
}

static void a_call_with_few_places_takes_turns(void **state)
{
    struct epoll_event e[2];
    int fd[5], seen[5] = { 0 };

    for (int i = 0; i < 5; i++) {
        fd[i] = receiver((uint16_t)(10 + i));
        add(fd[i], EPOLLIN);
        say(fd[i]);
    }
    for (int round = 0; round < 5; round++) {
        assert_int_equal(tapir_epoll_wait(set, e, 2, -1), 2);
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < 5; i++)
                seen[i] += e[k].data.fd == fd[i];
    }
    for (int i = 0; i < 5; i++)
        assert_int_equal(seen[i], 2);
}

static int woken;

static void wait_for_one(void *arg)
{
    struct epoll_event e;
    int one = *(int *)arg, n = tapir_epoll_wait(one, &e, 1, 1000);

    must(n == 0 || n == 1);
    woken += n;
}

static void one_event_wakes_one_of_several_calls(void **state)
{
    int fd = receiver(7);

    add(fd, EPOLLIN | EPOLLET);
    woken = 0;
    for (int i = 0; i < 3; i++)
        must(sim_spawn(h.a, wait_for_one, &set) == 0);
    tapir_sleep(1000);
    say(fd);
    hosts_run(&h);
    assert_int_equal(woken, 1);
}

static void an_exclusive_interest_wakes_one_set_and_then_the_next(void **state)
{
    int fd = receiver(7), sets[3] = { set, tapir_epoll_create1(0), -1 };

    sets[2] = tapir_epoll_create1(0);
    woken = 0;
    for (int i = 0; i < 3; i++) {
        set = sets[i];
        add(fd, EPOLLIN | EPOLLEXCLUSIVE);
        must(sim_spawn(h.a, wait_for_one, &sets[i]) == 0);
    }
    tapir_sleep(1000);
    say(fd);
    tapir_sleep(1000);
    assert_int_equal(woken, 1);
    say(fd);
    tapir_sleep(1000);
    assert_int_equal(woken, 2);
    hosts_run(&h);
    assert_int_equal(woken, 2);
}

static void without_exclusive_every_set_hears_of_it(void **state)
{
    int fd = receiver(7), first = set;
    struct epoll_event e;

    add(fd, EPOLLIN);
    set = tapir_epoll_create1(0);
    add(fd, EPOLLIN);
    say(fd);
    assert_int_equal(tapir_epoll_wait(first, &e, 1, 0), 1);
    assert_int_equal(tapir_epoll_wait(set, &e, 1, 0), 1);
}

static void poll_waits_for_a_set(void **state)
{
    int fd = receiver(7);
    struct pollfd p = { .fd = set, .events = POLLIN | POLLOUT };

    add(fd, EPOLLIN);
    assert_int_equal(tapir_poll(&p, 1, 10), 0);
    say(fd);
    assert_int_equal(tapir_poll(&p, 1, 10), 1);
    assert_int_equal(p.revents, 0x001);
    hear(fd);
    assert_int_equal(tapir_poll(&p, 1, 10), 0);
}

/* ---- misuse, with Linux's errno ---- */

#define FAILS(call, error)                \
    do {                                  \
        errno = 0;                        \
        assert_int_equal((call), -1);     \
        assert_int_equal(errno, (error)); \
    } while (0)

static void a_wrong_control_is_told(void **state)
{
    struct epoll_event e = { .events = EPOLLIN };
    int fd = receiver(7), other = tapir_epoll_create1(0), end[2];

    must(pipe(end) == 0);
    add(fd, EPOLLIN);
    add(end[0], EPOLLIN);
    FAILS(tapir_epoll_create1(1), EINVAL);
    FAILS(control(EPOLL_CTL_ADD, fd, EPOLLIN), EEXIST);
    FAILS(control(EPOLL_CTL_ADD, end[0], EPOLLIN), EEXIST);
    FAILS(control(EPOLL_CTL_ADD, set, EPOLLIN), EINVAL);
    FAILS(control(EPOLL_CTL_ADD, other, EPOLLIN), EPERM);
    FAILS(control(EPOLL_CTL_ADD, -1, EPOLLIN), EBADF);
    FAILS(control(77, fd, EPOLLIN), EINVAL);
    FAILS(tapir_epoll_ctl(set, EPOLL_CTL_MOD, fd, NULL), EFAULT);
    FAILS(tapir_epoll_ctl(fd, EPOLL_CTL_ADD, fd, &e), EINVAL);
    FAILS(tapir_epoll_ctl(-1, EPOLL_CTL_ADD, fd, &e), EBADF);
    FAILS(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    FAILS(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLWAKEUP), EINVAL);
    must(control(EPOLL_CTL_DEL, fd, 0) == 0);
    FAILS(control(EPOLL_CTL_DEL, fd, 0), ENOENT);
    FAILS(control(EPOLL_CTL_MOD, fd, EPOLLIN), ENOENT);
    FAILS(control(EPOLL_CTL_DEL, end[1], 0), ENOENT);
    FAILS(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE), EINVAL);
    add(fd, EPOLLIN | EPOLLEXCLUSIVE);
    FAILS(control(EPOLL_CTL_MOD, fd, EPOLLIN), EINVAL);
    close(end[0]);
    close(end[1]);
}

static void a_wrong_wait_is_told(void **state)
{
    struct epoll_event e;
    int fd = receiver(7);

    FAILS(tapir_epoll_wait(set, &e, 0, 0), EINVAL);
    FAILS(tapir_epoll_wait(set, &e, -1, 0), EINVAL);
    FAILS(tapir_epoll_wait(set, &e, 2147483647, 0), EINVAL);
    FAILS(tapir_epoll_wait(set, NULL, 1, 0), EFAULT);
    FAILS(tapir_epoll_wait(fd, &e, 1, 0), EINVAL);
    FAILS(tapir_epoll_wait(-1, &e, 1, 0), EBADF);
}

static void a_set_is_no_socket(void **state)
{
    char byte;
    int l = 0;
    socklen_t len = sizeof l;

    FAILS(tapir_read(set, &byte, 1), EINVAL);
    FAILS(tapir_write(set, "x", 1), EINVAL);
    FAILS(tapir_recv(set, &byte, 1, 0), ENOTSOCK);
    FAILS(tapir_listen(set, 1), ENOTSOCK);
    FAILS(tapir_getsockopt(set, SOL_SOCKET, SO_TYPE, &l, &len), ENOTSOCK);
    assert_int_equal(tapir_fcntl(set, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(tapir_close(set), 0);
    FAILS(tapir_close(set), EBADF);
}

static void a_descriptor_of_another_stack_is_refused(void **state)
{
    int fd;

    tapir_use(h.b);
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    FAILS(control(EPOLL_CTL_ADD, fd, EPOLLIN), EINVAL);
}

static void a_simulation_looks_at_the_kernels_descriptors(void **state)
{
    int fd = receiver(7), end[2];

    must(pipe(end) == 0);
    add(end[0], EPOLLIN);
    add(fd, EPOLLIN);
    assert_int_equal(events_of(end[0]), 0);
    must(write(end[1], "x", 1) == 1);
    assert_int_equal(events_of(end[0]), 0x001);
    close(end[0]);
    close(end[1]);
}

static void over_the_kernels_link_it_is_the_kernels(void **state)
{
    struct tapir_config config = { .link = "kernel" };
    struct tapir *t = tapir_up(&config);
    struct epoll_event e;
    int end[2];

    must(t != NULL && pipe(end) == 0);
    tapir_use(t);
    set = tapir_epoll_create1(0);
    add(end[1], EPOLLOUT);
    assert_int_equal(tapir_epoll_wait(set, &e, 1, -1), 1);
    assert_int_equal(e.data.fd, end[1]);
    assert_int_equal(e.events, 0x004);
    must(tapir_close(set) == 0 && close(end[0]) == 0 && close(end[1]) == 0);
    tapir_use(NULL);
    tapir_down(t);
}

static void without_a_stack_there_is_no_set(void **state)
{
    FAILS(tapir_epoll_create1(0), ENETDOWN);
}

int main(void)
{
#define SIM(name) cmocka_unit_test_setup_teardown(name, sim_up, sim_down)
    const struct CMUnitTest tests[] = {
        SIM(a_level_is_reported_as_long_as_it_lasts),
        SIM(an_edge_is_reported_once_a_change),
        SIM(one_shot_is_reported_once_until_it_is_set_again),
        SIM(a_changed_interest_is_asked_at_once),
        SIM(what_is_taken_out_or_closed_is_not_reported),
        SIM(a_number_that_is_used_again_is_not_in_the_set),
        SIM(a_connection_tells_all_its_states),
        SIM(a_program_serves_many_in_a_simulation),
        SIM(a_timeout_is_over_in_the_stacks_time),
        SIM(a_call_with_few_places_takes_turns),
        SIM(one_event_wakes_one_of_several_calls),
        SIM(an_exclusive_interest_wakes_one_set_and_then_the_next),
        SIM(without_exclusive_every_set_hears_of_it),
        SIM(poll_waits_for_a_set),
        SIM(a_wrong_control_is_told),
        SIM(a_wrong_wait_is_told),
        SIM(a_set_is_no_socket),
        SIM(a_descriptor_of_another_stack_is_refused),
        SIM(a_simulation_looks_at_the_kernels_descriptors),
        cmocka_unit_test(over_the_kernels_link_it_is_the_kernels),
        cmocka_unit_test(without_a_stack_there_is_no_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
