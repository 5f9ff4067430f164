/* Readiness, as Linux's tcp_poll has it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer.h"

/* The numbers of poll(2). */
enum { IN = 0x001, OUT = 0x004, ERR = 0x008, HUP = 0x010, RDHUP = 0x2000 };

static int setup(void **state)
{
    static struct peer p;
    peer_init(&p);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    peer_free(*state);
    return 0;
}

static struct sock *datagrams(struct peer *p, int protocol)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->st->socks, 2, 2, protocol, &s), 0);
    return s;
}

static void a_fresh_socket_is_writable_and_hung_up(void **state)
{
    struct sock *s = peer_tcp(*state);
    assert_int_equal(sock_readiness(s), OUT | HUP);
    sock_close(s);
}

static void a_listener_is_readable_when_a_connection_waits(void **state)
{
    struct peer *p = *state;
    struct sock *l = peer_listen(p, 80);
    assert_int_equal(sock_readiness(l), 0);
    peer_send(p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(p, "S. 0:0(0) ack 1 <mss 1460>");
    assert_int_equal(sock_readiness(l), 0);
    peer_send(p, ". 1:1(0) ack 1 win 65535");
    assert_int_equal(sock_readiness(l), IN);
    struct sock *s = peer_accept(p, l);
    assert_int_equal(sock_readiness(l), 0);
    sock_close(l);
    sock_close(s);
}

static void connecting_is_nothing_until_it_is_done(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    assert_int_equal(sock_readiness(s), 0);
    peer_expect(p, "S 0:0(0) <...>");
    assert_int_equal(sock_readiness(s), 0);
    peer_send(p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    assert_int_equal(sock_readiness(s), OUT);
    sock_close(s);
}

static void a_refused_connection_is_everything(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    int value;
    size_t len = sizeof value;
    peer_expect(p, "S 0:0(0) <...>");
    peer_send(p, "R. 0:0(0) ack 1 win 0");
    assert_int_equal(sock_readiness(s), IN | OUT | ERR | HUP | RDHUP);
    assert_int_equal(sock_getopt(s, 1, 4, &value, &len), 0);
    assert_int_equal(sock_readiness(s), IN | OUT | HUP | RDHUP);
    sock_close(s);
}

static void text_makes_readable_and_reading_it_ends_that(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(sock_readiness(s), OUT);
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    assert_int_equal(sock_readiness(s), IN | OUT);
    peer_read(p, s, 10);
    assert_int_equal(sock_readiness(s), OUT);
    sock_close(s);
}

/* Text beyond a hole cannot be read yet. */
static void text_out_of_order_does_not_make_readable(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    peer_send(p, "P. 11:21(10) ack 1 win 65535");
    assert_int_equal(sock_readiness(s), OUT);
    peer_send(p, "P. 1:11(10) ack 1 win 65535");
    assert_int_equal(sock_readiness(s), IN | OUT);
    sock_close(s);
}

static void the_peers_end_is_readable_and_read_hang_up(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    peer_send(p, "F. 1:1(0) ack 1 win 65535");
    assert_int_equal(sock_readiness(s), IN | OUT | RDHUP);
    assert_int_equal(sock_shutdown(s, 1), 0);
    assert_int_equal(sock_readiness(s), IN | OUT | RDHUP | HUP);
    sock_close(s);
}

/* Writing after the end does not block: it fails. */
static void our_end_alone_stays_writable(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    assert_int_equal(sock_shutdown(s, 1), 0);
    assert_int_equal(sock_readiness(s), OUT);
    assert_int_equal(sock_shutdown(s, 0), 0);
    assert_int_equal(sock_readiness(s), IN | OUT | RDHUP | HUP);
    sock_close(s);
}

static void a_reset_connection_has_an_error_until_it_is_told(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    uint8_t buf[4];
    peer_send(p, "R. 1:1(0) ack 1 win 0");
    assert_int_equal(sock_readiness(s), IN | OUT | ERR | HUP | RDHUP);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, NULL), -ECONNRESET);
    assert_int_equal(sock_readiness(s), IN | OUT | HUP | RDHUP);
    sock_close(s);
}

