/* Super-segments beyond 64 KiB, on links that take them. Segments carry 1000 bytes, the
 * window and cwnd are wide open. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/peer_up.h"

enum { TEXT = 200000, FRAMES = 16, TOTAL_LEN = 14 + 2 };

/* What the link was given. */
static struct {
    size_t text[FRAMES];    /* of each frame, behind 54 bytes of headers */
    uint16_t total[FRAMES]; /* its IP header's total length */
    unsigned n;
    size_t most; /* a larger frame is refused, and LINK_BIG goes; 0: any is taken */
} got;

static int take(struct link *link, const struct pkt *p)
{
    if (got.most && pkt_total(p) > got.most) {
        link->caps &= ~(uint32_t)LINK_BIG;
        return -EAGAIN;
    }
    assert_true(got.n < FRAMES);
    got.total[got.n] = get16(p->data + TOTAL_LEN);
    got.text[got.n++] = pkt_total(p) - 54;
    return 0;
}

/* A connection over such a link, whose peer takes all that is sent. */
static struct sock *big_up(struct peer *p, size_t most)
{
    static const uint8_t zeros[TEXT];
    struct piece all = { zeros, TEXT };

    memset(&got, 0, sizeof got);
    got.most = most;
    peer_init(p);
    p->link.caps = LINK_TSO | LINK_BIG;
    peer_sysctl(p, "net.ipv4.tcp_wmem", "4096 524288 524288");
    struct sock *s = peer_up_win(p, "<mss 1000,wscale 7>", 65535);
    s->tcb->cc.cwnd = 1000000;
    p->link.caps |= LINK_CSUM; /* the peer has verified the handshake's sums */
    p->link.send = take;
    assert_int_equal(sock_send(s, &all, 1, 0, NULL), TEXT);
    stack_flush(p->st);
    return s;
}

static void such_a_link_gets_as_much_at_once_with_total_length_0(void **state)
{
    struct peer p;
    (void)state;
    big_up(&p, 0);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.text[0], 200000);
    assert_int_equal(got.total[0], 0);
    peer_free(&p);
}

static void a_link_that_cannot_after_all_gets_packets_and_nothing_is_lost(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = big_up(&p, 65535 + 14);
    assert_int_equal(got.n, 0);
    stack_unblock(p.st, &p.nif);
    assert_int_equal(got.n, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(got.text[i], 65000);
        assert_int_equal(got.total[i], 65040);
    }
    assert_int_equal(got.text[3], 5000);
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 0);
    assert_int_equal(seq_len(s->tcb->snd.una, s->tcb->snd.nxt), 200000);
    peer_free(&p);
}

/* Another connection's frame has told it already. */
static void a_frame_for_a_link_that_could_once_comes_again_smaller(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = big_up(&p, 0);
    p.link.caps &= ~(uint32_t)LINK_BIG;
    got.n = 0;
    peer_ack(&p, 200001, "");
    static const uint8_t zeros[TEXT];
    struct piece all = { zeros, 100000 };
    assert_int_equal(sock_send(s, &all, 1, 0, NULL), 100000);
    stack_flush(p.st);
    assert_int_equal(got.n, 0);
    stack_unblock(p.st, &p.nif);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.text[0], 65000);
    assert_int_equal(got.text[1], 35000);
    peer_free(&p);
}

/* A bridge that does not know such frames swallows them. */
static void after_a_time_out_there_are_no_more_of_them(void **state)
{
    struct peer p;
    (void)state;
    big_up(&p, 0);
    assert_int_equal(got.n, 1);
    peer_wait(&p, 300 * MS);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.text[1], 1000);
    for (unsigned ack = 1001; ack < 200001; ack += 65000)
        peer_ack(&p, ack, "");
    for (unsigned i = 2; i < got.n; i++)
        assert_in_range(got.text[i], 1, 65000);
    assert_true(got.n > 2);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(such_a_link_gets_as_much_at_once_with_total_length_0),
        cmocka_unit_test(a_link_that_cannot_after_all_gets_packets_and_nothing_is_lost),
        cmocka_unit_test(a_frame_for_a_link_that_could_once_comes_again_smaller),
        cmocka_unit_test(after_a_time_out_there_are_no_more_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
