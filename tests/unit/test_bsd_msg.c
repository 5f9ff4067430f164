#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/hosts.h"

/* Linux's numbers for control of the level IPPROTO_IP. */
enum { TOS = 1, TTL = 2, PKTINFO = 8, RECVTTL = 12, RECVTOS = 13 };

static struct hosts h;
static int out, in; /* datagrams: a's to b's port 7 */
static struct sockaddr_in b7;

static int datagrams(void **state)
{
    hosts_up(&h, 1, NULL);
    b7 = hosts_addr(HOST_B, 7);
    tapir_use(h.b);
    in = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    tapir_bind(in, (struct sockaddr *)&b7, sizeof b7);
    tapir_use(h.a);
    out = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    return 0;
}

static int down(void **state)
{
    tapir_use(NULL);
    tapir_close(in);
    tapir_close(out);
    hosts_down(&h);
    return 0;
}

static void assert_error(ssize_t result, int err)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, err);
}

static ssize_t send_to_b(const char *text, const void *control, size_t len)
{
    struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
    struct msghdr msg = { .msg_name = &b7,
                          .msg_namelen = sizeof b7,
                          .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = (void *)(uintptr_t)control,
                          .msg_controllen = len };

    return tapir_sendmsg(out, &msg, 0);
}

/* A control message of 32 bytes at most, as it lies in memory. */
struct control {
    size_t len;
    int level, type;
    union {
        int number;
        uint8_t byte;
        struct in_pktinfo info;
    } u;
};

static void a_message_of_pieces_arrives_in_pieces(void **state)
{
    char one[2], two[3], rest[10];
    struct iovec from[] = { { (char[]){ "ab" }, 2 },
                            { NULL, 0 },
                            { (char[]){ "cdef" }, 4 } };
    struct iovec to[] = { { one, 2 }, { two, 3 }, { rest, 10 } };
    struct sockaddr_in name;
    struct msghdr msg = {
        .msg_name = &b7, .msg_namelen = sizeof b7, .msg_iov = from, .msg_iovlen = 3
    };
    struct msghdr got = {
        .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = to, .msg_iovlen = 3
    };

    assert_int_equal(tapir_sendmsg(out, &msg, 0), 6);
    assert_int_equal(tapir_recvmsg(in, &got, 0), 6);
    assert_memory_equal(one, "ab", 2);
    assert_memory_equal(two, "cde", 3);
    assert_memory_equal(rest, "f", 1);
    assert_int_equal(got.msg_namelen, 16);
    assert_int_equal(name.sin_addr.s_addr, htonl(0xc0000201));
    assert_int_equal(got.msg_flags, 0);
    assert_int_equal(got.msg_controllen, 0);
}

static void a_datagram_that_is_cut_says_so(void **state)
{
    char buf[2];
    struct iovec to = { buf, 2 };
    struct msghdr got = { .msg_iov = &to, .msg_iovlen = 1 };

    send_to_b("three", NULL, 0);
    send_to_b("seven..", NULL, 0);
    assert_int_equal(tapir_recvmsg(in, &got, 0), 2);
    assert_int_equal(got.msg_flags, MSG_TRUNC);
    assert_int_equal(tapir_recvmsg(in, &got, MSG_TRUNC), 7);
    assert_int_equal(got.msg_flags, MSG_TRUNC);
}

static void more_pieces_than_a_page_are_one_datagram(void **state)
{
    static char text[1024], buf[1024];
    static struct iovec from[1024], to[1024];
    struct msghdr msg = {
        .msg_name = &b7, .msg_namelen = sizeof b7, .msg_iov = from, .msg_iovlen = 1024
    };
    struct msghdr got = { .msg_iov = to, .msg_iovlen = 1024 };

    for (int i = 0; i < 1024; i++) {
        text[i] = (char)i;
        from[i] = (struct iovec){ &text[i], 1 };
        to[i] = (struct iovec){ &buf[i], 1 };
    }
    assert_int_equal(tapir_sendmsg(out, &msg, 0), 1024);
    assert_int_equal(tapir_recvmsg(in, &got, 0), 1024);
    assert_memory_equal(buf, text, 1024);
}

/* RFC 1122 s4.1.3.5 (MUST-udp-destination-up). ip(7): what the header said, in Linux's
 * order. */
