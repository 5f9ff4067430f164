/* What an attacker, an odd peer or plain arithmetic could do to a connection: numbers
 * that cross the wrap in the middle of a stream, a window that is taken back, and text
 * that is sent to cost memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/pair.h"
#include "harness/peer_up.h"
#include "sock/sock.h"
#include "tcp/tcb.h"

enum { SIZE = 1500000, CHUNK = 30000 };

/* --- a stream from a to b ----------------------------------------------------------
 */

static struct pair pair;
static struct sock *writer, *reader;
static uint32_t written, read_on;
static bool ended;

static uint8_t byte_at(uint32_t n)
{
    return (uint8_t)(n * 2654435761u >> 13);
}

static void write_some(void)
{
    uint8_t chunk[CHUNK];
    ssize_t n = 1;

    while (written < SIZE && n > 0) {
        size_t len = min_size(CHUNK, SIZE - written);
        for (size_t i = 0; i < len; i++)
            chunk[i] = byte_at(written + (uint32_t)i);
        n = sock_send(writer, &(struct piece){ chunk, len }, 1, 0, NULL);
        written += n > 0 ? (uint32_t)n : 0;
    }
    if (written == SIZE)
        sock_shutdown(writer, 1);
}

static bool all_is_read(void *ctx)
{
    uint8_t chunk[CHUNK];
    ssize_t n;

    (void)ctx;
    write_some();
    while ((n = sock_receive(reader, chunk, sizeof chunk, 0, NULL)) > 0)
        for (ssize_t i = 0; i < n; i++, read_on++)
            if (chunk[i] != byte_at(read_on))
                fail_msg("byte %u is wrong", read_on);
    ended = n == 0;
    return ended;
}

/* The connection begins at these numbers: those of its SYN, and of its TSval. */
static void begin_at(struct tcb *tcb, uint32_t iss, uint32_t ts)
{
    tcb->snd.iss = tcb->snd.una = tcb->snd.nxt = seq_at(iss);
    tcb->snd.buf_seq = seq_add(seq_at(iss), 1);
    tcb->ts.offset = ts - tcp_ts_now(tcb->tcp, 0);
}

static bool waits(void *ctx)
{
    return tcp_acceptable(((struct sock *)ctx)->listener) > 0;
}

static void stream(const struct pair_setup *setup, uint32_t iss, uint32_t ts)
{
    struct sock_name to = { pair_addr(PAIR_B), 80 };

    pair_init(&pair, setup);
    struct sock *l = pair_listen(&pair, PAIR_B, 80);
    writer = pair_tcp(&pair, PAIR_A);
    sock_connect(writer, &to);
    begin_at(writer->tcb, iss, ts);
    assert_true(pair_run_until(&pair, waits, l, 100 * SEC));
    assert_int_equal(sock_accept(l, &reader), 0);
    written = read_on = 0;
    ended = false;
    assert_true(pair_run_until(&pair, all_is_read, NULL, 600 * SEC));
    assert_int_equal(read_on, SIZE);
    sock_close(writer);
    sock_close(reader);
    sock_close(l);
    pair_run(&pair, 200 * SEC);
}

static uint64_t counted(enum pair_side side, enum count which)
{
    return pair.host[side].st->net.count.n[which];
}

/* --- the wrap ----------------------------------------------------------------------
 */

/* RFC 9293 s3.4: arithmetic on sequence numbers is modulo 2^32; half of the circle
 * away comparison turns round. 1.5 MB begin 500,000 before each of these places, or
 * just there. */
static void sequence_numbers_cross_the_wrap_in_the_middle_of_a_stream(void **state)
{
    static const uint32_t iss[] = { 0xffffffffu - 500000, 0xffffffffu, 0xfffffffeu,
                                    0x7fffffffu - 500000, 0x7fffffffu };
    static const char *const no_sack[] = { "net.ipv4.tcp_sack=0", NULL };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(iss); i++) {
        struct pair_setup setup = {
            .seed = i + 1,
            .netem = "delay 5ms loss 1% reorder 2% duplicate 1%",
            .sysctl = i % 2 ? no_sack : NULL,
        };
        stream(&setup, iss[i], 1000);
        assert_true(counted(PAIR_A, COUNT_TcpRetransSegs) > 0);
        pair_free(&pair);
    }
}

