/* How much of a send the send buffer takes: SO_SNDBUF, TCP_NOTSENT_LOWAT, and what
 * Linux makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

enum { LEVEL_TCP = 6, NOTSENT_LOWAT = 25, OUT = 4 };

static struct peer p;

/* A connection to a peer with segments of 1000 and a window of 32000: a packet is 16
 * segments. The send buffer has room for 50000. */
static struct sock *connected(const char *pieces, const char *lowat)
{
    peer_init(&p);
    peer_sysctl(&p, "tapir.tcp_send_pieces", pieces);
    peer_sysctl(&p, "net.ipv4.tcp_notsent_lowat", lowat);
    peer_sysctl(&p, "net.ipv4.tcp_wmem", "4096 50000 4194304");
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 32000 <mss 1000>");
    peer_expect(&p, "S. 0:0(0) ack 1 <...>");
    peer_send(&p, ". 1:1(0) ack 1 win 32000");
    struct sock *s = peer_accept(&p, l);
    sock_close(l);
    return s;
}

static ssize_t send_n(struct sock *s, size_t n)
{
    static const uint8_t text[200000];
    const struct piece piece = { text, n };
    return sock_send(s, &piece, 1, 0, NULL);
}

static void end(struct sock *s)
{
    peer_linger_zero(s);
    sock_close(s);
    peer_skip(&p);
    peer_free(&p);
}

static void bytes_are_counted(void **state)
{
    struct sock *s = connected("0", "4294967295");
    assert_int_equal(send_n(s, 60000), 50000);
    assert_int_equal(send_n(s, 1), -EAGAIN);
    end(s);
}

/* 10000 leave at once, the rest of that packet is filled; the last one is begun when
 * 42000 are queued. */
static void packets_are_counted(void **state)
{
    struct sock *s = connected("1", "4294967295");
    assert_int_equal(send_n(s, 60000), 58000);
    assert_int_equal(send_n(s, 1), -EAGAIN);
    end(s);
}

static void a_packet_is_filled_by_a_later_send(void **state)
{
    struct sock *s = connected("1", "4000");
    assert_int_equal(send_n(s, 12000), 12000);
    peer_wait(&p, 1);
    peer_skip(&p); /* 10000 left, 2000 wait in a packet that has begun */
    assert_int_equal(send_n(s, 60000), 14000);
    assert_int_equal(send_n(s, 1), -EAGAIN);
    end(s);
}

/* tcp(7): no packet is begun once so much is unsent. */
static void the_tunable_bounds_what_is_unsent(void **state)
{
    struct sock *s = connected("1", "4000");
    assert_int_equal(send_n(s, 60000), 26000);
    end(s);
    s = connected("1", "32000");
    assert_int_equal(send_n(s, 60000), 42000);
    end(s);
    s = connected("0", "4000");
    assert_int_equal(send_n(s, 60000), 4000);
    end(s);
}

static void the_option_stands_above_the_tunable(void **state)
{
    int most = -1, own = 8000;
    struct sock *s = connected("0", "4000");
    sock_setopt(s, LEVEL_TCP, NOTSENT_LOWAT, &own, sizeof own);
    assert_int_equal(send_n(s, 60000), 8000);
    end(s);
    s = connected("0", "4000");
    sock_setopt(s, LEVEL_TCP, NOTSENT_LOWAT, &most, sizeof most);
    assert_int_equal(send_n(s, 60000), 50000);
    end(s);
}

/* Half of it must be free: what 2000 acknowledged bytes let leave. */
static void a_sender_is_woken_when_half_of_it_was_sent(void **state)
{
    struct sock *s = connected("1", "16000");
    assert_int_equal(send_n(s, 60000), 26000);
    peer_wait(&p, 1);
    peer_skip(&p);
    assert_int_equal(sock_readiness(s) & OUT, 0); /* 16000 of 16000 */
    peer_send(&p, ". 1:1(0) ack 4001 win 32000");
    assert_int_equal(sock_readiness(s) & OUT, 0); /* 8000 */
    peer_send(&p, ". 1:1(0) ack 5001 win 32000");
    assert_int_equal(sock_readiness(s) & OUT, OUT);
    end(s);
}

/* --- text that is read into it --- */

