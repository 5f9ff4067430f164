/* Text through sockets, without waiting. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer.h"

static struct peer p;

static int setup(void **state)
{
    peer_init(&p);
    return 0;
}

static int teardown(void **state)
{
    peer_free(&p);
    return 0;
}

static void a_fresh_stream_is_a_broken_pipe_and_not_connected(void **state)
{
    struct sock *s = peer_tcp(&p);
    char byte = 0;
    struct piece text = { (const uint8_t *)&byte, 1 };
    assert_int_equal(sock_send(s, &text, 1, 0, NULL), -EPIPE);
    assert_int_equal(sock_receive(s, &byte, 1, 0, NULL), -ENOTCONN);
    sock_close(s);
}

/* RFC 6093 s6: as with SO_OOBINLINE. */
static void urgent_text_is_not_taken_out_of_the_stream(void **state)
{
    struct sock *s = peer_establish(&p, "<mss 1460>");
    char byte;
    peer_send(&p, "PU. 1:2(1) ack 1 win 65535 urg 1");
    assert_int_equal(sock_receive(s, &byte, 1, 0x01, NULL), -EINVAL);
    assert_int_equal(sock_receive(s, &byte, 1, 0, NULL), 1);
    sock_close(s);
}

static void a_stream_fills_rooms_and_keeps_the_rest(void **state)
{
    struct sock *s = peer_establish(&p, "<mss 1460>");
    uint8_t buf[6];
    const struct room to[] = { { buf, 2 }, { NULL, 3 }, { buf + 2, 4 } };
    struct sock_message got;
    peer_send(&p, "P. 1:11(10) ack 1 win 65535");
    assert_int_equal(sock_receive_message(s, to, 3, 0, &got), 9);
    assert_int_equal(got.len, 9);
    assert_false(got.datagram);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(buf[i], peer_byte(i < 2 ? i : i + 3));
    assert_int_equal(sock_receive(s, buf, 6, 0, NULL), 1);
    sock_close(s);
}

/* As tcp_recvmsg(): all that was asked for, or SO_RCVLOWAT, but no more than there is
 * room for; a datagram is one. */
static void what_is_worth_waiting_for(void **state)
{
    struct sock *s = peer_tcp(&p), *d;
    sock_new(&p.st->socks, 2, 2, 17, &d);
    s->rcv_low = 100;
    assert_int_equal(sock_receive_target(s, 1000, false), 100);
    assert_int_equal(sock_receive_target(s, 10, false), 10);
    assert_int_equal(sock_receive_target(s, 1000, true), 1000);
    s->rcv_low = 0;
    assert_int_equal(sock_receive_target(s, 1000, false), 1);
    assert_int_equal(sock_receive_target(d, 1000, true), 1);
    sock_close(s);
    sock_close(d);
}

/* tcp(7): SIOCOUTQ counts what is not acknowledged, and the FIN. */
static void what_waits_is_counted(void **state)
{
    struct sock *s = peer_establish(&p, "<mss 1000>");
    size_t n;
    peer_write(&p, s, 20000);
    assert_int_equal(sock_queued(s, SOCK_QUEUE_OUT, &n), 0);
    assert_int_equal(n, 20000);
    assert_int_equal(sock_queued(s, SOCK_QUEUE_NOT_SENT, &n), 0);
    assert_int_equal(n, 10000);
    assert_int_equal(sock_shutdown(s, 1), 0);
    assert_int_equal(sock_queued(s, SOCK_QUEUE_NOT_SENT, &n), 0);
    assert_int_equal(n, 10001);
    assert_int_equal(sock_queued(s, SOCK_QUEUE_OUT, &n), 0);
    assert_int_equal(n, 20001);
    sock_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_fresh_stream_is_a_broken_pipe_and_not_connected),
        T(urgent_text_is_not_taken_out_of_the_stream),
        T(a_stream_fills_rooms_and_keeps_the_rest),
        T(what_is_worth_waiting_for),
        T(what_waits_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
