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
#define ABSENT   0xc000024du /* 192.0.2.77: nobody */
#define FOREIGN  0xc6336401u /* 198.51.100.1 */
#define LOOPBACK 0x7f000001u /* 127.0.0.1 */

enum { STREAM = 1, DATAGRAM = 2, UDP = 17, ICMP = 1 };

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

static int so_error(struct sock *s)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, 1, 4, &value, &len), 0);
    return value;
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

/* --- connect() ------------------------------------------------------------------ */

static void connect_tells_its_progress_and_its_success_once(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EINPROGRESS);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EALREADY);
    peer_expect(p, "S 0:0(0) <...>");
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EALREADY);
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    assert_int_equal(connect_to(s, PEER, PEER_PORT), 0);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EISCONN);
    assert_int_equal(bind_to(s, 0, 99), -EINVAL);
    assert_int_equal(sock_listen(s, 5), -EINVAL);
    sock_close(s);
}

/* RFC 9293 s3.10.7.3: "connection refused". The socket can try again. */
static void a_refused_connect_says_so_and_may_be_repeated(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 50000);
    peer_expect(p, "S 0:0(0) <...>");
    peer_send(p, "R. 0:0(0) ack 1 win 0");
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -ECONNREFUSED);
    assert_int_equal(so_error(s), 0);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EINPROGRESS);
    peer_skip(p);
    sock_close(s);
}

static void so_error_takes_the_reason_and_connect_says_aborted(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    peer_expect(p, "S 0:0(0) <...>");
    peer_send(p, "R. 0:0(0) ack 1 win 0");
    assert_int_equal(so_error(s), ECONNREFUSED);
    assert_int_equal(so_error(s), 0);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -ECONNABORTED);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EINPROGRESS);
    sock_close(s);
}

/* RFC 1122 s4.2.3.5: SYNs are repeated for three minutes at least. tcp_syn_retries 7:
 * 1 + 2 + 4 + 8 + 16 + 32 + 64 + 120 = 247 seconds. */
static void a_connect_that_nobody_answers_times_out(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    peer_wait(p, 246 * USEC_PER_SEC);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -EALREADY);
    peer_wait(p, 2 * USEC_PER_SEC);
    assert_int_equal(connect_to(s, PEER, PEER_PORT), -ETIMEDOUT);
    sock_close(s);
}

static void a_neighbour_that_is_not_there_is_unreachable(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0);
    assert_int_equal(connect_to(s, ABSENT, 80), -EINPROGRESS);
    peer_wait(p, 5 * USEC_PER_SEC);
    assert_int_equal(connect_to(s, ABSENT, 80), -EHOSTUNREACH);
    sock_close(s);
}

static void without_a_route_the_network_is_unreachable(void **state)
{
    struct peer *p = *state;
    struct sock *s = new_sock(p, STREAM, 0), *u = new_sock(p, DATAGRAM, 0);
    p->st->net.routes.n--; /* the default route is the shortest, hence the last */
    assert_int_equal(connect_to(s, FOREIGN, 80), -ENETUNREACH);
    assert_int_equal(connect_to(u, FOREIGN, 80), -ENETUNREACH);
    assert_int_equal(connect_to(s, PEER, 80), -EINPROGRESS);
    sock_close(s);
    sock_close(u);
}

/* RFC 9293 s3.9.1.1 (MUST-46). */
static void tcp_does_not_connect_to_broadcast_and_multicast(void **state)
{
    static const uint32_t addr[] = { 0xffffffff, 0xc00002ff, 0xe0000001 };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(addr); i++)
        assert_int_equal(connect_to(s, addr[i], 80), -ENETUNREACH);
    sock_close(s);
}

static void datagrams_to_broadcast_need_an_option_that_is_not_there(void **state)
{
    static const int protocol[] = { UDP, ICMP };
    static const uint8_t echo[8] = { 8 };
    struct piece piece = { echo, sizeof echo };
    struct sock_name all = name_of(0xc00002ff, 9);
    for (size_t i = 0; i < ARRAY_LEN(protocol); i++) {
        struct sock *s = new_sock(*state, DATAGRAM, protocol[i]);
        assert_int_equal(sock_connect(s, &all), -EACCES);
        assert_int_equal(sock_send(s, &piece, 1, 0, &all), -EACCES);
        sock_close(s);
    }
}

