/* Sockets as Linux has them: which call may be made when, and what it says. The stack
 * is 192.0.2.2 with a scripted peer at 192.0.2.1 (harness/peer.h). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer.h"

#define STACK    0xc0000202u /* 192.0.2.2 */
#define PEER     0xc0000201u /* 192.0.2.1 */
#define LOOPBACK 0x7f000001u /* 127.0.0.1 */

enum { STREAM = 1, DATAGRAM = 2, TCP = 6, UDP = 17, ICMP = 1 };

static struct sock_name name_of(uint32_t addr, uint16_t port)
{
    return (struct sock_name){ ip4_addr(addr), port };
}

static struct sock *new_sock(struct peer *p, int type, int protocol)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->st->socks, 2, type, protocol, &s), 0);
    return s;
}

static int bind_to(struct sock *s, uint32_t addr, uint16_t port)
{
    struct sock_name name = name_of(addr, port);
    return sock_bind(s, &name);
}

static int connect_to(struct sock *s, uint32_t addr, uint16_t port)
{
    struct sock_name name = name_of(addr, port);
    return sock_connect(s, &name);
}

static ssize_t send_text(struct sock *s, const char *text)
{
    struct piece piece = { (const uint8_t *)text, strlen(text) };
    return sock_send(s, &piece, 1, 0, NULL);
}

static ssize_t receive(struct sock *s)
{
    uint8_t buf[100];
    return sock_receive(s, buf, sizeof buf, 0, NULL);
}

static int so_error(struct sock *s)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, 1, 4, &value, &len), 0);
    return value;
}

static void assert_name(const struct sock_name *name, uint32_t addr, uint16_t port)
{
    assert_int_equal(ip4_num(name->addr), addr);
    assert_int_equal(name->port, port);
}

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
    peer_free(p);
    return 0;
}

/* --- socket() --- */

static void families_types_and_protocols_are_those_of_linux(void **state)
{
    static const struct {
        int family, type, protocol, result;
    } row[] = {
        { 2, STREAM, 0, 0 },
        { 2, STREAM, TCP, 0 },
        { 2, DATAGRAM, 0, 0 },
        { 2, DATAGRAM, UDP, 0 },
        { 2, DATAGRAM, ICMP, 0 },
        { 10, STREAM, 0, -EAFNOSUPPORT },
        { 1, STREAM, 0, -EAFNOSUPPORT },
        { 2, STREAM, UDP, -EPROTONOSUPPORT },
        { 2, DATAGRAM, TCP, -EPROTONOSUPPORT },
        { 2, STREAM, ICMP, -EPROTONOSUPPORT },
        { 2, DATAGRAM, 132, -EPROTONOSUPPORT },
        { 2, 3, ICMP, -ESOCKTNOSUPPORT },
        { 2, 5, 0, -ESOCKTNOSUPPORT },
        { 2, 11, 0, -EINVAL },
        { 2, -1, 0, -EINVAL },
        { 2, STREAM, 263, -EINVAL },
        { 2, STREAM, -1, -EINVAL },
    };
    struct peer *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct sock *s = NULL;
        int r = sock_new(&p->st->socks, row[i].family, row[i].type, row[i].protocol,
                         &s);
        assert_int_equal(r, row[i].result);
        if (r == 0)
            sock_close(s);
    }
}

/* --- bind() --- */

static void a_foreign_address_cannot_be_bound(void **state)
{
    static const struct {
        int type, protocol;
    } row[] = { { STREAM, TCP }, { DATAGRAM, UDP }, { DATAGRAM, ICMP } };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct sock *s = new_sock(*state, row[i].type, row[i].protocol);
        assert_int_equal(bind_to(s, PEER, 80), -EADDRNOTAVAIL);
        assert_int_equal(bind_to(s, 0xffffffff, 80), -EADDRNOTAVAIL);
        assert_int_equal(bind_to(s, 0xe0000001, 80), -EADDRNOTAVAIL);
        assert_int_equal(bind_to(s, STACK, 80), 0);
        sock_close(s);
    }
}

