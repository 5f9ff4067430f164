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

static void assert_error(ssize_t result, int err)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, err);
}

static void a_read_returns_what_there_is(void **state)
{
    char buf[100];

    assert_int_equal(tapir_write(c, "hello", 5), 5);
    assert_int_equal(tapir_read(s, buf, sizeof buf), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(tapir_write(c, "again", 5), 5);
    assert_int_equal(tapir_read(s, buf, 2), 2);
    assert_int_equal(tapir_read(s, buf, sizeof buf), 3);
}

static void at_the_end_a_read_is_zero_again_and_again(void **state)
{
    char byte;

    tapir_shutdown(c, SHUT_WR);
    assert_int_equal(tapir_read(s, &byte, 1), 0);
    assert_int_equal(tapir_read(s, &byte, 1), 0);
}

static void pieces_are_written_and_read_in_order(void **state)
{
    char one[3], two[4], three[10];
    struct iovec out[] = { { (char[]){ "ab" }, 2 },
                           { NULL, 0 },
                           { (char[]){ "cdef" }, 4 } };
    struct iovec in[] = { { one, 3 }, { two, 4 }, { three, 10 } };

    assert_int_equal(tapir_writev(c, out, 3), 6);
    assert_int_equal(tapir_readv(s, in, 3), 6);
    assert_memory_equal(one, "abc", 3);
    assert_memory_equal(two, "def", 3);
}

static void more_pieces_than_are_handed_on_at_once_arrive_whole(void **state)
{
    char text[300], buf[300];
    struct iovec out[300];

    for (int i = 0; i < 300; i++) {
        text[i] = (char)i;
        out[i] = (struct iovec){ &text[i], 1 };
    }
    assert_int_equal(tapir_writev(c, out, 300), 300);
    assert_int_equal(hosts_read(s, buf, 300), 300);
    assert_memory_equal(buf, text, 300);
}

static void a_list_of_pieces_that_is_wrong_is_refused(void **state)
{
    struct iovec iov[2] = { { NULL, SIZE_MAX / 2 }, { NULL, SIZE_MAX / 2 } };

    assert_error(tapir_writev(c, iov, -1), EINVAL);
    assert_error(tapir_readv(c, iov, 1025), EINVAL);
    assert_error(tapir_writev(c, iov, 2), EINVAL);
}

static void text_to_or_from_nowhere_is_refused(void **state)
{
    struct iovec iov[] = { { (char[]){ "ab" }, 2 }, { NULL, 1 } };

    assert_error(tapir_write(c, NULL, 1), EFAULT);
    assert_error(tapir_send(c, NULL, 1, 0), EFAULT);
    assert_error(tapir_writev(c, iov, 2), EFAULT);
    assert_int_equal(tapir_write(c, NULL, 0), 0);
    assert_int_equal(tapir_write(c, "abc", 3), 3);
    assert_error(tapir_read(s, NULL, 1), EFAULT);
    assert_error(tapir_recv(s, NULL, 1, MSG_PEEK), EFAULT);
    assert_error(tapir_readv(s, iov, 2), EFAULT);
    assert_int_equal(tapir_recv(s, NULL, 3, MSG_TRUNC), 3);
}

static void peeked_text_stays(void **state)
{
    char buf[8] = "";

    tapir_write(c, "text", 4);
    assert_int_equal(tapir_recv(s, buf, 2, MSG_PEEK), 2);
    assert_int_equal(tapir_recv(s, buf, 8, 0), 4);
    assert_memory_equal(buf, "text", 4);
}

static void one_call_may_be_non_blocking(void **state)
{
    char byte;

    assert_error(tapir_recv(s, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* recv(2): the error queue is always empty, and so is the urgent byte's place. */
static void flags_that_are_not_built_are_refused(void **state)
{
    char byte;

    tapir_write(c, "x", 1);
    assert_error(tapir_recv(s, &byte, 1, MSG_OOB), EINVAL);
    assert_error(tapir_recv(s, &byte, 1, MSG_ERRQUEUE), EAGAIN);
    assert_error(tapir_send(s, "x", 1, MSG_DONTROUTE), EOPNOTSUPP);
    assert_int_equal(tapir_send(s, "x", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(tapir_recv(s, &byte, 1, MSG_CMSG_CLOEXEC), 1);
}

/* What b's program "server" reads with MSG_WAITALL while a's writes in parts. */
static void write_in_parts(void *fd)
{
    int to = *(int *)fd;

    hosts_write(to, "0123", 4);
    tapir_sleep(1000000);
    hosts_write(to, "456", 3);
    tapir_sleep(1000000);
    hosts_write(to, "789", 3);
    tapir_shutdown(to, SHUT_WR);
}

static ssize_t wanted;
static char whole[16];

static void read_all_of_eight(void *flags)
{
    wanted = tapir_recv(s, whole, 8, *(int *)flags);
}

static void run_parts_and(void (*program)(void *), int flags)
{
    sim_spawn(h.a, write_in_parts, &c);
    sim_spawn(h.b, program, &flags);
    hosts_run(&h);
}

/* recv(2): until the whole request is satisfied. */
static void waiting_for_all_takes_what_comes_until_it_is_all(void **state)
{
    char rest[8];

    run_parts_and(read_all_of_eight, MSG_WAITALL);
    assert_int_equal(wanted, 8);
    assert_memory_equal(whole, "01234567", 8);
    assert_int_equal(tapir_recv(s, rest, 8, MSG_WAITALL), 2); /* the end */
    assert_int_equal(tapir_recv(s, rest, 8, MSG_WAITALL), 0);
}

static void waiting_for_all_and_peeking_leaves_it_there(void **state)
{
    run_parts_and(read_all_of_eight, MSG_WAITALL | MSG_PEEK);
    assert_int_equal(wanted, 8);
    assert_memory_equal(whole, "01234567", 8);
    assert_int_equal(tapir_recv(s, whole, 16, 0), 10);
}

static void waiting_for_all_without_waiting_takes_what_there_is(void **state)
{
    tapir_write(c, "abc", 3);
    tapir_sleep(100000);
    assert_int_equal(tapir_recv(s, whole, 8, MSG_WAITALL | MSG_DONTWAIT), 3);
}

/* The error is the next call's, as tcp_recvmsg() leaves it. */
static void waiting_for_all_ends_at_a_reset_with_what_came(void **state)
{
    struct linger now = { 1, 0 };

    tapir_write(c, "abc", 3);
    tapir_setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    tapir_sleep(100000);
    assert_int_equal(tapir_recv(s, whole, 1, 0), 1);
    tapir_close(c);
    assert_int_equal(tapir_recv(s, whole, 8, MSG_WAITALL), 2);
    assert_error(tapir_recv(s, whole, 8, MSG_WAITALL), ECONNRESET);
}

/* tcp(7): MSG_TRUNC of a stream throws the bytes away. */
static void text_of_a_stream_can_be_thrown_away(void **state)
{
    tapir_write(c, "0123456789", 10);
    tapir_sleep(100000);
    whole[0] = 'x';
    assert_int_equal(tapir_recv(s, whole, 4, MSG_TRUNC | MSG_PEEK), 4);
    assert_int_equal(tapir_recv(s, whole, 4, MSG_TRUNC), 4);
    assert_int_equal(whole[0], 'x');
    assert_int_equal(tapir_recv(s, NULL, 2, MSG_TRUNC), 2);
    assert_int_equal(tapir_recv(s, whole, 16, 0), 4);
    assert_memory_equal(whole, "6789", 4);
}

static void pieces_can_be_peeked_at(void **state)
{
    char one[2], two[2];
    struct iovec iov[] = { { one, 2 }, { two, 2 } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

    tapir_write(c, "abcd", 4);
    tapir_sleep(100000);
    assert_int_equal(tapir_recvmsg(s, &msg, MSG_PEEK), 4);
    assert_memory_equal(two, "cd", 2);
    assert_int_equal(tapir_recvmsg(s, &msg, 0), 4);
    assert_memory_equal(one, "ab", 2);
}

static void no_descriptor_of_ours_is_spliced(void **state)
{
    int end[2];

    assert_int_equal(pipe(end), 0);
    assert_error(tapir_splice(s, NULL, end[1], NULL, 10, 0), ENOSYS);
    assert_error(tapir_splice(end[0], NULL, s, NULL, 10, 0), ENOSYS);
    assert_error(tapir_splice(end[1], NULL, end[0], NULL, 10, 0), EBADF);
    close(end[0]);
    close(end[1]);
}

/* RFC 6093 s6: urgent data stays in line, as with SO_OOBINLINE on Linux. */
static void a_read_stops_at_the_last_urgent_byte(void **state)
{
    struct pollfd p = { .fd = s, .events = POLLPRI };
    char buf[8] = "";

    assert_int_equal(tapir_sockatmark(s), 0);
    assert_int_equal(tapir_send(c, "urgent", 6, MSG_OOB), 6);
    assert_int_equal(tapir_poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLPRI);
    assert_error(tapir_recv(s, buf, 8, MSG_OOB), EINVAL);
    assert_int_equal(tapir_recv(s, buf, 8, MSG_WAITALL), 5);
    assert_int_equal(tapir_sockatmark(s), 1);
    assert_int_equal(tapir_recv(s, buf + 5, 3, 0), 1);
    assert_string_equal(buf, "urgent");
    assert_int_equal(tapir_sockatmark(s), 0);
    assert_error(tapir_sockatmark(-1), EBADF);
}

static void a_non_blocking_write_takes_what_fits(void **state)
{
    static const char text[8 << 20];
    ssize_t n;

    tapir_fcntl(c, F_SETFL, O_NONBLOCK);
    n = tapir_write(c, text, sizeof text);
    assert_in_range(n, 1, (8 << 20) - 1);
    while ((n = tapir_write(c, text, sizeof text)) > 0)
        continue;
    assert_error(n, EAGAIN);
}

static void a_stream_has_no_senders_address(void **state)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    char byte;

    tapir_write(c, "x", 1);
    assert_int_equal(tapir_recvfrom(s, &byte, 1, 0, (struct sockaddr *)&from, &len), 1);
    assert_int_equal(len, 0);
}

static void a_receive_timeout_ends_a_read(void **state)
{
    struct timeval tv = { 2, 500000 };
    int64_t began = sim_now(h.sim);
    char byte;

    tapir_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    assert_error(tapir_read(s, &byte, 1), EAGAIN);
    assert_int_equal(sim_now(h.sim) - began, 2500000);
}

static void a_send_timeout_ends_a_write_with_what_was_taken(void **state)
{
    static const char text[8 << 20];
    struct timeval tv = { 1, 0 };
    ssize_t n;

    tapir_setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    n = tapir_write(c, text, sizeof text);
    assert_in_range(n, 1, (8 << 20) - 1);
    assert_error(tapir_write(c, text, sizeof text), EAGAIN);
}

static void after_a_reset_a_read_tells_and_a_write_is_a_broken_pipe(void **state)
{
    struct linger now = { 1, 0 };
    char byte;

    tapir_setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    tapir_close(c);
    assert_error(tapir_read(s, &byte, 1), ECONNRESET);
    assert_error(tapir_write(s, "x", 1), EPIPE);
}

static void datagrams_carry_their_senders_address(void **state)
{
    struct sockaddr_in to = hosts_addr(HOST_B, 7), from = { 0 };
    socklen_t len = sizeof from;
    char buf[10];
    int out, in;

    out = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    tapir_use(h.b);
    in = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_bind(in, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(tapir_sendto(out, "one", 3, 0, (void *)&to, sizeof to), 3);
    assert_int_equal(tapir_sendto(out, "", 0, 0, (void *)&to, sizeof to), 0);
    assert_int_equal(tapir_recvfrom(in, buf, 2, MSG_TRUNC, (void *)&from, &len), 3);
    assert_int_equal(from.sin_addr.s_addr, htonl(0xc0000201));
    assert_int_equal(tapir_recv(in, buf, sizeof buf, 0), 0);
    tapir_sendto(out, "four", 4, 0, (void *)&to, sizeof to);
    assert_int_equal(tapir_readv(in, (struct iovec[]){ { buf, 1 }, { buf + 5, 5 } }, 2),
                     4);
    assert_memory_equal(buf + 5, "our", 3);
    assert_error(tapir_send(out, "x", 1, 0), EDESTADDRREQ);
    tapir_close(in);
    tapir_close(out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connected, down)
    const struct CMUnitTest tests[] = {
        TEST(a_read_returns_what_there_is),
        TEST(at_the_end_a_read_is_zero_again_and_again),
        TEST(pieces_are_written_and_read_in_order),
        TEST(more_pieces_than_are_handed_on_at_once_arrive_whole),
        TEST(a_list_of_pieces_that_is_wrong_is_refused),
        TEST(text_to_or_from_nowhere_is_refused),
        TEST(peeked_text_stays),
        TEST(one_call_may_be_non_blocking),
        TEST(flags_that_are_not_built_are_refused),
        TEST(waiting_for_all_takes_what_comes_until_it_is_all),
        TEST(waiting_for_all_and_peeking_leaves_it_there),
        TEST(waiting_for_all_without_waiting_takes_what_there_is),
        TEST(waiting_for_all_ends_at_a_reset_with_what_came),
        TEST(text_of_a_stream_can_be_thrown_away),
        TEST(pieces_can_be_peeked_at),
        TEST(no_descriptor_of_ours_is_spliced),
        TEST(a_read_stops_at_the_last_urgent_byte),
        TEST(a_non_blocking_write_takes_what_fits),
        TEST(a_stream_has_no_senders_address),
        TEST(a_receive_timeout_ends_a_read),
        TEST(a_send_timeout_ends_a_write_with_what_was_taken),
        TEST(after_a_reset_a_read_tells_and_a_write_is_a_broken_pipe),
        TEST(datagrams_carry_their_senders_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