static void a_socket_bound_to_loopback_does_not_leave_the_host(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0);
    assert_int_equal(bind_to(s, LOOPBACK, 0), 0);
    assert_int_equal(connect_to(s, PEER, 80), -EINVAL);
    sock_close(s);
}

static void when_no_port_is_left_there_is_no_address(void **state)
{
    struct peer *p = *state;
    struct sock *a = new_sock(p, STREAM, 0), *b = new_sock(p, STREAM, 0);
    peer_sysctl(p, "net.ipv4.ip_local_port_range", "50000 50000");
    assert_int_equal(connect_to(a, PEER, 80), -EINPROGRESS);
    assert_int_equal(connect_to(b, PEER, 80), -EADDRNOTAVAIL);
    assert_int_equal(connect_to(b, PEER, 81), -EINPROGRESS);
    sock_close(a);
    sock_close(b);
}

static void a_listener_does_not_connect(void **state)
{
    struct sock *s = peer_listen(*state, 80);
    assert_int_equal(connect_to(s, PEER, 80), -EISCONN);
    sock_close(s);
}

/* 0.0.0.0 as a destination is this host, as on Linux. */
static void a_stack_connects_to_itself(void **state)
{
    static const uint32_t addr[] = { LOOPBACK, STACK, 0, 0x7f010203 };
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80);
    for (size_t i = 0; i < ARRAY_LEN(addr); i++) {
        struct sock *s = new_sock(p, STREAM, 0), *a;
        uint8_t buf[10];
        assert_int_equal(connect_to(s, addr[i], 80), -EINPROGRESS);
        stack_flush(p->st);
        assert_int_equal(connect_to(s, addr[i], 80), 0);
        assert_int_equal(sock_accept(l, &a), 0);
        assert_int_equal(send_text(s, "hello"), 5);
        stack_flush(p->st);
        assert_int_equal(sock_receive(a, buf, sizeof buf, 0, NULL), 5);
        assert_memory_equal(buf, "hello", 5);
        sock_close(s);
        sock_close(a);
    }
    peer_expect_nothing(p);
    sock_close(l);
}

/* --- connect() to nobody: AF_UNSPEC --------------------------------------------- */

static int error_of(struct sock *s)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, 1, 4, &value, &len), 0);
    return value;
}

/* As tcp_disconnect(): a reset, told once, and a fresh socket with the same port. */
static void a_connection_that_is_dissolved_is_reset(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 5000);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT }, name;
    peer_expect(p, "S 0:0(0) <...>");
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    peer_expect(p, ". 1:1(0) ack 1");
    assert_int_equal(sock_disconnect(s), 0);
    peer_expect(p, "R. 1:1(0) ack 1");
    assert_int_equal(error_of(s), ECONNRESET);
    assert_int_equal(error_of(s), 0);
    assert_int_equal(sock_peer(s, &name), -ENOTCONN);
    assert_int_equal(sock_local(s, &name), 0);
    assert_int_equal(name.port, 5000);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    assert_int_equal(sock_disconnect(s), 0);
    assert_int_equal(error_of(s), ECONNRESET);
    assert_int_equal(sock_disconnect(s), 0);
    assert_int_equal(error_of(s), 0);
    sock_close(s);
    peer_skip(p);
}

static void a_listener_that_is_dissolved_is_fresh_again(void **state)
{
    struct sock *l = peer_listen(*state, 80), *a;
    assert_int_equal(sock_disconnect(l), 0);
    assert_int_equal(sock_accept(l, &a), -EINVAL);
    assert_int_equal(l->local.port, 80);
    assert_int_equal(sock_listen(l, 1), 0);
    sock_close(l);
}

