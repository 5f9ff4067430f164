/* SYN cookies, through the stack's wire: RFC 4987 s3.6. With tcp_max_syn_backlog 0
 * every SYN finds the queue full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"
#include "tcp/tcp_cookie.h"

static struct peer p;

static struct sock *listening(const char *syncookies)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_max_syn_backlog", "0");
    peer_sysctl(&p, "net.ipv4.tcp_syncookies", syncookies);
    p.at->stack_port = 80;
    return peer_listen(&p, 80);
}

static void end(struct sock *l)
{
    sock_close(l);
    peer_free(&p);
}

static void a_cookie_is_a_syn_ack_that_leaves_nothing_behind(void **state)
{
    struct sock *l = listening("1");
    size_t deadlines = p.st->net.heap.n;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
    assert_int_equal(l->listener->n_half_open, 0);
    assert_int_equal(p.st->tcp.n_hashed, 0);
    assert_int_equal(p.st->net.heap.n, deadlines);
    assert_int_equal(peer_count(&p, "TcpExtSyncookiesSent"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPReqQFullDrop"), 0);
    peer_wait(&p, 60 * USEC_PER_SEC); /* nobody sends it again */
    peer_expect_nothing(&p);
    end(l);
}

static void the_ack_of_a_cookie_makes_a_connection_and_its_text_is_taken(void **state)
{
    struct sock *l = listening("1");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 101");
    struct sock *s = peer_accept(&p, l);
    assert_string_equal(peer_state(s), "ESTAB");
    peer_read(&p, s, 100);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 101");
    assert_int_equal(peer_count(&p, "TcpExtSyncookiesRecv"), 1);
    assert_int_equal(peer_count(&p, "TcpPassiveOpens"), 1);
    assert_int_equal(l->listener->n_half_open, 0);
    sock_close(s);
    end(l);
}

/* The FIN that the ACK carries counts as well. */
static void text_and_fin_with_the_ack_of_a_cookie_arrive(void **state)
{
    struct sock *l = listening("1");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, "FP. 1:101(100) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 102");
    struct sock *s = peer_accept(&p, l);
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), 0);
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    sock_close(s);
    end(l);
}

/* What the SYN offered comes back in the echo: window scale, SACK, timestamps. */
static void options_survive_a_cookie_in_the_timestamp(void **state)
{
    struct sock *l = listening("1");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1400,sackOK,TS val 500 ecr 0,wscale 3>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 500,wscale 7>");
    peer_send(&p, ". 1:1(0) ack 1 win 1000 <TS val 510 ecr 0>");
    struct sock *s = peer_accept(&p, l);
    assert_true(s->tcb->sack_ok && s->tcb->ts.on && s->tcb->wscale_ok);
    assert_int_equal(s->tcb->snd.wscale, 3);
    assert_int_equal(s->tcb->rcv.wscale, 7);
    assert_int_equal(s->tcb->snd.mss, 1400);
    assert_int_equal(s->tcb->snd.wnd, 8000);
    assert_int_equal(s->tcb->ts.recent, 510);
    sock_close(s);
    end(l);
}

/* RFC 3168 s6.1.1, and ECN too. */
static void ecn_survives_a_cookie_in_the_timestamp(void **state)
{
    static const struct {
        const char *syn, *syn_ack;
        bool ok;
    } row[] = {
        { "SEW 0:0(0) win 1000 <mss 1400,TS val 500 ecr 0>",
          "SE. 0:0(0) ack 1 <mss 1460,TS val * ecr 500>", true },
        { "S 0:0(0) win 1000 <mss 1400,TS val 500 ecr 0>",
          "S. 0:0(0) ack 1 <mss 1460,TS val * ecr 500>", false },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sock *l = listening("1");
        peer_send(&p, row[i].syn);
        peer_expect(&p, row[i].syn_ack);
        peer_send(&p, ". 1:1(0) ack 1 win 1000 <TS val 510 ecr 0>");
        struct sock *s = peer_accept(&p, l);
        assert_int_equal(s->tcb->ecn.ok, row[i].ok);
        sock_close(s);
        end(l);
    }
}

/* Without a timestamp there is nothing to carry them in, so they are not agreed on. */
static void without_timestamps_a_cookie_agrees_on_the_mss_alone(void **state)
{
    struct sock *l = listening("1");
    peer_send(&p, "SEW 0:0(0) win 1000 <mss 1300,sackOK,wscale 3>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    struct sock *s = peer_accept(&p, l);
    assert_false(s->tcb->sack_ok || s->tcb->ts.on || s->tcb->wscale_ok);
    assert_int_equal(s->tcb->snd.mss, 1300);
    assert_int_equal(s->tcb->snd.wnd, 1000);
    sock_close(s);
    end(l);
}

/* RFC 9293 s3.10.7.2, second: an ACK for a listener is answered with a RST. */
static void an_ack_that_brings_no_cookie_is_reset(void **state)
{
    static const char *const ack[] = { ". 1:1(0) ack 2 win 1000",
                                       ". 2:2(0) ack 1 win 1000" };
    static const char *const rst[] = { "R 2:2(0)", "R 1:1(0)" };
    for (int i = 0; i < 2; i++) {
        struct sock *l = listening("1");
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
        peer_send(&p, ack[i]);
        peer_expect(&p, rst[i]);
        assert_int_equal(peer_count(&p, "TcpExtSyncookiesFailed"), 1);
        assert_int_equal(p.st->tcp.n_tcb, 0);
        end(l);
    }
}

/* The count of 64 seconds and the one before are good: a minute always is, and two and
 * a bit never. */
static void a_cookie_is_good_for_one_to_two_minutes(void **state)
{
    static const struct {
        int64_t after;
        bool good;
    } row[] = { { 63, true }, { 127, true }, { 128, false }, { 2048, false } };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sock *l = listening("2");
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
        peer_wait(&p, row[i].after * USEC_PER_SEC);
        peer_send(&p, ". 1:1(0) ack 1 win 1000");
        if (!row[i].good)
            peer_expect(&p, "R 1:1(0)");
        assert_int_equal(p.st->tcp.n_tcb, row[i].good);
        end(l);
    }
}