static struct {
    struct tcp_source source;
    ssize_t result; /* of the next read; 0: all that there is room for */
    size_t asked;   /* room that the last one had; 0: there was none */
} reads;

static ssize_t fill(struct tcp_source *s, const struct room *to, int n)
{
    reads.asked = 0;
    for (int i = 0; i < n; i++) {
        memset(to[i].at, 'x', to[i].len);
        reads.asked += to[i].len;
    }
    return reads.result ? reads.result : (ssize_t)reads.asked;
}

static ssize_t send_from(struct sock *s, size_t n, ssize_t result)
{
    reads.source.read = fill;
    reads.result = result;
    reads.asked = 0;
    return sock_send_from(s, &reads.source, n);
}

/* What a device takes at once is 65 segments of 1000. No third of the buffer is free
 * until more than 65000 are acknowledged. */
static void it_is_read_in_whole_frames_when_there_is_room(void **state)
{
    struct sock *s = connected("0", "4294967295");
    s->tcb->opt.sndbuf = 200000;
    assert_int_equal(send_from(s, 1000000, 0), 195000);
    assert_int_equal(reads.asked, 195000);
    assert_int_equal(send_from(s, 805000, 0), -EAGAIN);
    assert_int_equal(reads.asked, 0);
    assert_int_equal(sock_readiness(s) & OUT, 0);
    end(s);
}

/* The end of it need not fill anything, and does not wait. */
static void its_end_leaves_with_a_push(void **state)
{
    struct sock *s = connected("0", "4294967295");
    assert_int_equal(send_from(s, 1500, 0), 1500);
    stack_flush(p.st);
    peer_expect(&p, ". 1:1001(1000) ack 1 <...>");
    peer_expect(&p, "P. 1001:1501(500) ack 1 <...>");
    end(s);
}

/* As behind MSG_MORE: what is not a whole segment waits for what was not there yet. */
static void a_source_that_had_less_has_more_later(void **state)
{
    struct sock *s = connected("0", "4294967295");
    assert_int_equal(send_from(s, 4000, 1500), 1500);
    stack_flush(p.st);
    peer_expect(&p, ". 1:1001(1000) ack 1 <...>");
    peer_expect_nothing(&p);
    assert_int_equal(send_from(s, 2500, 0), 2500);
    stack_flush(p.st);
    peer_expect(&p, ". 1001:2001(1000) ack 1 <...>");
    peer_expect(&p, ". 2001:3001(1000) ack 1 <...>");
    peer_expect(&p, "P. 3001:4001(1000) ack 1 <...>");
    end(s);
}

static void a_source_that_fails_leaves_nothing(void **state)
{
    struct sock *s = connected("0", "4294967295");
    assert_int_equal(send_from(s, 4000, -EIO), -EIO);
    assert_int_equal(reads.asked, 4000);
    assert_int_equal(s->tcb->snd.buf.cap, 0);
    stack_flush(p.st);
    peer_expect_nothing(&p);
    assert_int_equal(send_n(s, 500), 500);
    stack_flush(p.st);
    peer_expect(&p, "P. 1:501(500) ack 1 <...>");
    end(s);
}

static void nothing_is_read_for_who_cannot_send(void **state)
{
    struct sock *s = connected("0", "4294967295");
    sock_shutdown(s, 1);
    assert_int_equal(send_from(s, 4000, 0), -EPIPE);
    assert_int_equal(reads.asked, 0);
    end(s);
    peer_init(&p);
    s = peer_connect(&p, 5000);
    assert_int_equal(send_from(s, 4000, 0), -EAGAIN);
    assert_int_equal(reads.asked, 0);
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_counted),
        cmocka_unit_test(packets_are_counted),
        cmocka_unit_test(a_packet_is_filled_by_a_later_send),
        cmocka_unit_test(the_tunable_bounds_what_is_unsent),
        cmocka_unit_test(the_option_stands_above_the_tunable),
        cmocka_unit_test(a_sender_is_woken_when_half_of_it_was_sent),
        cmocka_unit_test(it_is_read_in_whole_frames_when_there_is_room),
        cmocka_unit_test(its_end_leaves_with_a_push),
        cmocka_unit_test(a_source_that_had_less_has_more_later),
        cmocka_unit_test(a_source_that_fails_leaves_nothing),
        cmocka_unit_test(nothing_is_read_for_who_cannot_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
