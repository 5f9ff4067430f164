/* Classes 16 to 27 of the table that test_bug_classes.c begins: how connections end,
 * what is left of them, and segments that belong elsewhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/pair.h"
#include "harness/peer_up.h"
#include "wire/dump.h"

static struct peer p;

static struct sock *up(void)
{
    peer_init(&p);
    return peer_up(&p);
}

static size_t connections(void)
{
    return p.st->tcp.n_tcb;
}

/* Connection i of a peer that speaks to port 80: SYN and SYN-ACK. */
static void half_open(unsigned i)
{
    peer_use(&p, i);
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
}

/* --- the end of a connection: classes 16 to 22 --- */

/* 16. Simultaneous close: the wrong states, or a FIN that goes again without its bit.
 * RFC 9293 s3.6, figure 13. */
static void class_16_simultaneous_close(void **state)
{
    struct peer_arrows arrows;
    peer_arrows_init(&arrows);
    peer_init_mtu(&p, 1500, &arrows.trace);
    struct sock *s = peer_up(&p);
    arrows.text[0] = '\0';
    peer_write(&p, s, 10);
    sock_close(s);
    peer_expect(&p, "P. 1:11(10) ack 1");
    peer_expect(&p, "F. 11:11(0) ack 1");
    peer_wait(&p, 100 * MS);
    peer_send(&p, "F. 1:1(0) ack 11 win 65535");
    peer_expect(&p, ". 12:12(0) ack 2");
    peer_expect_after(&p, 300 * MS, "F. 11:11(0) ack 2");
    peer_expect_after(&p, 600 * MS, "F. 11:11(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 12 win 65535");
    assert_string_equal(arrows.text,
                        "ESTAB>FIN-WAIT-1 FIN-WAIT-1>CLOSING CLOSING>TIME-WAIT");
    peer_wait(&p, 60 * SEC);
    peer_expect_nothing(&p);
    assert_int_equal(p.st->tcp.n_time_wait, 0);
    peer_free(&p);
}

/* 17. A FIN that is lost once is never sent again: ours, and the ACK of the peer's. RFC
 * 9293 s3.8.3, s3.10.7.4, eighth. */
