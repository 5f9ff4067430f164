#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/port.h"
#include "net/net.h"

static struct tapir_error error;

static void a_link_is_told_by_its_word(void **state)
{
    struct port_setup out = { .fd = -1 };

    assert_int_equal(port_parse("tap:blue", &out, &error), 0);
    assert_int_equal(out.kind, PORT_TAP);
    assert_string_equal(out.name, "blue");
    assert_int_equal(port_parse("fd:17", &out, &error), 0);
    assert_int_equal(out.kind, PORT_FD);
    assert_int_equal(out.fd, 17);
    assert_int_equal(port_parse("unix:/run/x", &out, &error), 0);
    assert_int_equal(out.kind, PORT_UNIX);
    assert_string_equal(out.name, "/run/x");
    assert_int_equal(port_parse("ns", &out, &error), -ENOENT);
    assert_int_equal(port_parse("", &out, &error), -ENOENT);
}

static void what_no_link_can_be_is_refused_with_a_fix(void **state)
{
    char path[5 + 108 + 1] = "unix:";
    const struct {
        const char *link, *cause;
    } row[] = {
        { "tap:", "1 to 15" },   { "tap:abcdefghijklmnop", "1 to 15" },
        { "fd:", "number" },     { "fd:-1", "number" },
        { "fd:3x", "number" },   { "fd:2147483648", "number" },
        { "unix:", "1 to 107" }, { path, "1 to 107" },
    };
    struct port_setup out;

    memset(path + 5, 'x', 107);
    assert_int_equal(port_parse(path, &out, &error), 0);
    path[5 + 107] = 'x';
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(port_parse(row[i].link, &out, &error), -EINVAL);
        assert_non_null(strstr(error.cause, row[i].cause));
        assert_true(error.fix[0] != '\0');
    }
}

static struct tapir_error refused(int fd, int err)
{
    struct port_setup setup = { .kind = PORT_FD, .fd = fd, .mtu = 1500 };

    errno = 0;
    assert_null(port_open(&setup, &error));
    assert_int_equal(errno, err);
    assert_true(error.what[0] && error.cause[0] && error.fix[0]);
    return error;
}

static void a_descriptor_that_is_no_link_is_refused_and_stays_open(void **state)
{
    int datagrams[2], file, alone;

    assert_non_null(strstr(refused(987, EBADF).cause, "no descriptor 987 open"));
    file = open("/dev/null", O_RDWR);
    assert_non_null(strstr(refused(file, EINVAL).cause, "neither an attached TAP"));
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams), 0);
    assert_non_null(strstr(refused(datagrams[0], EINVAL).cause, "no stream"));
    alone = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_non_null(strstr(refused(alone, EINVAL).cause, "not connected"));
    assert_int_equal(close(file), 0);
    assert_int_equal(close(datagrams[0]), 0);
    assert_int_equal(close(datagrams[1]), 0);
    assert_int_equal(close(alone), 0);
}

static void an_inherited_stream_is_a_port_until_it_is_closed(void **state)
{
    static const uint8_t wire[4 + 14] = { 0, 0, 0, 14, 1, 2, 3 };
    struct port_setup setup = { .kind = PORT_FD, .mtu = 1500 };
    struct net net = { 0 };
    struct port *port;
    struct pkt *p;
    int pair[2];
    char end;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    setup.fd = pair[0];
    port = port_open(&setup, &error);
    assert_non_null(port);
    pkt_pool_init(&net.pool, 1 << 20, 0);
    port->net = &net;
    assert_int_equal(port->fd, pair[0]);
    assert_int_equal(port->link.caps, 0);
    assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(pair[1], wire, sizeof wire), sizeof wire);
    assert_int_equal(port->ops->read(port, &net.pool, &p), 1);
    assert_int_equal(p->len, 14);
    assert_memory_equal(p->data, wire + 4, 14);
    pkt_free(p);
    port_close(port);
    port_close(NULL);
    assert_int_equal(read(pair[1], &end, 1), 0);
    close(pair[1]);
    assert_int_equal(net.pool.live, 0);
    pkt_pool_free(&net.pool);
}

static void the_first_reason_of_a_death_is_kept(void **state)
{
    struct port port = { .dead = false };

    port_die(&port, "tap%d was deleted", 3);
    port_die(&port, "something else");
    assert_true(port.dead);
    assert_string_equal(port.why, "tap3 was deleted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_told_by_its_word),
        cmocka_unit_test(what_no_link_can_be_is_refused_with_a_fix),
        cmocka_unit_test(a_descriptor_that_is_no_link_is_refused_and_stays_open),
        cmocka_unit_test(an_inherited_stream_is_a_port_until_it_is_closed),
        cmocka_unit_test(the_first_reason_of_a_death_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
