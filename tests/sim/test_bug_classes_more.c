/* Classes 16 to 32 of the table that test_bug_classes.c begins, but 28: a clock too
 * coarse for loss detection by time is tested beside what detects losses by time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/hosts.h"
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
 * (MUST-37) asks for patience while somebody owns the connection: after close() it is
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
 * 9293 s3.9.1.1 (MUST-41, MUST-42). */
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

/* --- throughput, calls and knobs: classes 29 to 32 --- */

/* Bytes that went through in ten seconds, with buffers of these sizes on both sides of
 * a link of 20 Mbit/s and 20 ms, whose queue takes 30 packets. */
static uint64_t bytes_in_ten_seconds(const char *wmem, const char *rmem)
{
    static uint8_t buf[65536];
    const struct piece piece = { buf, sizeof buf };
    const char *const sysctl[] = { wmem, rmem, NULL };
    struct sock *client, *server;
    struct pair pair;
    uint64_t got = 0;
    ssize_t n;
    pair_init(&pair,
              &(struct pair_setup){ .seed = 1,
                                    .sysctl = sysctl,
                                    .netem = "rate 20mbit delay 10ms limit 30" });
    struct sock *l = pair_listen(&pair, PAIR_B, 80);
    pair_connect(&pair, l, &client, &server);
    for (int ms = 0; ms < 10000; ms++) {
        while (sock_send(client, &piece, 1, 0, NULL) > 0)
            ;
        pair_run(&pair, 1 * MS);
        while ((n = sock_receive(server, buf, sizeof buf, 0, NULL)) > 0)
            got += (uint64_t)n;
    }
    sock_close(client);
    sock_close(server);
    sock_close(l);
    pair_run(&pair, 300 * SEC);
    pair_free(&pair);
    return got;
}

/* 29. More buffer, less throughput: large windows overrun the queue before the link.
 * 25 MB fit through in that time, headers included. */
static void class_29_more_buffer_less_throughput(void **state)
{
    assert_in_range(bytes_in_ten_seconds("net.ipv4.tcp_wmem=4096 65536 65536",
                                         "net.ipv4.tcp_rmem=4096 65536 65536"),
                    18000000, 24200000);
    assert_in_range(bytes_in_ten_seconds("net.ipv4.tcp_wmem=4096 4194304 4194304",
                                         "net.ipv4.tcp_rmem=4096 6291456 6291456"),
                    18000000, 24200000);
}

/* 30. setsockopt() that silently does nothing: what is taken has its effect, and what
 * is not known is refused. */
static void class_30_setsockopt_that_does_nothing(void **state)
{
    int one = 1;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    struct sock *s = peer_tcp(&p);
    peer_option(s, 1, 8, 3000); /* SO_RCVBUF: twice that, as on Linux */
    assert_int_equal(peer_connect_result(&p, s), -EINPROGRESS);
    peer_expect(&p, "S 0:0(0) win 6000 <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 65535 <mss 1000>");
    peer_skip(&p);
    peer_write(&p, s, 10);
    peer_expect(&p, "P. 1:11(10) ack 1");
    peer_write(&p, s, 10);
    peer_expect_nothing(&p);
    peer_option(s, 6, 1, 1); /* TCP_NODELAY: does not wait for the ACK */
    peer_expect(&p, "P. 11:21(10) ack 1");
    peer_option(s, 6, 3, 1); /* TCP_CORK: nor for nothing */
    peer_write(&p, s, 10);
    peer_expect_nothing(&p);
    peer_option(s, 6, 3, 0);
    peer_expect(&p, "P. 21:31(10) ack 1");
    assert_int_equal(sock_setopt(s, 1, 999, &one, sizeof one), -ENOPROTOOPT);
    assert_int_equal(sock_setopt(s, 6, 999, &one, sizeof one), -ENOPROTOOPT);
    assert_int_equal(sock_setopt(s, 999, 1, &one, sizeof one), -ENOPROTOOPT);
    peer_free(&p);
}

static struct hosts hosts;