/* RFC 7323 s5: so do timestamps, and text across their wrap is not old. What was held
 * back until after it is: it has long been acknowledged, too. */
static void timestamps_cross_the_wrap_in_the_middle_of_a_stream(void **state)
{
    static const uint32_t ts[] = { 0xffffffffu - 300, 0x7fffffffu - 300 };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(ts); i++) {
        struct pair_setup setup = {
            .seed = i + 1, .netem = "delay 5ms rate 20mbit loss 0.5% reorder 2%"
        };
        stream(&setup, 1, ts[i]);
        assert_int_equal(counted(PAIR_B, COUNT_TcpExtPAWSEstab), 0);
        assert_true(counted(PAIR_A, COUNT_TcpRetransSegs) > 0);
        pair_free(&pair);
    }
}

/* --- a window that is taken back ---------------------------------------------------
 */

enum { TCP_AT = 34, WINDOW_AT = TCP_AT + 14, CKSUM_AT = TCP_AT + 16 };

/* Some of b's ACKs lose most of their window on the way, or all of it; the checksum
 * follows (RFC 1624 s3). */
static enum pair_fate take_back(void *ctx, const struct pair_frame *f)
{
    uint8_t *b = f->bytes;
    static const uint16_t windows[] = { 0, 1, 3, 10, 40 };

    (void)ctx;
    if (f->from != PAIR_B || f->index % 7 || f->index == 0)
        return PAIR_PASS;
    uint16_t old = get16(b + WINDOW_AT), small = windows[f->index % 5];
    if (small >= old)
        return PAIR_PASS;
    uint32_t sum = (uint32_t)(uint16_t)~get16(b + CKSUM_AT) + (uint16_t)~old + small;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(b + WINDOW_AT, small);
    put16(b + CKSUM_AT, (uint16_t)~sum);
    return PAIR_PASS;
}

/* RFC 9293 s3.8.6: a sender must be robust against a shrinking window. */
static void a_window_that_is_taken_back_again_and_again_stops_nothing(void **state)
{
    struct pair_setup setup = { .seed = 5, .netem = "delay 5ms", .hook = take_back };
    (void)state;
    stream(&setup, 1, 1000);
    assert_int_equal(counted(PAIR_A, COUNT_TcpInErrs), 0);
    assert_true(counted(PAIR_B, COUNT_TcpInSegs) >= SIZE / 1448);
    pair_free(&pair);
}

/* --- text that is sent to cost memory ----------------------------------------------
 */

/* Every second byte of a window of 64 KiB, from the far end on: each begins a piece of
 * its own. What is held stays within twice the buffer, what is not comes again, and the
 * stream goes on. */
static void a_comb_of_bytes_costs_twice_the_buffer_at_most(void **state)
{
    struct peer p;
    char line[PEER_LINE];
    size_t most = 0;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_rmem", "65536 65536 65536");
    struct sock *s = peer_up_sack(&p);
    for (int at = 60001; at > 1; at -= 2) {
        snprintf(line, sizeof line, ". %d:%d(1) ack 1 win 65535", at, at + 1);
        peer_send(&p, line);
        peer_skip(&p);
        most = max_size(most, p.st->tcp.mem.bytes);
    }
    assert_true(most > 65536);
    assert_true(most <= 2 * 65536);
    assert_true(peer_drops(&p, "TcpOfoFull") > 0);
    for (int at = 1; at < 60001; at += 1000) {
        snprintf(line, sizeof line, ". %d:%d(1000) ack 1 win 65535", at, at + 1000);
        peer_send(&p, line);
        peer_skip(&p);
    }
    assert_true(tcp_readable(s->tcb) >= 60000);
    peer_read(&p, s, 60000);
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_numbers_cross_the_wrap_in_the_middle_of_a_stream),
        cmocka_unit_test(timestamps_cross_the_wrap_in_the_middle_of_a_stream),
        cmocka_unit_test(a_window_that_is_taken_back_again_and_again_stops_nothing),
        cmocka_unit_test(a_comb_of_bytes_costs_twice_the_buffer_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