/* Linux: writable when the free room is at least half of what is queued. */
static void writable_means_a_third_of_the_send_buffer_is_free(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1000>");
    int size = 3000; /* doubled: 6000 */
    assert_int_equal(sock_setopt(s, 1, 7, &size, sizeof size), 0);
    peer_write(p, s, 4000);
    assert_int_equal(sock_readiness(s), OUT);
    peer_write(p, s, 1000);
    assert_int_equal(sock_readiness(s), 0);
    peer_write(p, s, 1000);
    assert_int_equal(sock_readiness(s), 0);
    peer_skip(p);
    peer_send(p, ". 1:1(0) ack 1001 win 65535");
    assert_int_equal(sock_readiness(s), 0);
    peer_send(p, ". 1:1(0) ack 2001 win 65535");
    assert_int_equal(sock_readiness(s), OUT);
    assert_ptr_equal(stack_ready(p->st), s);
    sock_close(s);
}

static void datagram_sockets_are_always_writable(void **state)
{
    static const int protocol[] = { 17, 1 };
    struct peer *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(protocol); i++) {
        struct sock *s = datagrams(p, protocol[i]);
        struct sock_name to = { ip4_addr(0xc0000201), 53 };
        assert_int_equal(sock_readiness(s), OUT);
        assert_int_equal(sock_connect(s, &to), 0);
        assert_int_equal(sock_shutdown(s, 0), 0);
        assert_int_equal(sock_readiness(s), IN | OUT | RDHUP);
        assert_int_equal(sock_shutdown(s, 1), 0);
        assert_int_equal(sock_readiness(s), IN | OUT | RDHUP | HUP);
        sock_close(s);
    }
}

static void a_datagram_makes_readable_and_an_error_shows(void **state)
{
    struct peer *p = *state;
    struct sock *a = datagrams(p, 17), *b = datagrams(p, 17);
    struct sock_name name = { ip4_addr(0x7f000001), 5000 };
    struct piece piece = { (const uint8_t *)"x", 1 };
    uint8_t buf[4];
    assert_int_equal(sock_bind(b, &name), 0);
    assert_int_equal(sock_connect(a, &name), 0);
    assert_int_equal(sock_send(a, &piece, 1, 0, NULL), 1);
    stack_flush(p->st);
    assert_int_equal(sock_readiness(b), IN | OUT);
    assert_int_equal(sock_receive(b, buf, sizeof buf, 0, NULL), 1);
    assert_int_equal(sock_readiness(b), OUT);
    sock_close(b);
    /* RFC 1122 s4.1.3.3: port unreachable comes back to the sender. */
    assert_int_equal(sock_send(a, &piece, 1, 0, NULL), 1);
    stack_flush(p->st);
    assert_int_equal(sock_readiness(a), OUT | ERR);
    assert_int_equal(sock_receive(a, buf, sizeof buf, 0, NULL), -ECONNREFUSED);
    assert_int_equal(sock_readiness(a), OUT);
    sock_close(a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_fresh_socket_is_writable_and_hung_up),
        T(a_listener_is_readable_when_a_connection_waits),
        T(connecting_is_nothing_until_it_is_done),
        T(a_refused_connection_is_everything),
        T(text_makes_readable_and_reading_it_ends_that),
        T(text_out_of_order_does_not_make_readable),
        T(the_peers_end_is_readable_and_read_hang_up),
        T(our_end_alone_stays_writable),
        T(a_reset_connection_has_an_error_until_it_is_told),
        T(writable_means_a_third_of_the_send_buffer_is_free),
        T(datagram_sockets_are_always_writable),
        T(a_datagram_makes_readable_and_an_error_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
