/* net.ipv4.tcp_mem and tcp_max_orphans: what connections do when memory is short. A
 * segment of 1000 bytes comes in a packet of 2048; a page is 4096. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "harness/peer_up.h"

static struct peer p;

/* Connection number i, whose reader and peer are the test's. */
static struct sock *another(unsigned i)
{
    peer_use(&p, i);
    return peer_establish(&p, "<mss 1460,sackOK>");
}

static struct sock *connection(void)
{
    peer_init(&p);
    return another(0);
}

static void end(struct sock *s)
{
    if (s)
        sock_close(s);
    peer_skip(&p);
    peer_free(&p);
}

/* n segments of 1000 bytes, from byte `from` on. */
static void text(unsigned from, unsigned n)
{
    for (unsigned i = 0; i < n; i++, from += 1000) {
        char line[80];
        snprintf(line, sizeof line, ". %u:%u(1000) ack 1 win 65000", from, from + 1000);
        peer_send(&p, line);
    }
    peer_skip(&p);
}

static size_t held(void)
{
    return p.st->tcp.mem.bytes;
}

/* Linux's proportions, 3 to 4 to 6, of the packets' memory: here 64 MiB. */
static void the_marks_follow_the_packets_memory(void **state)
{
    struct tcp_config c;
    (void)state;
    tcp_mem_default(&c, 64 << 20);
    assert_int_equal(c.mem_low, 6144);
    assert_int_equal(c.mem_pressure, 8192);
    assert_int_equal(c.mem_high, 12288);
    assert_int_equal(c.max_orphans, 16384);
}

static void what_buffers_take_is_counted_and_goes_with_them(void **state)
{
    struct sock *s = connection();
    assert_int_equal(held(), 0);
    text(1, 3);
    assert_int_equal(held(), 3 * 2048);
    text(5001, 2); /* beyond a hole */
    assert_int_equal(held(), 5 * 2048);
    peer_write(&p, s, 5000);
    assert_int_equal(held(), 5 * 2048 + 8192);
    peer_read(&p, s, 3000);
    assert_int_equal(held(), 2 * 2048 + 8192);
    peer_send(&p, "R 3001:3001(0) win 0");
    assert_int_equal(held(), 0);
    end(s);
}

/* Above the second mark it begins, below the first it ends; nstat's names. */
static void pressure_begins_above_its_mark_and_ends_below_low(void **state)
{
    struct sock *s = connection();
    peer_sysctl(&p, "net.ipv4.tcp_mem", "4 8 100");
    text(1, 16);
    assert_false(p.st->tcp.mem.pressure);
    text(16001, 1);
    assert_true(p.st->tcp.mem.pressure);
    assert_int_equal(peer_count(&p, "TcpExtTCPMemoryPressures"), 1);
    peer_wait(&p, 70 * MS);
    peer_read(&p, s, 8000);
    assert_true(p.st->tcp.mem.pressure);
    peer_read(&p, s, 1000);
    assert_false(p.st->tcp.mem.pressure);
    assert_int_equal(peer_count(&p, "TcpExtTCPMemoryPressuresChrono"), 70);
    end(s);
}

/* Under pressure a send buffer is 16 KiB at the most, when all is full 4 KiB; what it
 * has it keeps. */
static void send_buffers_stay_small_when_memory_is_short(void **state)
{
    static const struct {
        const char *mem;
        size_t room;
    } row[] = { { "1000 1000 1000", 1048576 },
                { "0 0 1000", 16384 },
                { "0 0 0", 4096 } };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct sock *s = connection();
        peer_sysctl(&p, "net.ipv4.tcp_mem", row[i].mem);
        text(1, 1);
        assert_int_equal(tcp_writable_room(s->tcb), row[i].room);
        struct piece big = { (const uint8_t *)calloc(1, 2 << 20), 2 << 20 };
        assert_int_equal(sock_send(s, &big, 1, 0, NULL), row[i].room);
        free((void *)(uintptr_t)big.at);
        end(s);
    }
}

/* The window that is offered: all of SO_RCVBUF, four segments, nothing beyond what is
 * there. It does not go back (RFC 9293 s3.8.6, SHLD-14), so it is seen where it would
 * move. */
static void windows_stay_small_when_memory_is_short(void **state)
{
    static const struct {
        const char *mem;
        uint32_t rcvbuf;
    } row[] = { { "1000 1000 1000", 1048576 },
                { "0 0 1000", 5840 },
                { "0 0 0", 1000 } };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct sock *s = connection();
        peer_sysctl(&p, "net.ipv4.tcp_mem", row[i].mem);
        text(1, 1);
        assert_int_equal(tcp_mem_rcvbuf(s->tcb), row[i].rcvbuf);
        end(s);
    }
}

/* What is full packs text that is in order before it refuses any. */
static void text_is_packed_before_it_is_refused(void **state)
{
    struct sock *s = connection();
    peer_sysctl(&p, "net.ipv4.tcp_mem", "2 4 8");
    text(1, 16);
    assert_int_equal(held(), 16 * 2048);
    text(16001, 2);
    assert_true(held() < 16 * 2048);
    assert_true(peer_count(&p, "TcpExtPruneCalled") > 0);
    assert_true(peer_count(&p, "TcpExtTCPRcvCollapsed") > 0);
    assert_true(tcp_readable(s->tcb) >= 17000);
    peer_read(&p, s, (uint32_t)tcp_readable(s->tcb));
    end(s);
}

