/* Echo sockets, as Linux's ICMP datagram sockets. The stack is 192.0.2.2, the peer that
 * answers is 192.0.2.1. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer.h"
#include "wire/icmp_wire.h"

enum { FRAME = 2000, ICMP_AT = 34, ICMP = 1 };

#define STACK 0xc0000202u
#define PEER  0xc0000201u
#define OTHER 0xc0000209u

static int setup(void **state)
{
    static struct peer p;
    peer_init(&p);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct peer *p = *state;
    assert_int_equal(p->st->socks.n, 0);
    assert_int_equal(p->st->net.pool.live, 0);
    peer_free(p);
    return 0;
}

static struct sock *ping_socket(struct peer *p)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->st->socks, 2, 2, ICMP, &s), 0);
    return s;
}

static int bind_id(struct sock *s, uint32_t addr, uint16_t id)
{
    struct sock_name name = { ip4_addr(addr), id };
    return sock_bind(s, &name);
}

/* Sends an echo request to the peer with 3 bytes of data; the program's identifier is
 * 0x1111. */
static ssize_t send_echo(struct sock *s, uint8_t seq)
{
    const uint8_t echo[11] = { 8, 0, 0, 0, 0x11, 0x11, 0, seq, 'a', 'b', 'c' };
    struct piece piece = { echo, sizeof echo };
    struct sock_name to = { ip4_addr(PEER), 0 };
    return sock_send(s, &piece, 1, 0, &to);
}

/* An ICMP message of this type with `len` bytes of data comes from the peer. */
static void icmp_from_peer(struct peer *p, uint8_t type, uint16_t id, uint16_t seq,
                           size_t len)
{
    uint8_t b[FRAME];
    struct icmp h = { .type = type, .id = id, .seq = seq };
    memset(b, 'x', sizeof b);
    icmp_emit(b, ICMP_LEN + len, &h);
    peer_inject_ip(p, ICMP, b, ICMP_LEN + len);
}

static void a_request_goes_out_with_the_sockets_identifier(void **state)
{
    static const uint8_t message[11] = { 8, 0, 0, 0, 0x12, 0x34, 0, 5, 'a', 'b', 'c' };
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    uint8_t frame[FRAME];
    assert_int_equal(bind_id(s, 0, 0x1234), 0);
    assert_int_equal(send_echo(s, 5), 11);
    assert_int_equal(peer_take(p, frame, sizeof frame), ICMP_AT + 11);
    frame[ICMP_AT + 2] = frame[ICMP_AT + 3] = 0; /* the checksum is icmp_wire's */
    assert_memory_equal(frame + ICMP_AT, message, sizeof message);
    sock_close(s);
}

static void pieces_are_joined_to_one_message(void **state)
{
    static const uint8_t head[8] = { 8, 0, 0, 0, 0, 0, 0, 1 };
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    struct sock_name to = { ip4_addr(PEER), 0 };
    struct piece piece[3] = { { head, 8 }, { NULL, 0 }, { (const uint8_t *)"xyz", 3 } };
    uint8_t frame[FRAME];
    assert_int_equal(sock_send(s, piece, 3, 0, &to), 11);
    assert_int_equal(peer_take(p, frame, sizeof frame), ICMP_AT + 11);
    assert_memory_equal(frame + ICMP_AT + 8, "xyz", 3);
    sock_close(s);
}

static void what_is_not_an_echo_request_is_refused(void **state)
{
    static uint8_t big[70000] = { 8 };
    static const struct {
        uint8_t type, code;
        size_t len;
        int result;
    } row[] = {
        { 8, 0, 7, -EINVAL },   { 0, 0, 8, -EINVAL },       { 8, 1, 8, -EINVAL },
        { 13, 0, 20, -EINVAL }, { 8, 0, 65516, -EMSGSIZE },
    };
    struct sock *s = ping_socket(*state);
    struct sock_name to = { ip4_addr(PEER), 0 };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct piece piece = { big, row[i].len };
        struct piece two[2] = { { big, 4 }, { big + 4, row[i].len - 4 } };
        big[0] = row[i].type;
        big[1] = row[i].code;
        assert_int_equal(sock_send(s, &piece, 1, 0, &to), row[i].result);
        assert_int_equal(sock_send(s, two, 2, 0, &to), row[i].result);
    }
    sock_close(s);
}

static void the_first_send_takes_an_identifier(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    struct sock_name name;
    uint8_t frame[FRAME];
    assert_int_equal(send_echo(s, 1), 11);
    assert_int_equal(sock_local(s, &name), 0);
    assert_int_not_equal(name.port, 0);
    peer_take(p, frame, sizeof frame);
    assert_int_equal(get16(frame + ICMP_AT + 4), name.port);
    sock_close(s);
}

static void an_identifier_belongs_to_one_socket(void **state)
{
    struct sock *a = ping_socket(*state), *b = ping_socket(*state);
    assert_int_equal(bind_id(a, 0, 7), 0);
    assert_int_equal(bind_id(b, 0, 7), -EADDRINUSE);
    assert_int_equal(bind_id(b, 0, 0), 0);
    assert_int_not_equal(b->ping_id, 7);
    sock_close(a);
    sock_close(b);
}

static void a_reply_is_the_whole_message_and_names_its_sender(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    struct sock_name from;
    uint8_t buf[100];
    assert_int_equal(bind_id(s, 0, 7), 0);
    icmp_from_peer(p, 0, 7, 9, 3);
    assert_ptr_equal(stack_ready(p->st), s);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, &from), 11);
    assert_int_equal(ip4_num(from.addr), PEER);
    assert_int_equal(from.port, 0);
    assert_int_equal(buf[0], 0);
    assert_int_equal(get16(buf + 4), 7);
    assert_int_equal(get16(buf + 6), 9);
    assert_memory_equal(buf + 8, "xxx", 3);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, &from), -EAGAIN);
    sock_close(s);
}