static void class_17_fin_lost_once(void **state)
{
    struct sock *s = up();
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_expect_after(&p, 300 * MS, "F. 1:1(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 2 win 65535");
    peer_send(&p, "F. 1:1(0) ack 2 win 65535");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_send(&p, "F. 1:1(0) ack 2 win 65535"); /* our ACK was lost */
    peer_expect(&p, ". 2:2(0) ack 2");
    assert_int_equal(peer_read_result(s), 0);
    peer_free(&p);

    s = up(); /* LAST-ACK */
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 2");
    peer_expect_after(&p, 300 * MS, "F. 1:1(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 2 win 65535");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* 18. close() with text to send and a shut window stays for ever. RFC 9293 s3.8.6.1
 * asks for patience while somebody owns the connection: after close() it is
 * tcp_orphan_retries probes, though each is answered. */
static void class_18_close_with_text_and_a_shut_window(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 100);
    sock_close(s);
    for (int i = 0; i < 8; i++) {
        peer_expect_after(&p, (300 << i) * MS, ". 0:0(0) ack 1");
        peer_send(&p, ". 1:1(0) ack 1 win 0");
        assert_int_equal(connections(), 1);
    }
    peer_expect_after(&p, (300 << 8) * MS, "R. 1:1(0) ack 1");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* 19. Text and FIN together: the last segment does not get to the user. RFC 9293
 * s3.10.7.4, seventh and eighth. */
static void class_19_text_and_fin_together(void **state)
{
    struct sock *s = up();
    peer_send(&p, ". 1:1001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1001");
    peer_send(&p, "FP. 1001:1501(500) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1502");
    assert_true(sock_readiness(s) & SOCK_IN);
    peer_read(&p, s, 1500);
    assert_int_equal(peer_read_result(s), 0);
    peer_write(&p, s, 1500); /* and ours */
    sock_close(s);
    peer_expect(&p, ". 1:1001(1000) ack 1502");
    peer_expect(&p, "P. 1001:1501(500) ack 1502");
    peer_expect(&p, "F. 1501:1501(0) ack 1502");
    peer_free(&p);
}

/* 20. close() with unread text must reset, and the other end is told of it once. RFC
 * 9293 s3.6.1, RFC 2525 s2.17. */
static void class_20_close_with_unread_text(void **state)
{
    static const struct piece text = { (const uint8_t *)"unread", 6 };
    struct sock *client, *server;
    struct pair pair;
    uint8_t byte;
    pair_init(&pair, &(struct pair_setup){ .seed = 1 });
    struct sock *l = pair_listen(&pair, PAIR_B, 80);
    pair_connect(&pair, l, &client, &server);
    assert_int_equal(sock_send(client, &text, 1, 0, NULL), 6);
    pair_run(&pair, 100 * MS);
    assert_int_equal(sock_receive(server, &byte, 1, 0, NULL), 1);
    sock_close(server);
    pair_run(&pair, 100 * MS);
    assert_int_equal(stack_counter(pair.host[PAIR_B].st, "TcpOutRsts"), 1);
    assert_int_equal(sock_receive(client, &byte, 1, 0, NULL), -ECONNRESET);
    assert_int_equal(sock_receive(client, &byte, 1, 0, NULL), 0);
    assert_int_equal(sock_send(client, &text, 1, 0, NULL), -EPIPE);
    sock_close(client);
    sock_close(l);
    pair_free(&pair);
}

/* 21. SO_LINGER with 0 must reset, and leave nothing behind. RFC 9293 s3.10.5. */
static void class_21_linger_zero(void **state)
{
    const int linger[2] = { 1, 0 };
    struct sock *s = up();
    peer_write(&p, s, 500);
    peer_expect(&p, "P. 1:501(500) ack 1");
    assert_int_equal(sock_setopt(s, 1, 13, linger, sizeof linger), 0);
    sock_close(s);
    peer_expect(&p, "R. 501:501(0) ack 1");
    assert_int_equal(connections(), 0);
    assert_int_equal(p.st->tcp.n_time_wait, 0);
    peer_wait(&p, 600 * SEC);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* 22. TIME-WAIT that is missing or cut short, has timers of the connection in it, or
 * drops the SYN of the next one. RFC 9293 s3.6.1 (MUST-13, MAY-2), RFC 1337 s3. */
static void class_22_time_wait(void **state)
{
    struct sock *s = up();
    struct sock *l = peer_listen(&p, 80);
    peer_write(&p, s, 500);
    sock_close(s);
    peer_skip(&p);
    peer_send(&p, "F. 1:1(0) ack 502 win 65535");
    peer_expect(&p, ". 502:502(0) ack 2");
    peer_send(&p, "R 2:2(0) win 0");
    peer_wait(&p, 60 * SEC - 1);
    peer_expect_nothing(&p);
    assert_int_equal(p.st->tcp.n_time_wait, 1);
    peer_send(&p, "S 1000:1000(0) win 65535 <mss 1000>");
    p.at->knows_isn = false;
    peer_expect(&p, "S. 0:0(0) ack 1001 <mss 1460>");
    peer_send(&p, ". 1001:1001(0) ack 1 win 65535");
    sock_close(peer_accept(&p, l));
    peer_expect(&p, "F. 1:1(0) ack 1001");
    peer_send(&p, "F. 1001:1001(0) ack 2 win 65535");
    assert_int_equal(p.st->tcp.n_time_wait, 1);
    peer_wait(&p, 60 * SEC);
    assert_int_equal(p.st->tcp.n_time_wait, 0);
    peer_free(&p);
}

/* --- the start of one: class 23 --- */

/* The SYNs that a sends. */
struct syns {
    uint16_t port[2];
    uint32_t isn[2];
    unsigned n;
};

static enum pair_fate note_syn(void *ctx, const struct pair_frame *frame)
{
    struct syns *syns = ctx;
    struct dump_info info;
    dump_look(frame->bytes, frame->len, &info);
    if (frame->from == PAIR_A && info.is_tcp && info.seg.flags & TCP_SYN &&
        syns->n < ARRAY_LEN(syns->port)) {
        syns->port[syns->n] = info.seg.src_port;
        syns->isn[syns->n++] = info.seg.seq.n;
    }
    return PAIR_PASS;
}

/* A stack starts, and connects twice. */
static struct syns two_syns(uint64_t seed)
{
    struct syns syns = { .n = 0 };
    struct sock *client, *server;
    struct pair pair;
    pair_init(&pair,
              &(struct pair_setup){ .seed = seed, .hook = note_syn, .ctx = &syns });
    struct sock *l = pair_listen(&pair, PAIR_B, 80);
    for (int i = 0; i < 2; i++) {
        pair_connect(&pair, l, &client, &server);
        sock_close(client);
        sock_close(server);
    }
    sock_close(l);
    pair_run(&pair, 120 * SEC);
    pair_free(&pair);
    return syns;
}

/* 23. The ephemeral ports begin at the same number after each start, or the initial
 * sequence number is a fixed one: a peer that remembers the last run does not let the
 * next one in. RFC 6056 s3.3, RFC 6528 s3. */
static void class_23_same_port_or_initial_number_after_a_restart(void **state)
{
    struct syns first = two_syns(1), next = two_syns(2);
    assert_int_equal(first.n, 2);
    assert_int_equal(next.n, 2);
    assert_int_not_equal(first.port[0], first.port[1]);
    assert_int_not_equal(first.port[0], next.port[0]);
    assert_in_range(first.port[0], 32768, 60999);
    assert_int_not_equal(first.isn[0], first.isn[1]);
    assert_int_not_equal(first.isn[0], next.isn[0]);
    assert_int_not_equal(first.isn[0], 0);
}

/* --- segments that belong elsewhere: classes 24 to 27 --- */

/* 24. A SYN in ESTABLISHED, a RST that a listener swallows, RSTs that are not checked.
 * RFC 5961 s3.2, s4.2; RFC 9293 s3.10.7.2, first. */
static void class_24_syn_in_established_and_rst_validation(void **state)
{
    struct sock *s = up();
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 5000:5000(0) win 65535 <mss 1000>");
    peer_expect(&p, ". 1:1(0) ack 1");
    assert_string_equal(peer_state(s), "ESTAB");
    peer_wait(&p, 1 * SEC);
    peer_send(&p, "R 2:2(0) win 0"); /* in the window */
    peer_expect(&p, ". 1:1(0) ack 1");
    peer_send(&p, "R 90001:90001(0) win 0");
    peer_expect_nothing(&p);
    assert_string_equal(peer_state(s), "ESTAB");
    peer_send(&p, "R 1:1(0) win 0");
    assert_string_equal(peer_state(s), "CLOSED");
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    peer_use(&p, 1);
    p.at->stack_port = 80;
    peer_send(&p, "R 0:0(0) win 0"); /* of nothing that the listener knows */
    half_open(1);
    peer_send(&p, "R 1:1(0) win 0"); /* of the connection it opens, and of that alone */
    half_open(2);
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    assert_string_equal(peer_state(peer_accept(&p, l)), "ESTAB");
    peer_free(&p);
}

/* 25. No backlog: one connection for each listening socket, the others are reset. RFC
 * 9293 s3.9.1.1. */
static void class_25_no_backlog(void **state)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    assert_int_equal(sock_listen(l, 4), 0);
    for (unsigned i = 0; i < 6; i++)
        half_open(i);
    for (unsigned i = 0; i < 6; i++) {
        peer_use(&p, i);
        peer_send(&p, ". 1:1(0) ack 1 win 65535");
    }
    peer_expect_nothing(&p); /* the fifth and the sixth wait, without a RST */
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(peer_state(peer_accept(&p, l)), "ESTAB");
    for (unsigned i = 4; i < 6; i++) {
        peer_use(&p, i);
        peer_send(&p, "P. 1:101(100) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 101");
        peer_read(&p, peer_accept(&p, l), 100);
    }
    assert_int_equal(peer_count(&p, "TcpOutRsts"), 0);
    peer_free(&p);
}

/* 26. Text with the last ACK of the handshake, or right behind it, is lost. RFC 9293
 * s3.10.7.4, fifth, SYN-RECEIVED. */
static void class_26_text_with_the_last_ack_of_the_handshake(void **state)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    half_open(0);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_send(&p, "FP. 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_expect(&p, ". 1:1(0) ack 202");
    half_open(1);
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_use(&p, 0);
    struct sock *s = peer_accept(&p, l);
    peer_read(&p, s, 200);
    assert_int_equal(peer_read_result(s), 0);
    peer_use(&p, 1);
    peer_read(&p, peer_accept(&p, l), 100);
    peer_free(&p);
}

/* 27. Stuck in SYN-RECEIVED because the peer, which offered timestamps, omits them.
 * RFC 7323 s3.2 drops such segments; in the handshake we take the peer at its deeds. */
static void class_27_syn_received_when_the_peer_omits_its_timestamp(void **state)
{
    peer_init(&p);
    struct sock *l = peer_listen(&p, 80);
    peer_send(&p, "S 0:0(0) win 65535 <mss 1000,TS val 50 ecr 0>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 50>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    assert_string_equal(peer_state(s), "ESTAB");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    peer_read(&p, s, 100);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 101");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_16_simultaneous_close),
        cmocka_unit_test(class_17_fin_lost_once),
        cmocka_unit_test(class_18_close_with_text_and_a_shut_window),
        cmocka_unit_test(class_19_text_and_fin_together),
        cmocka_unit_test(class_20_close_with_unread_text),
        cmocka_unit_test(class_21_linger_zero),
        cmocka_unit_test(class_22_time_wait),
        cmocka_unit_test(class_23_same_port_or_initial_number_after_a_restart),
        cmocka_unit_test(class_24_syn_in_established_and_rst_validation),
        cmocka_unit_test(class_25_no_backlog),
        cmocka_unit_test(class_26_text_with_the_last_ack_of_the_handshake),
        cmocka_unit_test(class_27_syn_received_when_the_peer_omits_its_timestamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
