#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "harness/cable.h"
#include "harness/hosts.h"

static void a_listener_is_readable_when_somebody_waits(void **state)
{
    struct hosts h;
    struct pollfd p = { .events = POLLIN | POLLOUT };
    int l, c;

    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    l = p.fd = hosts_listen(80);
    assert_int_equal(tapir_poll(&p, 1, 0), 0);
    assert_int_equal(p.revents, 0);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    assert_int_equal(tapir_poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLIN);
    tapir_use(NULL);
    tapir_close(c);
    tapir_close(l);
    hosts_down(&h);
}

static void a_timeout_is_over_in_the_stacks_time(void **state)
{
    struct hosts h;
    struct pollfd p = { .events = POLLIN };

    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    p.fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_poll(&p, 1, 86400000), 0);
    assert_int_equal(sim_now(h.sim), INT64_C(86400000000));
    assert_int_equal(tapir_poll(NULL, 0, 1000), 0);
    assert_int_equal(sim_now(h.sim), INT64_C(86401000000));
    tapir_use(NULL);
    tapir_close(p.fd);
    hosts_down(&h);
}

static void descriptors_of_two_stacks_do_not_mix(void **state)
{
    struct hosts h;
    struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };

    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    p[0].fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    tapir_use(h.b);
    p[1].fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_poll(p, 2, 0), -1);
    assert_int_equal(errno, EINVAL);
    tapir_use(NULL);
    tapir_close(p[0].fd);
    tapir_close(p[1].fd);
    hosts_down(&h);
}

static void numbers_below_zero_are_passed_over(void **state)
{
    struct hosts h;
    struct pollfd p[2] = { { .fd = -1, .events = POLLIN, .revents = 7 },
                           { .events = POLLOUT } };

    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    p[1].fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_poll(p, 2, -1), 1);
    assert_int_equal(p[0].revents, 0);
    assert_int_equal(p[1].revents, POLLOUT);
    tapir_use(NULL);
    tapir_close(p[1].fd);
    hosts_down(&h);
}

static void hundreds_of_descriptors_are_fine(void **state)
{
    enum { N = 300 };
    struct hosts h;
    struct sockaddr_in to;
    struct pollfd p[N];

    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    for (int i = 0; i < N; i++) {
        to = hosts_addr(HOST_B, (uint16_t)(1000 + i));
        p[i] = (struct pollfd){ .events = POLLIN };
        p[i].fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
        must(tapir_bind(p[i].fd, (struct sockaddr *)&to, sizeof to) == 0);
    }
    to = hosts_addr(HOST_B, 1217);
    must(tapir_sendto(p[0].fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    assert_int_equal(tapir_poll(p, N, -1), 1);
    assert_int_equal(p[217].revents, POLLIN);
    tapir_use(NULL);
    for (int i = 0; i < N; i++)
        tapir_close(p[i].fd);
    hosts_down(&h);
}

/* ---- live: both kinds in one call ---- */

static void *write_to_the_pipe(void *arg)
{
    must(write(*(int *)arg, "x", 1) == 1);
    return NULL;
}

static void one_poll_waits_for_both_kinds(void **state)
{
    struct cable cable;
    struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
    struct sockaddr_in me = hosts_addr(HOST_A, 7);
    pthread_t thread;
    int end[2];
    char byte;

    cable_up(&cable);
    tapir_use(cable.a);
    must(pipe(end) == 0);
    p[0].fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    p[1].fd = end[0];
    must(tapir_bind(p[0].fd, (struct sockaddr *)&me, sizeof me) == 0);
    assert_int_equal(tapir_poll(p, 2, 0), 0);

    must(pthread_create(&thread, NULL, write_to_the_pipe, &end[1]) == 0);
    assert_int_equal(tapir_poll(p, 2, -1), 1);
    assert_int_equal(p[0].revents, 0);
    assert_int_equal(p[1].revents, POLLIN);
    pthread_join(thread, NULL);
    must(read(end[0], &byte, 1) == 1);

    must(tapir_sendto(p[0].fd, "y", 1, 0, (struct sockaddr *)&me, sizeof me) == 1);
    assert_int_equal(tapir_poll(p, 2, -1), 1);
    assert_int_equal(p[0].revents, POLLIN);
    assert_int_equal(p[1].revents, 0);
    tapir_close(p[0].fd);
    tapir_use(NULL);
    cable_down(&cable);
    close(end[0]);
    close(end[1]);
}

struct polling {
    struct tapir *t;
    int pipe[2];
    int ours;
};

static void *poll_both_kinds(void *arg)
{
    struct polling *w = arg;
    struct pollfd p[2] = { { .fd = w->ours, .events = POLLIN },
                           { .fd = w->pipe[0], .events = POLLIN } };

    must(tapir_poll(p, 2, -1) == 1);
    must(p[1].revents == POLLIN);
    must(p[0].revents == 0);
    return NULL;
}

/* Two calls wait at once, one of them drives: each is woken by its own descriptor. */
static void two_polls_with_kernel_descriptors_do_not_disturb_each_other(void **state)
{
    struct cable cable;
    struct polling w[2];
    pthread_t thread[2];

    cable_up(&cable);
    tapir_use(cable.a);
    for (int i = 0; i < 2; i++) {
        w[i].t = cable.a;
        w[i].ours = tapir_socket(AF_INET, SOCK_DGRAM, 0);
        must(w[i].ours >= 0 && pipe(w[i].pipe) == 0);
        must(pthread_create(&thread[i], NULL, poll_both_kinds, &w[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        must(write(w[i].pipe[1], "x", 1) == 1);
        pthread_join(thread[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        tapir_close(w[i].ours);
        close(w[i].pipe[0]);
        close(w[i].pipe[1]);
    }
    tapir_use(NULL);
    cable_down(&cable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_readable_when_somebody_waits),
        cmocka_unit_test(a_timeout_is_over_in_the_stacks_time),
        cmocka_unit_test(descriptors_of_two_stacks_do_not_mix),
        cmocka_unit_test(numbers_below_zero_are_passed_over),
        cmocka_unit_test(hundreds_of_descriptors_are_fine),
        cmocka_unit_test(one_poll_waits_for_both_kinds),
        cmocka_unit_test(two_polls_with_kernel_descriptors_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