static void replies_come_in_order_and_can_be_peeked_at(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    uint8_t buf[8];
    assert_int_equal(bind_id(s, 0, 7), 0);
    icmp_from_peer(p, 0, 7, 1, 20);
    icmp_from_peer(p, 0, 7, 2, 0);
    assert_int_equal(sock_receive(s, buf, sizeof buf, SOCK_PEEK, NULL), 8);
    assert_int_equal(get16(buf + 6), 1);
    assert_int_equal(sock_receive(s, buf, sizeof buf, SOCK_TRUNC, NULL), 28);
    assert_int_equal(get16(buf + 6), 1);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, NULL), 8);
    assert_int_equal(get16(buf + 6), 2);
    sock_close(s);
}

static void a_reply_for_nobody_is_dropped_and_counted(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p), *bound = ping_socket(p);
    assert_int_equal(bind_id(s, 0, 7), 0);
    assert_int_equal(bind_id(bound, 0x7f000001, 9), 0);
    icmp_from_peer(p, 0, 8, 1, 3);
    icmp_from_peer(p, 0, 9, 1, 3);
    assert_int_equal(stack_counter(p->st, "IcmpNoSocket"), 2);
    assert_null(stack_ready(p->st));
    sock_close(s);
    sock_close(bound);
}

static void a_full_buffer_drops_what_comes(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    int size = 2500; /* doubled: 5000, room for two small packets */
    assert_int_equal(sock_setopt(s, 1, 8, &size, sizeof size), 0);
    assert_int_equal(bind_id(s, 0, 7), 0);
    for (uint16_t i = 0; i < 4; i++)
        icmp_from_peer(p, 0, 7, i, 3);
    assert_int_equal(s->ping_rcv.n, 2);
    assert_int_equal(stack_counter(p->st, "IcmpRcvbufError"), 2);
    sock_close(s);
}

/* RFC 1122 s3.2.2.1: an error is passed to whoever sent what it quotes. */
static void a_connected_socket_hears_of_unreachable_hosts(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p), *loose = ping_socket(p);
    struct sock_name absent = { ip4_addr(OTHER), 0 };
    static const uint8_t echo[8] = { 8 };
    struct piece piece = { echo, sizeof echo };
    uint8_t buf[20];
    assert_int_equal(sock_connect(s, &absent), 0);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 8);
    assert_int_equal(sock_send(loose, &piece, 1, 0, &absent), 8);
    peer_wait(p, 5 * USEC_PER_SEC);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, NULL), -EHOSTUNREACH);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, NULL), -EAGAIN);
    assert_int_equal(sock_receive(loose, buf, sizeof buf, 0, NULL), -EAGAIN);
    sock_close(s);
    sock_close(loose);
}

static void connecting_gives_names_and_can_be_undone(void **state)
{
    struct sock *s = ping_socket(*state);
    struct sock_name to = { ip4_addr(PEER), 3 }, none = { ip_any4, 0 }, name;
    assert_int_equal(sock_connect(s, &to), 0);
    assert_int_equal(sock_peer(s, &name), 0);
    assert_int_equal(ip4_num(name.addr), PEER);
    assert_int_equal(sock_local(s, &name), 0);
    assert_int_equal(ip4_num(name.addr), STACK);
    assert_int_equal(sock_connect(s, &none), 0);
    assert_int_equal(sock_peer(s, &name), -ENOTCONN);
    sock_close(s);
}

/* A request to ourselves is answered by ourselves. */
static void a_stack_pings_itself(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    struct sock_name self = { ip_any4, 5 }, from;
    static const uint8_t echo[8] = { 8, 0, 0, 0, 0, 0, 0, 3 };
    struct piece piece = { echo, sizeof echo };
    uint8_t buf[20];
    assert_int_equal(sock_send(s, &piece, 1, 0, &self), 8);
    stack_flush(p->st);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, &from), 8);
    assert_int_equal(get16(buf + 6), 3);
    assert_int_equal(ip4_num(from.addr), 0x7f000001);
    sock_close(s);
}

static void a_closed_socket_leaves_no_reply_behind(void **state)
{
    struct peer *p = *state;
    struct sock *s = ping_socket(p);
    assert_int_equal(bind_id(s, 0, 7), 0);
    icmp_from_peer(p, 0, 7, 1, 3);
    sock_close(s);
    assert_null(stack_ready(p->st));
    icmp_from_peer(p, 0, 7, 1, 3);
    assert_int_equal(stack_counter(p->st, "IcmpNoSocket"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_request_goes_out_with_the_sockets_identifier),
        T(pieces_are_joined_to_one_message),
        T(what_is_not_an_echo_request_is_refused),
        T(the_first_send_takes_an_identifier),
        T(an_identifier_belongs_to_one_socket),
        T(a_reply_is_the_whole_message_and_names_its_sender),
        T(replies_come_in_order_and_can_be_peeked_at),
        T(a_reply_for_nobody_is_dropped_and_counted),
        T(a_full_buffer_drops_what_comes),
        T(a_connected_socket_hears_of_unreachable_hosts),
        T(connecting_gives_names_and_can_be_undone),
        T(a_stack_pings_itself),
        T(a_closed_socket_leaves_no_reply_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