static void a_socket_is_bound_once(void **state)
{
    static const struct {
        int type, protocol;
    } row[] = { { STREAM, TCP }, { DATAGRAM, UDP }, { DATAGRAM, ICMP } };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct sock *s = new_sock(*state, row[i].type, row[i].protocol);
        assert_int_equal(bind_to(s, 0, 80), 0);
        assert_int_equal(bind_to(s, 0, 81), -EINVAL);
        sock_close(s);
    }
}

static void a_port_belongs_to_one_socket_unless_both_say_reuse(void **state)
{
    static const struct {
        uint32_t first, second;
        bool reuse_first, reuse_second;
        int result;
    } row[] = {
        { 0, 0, false, false, -EADDRINUSE },
        { STACK, 0, false, false, -EADDRINUSE },
        { 0, STACK, false, false, -EADDRINUSE },
        { STACK, LOOPBACK, false, false, 0 },
        { 0, 0, true, false, -EADDRINUSE },
        { 0, 0, false, true, -EADDRINUSE },
        { 0, 0, true, true, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct sock *a = new_sock(*state, STREAM, 0), *b = new_sock(*state, STREAM, 0);
        a->reuse_addr = row[i].reuse_first;
        b->reuse_addr = row[i].reuse_second;
        assert_int_equal(bind_to(a, row[i].first, 80), 0);
        assert_int_equal(bind_to(b, row[i].second, 80), row[i].result);
        sock_close(a);
        sock_close(b);
    }
}

static void a_listeners_port_is_taken_even_with_reuse(void **state)
{
    struct sock *a = peer_listen(*state, 80), *b = new_sock(*state, STREAM, 0);
    assert_int_equal(bind_to(b, 0, 80), -EADDRINUSE);
    b->reuse_addr = true;
    assert_int_equal(bind_to(b, 0, 80), -EADDRINUSE);
    sock_close(a);
    assert_int_equal(bind_to(b, 0, 80), 0);
    sock_close(b);
}

/* Of two that were bound to one port with SO_REUSEADDR, one may listen. */
static void of_two_bound_to_a_port_one_may_listen(void **state)
{
    struct sock *a = new_sock(*state, STREAM, 0), *b = new_sock(*state, STREAM, 0);
    a->reuse_addr = b->reuse_addr = true;
    assert_int_equal(bind_to(a, 0, 80), 0);
    assert_int_equal(bind_to(b, 0, 80), 0);
    assert_int_equal(sock_listen(a, 5), 0);
    assert_int_equal(sock_listen(b, 5), -EADDRINUSE);
    sock_close(a);
    sock_close(b);
}

/* SO_REUSEADDR is for servers that start again: connections of the last run may still
 * be closing. */
static void a_port_with_connections_can_be_bound_only_with_reuse(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    struct sock *b = new_sock(p, STREAM, 0);
    assert_int_equal(bind_to(b, 0, 80), -EADDRINUSE);
    b->reuse_addr = true;
    assert_int_equal(bind_to(b, 0, 80), 0);
    assert_int_equal(sock_listen(b, 5), 0);
    sock_close(b);
    sock_close(s);
}

static void bind_to_port_0_chooses_one_of_the_ephemeral_range(void **state)
{
    struct peer *p = *state;
    struct sock *s[3];
    struct sock_name name;
    peer_sysctl(p, "net.ipv4.ip_local_port_range", "50000 50001");
    for (int i = 0; i < 3; i++)
        s[i] = new_sock(p, STREAM, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bind_to(s[i], 0, 0), 0);
        assert_int_equal(sock_local(s[i], &name), 0);
        assert_in_range(name.port, 50000, 50001);
    }
    assert_int_equal(bind_to(s[2], 0, 0), -EADDRINUSE);
    assert_int_not_equal(s[0]->local.port, s[1]->local.port);
    for (int i = 0; i < 3; i++)
        sock_close(s[i]);
}

