#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/hosts.h"

enum { SIZE = 1000000 };

static struct hosts h;
static int file;  /* of SIZE bytes, open for reading at byte 0 */
static char *got; /* what host b has read */
static size_t got_len;
static off_t offset;

static char byte_at(size_t i)
{
    return (char)(i * 7 + i / 251);
}

static int up(void **state)
{
    char name[] = "/tmp/tapir-sendfile-XXXXXX";
    char *bytes = malloc(SIZE);

    hosts_up(&h, 1, NULL);
    file = mkstemp(name);
    unlink(name);
    got = calloc(2, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = byte_at(i);
    if (file < 0 || write(file, bytes, SIZE) != SIZE)
        return -1;
    free(bytes);
    return lseek(file, 0, SEEK_SET) != 0;
}

static int down(void **state)
{
    free(got);
    close(file);
    hosts_down(&h);
    return 0;
}

/* Host b: all that comes on one connection. */
static void reader(void *arg)
{
    int l = hosts_listen(80), s = tapir_accept(l, NULL, NULL);

    got_len = hosts_read(s, got, 2 * (size_t)SIZE);
    must(tapir_close(s) == 0);
    must(tapir_close(l) == 0);
}

static void run(void (*sender)(void *))
{
    must(sim_spawn(h.b, reader, NULL) == 0);
    must(sim_spawn(h.a, sender, NULL) == 0);
    hosts_run(&h);
}

static void assert_got(size_t from, size_t len)
{
    assert_int_equal(got_len, len);
    for (size_t i = 0; i < len; i++)
        if (got[i] != byte_at(from + i))
            fail_msg("byte %zu differs", i);
}

/* More is asked for than there is: the file's end ends it. */
static void send_whole(void *arg)
{
    int fd = hosts_connect(HOST_B, 80);

    must(tapir_sendfile(fd, file, NULL, 2000000) == 1000000);
    must(lseek(file, 0, SEEK_CUR) == 1000000);
    must(tapir_sendfile(fd, file, NULL, 2000000) == 0);
    must(tapir_close(fd) == 0);
}

static void a_file_goes_from_where_it_stands_and_stands_behind(void **state)
{
    run(send_whole);
    assert_got(0, 1000000);
}

static void send_part(void *arg)
{
    int fd = hosts_connect(HOST_B, 80);

    offset = 1000;
    must(tapir_sendfile(fd, file, &offset, 300000) == 300000);
    must(offset == 301000);
    must(lseek(file, 0, SEEK_CUR) == 0);
    must(tapir_sendfile(fd, file, &offset, 0) == 0);
    must(tapir_close(fd) == 0);
}

static void with_an_offset_the_file_stays_where_it_stands(void **state)
{
    run(send_part);
    assert_got(1000, 300000);
}

/* As much as there is room for, then EAGAIN, and the offset says how far. */
static void send_in_turns(void *arg)
{
    int fd = hosts_connect(HOST_B, 80);
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int refused = 0, small = 50000;

    must(tapir_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    must(tapir_fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    offset = 0;
    while (offset < SIZE) {
        off_t before = offset;
        ssize_t n = tapir_sendfile(fd, file, &offset, SIZE);
        must(n > 0 ? offset == before + n : errno == EAGAIN && offset == before);
        refused += n < 0;
        must(n > 0 || tapir_poll(&p, 1, -1) == 1);
    }
    must(refused > 0);
    must(tapir_close(fd) == 0);
}

static void a_socket_that_does_not_wait_takes_what_fits(void **state)
{
    run(send_in_turns);
    assert_got(0, 1000000);
}

/* RFC 7413: connect() leaves the SYN to the first text. */
static void open_with_it(void *arg)
{
    int fd = tapir_socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in to = hosts_addr(HOST_B, 80);

    must(tapir_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0);
    must(tapir_connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    must(tapir_sendfile(fd, file, NULL, 300000) == 300000);
    must(tapir_close(fd) == 0);
}

static void a_connection_that_waits_for_text_opens_with_the_file(void **state)
{
    run(open_with_it);
    assert_got(0, 300000);
}

static void refuse(int out, int in, int err)
{
    must(tapir_sendfile(out, in, NULL, 10) == -1);
    must(errno == err);
}

static void send_wrongly(void *arg)
{
    int fd = hosts_connect(HOST_B, 80), end[2];
    int blind = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int fresh = tapir_socket(AF_INET, SOCK_STREAM, 0);

    must(pipe(end) == 0);
    refuse(fd, end[0], EINVAL);
    refuse(fd, fresh, EINVAL);
    refuse(fd, blind, EBADF);
    refuse(fd, -1, EBADF);
    refuse(-1, file, EBADF);
    refuse(fresh, file, EPIPE);
    offset = -1;
    must(tapir_sendfile(fd, file, &offset, 10) == -1 && errno == EINVAL);
    /* The kernel's own are the kernel's. */
    offset = 0;
    must(tapir_sendfile(end[1], file, &offset, 10) == 10 && offset == 10);
    must(close(end[0]) == 0 && close(end[1]) == 0 && close(blind) == 0);
    must(tapir_close(fresh) == 0);
    must(tapir_close(fd) == 0);
}

static void what_is_no_file_or_no_socket_is_refused(void **state)
{
    run(send_wrongly);
    assert_int_equal(got_len, 0);
}

#define IN_SIM(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SIM(a_file_goes_from_where_it_stands_and_stands_behind),
        IN_SIM(with_an_offset_the_file_stays_where_it_stands),
        IN_SIM(a_socket_that_does_not_wait_takes_what_fits),
        IN_SIM(a_connection_that_waits_for_text_opens_with_the_file),
        IN_SIM(what_is_no_file_or_no_socket_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
