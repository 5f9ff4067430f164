#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "harness/hosts.h"

static struct hosts h;
static int fd;

static int up(void **state)
{
    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0;
}

static int down(void **state)
{
    tapir_use(NULL);
    tapir_close(fd);
    hosts_down(&h);
    return 0;
}

static void assert_error(int result, int err)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, err);
}

static void an_option_that_is_set_is_read_back(void **state)
{
    int one = 1, value = 0;
    socklen_t len = sizeof value;

    assert_int_equal(tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one),
                     0);
    assert_int_equal(tapir_getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    assert_int_equal(value, 1);
    assert_int_equal(len, 4);
    assert_int_equal(tapir_getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len), 0);
    assert_int_equal(value, 1);
}

static void an_option_that_is_not_built_is_refused(void **state)
{
    int one = 1;
    socklen_t len = sizeof one;

    assert_error(tapir_setsockopt(fd, SOL_SOCKET, 9999, &one, sizeof one), ENOPROTOOPT);
    assert_error(tapir_getsockopt(fd, SOL_SOCKET, 9999, &one, &len), ENOPROTOOPT);
}

static void no_memory_is_a_bad_address(void **state)
{
    struct sockaddr_in name;
    socklen_t len = sizeof name;

    assert_error(tapir_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, 4), EFAULT);
    assert_error(tapir_getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, &len), EFAULT);
    assert_error(tapir_getsockname(fd, NULL, &len), EFAULT);
    assert_error(tapir_getpeername(fd, (struct sockaddr *)&name, NULL), EFAULT);
}

static void names_are_told(void **state)
{
    struct sockaddr_in want = hosts_addr(HOST_A, 4000), name;
    socklen_t len = sizeof name;

    assert_int_equal(tapir_bind(fd, (struct sockaddr *)&want, sizeof want), 0);
    assert_int_equal(tapir_getsockname(fd, (struct sockaddr *)&name, &len), 0);
    assert_memory_equal(&name, &want, 8);
    assert_error(tapir_getpeername(fd, (struct sockaddr *)&name, &len), ENOTCONN);
}

static void flags_of_the_descriptor_are_its_own(void **state)
{
    assert_int_equal(tapir_fcntl(fd, F_GETFL), O_RDWR);
    assert_int_equal(tapir_fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(tapir_fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_int_equal(tapir_fcntl(fd, F_GETFD), 0);
    assert_int_equal(tapir_fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(tapir_fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_error(tapir_fcntl(fd, F_DUPFD, 0), EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(an_option_that_is_set_is_read_back),
        TEST(an_option_that_is_not_built_is_refused),
        TEST(no_memory_is_a_bad_address),
        TEST(names_are_told),
        TEST(flags_of_the_descriptor_are_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