/* --- names --- */

static void getpeername_needs_a_connection(void **state)
{
    struct peer *p = *state;
    struct sock_name name;
    struct sock *fresh = new_sock(p, STREAM, 0), *l = peer_listen(p, 80);
    struct sock *u = new_sock(p, DATAGRAM, 0), *ping = new_sock(p, DATAGRAM, ICMP);
    struct sock *s = peer_connect(p, 50000);
    assert_int_equal(sock_peer(fresh, &name), -ENOTCONN);
    assert_int_equal(sock_peer(l, &name), -ENOTCONN);
    assert_int_equal(sock_peer(u, &name), -ENOTCONN);
    assert_int_equal(sock_peer(ping, &name), -ENOTCONN);
    assert_int_equal(sock_peer(s, &name), -ENOTCONN);
    peer_expect(p, "S 0:0(0) <...>");
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    assert_int_equal(sock_peer(s, &name), 0);
    assert_name(&name, PEER, PEER_PORT);
    assert_int_equal(sock_local(s, &name), 0);
    assert_name(&name, STACK, 50000);
    sock_close(fresh);
    sock_close(l);
    sock_close(u);
    sock_close(ping);
    sock_close(s);
}

static void connected_datagrams_have_both_names(void **state)
{
    struct sock_name name;
    struct sock *u = new_sock(*state, DATAGRAM, 0);
    assert_int_equal(connect_to(u, PEER, 53), 0);
    assert_int_equal(sock_peer(u, &name), 0);
    assert_name(&name, PEER, 53);
    assert_int_equal(sock_local(u, &name), 0);
    assert_int_equal(ip4_num(name.addr), STACK);
    assert_in_range(name.port, 32768, 60999);
    sock_close(u);
}

/* --- text without a connection --- */

static void sockets_without_a_peer_say_what_is_missing(void **state)
{
    struct sock *fresh = new_sock(*state, STREAM, 0), *l = peer_listen(*state, 80);
    struct sock *u = new_sock(*state, DATAGRAM, 0);
    struct sock *ping = new_sock(*state, DATAGRAM, ICMP);
    assert_int_equal(send_text(fresh, "x"), -EPIPE);
    assert_int_equal(receive(fresh), -ENOTCONN);
    assert_int_equal(send_text(l, "x"), -EPIPE);
    assert_int_equal(receive(l), -ENOTCONN);
    assert_int_equal(send_text(u, "x"), -EDESTADDRREQ);
    assert_int_equal(receive(u), -EAGAIN);
    assert_int_equal(send_text(ping, "xxxxxxxx"), -EDESTADDRREQ);
    assert_int_equal(receive(ping), -EAGAIN);
    sock_close(fresh);
    sock_close(l);
    sock_close(u);
    sock_close(ping);
}

static void text_is_peeked_at_and_then_received(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    uint8_t buf[10];
    peer_send(p, "P. 1:6(5) ack 1 win 65535");
    assert_int_equal(sock_receive(s, buf, sizeof buf, SOCK_PEEK, NULL), 5);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, NULL), 5);
    assert_int_equal(buf[4], peer_byte(4));
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, NULL), -EAGAIN);
    sock_close(s);
}

static void a_datagram_is_cut_to_the_buffer_and_its_length_told(void **state)
{
    struct peer *p = *state;
    struct sock *a = new_sock(p, DATAGRAM, 0), *b = new_sock(p, DATAGRAM, 0);
    struct sock_name from, at_a;
    uint8_t buf[4];
    assert_int_equal(bind_to(b, LOOPBACK, 53), 0);
    assert_int_equal(connect_to(a, LOOPBACK, 53), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_text(a, "abcdefgh"), 8);
    stack_flush(p->st);
    assert_int_equal(sock_receive(b, buf, sizeof buf, SOCK_PEEK, &from), 4);
    assert_int_equal(sock_receive(b, buf, sizeof buf, SOCK_TRUNC, &from), 8);
    assert_memory_equal(buf, "abcd", 4);
    assert_int_equal(sock_receive(b, buf, 0, 0, &from), 0);
    assert_int_equal(sock_receive(b, buf, sizeof buf, 0, NULL), 4);
    assert_int_equal(sock_receive(b, buf, sizeof buf, 0, NULL), -EAGAIN);
    assert_int_equal(sock_local(a, &at_a), 0);
    assert_name(&from, LOOPBACK, at_a.port);
    sock_close(a);
    sock_close(b);
}

