#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "harness/hosts.h"

static int no_stack_is_no_network(void)
{
    errno = 0;
    return tapir_socket(AF_INET, SOCK_STREAM, 0);
}

static void without_a_stack_there_is_no_socket(void **state)
{
    assert_int_equal(no_stack_is_no_network(), -1);
    assert_int_equal(errno, ENETDOWN);
}

static void a_descriptor_is_the_lowest_number_that_is_free(void **state)
{
    struct hosts h;
    int kernel, first, second;

    hosts_up(&h, 1, NULL);
    first = tapir_socket(AF_INET, SOCK_STREAM, 0);
    kernel = open("/dev/null", O_RDWR);
    second = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(first >= 0 && first < FD_SETSIZE);
    assert_true(kernel != first && second > kernel);
    assert_int_equal(tapir_close(first), 0);
    assert_int_equal(dup(kernel), first);
    close(first);
    close(kernel);
    assert_int_equal(tapir_close(second), 0);
    hosts_down(&h);
}

static void the_kernel_does_nothing_with_our_numbers(void **state)
{
    struct hosts h;
    char byte;
    int fd;

    hosts_up(&h, 1, NULL);
    fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(read(fd, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    tapir_close(fd);
    hosts_down(&h);
}

static void numbers_that_are_not_ours_go_to_the_kernel(void **state)
{
    struct hosts h;
    int end[2];
    char byte = 0;

    hosts_up(&h, 1, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
    assert_int_equal(tapir_write(end[0], "x", 1), 1);
    assert_int_equal(tapir_read(end[1], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(tapir_send(end[0], "y", 1, 0), 1);
    assert_int_equal(tapir_recv(end[1], &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(tapir_fcntl(end[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(tapir_fcntl(end[0], F_GETFL) & O_NONBLOCK);
    assert_int_equal(tapir_close(end[0]), 0);
    assert_int_equal(tapir_close(end[1]), 0);
    assert_int_equal(tapir_close(end[1]), -1);
    assert_int_equal(errno, EBADF);
    hosts_down(&h);
}

static void a_closed_descriptor_is_no_descriptor(void **state)
{
    struct hosts h;
    char byte;
    int fd;

    hosts_up(&h, 1, NULL);
    fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(tapir_close(fd), 0);
    assert_int_equal(tapir_read(fd, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(tapir_close(fd), -1);
    assert_int_equal(errno, EBADF);
    hosts_down(&h);
}

static void the_first_stack_is_the_default_and_use_chooses_another(void **state)
{
    struct hosts h;
    struct sockaddr_in name = hosts_addr(HOST_B, 5);
    int fd;

    hosts_up(&h, 1, NULL);
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_bind(fd, (struct sockaddr *)&name, sizeof name), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    tapir_close(fd);
    assert_null(tapir_use(h.b));
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_ptr_equal(tapir_use(NULL), h.b);
    tapir_close(fd);
    hosts_down(&h);
}

static void what_was_left_open_is_closed_with_the_stack(void **state)
{
    struct hosts h;
    int fd;

    hosts_up(&h, 1, NULL);
    fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    hosts_down(&h);
    assert_int_equal(tapir_close(fd), -1);
    assert_int_equal(errno, EBADF);
}

static void a_thousand_descriptors_are_a_thousand_numbers(void **state)
{
    enum { N = 900 };
    struct hosts h;
    int fd[N];

    hosts_up(&h, 1, NULL);
    for (int i = 0; i < N; i++) {
        fd[i] = tapir_socket(AF_INET, SOCK_STREAM, 0);
        assert_true(fd[i] >= 0);
        if (i > 0)
            assert_true(fd[i] > fd[i - 1]);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(tapir_close(fd[i]), 0);
    hosts_down(&h);
}

/* ---- more descriptors than the process may have ---- */

static struct rlimit before;

/* A host that may have many, in a process that may have 40. */
static void up_with_few(struct hosts *h, bool many)
{
    struct tapir_config config = { .many = many };
    struct rlimit few;

    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){ .rlim_cur = 40, .rlim_max = before.rlim_max };
    must(setrlimit(RLIMIT_NOFILE, &few) == 0);
    hosts_up_with(h, 1, NULL, &config);
    tapir_use(h->a);
}

static void down_with_few(struct hosts *h)
{
    tapir_use(NULL);
    setrlimit(RLIMIT_NOFILE, &before);
    hosts_down(h);
}

static void a_process_may_have_as_many_as_its_limit_says(void **state)
{
    struct hosts h;
    int n = 0;

    up_with_few(&h, false);
    while (tapir_socket(AF_INET, SOCK_STREAM, 0) >= 0)
        n++;
    assert_int_equal(errno, EMFILE);
    assert_true(n > 20 && n < 40);
    down_with_few(&h);
}

static void a_stack_with_many_goes_on_with_numbers_of_its_own(void **state)
{
    struct hosts h;
    int fd[200], own = 0, file;

    up_with_few(&h, true);
    for (int i = 0; i < 200; i++) {
        fd[i] = tapir_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        assert_true(fd[i] >= 0 && (fd[i] < 40 || fd[i] >= 1073741824));
        own += fd[i] >= 1073741824;
    }
    assert_int_equal(own, 180); /* the rest is half of 40 */
    file = open("/dev/null", O_RDONLY);
    assert_true(file >= 0);
    close(file);
    for (int i = 0; i < 200; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(fd[i], fd[k]);
    for (int i = 0; i < 200; i++)
        assert_int_equal(tapir_close(fd[i]), 0);
    assert_int_equal(tapir_close(fd[199]), -1);
    assert_int_equal(errno, EBADF);
    down_with_few(&h);
}

/* Every call takes such a number; 21 sockets are one more than have a low one. */
static void a_number_of_our_own_is_a_descriptor(void **state)
{
    struct sockaddr_in me = hosts_addr(HOST_A, 7);
    struct epoll_event e = { .events = EPOLLIN };
    struct pollfd p = { .events = POLLIN };
    struct hosts h;
    int fd = -1, set;
    char byte;

    up_with_few(&h, true);
    set = tapir_epoll_create1(0);
    for (int i = 0; i < 21; i++)
        fd = p.fd = tapir_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 1073741824);
    assert_int_equal(tapir_fcntl(fd, F_GETFD), 1);
    assert_int_equal(tapir_fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    must(tapir_bind(fd, (struct sockaddr *)&me, sizeof me) == 0);
    must(tapir_connect(fd, (struct sockaddr *)&me, sizeof me) == 0);
    must(tapir_epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0);
    assert_int_equal(tapir_write(fd, "x", 1), 1);
    assert_int_equal(tapir_poll(&p, 1, 0), 1);
    assert_int_equal(tapir_epoll_wait(set, &e, 1, 0), 1);
    assert_int_equal(tapir_read(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    down_with_few(&h);
}

/* A free number is used again, though not before the others had their turn. */
static void numbers_of_our_own_do_not_run_out(void **state)
{
    struct hosts h;
    int fd, most = 0;

    up_with_few(&h, true);
    for (int i = 0; i < 25; i++)
        must(tapir_socket(AF_INET, SOCK_DGRAM, 0) >= 0);
    for (int i = 0; i < 1000; i++) {
        fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
        must(fd >= 1073741824 && tapir_close(fd) == 0);
        most = fd > most ? fd : most;
    }
    assert_true(most < 1073741824 + 64);
    down_with_few(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_stack_there_is_no_socket),
        cmocka_unit_test(a_descriptor_is_the_lowest_number_that_is_free),
        cmocka_unit_test(the_kernel_does_nothing_with_our_numbers),
        cmocka_unit_test(numbers_that_are_not_ours_go_to_the_kernel),
        cmocka_unit_test(a_closed_descriptor_is_no_descriptor),
        cmocka_unit_test(the_first_stack_is_the_default_and_use_chooses_another),
        cmocka_unit_test(what_was_left_open_is_closed_with_the_stack),
        cmocka_unit_test(a_thousand_descriptors_are_a_thousand_numbers),
        cmocka_unit_test(a_process_may_have_as_many_as_its_limit_says),
        cmocka_unit_test(a_stack_with_many_goes_on_with_numbers_of_its_own),
        cmocka_unit_test(a_number_of_our_own_is_a_descriptor),
        cmocka_unit_test(numbers_of_our_own_do_not_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