static void late_server(void *arg)
{
    int l = hosts_listen(80);
    int fd = tapir_accept(l, NULL, NULL);
    must(tapir_poll(NULL, 0, 5000) == 0);
    hosts_write(fd, "late", 4);
    tapir_close(fd);
    tapir_close(l);
}

static void patient_client(void *arg)
{
    const struct timeval two = { .tv_sec = 2 }, never = { 0 };
    char buf[5];
    int64_t from;
    int fd = hosts_connect(HOST_B, 80);
    must(tapir_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &two, sizeof two) == 0);
    from = sim_now(hosts.sim);
    must(tapir_read(fd, buf, 4) == -1);
    must(errno == EAGAIN);
    must(sim_now(hosts.sim) - from == 2000000);
    must(tapir_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never) == 0);
    must(tapir_read(fd, buf, 4) == 4);
    must(memcmp(buf, "late", 4) == 0);
    must(tapir_read(fd, buf, 4) == 0);
    tapir_close(fd);
}

/* 30. Calls that should block and do not: connect, accept, read and poll wait. */
static void class_30_blocking_calls(void **state)
{
    hosts_up(&hosts, 1, NULL);
    must(sim_spawn(hosts.b, late_server, NULL) == 0);
    must(sim_spawn(hosts.a, patient_client, NULL) == 0);
    hosts_run(&hosts);
    hosts_down(&hosts);
}

/* 31. A RST on behalf of a socket that is gone. RFC 9293 s3.10.7.1: it is made from the
 * segment alone; sockets went with text unread, unsent and unaccepted. */
static void class_31_reset_on_behalf_of_a_closed_socket(void **state)
{
    struct sock *s = up();
    peer_write(&p, s, 20000);
    peer_skip(&p);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_skip(&p);
    sock_close(s);
    peer_expect(&p, "R. 10001:10001(0) ack 101");
    struct sock *l = peer_listen(&p, 80);
    half_open(1);
    half_open(2);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 101");
    sock_close(l);
    peer_expect(&p, "R. 1:1(0) ack 101");
    for (unsigned i = 0; i < 3; i++) {
        peer_use(&p, i);
        peer_send(&p, "P. 101:201(100) ack 1 win 65535");
        peer_expect(&p, "R 1:1(0) win 0");
        peer_send(&p, "R. 101:101(0) ack 1 win 0");
        peer_expect_nothing(&p);
    }
    peer_use(&p, 3);
    p.at->stack_port = 80;
    peer_send(&p, "FP 1:101(100) win 65535"); /* nothing to take the number from */
    peer_expect(&p, "R. 0:0(0) ack 102 win 0");
    assert_int_equal(connections(), 0);
    peer_free(&p);
}

/* 32. An odd middlebox, which drops SYNs with an option it does not know: each can be
 * switched off, alone, and is neither offered nor agreed to then. */
static void class_32_knobs_for_an_odd_middlebox(void **state)
{
    static const struct {
        const char *knob, *syn, *syn_ack;
    } row[] = {
        { "net.ipv4.tcp_window_scaling", "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0>",
          "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 9>" },
        { "net.ipv4.tcp_sack", "S 0:0(0) <mss 1460,TS val 0 ecr 0,wscale 7>",
          "S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 9,wscale 7>" },
        { "net.ipv4.tcp_timestamps", "S 0:0(0) <mss 1460,sackOK,wscale 7>",
          "S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>" },
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        peer_init(&p);
        peer_sysctl(&p, row[i].knob, "0");
        peer_connect(&p, 5000);
        peer_expect(&p, row[i].syn);
        peer_use(&p, 1);
        peer_listen(&p, 80);
        peer_send(&p, "S 0:0(0) win 9 <mss 1000,sackOK,TS val 9 ecr 0,wscale 7>");
        peer_expect(&p, row[i].syn_ack);
        peer_free(&p);
    }
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
        cmocka_unit_test(class_29_more_buffer_less_throughput),
        cmocka_unit_test(class_30_setsockopt_that_does_nothing),
        cmocka_unit_test(class_30_blocking_calls),
        cmocka_unit_test(class_31_reset_on_behalf_of_a_closed_socket),
        cmocka_unit_test(class_32_knobs_for_an_odd_middlebox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
