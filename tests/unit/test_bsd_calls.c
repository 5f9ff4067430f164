#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/hosts.h"

static int new_socket(struct tapir *on, int type)
{
    int fd;

    tapir_use(on);
    fd = tapir_socket(AF_INET, type, 0);
    tapir_use(NULL);
    assert_true(fd >= 0);
    return fd;
}

static void assert_error(int result, int err)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, err);
}

static void an_unknown_kind_of_socket_is_refused_as_by_linux(void **state)
{
    struct hosts h;

    hosts_up(&h, 1, NULL);
    assert_error(tapir_socket(AF_INET6, SOCK_STREAM, 0), EAFNOSUPPORT);
    assert_error(tapir_socket(AF_INET, SOCK_STREAM, 17), EPROTONOSUPPORT);
    hosts_down(&h);
}

static void a_socket_may_be_made_non_blocking(void **state)
{
    struct hosts h;
    char byte;
    int fd;

    hosts_up(&h, 1, NULL);
    fd = new_socket(h.a, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_int_equal(tapir_fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_int_equal(tapir_fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_error((int)tapir_read(fd, &byte, 1), EAGAIN);
    tapir_close(fd);
    hosts_down(&h);
}

static void refuse_program(void *arg)
{
    struct sockaddr_in to = hosts_addr(HOST_B, 81);
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);

    must(tapir_connect(fd, (struct sockaddr *)&to, sizeof to) == -1);
    must(errno == ECONNREFUSED);
    must(tapir_close(fd) == 0);
}

/* RFC 9293 s3.10.7.1: nobody listens, so the SYN is answered by a RST. */
static void connect_to_a_port_that_nobody_has_is_refused(void **state)
{
    struct hosts h;

    hosts_up(&h, 1, NULL);
    sim_spawn(h.a, refuse_program, NULL);
    hosts_run(&h);
    hosts_down(&h);
}

static void a_non_blocking_connect_is_in_progress_and_then_done(void **state)
{
    struct hosts h;
    struct sockaddr_in to = hosts_addr(HOST_B, 80);
    struct pollfd p = { .events = POLLOUT };
    int l, fd;

    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    l = hosts_listen(80);
    fd = new_socket(h.a, SOCK_STREAM | SOCK_NONBLOCK);
    assert_error(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), EINPROGRESS);
    assert_error(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), EALREADY);
    p.fd = fd;
    assert_int_equal(tapir_poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLOUT);
    assert_int_equal(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_error(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), EISCONN);
    tapir_close(fd);
    tapir_close(l);
    hosts_down(&h);
}