/* --- shutdown() --- */

static void shutdown_needs_a_connection_and_a_known_side(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0), *u = new_sock(*state, DATAGRAM, 0);
    assert_int_equal(sock_shutdown(s, 1), -ENOTCONN);
    assert_int_equal(sock_shutdown(u, 1), -ENOTCONN);
    assert_int_equal(sock_shutdown(s, 3), -EINVAL);
    assert_int_equal(sock_shutdown(s, -1), -EINVAL);
    sock_close(s);
    sock_close(u);
}

/* RFC 9293 s3.6 case 1: the other side may go on. */
static void shutdown_of_writing_sends_a_fin_and_reading_goes_on(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_expect(p, "F. 1:1(0) ack 1");
    assert_int_equal(send_text(s, "x"), -EPIPE);
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_expect_nothing(p);
    peer_send(p, "P. 1:11(10) ack 2 win 65535");
    peer_read(p, s, 10);
    assert_int_equal(receive(s), -EAGAIN);
    peer_send(p, "F. 11:11(0) ack 2 win 65535");
    assert_int_equal(receive(s), 0);
    sock_close(s);
}

static void shutdown_of_reading_gives_the_end_of_the_stream(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(sock_shutdown(s, 0), 0);
    assert_int_equal(receive(s), 0);
    peer_expect_nothing(p);
    peer_write(p, s, 10);
    peer_expect(p, "P. 1:11(10) ack 1");
    sock_close(s);
}

static void shutdown_of_reading_ends_listening_and_keeps_the_port(void **state)
{
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80), *other = new_sock(p, STREAM, 0), *a;
    assert_int_equal(sock_shutdown(l, 1), 0);
    assert_int_equal(sock_accept(l, &a), -EAGAIN);
    assert_int_equal(sock_shutdown(l, 0), 0);
    assert_ptr_equal(stack_ready(p->st), l);
    assert_int_equal(sock_accept(l, &a), -EINVAL);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "R. 0:0(0) ack 1");
    assert_int_equal(bind_to(other, 0, 80), -EADDRINUSE);
    assert_int_equal(sock_listen(l, 5), 0);
    sock_close(l);
    sock_close(other);
}

static void shutdown_while_connecting_gives_it_up(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    peer_expect(p, "S 0:0(0) <...>");
    assert_int_equal(sock_shutdown(s, 2), 0);
    peer_expect_nothing(p);
    assert_ptr_equal(stack_ready(p->st), s);
    assert_int_equal(so_error(s), ECONNRESET);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EINPROGRESS);
    sock_close(s);
}

static void shut_datagram_sockets_read_the_end_and_break_the_pipe(void **state)
{
    struct sock *u = new_sock(*state, DATAGRAM, 0);
    assert_int_equal(connect_to(u, PEER, 53), 0);
    assert_int_equal(sock_shutdown(u, 2), 0);
    assert_int_equal(receive(u), 0);
    assert_int_equal(send_text(u, "x"), -EPIPE);
    sock_close(u);
}

/* --- close() --- */

static void close_ends_the_connection_in_good_order(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    peer_write(p, s, 10);
    sock_close(s);
    peer_expect(p, "P. 1:11(10) ack 1");
    peer_expect(p, "F. 11:11(0) ack 1");
    peer_send(p, "F. 1:1(0) ack 12 win 65535");
    peer_expect(p, ". 12:12(0) ack 2");
    assert_int_equal(p->st->tcp.n_time_wait, 1);
    peer_wait(p, 61 * USEC_PER_SEC);
    assert_int_equal(p->st->tcp.n_time_wait, 0);
    assert_int_equal(p->st->tcp.n_tcb, 0);
}