static void what_was_asked_for_comes_as_control(void **state)
{
    static const int names[] = { RECVTOS, RECVTTL, PKTINFO }, one = 1;
    static const uint8_t tos = 0xb8;
    static const int ttl = 33;
    uint8_t control[200];
    struct msghdr got = { .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *at;
    struct in_pktinfo info;
    int number;

    tapir_setsockopt(out, IPPROTO_IP, TOS, &(int){ tos }, 4);
    tapir_setsockopt(out, IPPROTO_IP, TTL, &ttl, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tapir_setsockopt(in, IPPROTO_IP, names[i], &one, 4), 0);
    send_to_b("x", NULL, 0);
    assert_int_equal(tapir_recvmsg(in, &got, 0), 0);
    assert_int_equal(got.msg_flags, MSG_TRUNC);
    assert_int_equal(got.msg_controllen, 32 + 24 + 24);
    at = CMSG_FIRSTHDR(&got);
    assert_int_equal(at->cmsg_type, PKTINFO);
    memcpy(&info, CMSG_DATA(at), sizeof info);
    assert_int_equal(info.ipi_ifindex, 2);
    assert_int_equal(info.ipi_addr.s_addr, htonl(0xc0000202));
    assert_int_equal(info.ipi_spec_dst.s_addr, htonl(0xc0000202));
    at = CMSG_NXTHDR(&got, at);
    assert_int_equal(at->cmsg_type, TTL);
    assert_int_equal(at->cmsg_len, 20);
    memcpy(&number, CMSG_DATA(at), sizeof number);
    assert_int_equal(number, 33);
    at = CMSG_NXTHDR(&got, at);
    assert_int_equal(at->cmsg_type, TOS);
    assert_int_equal(at->cmsg_len, 17);
    assert_int_equal(*CMSG_DATA(at), 0xb8);
}

/* RFC 1122 s3.2.1.8 (MUST-ip-options-up), s4.1.3.2 (MUST-udp-options-up). ip(7): behind
 * the others; nothing where the header has none. */
static void ip_options_come_as_control(void **state)
{
    static const uint8_t list[] = { 148, 4, 0, 0, 130, 3, 9, 0 };
    static const int one = 1, name = 6, tos = RECVTOS; /* IP_RECVOPTS */
    uint8_t control[200];
    struct msghdr got = { .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *at;

    assert_int_equal(tapir_setsockopt(out, IPPROTO_IP, 4, list, 7), 0); /* IP_OPTIONS */
    assert_int_equal(tapir_setsockopt(in, IPPROTO_IP, name, &one, 4), 0);
    assert_int_equal(tapir_setsockopt(in, IPPROTO_IP, tos, &one, 4), 0);
    send_to_b("x", NULL, 0);
    assert_int_equal(tapir_recvmsg(in, &got, 0), 0);
    assert_int_equal(got.msg_controllen, 24 + 24);
    at = CMSG_NXTHDR(&got, CMSG_FIRSTHDR(&got));
    assert_int_equal(at->cmsg_type, 6);
    assert_int_equal(at->cmsg_len, 16 + 8);
    assert_memory_equal(CMSG_DATA(at), list, 8);
    tapir_setsockopt(out, IPPROTO_IP, 4, NULL, 0);
    send_to_b("x", NULL, 0);
    got.msg_controllen = sizeof control;
    assert_int_equal(tapir_recvmsg(in, &got, 0), 0);
    assert_int_equal(got.msg_controllen, 24);
}

/* As the kernel's put_cmsg(): whole, cut, or not even a header. */
static void control_that_does_not_fit_is_cut(void **state)
{
    static const struct {
        size_t room;
        int flags;
        size_t len;
    } row[] = {
        { 24, 0, 24 },          { 20, 0, 20 },         { 19, MSG_CTRUNC, 19 },
        { 16, MSG_CTRUNC, 16 }, { 15, MSG_CTRUNC, 0 }, { 0, MSG_CTRUNC, 0 },
    };
    static const int one = 1;
    uint8_t control[24];

    tapir_setsockopt(in, IPPROTO_IP, RECVTTL, &one, 4);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct msghdr got = { .msg_control = control, .msg_controllen = row[i].room };
        send_to_b("", NULL, 0);
        assert_int_equal(tapir_recvmsg(in, &got, 0), 0);
        assert_int_equal(got.msg_flags, row[i].flags);
        assert_int_equal(got.msg_controllen, row[i].len);
    }
}

static void a_datagram_may_have_a_ttl_and_tos_of_its_own(void **state)
{
    static const int one = 1;
    struct control ttl = { 20, IPPROTO_IP, TTL, { .number = 5 } };
    struct control tos = { 17, IPPROTO_IP, TOS, { .byte = 0x10 } };
    uint8_t control[64];
    struct msghdr got = { .msg_control = control, .msg_controllen = 64 };
    struct cmsghdr *at;

    tapir_setsockopt(in, IPPROTO_IP, RECVTTL, &one, 4);
    tapir_setsockopt(in, IPPROTO_IP, RECVTOS, &one, 4);
    assert_int_equal(send_to_b("x", &ttl, 24), 1);
    assert_int_equal(send_to_b("x", &tos, 24), 1);
    tapir_recvmsg(in, &got, 0);
    at = CMSG_FIRSTHDR(&got);
    assert_int_equal(*CMSG_DATA(at), 5);
    assert_int_equal(*CMSG_DATA(CMSG_NXTHDR(&got, at)), 0);
    got.msg_controllen = 64;
    tapir_recvmsg(in, &got, 0);
    at = CMSG_FIRSTHDR(&got);
    assert_int_equal(*CMSG_DATA(at), 64);
    assert_int_equal(*CMSG_DATA(CMSG_NXTHDR(&got, at)), 0x10);
}

static void control_that_is_wrong_is_refused(void **state)
{
    static const struct {
        struct control c;
        int err;
    } row[] = {
        { { 20, IPPROTO_IP, TTL, { .number = 0 } }, EINVAL },
        { { 20, IPPROTO_IP, TTL, { .number = 256 } }, EINVAL },
        { { 17, IPPROTO_IP, TTL, { .byte = 5 } }, EINVAL },
        { { 20, IPPROTO_IP, TOS, { .number = 256 } }, EINVAL },
        { { 18, IPPROTO_IP, TOS, { .number = 1 } }, EINVAL },
        { { 20, IPPROTO_IP, 7, { .number = 1 } }, EINVAL }, /* IP_RETOPTS */
        { { 20, IPPROTO_IP, PKTINFO, { .number = 1 } }, EINVAL },
        { { 20, SOL_SOCKET, 36, { .number = 1 } }, EINVAL },  /* SO_MARK */
        { { 15, IPPROTO_IP, TTL, { .number = 5 } }, EINVAL }, /* no header */
        { { 41, IPPROTO_IP, TTL, { .number = 5 } }, EINVAL }, /* longer than it is */
        { { 28, IPPROTO_IP, PKTINFO, { .info = { .ipi_ifindex = 9 } } }, ENODEV },
        { { 28, IPPROTO_IP, PKTINFO, { .info = { .ipi_ifindex = 1 } } }, ENETUNREACH },
        { { 28, IPPROTO_IP, PKTINFO, { .info = { .ipi_spec_dst = { 9 } } } }, EINVAL },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_error(send_to_b("x", &row[i].c, 32), row[i].err);
    assert_int_equal(send_to_b("x", &(struct control){ 20, 41, 1, { 0 } }, 24), 1);
    assert_int_equal(send_to_b("x", &row[0].c, 15), 1); /* too short to be looked at */
}

static void the_way_may_be_named(void **state)
{
    struct control way = { 28, IPPROTO_IP, PKTINFO, { .info = { .ipi_ifindex = 2 } } };

    way.u.info.ipi_spec_dst.s_addr = htonl(0xc0000201);
    assert_int_equal(send_to_b("x", &way, 32), 1);
}

static void messages_that_cannot_be_are_refused(void **state)
{
    struct iovec iov[2] = { { NULL, SIZE_MAX / 2 }, { NULL, SIZE_MAX / 2 } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

    assert_error(tapir_recvmsg(in, NULL, 0), EFAULT);
    assert_error(tapir_sendmsg(out, NULL, 0), EFAULT);
    assert_error(tapir_recvmsg(in, &msg, 0), EINVAL);
    msg.msg_iovlen = 1025;
    assert_error(tapir_recvmsg(in, &msg, 0), EMSGSIZE);
    assert_error(tapir_sendmsg(out, &msg, 0), EMSGSIZE);
    msg.msg_iovlen = 0;
    assert_error(tapir_sendmsg(out, &msg, 0), EDESTADDRREQ);
    assert_error(tapir_recvmsg(in, &msg, MSG_ERRQUEUE), EAGAIN);
}

static void a_stream_has_neither_name_nor_control(void **state)
{
    static const int one = 1;
    uint8_t control[64];
    struct sockaddr_in name;
    char buf[8];
    struct iovec iov = { buf, 8 };
    struct msghdr msg = { .msg_name = &name,
                          .msg_namelen = sizeof name,
                          .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control };
    int l, c, s;

    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    s = tapir_accept(l, NULL, NULL);
    tapir_setsockopt(s, IPPROTO_IP, RECVTTL, &one, 4);
    tapir_write(c, "text", 4);
    assert_int_equal(tapir_recvmsg(s, &msg, 0), 4);
    assert_int_equal(msg.msg_namelen, 0);
    assert_int_equal(msg.msg_controllen, 0);
    assert_int_equal(msg.msg_flags, 0);
    iov.iov_len = 4;
    assert_int_equal(tapir_sendmsg(s, &msg, MSG_NOSIGNAL), 4);
    tapir_close(c);
    tapir_close(s);
    tapir_close(l);
}

/* tcp(7), TCP_INQ: how much waits behind the message; 1 is the end of the stream. */
static void a_stream_tells_how_much_waits(void **state)
{
    static const int waits[] = { 6, 4, 1 }, one = 1;
    char buf[4];
    struct iovec iov = { buf, 4 };
    uint8_t control[64];
    int l, c, s, number;

    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    s = tapir_accept(l, NULL, NULL);
    assert_int_equal(tapir_setsockopt(s, IPPROTO_TCP, 36, &one, 4), 0);
    tapir_write(c, "ten bytes!", 10);
    tapir_close(c);
    tapir_sleep(100000);
    for (int i = 0; i < 3; i++) {
        struct msghdr msg = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
        iov.iov_len = i == 0 ? 4 : i == 1 ? 2 : 4;
        assert_int_equal(tapir_recvmsg(s, &msg, 0), iov.iov_len);
        assert_int_equal(msg.msg_controllen, 24);
        assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_level, IPPROTO_TCP);
        assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, 36);
        memcpy(&number, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof number);
        assert_int_equal(number, waits[i]);
    }
    tapir_close(s);
    tapir_close(l);
}

/* MSG_ZEROCOPY: what Linux's ip_recv_error() gives, an error of 16 bytes that is none
 * and an address of nobody. */
static void a_report_of_sends_is_an_error_that_is_none(void **state)
{
    static const uint8_t report[16] = { 0, 0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 1 };
    static const int one = 1;
    uint8_t control[64];
    char byte;
    struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof control };
    int l, c;

    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    assert_int_equal(tapir_send(c, "1", 1, MSG_ZEROCOPY), 1);
    assert_error(tapir_recv(c, &byte, 1, MSG_ERRQUEUE), EAGAIN);
    assert_int_equal(tapir_setsockopt(c, SOL_SOCKET, 60, &one, 4), 0);
    tapir_send(c, "2", 1, MSG_ZEROCOPY);
    tapir_send(c, "3", 1, MSG_ZEROCOPY);
    assert_int_equal(tapir_recvmsg(c, &msg, MSG_ERRQUEUE), 0);
    assert_int_equal(msg.msg_flags, MSG_ERRQUEUE);
    assert_int_equal(msg.msg_controllen, 48);
    assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_level, 0); /* IPPROTO_IP */
    assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, 11); /* IP_RECVERR */
    assert_memory_equal(CMSG_DATA(CMSG_FIRSTHDR(&msg)), report, sizeof report);
    assert_error(tapir_recvmsg(c, &msg, MSG_ERRQUEUE), EAGAIN);
    tapir_close(c);
    tapir_close(l);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, datagrams, down)
    const struct CMUnitTest tests[] = {
        TEST(a_message_of_pieces_arrives_in_pieces),
        TEST(a_datagram_that_is_cut_says_so),
        TEST(more_pieces_than_a_page_are_one_datagram),
        TEST(what_was_asked_for_comes_as_control),
        TEST(ip_options_come_as_control),
        TEST(control_that_does_not_fit_is_cut),
        TEST(a_datagram_may_have_a_ttl_and_tos_of_its_own),
        TEST(control_that_is_wrong_is_refused),
        TEST(the_way_may_be_named),
        TEST(messages_that_cannot_be_are_refused),
        TEST(a_stream_has_neither_name_nor_control),
        TEST(a_stream_tells_how_much_waits),
        TEST(a_report_of_sends_is_an_error_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