static void datagrams_that_are_dissolved_have_no_peer(void **state)
{
    struct sock *u = new_sock(*state, DATAGRAM, 0);
    struct sock_name to = { ip4_addr(0xc0000201), 7 }, name;
    assert_int_equal(sock_connect(u, &to), 0);
    assert_int_equal(sock_disconnect(u), 0);
    assert_int_equal(sock_peer(u, &name), -ENOTCONN);
    sock_close(u);
}

/* --- listen() and accept() ------------------------------------------------------- */

static void listen_binds_a_port_where_there_is_none(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0);
    struct sock_name name;
    assert_int_equal(sock_listen(s, 5), 0);
    assert_int_equal(sock_local(s, &name), 0);
    assert_in_range(name.port, 32768, 60999);
    sock_close(s);
}

static void listening_twice_changes_the_backlog(void **state)
{
    struct sock *s = peer_listen(*state, 80);
    assert_int_equal(sock_listen(s, 1), 0);
    assert_int_equal(sock_listen(s, -1), 0);
    assert_int_equal(sock_listen(s, INT32_MAX), 0);
    sock_close(s);
}

static void only_listeners_accept(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0), *u = new_sock(*state, DATAGRAM, 0);
    struct sock *l = peer_listen(*state, 80), *a;
    assert_int_equal(sock_accept(s, &a), -EINVAL);
    assert_int_equal(sock_accept(u, &a), -EOPNOTSUPP);
    assert_int_equal(sock_listen(u, 5), -EOPNOTSUPP);
    assert_int_equal(sock_accept(l, &a), -EAGAIN);
    sock_close(s);
    sock_close(u);
    sock_close(l);
}

static void an_accepted_socket_inherits_its_listeners_options(void **state)
{
    static const int linger[2] = { 1, 7 };
    static const int64_t timeout[2] = { 3, 500000 };
    struct peer *p = *state;
    int on = 1, size = 20000, value;
    size_t len = sizeof value;
    struct sock *l = peer_listen(p, 80), *s;
    assert_int_equal(sock_setopt(l, 1, 13, linger, sizeof linger), 0);
    assert_int_equal(sock_setopt(l, 1, 20, timeout, sizeof timeout), 0);
    assert_int_equal(sock_setopt(l, 1, 8, &size, sizeof size), 0);
    assert_int_equal(sock_setopt(l, 6, 1, &on, sizeof on), 0);
    assert_int_equal(sock_setopt(l, 6, 13, "reno", 4), 0);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(p, ". 1:1(0) ack 1 win 65535");
    s = peer_accept(p, l);
    assert_true(s->linger_on);
    assert_int_equal(s->linger_sec, 7);
    assert_int_equal(s->rcv_timeout, 3500000);
    assert_int_equal(sock_getopt(s, 1, 8, &value, &len), 0);
    assert_int_equal(value, 40000);
    assert_int_equal(sock_getopt(s, 6, 1, &value, &len), 0);
    assert_int_equal(value, 1);
    assert_string_equal(tcp_get_options(s->tcb)->cc->name, "reno");
    sock_close(l);
    sock_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(connect_tells_its_progress_and_its_success_once),
        T(a_refused_connect_says_so_and_may_be_repeated),
        T(so_error_takes_the_reason_and_connect_says_aborted),
        T(a_connect_that_nobody_answers_times_out),
        T(a_neighbour_that_is_not_there_is_unreachable),
        T(without_a_route_the_network_is_unreachable),
        T(tcp_does_not_connect_to_broadcast_and_multicast),
        T(datagrams_to_broadcast_need_an_option_that_is_not_there),
        T(a_socket_bound_to_loopback_does_not_leave_the_host),
        T(when_no_port_is_left_there_is_no_address),
        T(a_listener_does_not_connect),
        T(a_stack_connects_to_itself),
        T(a_connection_that_is_dissolved_is_reset),
        T(a_listener_that_is_dissolved_is_fresh_again),
        T(datagrams_that_are_dissolved_have_no_peer),
        T(listen_binds_a_port_where_there_is_none),
        T(listening_twice_changes_the_backlog),
        T(only_listeners_accept),
        T(an_accepted_socket_inherits_its_listeners_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