/* SO_LINGER with no time: RFC 9293 s3.10.5 ABORT. */
static void close_with_linger_0_resets(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    static const int linger[2] = { 1, 0 };
    assert_int_equal(sock_setopt(s, 1, 13, linger, sizeof linger), 0);
    sock_close(s);
    peer_expect(p, "R. 1:1(0) ack 1");
    stack_flush(p->st);
    assert_int_equal(p->st->tcp.n_tcb, 0);
}

/* RFC 2525 s2.17, RFC 9293 s3.6.1: unread text would be lost in silence. */
static void close_with_unread_text_resets(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    peer_skip(p);
    sock_close(s);
    peer_expect(p, "R. 1:1(0) ack 11");
}

static void a_socket_is_drained_when_its_fin_is_acknowledged(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_true(sock_drained(s));
    peer_write(p, s, 10);
    assert_false(sock_drained(s));
    assert_int_equal(sock_shutdown(s, 1), 0);
    peer_skip(p);
    peer_send(p, ". 1:1(0) ack 11 win 65535");
    assert_false(sock_drained(s));
    peer_send(p, ". 1:1(0) ack 12 win 65535");
    assert_true(sock_drained(s));
    sock_close(s);
}

/* --- errors and news --- */

/* RFC 9293 s3.10.7.4 second step; the error is told once, then the stream has ended. */
static void a_reset_connection_says_so_once(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    peer_send(p, "R. 1:1(0) ack 1 win 0");
    assert_ptr_equal(stack_ready(p->st), s);
    assert_null(stack_ready(p->st));
    assert_int_equal(receive(s), -ECONNRESET);
    assert_int_equal(receive(s), 0);
    assert_int_equal(send_text(s, "x"), -EPIPE);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EISCONN);
    assert_int_equal(sock_shutdown(s, 1), -ENOTCONN);
    sock_close(s);
}

static void each_socket_is_told_of_once_until_it_was_looked_at(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    while (stack_ready(p->st))
        ;
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    peer_send(p, "P. 11:21(10) ack 1 win 65535");
    assert_ptr_equal(stack_ready(p->st), s);
    assert_null(stack_ready(p->st));
    peer_send(p, "P. 21:31(10) ack 1 win 65535");
    sock_close(s);
    assert_null(stack_ready(p->st));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(families_types_and_protocols_are_those_of_linux),
        T(a_foreign_address_cannot_be_bound),
        T(a_socket_is_bound_once),
        T(a_port_belongs_to_one_socket_unless_both_say_reuse),
        T(a_listeners_port_is_taken_even_with_reuse),
        T(of_two_bound_to_a_port_one_may_listen),
        T(a_port_with_connections_can_be_bound_only_with_reuse),
        T(bind_to_port_0_chooses_one_of_the_ephemeral_range),
        T(getpeername_needs_a_connection),
        T(connected_datagrams_have_both_names),
        T(sockets_without_a_peer_say_what_is_missing),
        T(text_is_peeked_at_and_then_received),
        T(a_datagram_is_cut_to_the_buffer_and_its_length_told),
        T(shutdown_needs_a_connection_and_a_known_side),
        T(shutdown_of_writing_sends_a_fin_and_reading_goes_on),
        T(shutdown_of_reading_gives_the_end_of_the_stream),
        T(shutdown_of_reading_ends_listening_and_keeps_the_port),
        T(shutdown_while_connecting_gives_it_up),
        T(shut_datagram_sockets_read_the_end_and_break_the_pipe),
        T(close_ends_the_connection_in_good_order),
        T(close_with_linger_0_resets),
        T(close_with_unread_text_resets),
        T(a_socket_is_drained_when_its_fin_is_acknowledged),
        T(a_reset_connection_says_so_once),
        T(each_socket_is_told_of_once_until_it_was_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
