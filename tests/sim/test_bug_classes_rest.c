/* Classes 29 to 32 of the table that test_bug_classes.c begins. 28, a clock too coarse
 * for loss detection by time, is tested beside what detects losses by time. */
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

/* A link whose queue says that it is full from ten frames on, still takes the rest of a
 * super-segment, and then takes nothing. */
static struct {
    int (*send)(struct link *link, const struct pkt *frame);
    unsigned frames;
} queue;

static int send_into_queue(struct link *link, const struct pkt *frame)
{
    if (queue.frames == 80)
        return -EAGAIN;
    queue.frames++;
    assert_int_equal(queue.send(link, frame), 0);
    return queue.frames >= 10;
}

/* A millisecond in which ten frames leave. */
static void queue_drains(void)
{
    queue.frames -= min_u32(queue.frames, 10);
    if (queue.frames < 10)
        stack_unblock(p.st, &p.nif);
    peer_wait(&p, 1 * MS);
}

/* The peer acknowledges all that has come without a hole; how far that is. */
static unsigned acknowledge(unsigned at)
{
    static uint8_t frame[2000];
    struct dump_info info;
    char line[PEER_LINE];
    for (size_t len; (len = peer_take(&p, frame, sizeof frame)) > 0;) {
        dump_look(frame, len, &info);
        if (seq_len(p.at->stack_isn, info.seg.seq) == at)
            at += info.seg.text_len;
    }
    snprintf(line, sizeof line, ". 1:1(0) ack %u win 65535", at);
    peer_send(&p, line);
    return at;
}

/* 29. The same with the queue of our own device, which large windows fill again and
 * again: what it takes it keeps, and what it does not take stays where it is. */
static void class_29_transmit_queue_that_large_windows_overrun(void **state)
{
    unsigned at = 1, ms = 0;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000,wscale 7>", 65535);
    queue.send = p.link.send;
    queue.frames = 0;
    p.link.send = send_into_queue;
    peer_write(&p, s, 1000000);
    for (; at < 1000001 && ms < 1000; ms++) {
        queue_drains();
        at = acknowledge(at);
    }
    assert_int_equal(at, 1000001);
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 0);
    assert_in_range(ms, 93, 110); /* a thousand frames, less what the queue holds */
    peer_free(&p);
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

/* Connection i of a peer that speaks to port 80: SYN and SYN-ACK. */
static void half_open(unsigned i)
{
    peer_use(&p, i);
    p.at->stack_port = 80;
    peer_send(&p, "S 0:0(0) win 65535 <mss 1000>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
}

/* 31. A RST on behalf of a socket that is gone. RFC 9293 s3.10.7.1: it is made from the
 * segment alone; sockets went with text unread, unsent and unaccepted. */
static void class_31_reset_on_behalf_of_a_closed_socket(void **state)
{
    peer_init(&p);
    struct sock *s = peer_up(&p);
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
    assert_int_equal(p.st->tcp.n_tcb, 0);
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
        cmocka_unit_test(class_29_more_buffer_less_throughput),
        cmocka_unit_test(class_29_transmit_queue_that_large_windows_overrun),
        cmocka_unit_test(class_30_setsockopt_that_does_nothing),
        cmocka_unit_test(class_30_blocking_calls),
        cmocka_unit_test(class_31_reset_on_behalf_of_a_closed_socket),
        cmocka_unit_test(class_32_knobs_for_an_odd_middlebox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