/* RFC 2018 s8: what lies beyond a hole may be given up, and comes again. */
static void text_beyond_a_hole_is_given_up_for_text_in_order(void **state)
{
    struct sock *s = connection();
    text(2001, 17);
    assert_int_equal(s->tcb->rcv.q.ofo_len, 17000);
    peer_sysctl(&p, "net.ipv4.tcp_mem", "2 4 8");
    text(1, 1);
    assert_int_equal(s->tcb->rcv.q.ofo_len, 0);
    assert_int_equal(peer_count(&p, "TcpExtOfoPruned"), 1);
    assert_int_equal(peer_drops(&p, "TcpOfoFull"), 17);
    peer_read(&p, s, 1000);
    end(s);
}

/* However many connections nobody reads: whoever reads goes on. */
static void a_reader_goes_on_beside_those_that_do_not_read(void **state)
{
    struct sock *s[4] = { connection(), another(1), another(2), another(3) };
    peer_sysctl(&p, "net.ipv4.tcp_mem", "2 4 8");
    for (unsigned i = 0; i < 3; i++) {
        peer_use(&p, i);
        text(1, 20);
    }
    assert_true(held() > 8 * 4096);
    peer_use(&p, 3);
    for (unsigned i = 0; i < 50; i++) {
        text(1 + i * 1000, 1);
        peer_read(&p, s[3], 1000);
    }
    for (unsigned i = 1; i < 4; i++)
        sock_close(s[i]);
    end(s[0]);
}

/* The stack's pool of packets is a measure as well: each connection may have one packet
 * of its fourth part, and there are only as many connections as that allows. */
static void a_small_pool_admits_few_connections(void **state)
{
    struct sock *l, *s;
    peer_init(&p);
    p.st->net.pool.reserve = 0;
    p.st->net.pool.limit = 2 * 4 * 2048;
    l = peer_listen(&p, 80);
    struct sock *a = peer_tcp(&p), *b = peer_tcp(&p);
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    assert_int_equal(sock_connect(a, &to), -EINPROGRESS);
    assert_int_equal(sock_connect(b, &to), -EINPROGRESS);
    s = peer_tcp(&p);
    assert_int_equal(sock_connect(s, &to), -ENOMEM);
    peer_skip(&p);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpNoMemory"), 1);
    sock_close(a);
    sock_close(b);
    sock_close(s);
    end(l);
}

/* --- connections that nobody owns --- */

/* As Linux: one more than tcp_max_orphans is reset at once. */
static void one_orphan_too_many_is_reset(void **state)
{
    struct sock *a = connection(), *b = another(1);
    peer_sysctl(&p, "net.ipv4.tcp_max_orphans", "1");
    peer_use(&p, 0);
    sock_close(a);
    peer_expect(&p, "F. 1:1(0) ack 1");
    assert_int_equal(p.st->tcp.mem.n_orphans, 1);
    peer_use(&p, 1);
    sock_close(b);
    peer_expect(&p, "R. 1:1(0) ack 1");
    assert_int_equal(peer_count(&p, "TcpExtTCPAbortOnMemory"), 1);
    assert_int_equal(p.st->tcp.mem.n_orphans, 1);
    peer_use(&p, 0);
    peer_send(&p, ". 1:1(0) ack 2 win 65000");
    peer_send(&p, "F. 1:1(0) ack 2 win 65000");
    assert_int_equal(p.st->tcp.mem.n_orphans, 0);
    end(NULL);
}

/* One whose peer takes nothing gives its buffer back when memory is full. */
static void an_orphan_that_holds_much_goes_when_memory_is_full(void **state)
{
    struct sock *s = connection();
    peer_write(&p, s, 20000);
    sock_close(s);
    peer_skip(&p);
    peer_sysctl(&p, "net.ipv4.tcp_mem", "0 0 1");
    peer_wait(&p, 2 * SEC);
    assert_int_equal(peer_count(&p, "TcpExtTCPAbortOnMemory"), 1);
    assert_int_equal(held(), 0);
    end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_marks_follow_the_packets_memory),
        cmocka_unit_test(what_buffers_take_is_counted_and_goes_with_them),
        cmocka_unit_test(pressure_begins_above_its_mark_and_ends_below_low),
        cmocka_unit_test(send_buffers_stay_small_when_memory_is_short),
        cmocka_unit_test(windows_stay_small_when_memory_is_short),
        cmocka_unit_test(text_is_packed_before_it_is_refused),
        cmocka_unit_test(text_beyond_a_hole_is_given_up_for_text_in_order),
        cmocka_unit_test(a_reader_goes_on_beside_those_that_do_not_read),
        cmocka_unit_test(a_small_pool_admits_few_connections),
        cmocka_unit_test(one_orphan_too_many_is_reset),
        cmocka_unit_test(an_orphan_that_holds_much_goes_when_memory_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