/* The largest of 536 1220 1300 1400 1440 1452 1460 8960 that is not above it. */
static void a_cookie_tells_the_mss_of_its_syn_rounded_down(void **state)
{
    static const uint16_t row[][2] = { { 100, 536 },   { 536, 536 },   { 1219, 536 },
                                       { 1220, 1220 }, { 1459, 1452 }, { 1460, 1460 },
                                       { 8959, 1460 }, { 65000, 8960 } };
    struct sock *l = listening("1");
    struct tcp_slot slot = { .local_port = 80, .remote_port = 1 };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint16_t mss = 0;
        struct seq iss = tcp_cookie_make(&p.st->tcp, &slot, seq_at(7), row[i][0]);
        assert_true(tcp_cookie_check(&p.st->tcp, &slot, seq_at(7), iss, &mss));
        assert_int_equal(mss, row[i][1]);
    }
    end(l);
}

/* Another address, port, number of the peer or bit of ours: none passes. */
static void a_cookie_is_good_for_its_own_connection_only(void **state)
{
    struct sock *l = listening("1");
    struct tcp_slot slot = { .local_port = 80, .remote_port = 1 }, other = slot;
    struct seq iss = tcp_cookie_make(&p.st->tcp, &slot, seq_at(7), 1460);
    uint16_t mss;
    other.remote_port = 2;
    assert_false(tcp_cookie_check(&p.st->tcp, &other, seq_at(7), iss, &mss));
    other = slot;
    other.remote.b[15] ^= 1;
    assert_false(tcp_cookie_check(&p.st->tcp, &other, seq_at(7), iss, &mss));
    assert_false(tcp_cookie_check(&p.st->tcp, &slot, seq_at(8), iss, &mss));
    for (int bit = 0; bit < 24; bit++)
        assert_false(tcp_cookie_check(&p.st->tcp, &slot, seq_at(7),
                                      seq_at(iss.n ^ 1u << bit), &mss));
    end(l);
}

static void syncookies_0_drops_what_the_queue_has_no_room_for(void **state)
{
    struct sock *l = listening("0");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpSynQueueFull"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTCPReqQFullDrop"), 1);
    end(l);
}

/* Without cookies the oldest that was asked twice makes room; young ones survive. */
static void without_cookies_the_oldest_half_open_entry_makes_room(void **state)
{
    struct sock *l = listening("0");
    peer_sysctl(&p, "net.ipv4.tcp_max_syn_backlog", "2");
    for (unsigned i = 0; i < 3; i++) {
        peer_use(&p, i);
        p.at->stack_port = 80;
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        if (i < 2)
            peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    }
    peer_expect_nothing(&p); /* both are young */
    peer_wait(&p, USEC_PER_SEC);
    peer_skip(&p); /* both SYN-ACKs once more */
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    assert_int_equal(l->listener->n_half_open, 2);
    peer_use(&p, 1); /* the younger of the two is there yet */
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    assert_int_equal(p.st->tcp.n_tcb, 1);
    sock_close(peer_accept(&p, l));
    end(l);
}

/* A full accept queue: the ACK is left to be sent again, and its cookie is still good.
 */
static void a_cookie_waits_for_room_in_the_accept_queue(void **state)
{
    struct sock *l = listening("2");
    assert_int_equal(sock_listen(l, 1), 0);
    for (unsigned i = 0; i < 2; i++) {
        peer_use(&p, i);
        p.at->stack_port = 80;
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    }
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_use(&p, 0);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, "TcpListenOverflow"), 1);
    struct sock *first = peer_accept(&p, l);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    struct sock *second = peer_accept(&p, l);
    assert_string_equal(peer_state(second), "ESTAB");
    sock_close(first);
    sock_close(second);
    end(l);
}

/* A cookie gives no round-trip sample, but that is no reason to begin slowly. */
static void a_connection_from_a_cookie_begins_like_any_other(void **state)
{
    struct sock *l = listening("1");
    peer_send(&p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_wait(&p, 300 * USEC_PER_MS);
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    assert_int_equal(s->tcb->rtt.srtt, 0);
    assert_int_equal(s->tcb->cc.cwnd, 14600);
    sock_close(s);
    end(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_a_syn_ack_that_leaves_nothing_behind),
        cmocka_unit_test(the_ack_of_a_cookie_makes_a_connection_and_its_text_is_taken),
        cmocka_unit_test(text_and_fin_with_the_ack_of_a_cookie_arrive),
        cmocka_unit_test(options_survive_a_cookie_in_the_timestamp),
        cmocka_unit_test(ecn_survives_a_cookie_in_the_timestamp),
        cmocka_unit_test(without_timestamps_a_cookie_agrees_on_the_mss_alone),
        cmocka_unit_test(an_ack_that_brings_no_cookie_is_reset),
        cmocka_unit_test(a_cookie_is_good_for_one_to_two_minutes),
        cmocka_unit_test(a_cookie_tells_the_mss_of_its_syn_rounded_down),
        cmocka_unit_test(a_cookie_is_good_for_its_own_connection_only),
        cmocka_unit_test(syncookies_0_drops_what_the_queue_has_no_room_for),
        cmocka_unit_test(without_cookies_the_oldest_half_open_entry_makes_room),
        cmocka_unit_test(a_cookie_waits_for_room_in_the_accept_queue),
        cmocka_unit_test(a_connection_from_a_cookie_begins_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