static void accept_tells_who_called(void **state)
{
    struct hosts h;
    struct sockaddr_in to = hosts_addr(HOST_B, 80), me = hosts_addr(HOST_A, 4000);
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int l, c, s;

    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    l = hosts_listen(80);
    c = new_socket(h.a, SOCK_STREAM);
    assert_int_equal(tapir_bind(c, (struct sockaddr *)&me, sizeof me), 0);
    assert_int_equal(tapir_connect(c, (struct sockaddr *)&to, sizeof to), 0);
    s = tapir_accept4(l, (struct sockaddr *)&from, &len, SOCK_NONBLOCK);
    assert_true(s >= 0);
    assert_int_equal(len, 16);
    assert_memory_equal(&from, &me, 8);
    assert_int_equal(tapir_fcntl(s, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_error(tapir_accept4(l, NULL, NULL, 1), EINVAL);
    tapir_close(s);
    tapir_close(c);
    tapir_close(l);
    hosts_down(&h);
}

static void accept_on_what_does_not_listen_fails(void **state)
{
    struct hosts h;
    int fd, udp;

    hosts_up(&h, 1, NULL);
    fd = new_socket(h.a, SOCK_STREAM);
    udp = new_socket(h.a, SOCK_DGRAM);
    assert_error(tapir_accept(fd, NULL, NULL), EINVAL);
    assert_error(tapir_accept(udp, NULL, NULL), EOPNOTSUPP);
    assert_error(tapir_listen(udp, 1), EOPNOTSUPP);
    tapir_close(fd);
    tapir_close(udp);
    hosts_down(&h);
}

static void a_port_is_bound_once(void **state)
{
    struct hosts h;
    struct sockaddr_in name = hosts_addr(HOST_A, 80);
    int first, second, l;

    hosts_up(&h, 1, NULL);
    tapir_use(h.a);
    l = hosts_listen(80);
    second = new_socket(h.a, SOCK_STREAM);
    assert_error(tapir_bind(second, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    first = new_socket(h.a, SOCK_DGRAM);
    assert_int_equal(tapir_bind(first, (struct sockaddr *)&name, sizeof name), 0);
    tapir_close(l);
    tapir_close(first);
    tapir_close(second);
    hosts_down(&h);
}

static void shutdown_of_an_unknown_half_is_refused(void **state)
{
    struct hosts h;
    int fd;

    hosts_up(&h, 1, NULL);
    fd = new_socket(h.a, SOCK_STREAM);
    assert_error(tapir_shutdown(fd, 3), EINVAL);
    assert_error(tapir_shutdown(fd, SHUT_WR), ENOTCONN);
    tapir_close(fd);
    hosts_down(&h);
}

/* RFC 9293 s3.6: who closed one half still reads the other. */
static void half_a_connection_can_be_closed(void **state)
{
    struct hosts h;
    char buf[8];
    int l, c, s;

    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    s = tapir_accept(l, NULL, NULL);
    assert_int_equal(tapir_write(c, "ask", 3), 3);
    assert_int_equal(tapir_shutdown(c, SHUT_WR), 0);
    assert_error((int)tapir_write(c, "x", 1), EPIPE);
    assert_int_equal(hosts_read(s, buf, sizeof buf), 3);
    assert_int_equal(tapir_write(s, "answer", 6), 6);
    tapir_close(s);
    assert_int_equal(hosts_read(c, buf, sizeof buf), 6);
    tapir_close(c);
    tapir_close(l);
    hosts_down(&h);
}

static void connect_gives_up_after_the_send_timeout(void **state)
{
    struct hosts h;
    struct sockaddr_in to = hosts_addr(HOST_B, 80);
    struct timeval tv = { 0, 300000 };
    int fd;

    /* The SYN is lost: 300 ms are over before it is sent again (RFC 6298 s2.1). */
    hosts_up(&h, 1, "delay 10ms drop syn:1");
    fd = new_socket(h.a, SOCK_STREAM);
    assert_int_equal(tapir_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
    assert_error(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), EINPROGRESS);
    assert_int_equal(sim_now(h.sim), 300000);
    /* It goes on all the same, as on Linux: who connects again waits for that. */
    assert_error(tapir_connect(fd, (struct sockaddr *)&to, sizeof to), EALREADY);
    assert_int_equal(sim_now(h.sim), 600000);
    tapir_close(fd);
    hosts_down(&h);
}

static void linger_program(void *arg)
{
    static const char text[50000];
    struct linger on = { 1, 10 };
    int fd = hosts_connect(HOST_B, 80);
    int64_t began;

    must(tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof on) == 0);
    hosts_write(fd, text, sizeof text);
    began = tapir_now();
    must(tapir_close(fd) == 0);
    *(int64_t *)arg = tapir_now() - began;
}

static void read_all_program(void *arg)
{
    char buf[5000];
    int l = hosts_listen(80), fd = tapir_accept(l, NULL, NULL);

    must(fd >= 0);
    while (tapir_read(fd, buf, sizeof buf) > 0)
        continue;
    must(tapir_close(fd) == 0);
    must(tapir_close(l) == 0);
}

static void close_with_a_linger_time_waits_until_all_is_acknowledged(void **state)
{
    struct hosts h;
    int64_t took = 0;

    hosts_up(&h, 1, "delay 100ms");
    sim_spawn(h.b, read_all_program, NULL);
    sim_spawn(h.a, linger_program, &took);
    hosts_run(&h);
    /* 50,000 bytes are three flights of a window of ten segments: 200 ms each. */
    assert_in_range(took, 400000, 1000000);
    hosts_down(&h);
}

static void mute_program(void *arg)
{
    int fd = hosts_connect(HOST_B, 80);
    struct linger on = { 1, 3 };
    int64_t began = tapir_now();

    must(tapir_setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof on) == 0);
    must(tapir_write(fd, "lost", 4) == 4);
    must(tapir_close(fd) == 0);
    *(int64_t *)arg = tapir_now() - began;
}

static void a_linger_time_ends(void **state)
{
    struct hosts h;
    int64_t took = 0;
    int l;

    /* All of the client's text is lost, however often it is sent. */
    hosts_up(&h, 1, "delay 10ms drop out:data:1,2,3,4,5,6,7,8,9");
    tapir_use(h.b);
    l = hosts_listen(80);
    sim_spawn(h.a, mute_program, &took);
    hosts_run(&h);
    assert_int_equal(took, 3000000);
    tapir_use(NULL);
    tapir_close(l);
    hosts_down(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_kind_of_socket_is_refused_as_by_linux),
        cmocka_unit_test(a_socket_may_be_made_non_blocking),
        cmocka_unit_test(connect_to_a_port_that_nobody_has_is_refused),
        cmocka_unit_test(a_non_blocking_connect_is_in_progress_and_then_done),
        cmocka_unit_test(accept_tells_who_called),
        cmocka_unit_test(accept_on_what_does_not_listen_fails),
        cmocka_unit_test(a_port_is_bound_once),
        cmocka_unit_test(shutdown_of_an_unknown_half_is_refused),
        cmocka_unit_test(half_a_connection_can_be_closed),
        cmocka_unit_test(connect_gives_up_after_the_send_timeout),
        cmocka_unit_test(close_with_a_linger_time_waits_until_all_is_acknowledged),
        cmocka_unit_test(a_linger_time_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
