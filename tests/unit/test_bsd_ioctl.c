#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/hosts.h"

/* Linux's numbers. */
enum {
    INQ = 0x541b,
    OUTQ = 0x5411,
    OUTQNSD = 0x894b,
    ATMARK = 0x8905,
    NBIO = 0x5421,
};

static struct hosts h;
static int l, c, s; /* listener and server on b, client on a: connected */

static int connected(void **state)
{
    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    s = tapir_accept(l, NULL, NULL);
    return s < 0;
}

static int down(void **state)
{
    tapir_use(NULL);
    tapir_close(c);
    tapir_close(s);
    tapir_close(l);
    hosts_down(&h);
    return 0;
}

static void assert_error(int result, int err)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, err);
}

static int ask(int fd, unsigned long request)
{
    int n = -1;

    assert_int_equal(tapir_ioctl(fd, request, &n), 0);
    return n;
}

static void bytes_that_can_be_read_are_counted(void **state)
{
    char buf[2];

    assert_int_equal(ask(s, INQ), 0);
    tapir_write(c, "hello", 5);
    tapir_sleep(100000);
    assert_int_equal(ask(s, INQ), 5);
    tapir_read(s, buf, 2);
    assert_int_equal(ask(s, INQ), 3);
    tapir_shutdown(c, SHUT_WR);
    tapir_sleep(100000);
    assert_int_equal(ask(s, INQ), 3);
}

/* tcp(7): SIOCOUTQ is what is not acknowledged, which on Linux counts the FIN. */
static void bytes_that_are_not_acknowledged_are_counted(void **state)
{
    assert_int_equal(ask(c, OUTQ), 0);
    tapir_write(c, "hello", 5);
    assert_int_equal(ask(c, OUTQ), 5);
    assert_int_equal(ask(c, OUTQNSD), 0);
    tapir_shutdown(c, SHUT_WR);
    assert_int_equal(ask(c, OUTQ), 6);
    tapir_sleep(1000000);
    assert_int_equal(ask(c, OUTQ), 0);
}

/* Ten segments leave at once (RFC 6928); the rest was not sent. */
static void bytes_that_were_not_sent_are_counted(void **state)
{
    static const char text[20000];

    assert_int_equal(tapir_write(c, text, sizeof text), 20000);
    assert_int_equal(ask(c, OUTQ), 20000);
    assert_int_equal(ask(c, OUTQNSD), 20000 - 10 * 1448);
}

static void a_listener_is_not_asked(void **state)
{
    int n;

    assert_error(tapir_ioctl(l, INQ, &n), EINVAL);
    assert_error(tapir_ioctl(l, OUTQ, &n), EINVAL);
    assert_error(tapir_ioctl(l, OUTQNSD, &n), EINVAL);
    assert_int_equal(ask(l, ATMARK), 0);
}

static void a_fresh_socket_has_nothing(void **state)
{
    int fresh = tapir_socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(ask(fresh, INQ), 0);
    assert_int_equal(ask(fresh, OUTQ), 0);
    assert_int_equal(ask(fresh, OUTQNSD), 0);
    tapir_close(fresh);
}

/* udp(7): the size of the next pending datagram. */
static void of_datagrams_the_next_one_is_counted(void **state)
{
    struct sockaddr_in to = hosts_addr(HOST_B, 7);
    int in, out = tapir_socket(AF_INET, SOCK_DGRAM, 0), n;

    tapir_use(h.b);
    in = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    tapir_bind(in, (struct sockaddr *)&to, sizeof to);
    assert_int_equal(ask(in, INQ), 0);
    tapir_sendto(out, "three", 3, 0, (void *)&to, sizeof to);
    tapir_sendto(out, "seven..", 7, 0, (void *)&to, sizeof to);
    tapir_sleep(100000);
    assert_int_equal(ask(in, INQ), 3);
    assert_int_equal(ask(out, OUTQ), 0);
    assert_error(tapir_ioctl(in, OUTQNSD, &n), ENOTTY);
    assert_error(tapir_ioctl(in, ATMARK, &n), ENOTTY);
    tapir_close(in);
    tapir_close(out);
}

static void fionbio_makes_a_descriptor_non_blocking_and_blocking(void **state)
{
    int on = 1, off = 0;
    char byte;

    assert_int_equal(tapir_ioctl(s, NBIO, &on), 0);
    assert_int_equal(tapir_fcntl(s, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_error((int)tapir_read(s, &byte, 1), EAGAIN);
    assert_int_equal(tapir_ioctl(s, NBIO, &off), 0);
    assert_int_equal(tapir_fcntl(s, F_GETFL) & O_NONBLOCK, 0);
}

static void what_no_socket_knows_is_not_a_terminal(void **state)
{
    int set = tapir_epoll_create1(0), n;

    assert_error(tapir_ioctl(c, 0x1234, &n), ENOTTY);
    assert_error(tapir_ioctl(c, INQ, NULL), EFAULT);
    assert_error(tapir_ioctl(c, NBIO, NULL), EFAULT);
    assert_error(tapir_ioctl(set, INQ, &n), EINVAL);
    assert_error(tapir_ioctl(set, OUTQ, &n), ENOTTY);
    tapir_close(set);
}

static void a_number_of_the_kernels_is_asked_of_the_kernel(void **state)
{
    int end[2];

    assert_int_equal(pipe(end), 0);
    assert_int_equal(write(end[1], "abc", 3), 3);
    assert_int_equal(ask(end[0], INQ), 3);
    close(end[0]);
    close(end[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connected, down)
    const struct CMUnitTest tests[] = {
        TEST(bytes_that_can_be_read_are_counted),
        TEST(bytes_that_are_not_acknowledged_are_counted),
        TEST(bytes_that_were_not_sent_are_counted),
        TEST(a_listener_is_not_asked),
        TEST(a_fresh_socket_has_nothing),
        TEST(of_datagrams_the_next_one_is_counted),
        TEST(fionbio_makes_a_descriptor_non_blocking_and_blocking),
        TEST(what_no_socket_knows_is_not_a_terminal),
        TEST(a_number_of_the_kernels_is_asked_of_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
